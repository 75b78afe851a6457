"""Trees and comparisons in the Verilog of a core of profile ``predictive``, read back.

What is asked of features, which answers lead to which leaf, and the tables of LUT trees are
constants in the text; registers have names that say what they are (`lutgen.gateware.prediction`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.trees import NEVER, PINS, LutTrees
from lutgen.sim.check.build_tables import CompareLuts

__all__ = ["tree_luts"]

_ASSIGN = re.compile(r"^ *assign (\w+) = ([^;]+);", re.M)
_REGISTER = re.compile(r"^ +(\w+) <= ([^;]+);", re.M)
_QUESTION = re.compile(r"f(\d+)_above_(\d+)(?:_\d+)?")
_ABOVE = re.compile(r".+ > \d+'h([0-9a-f]+)")
_LUT = re.compile(r"\d+'h([0-9a-f]+) >> (.+)")
_CONSTANT = re.compile(r"(\d+)'h([0-9a-f]+)")
_LEAVES = re.compile(r"leaves\[(\d+)(?::(\d+))?\]")

#: A feature, a threshold, and whether it is above.
Answer = tuple[int, int, bool]


def tree_luts(model: PredictiveModel) -> CompareLuts:
    """Compares trees of a model, for `.build_tables.compare_tables`."""
    return partial(_compare, model)


def _compare(model: PredictiveModel, file: str, path: str, body: str) -> tuple[int, list[str]]:
    if not path.endswith(".prediction"):
        return 0, []
    text = _Text(body)
    count, problems = 0, [*text.wrong_questions(), *_wrong_leaves(text, model.predictor)]
    for name, trees in (("correction", model.corrections), ("scales", model.scales)):
        for tree in range(len(trees)):
            count += trees.bits(tree)
            problems += _wrong_tree(text, f"{name}_{tree}", trees, tree)
    asked = {(f, t) for f, t in _questions(model) if t < NEVER}
    found = {question for question in text.questions}
    problems += [
        f"it does not ask whether feature {f} is above {t}" for f, t in sorted(asked - found)
    ]
    return count + len(asked), [f"{file}: {problem} in {path}" for problem in problems]


def _questions(model: PredictiveModel) -> Iterator[tuple[int, int]]:
    """Features and thresholds of all trees."""
    for part in (model.predictor, model.corrections, model.scales):
        yield from zip(
            part.feature.ravel().tolist(), part.threshold.ravel().tolist(), strict=True
        )


class _Text:
    """Signals of a module."""

    def __init__(self, body: str) -> None:
        self._wires = dict(_ASSIGN.findall(body))
        self.registers = dict(_REGISTER.findall(body))
        self.questions: dict[tuple[int, int], str] = {}
        for name in self.registers:
            if match := _QUESTION.fullmatch(name):
                self.questions.setdefault((int(match[1]), int(match[2])), name)

    def value(self, expression: str) -> str:
        """The expression of a wire, or the expression itself."""
        return self._wires.get(expression, expression)

    def parts(self, expression: str) -> list[str]:
        """Parts of a concatenation, the lowest first; constants bit by bit."""
        found: list[str] = []
        for part in reversed(expression.strip("{} ").split(",")):
            if constant := _CONSTANT.fullmatch(part.strip()):
                value = int(constant[2], 16)
                found += [f"{value >> bit & 1}" for bit in range(int(constant[1]))]
            else:
                found.append(part.strip())
        return found

    def answer(self, expression: str) -> Answer | None:
        """What a register of an answer, or its inverse, says; None if it is something else."""
        value = self.value(expression)
        above = not value.startswith("~ ")
        match = _QUESTION.fullmatch(value.removeprefix("~ "))
        return (int(match[1]), int(match[2]), above) if match else None

    def wrong_questions(self) -> Iterator[str]:
        """Registers of answers to another question than their name says."""
        for name, expression in self.registers.items():
            match = _QUESTION.fullmatch(name)
            if match is None:
                continue
            wanted = int(match[1]), int(match[2])
            value = self.value(expression)
            if (answer := self.answer(value)) is not None:
                if answer != (*wanted, True):
                    yield f"{name} is that of {value}"
            elif (above := _ABOVE.fullmatch(value)) is None or int(above[1], 16) != wanted[1]:
                yield f"{name} must compare with {wanted[1]:#x}, not be {value}"


def _wrong_tree(text: _Text, name: str, trees: LutTrees, tree: int) -> Iterator[str]:
    """Bits of a LUT tree that have another table, or ask something else."""
    wanted = [
        (int(feature), int(threshold), True) if threshold < NEVER else None
        for feature, threshold in zip(trees.feature[tree], trees.threshold[tree], strict=True)
    ]
    bits = text.parts(text.registers.get(name, ""))
    if len(bits) != trees.bits(tree):
        yield f"{name} must be of {trees.bits(tree)} LUTs, not {len(bits)}"
        return
    for bit, wire in enumerate(bits):
        lut = _LUT.fullmatch(text.value(wire))
        table = sum((int(v) >> bit & 1) << k for k, v in enumerate(trees.values[tree]))
        if lut is None or int(lut[1], 16) != table:
            yield f"LUT {bit} of {name} must be {table:016x}, not {text.value(wire)[:40]}"
            continue
        pins = [text.answer(pin) for pin in text.parts(lut[2])]
        if pins + [None] * (PINS - len(pins)) != wanted:
            yield f"LUT {bit} of {name} asks other questions"


def _wrong_leaves(text: _Text, predictor: Predictor) -> Iterator[str]:
    """Leaves that other answers lead to, and bits of their number."""
    if predictor.leaves == 1:
        return
    lines = text.parts(text.registers.get("leaves", ""))
    wanted = dict(_ways(predictor))
    if len(lines) != len(wanted):
        yield f"leaves must be {len(wanted)}, not {len(lines)}"
        return
    for leaf, line in enumerate(lines):
        value = text.value(line)
        found = {text.answer(part) for part in text.parts(value.removeprefix("&"))}
        if not value.startswith("&") or found != wanted[leaf]:
            yield f"other answers lead to leaf {leaf}"
    for bit, wire in enumerate(text.parts(text.registers.get("leaf", ""))):
        value = text.value(wire)
        ones = {
            k for high, low in _LEAVES.findall(value)
            for k in range(int(low or high), int(high) + 1)
        }  # fmt: skip
        if ones != {leaf for leaf in range(len(lines)) if leaf >> bit & 1}:
            yield f"bit {bit} of the leaf's number is of other leaves"


def _ways(predictor: Predictor) -> Iterator[tuple[int, set[Answer]]]:
    """Each leaf, and the answers that lead to it."""
    todo: list[tuple[int, set[Answer]]] = [(0, set())]
    while todo:
        node, answers = todo.pop()
        if node < 0:
            yield -1 - node, answers
            continue
        question = int(predictor.feature[node]), int(predictor.threshold[node])
        for above in (False, True):
            todo.append((int(predictor.child[node, int(above)]), answers | {(*question, above)}))
