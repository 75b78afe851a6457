"""Beats of the pixel ports, one pixel or one for each of several cores, and back."""

from collections.abc import Mapping

import numpy as np

from lutgen.errors import InputError
from lutgen.gateware.streams.beats import (
    colour_beats,
    components_of,
    filled,
    packed_pixels,
    raster_beats,
)

__all__ = [
    "colour_beats", "components_of", "filled", "packed_pixels", "raster_beats", "single_pixels",
]  # fmt: skip


def single_pixels(
    beats: Mapping[str, np.ndarray], cores: int, dtype=np.uint8
) -> dict[str, np.ndarray]:
    """A decoder's beats of several pixels, of samples of ``dtype``, as beats of one.

    Raises
    ------
    InputError
        If a beat but a line's last is filled in part, or null bytes are not the highest and zero.
    """
    keep, user, last = (
        np.asarray(beats[name], dtype=np.int64) for name in ("keep", "user", "last")
    )
    size = np.dtype(dtype).itemsize
    pixels = np.asarray(beats["data"]).astype(f"<u{size * cores}").view(dtype).reshape(-1, cores)
    bits = (keep[:, None] >> np.arange(size * cores) & 1).astype(bool).reshape(-1, cores, size)
    kept = bits.all(axis=2)
    part = keep != (1 << size * cores) - 1
    if (keep & (keep + 1)).any() or (keep == 0).any() or pixels[~kept].any() or (
        part & (last == 0)
    ).any() or (bits.any(axis=2) != kept).any():
        raise InputError("null bytes must be zero, and the highest of a line's last beat")
    first, final = np.zeros(kept.shape, dtype=np.int64), np.zeros(kept.shape, dtype=np.int64)
    first[:, 0] = user
    final[np.arange(len(keep)), kept.sum(axis=1) - 1] = last
    return {"data": pixels[kept], "user": first[kept], "last": final[kept]}
