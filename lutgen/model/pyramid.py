"""The average-pool pyramid (GIC-DLC, section 3.1): level 0 is the image, each next one half."""

from typing import TypeVar

import numpy as np

from lutgen.errors import InputError

__all__ = ["MAX_LEVELS", "half", "pool", "pyramid"]

#: Most levels above the image: a 64 x 64 tile is 8 x 8 then.
MAX_LEVELS = 3

SideT = TypeVar("SideT", int, np.ndarray)


def half(side: SideT) -> SideT:
    """Side, or array of sides, of the next coarser level, in pixels: odd sides are rounded up."""
    return (side + 1) // 2


def pool(image: np.ndarray) -> np.ndarray:
    """2 x 2 average pooling, rounded to integers, halves upwards.

    Where a side is odd the last row or column is repeated, so that a block at the edge is the
    average of the pixels that exist.

    Parameters
    ----------
    image:
        uint8, shape (..., H, W).

    Returns
    -------
    numpy.ndarray
        uint8, shape (..., (H + 1) // 2, (W + 1) // 2).
    """
    image = np.asarray(image, dtype=np.uint8)
    height, width = image.shape[-2:]
    if height % 2 or width % 2:
        pad = [(0, 0)] * (image.ndim - 2) + [(0, height % 2), (0, width % 2)]
        image = np.pad(image, pad, mode="edge")
    wide = image.astype(np.uint16)
    total = (
        wide[..., ::2, ::2] + wide[..., ::2, 1::2] + wide[..., 1::2, ::2] + wide[..., 1::2, 1::2]
    )
    return ((total + 2) >> 2).astype(np.uint8)


def pyramid(image: np.ndarray, levels: int) -> list[np.ndarray]:
    """The image and ``levels`` coarser ones: element l is level l.

    Parameters
    ----------
    image:
        uint8, shape (..., H, W).
    levels:
        L, 0 to 3; the paper uses 2.

    Raises
    ------
    InputError
        If ``levels`` is out of its range.
    """
    if not 0 <= levels <= MAX_LEVELS:
        raise InputError(f"levels must be 0 to {MAX_LEVELS}, not {levels!r}")
    out = [np.asarray(image, dtype=np.uint8)]
    for _ in range(levels):
        out.append(pool(out[-1]))
    return out
