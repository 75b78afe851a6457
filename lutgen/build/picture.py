"""The picture of a build's testbench: a user's, or one that is drawn."""

import os
from dataclasses import replace

import numpy as np

from lutgen.errors import InputError
from lutgen.formats.imageio import DEEP_GRAY, GRAY_8, ImageError, read_gray
from lutgen.model.samples import SampleFormat

__all__ = ["draw_colour", "draw_picture", "read_picture"]

_RGB = 3

#: Columns of each part of a drawn picture.
_PART = 16


def read_picture(
    path: str | os.PathLike, depth: int = 8, *, colour: bool = False
) -> np.ndarray:
    """The samples of an image for a core of this depth.

    Returns
    -------
    numpy.ndarray
        uint8 or uint16, (H, W), of ``colour`` (H, W, 3), where gray becomes RGB.

    Raises
    ------
    ImageError
        If the file is no single gray image, or of colour no RGB one, or its samples have more bits.
    OSError
        If it cannot be read.
    """
    limits = GRAY_8 if depth == 8 else DEEP_GRAY
    if colour:
        limits = replace(limits, channels=SampleFormat.MAX_CHANNELS)
    images = [] if os.path.isdir(path) else read_gray(path, limits)
    if len(images) != 1:
        raise ImageError(f"{path}: picture of a testbench must be one image, not several")
    array, bits = images[0].array, images[0].bits
    if colour and array.ndim == 2:
        array = np.repeat(array[..., None], _RGB, axis=2)
    if colour and array.shape[2] != _RGB:
        raise ImageError(
            f"{path}: picture of a testbench must be gray or RGB for this build, without alpha"
        )
    if bits.depth > depth:
        raise ImageError(
            f"{path}: samples must have at most {depth} bits for this build, not {bits.depth}"
        )
    return bits.extract(array).astype(SampleFormat(depth).dtype)


def draw_colour(width: int, height: int, depth: int = 8) -> np.ndarray:
    """The same of colour, (H, W, 3): red and blue are darker, and blue is grainy."""
    green = draw_picture(width, height, depth)
    other = draw_picture(width, height, depth)[:, ::-1]
    return np.stack([green // 2 + green // 4, green, green // 2 + other // 8], axis=-1)


def draw_picture(width: int, height: int, depth: int = 8) -> np.ndarray:
    """A drawn picture, the same on every machine: uint8 or uint16, (H, W).

    In turns from left to right a bright disc on black, a ramp, a ramp with grain, and noise: what
    is likely to a model, and what is not.

    Raises
    ------
    InputError
        If a side is none.
    """
    if width < 1 or height < 1:
        raise InputError(f"sides of a picture must be at least 1, not {width} x {height}")
    y, x = np.mgrid[:height, :width].astype(np.uint32)
    noise = (x * np.uint32(374761393)) ^ (y * np.uint32(668265263))
    noise = (noise ^ noise >> np.uint32(13)) * np.uint32(1274126177)
    noise = (noise ^ noise >> np.uint32(16)).astype(np.int64)
    y, x = y.astype(np.int64), x.astype(np.int64) % _PART
    top = SampleFormat(depth).maximum
    disc = np.where((x - 7) ** 2 + (y % 8 - 4) ** 2 < 10, top - top // 16, 0)
    ramp = top // 8 + top * (2 * x + y % 16) // 96
    grain = (noise & top) // 16 - top // 32
    part = np.mgrid[:height, :width][1] // _PART % 4
    found = np.choose(part, [disc, ramp, ramp + grain, noise & top])
    return found.clip(0, top).astype(SampleFormat(depth).dtype)
