"""Errors of a model's upsampling beside those of bicubic interpolation."""

import numpy as np

from lutgen.compare.bicubic import bicubic
from lutgen.model.model import Model
from lutgen.model.pyramid import pyramid
from lutgen.model.tile import TileGrid

__all__ = ["rmse", "upsampling_errors"]

#: Pixels that are upsampled at a time: bounds the memory.
_BLOCK = 1 << 20


def upsampling_errors(images: np.ndarray, model: Model, tile: tuple[int, int]) -> np.ndarray:
    """Sums of squared errors of each level, upsampled from the true next coarser one.

    Parameters
    ----------
    images:
        uint8, shape (N, H, W), or (N, H, W, C) of a model of C channels.
    model, tile:
        What upsamples, and the tiles within which it does.

    Returns
    -------
    numpy.ndarray
        float64, shape (levels, 3): of the model, of bicubic interpolation of whole images, and
        the number of samples.
    """
    errors = np.zeros((model.levels, 3))
    upsampler = model.upsampler
    if upsampler is None:
        return errors
    _, height, width = images.shape[:3]
    levels = pyramid(images if images.ndim == 3 else np.moveaxis(images, -1, 1), model.levels)
    grid = TileGrid(width, height, *tile)
    for level, (high, low) in enumerate(zip(levels, levels[1:], strict=False)):
        errors[level, 2] = high.size
        planes = zip(*(part.reshape(-1, *part.shape[-2:]) for part in (high, low)), strict=True)
        for image, small in planes:
            errors[level, 1] += _squares(image, bicubic(small, *image.shape))
        tiles = _tiles(high, grid, level), _tiles(low, grid, level + 1)
        for part, small in zip(*tiles, strict=True):
            step = max(1, _BLOCK // part[0].size)
            for i in range(0, len(part), step):
                guess = upsampler.upsample(small[i : i + step], *part.shape[-2:])
                errors[level, 0] += _squares(part[i : i + step], guess)
    return errors


def rmse(errors: np.ndarray) -> list[dict[str, float]]:
    """Root mean square errors of each level, ``rmse`` of the model and ``bicubic_rmse``."""
    roots = np.sqrt(errors[:, :2] / errors[:, 2:]).tolist()
    return [dict(zip(("rmse", "bicubic_rmse"), pair, strict=True)) for pair in roots]


def _tiles(images: np.ndarray, grid: TileGrid, level: int) -> list[np.ndarray]:
    """Tiles of a level of all images, stacked by their size at level 0."""
    sizes: dict[tuple, list[np.ndarray]] = {}
    for rows, columns in grid:
        size = rows.stop - rows.start, columns.stop - columns.start
        y, x = rows.start >> level, columns.start >> level
        h, w = (-(-side >> level) for side in size)
        sizes.setdefault(size, []).append(images[..., y : y + h, x : x + w])
    return [np.concatenate(tiles) for tiles in sizes.values()]


def _squares(a: np.ndarray, b: np.ndarray) -> int:
    return int(((a.astype(np.int32) - b) ** 2).sum(dtype=np.int64))
