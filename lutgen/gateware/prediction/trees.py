"""Sums of LUT trees: one LUT6 for each bit of a tree's numbers, see
:mod:`lutgen.model.predictive.trees`.

All but one tree have the least of their numbers subtracted, which the one has added instead:
unsigned numbers have fewer bits, and so have their sums.
"""

from collections.abc import Sequence

import numpy as np
from amaranth.hdl import Cat, Const, Shape, Value

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


def _value(
    line: Timeline, name: str, values: Sequence[int], thresholds: Sequence[int],
    answers: list[Timed],
) -> Timed:  # fmt: skip
    """A tree's number, one of so many values."""
    clock = line.ready(*answers) if answers else 0
    pins = iter(answers)
    address = Cat(
        next(pins).at(clock) if threshold < NEVER else Const(0, 1) for threshold in thresholds
    )
    shape = Shape.cast(range(min(values), max(values) + 1))
    number = look_up(values, shape.width, address)
    return line.register(name, number.as_signed() if shape.signed else number, clock, shape)


def add_tree_sum(line: Timeline, name: str, trees: LutTrees, comparisons: Comparisons) -> Timed:
    """Add all trees of a network and their sum; 0 if there are none."""
    least = trees.values.min(axis=1).astype(int)
    varied = np.flatnonzero(trees.values.max(axis=1) > least).tolist()
    if not varied:
        return line.given(name, Const(int(least.sum()), 16).as_signed())
    found = []
    for tree in varied:
        questions = [
            (int(feature), int(threshold))
            for feature, threshold in zip(trees.feature[tree], trees.threshold[tree], strict=True)
        ]
        asked = [question for question in questions if question[1] < NEVER]
        # The last one, which is added last, has the rest.
        added = -least[tree] + (least.sum() if tree == varied[-1] else 0)
        found.append(_value(
            line, f"{name}_{tree}", (trees.values[tree] + added).tolist(),
            [threshold for _, threshold in questions],
            [comparisons.above(*question) for question in asked],
        ))  # fmt: skip
    return line.sum(name, found)
