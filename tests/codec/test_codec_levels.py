"""The codec of a pyramid, against a naive one and against literal streams."""

import io
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.codec import rans
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS
from lutgen.codec.container import (
    HEADER_BYTES,
    CorruptStreamError,
    Header,
    pack_length,
    split_packets,
)
from lutgen.codec.rans import CHECK_STATE
from lutgen.model.constraint import exponents
from lutgen.model.head import TableHead
from lutgen.model.model import Model
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.pyramid import pyramid
from lutgen.model.tile import TileGrid
from lutgen.model.upsample import Upsampler
from lutgen.model.window import Window
from tests.codec.test_codec import misses, picture
from tests.model.test_constraint import naive as naive_bounds
from tests.models import pyramid_laplace_model, pyramid_table_model, random_upsampler, table_model

MODELS = {
    "table": lambda: pyramid_table_model(0),
    "small": lambda: pyramid_table_model(1, levels=1, size=3, ups_size=7),
    "deep": lambda: pyramid_table_model(2, levels=3, size=7, ups_size=3),
    "laplace": lambda: pyramid_laplace_model(3),
    "constrained": lambda: pyramid_table_model(4, levels=3, constraint=True),
    "constrained laplace": lambda: pyramid_laplace_model(5, levels=1, constraint=True),
}


@cache
def codec(name, threads=None):
    return Codec(MODELS[name](), threads=threads)


every_model = pytest.mark.parametrize("name", MODELS)


def naive_intervals(model, tile):
    """Start and end of the interval of each pixel, in coding order, by level."""
    table = model.head.cumulative.tolist()
    exponent = exponents(model.head.cumulative)
    levels = list(zip(model.level_features(tile), pyramid(tile, model.levels), strict=True))
    found = []
    for level, (features, pixels) in enumerate(levels):
        classes = model.classify(features.reshape(len(features), -1)).reshape(pixels.shape)
        found.append([])
        for (y, x), symbol in np.ndenumerate(pixels):
            row, k, symbol = classes[y, x], int(symbol), int(symbol)
            bounds = table[row]
            if model.constraint and level < model.levels and y % 2 and x % 2:
                parent = int(levels[level + 1][1][y // 2, x // 2])
                base = 4 * parent - 2 - int(pixels[y - 1 : y + 1, x - 1 : x + 1].sum()) + symbol
                k, bounds = symbol - base, naive_bounds(exponent[row], base)
            found[-1].append(tuple(bounds[k : k + 2]))
    return found


def naive_payload(model, tile):
    """Payload of one tile: the definition, with a string of bits."""
    coded = [interval for level in reversed(naive_intervals(model, tile)) for interval in level]
    state, bits = CHECK_STATE, ""
    for start, end in reversed(coded):
        state, low, count = rans.push.py_func(state, start, end - start)
        bits = (f"{low:0{count}b}" if count else "") + bits
    bits = f"{state:017b}" + bits
    bits = "0" * (-len(bits) % 8) + bits
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@every_model
def test_payloads_are_those_of_the_definition(name):
    rng = np.random.default_rng(5)
    images = picture(rng, (2, 21, 19))
    c = codec(name)
    encoded = c.encode(images, tile=(16, 8))
    header = Header.unpack(encoded.data)
    levels = c.model.levels
    assert header == Header(bytes.fromhex(c.model.hash)[:8], TileGrid(19, 21, 16, 8), 2, levels)
    start, length = split_packets(encoded.data, header)
    wanted = [naive_payload(c.model, image[r, x]) for image in images for r, x in header.grid]
    assert [encoded.data[s : s + n] for s, n in zip(start, length, strict=True)] == wanted
    assert encoded.payload_bytes == length.sum()


# --- literal streams: a change here is a new version of the format (CHANGELOG.md)

GOLDEN_IMAGE = np.array(
    [[0, 0, 255, 254, 3, 9], [0, 17, 200, 255, 0, 7], [9, 0, 0, 128, 1, 0]], dtype=np.uint8
)


def golden_model():
    """Made of small integers alone: the same on every machine."""
    freq = 1 + (np.arange(256)[None, :] * np.array([3, 5, 7, 11])[:, None]) % 97
    freq[:, 0] += (1 << 14) - freq.sum(axis=1)
    arm = NetlistBuilder(25)
    bits = [arm.input(f, t) for f, t in ((7, 100), (11, 5), (12, 60), (13, 200), (17, 30), (24, 9))]
    one = arm.node(bits, 0x8F3A_6C21_D5B0_94E7)
    arm.output("index", [one, arm.node([one, bits[2], bits[3]], 0b1011_0010)])
    ups = NetlistBuilder(9)
    bits = [ups.input(f, t) for f, t in ((4, 0), (4, 20), (4, 90), (4, 180), (5, 60), (7, 60))]
    for name, count in (("p0", 4), ("p1", 5), ("p2", 6), ("p3", 3)):
        ups.output(name, bits[:count])
    head = TableHead(np.pad(np.cumsum(freq, axis=1), ((0, 0), (1, 0))))
    return Model(
        "pyramid", Window(5, prior=True), arm.build(), None, head, {}, 2,
        Upsampler(3, ups.build()),
    )  # fmt: skip


GOLDEN = {
    False: (
        "2795b0188f75a5ebd092111b3ce3fedf8cbe6834c561981e8857be1d1d9a3f57",
        "4c4743012795b018 8f75a5eb06000300 0403020001000000 1101ddff3a59cee2 "
        "8b078ccc0bfc7f72 43000c014f58dbc7 f8afabcb1d4e80",
    ),
    True: (
        "3cd294fedc3e691fa436debc632c3e8fdcf48b471349074ac234f762fd9da009",
        "4c4743013cd294fe dc3e691f06000300 0403020001000000 0e08f24d12ff2e81 "
        "571a07ff7243000b 029eb1b78ff15fe4 8d4e80",
    ),
}


@pytest.mark.parametrize("constraint", GOLDEN)
def test_golden_streams(constraint):
    c = Codec(replace(golden_model(), constraint=constraint))
    model_hash, stream = GOLDEN[constraint]
    assert c.model.hash == model_hash
    encoded = c.encode(GOLDEN_IMAGE, tile=(4, 3))
    assert encoded.data.hex(" ", -8) == stream
    np.testing.assert_array_equal(c.decode(encoded.data)[0], GOLDEN_IMAGE)


# --- round trips


def check_round_trip(c, images, tile):
    encoded = c.encode(images, tile=tile)
    assert HEADER_BYTES + encoded.payload_bytes < len(encoded.data)
    stack = images if images.ndim == 3 else images[None]
    for level, wanted in enumerate(pyramid(stack, c.model.levels)):
        decoded = c.decode(encoded.data, level=level)
        assert decoded.dtype == np.uint8
        np.testing.assert_array_equal(decoded, wanted)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)), st.integers(0, 2**32), st.integers(1, 3),
    st.integers(1, 71), st.integers(1, 71), st.integers(1, 64), st.integers(1, 64),
)  # fmt: skip
def test_round_trip(name, seed, count, height, width, tile_width, tile_height):
    images = picture(np.random.default_rng(seed), (count, height, width))
    c = codec(name)
    step = 1 << c.model.levels
    sides = [
        side if side >= whole else -(-side // step) * step
        for side, whole in ((tile_width, width), (tile_height, height))
    ]
    check_round_trip(c, images, tuple(sides))


@every_model
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 67), (67, 1), (3, 101), (97, 5)])
def test_round_trip_of_thin_images(name, shape):
    image = picture(np.random.default_rng(7), shape)
    for tile in ((32, 32), (64, 64), (8, 8), (8, 64), (64, 24)):
        check_round_trip(codec(name), image, tile)


@every_model
@pytest.mark.parametrize("value", [0, 255])
def test_flat_images(name, value):
    check_round_trip(codec(name), np.full((40, 33), value, dtype=np.uint8), (32, 32))


@pytest.mark.parametrize("shape", [(3, 16384), (16384, 3)])
def test_greatest_sides(shape):
    image = picture(np.random.default_rng(8), shape)
    check_round_trip(codec("deep"), image, (64, 64))


def extreme_model(levels=3):
    """One symbol is almost certain, all others take 14 bits."""
    freq = np.ones((2, 256), np.int64)
    freq[:, 0] = (1 << 14) - 255
    head = TableHead(np.pad(np.cumsum(freq, axis=1), ((0, 0), (1, 0))))
    arm = NetlistBuilder(25)
    arm.output("index", [arm.input(0, 0)])
    return Model(
        "extreme", Window(5, prior=True), arm.build(), None, head, {}, levels,
        random_upsampler(np.random.default_rng(0)),
    )  # fmt: skip


def test_longest_codes_fit():
    c = Codec(extreme_model())
    image = np.full((64, 128), 77, dtype=np.uint8)
    encoded = c.encode(image, tile=(64, 64))
    assert encoded.payload_bytes == 2 * RANS.max_payload_bytes(4096 + 1024 + 256 + 64)
    check_round_trip(c, image, (64, 64))


def test_a_tile_does_not_know_its_neighbours():
    rng = np.random.default_rng(9)
    image = picture(rng, (48, 48))
    other = image.copy()
    other[:, 16:32] = picture(rng, (48, 16))
    c = codec("table")
    found = []
    for picture_ in (image, other, image[:, :16]):
        data = c.encode(picture_, tile=(16, 16)).data
        start, length = split_packets(data, Header.unpack(data))
        found.append([data[s : s + n] for s, n in zip(start, length, strict=True)])
    assert found[0][0::3] == found[1][0::3] == found[2]
    assert found[0][2::3] == found[1][2::3]
    assert not set(found[0][1::3]) & set(found[1][1::3])


@every_model
def test_threads_change_nothing(name):
    images = picture(np.random.default_rng(10), (5, 70, 50))
    one, many = codec(name, 1), codec(name, 3)
    data = one.encode(images, tile=(8, 16)).data
    assert many.encode(images, tile=(8, 16)).data == data
    for level in range(one.model.levels + 1):
        np.testing.assert_array_equal(
            one.decode(data, level=level), many.decode(data, level=level)
        )


@every_model
def test_ideal_bits_of_each_level(name):
    images = picture(np.random.default_rng(12), (3, 31, 32))
    c = codec(name)
    encoded = c.encode(images)
    wanted = np.zeros(c.model.levels + 1)
    for image in images:
        for level, intervals in enumerate(naive_intervals(c.model, image)):
            wanted[level] += 14 * len(intervals) - np.log2(np.diff(intervals)).sum()
    assert encoded.level_bits == pytest.approx(wanted.tolist())
    assert encoded.ideal_bits == sum(encoded.level_bits)
    assert abs(8 * encoded.payload_bytes / encoded.ideal_bits - 1) < 0.05


def test_a_model_without_levels_has_one():
    c = Codec(table_model())
    encoded = c.encode(picture(np.random.default_rng(12), (8, 8)))
    assert encoded.level_bits == (encoded.ideal_bits,)


@pytest.mark.parametrize("threads", [1, 3])
def test_progress_adds_up(threads):
    images = np.zeros((70, 9, 9), dtype=np.uint8)
    c = codec("table", threads)
    steps = []
    data = c.encode(images, tile=(4, 4), progress=steps.append).data
    assert sum(steps) == images.size
    for level, pixels in enumerate((81, 25, 9)):
        steps.clear()
        c.decode(data, level=level, progress=steps.append)
        assert sum(steps) == 70 * pixels


# --- coarser levels


class Counted(io.FileIO):
    """An unbuffered file that counts the bytes that are read."""

    count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("make", [lambda: pyramid_laplace_model(5), lambda: extreme_model(2)])
def test_a_coarse_level_reads_no_more_than_it_needs(make, tmp_path):
    c = Codec(make())
    images = picture(np.random.default_rng(16), (9, 64, 96))
    data = c.encode(images).data
    tiles = 9 * 6
    (tmp_path / "a.lgc").write_bytes(data)
    for level, pixels in ((2, 64), (1, 64 + 256)):
        with Counted(tmp_path / "a.lgc") as file:
            decoded = c.decode(file, level=level)
        np.testing.assert_array_equal(decoded, pyramid(images, 2)[level])
        bound = HEADER_BYTES + tiles * (2 + (7 + 17 + 14 * pixels + 7) // 8)
        assert HEADER_BYTES + 5 * tiles < file.count <= bound
        assert bound < len(data) / 2 or level == 1
    with Counted(tmp_path / "a.lgc") as file:
        np.testing.assert_array_equal(c.decode(file), images)
    assert file.count == len(data)


def test_nothing_of_the_finer_levels_matters():
    """All bytes behind the fronts may be lost."""
    c = codec("table")
    images = picture(np.random.default_rng(17), (2, 32, 64))
    data = bytearray(c.encode(images).data)
    start, length = split_packets(bytes(data), Header.unpack(bytes(data)))
    for s, n in zip(start, length, strict=True):
        front = (7 + 17 + 14 * 64 + 7) // 8
        assert front < n
        data[s + front : s + n] = bytes(int(n) - front)
    np.testing.assert_array_equal(c.decode(bytes(data), level=2), pyramid(images, 2)[2])
    with pytest.raises(CorruptStreamError):
        c.decode(bytes(data), level=0)


class Pipe(io.BytesIO):
    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError("not seekable")


def test_files(tmp_path):
    c = codec("table")
    images = picture(np.random.default_rng(18), (2, 20, 30))
    data = c.encode(images).data
    (tmp_path / "a.lgc").write_bytes(data)
    for level, wanted in enumerate(pyramid(images, 2)):
        np.testing.assert_array_equal(c.decode(Pipe(data), level=level), wanted)
        for buffering in (0, -1):
            with open(tmp_path / "a.lgc", "rb", buffering=buffering) as file:
                np.testing.assert_array_equal(c.decode(file, level=level), wanted)


@pytest.mark.parametrize(("model", "level", "levels"), [
    (pyramid_table_model, 3, 2), (pyramid_table_model, -1, 2), (pyramid_table_model, 1.0, 2),
    (pyramid_table_model, True, 2), (table_model, 1, 0),
])  # fmt: skip
def test_levels_that_a_model_has_not(model, level, levels):
    c = Codec(model())
    data = c.encode(np.zeros((4, 4), np.uint8)).data
    message = f"level must be 0 to {levels}, the model's levels, not {level!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        c.decode(data, level=level)


# --- what is refused


@pytest.mark.parametrize(("shape", "tile", "message"), [
    ((8, 33), (6, 8), "tile width must be a multiple of 4 pixels for 2 levels, or hold the image's "
     "whole width, not 6"),
    ((33, 8), (8, 33 - 1 - 2), "tile height must be a multiple of 4 pixels for 2 levels, or hold "
     "the image's whole height, not 30"),
])  # fmt: skip
def test_tiles_that_do_not_split_the_levels(shape, tile, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        codec("table").encode(np.zeros(shape, np.uint8), tile=tile)


@pytest.mark.parametrize("levels", [0, 1, 3])
def test_levels_of_a_stream_are_its_models(levels):
    c = codec("table")
    data = bytearray(c.encode(np.zeros((8, 8), np.uint8)).data)
    data[18] = levels
    message = f"stream must have its model's 2 levels, not {levels}"
    for level in range(3):
        with pytest.raises(CorruptStreamError, match=f"^{message}$"):
            c.decode(bytes(data), level=level)


def test_levels_of_a_stream_of_a_model_without():
    c = Codec(table_model())
    data = bytearray(c.encode(np.zeros((8, 8), np.uint8)).data)
    data[18] = 2
    with pytest.raises(CorruptStreamError, match="^stream must have its model's 0 levels, not 2$"):
        c.decode(bytes(data))


def test_a_corrupt_tile_is_named():
    images = picture(np.random.default_rng(13), (2, 8, 24))
    c = codec("table")
    data = bytearray(c.encode(images, tile=(8, 8)).data)
    start, _ = split_packets(bytes(data), Header.unpack(bytes(data)))
    data[start[4] + 5] ^= 1
    message = "image 1, tile 1 is corrupt: its decoder did not end in the check state"
    with pytest.raises(CorruptStreamError, match=f"^{message}$"):
        c.decode(bytes(data))


@every_model
def test_a_changed_byte_is_an_error_or_an_image(name):
    tried, _ = misses(codec(name, 1), picture(np.random.default_rng(14), (13, 10)), (8, 13), 0)
    assert tried > 100


@pytest.mark.slow
def test_a_changed_byte_is_detected():
    """A model that fits: the state remembers, and 999 of 1000 changes are found."""
    rng = np.random.default_rng(15)
    y, x = np.indices((24, 24))
    grey = [128 + 120 * np.sin((y * a + x * b) / 9 + c) for a, b, c in rng.uniform(-2, 2, (30, 3))]
    noise = rng.normal(0, 20, (30, 24, 24))
    images = (np.clip(np.array(grey) + noise, 0, 255) // 64 * 64).astype(np.uint8)
    model = pyramid_table_model()
    counts = np.full((model.head.classes, 256), 0.1)
    for features, pixels in zip(model.level_features(images), pyramid(images, 2), strict=True):
        np.add.at(counts, (model.classify(features.reshape(25, -1)), pixels.ravel()), 1)
    model = replace(model, head=TableHead.from_counts(counts))
    tried, missed = misses(Codec(model, threads=1), images[0], (32, 32), 3)
    assert tried > 1000
    assert missed <= tried // 1000


@every_model
def test_every_truncation_and_extension_is_detected(name):
    image = picture(np.random.default_rng(15), (13, 12))
    c = codec(name, 1)
    data = c.encode(image, tile=(12, 8)).data
    for level in {0, c.model.levels}:
        for end in range(len(data)):
            with pytest.raises(CorruptStreamError):
                c.decode(data[:end], level=level)
        for tail in (b"\0", b"\xff", bytes(40), data):
            with pytest.raises(CorruptStreamError):
                c.decode(data + tail, level=level)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)), st.integers(1, 24), st.integers(1, 24), st.integers(1, 3),
    st.binary(max_size=600), st.integers(0, 2**32),
)  # fmt: skip
def test_rubbish_is_refused(name, width, height, images, rubbish, seed):
    """Payloads of any bytes whose packets are well formed; nothing is read out of bounds."""
    c = codec(name, 1)
    grid = TileGrid(width, height, 16, 16)
    levels = c.model.levels
    header = Header(bytes.fromhex(c.model.hash)[:8], grid, images, levels).pack()
    for level in range(levels + 1):
        with pytest.raises(CorruptStreamError):
            c.decode(header + rubbish, level=level)
    rng = np.random.default_rng(seed)
    packets, empty = b"", False
    for _ in range(images * grid.tiles):
        some = [bytes(3), b"\xff\xff\xff", rng.bytes(3), rng.bytes(40), rng.bytes(150), bytes(100)]
        payload = some[rng.integers(len(some))]
        empty |= payload[:1] == b"\0"
        packets += pack_length(len(payload)) + payload
    with pytest.raises(CorruptStreamError):
        c.decode(header + packets)
    for level in range(1, levels + 1):  # no check, hence no error but for what cannot begin
        if empty:
            with pytest.raises(CorruptStreamError):
                c.decode(header + packets, level=level)
        else:
            sides = (-(-height >> level), -(-width >> level))
            assert c.decode(header + packets, level=level).shape == (images, *sides)
