"""Small images side by side on one: the chance of other codecs where ours shares a file."""

import math
from collections.abc import Sequence

import numpy as np

from lutgen.formats.imageio import by_shape

__all__ = ["page", "pages"]

#: Most pixels of an image that is small: many of them share a page.
_SMALL = 1 << 14
#: Most pixels of a side of a page: what WebP can have.
_PAGE_SIDE = 16383


def page(images: np.ndarray) -> np.ndarray:
    """Images of one size side by side, nearly a square: (N, H, W) to (rows H, columns W).

    Cells that are left over are black.
    """
    count, height, width = images.shape
    columns = min(max(1, round(math.sqrt(count * height / width))), _PAGE_SIDE // width)
    rows = -(-count // columns)
    cells = np.zeros((rows * columns, height, width), dtype=images.dtype)
    cells[:count] = images
    cells = cells.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(cells.reshape(rows * height, columns * width))


def pages(images: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """Small gray images on pages, by size; None if there is another one, or no two of a size."""
    if any(image.ndim == 3 for image in images):
        return None
    groups = by_shape(images)
    if any(g[0].size > _SMALL for g in groups) or all(len(g) == 1 for g in groups):
        return None
    most = [(_PAGE_SIDE // g.shape[1]) * (_PAGE_SIDE // g.shape[2]) for g in groups]
    return [
        page(g[at : at + n]) for g, n in zip(groups, most, strict=True)
        for at in range(0, len(g), n)
    ]  # fmt: skip
