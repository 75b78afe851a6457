import io
import re
import struct
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lutgen.codec.codec import Codec
from lutgen.codec.coder import tans
from lutgen.codec.container import (
    HEADER_BYTES,
    CorruptStreamError,
    Header,
    pack_length,
    read_fronts,
    split_packets,
)
from lutgen.model.tile import TileGrid
from tests.models import laplace_model, pyramid_laplace_model

HASH = bytes(range(8))
GOLDEN = b"LGC\x01\x00\x01\x02\x03\x04\x05\x06\x07\x2c\x01\x02\x00\x20\x10\x00\x00\x05\x00\x00\x00"


def header(images=5, grid=None):
    return Header(HASH, TileGrid(300, 2, 32, 16) if grid is None else grid, images)


def test_header_bytes():
    assert header().pack() == GOLDEN
    assert len(GOLDEN) == HEADER_BYTES == 24


@given(
    st.binary(min_size=8, max_size=8), st.integers(1, 16384), st.integers(1, 16384),
    st.integers(1, 8), st.integers(1, 8), st.integers(1, 2**32 - 1), st.integers(0, 3),
    st.binary(max_size=3),
)  # fmt: skip
def test_header_comes_back(model_hash, width, height, columns, rows, images, levels, tail):
    made = Header(model_hash, TileGrid(width, height, 8 * columns, 8 * rows), images, levels)
    assert Header.unpack(made.pack() + tail) == made


def test_levels_are_in_the_header():
    made = Header(HASH, TileGrid(300, 2, 32, 16), 5, 3)
    assert made.pack() == GOLDEN[:18] + b"\3" + GOLDEN[19:]
    assert Header.unpack(made.pack()).levels == 3
    assert Header.unpack(GOLDEN).levels == 0


def patched(offset, form, value):
    data = bytearray(GOLDEN)
    struct.pack_into("<" + form, data, offset, value)
    return bytes(data)


@pytest.mark.parametrize(("data", "message"), [
    (b"", "stream must have a header of 24 bytes, not 0 bytes in all"),
    (GOLDEN[:-1], "stream must have a header of 24 bytes, not 23 bytes in all"),
    (b"PNG" + GOLDEN[3:], "stream must start with b'LGC', not b'PNG'"),
    (patched(3, "B", 2), "stream format version must be 1 with this model, not 2: a model of "
                         "profile predictive wrote it"),
    (patched(3, "B", 3), "stream format version must be 1 or 2, not 3"),
    (patched(18, "B", 4), "stream header: levels must be 0 to 3, not 4"),
    (patched(19, "B", 1), "stream header: coder must be 0 or 8 to 12, not 1"),
    (patched(19, "B", 13), "stream header: coder must be 0 or 8 to 12, not 13"),
    (patched(12, "H", 0), "stream header: image width must be 1 to 16384 pixels, not 0"),
    (patched(12, "H", 16385), "stream header: image width must be 1 to 16384 pixels, not 16385"),
    (patched(14, "H", 0), "stream header: image height must be 1 to 16384 pixels, not 0"),
    (patched(16, "B", 0), "stream header: tile width must be 1 to 64 pixels, not 0"),
    (patched(17, "B", 65), "stream header: tile height must be 1 to 64 pixels, not 65"),
    (patched(20, "I", 0), "stream header: number of images must be 1 to 4294967295, not 0"),
])  # fmt: skip
def test_headers_that_break_a_rule(data, message):
    with pytest.raises(CorruptStreamError, match=f"^{re.escape(message)}$"):
        Header.unpack(data)


@pytest.mark.parametrize(("arguments", "message"), [
    ((b"1234567", 1), "model hash must be of 8 bytes, not 7"),
    ((HASH, 0), "number of images must be 1 to 4294967295, not 0"),
    ((HASH, 1 << 32), "number of images must be 1 to 4294967295, not 4294967296"),
    ((HASH, 1, 4), "levels must be 0 to 3, not 4"),
    ((HASH, 1, -1), "levels must be 0 to 3, not -1"),
])  # fmt: skip
def test_headers_that_cannot_be_written(arguments, message):
    model_hash, *numbers = arguments
    with pytest.raises(ValueError, match=f"^{message}$"):
        Header(model_hash, TileGrid(1, 1), *numbers)


@pytest.mark.parametrize(("grid", "levels", "message"), [
    (TileGrid(9, 9, 9, 9), 3, None),
    (TileGrid(9, 9, 8, 12), 3, None),
    (TileGrid(9, 20, 9, 16), 3, None),
    (TileGrid(16, 9, 6, 5), 0, None),
    (TileGrid(16, 9, 6, 4), 1, None),
    (TileGrid(16, 9, 6, 4), 2, "tile width must be a multiple of 4 pixels for 2 levels, or hold "
     "the image's whole width, not 6"),
    (TileGrid(16, 9, 8, 5), 1, "tile height must be a multiple of 2 pixels for 1 levels, or hold "
     "the image's whole height, not 5"),
])  # fmt: skip
def test_tiles_must_split_the_levels(grid, levels, message):
    if message is None:
        assert Header(HASH, grid, 1, levels).levels == levels
        return
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Header(HASH, grid, 1, levels)
    data = bytearray(Header(HASH, grid, 1).pack())
    data[18] = levels
    with pytest.raises(CorruptStreamError, match=f"^stream header: {re.escape(message)}$"):
        Header.unpack(bytes(data))


@pytest.mark.parametrize(("length", "packed"), [
    (3, b"\x03"), (127, b"\x7f"), (128, b"\x80\x01"), (300, b"\xac\x02"), (16383, b"\xff\x7f"),
])  # fmt: skip
def test_length_bytes(length, packed):
    assert pack_length(length) == packed


@given(st.lists(st.integers(3, 400), min_size=1, max_size=6))
def test_packets_are_found(lengths):
    one = Header(HASH, TileGrid(len(lengths), 1, 1, 1), 1)
    payloads = [bytes([i]) * n for i, n in enumerate(lengths)]
    data = one.pack() + b"".join(pack_length(len(p)) + p for p in payloads)
    start, length = split_packets(data, one)
    assert [data[s : s + n] for s, n in zip(start, length, strict=True)] == payloads


class Counted(io.BytesIO):
    """A file that remembers which bytes were read."""

    def __init__(self, data):
        super().__init__(data)
        self.seen = set()

    def read(self, size=-1):
        at = self.tell()
        data = super().read(size)
        self.seen |= set(range(at, at + len(data)))
        return data


@given(st.lists(st.integers(3, 400), min_size=1, max_size=6), st.integers(3, 300))
def test_fronts_are_found_and_nothing_else_is_read(lengths, limit):
    one = Header(HASH, TileGrid(len(lengths), 1, 1, 1), 1)
    payloads = [bytes([i]) * n for i, n in enumerate(lengths)]
    file = Counted(one.pack() + b"".join(pack_length(len(p)) + p for p in payloads))
    limits = limit + np.arange(len(lengths))
    data, start, length = read_fronts(file, one, lambda: limits)
    wanted = [p[:n] for p, n in zip(payloads, limits, strict=True)]
    assert [data[s : s + n] for s, n in zip(start, length, strict=True)] == wanted
    at, needed = HEADER_BYTES, set()
    for payload, front in zip(payloads, wanted, strict=True):
        prefix = max(2, len(pack_length(len(payload))))  # the second byte tells, or is payload
        needed |= set(range(at, at + max(prefix, len(pack_length(len(payload))) + len(front))))
        at += len(pack_length(len(payload))) + len(payload)
    assert file.seen == needed


def test_coder_is_named():
    packed = Header(HASH, TileGrid(1, 1), 1, coder=tans(10)).pack()
    assert packed[19] == 10
    assert Header.unpack(packed).coder == tans(10)


TWO = Header(HASH, TileGrid(2, 1, 1, 1), 1)


@pytest.mark.parametrize(("packets", "message"), [
    (b"", "stream must hold 2 tile packets, but is cut short: 24 bytes have room for 0"),
    (b"\x03abc\x03ab",
     "stream must hold 2 tile packets, but is cut short: 31 bytes have room for 1"),
    (b"\x07abcdefg", "tile 1 of 2: the stream is cut short"),
    (b"\x06abcdef\x03", "tile 1 of 2: the stream is cut short"),
    (b"\x06abcdef\x80", "tile 1 of 2: the stream is cut short"),
    (b"\x05abcde\x04abc", "tile 1 of 2: the stream is cut short"),
    (b"\xff\x7fabcdef", "tile 0 of 2: the stream is cut short"),
    (b"\x02ab\x03abcde", "tile 0 of 2: payload must have at least 3 bytes, not 2"),
    (b"\x00\x03abc\x03abc", "tile 0 of 2: payload must have at least 3 bytes, not 0"),
    (b"\x83\x00abc\x03abc", "tile 0 of 2: its length is not LEB128"),
    (b"\x80\x80abc\x03abc", "tile 0 of 2: its length is not LEB128"),
    (b"\x03abc\x03abcd", "stream has 1 bytes after its last packet"),
])  # fmt: skip
def test_packets_that_break_a_rule(packets, message):
    with pytest.raises(CorruptStreamError, match=f"^{re.escape(message)}$"):
        split_packets(TWO.pack() + packets, TWO)
    with pytest.raises(CorruptStreamError, match=f"^{re.escape(message)}$"):
        read_fronts(io.BytesIO(TWO.pack() + packets), TWO, lambda: np.array([3, 3]))


def test_absurd_counts_are_refused_before_any_allocation():
    huge = Header(HASH, TileGrid(16384, 16384, 1, 1), 2**32 - 1)
    with pytest.raises(CorruptStreamError, match="^stream must hold 1152921504338411520 tile"):
        split_packets(huge.pack() + bytes(100), huge)


@pytest.mark.parametrize("level", [0, 1])
def test_a_header_alone_allocates_nothing(level):
    """A file of 24 bytes that claims 67 million tiles, of a model with levels."""
    model = pyramid_laplace_model()
    codec = Codec(model, threads=1)
    claim = Header(bytes.fromhex(model.hash)[:8], TileGrid(16384, 16384, 4, 4), 1, model.levels)
    tracemalloc.start()
    try:
        with pytest.raises(CorruptStreamError, match=r"^stream must hold 16777216 tile packets"):
            codec.decode(claim.pack(), level=level)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_pixels_are_paid_for():
    """Packets as short as the state alone would be 1,024 pixels per byte of rANS."""
    one = Header(HASH, TileGrid(640, 640, 64, 64), 1)
    least = HEADER_BYTES + 100 * 11
    message = f"^stream of 1 images of 640 x 640 must have at least {least} bytes, but is cut short"
    with pytest.raises(CorruptStreamError, match=message):
        split_packets(one.pack() + 100 * b"\x03abc", one)
    data = one.pack() + 99 * (b"\x0a" + bytes(10)) + b"\x09" + bytes(9)
    with pytest.raises(CorruptStreamError, match="^tile 99 of 100: payload must have at least 10 "):
        split_packets(data + b"\x00", one)
    split_packets(one.pack() + 100 * (b"\x0a" + bytes(10)), one)


def test_a_coder_that_the_model_cannot_have_is_damage():
    model = laplace_model()
    codec = Codec(model, threads=1)
    data = bytearray(codec.encode(np.zeros((4, 4), dtype=np.uint8)).data)
    data[19] = 9
    for file in (bytes(data), io.BytesIO(bytes(data))):
        with pytest.raises(CorruptStreamError, match="^stream must be coded with a coder that its"):
            codec.decode(file)
    codec = Codec(replace(pyramid_laplace_model(), constraint=True), threads=1)
    data = bytearray(codec.encode(np.zeros((4, 4), dtype=np.uint8)).data)
    data[19] = 12
    with pytest.raises(CorruptStreamError, match="pooling constraint"):
        codec.decode(bytes(data), level=1)
