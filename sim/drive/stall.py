"""Stalls of stream ports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError

__all__ = ["Stall"]


@dataclass(frozen=True)
class Stall:
    """When a port is stalled: an input offers no new beat, an output is not ready.

    Members
    -------
    p : share of stalled clocks, 0 (never, the default) to 1 (always)
    seed : of the random numbers
    burst : mean length of a stall in clocks; None makes every clock independent of the others
    every : the port is free in one of so many clocks, at equal distances, whatever the others are
    """

    p: float = 0.0
    seed: int = 0
    burst: float | None = None
    every: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise InputError(f"share of stalled clocks must be 0 to 1, not {self.p!r}")
        if self.burst is not None and not self.burst >= 1:
            raise InputError(f"mean length of a stall must be at least 1, not {self.burst!r}")

        if self.every is not None and self.every < 1:
            raise InputError(f"clocks of which one is free must be at least 1, not {self.every!r}")

    @property
    def steady(self) -> bool:
        """Whether every clock is alike."""
        return self.every == 1 or (self.every is None and self.p in (0, 1))

    def mask(self, clocks: int) -> np.ndarray:
        """Return bool (clocks,): True where the port is stalled."""
        if self.every is not None:
            return np.arange(clocks) % self.every != 0
        if self.p in (0, 1):
            return np.full(clocks, self.p == 1)
        rng = np.random.default_rng(self.seed)
        if self.burst is None:
            return rng.random(clocks) < self.p
        # Alternating runs with geometric lengths of these means; a gap is at least one clock.
        gap = max(1.0, self.burst * (1 - self.p) / self.p)
        runs = int(2 * clocks / (gap + self.burst)) + 64
        parts = []
        total = 0
        while total < clocks:
            lengths = np.stack(
                [rng.geometric(1 / gap, runs), rng.geometric(1 / self.burst, runs)], axis=1
            ).reshape(-1)
            parts.append(np.repeat(np.tile([False, True], runs), lengths))
            total += len(parts[-1])
        return np.concatenate(parts)[:clocks]
