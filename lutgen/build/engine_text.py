"""Table and summary of a build of the entropy engine."""

from collections.abc import Mapping

from lutgen.targets.fit import basis, depths, levels_basis

from .block_table import block_table
from .text import counts, whereabouts

__all__ = ["summary", "table"]

_BLOCKS = ("head", "coder", "bits", "queue", "control", "rest")


def table(record: Mapping):
    """A rich table: resources by block, core by core."""
    model = record["model"]
    title = f"entropy engine, {model['classes']} classes, model {model['hash'][:16]}"
    return block_table(record, title, _BLOCKS)


def summary(record: Mapping) -> str:
    """What a build is and what to do with it, a few lines of text."""
    target, pair = record["target"], record["pair"]
    lines = [
        f"one symbol per clock both ways, {record['rate']['msymbols_per_s']:g} M symbols/s at the "
        f"clock goal; payload in words of {record['parameters']['stream_bytes']} bytes"
    ]
    if pair:
        lines.append(f"both cores: {counts(pair)}; at most {depths(pair)}")
        lines.append(levels_basis(target["yosys_family"]))
        if differs := basis(target["family"], target["yosys_family"]):
            lines.append(differs)
    else:
        lines.append("resources not counted: leave out --no-estimate")
    return "\n".join([*lines, *whereabouts(record)])
