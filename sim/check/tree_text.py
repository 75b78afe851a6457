"""Trees and comparisons in the Verilog of a core of profile ``predictive``, read back.

What is asked of features, which answers lead to which leaf, the tables of LUT trees, and constants
that a sample's plane chooses are logic in the text, between registers that have names which say
what they are (`lutgen.gateware.prediction`).  It is evaluated, and compared with what the model
says.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from amaranth.hdl import Shape

from lutgen.gateware.prediction.colour_predictor import plane_addresses
from lutgen.gateware.prediction.features import twins
from lutgen.gateware.prediction.leaves import leaf_addresses, leaf_at
from lutgen.gateware.prediction.normaliser import Span
from lutgen.gateware.prediction.plane_models import PlaneModels
from lutgen.gateware.prediction.quantities import Context, legal
from lutgen.gateware.prediction.target import LEAST_LOGARITHM
from lutgen.model.predictive.features import FEATURE_BITS, Feature
from lutgen.model.predictive.model import SCALE_STEP
from lutgen.model.predictive.trees import NEVER, PINS, LutTrees
from lutgen.sim.check.build_tables import CompareLuts
from lutgen.sim.check.logic_text import Logic, LogicError, every_case, look_up

__all__ = ["tree_luts"]

_ASSIGN = re.compile(r"^ *assign (\w+) = ([^;]+);", re.M)
_REGISTER = re.compile(r"^ +(\w+) <= ([^;]+);", re.M)
_QUESTION = re.compile(r"f(\d+)_above_(\d+)(?:_(\d+))?")
_WIDTH = re.compile(r"^ *reg \[(\d+):0\] (\w+)\b", re.M)
_BIT = re.compile(r"(\w+?)(?:\[(\d+)\])?")
#: What comparisons look at, but for the clock that a register is of.
_PART = re.compile(r"f(\d+)_(low|beyond|rest|sign)")
_BELOW = re.compile(r"leaf_(?:\d+_)?below_\d+")
_SPECIAL = ("mantissa", "shift", "first", "changes")
_CLOCK = re.compile(r"_\d+$")
#: Bits of the logarithm's mantissa, of which the lowest is not looked at.
_MANTISSA = 4
_MIDDLE = 1 << (FEATURE_BITS - 1)
#: Networks of LUT trees, with what a register is called that has a tree of a single model.
_NETWORKS = {"corrections": "correction", "scales": "scales"}
#: Cases in which trees are walked, and inputs of a comparison at most.
_WALKS, _MOST = 1 << 12, 14
#: How often each case of a LUT tree comes with other answers to what other planes' trees ask.
_TIMES = 4
_SEED = 0

#: A feature and a threshold.
Question = tuple[int, int]


def tree_luts(planes: PlaneModels) -> CompareLuts:
    """Compares trees of the models of an image's planes, for `.build_tables.compare_tables`."""
    return partial(_compare, planes)


def _compare(planes: PlaneModels, file: str, path: str, body: str) -> tuple[int, list[str]]:
    if not path.endswith(".prediction"):
        return 0, []
    text, asked = _Text(body), _Comparisons(planes.features, planes.questions)
    wanted = {(f, t) for f, thresholds in planes.questions.items() for t in thresholds}
    count, problems = len(wanted), [
        *_wrong_questions(text, asked), *_wrong_leaves(text, planes),
        *_wrong_constants(text, planes),
    ]  # fmt: skip
    for name in _NETWORKS:
        networks = [getattr(model, name) for model in planes.models]
        registers, wrong = _registers(text, name, networks)
        problems += wrong
        for register in registers:
            count += register.bits
            problems += _wrong_trees(text, planes, register)
    problems += [
        f"it does not ask whether feature {f} is above {t}"
        for f, t in sorted(wanted - text.questions)
    ]
    return count, [f"{file}: {problem} in {path}" for problem in problems]


class _Text:
    """Signals of a module."""

    def __init__(self, body: str) -> None:
        self.wires: dict[str, str] = dict(_ASSIGN.findall(body))
        self.registers: dict[str, str] = dict(_REGISTER.findall(body))
        self._widths = {name: int(last) + 1 for last, name in _WIDTH.findall(body)}

    @cached_property
    def questions(self) -> set[Question]:
        """What registers of answers are called after."""
        found = map(_QUESTION.fullmatch, self.registers)
        return {(int(match[1]), int(match[2])) for match in found if match}

    def width(self, register: str) -> int:
        """Bits of a register."""
        return self._widths.get(register, 1)

    def word(self, register: str, logic: Logic) -> list[int]:
        """Bits of what a register takes."""
        if register not in self.registers:
            raise LogicError("there must be such a register")
        return logic.word(self.registers[register])


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


def _bit_of(name: str) -> tuple[str, str | None]:
    """A signal and the number of its bit; LogicError if it is no name of that form."""
    if (match := _BIT.fullmatch(name)) is None:
        raise LogicError(f"{name} must be a signal, or one of its bits")
    return match[1], match[2]


def _input(name: str, number: int, twin: int | None) -> str:
    """What a comparison of a feature calls its input; LogicError if it must not look at it."""
    signal, bit = _bit_of(name)
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


@dataclass(frozen=True)
class _Register:
    """A register of a LUT tree of each plane.

    Attributes
    ----------
    name:
        What it is called.
    networks, trees:
        Networks of the planes, and the tree of each; None where a plane has fewer trees.
    last:
        Whether it is the last of its sum, which has the least numbers of all.
    """

    name: str
    networks: Sequence[LutTrees]
    trees: tuple[int | None, ...]
    last: bool

    def values(self, plane: int) -> np.ndarray:
        """The numbers of a plane's tree: int (64,)."""
        every, tree = self.networks[plane].values.astype(int), self.trees[plane]
        own = np.zeros(1 << PINS, int) if tree is None else every[tree] - every[tree].min()
        return own + self.last * int(every.min(axis=1).sum())

    @property
    def bits(self) -> int:
        """Bits of all these numbers."""
        values = np.concatenate([self.values(plane) for plane in range(len(self.trees))])
        return Shape.cast(range(int(values.min()), int(values.max()) + 1)).width

    def questions(self, planes: PlaneModels, plane: int) -> list[Question]:
        """What the pins of a plane's tree ask."""
        trees, tree = self.networks[plane], self.trees[plane]
        if tree is None:
            return []
        return [
            (planes.number(plane, feature), threshold) for feature, threshold in
            zip(trees.feature[tree].tolist(), trees.threshold[tree].tolist(), strict=True)
        ]  # fmt: skip


def _varied(trees: LutTrees) -> list[int]:
    """Trees whose leaves differ: others are no logic."""
    return np.flatnonzero(np.ptp(trees.values.astype(int), axis=1)).tolist()


def _registers(
    text: _Text, name: str, networks: Sequence[LutTrees]
) -> tuple[list[_Register], list[str]]:
    """Registers of the trees of a network of all planes, and what is wrong with their names."""
    varied = [_varied(trees) for trees in networks]
    if len(networks) == 1:
        (trees,) = varied
        return [
            _Register(f"{_NETWORKS[name]}_{tree}", networks, (tree,), tree == trees[-1])
            for tree in trees
        ], []  # fmt: skip
    pattern = re.compile(rf"{name}_(\d+)_of((?:_\d+|_none){{{len(networks)}}})")
    found = sorted(
        (int(match[1]), match[0], tuple(
            None if place == "none" else int(place) for place in match[2].split("_")[1:]
        ))
        for match in map(pattern.fullmatch, text.registers) if match
    )  # fmt: skip
    problems = []
    for plane, wanted in enumerate(varied):
        places = (part[plane] for _, _, part in found)
        trees = sorted(place for place in places if place is not None)
        if trees != wanted:
            problems.append(f"trees of {name} of plane {plane} must be {wanted}, not {trees}")
    return [] if problems else [
        _Register(register, networks, part, register == found[-1][1])
        for _, register, part in found
    ], problems  # fmt: skip


def _wrong_trees(text: _Text, planes: PlaneModels, register: _Register) -> Iterator[str]:
    """Bits of LUT trees that have another table, or ask something else."""
    count = len(planes.models)
    times = _TIMES if count > 1 else 1
    cases = times << PINS
    repeat = sum(1 << (k << PINS) for k in range(times))
    rng = random.Random(_SEED)
    asked = {
        question for plane in range(count) for question in register.questions(planes, plane)
        if question[1] < NEVER
    }  # fmt: skip
    for plane in range(count):
        lanes: dict[Question, int] = {}
        pins = []
        for question, case in zip(
            register.questions(planes, plane), every_case(PINS), strict=False
        ):
            pins.append(
                lanes.setdefault(question, case * repeat) if question[1] < NEVER else 0
            )
        others = {question: rng.getrandbits(cases) for question in sorted(asked - {*lanes})}
        logic = Logic(
            text.wires, cases, partial(_answer, lanes | others, plane, (1 << cases) - 1),
            text.width,
        )  # fmt: skip
        of_plane = f" of plane {plane}" if count > 1 else ""
        try:
            found = text.word(register.name, logic)
        except LogicError as error:
            yield f"{register.name}{of_plane}: {error}"
            continue
        if len(found) != register.bits:
            yield f"{register.name} must be of {register.bits} bits, not {len(found)}"
            return
        values = register.values(plane).tolist()
        for bit, given in enumerate(found):
            table = sum((value >> bit & 1) << k for k, value in enumerate(values))
            right = look_up(table, pins, (1 << cases) - 1) if pins else repeat * table
            if given != right:
                yield (
                    f"bit {bit} of {register.name}{of_plane} must be {table:016x} of what the "
                    "tree asks"
                )


def _answer(lanes: Mapping[Question, int], plane: int, every: int, name: str) -> int:
    """Cases in which a register of an answer says yes, or one of the plane's number has a one."""
    signal, bit = _bit_of(name)
    if _CLOCK.sub("", signal) == "number":
        return every if plane >> int(bit or 0) & 1 else 0
    question = _question(name)
    if question is None or question not in lanes:
        raise LogicError(f"it must not look at {name}")
    return lanes[question]


def _wrong_leaves(text: _Text, planes: PlaneModels) -> Iterator[str]:
    """Answers that lead to an address of another leaf."""
    predictors = [model.predictor for model in planes.models]
    if all(predictor.leaves == 1 for predictor in predictors):
        return
    if len(predictors) == 1:
        addresses = [leaf_addresses(predictors[0])]
    else:
        addresses, _ = plane_addresses(planes)
    rng = np.random.default_rng(_SEED)
    asked = [
        [(planes.number(plane, feature), threshold) for feature, threshold in
         zip(predictor.feature.tolist(), predictor.threshold.tolist(), strict=True)]
        for plane, predictor in enumerate(predictors)
    ]  # fmt: skip
    answers = {
        question: rng.integers(2, size=_WALKS)
        for question in dict.fromkeys(question for nodes in asked for question in nodes)
    }
    lanes = {
        question: int("".join(map(str, column[::-1])), 2) for question, column in answers.items()
    }
    for plane, (predictor, part) in enumerate(zip(predictors, addresses, strict=True)):
        of_plane = f" of plane {plane}" if len(predictors) > 1 else ""
        try:
            bits = _leaf_address(text, lanes, plane)
        except LogicError as error:
            yield f"the leaf's address{of_plane}: {error}"
            return
        for case in range(_WALKS):
            node = 0 if len(predictor.feature) else -1
            while node >= 0:
                node = int(predictor.child[node, answers[asked[plane][node]][case]])
            address = sum((lane >> case & 1) << k for k, lane in enumerate(bits[: part.bits]))
            if leaf_at(part, address) != -1 - node:
                yield (
                    f"answers that lead to leaf {-1 - node}{of_plane} give address {address}"
                )
                return


def _leaf_address(text: _Text, lanes: Mapping[Question, int], plane: int) -> list[int]:
    """Bits of the address of the leaf that answers lead to, a sample being of a plane."""
    def source(name: str) -> int:
        signal, bit = _bit_of(name)
        if _BELOW.fullmatch(signal):
            return text.word(signal, logic)[int(bit or 0)]
        return _answer(lanes, plane, (1 << _WALKS) - 1, name)

    logic = Logic(text.wires, _WALKS, source, text.width)
    return text.word("leaf", logic)


# Constants.


def _constants(planes: PlaneModels) -> dict[str, list[int]]:
    """What registers of constants hold for each plane."""
    models, scales = planes.models, [model.scale for model in planes.models]
    rows = [len(model.cumulative) for model in models]
    found = {
        "least": [scale.least for scale in scales],
        "origin": [SCALE_STEP * LEAST_LOGARITHM - model.origin for model in models],
        "last_class": [model.classes - 1 for model in models],
        "first_row": [sum(rows[:k]) for k in range(len(rows))],
    }
    for text in dict.fromkeys(text for scale in scales for text in scale.weights):
        weights = [scale.weights.get(text, 0) << Context.zeros(text) for scale in scales]
        found[f"weight_of_{legal(text)}"] = weights
    return found


def _wrong_constants(text: _Text, planes: PlaneModels) -> Iterator[str]:
    """Registers that hold another constant than that of the sample's plane.

    A constant that all planes have is in no register.
    """
    for name, values in _constants(planes).items():
        if len(set(values)) == 1:
            continue
        for plane, value in enumerate(values):
            logic = Logic(text.wires, 1, partial(_answer, {}, plane, 1), text.width)
            try:
                word = text.word(name, logic)
            except LogicError as error:
                yield f"{name} of plane {plane}: {error}"
                continue
            found, bits = sum(bit << k for k, bit in enumerate(word)), len(word)
            if found != value & (1 << bits) - 1 or abs(value) >> bits:
                yield f"{name} of plane {plane} must be {value}, not {found}"
