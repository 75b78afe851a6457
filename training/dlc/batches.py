"""Batches of windows: a function of the step alone, so that a run can stop and go on anywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.model.head import SYMBOLS
from lutgen.training.data.samples import orientations

__all__ = ["Batch", "ImageBatches", "PixelBatches", "Windows"]

#: Takes images to features (N, F), targets, weights and pixels, see `PixelBatches`.
Windows = Callable[[Sequence[np.ndarray]], tuple[np.ndarray, np.ndarray, np.ndarray, int]]


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows and what follows them.

    Parameters
    ----------
    features:
        uint8, shape (B, F); the last window is empty (all zero).
    targets:
        uint8, shape (B - 1,) or (B - 1, T).
    weights:
        float32, shape of ``targets``: share of the loss of each.
    empty:
        float32, shape (256,) or (T, 256): the same for each value behind the empty window.
    """

    features: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    empty: np.ndarray


def _empty(windows: np.ndarray) -> np.ndarray:
    return ~np.any(windows, axis=1)


def _batch(
    windows: np.ndarray, targets: np.ndarray, weights: np.ndarray, empty: np.ndarray
) -> Batch:
    return Batch(
        np.concatenate([windows, np.zeros((1, windows.shape[1]), dtype=np.uint8)]),
        targets,
        weights.astype(np.float32),
        empty.astype(np.float32),
    )


def _histogram(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weight of each byte, (256,) or (T, 256) of values (N,) or (N, T)."""
    if values.ndim == 1:
        return np.bincount(values, weights, SYMBOLS)
    return np.stack([_histogram(v, w) for v, w in zip(values.T, weights.T, strict=True)])


class PixelBatches:
    """Windows drawn from all images, which says more than whole images of equal size.

    The empty window, most of a glyph image, is in every batch once, with the weight and the
    values that it has in all images.

    Parameters
    ----------
    features:
        uint8, shape (N, F).
    targets, weights:
        Shape (N,) or (N, T): values, and how many each stands for.
    pixels:
        Number the loss is divided by.
    size:
        Windows drawn for each batch.
    seed:
        Of the draws.
    """

    def __init__(
        self, features: np.ndarray, targets: np.ndarray, weights: np.ndarray, *, pixels: int,
        size: int, seed: int,
    ) -> None:  # fmt: skip
        empty = _empty(features)
        self._features = np.ascontiguousarray(features[~empty])
        self._targets = targets[~empty]
        self._weights = weights[~empty] / pixels
        self._empty = _histogram(targets[empty], weights[empty] / pixels)
        self._size = size
        self._seed = seed

    def __call__(self, step: int) -> Batch:
        """The batch of a step."""
        count = len(self._features)
        rng = np.random.default_rng([self._seed, step])
        drawn = rng.integers(0, max(1, count), min(self._size, count))
        # Of a constant image there may be none: then the empty window says it all.
        weights = self._weights[drawn] * (count / max(1, len(drawn)))
        return _batch(self._features[drawn], self._targets[drawn], weights, self._empty)


class ImageBatches:
    """All windows of a few images, flipped and turned at random, as in the paper.

    Parameters
    ----------
    images:
        uint8 arrays of shape (H, W) or (H, W, C).
    windows:
        What takes windows out of images.
    size:
        Images per batch.
    turns:
        Number of flips and turns to choose from: 1, 2, 4 or 8.
    seed:
        Of the draws.
    """

    def __init__(
        self, images: Sequence[np.ndarray], windows: Windows, *, size: int, turns: int, seed: int
    ) -> None:
        self._images = images
        self._windows = windows
        self._size = size
        self._turns = turns
        self._seed = seed

    def __call__(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([self._seed, step])
        drawn = rng.integers(0, len(self._images), self._size)
        turn = rng.integers(0, self._turns, self._size)
        images = [
            orientations([self._images[i]], self._turns)[t]
            for i, t in zip(drawn, turn, strict=True)
        ]
        features, targets, weights, pixels = self._windows(images)
        weights = weights / pixels
        empty = _empty(features)
        return _batch(
            features[~empty], targets[~empty], weights[~empty],
            _histogram(targets[empty], weights[empty]),
        )  # fmt: skip
