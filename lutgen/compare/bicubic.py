"""Bicubic upsampling of a pooled image: what the upsampling model is compared with."""

import numpy as np

from lutgen.errors import InputError
from lutgen.model.pyramid import half
from lutgen.model.samples import EIGHT_BIT

__all__ = ["bicubic"]

#: Of the cubic convolution kernel of Keys (1981); third-order exact, what most programs use.
_A = -0.5


def _kernel(t: float) -> float:
    t = abs(t)
    if t <= 1:
        return (_A + 2) * t**3 - (_A + 3) * t**2 + 1
    return _A * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0


def _double(values: np.ndarray, axis: int) -> np.ndarray:
    """Twice as many samples along an axis, at a quarter pixel to both sides of each."""
    count = values.shape[axis]
    # Pixel 2 i lies at i - 1/4, pixel 2 i + 1 at i + 1/4: the half-pixel centres of a 2 x 2 block.
    sides = []
    for centre in (-0.25, 0.25):
        taps = (
            _kernel(centre - k) * values.take(np.clip(np.arange(count) + k, 0, count - 1), axis)
            for k in range(-2, 3)
        )
        sides.append(sum(taps))
    shape = list(values.shape)
    shape[axis] *= 2
    return np.stack(sides, axis=axis + 1).reshape(shape)


def bicubic(low: np.ndarray, height: int, width: int) -> np.ndarray:
    """Twice the size by cubic convolution, aligned with 2 x 2 average pooling.

    Pixels beyond the border repeat the border; the result is rounded, halves upwards, and clipped.
    (R. Keys, "Cubic convolution interpolation for digital image processing", 1981, a = -1/2.)

    Parameters
    ----------
    low:
        uint8, shape (..., h, w).
    height, width:
        Sides of the result: twice those of ``low``, or one less.

    Returns
    -------
    numpy.ndarray
        uint8, shape (..., height, width).

    Raises
    ------
    InputError
        If the image is not uint8 of at least two dimensions, or its sides are not those of the
        pooled result.
    """
    low = np.asarray(low)
    if low.dtype != np.uint8 or low.ndim < 2:
        raise InputError(
            f"pooled image must be uint8 of shape (..., h, w), not {low.dtype} of {low.shape}"
        )
    if low.shape[-2:] != (half(height), half(width)) or not low.size:
        raise InputError(
            f"pooled image of {height} x {width} must be {half(height)} x {half(width)}, "
            f"not {low.shape[-2]} x {low.shape[-1]}"
        )
    high = _double(_double(low.astype(np.float64), low.ndim - 2), low.ndim - 1)
    high = np.clip(np.floor(high + 0.5), 0, EIGHT_BIT.maximum).astype(EIGHT_BIT.dtype)
    return high[..., :height, :width]
