"""Tiles: rectangles that are coded on their own."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError

__all__ = ["MAX_IMAGE_SIDE", "MAX_TILE_SIDE", "TileGrid"]

MAX_IMAGE_SIDE = 16384
#: Keeps every payload within the two-byte length of its packet.
MAX_TILE_SIDE = 64


@dataclass(frozen=True)
class TileGrid:
    """Tiles of an image, numbered row by row; those at the right and lower edge are cut.

    Parameters
    ----------
    width, height:
        Image size in pixels, 1..16384.
    tile_width, tile_height:
        Size of a whole tile in pixels, 1..64.

    Raises
    ------
    InputError
        If a size is outside its range.
    """

    width: int
    height: int
    tile_width: int = 32
    tile_height: int = 32

    def __post_init__(self) -> None:
        for name, limit in (
            ("width", MAX_IMAGE_SIDE),
            ("height", MAX_IMAGE_SIDE),
            ("tile_width", MAX_TILE_SIDE),
            ("tile_height", MAX_TILE_SIDE),
        ):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or not 1 <= value <= limit:
                label = name.replace("_", " ")
                label = label if "tile" in label else f"image {label}"
                raise InputError(f"{label} must be 1 to {limit} pixels, not {value!r}")

    @property
    def columns(self) -> int:
        """Tiles side by side."""
        return -(-self.width // self.tile_width)

    @property
    def rows(self) -> int:
        """Tiles one above the other."""
        return -(-self.height // self.tile_height)

    @property
    def tiles(self) -> int:
        """Tiles in all."""
        return self.columns * self.rows

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        """Row and column slices of each tile."""
        for y in range(0, self.height, self.tile_height):
            for x in range(0, self.width, self.tile_width):
                yield (
                    slice(y, min(y + self.tile_height, self.height)),
                    slice(x, min(x + self.tile_width, self.width)),
                )
