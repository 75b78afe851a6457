"""Trees and comparisons in the Verilog of a core of profile ``predictive``, read back.

What is asked of features, which answers lead to which leaf, and the tables of LUT trees are logic
in the text, between registers that have names which say what they are
(`lutgen.gateware.prediction`).  It is evaluated, and compared with what the model says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial

import numpy as np
from amaranth.hdl import Shape

from lutgen.gateware.prediction.features import questions, twins
from lutgen.gateware.prediction.leaves import leaf_addresses, leaf_at
from lutgen.gateware.prediction.normaliser import Span
from lutgen.gateware.prediction.plane_models import PlaneModels
from lutgen.model.predictive.features import FEATURE_BITS, Feature
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.trees import NEVER, PINS, LutTrees
from lutgen.sim.check.build_tables import CompareLuts
from lutgen.sim.check.logic_text import Logic, LogicError, every_case, look_up

__all__ = ["plane_questions", "tree_luts"]

_ASSIGN = re.compile(r"^ *assign (\w+) = ([^;]+);", re.M)
_REGISTER = re.compile(r"^ +(\w+) <= ([^;]+);", re.M)
_QUESTION = re.compile(r"f(\d+)_above_(\d+)(?:_(\d+))?")
_BIT = re.compile(r"(\w+?)(?:\[(\d+)\])?")
#: What comparisons look at, but for the clock that a register is of.
_PART = re.compile(r"f(\d+)_(low|beyond|rest|sign)")
_SPECIAL = ("mantissa", "shift", "first", "changes")
_CLOCK = re.compile(r"_\d+$")
#: Bits of the logarithm's mantissa, of which the lowest is not looked at.
_MANTISSA = 4
_MIDDLE = 1 << (FEATURE_BITS - 1)
#: Cases in which trees are walked, and inputs of a comparison at most.
_WALKS, _MOST = 1 << 12, 14
_SEED = 0

#: A feature and a threshold.
Question = tuple[int, int]


def tree_luts(model: PredictiveModel) -> CompareLuts:
    """Compares trees of a model, for `.build_tables.compare_tables`."""
    return partial(_compare, model)


def _compare(model: PredictiveModel, file: str, path: str, body: str) -> tuple[int, list[str]]:
    if not path.endswith(".prediction"):
        return 0, []
    text, asked = _Text(body), _Comparisons(model.features, questions(model))
    count, problems = 0, [*_wrong_questions(text, asked), *_wrong_leaves(text, model.predictor)]
    for name, trees in (("correction", model.corrections), ("scales", model.scales)):
        for tree, values in _numbers(trees).items():
            count += trees.bits(tree)
            problems += _wrong_tree(text, f"{name}_{tree}", trees, tree, values)
    wanted, missing = _missing(text, questions(model))
    return count + wanted, [f"{file}: {p} in {path}" for p in (*problems, *missing)]


def _missing(text: _Text, asked: Mapping[int, set[int]]) -> tuple[int, list[str]]:
    """How many questions must be asked, and those that are not."""
    wanted = {(f, t) for f, thresholds in asked.items() for t in thresholds}
    return len(wanted), [
        f"it does not ask whether feature {f} is above {t}"
        for f, t in sorted(wanted - text.questions)
    ]


def plane_questions(planes: PlaneModels) -> CompareLuts:
    """Compares the questions of the models of several planes; which leaf and which number of a tree
    their answers choose is not looked at."""
    return partial(_compare_questions, planes)


def _compare_questions(
    planes: PlaneModels, file: str, path: str, body: str
) -> tuple[int, list[str]]:
    if not path.endswith(".prediction"):
        return 0, []
    text, asked = _Text(body), _Comparisons(planes.features, planes.questions)
    count, missing = _missing(text, planes.questions)
    problems = [*_wrong_questions(text, asked), *missing]
    return count, [f"{file}: {problem} in {path}" for problem in problems]


class _Text:
    """Signals of a module."""

    def __init__(self, body: str) -> None:
        self.wires = dict(_ASSIGN.findall(body))
        self._body = body
        self.registers = dict(_REGISTER.findall(body))

    @cached_property
    def questions(self) -> set[Question]:
        """What registers of answers are called after."""
        found = map(_QUESTION.fullmatch, self.registers)
        return {(int(match[1]), int(match[2])) for match in found if match}

    def width(self, register: str) -> int:
        """Bits of a register."""
        found = re.search(rf"^ *reg \[(\d+):0\] {register}\b", self._body, re.M)
        return int(found[1]) + 1 if found else 1

    def parts(self, register: str) -> list[str]:
        """Bits of what a register takes, the lowest first."""
        text = self.registers.get(register, "")
        text = self.wires.get(text, text) if "{" in self.wires.get(text, "") else text
        if text in self.registers and (count := self.width(text)) > 1:
            return [f"{text}[{k}]" for k in range(count)]  # all of another register
        return [part.strip() for part in reversed(text.strip("{} ").split(","))]


def _question(name: str) -> Question | None:
    """What a register of an answer is of; None if it is another one."""
    match = _QUESTION.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


# Comparisons.


class _Comparisons:
    """What a model compares its features with, as a core does it."""

    def __init__(self, features: Sequence[Feature], asked: Mapping[int, set[int]]) -> None:
        self.features, self._asked = features, asked
        self._twins = twins(features, asked)
        self._spans: dict[int, Span] = {}

    def knows(self, question: Question) -> bool:
        """Whether the model asks it."""
        return question[1] in self._asked.get(question[0], ())

    def twin(self, number: int) -> int | None:
        """The feature whose size a feature with a sign is made of."""
        return self._twins.get(number)

    def _span(self, number: int) -> Span:
        if number not in self._spans:
            self._spans[number] = Span.of(self._cuts(number))
        return self._spans[number]

    def _cuts(self, number: int) -> set[int]:
        added = 0 if self.features[number].absolute else _MIDDLE
        cuts = {threshold + 1 - added for threshold in self._asked[number]}
        for other, twin in self._twins.items():
            for cut in self._cuts(other) if twin == number else ():
                cuts |= {cut} if cut > 0 else {-cut, 1 - cut} if cut else set()
        return cuts

    def above(self, question: Question, inputs: Mapping[str, int], depth: int) -> bool:
        """Whether a feature is above a threshold.

        Parameters
        ----------
        question :
            Both.
        inputs :
            Bits that are looked at: those of ``low``, ``mantissa`` and so on by number.
        depth :
            Bits of ``first``, which the level is taken from.
        """
        number, threshold = question
        feature, cut = self.features[number], threshold + 1
        if feature.special:
            return self._special(inputs, depth) >= cut
        twin = self._twins.get(number)
        span = self._span(number if twin is None else twin)
        low = sum(bit << int(name[4:-1]) for name, bit in inputs.items() if name[:4] == "low[")
        size = (1 << 30) if inputs.get("beyond") else low << span.low
        sign = inputs.get("sign", 0)
        if feature.absolute:
            return size >= cut
        cut -= _MIDDLE
        if cut == 0:
            return not sign
        if twin is not None:  # a size and its sign; a negative one is less by what was shifted out
            return 2 * size + inputs.get("rest", 0) <= -2 * cut if sign else size >= cut
        if not sign:
            return size >= cut
        if inputs.get("beyond"):
            return False
        return (low - (1 << span.bits)) << span.low >= cut

    @staticmethod
    def _special(inputs: Mapping[str, int], depth: int) -> int:
        """The value of a feature that is no sum."""
        first = {"mantissa": -1, "shift": _MANTISSA - 1, "first": 7 - depth, "changes": 0}
        value = 0
        for name, bit in inputs.items():
            signal, number = name[:-1].split("[")
            value += bit << first[signal] + int(number)
        return value


def _input(name: str, number: int, twin: int | None) -> str:
    """What a comparison of a feature calls its input; LogicError if it must not look at it."""
    signal, bit = _BIT.fullmatch(name).groups()
    for known in (signal, _CLOCK.sub("", signal)):
        if known in _SPECIAL:
            return f"{known}[{bit or 0}]"
        if known.startswith(f"f{number}_above_") and known.endswith("_sign"):
            return "sign"  # of a size that two features share
        match = _PART.fullmatch(known)
        if match and int(match[1]) == (number if twin is None else twin):
            return f"low[{bit or 0}]" if match[2] == "low" else match[2]
    raise LogicError(f"it must not look at {name}")


def _wrong_questions(text: _Text, asked: _Comparisons) -> Iterator[str]:
    """Registers of answers to another question than their name says."""
    level = text.width("first")
    for name, expression in text.registers.items():
        question = _question(name)
        if question is None:
            continue
        value = text.wires.get(expression, expression)
        if (answer := _question(value)) is not None:
            if answer != question:
                yield f"{name} is that of {value}"
        elif not asked.knows(question):
            yield f"{name} is a question that nobody asks"
        else:
            try:
                wrong = _wrong_comparison(text, asked, question, expression, level)
            except LogicError as error:
                yield f"{name}: {error}"
            else:
                if wrong:
                    yield f"{name} must compare with {question[1]:#x}"


def _wrong_comparison(
    text: _Text, asked: _Comparisons, question: Question, expression: str, level: int
) -> bool:
    """Whether a comparison's logic says anything else than it must, for any of its inputs."""
    names: list[str] = []

    def note(name: str) -> int:
        names.append(name)
        return 0

    Logic(text.wires, 1, note).value(expression)
    names = list(dict.fromkeys(names))
    if len(names) > _MOST:
        raise LogicError(f"it looks at {len(names)} bits")
    inputs = [_input(name, question[0], asked.twin(question[0])) for name in names]
    lanes = dict(zip(names, every_case(len(names)), strict=True))
    found = Logic(text.wires, 1 << len(names), lanes.__getitem__).value(expression)
    return any(
        (found >> case & 1) != asked.above(
            question, {name: case >> k & 1 for k, name in enumerate(inputs)}, level
        )
        for case in range(1 << len(names))
    )  # fmt: skip


# Trees.


def _numbers(trees: LutTrees) -> dict[int, np.ndarray]:
    """What each tree gives whose leaves differ.

    The least is left out of all, and added to the last.
    """
    least = trees.values.min(axis=1).astype(int)
    varied = np.flatnonzero(trees.values.max(axis=1) > least).tolist()
    return {
        tree: trees.values[tree].astype(int) - least[tree]
        + (least.sum() if tree == varied[-1] else 0)
        for tree in varied
    }  # fmt: skip


def _wrong_tree(
    text: _Text, name: str, trees: LutTrees, tree: int, values: np.ndarray
) -> Iterator[str]:
    """Bits of a LUT tree that have another table, or ask something else."""
    bits = Shape.cast(range(int(values.min()), int(values.max()) + 1)).width
    parts = text.parts(name)
    if len(parts) != bits:
        yield f"{name} must be of {bits} bits, not {len(parts)}"
        return
    lanes: dict[Question, int] = {}
    pins = []
    for feature, threshold, case in zip(
        trees.feature[tree].tolist(), trees.threshold[tree].tolist(), every_case(PINS), strict=True
    ):
        pins.append(lanes.setdefault((feature, threshold), case) if threshold < NEVER else 0)
    every = (1 << (1 << PINS)) - 1
    logic = Logic(text.wires, 1 << PINS, partial(_lane, lanes))
    for bit, part in enumerate(parts):
        table = sum((int(v) >> bit & 1) << k for k, v in enumerate(values))
        try:
            right = logic.value(part) == look_up(table, pins, every)
        except LogicError as error:
            yield f"bit {bit} of {name}: {error}"
        else:
            if not right:
                yield f"bit {bit} of {name} must be {table:016x} of what the tree asks"


def _lane(lanes: Mapping[Question, int], name: str) -> int:
    """Cases in which a register of an answer says yes."""
    question = _question(name)
    if question not in lanes:
        raise LogicError(f"it must not look at {name}")
    return lanes[question]


def _wrong_leaves(text: _Text, predictor: Predictor) -> Iterator[str]:
    """Answers that lead to an address of another leaf."""
    if predictor.leaves == 1:
        return
    rng = np.random.default_rng(_SEED)
    asked = list(zip(predictor.feature.tolist(), predictor.threshold.tolist(), strict=True))
    answers = {question: rng.integers(2, size=_WALKS) for question in dict.fromkeys(asked)}
    lanes = {
        question: int("".join(map(str, column[::-1])), 2) for question, column in answers.items()
    }

    def source(name: str) -> int:
        signal, bit = _BIT.fullmatch(name).groups()
        if signal.startswith("leaf_below_"):
            return logic.value(text.parts(signal)[int(bit or 0)])
        return _lane(lanes, name)

    logic = Logic(text.wires, _WALKS, source)
    try:
        bits = [logic.value(part) for part in text.parts("leaf")]
    except LogicError as error:
        yield f"the leaf's address: {error}"
        return
    addresses = leaf_addresses(predictor)
    for case in range(_WALKS):
        node = 0
        while node >= 0:
            node = int(predictor.child[node, answers[asked[node]][case]])
        address = sum((lane >> case & 1) << k for k, lane in enumerate(bits))
        if leaf_at(addresses, address) != -1 - node:
            yield f"answers that lead to leaf {-1 - node} give address {address}"
            return
