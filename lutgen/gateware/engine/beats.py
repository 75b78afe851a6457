"""Beats of the entropy engine's encoder."""

from collections.abc import Sequence

import numpy as np

from lutgen.codec.lossy.interleaved import LANES

from ..streams.beats import sequence_beats

__all__ = ["symbol_beats"]


def symbol_beats(
    classes: Sequence[np.ndarray], symbols: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """Beats of the encoder: each sequence in reverse, with the lane of its last symbol."""
    pairs = [
        (np.asarray(c, dtype=np.int64) << 8 | np.asarray(s, dtype=np.int64))[::-1]
        for c, s in zip(classes, symbols, strict=True)
    ]
    beats = sequence_beats(pairs)
    # Heeded in the first beat only: anywhere else it is another.
    user = np.concatenate([
        np.where(np.arange(len(p)) == 0, (len(p) - 1) % LANES, np.arange(len(p)) % 32)
        for p in pairs
    ])  # fmt: skip
    return beats | {"user": user}
