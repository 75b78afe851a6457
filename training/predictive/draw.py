"""Samples drawn from images, with the quantities of their contexts."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lutgen.codec.predictive.kernel import begin, predict_first, scratch
from lutgen.files.compiled import njit
from lutgen.model.predictive.features import early_features, fill_features, log2, scale_of
from lutgen.model.predictive.model import Kernel, PredictiveModel
from lutgen.model.predictive.neighbourhood import (
    FRACTION_BITS,
    QUANTITIES,
    end_row,
    is_plain,
    keep,
    new_rows,
)
from lutgen.model.predictive.reference import (
    MOST_REFERENCES,
    level_of,
    quantities_with,
    references_of,
)

__all__ = ["WALKED", "Drawn", "draw", "early_of", "features_of", "logarithm_of"]

_P = QUANTITIES["P"]
#: Samples that are walked for each that is drawn, and further rows of a band: borders are rarer in
#: images than in bands.
WALKED = 4
_WARM = 8


class Drawn(NamedTuple):
    """Samples from many images; n of them."""

    quantity: np.ndarray  #: int32 (n, quantities), in 1/8 of a sample; with the first prediction
    sample: np.ndarray  #: int32 (n,)
    depth: np.ndarray  #: uint8 (n,): bits of the image that each is from

    @property
    def error(self) -> np.ndarray:
        """Error of the first prediction, in samples: float32 (n,)."""
        return (self.value - self.quantity[:, _P]) / np.float32(8)

    @property
    def value(self) -> np.ndarray:
        """What linear predictors predict, sample or difference, in 1/8: int32 (n,)."""
        return _values(self.quantity, self.sample, self.references)

    @property
    def references(self) -> int:
        """Number of reference planes."""
        return references_of(self.quantity.shape[1])

    @property
    def plain(self) -> np.ndarray:
        """Whether the surroundings are plain: bool (n,)."""
        return _plain(self.quantity)


@njit(nogil=True)
def _plain(quantity):
    out = np.empty(len(quantity), dtype=np.bool_)
    for i in range(len(quantity)):
        out[i] = is_plain(quantity[i])
    return out


@njit(nogil=True)
def _values(quantity, sample, references):
    out = np.empty(len(sample), dtype=np.int32)
    for i in range(len(sample)):
        out[i] = (sample[i] << FRACTION_BITS) - level_of(quantity[i], references)
    return out


@njit(nogil=True)
def _walk(kernel, rows, image, depth, chosen, quantity, sample):
    """Fill in the chosen samples of an image."""
    around, feature, place = scratch(len(kernel.gain))
    height, width = image.shape
    found = 0
    for y in range(height):
        begin(rows, y, depth, place)
        for x in range(width):
            first = predict_first(kernel, rows, x, depth, around, feature, place)
            if found < len(chosen) and chosen[found] == y * width + x:
                quantity[found] = around[: quantity.shape[1]]
                quantity[found, _P] = first
                sample[found] = image[y, x]
                found += 1
            keep(rows, y, x, image[y, x], first)
        end_row(rows, y)


@njit(nogil=True)
def _walk_row(kernel, channels, references, rows, y, values, depth, chosen, found, quantity,
              sample):  # fmt: skip
    """Walk row ``y`` of an image of several planes, and fill in its chosen samples from the
    ``found``th on; returns the number of the next one."""
    around, feature, place = scratch(len(kernel.gain))
    begin(rows, y, depth, place, channels, references)
    for x in range(len(values)):
        first = predict_first(kernel, rows, x, depth, around, feature, place, references)
        if found < len(chosen) and chosen[found] == y // channels * len(values) + x:
            quantity[found] = around[: quantity.shape[1]]
            quantity[found, _P] = first
            sample[found] = values[x]
            found += 1
        keep(rows, y, x, values[x], first, channels, level_of(around, references))
    end_row(rows, y)
    return found


@njit(nogil=True)
def _walk_planes(first, second, third, fourth, rows, image, depth, chosen, quantity, sample):
    """Fill in the chosen samples of the last plane of an image, int32 (H, planes, W)."""
    channels, found = image.shape[1], 0
    none = chosen[:0]
    for y in range(image.shape[0] * channels):
        plane = y % channels
        values = image[y // channels, plane]
        wanted = chosen if plane == channels - 1 else none
        if plane == 0:
            at = _walk_row(first, channels, 0, rows, y, values, depth, wanted, found, quantity,
                           sample)  # fmt: skip
        elif plane == 1:
            at = _walk_row(second, channels, 1, rows, y, values, depth, wanted, found, quantity,
                           sample)  # fmt: skip
        else:
            last = third if plane == 2 else fourth
            at = _walk_row(last, channels, 2, rows, y, values, depth, wanted, found, quantity,
                           sample)  # fmt: skip
        if plane == channels - 1:
            found = at


def draw(
    kernel: Kernel, images: Sequence[tuple[np.ndarray, int]], samples: int, seed: int,
    tick: Callable[[float], None] = lambda share: None, before: Sequence[Kernel] = (),
) -> Drawn:  # fmt: skip
    """Draw samples from images of shape (H, W) and a depth each, evenly over all of them.

    With the kernels of planes ``before`` images are of shape (H, W, planes), in the order of
    coding, and samples of the last plane are drawn.  Of each image a band of rows is walked, four
    times as large as what is drawn of it.  ``tick`` is told the share of all pixels whose image is
    done.
    """
    sizes = [image.shape[0] * image.shape[1] for image, _ in images]
    total = sum(sizes)
    rng = np.random.default_rng(seed)
    parts, done = [], 0
    for (image, depth), size in zip(images, sizes, strict=True):
        done += size
        count = min(size, max(1, round(samples * size / total)))
        height = min(len(image), -(-WALKED * count // image.shape[1]) + _WARM)
        top = rng.integers(len(image) - height + 1)
        image = image[top : top + height]
        pixels = image.shape[0] * image.shape[1]
        chosen = np.sort(rng.choice(pixels, count, replace=False))
        quantities = quantities_with(min(len(before), MOST_REFERENCES))
        quantity = np.empty((count, quantities), dtype=np.int32)
        sample = np.empty(count, dtype=np.int32)
        rows = new_rows(image.shape[1], 1 + len(before))
        if before:
            image = np.ascontiguousarray(image[..., : len(before) + 1].swapaxes(1, 2), np.int32)
            kernels = (*before, kernel, kernel, kernel)[:4]
            _walk_planes(*kernels, rows, image, depth, chosen, quantity, sample)
        else:
            image = np.ascontiguousarray(image, dtype=np.int32)
            _walk(kernel, rows, image, depth, chosen, quantity, sample)
        parts.append((quantity, sample, np.full(count, depth, dtype=np.uint8)))
        tick(done / total)
    return Drawn(*(np.concatenate(part) for part in zip(*parts, strict=True)))


@njit(nogil=True)
def _features(kernel, quantity, depth, late, out, references):
    values = np.zeros(len(kernel.gain), dtype=np.uint8)
    now = np.zeros(quantity.shape[1], dtype=np.int64)
    for i in range(len(quantity)):
        now[:] = quantity[i]
        logarithm = log2(scale_of(kernel, now))
        fill_features(kernel, False, now, logarithm, depth[i], values, references)
        if late:
            fill_features(kernel, True, now, logarithm, depth[i], values, references)
        for j in range(len(values)):
            if kernel.number[j] < len(out):
                out[kernel.number[j], i] = values[j]


def features_of(model: PredictiveModel, drawn: Drawn) -> np.ndarray:
    """All features of drawn samples: uint8, shape (features, n)."""
    out = np.empty((len(model.features), len(drawn.sample)), dtype=np.uint8)
    _features(
        model.training_kernel, drawn.quantity, drawn.depth, True, out, drawn.references
    )
    return out


def early_of(model: PredictiveModel, drawn: Drawn) -> np.ndarray:
    """Features known before the prediction: uint8, shape (early features, n)."""
    early = len(early_features(model.features))
    out = np.empty((early, len(drawn.sample)), dtype=np.uint8)
    _features(
        model.training_kernel, drawn.quantity, drawn.depth, False, out, drawn.references
    )
    return out


@njit(nogil=True)
def logarithm_of(kernel, quantity):
    """Logarithm of S of each row of ``quantity``, in 1/16 of an octave: int32, shape (n,)."""
    out = np.empty(len(quantity), dtype=np.int32)
    now = np.zeros(quantity.shape[1], dtype=np.int64)
    for i in range(len(quantity)):
        now[:] = quantity[i]
        out[i] = log2(scale_of(kernel, now))
    return out


#: A unit of quantities, in samples.
UNIT = 1 / (1 << FRACTION_BITS)
