"""Training samples: the causal window and the symbol of every pixel, as arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.codec.window import Window

__all__ = ["Samples", "collect", "orientations"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Weighted samples.

    Parameters
    ----------
    features:
        uint8, shape (F, N): one contiguous row per window feature.
    symbols:
        uint8, shape (N,): the pixel to be coded.
    weights:
        int64, shape (N,): how many pixels the sample stands for.
    """

    features: np.ndarray
    symbols: np.ndarray
    weights: np.ndarray

    @property
    def pixels(self) -> int:
        """Sum of the weights."""
        return int(self.weights.sum())


def orientations(images: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    """The images in ``count`` of the eight flips and quarter turns, the given ones first."""
    if count not in (1, 2, 4, 8):
        raise ValueError(f"orientations must be 1, 2, 4 or 8, not {count!r}")
    out = []
    for k in range(count):
        for image in images:
            # Bit 0 mirrors left-right, bit 1 top-bottom, bit 2 transposes.
            turned = image[:, ::-1] if k & 1 else image
            turned = turned[::-1] if k & 2 else turned
            out.append(turned.T if k & 4 else turned)
    return out


def collect(images: Iterable[np.ndarray], window: Window, tile: int) -> Samples:
    """Samples of all pixels, the background collapsed.

    Tiles of ``tile`` x ``tile`` pixels start at the image's origin; pixels outside a tile read as
    zero.  Pixels whose whole window is zero (most of a glyph image) are merged into at most 256
    weighted samples, which leaves every histogram as it was.

    Parameters
    ----------
    images:
        uint8 arrays of shape (H, W), sizes may differ.
    """
    by_shape: dict[tuple[int, int], list[np.ndarray]] = {}
    for image in images:
        height, width = image.shape
        for y in range(0, height, tile):
            for x in range(0, width, tile):
                part = image[y : y + tile, x : x + tile]
                by_shape.setdefault(part.shape, []).append(part)
    features, symbols = [], []
    background = np.zeros(256, dtype=np.int64)
    for tiles in by_shape.values():
        # Bounded batches: extract makes F copies of the pixels.
        step = max(1, (1 << 22) // tiles[0].size)
        for at in range(0, len(tiles), step):
            batch = np.stack(tiles[at : at + step])
            context = window.extract(batch).reshape(window.features, -1)
            symbol = batch.reshape(-1)
            busy = context.any(axis=0)
            background += np.bincount(symbol[~busy], minlength=256)
            features.append(context[:, busy])
            symbols.append(symbol[busy])
    seen = np.flatnonzero(background)
    features.append(np.zeros((window.features, seen.size), dtype=np.uint8))
    symbols.append(seen.astype(np.uint8))
    symbol = np.concatenate(symbols)
    weight = np.ones(symbol.size, dtype=np.int64)
    weight[symbol.size - seen.size :] = background[seen]
    return Samples(np.ascontiguousarray(np.concatenate(features, axis=1)), symbol, weight)
