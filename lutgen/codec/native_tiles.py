"""Files of version 1 by the codec in C, in parts that threads share out.

A part is a run of whole images, or of rows of tiles of one image.  Tiles do not know of each other,
so the packets of a part are those of a file of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lutgen.model.header import VERSION_1
from lutgen.model.samples import EIGHT_BIT

from .container import HEADER_BYTES, Header
from .native import NativeModel

__all__ = ["decode_tiles", "encode_tiles"]

#: Calls a function with each of some things, maybe in threads; gives results in order.
Share = Callable[[Callable, Sequence], Iterable]

#: Pixels of a part, or more if an image or a row of tiles has: a call costs less than a hundredth.
_PART_PIXELS = 1 << 18


class _Part(NamedTuple):
    """Images and their rows, and the tiles that are theirs."""

    images: slice
    rows: slice
    tiles: slice


def _parts(header: Header) -> Iterator[_Part]:
    """The parts of a file in their order."""
    grid, count = header.grid, header.images
    step = max(1, _PART_PIXELS // (grid.width * grid.height))
    if step > 1 or grid.tile_height >= grid.height:
        for first in range(0, count, step):
            end = min(first + step, count)
            yield _Part(slice(first, end), slice(0, grid.height),
                        slice(first * grid.tiles, end * grid.tiles))  # fmt: skip
        return
    step = max(1, _PART_PIXELS // (grid.width * grid.tile_height)) * grid.tile_height
    tile = 0
    for image in range(count):
        for top in range(0, grid.height, step):
            end = min(top + step, grid.height)
            behind = tile + -(-(end - top) // grid.tile_height) * grid.columns
            yield _Part(slice(image, image + 1), slice(top, end), slice(tile, behind))
            tile = behind


def _header_of(header: Header, part: _Part) -> Header:
    """Header of a part as a file of its own."""
    return replace(
        header, images=part.images.stop - part.images.start,
        grid=replace(header.grid, height=part.rows.stop - part.rows.start),
    )  # fmt: skip


def _fields(header: Header) -> dict[str, int]:
    """What `NativeModel.encode` is told of a header."""
    grid = header.grid
    return {
        "version": VERSION_1.version, "width": grid.width, "height": grid.height,
        "channels": EIGHT_BIT.channels, "depth": EIGHT_BIT.depth, "strip_height": grid.tile_height,
        "tile_width": grid.tile_width, "levels": header.levels, "coder": header.coder.code,
        "images": header.images, "slabs": 1,
    }  # fmt: skip


def encode_tiles(
    native: NativeModel, header: Header, images: np.ndarray, share: Share,
    progress: Callable[[int], None] | None = None,
) -> bytes | None:  # fmt: skip
    """The packets of a file, or None if the codec in C does not know how.

    Parameters
    ----------
    images:
        uint8, shape (N, H, W).
    progress:
        Called with the number of pixels just done.
    """

    def code(part: _Part) -> bytes | None:
        pixels = np.ascontiguousarray(images[part.images, part.rows])
        file = native.encode(_fields(_header_of(header, part)), pixels)
        if progress and file is not None:
            progress(pixels.size)
        return file and file[HEADER_BYTES:]

    packets = list(share(code, list(_parts(header))))
    return None if None in packets else b"".join(packets)


def decode_tiles(
    native: NativeModel, header: Header, data: bytes, start: np.ndarray, length: np.ndarray,
    share: Share, progress: Callable[[int], None] | None = None,
) -> np.ndarray | None:  # fmt: skip
    """Images, uint8 of shape (N, H, W), or None if something is damaged.

    Parameters
    ----------
    start, length:
        Of the payloads in the file, see :func:`.container.split_packets`.
    progress:
        Called with the number of pixels just done.
    """
    images = np.empty((header.images, header.grid.height, header.grid.width), dtype=np.uint8)
    ends = np.concatenate([[HEADER_BYTES], start + length]).tolist()

    def code(part: _Part) -> bool:
        own = _header_of(header, part)
        shape = own.images, own.grid.height, own.grid.width
        packets = data[ends[part.tiles.start] : ends[part.tiles.stop]]
        found = native.decode(own.pack() + packets, shape)
        if found is None:
            return False
        images[part.images, part.rows] = found
        if progress:
            progress(found.size)
        return True

    return images if all(list(share(code, list(_parts(header))))) else None
