"""Verilog files of a build: the text of a core in plain names, its tables in files beside it."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from lutgen.handoff.tcl import PRIMITIVES

__all__ = ["list_files", "primitives", "write_core"]

#: Warnings of Verilator that Yosys' way of writing gives rise to; see sim/waivers.vlt for why.
_WAIVED = ("CASEINCOMPLETE", "CMPCONST", "INITIALDLY", "SYMRSVDWORD", "UNOPTFLAT", "UNSIGNED",
           "WIDTHEXPAND", "WIDTHTRUNC")  # fmt: skip


def write_core(folder: Path, verilog: str, raw: str, module: str, head: str) -> None:
    """Write ``<module>.v`` and ``<module>_*.mem`` into a folder.

    Parameters
    ----------
    folder:
        Where to.
    verilog:
        Text of the core, see `lutgen.gateware.fabric.verilog.to_verilog`.
    raw:
        Its top there.
    module:
        What its top shall be called.
    head:
        Comment that the file begins with.
    """
    from lutgen.gateware.fabric.plain_names import plain_names
    from lutgen.synth.verilog_text import split_memories

    text, tables = split_memories(plain_names(verilog, raw, module), f"{module}_")
    waivers = "".join(f"// verilator lint_off {rule}\n" for rule in _WAIVED)
    (folder / f"{module}.v").write_text(
        f"{head}// verilator lint_save\n{waivers}\n{text}\n// verilator lint_restore\n"
    )
    for name, words in tables.items():
        (folder / name).write_text(words)


def primitives() -> str:
    """Text of `PRIMITIVES`."""
    return files("lutgen.gateware.fabric").joinpath(PRIMITIVES).read_text(encoding="utf-8")


def list_files(verilog: Sequence[str], primitive: str | None) -> dict[str, str]:
    """``files.f``, and the models that it names: text by file name.

    One list is for every tool: see the head of `PRIMITIVES`.

    Parameters
    ----------
    verilog:
        Files in order of compilation.
    primitive:
        What the Verilog instantiates, or None.
    """
    models = {PRIMITIVES: primitives()} if primitive else {}
    return models | {"files.f": "".join(f"{name}\n" for name in (*models, *verilog))}
