"""The compiled prediction of a sample against one in plain Python, written from the docstrings."""

import numpy as np
import pytest

from lutgen.codec.predictive.kernel import begin, predict, scratch
from lutgen.files.compiled import njit
from lutgen.model.predictive.features import STANDARD, Scale
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    ERRORS,
    SAMPLES,
    TAPS,
    end_row,
    keep,
    new_rows,
)
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.trees import LutTrees

#: Differences that tell plain surroundings.
COUNTED = (("W", "WW"), ("W", "NW"), ("N", "NW"), ("N", "NE"), ("NE", "NEE"), ("N", "NN"),
           ("NW", "NNW"), ("NE", "NNE"))  # fmt: skip
EARLY = sum(not f.late for f in STANDARD)


def trees(rng: np.random.Generator, count: int) -> LutTrees:
    threshold = rng.integers(0, 200, (count, 6), dtype=np.uint8)
    threshold[rng.random(threshold.shape) < 0.1] = 255
    return LutTrees(
        rng.integers(0, len(STANDARD), (count, 6), dtype=np.uint8), threshold,
        rng.integers(-128, 128, (count, 64), dtype=np.int8),
    )  # fmt: skip


def model(seed: int, corrections: int, scales: int) -> PredictiveModel:
    """A model of random numbers, whose tree is a chain of seven nodes."""
    rng = np.random.default_rng(seed)
    n = 7
    child = np.array([[-1 - k, k + 1] for k in range(n)], dtype=np.int16)
    child[-1, 1] = -1 - n
    coefficients = rng.integers(-7, 8, (n + 1, len(TAPS)), dtype=np.int16)
    coefficients[:, 0] += 128 - coefficients.sum(axis=1, dtype=np.int16)
    predictor = Predictor(
        rng.integers(0, EARLY, n, dtype=np.uint8), rng.integers(0, 130, n, dtype=np.uint8), child,
        coefficients,
    )  # fmt: skip
    table = np.arange(65, dtype=np.int32) * 256
    return PredictiveModel(
        STANDARD, Scale({"eW": 22, "eN": 16, "ENE": 9, "W-NW": 3}, 205), predictor,
        trees(rng, corrections), trees(rng, scales), 300, np.tile(table, (30, 1)),
    )  # fmt: skip


class Reference:
    """One strip, sample by sample, from the definitions."""

    taps = TAPS
    level = 0  #: What samples are above what is predicted, in 1/8.

    def __init__(self, model: PredictiveModel, width: int, depth: int) -> None:
        self.model, self.width, self.depth = model, width, depth
        self.planes = [{}, {}, {}]  # samples, errors, energies by (y, x), in 1/8

    def near(self, plane: int, y: int, x: int, row: int, column: int) -> int:
        """What stands at a place from the sample at ``y`` and ``x``; beyond borders, too."""
        values = self.planes[plane]
        first = (1 << (self.depth - 1)) * 8 if plane == 0 else 0
        if y == 0:
            # Rows above are W; left of the first sample is the middle of the range.
            column = column if row == 0 else -1
            return values[0, x + column] if x + column >= 0 else first
        if row == 0 and x + column < 0:
            return values[y - 1, 0]
        return values[max(y + row, 0), min(max(x + column, 0), self.width - 1)]

    def quantities(self, y: int, x: int) -> dict[str, int]:
        found = {"0": 0}
        for plane, names in enumerate((SAMPLES, ERRORS, ENERGIES)):
            for name, at in names.items():
                found[name] = self.near(plane, y, x, *at)
        west, north = found["W"], found["N"]
        found["MED"] = sorted((west, north, west + north - found["NW"]))[1]
        return found

    def predict(self, y: int, x: int) -> tuple[int, int, int, bool]:
        model, quantity = self.model, self.quantities(y, x)
        sizes = [abs(quantity[a] - quantity[b]) for a, b in COUNTED]
        changes = sum(size > 0 for size in sizes)
        plain = changes <= 5 and sum(sizes) >= 8 * 8 * changes

        def difference(term: str) -> int:
            a, _, b = term.partition("-")
            return quantity[a] - quantity[b or "0"]

        scale = model.scale.least + sum(
            w * abs(difference(term)) for term, w in model.scale.weights.items()
        )
        exponent = scale.bit_length() - 1
        logarithm = 16 * exponent + ((scale >> (exponent - 4)) & 15)

        def feature(f) -> int:
            if not f.terms:
                return min((logarithm - 16 * 7) // 2, 255)
            if f.terms == ("changes",):
                return changes
            if f.terms == ("P",):
                return (quantity["P"] + self.level) * 128 // (8 << self.depth)
            total = sum(abs(difference(t)) if f.absolute else difference(t) for t in f.terms)
            value = total * 2**f.gain // 2 ** (exponent - 7)
            return min(value, 255) if f.absolute else min(max(value, -128), 127) + 128

        node, tree = 0, model.predictor
        while node >= 0:
            above = feature(model.features[tree.feature[node]]) > tree.threshold[node]
            node = int(tree.child[node, int(above)])
        weights = tree.coefficients[-1 - node].tolist()
        total = sum(w * quantity[n] for w, n in zip(weights, self.taps, strict=True))
        maximum = ((1 << self.depth) - 1) * 8
        first = quantity["MED"] if plain else (total + 64) // 128
        first = min(max(first, -self.level), maximum - self.level)
        quantity["P"] = first

        def tree_sum(network: LutTrees) -> int:
            result = 0
            for t in range(len(network)):
                answers = [
                    feature(model.features[f]) > v
                    for f, v in zip(network.feature[t], network.threshold[t].tolist(), strict=True)
                ]
                result += int(network.values[t, sum(a << k for k, a in enumerate(answers))])
            return result

        correction = tree_sum(model.corrections) * 2 ** (exponent - 7) // 64
        final = first + self.level + (0 if plain else correction)
        final = min(max(final, 0), maximum)
        return first, final, 2 * logarithm + tree_sum(model.scales), plain

    def keep(self, y: int, x: int, sample: int, first: int) -> None:
        error = sample * 8 - first
        west = self.near(2, y, x, 0, -1)
        north = max(self.near(2, y, x, -1, 2), self.near(2, y, x, -1, 3)) if y else west
        energy = (west + (2 * abs(error) + north) // 2) // 2
        for plane, value in zip(self.planes, (sample * 8, error, energy), strict=True):
            plane[y, x] = value


@njit(nogil=True)
def compiled(kernel, rows, image, depth, out):
    quantity, feature, place = scratch(len(kernel.gain))
    for y in range(len(image)):
        begin(rows, y, depth, place)
        for x in range(image.shape[1]):
            out[y, x, 0], out[y, x, 1], out[y, x, 2], out[y, x, 3] = predict(
                kernel, rows, x, depth, 1, quantity, feature, place
            )
            keep(rows, y, x, image[y, x], out[y, x, 0])
        end_row(rows, y)


@pytest.mark.parametrize("shape, depth", [((7, 11), 8), ((6, 5), 16), ((5, 1), 12), ((1, 9), 8)])
@pytest.mark.parametrize("corrections, scales", [(0, 0), (3, 5), (12, 40)])
def test_predictions_are_those_of_the_definitions(shape, depth, corrections, scales):
    rng = np.random.default_rng(shape[1])
    image = rng.integers(0, 1 << depth, shape) >> rng.integers(0, depth, shape)
    image[rng.random(shape) < 0.7] = 1 << (depth - 1)  # plain parts, too
    own = model(depth + corrections, corrections, scales)
    found = np.zeros((*shape, 4), dtype=np.int64)
    compiled(own.kernel, new_rows(shape[1]), image.astype(np.int32), depth, found)
    reference = Reference(own, shape[1], depth)
    for y, x in np.ndindex(shape):
        wanted = reference.predict(y, x)
        assert tuple(found[y, x]) == wanted, (y, x)
        reference.keep(y, x, int(image[y, x]), wanted[0])
