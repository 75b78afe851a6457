"""The prediction of profile ``predictive`` as a graph, written from the model.

It says what `lutgen.codec.predictive.kernel` says, in whole numbers that do not overflow, and knows
nothing of clocks, of shared sums and of memories that a core makes of them.  Of several planes,
each has a graph of its own (`.gold_plane`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from functools import reduce

import numpy as np

from lutgen.model.predictive import reference
from lutgen.model.predictive.features import LEAST_EXPONENT, OCTAVE, Feature
from lutgen.model.predictive.model import (
    CLASS_BITS,
    CORRECTION_BITS,
    SCALE_STEP,
    TABLES,
    PredictiveModel,
)
from lutgen.model.predictive.neighbourhood import (
    COUNTED,
    ENERGIES,
    ERRORS,
    FRACTION_BITS,
    MEDIAN,
    MOST_CHANGES,
    PREDICTION,
    SAMPLES,
    SHARP,
    TAPS,
    ZERO,
)
from lutgen.model.predictive.predictor import COEFFICIENT_BITS
from lutgen.model.predictive.reference import LETTERS
from lutgen.model.predictive.trees import NEVER, LutTrees
from lutgen.sim.proof.aig import FALSE, Aig
from lutgen.sim.proof.brackets import Brackets
from lutgen.sim.proof.gold import CUT, Gold, Port
from lutgen.sim.proof.gold_near import GoldNear, rounded
from lutgen.sim.proof.integers import Integer, Integers

__all__ = ["COEFFICIENT_WIDTH", "GoldPrediction", "is_sample"]

#: Bits of a coefficient.
COEFFICIENT_WIDTH = 9
_MANTISSA = 4
_LEVEL_BITS = 7
_CHANGES_BITS = 4
_SAMPLES = {MEDIAN, *SAMPLES, *(letter + name for letter in LETTERS for name in reference.SAMPLES)}


class GoldPrediction(Gold):
    """See `.gold.Gold`.

    The registers at which it is cut are those of the median, of the count of changes, of whether
    surroundings are plain, of the logarithm of S, of all answers, of the coefficients, and of the
    first prediction.

    Parameters
    ----------
    model, depth :
        The model, and bits of a sample.
    max_near :
        Greatest near of a sample; where it is not 0, an input has the sample's.
    """

    #: Parts of the half that rounds the first prediction: chains of products begin with one each.
    #: Nothing depends on it but the prover's time, see `.brackets`.
    _shares = 4

    def __init__(self, model: PredictiveModel, depth: int, max_near: int = 0) -> None:
        self._model, self._depth, self._max_near = model, depth, max_near
        self._top = ((1 << depth) - 1) << FRACTION_BITS
        self._ranges = self._all_ranges()
        self._weights = [(term, weight) for term, weight in model.scale.weights.items() if weight]
        most = model.scale.least + sum(weight * self._most(term) for term, weight in self._weights)
        self._most_shift = most.bit_length() - 1 - LEAST_EXPONENT
        self._asked = _questions(model)
        super().__init__(self._all_ports())

    # --- what a core of one plane has, and one of several has otherwise

    def _all_ranges(self) -> dict[str, tuple[int, int]]:
        """Least and greatest value of each quantity that is an input, in 1/8."""
        top = self._top
        return {
            **dict.fromkeys(SAMPLES, (0, top)), **dict.fromkeys(ERRORS, (-top, top)),
            **dict.fromkeys(ENERGIES, (0, 2 * top)),
        }  # fmt: skip

    @property
    def _sample_bits(self) -> int:
        """Bits of what stands for a sample."""
        return self._depth

    @property
    def _shift_bits(self) -> int:
        return self._most_shift.bit_length()

    @property
    def _taps(self) -> Sequence[str]:
        """What the model's coefficients weigh."""
        return TAPS

    def _coefficient_of(self, tap: int) -> str:
        """Name of a coefficient's register."""
        return f"coefficient_{tap}"

    def _question(self, feature: int, threshold: int) -> str:
        """Name of an answer's register."""
        return f"f{feature}_above_{threshold}"

    @property
    def _first_row(self) -> int:
        """First row of the model's token tables."""
        return 0

    @property
    def _rows(self) -> int:
        """Rows of all token tables."""
        return TABLES * self._model.classes

    @staticmethod
    def _together(term: str, weight: int) -> Hashable:
        """What differences have alike whose sizes are added up before they are weighed."""
        return weight

    # --- its ports

    def _most(self, term: str) -> int:
        """Greatest size of a difference."""
        a, _, b = term.partition("-")
        ranges = {MEDIAN: self._ranges["W"], "": (0, 0), ZERO: (0, 0), **self._ranges}
        (low, high), (least, most) = ranges[a], ranges[b]
        return max(high - least, most - low)

    def _all_ports(self) -> list[Port]:
        depth, top, bits = self._depth, self._top, self._sample_bits
        near = [Port("near", self._max_near.bit_length(), 0, self._max_near)]
        return [
            *(self._port(name, ends) for name, ends in self._ranges.items()),
            *(near if self._max_near else []),
            Port("median" + CUT, bits, *(end >> FRACTION_BITS for end in self._ranges["W"])),
            Port("changes" + CUT, _CHANGES_BITS, 0, len(COUNTED)),
            Port("plain" + CUT, 1),
            Port("shift" + CUT, max(1, self._shift_bits), 0, self._most_shift),
            Port("mantissa" + CUT, _MANTISSA),
            *(Port(self._question(*asked) + CUT, 1) for asked in self._asked),
            *(Port(self._coefficient_of(k) + CUT, COEFFICIENT_WIDTH, *_signed(COEFFICIENT_WIDTH))
              for k in range(len(self._taps))),
            Port("first" + CUT, depth + FRACTION_BITS, 0, top),
        ]  # fmt: skip

    def _port(self, name: str, ends: tuple[int, int]) -> Port:
        """A quantity's input; samples have no fraction there."""
        if is_sample(name):
            return Port(name, self._sample_bits, *(end >> FRACTION_BITS for end in ends))
        return Port(name, self._depth + FRACTION_BITS + 1, *ends)

    def build(self, aig: Aig, ports) -> None:
        """See `.gold.Gold`."""
        self._do = do = Integers(aig)
        self._brackets = Brackets(do)
        self._ports = ports
        self._near = None
        if self._max_near:
            self._near = GoldNear(do, self._depth, self._max_near, ports["near"])
        self._values: dict[str, Integer] = {ZERO: do.constant(0)}
        for name in self._ranges:
            places = FRACTION_BITS if is_sample(name) else 0
            self._values[name] = do.left(ports[name], places)
        self._values[MEDIAN] = do.left(ports["median" + CUT], FRACTION_BITS)
        # What the sample itself is more than what stands for it, and its first prediction.
        self._level = self._level_of_sample()
        self._first = ports["first" + CUT]
        self._values[PREDICTION] = do.subtract(self._first, self._level)
        self._plain = ports["plain" + CUT].bits[0]
        self._changes, self._shift = ports["changes" + CUT], ports["shift" + CUT]
        self._logarithm = do.add(do.left(self._shift, _MANTISSA), ports["mantissa" + CUT])
        self._sizes: dict[str, Integer] = {}
        self._surroundings()
        self._scale()
        self._comparisons()
        self._coefficients()
        self._first_prediction()
        self._target()

    def _level_of_sample(self) -> Integer:
        return self._do.constant(0)

    # --- what is around a sample

    def _difference(self, text: str) -> Integer:
        a, _, b = text.partition("-")
        return self._do.subtract(self._values[a], self._values[b or ZERO])

    def _size(self, text: str) -> Integer:
        if text not in self._sizes:
            self._sizes[text] = self._do.magnitude(self._difference(text))
        return self._sizes[text]

    def _surroundings(self) -> None:
        do, values = self._do, self._values
        west, north = values["W"], values["N"]
        plane = do.subtract(do.add(west, north), values["NW"])
        smaller = do.less(west, north)
        low, high = do.choose(smaller, west, north), do.choose(smaller, north, west)
        above = do.choose(do.less(high, plane), high, plane)
        median = do.choose(do.less(plane, low), low, above)
        self.out("surroundings", "median", do.right(median, FRACTION_BITS), self._sample_bits)
        changed = [
            do.unsigned([do.nonzero(self._difference(f"{a}-{b}"))]) for a, b in COUNTED
        ]
        self.out("surroundings", "changes", do.sum(changed), _CHANGES_BITS)
        total = self._brackets.sum([self._size(f"{a}-{b}") for a, b in COUNTED])
        few = do.at_least(self._changes, MOST_CHANGES + 1) ^ 1
        sharp = do.less(total, do.times(self._changes, SHARP)) ^ 1
        plain = do.aig.land(few, sharp)
        if self._near:
            plain = do.aig.land(plain, self._near.lossless)
        self.out("surroundings", "plain", do.unsigned([plain]), 1)

    def _scale(self) -> None:
        do, alike = self._do, defaultdict(list)
        for term, weight in self._weights:
            alike[self._together(term, weight), weight].append(self._size(term))
        total = self._brackets.sum([do.constant(self._model.scale.least), *(
            do.times(self._brackets.sum(sizes), weight) for (_, weight), sizes in alike.items()
        )])  # fmt: skip
        shift, mantissa = do.constant(0), do.right(total, LEAST_EXPONENT - _MANTISSA)
        for k in range(1, self._most_shift + 1):
            larger = do.at_least(total, 1 << LEAST_EXPONENT + k)
            shift = do.choose(larger, do.constant(k), shift)
            moved = do.right(total, LEAST_EXPONENT - _MANTISSA + k)
            mantissa = do.choose(larger, moved, mantissa)
        self.out("scale", "shift", shift, self._shift_bits)
        self.out("scale", "mantissa", mantissa, _MANTISSA)

    # --- comparisons

    def _comparisons(self) -> None:
        values: dict[int, Integer] = {}
        for number, threshold in self._asked:
            if number not in values:
                values[number] = self._feature(self._model.features[number])
            above = self._do.at_least(values[number], threshold + 1)
            label = f"feature {number}, {self._model.features[number].name}"
            self.out(
                "comparisons", self._question(number, threshold), self._do.unsigned([above]), 1,
                [(label, values[number]), ("threshold", self._do.constant(threshold))],
            )  # fmt: skip

    def _feature(self, feature: Feature) -> Integer:
        do = self._do
        if feature.is_changes:
            return self._changes
        if feature.is_level:
            unused = self._depth + FRACTION_BITS - _LEVEL_BITS
            return do.right(self._first, unused)
        if feature.special:
            return do.clamped(do.right(self._logarithm, 1), 0, 255)
        part = self._size if feature.absolute else self._difference
        total = do.left(self._brackets.sum([part(term) for term in feature.terms]), feature.gain)
        value = do.shifted(total, self._shift, right=True)
        if feature.absolute:
            return do.clamped(value, 0, 255)
        return do.add(do.clamped(value, -128, 127), do.constant(128))

    def _answer(self, feature: int, threshold: int) -> int:
        return self._ports[self._question(feature, threshold) + CUT].bits[0]

    # --- first prediction

    def _coefficients(self) -> None:
        do, g, predictor = self._do, self._do.aig, self._model.predictor
        ways = {0 if len(predictor.feature) else -1: do.constant(1).bits[0]}
        for node, pair in enumerate(predictor.child.tolist()):
            answer = self._answer(int(predictor.feature[node]), int(predictor.threshold[node]))
            ways[pair[0]] = g.land(ways[node], answer ^ 1)
            ways[pair[1]] = g.land(ways[node], answer)
        for k, column in enumerate(predictor.coefficients.T.tolist()):
            bits = [
                reduce(g.lor, (ways[-1 - leaf] for leaf, c in enumerate(column) if c >> bit & 1),
                       FALSE)
                for bit in range(COEFFICIENT_WIDTH)
            ]  # fmt: skip
            self.out("predictor", self._coefficient_of(k), do.signed(bits), COEFFICIENT_WIDTH)

    def _first_prediction(self) -> None:
        """Products of samples, in 1/128, and of errors, in 1/1024, with a half of 1/8 to round.

        What the latter have below 1/128 is less than one of the sum, so it goes before.
        """
        do = self._do
        products: dict[bool, list[Integer]] = {True: [], False: []}
        for k, name in enumerate(self._taps):
            places = FRACTION_BITS if is_sample(name) else 0
            products[is_sample(name)].append(do.product(
                self._ports[self._coefficient_of(k) + CUT], do.right(self._values[name], places)
            ))  # fmt: skip
        cut = COEFFICIENT_BITS - FRACTION_BITS
        halves = [do.constant((1 << cut - 1) // self._shares)] * self._shares
        rest = do.constant(0)
        if products[False]:
            share = do.left(halves.pop(), FRACTION_BITS)
            rest = do.right(self._brackets.sum([share, *products[False]]), FRACTION_BITS)
        total = self._brackets.sum([rest, *halves, *self._level_terms(cut), *products[True]])
        weighted = do.clamped(do.right(total, cut), 0, self._top)
        median = do.clamped(do.add(self._values[MEDIAN], self._level), 0, self._top)
        first = do.choose(self._plain, median, weighted)
        self.out("first prediction", "first", first, self._depth + FRACTION_BITS)

    def _level_terms(self, places: int) -> list[Integer]:
        """The level with so many bits below 1/8, if there is one."""
        return []

    # --- what a residual is coded with

    def _sum_of(self, trees: LutTrees) -> Integer:
        """Each tree less its least number, and all of these."""
        do, values = self._do, trees.values.astype(int)
        least = values.min(axis=1)
        found = [do.constant(int(least.sum()))]
        for tree in np.flatnonzero(values.max(axis=1) > least).tolist():
            rows = (values[tree] - least[tree]).tolist()
            pins = [
                FALSE if threshold == NEVER else self._answer(feature, threshold)
                for feature, threshold in zip(
                    trees.feature[tree].tolist(), trees.threshold[tree].tolist(), strict=True
                )
            ]
            bits = [
                do.aig.table(sum((v >> bit & 1) << k for k, v in enumerate(rows)), pins)
                for bit in range(max(rows).bit_length())
            ]
            found.append(do.unsigned(bits, max(rows)))
        return self._brackets.sum(found)

    def _target(self) -> None:
        do, model = self._do, self._model
        correction, spread = map(self._sum_of, (model.corrections, model.scales))
        moved = do.right(do.shifted(correction, self._shift, right=False), CORRECTION_BITS)
        moved = do.choose(self._plain, do.constant(0), moved)
        final = do.clamped(do.add(self._first, moved), 0, self._top)
        whole, rest = self._near.nearest(final) if self._near else rounded(do, final)
        constant = do.constant(SCALE_STEP * OCTAVE * LEAST_EXPONENT - model.origin)
        if self._near:
            constant = do.subtract(constant, self._near.offset)
        scale = self._brackets.sum([spread, do.times(self._logarithm, SCALE_STEP), constant])
        number = do.clamped(do.right(scale, CLASS_BITS), 0, model.classes - 1)
        far = do.aig.lor(do.less(rest, do.constant(-1)), do.at_least(rest, 2))
        kind = do.choose(self._plain, do.constant(2), do.unsigned([far]))
        row = do.add(do.times(number, TABLES), do.constant(self._first_row))
        row = do.add(row, kind)
        self.out("corrections", "whole", whole, self._depth)
        self.out("corrections", "below", do.unsigned([do.less(rest, do.constant(0))]), 1)
        self.out("scales", "row", row, (self._rows - 1).bit_length())


def is_sample(name: str) -> bool:
    """Whether a quantity is a sample, or the median of some, and so a multiple of 8."""
    return name in _SAMPLES


def _signed(bits: int) -> tuple[int, int]:
    """Range of a number in two's complement."""
    return -(1 << bits - 1), (1 << bits - 1) - 1


def _questions(model: PredictiveModel) -> Sequence[tuple[int, int]]:
    """Features and thresholds that are compared."""
    found: Iterable[tuple[int, int]] = (
        pair for nodes in (model.predictor, model.corrections, model.scales)
        for pair in zip(
            nodes.feature.ravel().tolist(), nodes.threshold.ravel().tolist(), strict=True
        )
    )  # fmt: skip
    return sorted({pair for pair in found if pair[1] != NEVER})
