"""Pictures drawn from a model, which visit its classes and symbols as real ones do."""

import numpy as np

from lutgen.model.head import PROB_BITS, SYMBOLS
from lutgen.model.tile import TileGrid

from .codec import Codec, level_sizes
from .kernel import LANES, NO_TANS, decode_group, model_tiles

__all__ = ["blended", "sample", "visited"]

_TOTAL = 1 << PROB_BITS


def blended(cumulative: np.ndarray, share: float, symbols: int = SYMBOLS) -> np.ndarray:
    """Tables of which ``share`` is uniform and the rest as they were; int64.

    Symbols from number ``symbols`` on get frequency 0, the others at least 1.
    """
    freq = np.diff(cumulative, axis=1)[:, :symbols]
    spread = np.floor((1 - share) * freq + share * _TOTAL / symbols).astype(np.int64)
    spread = np.maximum(spread, 1)
    rows = np.arange(len(spread))
    spread[rows, spread.argmax(axis=1)] += _TOTAL - spread.sum(axis=1)
    ends = np.pad(spread.cumsum(axis=1), ((0, 0), (1, 0)))
    return np.pad(ends, ((0, 0), (0, cumulative.shape[1] - ends.shape[1])), mode="edge")


def sample(
    codec: Codec, width: int, height: int, *, tile: tuple[int, int] = (32, 32),
    share: float = 0.0, seed: int = 0,
) -> np.ndarray:  # fmt: skip
    """A picture whose pixels a decoder would make of random bits.

    Parameters
    ----------
    codec:
        Codec of the model.
    width, height:
        Size in pixels.
    tile:
        Width and height of a tile.
    share:
        Share of uniform noise in each pixel's distribution, 0 to 1: rare symbols then come in the
        classes that likely ones lead to.
    seed:
        Of the bits.

    Returns
    -------
    numpy.ndarray
        uint8, shape (height, width).
    """
    rects = list(TileGrid(width, height, *tile))
    sizes = level_sizes(rects, codec.model.levels)
    length = 2 * (sizes[..., 0] * sizes[..., 1]).sum(axis=1) + 8
    start = np.cumsum(length) - length
    rng = np.random.default_rng(seed)
    data = rng.integers(256, size=int(length.sum()) + 16, dtype=np.uint8)
    data.flags.writeable = False  # as a file's bytes are: numba compiles nothing anew
    arm = codec._arm._replace(cumulative=blended(codec._arm.cumulative, share))
    image = np.zeros((height, width), dtype=np.uint8)
    for first in range(0, len(rects), LANES):
        group = np.arange(first, min(first + LANES, len(rects)))
        planes, priors = codec._planes(sizes[group])
        decode_group(
            data, start[group], length[group], sizes[group], codec._border, arm, codec._ups,
            NO_TANS, planes, priors, 0,
        )  # fmt: skip
        for plane, number in zip(planes[:, 0, 0], group, strict=True):
            h, w = sizes[number, 0]
            image[rects[number]] = codec._inside(plane, h, w)
    return image


def visited(codec: Codec, image: np.ndarray, tile: tuple[int, int] = (32, 32)) -> np.ndarray:
    """Which symbols come in which classes of an image: bool, (classes, 256); no levels."""
    seen = np.zeros((codec.model.head.classes, SYMBOLS), dtype=bool)
    rects = list(TileGrid(image.shape[1], image.shape[0], *tile))
    sizes = level_sizes(rects, 0)
    for number, rect in enumerate(rects):
        size = sizes[number : number + 1]
        h, w = size[0, 0]
        planes, priors = codec._planes(size)
        codec._inside(planes[0, 0, 0], h, w)[:] = image[rect]
        out = np.empty((3, h * w), dtype=np.int32)
        model_tiles(planes, priors, size, codec._border, codec._arm, codec._ups, out)
        seen[out[0], image[rect].ravel()] = True
    return seen
