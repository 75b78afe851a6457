"""Tiles: rectangles that are coded on their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral

from lutgen.errors import InputError

__all__ = [
    "DEFAULT_IMAGE", "DEFAULT_TILE", "MAX_IMAGE_SIDE", "MAX_TILE_SIDE", "TileGrid", "check_sizes",
]  # fmt: skip

MAX_IMAGE_SIDE = 16384
#: Keeps every payload within the two-byte length of its packet.
MAX_TILE_SIDE = 64
#: Sides of a tile that cores are made for, in pixels.
_TILE_SIDES = (8, 16, 32, 64)
#: Width and height in pixels, where nobody says.
DEFAULT_TILE = (32, 32)
#: Width and height in pixels of the largest image of a core, where nobody says.
DEFAULT_IMAGE = (512, 4096)


def check_sizes(tile: tuple[int, int], max_width: int, max_height: int) -> None:
    """InputError unless a core can have such tiles, (width, height), and such a largest image."""
    for name, side in zip(("tile width", "tile height"), tile, strict=True):
        if side not in _TILE_SIDES:
            raise InputError(f"{name} must be one of {_TILE_SIDES} pixels, not {side!r}")
    for name, low, side in (
        ("max width", tile[0], max_width), ("max height", tile[1], max_height),
    ):  # fmt: skip
        if not low <= side <= MAX_IMAGE_SIDE:
            raise InputError(f"{name} must be {low} to {MAX_IMAGE_SIDE} pixels, not {side!r}")


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
    tile_width: int = DEFAULT_TILE[0]
    tile_height: int = DEFAULT_TILE[1]

    def __post_init__(self) -> None:
        for name, limit in (
            ("width", MAX_IMAGE_SIDE),
            ("height", MAX_IMAGE_SIDE),
            ("tile_width", MAX_TILE_SIDE),
            ("tile_height", MAX_TILE_SIDE),
        ):
            value = getattr(self, name)
            if not isinstance(value, Integral) or not 1 <= int(value) <= limit:
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
