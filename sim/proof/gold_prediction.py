"""The prediction of profile ``predictive`` as a graph, written from the model.

It says what `lutgen.codec.predictive.kernel` says, in whole numbers that do not overflow, and knows
nothing of clocks, of shared sums and of memories that a core makes of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np

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
from lutgen.model.predictive.trees import NEVER, LutTrees
from lutgen.sim.proof.aig import FALSE, Aig
from lutgen.sim.proof.brackets import Brackets
from lutgen.sim.proof.gold import CUT, Gold, Port
from lutgen.sim.proof.integers import Integer, Integers

__all__ = ["GoldPrediction"]

_COEFFICIENT = 9
_MANTISSA = 4
_LEVEL_BITS = 7
_CHANGES_BITS = 4


class GoldPrediction(Gold):
    """See `.gold.Gold`.

    The registers at which it is cut are those of the median, of the count of changes, of whether
    surroundings are plain, of the logarithm of S, of all answers, of the coefficients, and of the
    first prediction.
    """

    def __init__(self, model: PredictiveModel, depth: int) -> None:
        self._model, self._depth = model, depth
        self._top = ((1 << depth) - 1) << FRACTION_BITS
        terms = [(term, weight) for term, weight in model.scale.weights.items() if weight]
        self._weights = terms
        most = model.scale.least + sum(weight * self._most(term) for term, weight in terms)
        self._most_shift = most.bit_length() - 1 - LEAST_EXPONENT
        self._asked = _questions(model)
        super().__init__(self._all_ports())

    def _most(self, term: str) -> int:
        """Greatest size of a difference."""
        names = [name for name in term.split("-") if name != ZERO]
        ranges = [
            (-self._top, self._top) if name in ERRORS
            else (0, 2 * self._top if name in ENERGIES else self._top) for name in names
        ]  # fmt: skip
        if len(ranges) == 1:
            return max(map(abs, ranges[0]))
        (a, b), (c, d) = ranges
        return max(b - c, d - a)

    def _all_ports(self) -> list[Port]:
        depth, top = self._depth, self._top
        wide = depth + FRACTION_BITS + 1
        return [
            *(Port(name, depth) for name in SAMPLES),
            *(Port(name, wide, -top, top) for name in ERRORS),
            *(Port(name, wide, 0, 2 * top) for name in ENERGIES),
            Port("median" + CUT, depth),
            Port("changes" + CUT, _CHANGES_BITS, 0, len(COUNTED)),
            Port("plain" + CUT, 1),
            Port("shift" + CUT, max(1, self._most_shift.bit_length()), 0, self._most_shift),
            Port("mantissa" + CUT, _MANTISSA),
            *(Port(f"f{feature}_above_{threshold}{CUT}", 1) for feature, threshold in self._asked),
            *(Port(f"coefficient_{k}{CUT}", _COEFFICIENT, *_signed(_COEFFICIENT))
              for k in range(len(TAPS))),
            Port("first" + CUT, depth + FRACTION_BITS, 0, top),
        ]  # fmt: skip

    def build(self, aig: Aig, ports) -> None:
        """See `.gold.Gold`."""
        self._do = do = Integers(aig)
        self._brackets = Brackets(do)
        self._ports = ports
        self._values: dict[str, Integer] = {ZERO: do.constant(0)}
        for name in (*ERRORS, *ENERGIES):
            self._values[name] = ports[name]
        for name in SAMPLES:
            self._values[name] = do.left(ports[name], FRACTION_BITS)
        self._values[MEDIAN] = do.left(ports["median" + CUT], FRACTION_BITS)
        self._values[PREDICTION] = ports["first" + CUT]
        self._plain = ports["plain" + CUT].bits[0]
        self._changes, self._shift = ports["changes" + CUT], ports["shift" + CUT]
        self._logarithm = do.add(do.left(self._shift, _MANTISSA), ports["mantissa" + CUT])
        self._sizes: dict[str, Integer] = {}
        self._surroundings()
        self._scale()
        self._comparisons()
        self._coefficients()
        self._first()
        self._target()

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
        self.out("surroundings", "median", do.right(median, FRACTION_BITS), self._depth)
        changed = [
            do.unsigned([do.nonzero(self._difference(f"{a}-{b}"))]) for a, b in COUNTED
        ]
        self.out("surroundings", "changes", do.sum(changed), _CHANGES_BITS)
        total = self._brackets.sum([self._size(f"{a}-{b}") for a, b in COUNTED])
        few = do.at_least(self._changes, MOST_CHANGES + 1) ^ 1
        sharp = do.less(total, do.times(self._changes, SHARP)) ^ 1
        self.out("surroundings", "plain", do.unsigned([do.aig.land(few, sharp)]), 1)

    def _scale(self) -> None:
        do, alike = self._do, defaultdict(list)
        for term, weight in self._weights:
            alike[weight].append(self._size(term))
        total = self._brackets.sum([do.constant(self._model.scale.least), *(
            do.times(self._brackets.sum(sizes), weight) for weight, sizes in alike.items()
        )])  # fmt: skip
        shift, mantissa = do.constant(0), do.right(total, LEAST_EXPONENT - _MANTISSA)
        for k in range(1, self._most_shift + 1):
            larger = do.at_least(total, 1 << LEAST_EXPONENT + k)
            shift = do.choose(larger, do.constant(k), shift)
            moved = do.right(total, LEAST_EXPONENT - _MANTISSA + k)
            mantissa = do.choose(larger, moved, mantissa)
        self.out("scale", "shift", shift, self._most_shift.bit_length())
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
                "comparisons", f"f{number}_above_{threshold}", self._do.unsigned([above]), 1,
                [(label, values[number]), ("threshold", self._do.constant(threshold))],
            )  # fmt: skip

    def _feature(self, feature: Feature) -> Integer:
        do = self._do
        if feature.is_changes:
            return self._changes
        if feature.is_level:
            unused = self._depth + FRACTION_BITS - _LEVEL_BITS
            return do.right(self._values[PREDICTION], unused)
        if feature.special:
            return do.clamped(do.right(self._logarithm, 1), 0, 255)
        part = self._size if feature.absolute else self._difference
        total = do.left(self._brackets.sum([part(term) for term in feature.terms]), feature.gain)
        value = do.shifted(total, self._shift, right=True)
        if feature.absolute:
            return do.clamped(value, 0, 255)
        return do.add(do.clamped(value, -128, 127), do.constant(128))

    def _answer(self, feature: int, threshold: int) -> int:
        return self._ports[f"f{feature}_above_{threshold}{CUT}"].bits[0]

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
                for bit in range(_COEFFICIENT)
            ]  # fmt: skip
            self.out("predictor", f"coefficient_{k}", do.signed(bits), _COEFFICIENT)

    def _first(self) -> None:
        do = self._do
        products = [
            do.product(self._ports[f"coefficient_{k}{CUT}"],
                       do.right(self._values[name], FRACTION_BITS))
            for k, name in enumerate(TAPS)
        ]  # fmt: skip
        cut = COEFFICIENT_BITS - FRACTION_BITS
        total = self._brackets.sum([do.constant(1 << cut - 1), *products])
        weighted = do.clamped(do.right(total, cut), 0, self._top)
        first = do.choose(self._plain, self._values[MEDIAN], weighted)
        self.out("first prediction", "first", first, self._depth + FRACTION_BITS)

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
        final = do.clamped(do.add(self._values[PREDICTION], moved), 0, self._top)
        half = do.constant(1 << FRACTION_BITS - 1)
        whole = do.right(do.add(final, half), FRACTION_BITS)
        rest = do.subtract(final, do.left(whole, FRACTION_BITS))
        constant = do.constant(SCALE_STEP * OCTAVE * LEAST_EXPONENT - model.origin)
        scale = self._brackets.sum([spread, do.times(self._logarithm, SCALE_STEP), constant])
        number = do.clamped(do.right(scale, CLASS_BITS), 0, model.classes - 1)
        far = do.aig.lor(do.less(rest, do.constant(-1)), do.at_least(rest, 2))
        kind = do.choose(self._plain, do.constant(2), do.unsigned([far]))
        row = do.add(do.times(number, TABLES), kind)
        self.out("corrections", "whole", whole, self._depth)
        self.out("corrections", "below", do.unsigned([do.less(rest, do.constant(0))]), 1)
        self.out("scales", "row", row, (TABLES * model.classes - 1).bit_length())


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
