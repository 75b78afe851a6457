"""The container ``.lgc``: a header and the tile packets of one or many images of one size.

====== ===== ==========================================================
offset bytes content, little-endian
====== ===== ==========================================================
0      3     magic ``LGC``
3      1     format version, 1
4      8     first 8 bytes of the model's hash
12     2     image width, 1..16384
14     2     image height, 1..16384
16     1     tile width, 1..64
17     1     tile height, 1..64
18     2     reserved, zero
20     4     number of images, at least 1
24     ...   tile packets: image by image, tile by tile
====== ===== ==========================================================

A tile packet is the length of its payload in bytes (LEB128: seven bits a byte, low first, the
top bit set if another byte follows; two bytes at most) and the payload (:mod:`.rans`).
Nothing follows the last packet.
"""

import struct
from dataclasses import dataclass

import numpy as np

from .rans import STATE_BITS
from .tile import TileGrid

__all__ = [
    "HEADER_BYTES", "VERSION", "CorruptStreamError", "Header", "pack_length", "split_packets",
]  # fmt: skip

VERSION = 1
_MAGIC = b"LGC"
_LAYOUT = struct.Struct("<3sB8sHHBBHI")
HEADER_BYTES = _LAYOUT.size
_HASH_BYTES = 8
MIN_PAYLOAD_BYTES = (STATE_BITS + 1 + 7) // 8
MAX_IMAGES = (1 << 32) - 1


class CorruptStreamError(ValueError):
    """A bitstream that is damaged, cut short, or not one of ours."""


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
    """

    model_hash: bytes
    grid: TileGrid
    images: int

    def __post_init__(self) -> None:
        if len(self.model_hash) != _HASH_BYTES:
            raise ValueError(f"model hash must be of 8 bytes, not {len(self.model_hash)}")
        if not 1 <= self.images <= MAX_IMAGES:
            raise ValueError(f"number of images must be 1 to {MAX_IMAGES}, not {self.images!r}")

    def pack(self) -> bytes:
        """The header's 24 bytes."""
        g = self.grid
        return _LAYOUT.pack(
            _MAGIC, VERSION, self.model_hash, g.width, g.height, g.tile_width, g.tile_height, 0,
            self.images,
        )  # fmt: skip

    @classmethod
    def unpack(cls, data: bytes) -> "Header":
        """Read the header at the start of ``data``.

        Raises
        ------
        CorruptStreamError
            If it is cut short or breaks a rule of the format.
        """
        if len(data) < HEADER_BYTES:
            raise CorruptStreamError(
                f"stream must have a header of {HEADER_BYTES} bytes, not {len(data)} bytes in all"
            )
        magic, version, model_hash, w, h, tw, th, reserved, images = _LAYOUT.unpack_from(data)
        if magic != _MAGIC:
            raise CorruptStreamError(f"stream must start with {_MAGIC!r}, not {magic!r}")
        if version != VERSION:
            raise CorruptStreamError(f"stream format version must be {VERSION}, not {version}")
        if reserved:
            raise CorruptStreamError(f"reserved header bytes must be 0, not {reserved}")
        try:
            return cls(model_hash, TileGrid(w, h, tw, th), images)
        except ValueError as error:
            raise CorruptStreamError(f"stream header: {error}") from None


def pack_length(length: int) -> bytes:
    """LEB128 length of a payload, one or two bytes."""
    return bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])


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
    count = header.images * header.grid.tiles
    # Every packet takes at least four bytes: refuse absurd counts before allocating for them.
    room = (len(data) - HEADER_BYTES) // (1 + MIN_PAYLOAD_BYTES)
    if count > room:
        raise CorruptStreamError(
            f"stream must hold {count} tile packets, but is cut short: "
            f"{len(data)} bytes have room for {max(room, 0)}"
        )
    start = np.empty(count, dtype=np.int64)
    length = np.empty(count, dtype=np.int64)
    at = HEADER_BYTES
    for tile in range(count):
        if at + 2 > len(data):
            raise CorruptStreamError(f"tile {tile} of {count}: the stream is cut short")
        size = data[at]
        at += 1
        if size >= 128:
            size = size - 128 + (data[at] << 7)
            at += 1
            if not 128 <= size < 1 << 14:
                raise CorruptStreamError(f"tile {tile} of {count}: its length is not LEB128")
        if size < MIN_PAYLOAD_BYTES:
            raise CorruptStreamError(
                f"tile {tile} of {count}: payload must have at least {MIN_PAYLOAD_BYTES} bytes, "
                f"not {size}"
            )
        if at + size > len(data):
            raise CorruptStreamError(f"tile {tile} of {count}: the stream is cut short")
        start[tile], length[tile] = at, size
        at += size
    if at != len(data):
        raise CorruptStreamError(f"stream has {len(data) - at} bytes after its last packet")
    return start, length
