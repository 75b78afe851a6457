"""Texts of a build of profile ``predictive``: heads of Verilog files, the table, the summary."""

from collections.abc import Mapping

from .block_table import block_table
from .cores import GLUE
from .predictive_options import PredictiveOptions
from .text import comment, register_pages, spent, whereabouts

__all__ = ["header", "summary", "table"]

_BLOCKS = ("pictures", "walk", "loop", "prediction", "strips", "registers", "rest", GLUE)
_KINDS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36", "dsp": "DSP"}


def header(record: Mapping, module: str) -> str:
    """The comment that a Verilog file begins with."""
    options, model = PredictiveOptions.of_record(record["parameters"]), record["model"]
    lines = [
        *([f"images         {form}"] if (form := _form(model)) else []),
        f"samples        {options.depth} bits",
        f"largest image  {options.max_width} x {options.max_height} pixels",
        f"strips         {_strips(options)}",
        f"stream         {options.stream_bytes} bytes",
    ]
    if options.cores > 1:
        many = f"as many {_taken(model)}s a beat"
        lines.append(f"cores          {options.cores}, a slab each, and {many}")
    if options.near:
        lines.append(f"near           errors of up to {options.near}, lossless at 0")
    for name, core in record["cores"].items():
        lines.append(f"{name:14} {core['lanes']} groups of four rows side by side")
    return comment(
        record, module, f"{model['name']}, {model['features']} features, {model['leaves']} "
        f"predictors, {model['trees']} LUT trees, {model['classes']} classes", lines,
    )  # fmt: skip


def _form(model: Mapping) -> str:
    """What images are, if not gray."""
    if "planes" not in model:
        return ""
    return "colour filter arrays" if model["mosaic"] else "RGB"


def _taken(model: Mapping) -> str:
    """What beats are made of."""
    return "pixel" if _form(model) == "RGB" else "sample"


def _strips(options: PredictiveOptions) -> str:
    if options.strip_height is None:
        return "one of a picture"
    return f"{options.strip_height} rows each"


def _near(options: PredictiveOptions) -> str:
    return f" with errors of up to {options.near}" if options.near else ""


def table(record: Mapping):
    """A rich table of a build: resources by block, core by core."""
    model = record["model"]
    title = f"{record['parameters']['top']} of {model['name']} {model['hash'][:16]}"
    found = {name for core in record["cores"].values() for name in core["resources"]["blocks"]}
    return block_table(record, title, [name for name in _BLOCKS if name in found], _KINDS)


def summary(record: Mapping) -> str:
    """What a build is and what to do with it, a few lines of text."""
    target, rate = record["target"], record["rate"]
    options = PredictiveOptions.of_record(record["parameters"])
    form, taken = _form(record["model"]), _taken(record["model"])
    lines = []
    for name, core in record["cores"].items():
        memory = sum(core["memory_bits"].values())
        lines.append(
            f"{name}: {core['lanes']} groups of four rows side by side, a period of "
            f"{core['period']} clocks, all busy from {core['narrowest']} columns up; "
            f"{memory / 1024:.0f} Kibit of memory"
        )
    lines.append(
        f"{form}{', ' * bool(form)}samples of {options.depth} bits{_near(options)}, "
        f"images up to {options.max_width}x{options.max_height}, strips: {_strips(options)}; "
        f"stream of {options.stream_bytes} bytes"
    )
    if options.cores > 1:
        lines.append(
            f"{options.cores} cores behind each pair of ports, {options.cores} {taken}s per beat: "
            f"files of {options.cores} slabs"
        )
    lines.append(
        f"{rate['clocks_per_pixel']:.4g} clocks a {taken} at "
        f"{options.max_width} columns, "
        f"{rate['mpx_per_s']:g} Mpx/s at the clock goal of {target['clock_mhz']:g} MHz"
    )
    lines += spent(record, "a smaller --max-width, or another --target")
    return "\n".join([*lines, *register_pages(record), *whereabouts(record)])
