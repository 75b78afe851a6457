"""Rate, quality and time of a codec of colour images."""

import time
from collections.abc import Callable

import numpy as np

from lutgen.training.loclic.measure.metrics import ms_ssim, psnr
from lutgen.training.loclic.measure.results import FIGURES

__all__ = ["point"]


def point(
    encode: Callable[[np.ndarray], bytes], decode: Callable[[bytes], np.ndarray],
    images: list[np.ndarray], clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:  # fmt: skip
    """Figures of one setting, `FIGURES`: means over images, from real bytes; seconds by a clock."""
    points = []
    for image in images:
        start = clock()
        data = encode(image)
        middle = clock()
        decoded = decode(data)
        end = clock()
        height, width = image.shape[:2]
        points.append((
            psnr(image, decoded), ms_ssim(image, decoded), 8 * len(data) / (height * width),
            middle - start, end - middle,
        ))  # fmt: skip
    return dict(zip(FIGURES, np.mean(points, 0).tolist(), strict=True))
