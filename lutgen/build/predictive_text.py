"""Texts of a build of profile ``predictive``: heads of Verilog files, the table, the summary."""

from collections.abc import Mapping

from lutgen.targets.fit import basis, depths, levels_basis

from .block_table import block_table
from .predictive_options import PredictiveOptions
from .text import comment, counts, whereabouts

__all__ = ["header", "summary", "table"]

_BLOCKS = ("pictures", "walk", "loop", "prediction", "strips", "rest")
_KINDS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36", "dsp": "DSP"}


def header(record: Mapping, module: str) -> str:
    """The comment that a Verilog file begins with."""
    options, model = PredictiveOptions.of_record(record["parameters"]), record["model"]
    lines = [
        f"samples        {options.depth} bits",
        f"largest image  {options.max_width} x {options.max_height} pixels",
        f"strips         {_strips(options)}",
        f"stream         {options.stream_bytes} bytes",
    ]
    for name, core in record["cores"].items():
        lines.append(f"{name:14} {core['lanes']} groups of four rows side by side")
    return comment(
        record, module, f"{model['name']}, {model['features']} features, {model['leaves']} "
        f"predictors, {model['trees']} LUT trees, {model['classes']} classes", lines,
    )  # fmt: skip


def _strips(options: PredictiveOptions) -> str:
    if options.strip_height is None:
        return "one of a picture"
    return f"{options.strip_height} rows each"


def table(record: Mapping):
    """A rich table of a build: resources by block, core by core."""
    model = record["model"]
    title = f"{record['parameters']['top']} of {model['name']} {model['hash'][:16]}"
    return block_table(record, title, _BLOCKS, _KINDS)


def summary(record: Mapping) -> str:
    """What a build is and what to do with it, a few lines of text."""
    target, pair, rate = record["target"], record["pair"], record["rate"]
    options = PredictiveOptions.of_record(record["parameters"])
    lines = []
    for name, core in record["cores"].items():
        memory = sum(core["memory_bits"].values())
        lines.append(
            f"{name}: {core['lanes']} groups of four rows side by side, a period of "
            f"{core['period']} clocks, all busy from {core['narrowest']} columns up; "
            f"{memory / 1024:.0f} Kibit of memory"
        )
    lines.append(
        f"samples of {options.depth} bits, images up to {options.max_width}x{options.max_height}, "
        f"strips: {_strips(options)}; stream of {options.stream_bytes} bytes"
    )
    lines.append(
        f"{rate['clocks_per_pixel']:.4g} clocks a sample at {options.max_width} columns, "
        f"{rate['mpx_per_s']:g} Mpx/s at the clock goal of {target['clock_mhz']:g} MHz"
    )
    if pair:
        deepest = max(record["cores"].values(), key=lambda core: core["resources"]["levels"] or 0)
        lines.append(
            f"{options.top}: {counts(pair)}; at most {depths(pair)}; most LUT levels in "
            f"{deepest['resources']['worst_block']} of {deepest['module']}"
        )
        lines.append(levels_basis(target["yosys_family"]))
        if differs := basis(target["family"], target["yosys_family"]):
            lines.append(differs)
        if pair["fits"] is None:
            lines.append(f"not compared with {target['name']}, whose cells are others")
        elif not pair["fits"]:
            lines.append(
                f"DOES NOT FIT {target['name']}: try a smaller --max-width, or another --target"
            )
    else:
        lines.append("resources not counted: leave out --no-estimate")
    return "\n".join([*lines, *whereabouts(record)])
