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
    beats: Mapping[str, np.ndarray], cores: int, dtype=np.uint8, bits: int | None = None
) -> dict[str, np.ndarray]:
    """A decoder's beats of several pixels as beats of one, of ``dtype``.

    A pixel has so many ``bits`` of a beat, whole bytes, by default those of ``dtype``.

    Raises
    ------
    InputError
        If a beat but a line's last is filled in part, or null bytes are not the highest and zero.
    """
    keep, user, last = (
        np.asarray(beats[name], dtype=np.int64) for name in ("keep", "user", "last")
    )
    size = (bits or 8 * np.dtype(dtype).itemsize) // 8
    data = np.asarray(beats["data"]).astype(np.uint64)[:, None]
    places = np.arange(cores, dtype=np.uint64) * np.uint64(8 * size)
    pixels = (data >> places & np.uint64((1 << 8 * size) - 1)).astype(dtype)
    bytes_ = (keep[:, None] >> np.arange(size * cores) & 1).astype(bool).reshape(-1, cores, size)
    kept = bytes_.all(axis=2)
    part = keep != (1 << size * cores) - 1
    if (keep & (keep + 1)).any() or (keep == 0).any() or pixels[~kept].any() or (
        part & (last == 0)
    ).any() or (bytes_.any(axis=2) != kept).any():
        raise InputError("null bytes must be zero, and the highest of a line's last beat")
    first, final = np.zeros(kept.shape, dtype=np.int64), np.zeros(kept.shape, dtype=np.int64)
    first[:, 0] = user
    final[np.arange(len(keep)), kept.sum(axis=1) - 1] = last
    return {"data": pixels[kept], "user": first[kept], "last": final[kept]}
