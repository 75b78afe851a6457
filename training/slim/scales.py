"""Heads with fewer scales."""

import numpy as np

from lutgen.model.head import LaplaceHead
from lutgen.training.dlc.output import LaplaceOutput

__all__ = ["Recount", "carried", "fewer_scales"]


class Recount(LaplaceOutput):
    """Counting that starts from tables that there are."""

    def __init__(self, start: LaplaceHead) -> None:
        super().__init__(start.mu.size - 1, start.sigma.size - 1)
        self._start = start

    def head(self) -> LaplaceHead:
        return self._start


def carried(meaning: np.ndarray, count: np.ndarray, weights: np.ndarray, bits: int) -> np.ndarray:
    """What each count stood for on average, int64 (bits + 1,).

    ``meaning`` and ``count`` are of windows, shape (N,).  Counts that never occur lie between
    their neighbours.
    """
    seen = np.bincount(count, weights, bits + 1)
    total = np.bincount(count, weights * meaning, bits + 1)
    there = np.flatnonzero(seen)
    table = np.interp(np.arange(bits + 1), there, total[there] / seen[there])
    return np.rint(table).astype(np.int64)


def fewer_scales(
    head: LaplaceHead, mu: np.ndarray, sigma: np.ndarray, symbols: np.ndarray,
    weights: np.ndarray, count: int,
) -> LaplaceHead:  # fmt: skip
    """So many scale classes: one after the other, the class goes that is cheapest to do without.

    ``mu``, ``sigma``, ``symbols`` and ``weights`` are of windows, as in
    `LaplaceOutput.recounted`.
    """
    paid = np.stack([
        np.bincount(
            sigma, head.code_length(512 * scale + head.mu[mu], symbols) * weights, head.sigma.size
        )
        for scale in range(head.scales)
    ])  # fmt: skip
    # Of counts that never occur, the nearest class is the best one.
    paid += 1e-6 * np.abs(np.arange(head.scales)[:, None] - head.sigma)
    kept = np.arange(head.scales)
    while len(kept) > count:
        # Without its best class, a count pays what the second best costs.
        best, second = np.sort(paid[kept], axis=0)[:2]
        more = np.bincount(paid[kept].argmin(axis=0), second - best, len(kept))
        kept = np.delete(kept, more.argmin())
    return LaplaceHead(head.mu, paid[kept].argmin(axis=0), head.cdf[kept])
