"""A network as steps on words for the C code: runs of one operation, in few registers.

`lutgen.model.bitslice` makes few operations of the truth tables; here they are put into another
order.  A processor guesses well what comes next if the same comes again: so as many steps of one
operation as are possible follow one another.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lutgen.model.bitslice import compile_program
from lutgen.model.netlist import Netlist

__all__ = ["OPERATIONS", "WordProgram", "word_program"]

#: Operations by their numbers in the C code.
OPERATIONS = (np.bitwise_and, np.bitwise_or, np.bitwise_xor)


class WordProgram(NamedTuple):
    """Steps on registers: 0 is all zeros, 1 all ones, then come the inputs, then the others."""

    inputs: list[tuple[int, int]]  #: Feature and threshold, in this order, of registers from 2 on.
    runs: list[tuple[int, int]]  #: Operation and how many of the next steps are of it.
    steps: list[tuple[int, int, int]]  #: Register that is written, and two that are read.
    registers: int
    outputs: list[int]  #: Registers of the outputs.


def word_program(net: Netlist, outputs: Sequence[int]) -> WordProgram:
    """The program of the part of a network that these signals need."""
    program = compile_program(
        net.inputs.tolist(), net.fanin.tolist(), net.tables.tolist(), list(outputs)
    )
    inputs = sorted({(a, b) for operation, _, a, b in program.steps if operation is None})
    value = {0: 0, 1: 1}  # what a register holds: numbers of inputs, then of operations
    operations: list[tuple[int, int, int]] = []
    for operation, register, a, b in program.steps:
        if operation is None:
            value[register] = 2 + inputs.index((a, b))
        else:
            operations.append((OPERATIONS.index(operation), value[a], value[b]))
            value[register] = 1 + len(inputs) + len(operations)
    first = 2 + len(inputs)
    wanted = [value[register] for register in program.outputs]
    order = _runs(operations, first)
    steps, place, registers = _allocate(operations, order, first, wanted)
    runs: list[tuple[int, int]] = []
    for kind in (operations[k][0] for k in order):
        count = runs.pop()[1] if runs and runs[-1][0] == kind else 0
        runs.append((kind, count + 1))
    return WordProgram(inputs, runs, steps, registers, [place[v] for v in wanted])


def _runs(operations: list[tuple[int, int, int]], first: int) -> list[int]:
    """An order of the operations: of those that can be done, the kind that most of them are."""
    waits, users = [0] * len(operations), [[] for _ in operations]
    ready: tuple[list[int], ...] = tuple([] for _ in OPERATIONS)
    for k, (kind, *sources) in enumerate(operations):
        before = {source - first for source in sources if source >= first}
        waits[k] = len(before)
        for source in before:
            users[source].append(k)
        if not before:
            ready[kind].append(k)
    order: list[int] = []
    while any(ready):
        kind = max(range(len(ready)), key=lambda kind: len(ready[kind]))
        while ready[kind]:
            order.append(ready[kind].pop())
            for user in users[order[-1]]:
                waits[user] -= 1
                if not waits[user]:
                    ready[operations[user][0]].append(user)
    return order


def _allocate(operations, order: list[int], first: int, wanted: list[int]):
    """Steps in this order, register of each value, and how many there are; inputs keep theirs."""
    last = {}
    for at, k in enumerate(order):
        for source in operations[k][1:]:
            last[source] = at
    for output in wanted:
        last[output] = len(order)
    place = {value: value for value in range(first)}
    free: list[int] = []
    steps, registers = [], first
    for at, k in enumerate(order):
        _, a, b = operations[k]
        sources = place[a], place[b]
        free.extend(place[v] for v in {a, b} if v >= first and last[v] == at)
        if not free:
            free.append(registers)
            registers += 1
        place[first + k] = free.pop()
        steps.append((place[first + k], *sources))
    return steps, place, registers
