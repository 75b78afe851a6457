"""Files and images as beats of streams, and back."""

from __future__ import annotations

import numpy as np

from lutgen.errors import InputError
from lutgen.gateware.streams.beats import file_beats, file_words

__all__ = ["file_beats", "file_words", "files_of", "frames_of", "scattered_words"]


def scattered_words(file: bytes, size: int) -> dict[str, np.ndarray]:
    """Beats in which TKEEP leaves out rubbish, and beats without any byte; the last one has some.
    """
    rng = np.random.default_rng(len(file))
    lanes = np.arange(size)
    count = 3 * -(-len(file) // size) + 4
    keep = np.where(rng.random((count, 1)) < 0.5, True, rng.random((count, size)) < 0.5)
    if size == 1:
        keep[:, 0] = rng.random(count) < 0.7
    end = int(np.searchsorted(keep.sum(axis=1).cumsum(), len(file)))
    if end >= count:
        return file_beats(file, size)
    keep = keep[: end + 1]
    spare = int(keep.sum()) - len(file)
    for lane in np.flatnonzero(keep[-1])[::-1][:spare]:
        keep[-1, lane] = False
    data = rng.integers(256, size=keep.shape).astype(np.uint64)
    data[keep] = np.frombuffer(file, np.uint8)
    last = np.zeros(len(keep), np.int64)
    last[-1] = 1
    shifted = data << (8 * lanes).astype(np.uint64)
    return {
        "data": np.bitwise_or.reduce(shifted, axis=1).astype(f"<u{size}"),
        "keep": (keep << lanes).sum(axis=1), "last": last,
    }  # fmt: skip


def files_of(data, keep, last, size: int) -> tuple[tuple[bytes, ...], bytes]:
    lanes = np.arange(size)
    parts = np.asarray(data).astype(f"<u{size}").view(np.uint8).reshape(-1, size)
    kept = ((np.asarray(keep, dtype=np.int64)[:, None] >> lanes) & 1).astype(bool)
    ends = np.flatnonzero(np.asarray(last)) + 1
    pieces = [
        p[k].tobytes()
        for p, k in zip(np.split(parts, ends), np.split(kept, ends), strict=True)
    ]
    return tuple(pieces[:-1]), pieces[-1]


def frames_of(data, user, last, dtype=np.uint8) -> tuple[np.ndarray, ...]:
    """Frames from their markers alone; a frame of ragged lines is an error of the gateware."""
    frames = []
    starts = np.flatnonzero(np.asarray(user))
    for first, end in zip(starts, [*starts[1:], len(data)], strict=True):
        ends = np.flatnonzero(np.asarray(last[first:end])) + 1
        width = int(ends[0]) if len(ends) else 0
        if not width or not np.array_equal(ends, np.arange(1, len(ends) + 1) * width) or (
            ends[-1] != end - first
        ):
            raise InputError(f"frame at pixel {first} must consist of equal lines")
        frames.append(np.asarray(data[first:end]).astype(dtype).reshape(-1, width))
    if len(data) and (not len(starts) or starts[0]):
        raise InputError("pixels must begin with a start of frame")
    return tuple(frames)
