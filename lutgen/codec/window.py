"""The causal window: which decoded pixels the model sees."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Window"]


@dataclass(frozen=True)
class Window:
    """Causal K x K neighbourhood of a pixel (GIC-DLC, section 3.1, with ``levels = 0``).

    The features are the ``radius`` rows above the pixel, ``size`` pixels each, top row first and
    left to right, then the ``radius`` pixels to its left.  Pixels outside the tile read as zero,
    so that tiles are independent of each other.

    Parameters
    ----------
    size:
        K, odd, 3 to 7 (the paper uses 5).

    Raises
    ------
    ValueError
        If ``size`` is not 3, 5 or 7.
    """

    size: int = 5

    def __post_init__(self) -> None:
        if self.size not in (3, 5, 7):
            raise ValueError(f"window size must be 3, 5 or 7, not {self.size!r}")

    @property
    def radius(self) -> int:
        """Rows above and columns to the left that the window reaches."""
        return self.size // 2

    @cached_property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """``(dy, dx)`` of each feature, in feature order."""
        r = self.radius
        above = [(dy, dx) for dy in range(-r, 0) for dx in range(-r, r + 1)]
        return tuple(above + [(0, dx) for dx in range(-r, 0)])

    @property
    def features(self) -> int:
        """Number of features: 4, 12 or 24."""
        return len(self.offsets)

    @property
    def min_row(self) -> int:
        """Shortest row, in pixel slots, that the hardware's column stream can walk.

        Narrower tiles are walked with unused slots up to this length (gateware/window.py).
        """
        return self.radius + 1

    def extract(self, tiles: np.ndarray) -> np.ndarray:
        """Features of every pixel of equally sized tiles, all of whose pixels are known.

        Parameters
        ----------
        tiles:
            uint8, shape (..., H, W).

        Returns
        -------
        numpy.ndarray
            uint8, shape (features, ..., H, W).
        """
        tiles = np.asarray(tiles, dtype=np.uint8)
        r = self.radius
        height, width = tiles.shape[-2:]
        pad = [(0, 0)] * (tiles.ndim - 2) + [(r, 0), (r, r)]
        padded = np.pad(tiles, pad)
        return np.stack([
            padded[..., r + dy : r + dy + height, r + dx : r + dx + width]
            for dy, dx in self.offsets
        ])
