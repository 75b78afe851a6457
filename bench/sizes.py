"""Sizes of files that are decoded again."""

from collections.abc import Sequence

import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.commands import Failure
from lutgen.compare.codecs import mean_bpp

__all__ = ["files_bpp"]


def files_bpp(
    codec: PredictiveCodec, images: Sequence[np.ndarray], near: int = 0, **options
) -> float:
    """Mean bits per pixel of a file for each image; each image counts alike.

    Parameters
    ----------
    codec : PredictiveCodec
        Codec to measure.
    images : sequence of arrays
        Gray images, (H, W).
    near : int
        Greatest error of a sample.
    **options
        Those of `PredictiveCodec.encode`.

    Raises
    ------
    Failure
        If a sample of a decoded image is further off than ``near``.
    """
    sizes = []
    for image in images:
        data = codec.encode(image, near=near, **options)
        worst = int(np.abs(codec.decode(data)[0].astype(int) - image).max())
        if worst > near:
            raise Failure(f"samples must be within {near}, not off by {worst}, with {options}")
        sizes.append(len(data))
    return mean_bpp(sizes, images)
