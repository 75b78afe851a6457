"""Measured bits per pixel of whole files, and images as a model is trained on them."""

from collections.abc import Callable, Sequence

import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.samples import SignificantBits

__all__ = ["MEASURED", "bpp_of_files", "samples_of"]

#: Most pixels that a figure is measured on.
MEASURED = 1 << 22
_LEAST_DEPTH = 8


def samples_of(image: np.ndarray) -> tuple[np.ndarray, int]:
    """The samples of an image and their bit depth, 8 to 16, as an encoder would take them."""
    bits = SignificantBits.of(image)
    return bits.extract(image), max(_LEAST_DEPTH, bits.depth)


def bpp_of_files(
    model: PredictiveModel, images: Sequence[np.ndarray],
    tick: Callable[[float], None] = lambda share: None,
) -> float:  # fmt: skip
    """Bits per pixel, all bytes counted, of a file for each of uint8 or uint16 images.

    Of many images it is the first ones, up to `MEASURED` pixels, one at least.  ``tick`` is told
    the share that is done.
    """
    ends = np.cumsum([image.size for image in images])
    images = images[: max(1, int(np.searchsorted(ends, MEASURED, side="right")))]
    total = sum(image.size for image in images)
    codec = PredictiveCodec(model)
    size = pixels = 0
    for image in images:
        samples, depth = samples_of(image)
        size += len(codec.encode(samples, depth=depth))
        pixels += image.size
        tick(pixels / total)
    return 8 * size / pixels
