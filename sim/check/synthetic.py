"""Images to check with where the user has none."""

from __future__ import annotations

import numpy as np

__all__ = ["synthetic_images"]

#: Sizes beside the glyphs': one pixel, one line, one column, more than a tile by one.
_ODD_SIZES = ((1, 1), (37, 1), (1, 19), (33, 34), (70, 9))


def synthetic_images(count: int = 48, seed: int = 0) -> list[tuple[str, np.ndarray]]:
    """Named images: ``count`` glyphs of 28 x 28, parts of many glyphs at odd sizes, and noise.

    Returns
    -------
    list of (str, uint8 (H, W))
    """
    made = _glyphs(count, seed)
    images = [(f"glyph {k}", glyph) for k, glyph in enumerate(made)]
    page = np.concatenate([made[k % count] for k in range(6)], axis=1)
    page = np.concatenate([page, np.roll(page, 28, axis=1)], axis=0)
    images += [(f"glyphs {w}x{h}", np.ascontiguousarray(page[7 : 7 + h, 5 : 5 + w]))
               for w, h in _ODD_SIZES]  # fmt: skip
    # The largest payloads there are: nothing is predictable.
    noise = np.random.default_rng(seed).integers(256, size=(30, 41), dtype=np.uint8)
    return [*images, ("noise 41x30", noise)]


def _glyphs(count: int, seed: int) -> np.ndarray:
    try:
        from lutgen.training.data.glyphs import glyphs
    except ModuleNotFoundError:  # Pillow is the trainer's; rings look enough like digits
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:28, :28][..., None]
        at = rng.uniform(9, 19, (2, count))
        radius = np.hypot((x - at[0]) / rng.uniform(0.6, 1.2, count), y - at[1])
        ring = 380 - 120 * np.abs(radius - rng.uniform(3, 8, count))
        return np.moveaxis(ring.clip(0, 255), -1, 0).astype(np.uint8)
    return glyphs(count, seed)
