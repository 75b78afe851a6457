"""Table and summary of a build of the entropy engine."""

from collections.abc import Mapping

from lutgen.targets.fit import basis, depths, levels_basis

from .text import counts, depth_cell, levels_of, whereabouts

__all__ = ["summary", "table"]

_KINDS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36"}


def table(record: Mapping):
    """A rich table: resources by block, core by core."""
    from rich.box import SIMPLE
    from rich.table import Table

    cores, model = record["cores"], record["model"]
    grid = Table(
        box=SIMPLE, padding=(0, 1, 0, 0), title_justify="left", caption_justify="left",
        caption="levels: LUT levels / logic levels. "
        + levels_basis(record["target"]["yosys_family"]),
    )  # fmt: skip
    grid.title = f"entropy engine, {model['classes']} classes, model {model['hash'][:16]}"
    grid.add_column("")
    for name in cores:
        for k, label in enumerate([*_KINDS.values(), "levels"]):
            grid.add_column(f"{'' if k else name}\n{label}", justify="right", no_wrap=True)

    def cells(part: Mapping | None) -> list[str]:
        if part is None:
            return [""] * (len(_KINDS) + 1)
        return [f"{part[kind]:g}" for kind in _KINDS] + [depth_cell(part)]

    blocks = [core["resources"]["blocks"] for core in cores.values()]
    for name in ("head", "coder", "bits", "queue", "control", "rest"):
        grid.add_row(
            name, *(cell for found in blocks for cell in cells(found.get(name))),
            end_section=name == "rest",
        )  # fmt: skip
    totals = [
        core["resources"]["total"] | levels_of(core["resources"])
        for core in cores.values()
    ]
    grid.add_row("total", *(cell for total in totals for cell in cells(total)), style="bold")
    return grid


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
