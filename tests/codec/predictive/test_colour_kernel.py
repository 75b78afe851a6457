"""Predictions with reference planes against plain Python, written from the docstrings."""

import numpy as np
import pytest

from lutgen.codec.predictive.kernel import begin, predict, scratch
from lutgen.files.compiled import njit
from lutgen.model.predictive import reference
from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    ERRORS,
    SAMPLES,
    TAPS,
    end_row,
    keep,
    new_rows,
)
from lutgen.model.predictive.reference import REFERENCE_TAPS, TAPS_OF_ONE, level_of
from tests.codec.predictive.test_predictive_kernel import Reference
from tests.models import colour_model, mosaic_model


class Plane(Reference):
    """A plane of a strip, which knows the plane before it and the first one."""

    def __init__(self, model, width: int, depth: int, before: list) -> None:
        super().__init__(model, width, depth)
        self.before = before
        self.taps = [*TAPS, *REFERENCE_TAPS[: len(before) * TAPS_OF_ONE]]

    def near(self, plane: int, y: int, x: int, row: int, column: int) -> int:
        values = self.planes[plane]
        if y == 0 and row < 0:
            row, column = 0, -1
        y, x = max(y + row, 0), min(x + column, self.width - 1)
        if x >= 0 or row < 0:
            return values[y, max(x, 0)]
        if y > 0:
            return values[y - 1, 0]
        return 0 if plane or self.before else 8 << (self.depth - 1)

    def quantities(self, y: int, x: int) -> dict[str, int]:
        found = super().quantities(y, x)
        for letter, other in zip("ab", self.before, strict=False):
            for plane, names in enumerate(
                (reference.SAMPLES, reference.ERRORS, reference.ENERGIES)
            ):
                for name, at in names.items():
                    found[letter + name] = other.near(plane, y, x, *at)
        self.level = found["ab"[len(self.before) - 1] + "X"] if self.before else 0
        return found

    def keep(self, y: int, x: int, sample: int, first: int) -> None:
        error = sample * 8 - self.level - first
        west = self.near(2, y, x, 0, -1)
        north = max(self.near(2, y, x, -1, 2), self.near(2, y, x, -1, 3)) if y else west
        energy = (west + (2 * abs(error) + north) // 2) // 2
        for plane, value in zip(self.planes, (sample * 8 - self.level, error, energy), strict=True):
            plane[y, x] = value


@njit(nogil=True)
def compiled_row(kernel, references, channels, rows, y, values, depth, out):
    quantity, feature, place = scratch(len(kernel.gain))
    begin(rows, y, depth, place, channels, references)
    for x in range(len(values)):
        out[x, 0], out[x, 1], out[x, 2], out[x, 3] = predict(
            kernel, rows, x, depth, 1, quantity, feature, place, references
        )
        keep(rows, y, x, values[x], out[x, 0], channels, level_of(quantity, references))
    end_row(rows, y)


@pytest.mark.parametrize("model", [colour_model(), mosaic_model()], ids=["colour", "mosaic"])
@pytest.mark.parametrize("shape, depth", [((6, 11), 8), ((5, 4), 12), ((4, 1), 16), ((1, 9), 8)])
def test_predictions_are_those_of_the_definitions(model, shape, depth):
    rng, channels = np.random.default_rng(shape[1]), len(model.planes)
    image = rng.integers(0, 1 << depth, (*shape, channels)) >> rng.integers(0, depth, (*shape, 1))
    image[rng.random(shape) < 0.6] = [1 << (depth - 1), 3, (1 << depth) - 1, 9][:channels]
    rows, planes = new_rows(shape[1], channels), []
    for own in model.planes:
        before = [planes[k] for k in dict.fromkeys((len(planes) - 1, 0)) if planes]
        planes.append(Plane(own, shape[1], depth, before))
    found = np.zeros((shape[1], 4), dtype=np.int64)
    for y in range(shape[0]):
        for k, plane in enumerate(planes):
            values = image[y, :, k].astype(np.int32)
            compiled_row(model.planes[k].kernel, len(plane.before), channels, rows,
                         channels * y + k, values, depth, found)  # fmt: skip
            for x in range(shape[1]):
                wanted = plane.predict(y, x)
                assert tuple(found[x]) == wanted, (y, k, x)
                plane.keep(y, x, int(values[x]), wanted[0])


def test_every_quantity_has_a_place():
    assert len(SAMPLES) + len(ERRORS) + len(ENERGIES) + 3 == len(reference.ALL_QUANTITIES) - 2 * (
        reference.OF_ONE
    )
    assert reference.quantities_with(2) == len(reference.ALL_QUANTITIES)
