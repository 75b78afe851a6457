"""PNG files made by hand, with the faults that tests ask for."""

import struct
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=8, colour=0, extra=b"", rows=None):
    """A PNG of zeros."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    row = b"\0" + bytes(-(-width * channels * depth // 8))
    return b"".join([
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        extra,
        chunk(b"IDAT", zlib.compress(row * (height if rows is None else rows))),
        chunk(b"IEND", b""),
    ])
