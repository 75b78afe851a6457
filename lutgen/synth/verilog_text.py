"""Contents of memories in Verilog text: replaced, or put into files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

__all__ = ["replace_contents", "split_memories"]

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
