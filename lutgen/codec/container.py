"""The container ``.lgc``: a header and the tile packets of one or many images of one size.

The header's fields stand in :mod:`lutgen.model.header`, the rules for their values in `Header`; the
packets follow it, image by image and tile by tile.

With levels, a tile's width must be a multiple of ``2 ** levels`` if there is more than one tile
side by side, and its height if there is more than one below the other: the tiles' levels, put
together, then are the image's levels.  A tile of several channels has fewer pixels, so that its
payload is no longer than one of gray.

A tile packet is the length of its payload in bytes (LEB128: seven bits a byte, low first, the
top bit set if another byte follows; two bytes at most) and the payload (:mod:`.coder`), which
begins with the coarsest level: a decoder that wants no more reads the front of each packet only.
Nothing follows the last packet.

Damage is found by the state that a tile's decoder must end in, which is no hash: some of it is
missed (:mod:`.rans`).  Version 2 of the format has a CRC (:mod:`.predictive.container`).
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from lutgen.errors import InputError
from lutgen.model.header import MAGIC, TABLES, VERSION_1, HeaderTable, magic_and_version
from lutgen.model.pyramid import MAX_LEVELS
from lutgen.model.samples import EIGHT_BIT, SampleFormat, SignificantBits
from lutgen.model.tile import MAX_TILE_SIDE, TileGrid

from .coder import RANS, Coder, coder_of

__all__ = [
    "HEADER_BYTES", "CorruptStreamError", "CorruptTileError", "Header", "pack_length",
    "read_fronts", "split_packets",
]  # fmt: skip

#: Bytes of a header of version 1.
HEADER_BYTES = VERSION_1.size
_HASH_BYTES = VERSION_1["model hash"].size
MAX_IMAGES = (1 << 32) - 1
#: Of a tile's largest level: with 14 bits each, and the levels above, within two bytes of length.
_MAX_SAMPLES = MAX_TILE_SIDE * MAX_TILE_SIDE
#: Bit of the header's byte ``levels`` from which on it holds the channels less one.
_CHANNELS_AT = 4


class CorruptStreamError(InputError):
    """A bitstream that is damaged, cut short, or not one of ours."""


class CorruptTileError(CorruptStreamError):
    """A tile whose decoder did not end in the check state at the end of the payload."""


@dataclass(frozen=True)
class Header:
    """What the container says before the first packet.

    Parameters
    ----------
    model_hash:
        First 8 bytes of the model's hash.
    grid:
        Image size and tile geometry.
    images:
        Number of images, 1..2**32 - 1.
    levels:
        Levels of the pyramid above the image, 0..3.
    coder:
        Entropy coder.
    channels:
        Samples of a pixel, 1..4.

    Raises
    ------
    InputError
        If a value is outside its range, or tiles do not split the levels or have too many samples.
    """

    model_hash: bytes
    grid: TileGrid
    images: int
    levels: int = 0
    coder: Coder = RANS
    channels: int = 1

    def __post_init__(self) -> None:
        if len(self.model_hash) != _HASH_BYTES:
            raise InputError(f"model hash must be of 8 bytes, not {len(self.model_hash)}")
        if not 1 <= self.images <= MAX_IMAGES:
            raise InputError(f"number of images must be 1 to {MAX_IMAGES}, not {self.images!r}")
        if not 0 <= self.levels <= MAX_LEVELS:
            raise InputError(f"levels must be 0 to {MAX_LEVELS}, not {self.levels!r}")
        SampleFormat(channels=self.channels)
        g, step = self.grid, 1 << self.levels
        for name, side, tiles in (
            ("width", g.tile_width, g.columns),
            ("height", g.tile_height, g.rows),
        ):
            if tiles > 1 and side % step:
                raise InputError(
                    f"tile {name} must be a multiple of {step} pixels for {self.levels} levels, "
                    f"or hold the image's whole {name}, not {side}"
                )
        if g.tile_width * g.tile_height * self.channels > _MAX_SAMPLES:
            raise InputError(
                f"tile must have at most {_MAX_SAMPLES // self.channels} pixels of {self.channels} "
                f"channels, not {g.tile_width} x {g.tile_height}"
            )

    def least_payload_bytes(self, width: int, height: int) -> int:
        """No payload of a tile of this size is shorter; see `lutgen.files.bounds`."""
        # With levels, the last pixel of a whole block may follow from its average for nothing.
        free = (width // 2) * (height // 2) if self.levels else 0
        return self.coder.least_payload_bytes(self.channels * (width * height - free))

    @property
    def bits(self) -> SignificantBits:
        """Where samples lie in the words of the decoded images, as `.predictive.container.Frame`
        has it: version 1 has 8 bits.
        """
        return SignificantBits(EIGHT_BIT.depth)

    @property
    def table(self) -> HeaderTable:
        """The fields that this header has in a file."""
        return VERSION_1

    def pack(self) -> bytes:
        """The header's bytes."""
        return self.table.pack(self._values())

    def _values(self) -> dict[str, int | bytes]:
        """The values of the table's fields."""
        return {
            "model hash": self.model_hash,
            "image width": self.grid.width,
            "image height": self.grid.height,
            "tile width": self.grid.tile_width,
            "tile height": self.grid.tile_height,
            "levels": self.levels | (self.channels - 1) << _CHANNELS_AT,
            "coder": self.coder.code,
            "images": self.images,
        }

    @classmethod
    def _from_values(cls, values: Mapping[str, Any]) -> "Header":
        """A header with these values of a table's fields; InputError as the class."""
        sides = ("image width", "image height", "tile width", "tile height")
        more, levels = divmod(values["levels"], 1 << _CHANNELS_AT)
        return cls(
            values["model hash"], TileGrid(*(values[side] for side in sides)), values["images"],
            levels, coder_of(values["coder"]), 1 + more,
        )  # fmt: skip

    @classmethod
    def unpack(cls, data: bytes) -> "Header":
        """Read the header at the start of ``data``.

        Raises
        ------
        CorruptStreamError
            If it is cut short or breaks a rule of the format.
        """
        _check_whole(data, min(table.size for table in TABLES.values()))
        magic, version = magic_and_version(data)
        if magic != MAGIC:
            raise CorruptStreamError(f"stream must start with {MAGIC!r}, not {magic!r}")
        if version not in TABLES:
            known = " or ".join(map(str, TABLES))
            raise CorruptStreamError(f"stream format version must be {known}, not {version}")
        if version != VERSION_1.version:
            raise CorruptStreamError(
                f"stream format version must be {VERSION_1.version} with this model, not "
                f"{version}: a model of profile predictive wrote it"
            )
        table = VERSION_1
        _check_whole(data, table.size)
        try:
            return cls._from_values(table.unpack(data))
        except InputError as error:
            raise CorruptStreamError(f"stream header: {error}") from None


def _check_whole(data: bytes, size: int) -> None:
    """CorruptStreamError unless the data can hold a header of so many bytes."""
    if len(data) < size:
        raise CorruptStreamError(
            f"stream must have a header of {size} bytes, not {len(data)} bytes in all"
        )


def pack_length(length: int) -> bytes:
    """LEB128 length of a payload, one or two bytes."""
    return bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])


def _check_room(bytes_: int, header: Header) -> int:
    """Number of packets, if ``bytes_`` can hold as many: checked before any is allocated for."""
    count = header.images * header.grid.tiles
    room = (bytes_ - header.table.size) // (1 + header.coder.min_payload_bytes)
    if count > room:
        raise CorruptStreamError(
            f"stream must hold {count} tile packets, but is cut short: "
            f"{bytes_} bytes have room for {max(room, 0)}"
        )
    widths, heights = _tile_sides(header.grid)
    least = sum(
        columns * rows * (1 + header.least_payload_bytes(width, height))
        for width, columns in Counter(widths).items()
        for height, rows in Counter(heights).items()
    ) * header.images + header.table.size  # fmt: skip
    if least > bytes_:
        raise CorruptStreamError(
            f"stream of {header.images} images of {header.grid.width} x {header.grid.height} must "
            f"have at least {least} bytes, but is cut short: it has {bytes_}"
        )
    return count


def _tile_sides(grid: TileGrid) -> tuple[list[int], list[int]]:
    """Width of each column of tiles, and height of each row."""

    def sides(whole: int, side: int) -> list[int]:
        return [side] * (whole // side) + [whole % side] * (whole % side > 0)

    return sides(grid.width, grid.tile_width), sides(grid.height, grid.tile_height)


def _least_payloads(header: Header) -> list[int]:
    """Shortest payload of each tile of an image, when `_check_room` has bounded their number."""
    widths, heights = _tile_sides(header.grid)
    rows = {h: [header.least_payload_bytes(w, h) for w in widths] for h in set(heights)}
    return [least for h in heights for least in rows[h]]


def _unpack_length(pair: bytes, tile: int, count: int, least: int) -> tuple[int, int]:
    """Length of a payload, and the number of bytes, 1 or 2, that say so."""
    if len(pair) < 2:
        raise CorruptStreamError(f"tile {tile} of {count}: the stream is cut short")
    size, used = pair[0], 1
    if size >= 128:
        size, used = size - 128 + (pair[1] << 7), 2
        if not 128 <= size < 1 << 14:
            raise CorruptStreamError(f"tile {tile} of {count}: its length is not LEB128")
    if size < least:
        raise CorruptStreamError(
            f"tile {tile} of {count}: payload must have at least {least} bytes, not {size}"
        )
    return size, used


def split_packets(data: bytes, header: Header) -> tuple[np.ndarray, np.ndarray]:
    """Find the payloads of all tiles.

    Returns
    -------
    (start, length):
        int64, shape (images * tiles,): byte offset into ``data`` and bytes of each payload.

    Raises
    ------
    CorruptStreamError
        If packets are cut short, have an impossible length, or something follows the last.
    """
    count = _check_room(len(data), header)
    least = _least_payloads(header)
    start = np.empty(count, dtype=np.int64)
    length = np.empty(count, dtype=np.int64)
    at = header.table.size
    for tile in range(count):
        size, used = _unpack_length(data[at : at + 2], tile, count, least[tile % len(least)])
        at += used
        if at + size > len(data):
            raise CorruptStreamError(f"tile {tile} of {count}: the stream is cut short")
        start[tile], length[tile] = at, size
        at += size
    if at != len(data):
        raise CorruptStreamError(f"stream has {len(data) - at} bytes after its last packet")
    return start, length


def read_fronts(
    file: BinaryIO, header: Header, limits: Callable[[], np.ndarray]
) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Read the front of every payload, and nothing else but the packet lengths.

    Parameters
    ----------
    file:
        Seekable, unbuffered binary file; its position does not matter.
    header:
        Header of the file.
    limits:
        Gives int64, shape (tiles,): bytes to read at most of each payload of an image.  Called when
        the file has been seen to be large enough for so many tiles.

    Returns
    -------
    (data, start, length):
        The fronts one after another, and int64, shape (images * tiles,): offset into ``data`` and
        bytes of each.

    Raises
    ------
    CorruptStreamError
        As `split_packets`, whose checks need no more than the lengths and the file's size.
    """
    end = file.seek(0, os.SEEK_END)
    count = _check_room(end, header)
    least, most = _least_payloads(header), limits()
    length = np.empty(count, dtype=np.int64)
    fronts = []
    at = header.table.size
    for tile in range(count):
        file.seek(at)
        size, used = _unpack_length(file.read(2), tile, count, least[tile % len(least)])
        at += used
        if at + size > end:
            raise CorruptStreamError(f"tile {tile} of {count}: the stream is cut short")
        length[tile] = min(size, most[tile % len(most)])
        if used == 1:
            file.seek(at)
        fronts.append(file.read(int(length[tile])))
        if len(fronts[-1]) != length[tile]:
            raise CorruptStreamError(f"tile {tile} of {count}: the stream is cut short")
        at += size
    if at != end:
        raise CorruptStreamError(f"stream has {end - at} bytes after its last packet")
    return b"".join(fronts), np.cumsum(length) - length, length
