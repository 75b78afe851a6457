"""Sums of LUT trees: one LUT6 for each bit of a tree's numbers, see
:mod:`lutgen.model.predictive.trees`.

Trees that ask nothing about the first prediction are read and added up while it is computed: so
two sums wait for it, and not all of their answers.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Value, signed

from lutgen.model.predictive.trees import NEVER, PINS, LutTrees

from ..fabric.timeline import Timed, Timeline
from .features import Comparisons

__all__ = ["add_tree_sum", "look_up"]


def look_up(values: Sequence[int], bits: int, address: Value) -> Value:
    """A table of 64 numbers of so many bits in two's complement, each bit a function of six."""
    planes = []
    for bit in range(bits):
        column = sum((int(value) >> bit & 1) << k for k, value in enumerate(values))
        planes.append(Const(column, 1 << PINS).bit_select(address, 1))
    return Cat(planes)


def _value(line: Timeline, name: str, trees: LutTrees, tree: int, answers: list[Timed]) -> Timed:
    clock = line.ready(*answers) if answers else 0
    pins = iter(answers)
    address = Cat(
        next(pins).at(clock) if trees.threshold[tree, pin] < NEVER else Const(0, 1)
        for pin in range(PINS)
    )
    bits = trees.bits(tree)
    return line.register(
        f"{name}_{tree}", look_up(trees.values[tree], bits, address).as_signed(), clock,
        signed(bits),
    )  # fmt: skip


def add_tree_sum(line: Timeline, name: str, trees: LutTrees, comparisons: Comparisons) -> Timed:
    """Add all trees of a network and their sum; 0 if there are none."""
    values: dict[bool, list[Timed]] = {False: [], True: []}
    for tree in range(len(trees)):
        asked = [
            (int(feature), int(threshold))
            for feature, threshold in zip(trees.feature[tree], trees.threshold[tree], strict=True)
            if threshold < NEVER
        ]
        late = any(comparisons.late(feature) for feature, _ in asked)
        answers = [comparisons.above(*question) for question in asked]
        values[late].append(_value(line, name, trees, tree, answers))
    early, late = values[False], values[True]
    parts = []
    if early:
        parts.append(line.sum(f"{name}_early", early))
    total = [*parts, *late]
    if not total:
        return line.given(name, Const(0, signed(1)))
    return line.sum(name, total)
