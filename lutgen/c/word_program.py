"""A network as straight-line C on words, whose bits are those of many pixels.

`lutgen.model.bitslice` makes few operations of the truth tables.  Each becomes a line of C, so that
a compiler keeps values in registers, and no index is read while a network is computed.  Functions
have a bounded number of lines, as compilers take more time for each line of a long one.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lutgen.model.bitslice import compile_program
from lutgen.model.netlist import Netlist

__all__ = ["WordProgram", "word_program"]

_SIGNS = {np.bitwise_and: "&", np.bitwise_or: "|", np.bitwise_xor: "^"}
_LINES = 1000
_ZEROS, _ONES = 0, 1


class WordProgram(NamedTuple):
    """Functions that fill in an array ``word``: 0 is zeros, 1 ones, then come the inputs."""

    inputs: list[tuple[int, int]]  #: Feature and threshold, in this order, of words from 2 on.
    functions: list[str]  #: Bodies, to be called one after the other.
    words: int
    outputs: list[int]  #: Words of the outputs.


def word_program(net: Netlist, outputs: Sequence[int]) -> WordProgram:
    """The program of the part of a network that these signals need."""
    program = compile_program(
        net.inputs.tolist(), net.fanin.tolist(), net.tables.tolist(), list(outputs)
    )
    inputs = sorted({(a, b) for operation, _, a, b in program.steps if operation is None})
    value = {_ZEROS: _ZEROS, _ONES: _ONES}  # what a register holds: a word, or a result
    first = 2 + len(inputs)
    operations: list[tuple[str, int, int]] = []
    for operation, register, a, b in program.steps:
        if operation is None:
            value[register] = 2 + inputs.index((a, b))
        else:
            operations.append((_SIGNS[operation], value[a], value[b]))
            value[register] = first + len(operations) - 1
    wanted = [value[register] for register in program.outputs]
    place = _places(operations, first, wanted)
    functions = [
        _body(first + start, operations[start : start + _LINES], place)
        for start in range(0, len(operations), _LINES)
    ]
    return WordProgram(inputs, functions, first + len(place), [place.get(v, v) for v in wanted])


def _places(operations, first: int, wanted: list[int]) -> dict[int, int]:
    """Words of results that are outputs, or that a later function needs."""
    kept = {v for v in wanted if v >= first}
    for k, (_, *sources) in enumerate(operations):
        kept.update(v for v in sources if v >= first and (v - first) // _LINES < k // _LINES)
    return {v: first + k for k, v in enumerate(sorted(kept))}


def _body(begin: int, operations, place: dict[int, int]) -> str:
    """The lines of the operations from result ``begin`` on."""

    def name(value: int) -> str:
        return f"v{value}" if value >= begin else f"word[{place.get(value, value)}]"

    lines = []
    for value, (sign, a, b) in enumerate(operations, start=begin):
        inverted = sign == "^" and _ONES in (a, b)
        right = f"~{name(a if b == _ONES else b)}" if inverted else f"{name(a)} {sign} {name(b)}"
        lines.append(f"    const uint64_t v{value} = {right};")
    lines += [
        f"    word[{place[value]}] = v{value};"
        for value in range(begin, begin + len(operations)) if value in place
    ]  # fmt: skip
    return "\n".join(lines)
