"""The whole codec, against a naive one and against literal streams."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.codec import rans
from lutgen.codec.codec import Codec, ModelMismatchError
from lutgen.codec.container import (
    HEADER_BYTES,
    CorruptStreamError,
    CorruptTileError,
    Header,
    split_packets,
)
from lutgen.codec.rans import CHECK_STATE
from lutgen.model.head import LaplaceHead, TableHead
from lutgen.model.model import Model
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.tile import TileGrid
from lutgen.model.walker import Walker, WalkerStage
from lutgen.model.window import Window
from tests.models import laplace_model, table_model

MODELS = {
    "walker": lambda: table_model(0),
    "table": lambda: table_model(1, size=3, walker=False),
    "wide": lambda: table_model(2, size=7),
    "laplace": lambda: laplace_model(3),
}


@cache
def codec(name, threads=None):
    return Codec(MODELS[name](), threads=threads)


every_model = pytest.mark.parametrize("name", MODELS)


def picture(rng, shape):
    """Smooth ground, noise and flat parts, so that long and short codes occur."""
    y, x = np.indices(shape[-2:])
    ground = (y * rng.integers(9) + x * rng.integers(9)) % 256
    noise = rng.integers(0, rng.choice([2, 30, 256]), shape)
    return np.where(rng.random(shape) < 0.5, ground, noise).astype(np.uint8)


def naive_payload(model, tile):
    """Payload of one tile: the definition, with a string of bits."""
    features = model.window.extract(tile).reshape(model.window.features, -1)
    table = model.head.cumulative.tolist()
    classes = model.classify(features).tolist()
    state, bits = CHECK_STATE, ""
    for row, symbol in reversed(list(zip(classes, tile.ravel().tolist(), strict=True))):
        start, end = table[row][symbol : symbol + 2]
        state, low, count = rans.push.py_func(state, start, end - start)
        bits = (f"{low:0{count}b}" if count else "") + bits
    bits = f"{state:017b}" + bits
    bits = "0" * (-len(bits) % 8) + bits
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@every_model
def test_payloads_are_those_of_the_definition(name):
    rng = np.random.default_rng(5)
    images = picture(rng, (2, 11, 17))
    c = codec(name)
    encoded = c.encode(images, tile=(7, 4))
    header = Header.unpack(encoded.data)
    assert header == Header(bytes.fromhex(c.model.hash)[:8], TileGrid(17, 11, 7, 4), 2)
    start, length = split_packets(encoded.data, header)
    wanted = [naive_payload(c.model, image[r, x]) for image in images for r, x in header.grid]
    assert [encoded.data[s : s + n] for s, n in zip(start, length, strict=True)] == wanted
    assert encoded.payload_bytes == length.sum()


# --- literal streams: a change here is a new version of the format (CHANGELOG.md)

GOLDEN_IMAGE = np.array(
    [[0, 0, 255, 254, 3], [0, 17, 200, 255, 0], [9, 0, 0, 128, 1]], dtype=np.uint8
)


def golden_netlist(groups):
    builder = NetlistBuilder(12)
    bits = [builder.input(f, t) for f, t in ((7, 100), (11, 5), (6, 0), (11, 200), (2, 30), (8, 9))]
    one = builder.node(bits, 0x8F3A_6C21_D5B0_94E7)
    nodes = [*bits, one, builder.node([one, bits[0], bits[3]], 0b1011_0010)]
    for name, ids in groups.items():
        builder.output(name, [nodes[i] for i in ids])
    return builder.build()


def golden_table_model():
    """Made of small integers alone: the same on every machine."""
    freq = 1 + (np.arange(256)[None, :] * np.array([3, 5, 7, 11, 13])[:, None]) % 97
    freq[:, 0] += (1 << 14) - freq.sum(axis=1)
    walker = Walker([
        WalkerStage([[11, 7, 6], [10, 0, 1], [4, 5, 3], [9, 8, 2]],
                    [[3, 0, 90], [7, 255, 20], [128, 1, 2], [250, 16, 0]], [0, 1, 1, 0]),
        WalkerStage(np.arange(24).reshape(8, 3) % 12, np.arange(24).reshape(8, 3) * 11,
                    np.arange(32).reshape(8, 4) % 5),
    ])  # fmt: skip
    head = TableHead(np.pad(np.cumsum(freq, axis=1), ((0, 0), (1, 0))))
    return Model(
        "raster-table", Window(5), golden_netlist({"index": [6, 7]}), walker, head, {}
    )


def golden_laplace_model():
    t = np.arange(-512, 512)
    scale = np.array([2, 9, 60])[:, None]
    cdf = 8064 + 8064 * t // (abs(t) + scale)  # any shape will do
    head = LaplaceHead(np.array([0, 100, 201, 333, 510]), np.array([0, 1, 1, 2]), cdf)
    return Model(
        "raster-laplace", Window(5),
        golden_netlist({"mu": [0, 2, 6, 4], "sigma": [7, 1, 5]}), None, head, {},
    )  # fmt: skip


GOLDEN = {
    golden_table_model: (
        "4c47430196fd26bd 3efe6bd905000300 0402000001000000 08815a9c78019fd4 "
        "000418f848b00514 ffff06800410f750 00"
    ),
    golden_laplace_model: (
        "4c47430143ac323e 2a3664e405000300 0402000001000000 0a281cf239e0f96b "
        "77d8800460b083a0 0650c7850a380004 040ab400"
    ),
}


@pytest.mark.parametrize("make", GOLDEN)
def test_golden_streams(make):
    c = Codec(make())
    encoded = c.encode(GOLDEN_IMAGE, tile=(4, 2))
    assert encoded.data.hex(" ", -8) == GOLDEN[make]
    np.testing.assert_array_equal(c.decode(encoded.data)[0], GOLDEN_IMAGE)


# --- round trips


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)), st.integers(0, 2**32), st.integers(1, 3),
    st.integers(1, 71), st.integers(1, 71), st.integers(1, 64), st.integers(1, 64),
)  # fmt: skip
def test_round_trip(name, seed, count, height, width, tile_width, tile_height):
    images = picture(np.random.default_rng(seed), (count, height, width))
    c = codec(name)
    encoded = c.encode(images, tile=(tile_width, tile_height))
    np.testing.assert_array_equal(c.decode(encoded.data), images)
    assert HEADER_BYTES + encoded.payload_bytes < len(encoded.data)


@every_model
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 67), (67, 1), (3, 101), (97, 5)])
def test_round_trip_of_thin_images(name, shape):
    image = picture(np.random.default_rng(7), shape)
    for tile in ((32, 32), (64, 64), (1, 1), (5, 64), (64, 3)):
        c = codec(name)
        decoded = c.decode(c.encode(image, tile=tile).data)
        np.testing.assert_array_equal(decoded[0], image)


@pytest.mark.parametrize("shape", [(3, 16384), (16384, 3)])
def test_greatest_sides(shape):
    image = picture(np.random.default_rng(8), shape)
    c = codec("walker")
    np.testing.assert_array_equal(c.decode(c.encode(image, tile=(64, 64)).data)[0], image)


@every_model
@pytest.mark.parametrize("value", [0, 255])
def test_flat_images(name, value):
    image = np.full((40, 33), value, dtype=np.uint8)
    c = codec(name)
    np.testing.assert_array_equal(c.decode(c.encode(image).data)[0], image)


def test_longest_codes_fit():
    """An image of the rarest symbol alone takes 14 bits a pixel."""
    freq = np.ones((2, 256), np.int64)
    freq[:, 0] = (1 << 14) - 255
    head = TableHead(np.pad(np.cumsum(freq, axis=1), ((0, 0), (1, 0))))
    model = Model("raster-table", Window(5), golden_netlist({"index": [0]}), None, head, {})
    image = np.full((64, 128), 77, dtype=np.uint8)
    c = Codec(model)
    encoded = c.encode(image, tile=(64, 64))
    assert encoded.payload_bytes == 2 * 7171
    np.testing.assert_array_equal(c.decode(encoded.data)[0], image)


def test_a_tile_does_not_know_its_neighbours():
    rng = np.random.default_rng(9)
    image = picture(rng, (48, 48))
    other = image.copy()
    other[:, 16:32] = picture(rng, (48, 16))
    c = codec("walker")
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
    np.testing.assert_array_equal(one.decode(data), images)
    np.testing.assert_array_equal(many.decode(data), images)


def test_views_and_read_only_images():
    image = picture(np.random.default_rng(11), (60, 40))
    c = codec("walker")
    for view in (image[::2, ::-1], image.T, np.asfortranarray(image)):
        np.testing.assert_array_equal(c.decode(c.encode(view).data)[0], view)
    frozen = np.frombuffer(image.tobytes(), dtype=np.uint8).reshape(image.shape)
    assert c.encode(frozen).data == c.encode(image).data
    assert image.flags.writeable


@every_model
def test_ideal_bits_are_the_code_lengths(name):
    image = picture(np.random.default_rng(12), (32, 32))
    c = codec(name)
    encoded = c.encode(image)
    features = c.model.window.extract(image).reshape(c.model.window.features, -1)
    bits = c.model.head.code_length(c.model.classify(features), image.ravel()).sum()
    assert encoded.ideal_bits == pytest.approx(bits)
    assert abs(8 * encoded.payload_bytes / bits - 1) < 0.05


@pytest.mark.parametrize("threads", [1, 3])
def test_progress_adds_up(threads):
    images = np.zeros((70, 9, 9), dtype=np.uint8)
    c = codec("walker", threads)
    steps = []
    data = c.encode(images, tile=(4, 4), progress=steps.append).data
    assert sum(steps) == images.size
    steps.clear()
    c.decode(data, progress=steps.append)
    assert sum(steps) == images.size


# --- what is refused


IMAGES = "images must be 8-bit grayscale of shape (H, W) or (N, H, W), not "


@pytest.mark.parametrize(("images", "tile", "message"), [
    (np.zeros((2, 2), np.uint16), (8, 8), IMAGES + "uint16 of shape (2, 2)"),
    (np.zeros((2, 2)), (8, 8), IMAGES + "float64 of shape (2, 2)"),
    (np.zeros(3, np.uint8), (8, 8), IMAGES + "uint8 of shape (3,)"),
    (np.zeros((1, 2, 2, 3), np.uint8), (8, 8), IMAGES + "uint8 of shape (1, 2, 2, 3)"),
    (np.zeros((0, 2), np.uint8), (8, 8), "images must have at least one pixel, not shape (0, 2)"),
    (np.zeros((0, 2, 2), np.uint8), (8, 8),
     "images must have at least one pixel, not shape (0, 2, 2)"),
    (np.zeros((1, 16385), np.uint8), (8, 8), "image width must be 1 to 16384 pixels, not 16385"),
    (np.zeros((2, 2), np.uint8), (65, 8), "tile width must be 1 to 64 pixels, not 65"),
    (np.zeros((2, 2), np.uint8), (8, 0), "tile height must be 1 to 64 pixels, not 0"),
])  # fmt: skip
def test_images_that_cannot_be_encoded(images, tile, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        codec("walker").encode(images, tile=tile)


@pytest.mark.parametrize("threads", [0, -1])
def test_threads_must_be_positive(threads):
    with pytest.raises(ValueError, match=f"^threads must be at least 1, not {threads}$"):
        Codec(table_model(), threads=threads)


def test_another_model_is_named_before_anything_is_decoded():
    data = codec("walker").encode(np.zeros((2, 2), np.uint8)).data
    own, other = (codec(n).model.hash[:16] for n in ("walker", "table"))
    message = f"stream was written with model {own}, not with {other}: decode it with the model"
    for cut in (len(data), HEADER_BYTES):
        with pytest.raises(ModelMismatchError, match=f"^{message} file it was encoded with$"):
            codec("table").decode(data[:cut])


def test_a_corrupt_tile_is_named():
    images = picture(np.random.default_rng(13), (2, 8, 24))
    c = codec("walker")
    data = bytearray(c.encode(images, tile=(8, 8)).data)
    start, _ = split_packets(bytes(data), Header.unpack(bytes(data)))
    data[start[4] + 5] ^= 1
    message = "image 1, tile 1 is corrupt: its decoder did not end in the check state"
    with pytest.raises(CorruptTileError, match=f"^{message}$"):
        c.decode(bytes(data))
    with pytest.raises(CorruptStreamError) as found:
        c.decode(bytes(data[:-1]))
    assert not isinstance(found.value, CorruptTileError)  # no tile was decoded


def misses(c, image, tile, changes):
    """Try and count changed bytes of an encoded image: those tried, those not detected."""
    rng = np.random.default_rng(14)
    data = c.encode(image, tile=tile).data
    tried = missed = 0
    for at in range(len(data)):
        for change in {1 << rng.integers(8), *rng.integers(1, 256, changes).tolist()}:
            bad = bytearray(data)
            bad[at] ^= int(change)
            tried += 1
            try:
                decoded = c.decode(bytes(bad))
            except (CorruptStreamError, ModelMismatchError):
                continue
            # Another tile height that gives the same tiles is no damage.
            missed += decoded.shape != (1, *image.shape) or bool((decoded[0] != image).any())
    return tried, missed


@every_model
def test_a_changed_byte_is_an_error_or_an_image(name):
    """Models that fit nothing: long codes, after which the decoder may fall into step again."""
    tried, _ = misses(codec(name, 1), picture(np.random.default_rng(14), (24, 20)), (9, 24), 0)
    assert tried > 400


def test_a_changed_byte_is_detected():
    """A model that fits: the state remembers, and 999 of 1000 changes are found."""
    rng = np.random.default_rng(15)
    y, x = np.indices((24, 24))
    grey = [128 + 120 * np.sin((y * a + x * b) / 9 + c) for a, b, c in rng.uniform(-2, 2, (30, 3))]
    noise = rng.normal(0, 20, (30, 24, 24))
    images = (np.clip(np.array(grey) + noise, 0, 255) // 64 * 64).astype(np.uint8)
    model = table_model()
    classes = model.classify(model.window.extract(images).reshape(12, -1))
    counts = np.full((model.head.classes, 256), 0.1)
    np.add.at(counts, (classes, images.ravel()), 1)
    model = replace(model, head=TableHead.from_counts(counts))
    tried, missed = misses(Codec(model, threads=1), images[0], (32, 32), 10)
    assert tried > 1000
    assert missed <= tried // 1000


@every_model
def test_every_truncation_and_extension_is_detected(name):
    image = picture(np.random.default_rng(15), (13, 12))
    c = codec(name, 1)
    data = c.encode(image, tile=(12, 7)).data
    for end in range(len(data)):
        with pytest.raises(CorruptStreamError):
            c.decode(data[:end])
    for tail in (b"\0", b"\xff", bytes(40), data):
        with pytest.raises(CorruptStreamError):
            c.decode(data + tail)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)), st.integers(1, 40), st.integers(1, 40), st.integers(1, 3),
    st.binary(max_size=600), st.integers(0, 2**32),
)  # fmt: skip
def test_rubbish_is_refused(name, width, height, images, rubbish, seed):
    """Payloads of any bytes whose packets are well formed; nothing is read out of bounds."""
    c = codec(name, 1)
    grid = TileGrid(width, height, 16, 16)
    header = Header(bytes.fromhex(c.model.hash)[:8], grid, images).pack()
    with pytest.raises(CorruptStreamError):
        c.decode(header + rubbish)
    rng = np.random.default_rng(seed)
    packets = b""
    for _ in range(images * grid.tiles):
        payload = rng.choice([b"\0\0\0", b"\xff\xff\xff", rng.bytes(3), rng.bytes(40), bytes(100)])
        packets += bytes([len(payload)]) + payload
    with pytest.raises(CorruptStreamError):
        c.decode(header + packets)


def test_the_shortest_tiles_catch_changes_too():
    c = codec("walker", 1)
    image = np.array([[200]], dtype=np.uint8)
    data = c.encode(image).data
    assert (c.decode(data)[0] == image).all()
    at = HEADER_BYTES + 1
    missed = 0
    for change in range(1, 1 << 16, 7):
        bad = bytearray(data)
        bad[at] ^= change >> 8
        bad[at + 1] ^= change & 255
        try:
            missed += (c.decode(bytes(bad))[0] != image).any()
        except CorruptStreamError:
            continue
    assert missed <= 9
