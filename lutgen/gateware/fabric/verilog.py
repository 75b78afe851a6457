"""Conversion of Amaranth components to Verilog text.

Yosys' Verilog writer names the ports of nested signatures with two underscores: the stream ``i``
of a component becomes ``i__payload``, ``i__valid`` and ``i__ready``, element 1 of an array of
streams ``i`` becomes ``i__1__payload`` and so on. A clock domain ``sync`` adds ``clk`` and, unless
it is resetless, ``rst``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from amaranth.back import verilog
from amaranth.hdl import Elaboratable

from lutgen.files.caches import give_tools_a_cache

__all__ = ["replace_contents", "split_memories", "to_verilog"]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def to_verilog(component: Elaboratable, name: str, ports=None) -> str:
    """Return the Verilog text of ``component`` as module ``name``.

    Source locations and Amaranth's own attributes are left out: they would put paths of the
    building machine into the text, and make up half of it.

    Parameters
    ----------
    component : Elaboratable
        A ``wiring.Component``, or any elaboratable together with ``ports``.  Its attribute
        ``fabric``, if it has one, is what all of it is made for; see `.fabric.Fabric`.
    name : str
        Name of the top module; submodules are called ``name.submodule``.  Components that
        ``component`` names in an attribute ``separate``, module -> component, follow.
    ports : optional
        Ports of an elaboratable without a signature, as for ``amaranth.back.verilog.convert``.

    Raises
    ------
    ValueError
        If ``name`` is not a plain Verilog identifier.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"module name must be a plain Verilog identifier, not {name!r}")
    give_tools_a_cache()  # Amaranth's Yosys is one of its tools
    text = verilog.convert(
        component, name, getattr(component, "fabric", None), ports=ports, emit_src=False,
        strip_internal_attrs=True,
    )  # fmt: skip
    separate = getattr(component, "separate", {})
    return "\n".join([text, *(to_verilog(inner, module) for module, inner in separate.items())])


_INIT_BLOCK = re.compile(
    r"^[ ]*initial begin\n(?P<words>(?:[ ]*\S+[ ]?\[\d+\] = \d+'h[0-9a-f]+;\n)+)[ ]*end\n", re.M
)
_INIT_WORD = re.compile(
    r"[ ]*(?P<name>\S+[ ]?)\[(?P<row>\d+)\] = (?P<width>\d+)'h(?P<word>[0-9a-f]+);\n"
)


def replace_contents(verilog: str, write: Callable[[str, int, list[str]], str]) -> str:
    """Replace the initial contents of each memory of a Verilog text.

    Amaranth writes one assignment for each word, on which many tools take time that grows with
    the square of the depth.

    Parameters
    ----------
    verilog : str
        Text from `to_verilog`.
    write : callable
        Called with a memory's name, its width in bits and its words in hexadecimal, row 0 first;
        returns what shall stand there instead.  Blocks that do not fill one memory from row 0
        upwards without a gap are left as they are.
    """

    def replace(block: re.Match) -> str:
        words = [
            m.group("name", "row", "width", "word") for m in _INIT_WORD.finditer(block["words"])
        ]
        name, _, width, _ = words[0]
        if any(other != name or int(row) != k for k, (other, row, _, _) in enumerate(words)):
            return block[0]
        return write(name, int(width), [word for *_, word in words])

    return _INIT_BLOCK.sub(replace, verilog)


def split_memories(verilog: str, prefix: str) -> tuple[str, dict[str, str]]:
    """Move the contents of memories out of a Verilog text, into files for ``$readmemh``.

    Each call names its first and its last row, for tools disagree on where to begin with an array
    that is declared as ``[N-1:0]``.  Memories of zeros share one file for each depth: a loop that
    clears them would be unrolled into one assignment for each word.

    Parameters
    ----------
    verilog : str
        Text from `to_verilog`.
    prefix : str
        Beginning of the files' names.

    Returns
    -------
    tuple
        The new text, and the files as name -> contents: one word in a line, row 0 first.  Blocks
        that `replace_contents` leaves are left.
    """
    files: dict[str, str] = {}
    tables = itertools.count()

    def write(name: str, width: int, words: list[str]) -> str:
        if any(word.strip("0") for word in words):
            file = f"{prefix}{next(tables)}.mem"
        else:
            file, words = f"{prefix}zeros_{len(words)}.mem", ["0"] * len(words)
        files[file] = "".join(f"{word}\n" for word in words)
        return f'  initial $readmemh("{file}", {name}, 0, {len(words) - 1});\n'

    return replace_contents(verilog, write), files
