"""Images that a trainer does not see, to decide on and to measure with: whole pictures.

Pixels of one picture say much about each other, so no picture is on both sides: not in another
copy either.  Of a single picture there is nothing but a part of it to hold out; then it is its last
rows, and everybody who reads the figures is told.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from lutgen.training.data.datasets import DatasetError

__all__ = ["HoldOut", "hold_out"]


@dataclass(frozen=True, eq=False)
class HoldOut:
    """Images in two parts.

    Parameters
    ----------
    kept, held:
        uint8 arrays of shape (H, W) or (H, W, C) to train on, and those held out; at least one
        each.
    how:
        What was held out, in words.
    whole:
        Whether it is whole pictures.
    """

    kept: list[np.ndarray]
    held: list[np.ndarray]
    how: str
    whole: bool


def hold_out(
    images: list[np.ndarray], share: float, seed: int, most: int | None = None
) -> HoldOut:
    """Split images.

    Parameters
    ----------
    images:
        uint8 arrays of shape (H, W) or (H, W, C), at least one.
    share:
        Of the images to hold out; one at least, and never all.
    seed:
        Of the choice.
    most:
        Most images to hold out.

    Raises
    ------
    DatasetError
        If they have one pixel in all.
    """
    keys = [
        (image.shape, hashlib.blake2b(image.tobytes(), digest_size=16).digest()) for image in images
    ]
    different = len(set(keys))
    if different == 1:
        return _split_one(images[0], share, len(images))
    count = min(max(1, round(share * len(images))), len(images) - 1, most or len(images))
    order = np.random.default_rng(seed).permutation(len(images))
    # As many as are wanted, their copies, and never the last picture.
    held: set = set()
    for i in order[:count].tolist():
        if len(held | {keys[i]}) < different:
            held.add(keys[i])
    kept = [image for image, key in zip(images, keys, strict=True) if key not in held]
    out = [image for image, key in zip(images, keys, strict=True) if key in held]
    return HoldOut(kept, out, f"{len(out)} of {len(images)} images", True)


def _split_one(image: np.ndarray, share: float, copies: int) -> HoldOut:
    which = "the only image" if copies == 1 else f"the only image, given {copies} times"
    if image.shape[:2] == (1, 1):
        raise DatasetError(
            "images must have at least two pixels in all, so that some can be held out, not one"
        )
    rows = image.shape[0] > 1
    pixels = image if rows else image.swapaxes(0, 1)
    side = len(pixels)
    first = side - min(max(1, round(share * side)), side - 1)
    parts = [part if rows else part.swapaxes(0, 1) for part in (pixels[:first], pixels[first:])]
    how = f"{'rows' if rows else 'columns'} {first} to {side - 1} of {which}"
    return HoldOut([parts[0]], [parts[1]], how, False)
