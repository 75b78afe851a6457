"""Windows: which decoded and upsampled pixels a model sees."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lutgen.errors import InputError

from .channels import planes_of
from .samples import SampleFormat

__all__ = ["Window"]


@dataclass(frozen=True)
class Window:
    """K x K neighbourhood of a pixel (GIC-DLC, section 3.1).

    The features are the ``radius`` rows above the pixel, ``size`` pixels each, top row first and
    left to right, then the ``radius`` pixels to its left.  With a prior the rest of the K x K
    square follows, in the same order: the upsampled pixel itself, those to its right, and those
    of the ``radius`` rows below.  Pixels outside the tile read as zero, so that tiles are
    independent of each other.

    Of several channels there are such features of each, one channel after the other: a pixel's
    channels are all predicted from the same ones, none from another of the same pixel.

    Parameters
    ----------
    size:
        K, odd, 3 to 7 (the paper uses 5).
    prior:
        Whether positions that are not decoded yet read upsampled pixels; without, they are absent.
    channels:
        C, samples of a pixel, 1 to 4.

    Raises
    ------
    InputError
        If ``size`` is not 3, 5 or 7, or ``channels`` is out of its range.
    """

    size: int = 5
    prior: bool = False
    channels: int = 1

    def __post_init__(self) -> None:
        if self.size not in (3, 5, 7):
            raise InputError(f"window size must be 3, 5 or 7, not {self.size!r}")
        if not isinstance(self.prior, bool):
            raise InputError(f"prior must be True or False, not {self.prior!r}")
        SampleFormat(channels=self.channels)

    @property
    def radius(self) -> int:
        """Rows above and columns to the left that the window reaches."""
        return self.size // 2

    @cached_property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """``(dy, dx)`` of each feature of a channel, in feature order.

        The first ``causal`` are decoded.
        """
        r = self.radius
        square = tuple((dy, dx) for dy in range(-r, r + 1) for dx in range(-r, r + 1))
        return square if self.prior else square[: self.causal]

    @property
    def causal(self) -> int:
        """Number of features of a channel that are decoded pixels: 4, 12 or 24."""
        return self.size * self.size // 2

    @property
    def features(self) -> int:
        """Number of features: of each channel ``size * size`` with a prior, ``causal`` without."""
        return self.channels * len(self.offsets)

    @property
    def min_row(self) -> int:
        """Shortest row, in pixel slots, that the hardware's column stream can walk.

        Narrower tiles are walked with unused slots up to this length (gateware/lanes/window.py).
        """
        return self.radius + 1

    def extract(self, tiles: np.ndarray, prior: np.ndarray | None = None) -> np.ndarray:
        """Features of every pixel of equally sized tiles, all of whose pixels are known.

        Parameters
        ----------
        tiles:
            uint8, shape (..., H, W), or (..., C, H, W) of several channels.
        prior:
            uint8, of the same shape: upsampled pixels, zero unless given; only with ``prior``.

        Returns
        -------
        numpy.ndarray
            uint8, shape (features, ..., H, W).

        Raises
        ------
        InputError
            If there are upsampled pixels that the window does not read, or of another shape.
        """
        tiles = np.asarray(tiles, dtype=np.uint8)
        sources = [_bordered(tiles, self.radius)]
        if self.prior:
            prior = np.zeros_like(tiles) if prior is None else np.asarray(prior, dtype=np.uint8)
            if prior.shape != tiles.shape:
                raise InputError(f"prior must be of shape {tiles.shape}, not {prior.shape}")
            sources.append(_bordered(prior, self.radius))
        elif prior is not None:
            raise InputError("prior must be None for a window without one")
        r = self.radius
        height, width = tiles.shape[-2:]
        planes = zip(*(planes_of(source, self.channels) for source in sources), strict=True)
        return np.stack([
            plane[i >= self.causal][..., r + dy : r + dy + height, r + dx : r + dx + width]
            for plane in planes for i, (dy, dx) in enumerate(self.offsets)
        ])


def _bordered(tiles: np.ndarray, radius: int) -> np.ndarray:
    return np.pad(tiles, [(0, 0)] * (tiles.ndim - 2) + [(radius, radius)] * 2)
