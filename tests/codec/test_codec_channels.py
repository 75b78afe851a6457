"""The codec of tiles of several channels: that of one, sample by sample, and no more trusting."""

import io
import re
import tracemalloc
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.codec.codec import Codec
from lutgen.codec.container import (
    HEADER_BYTES,
    CorruptStreamError,
    Header,
    pack_length,
    split_packets,
)
from lutgen.model.channels import channel_groups
from lutgen.model.netlist import Netlist
from lutgen.model.pyramid import pyramid
from lutgen.model.tile import TileGrid
from lutgen.model.upsample import GROUPS, Upsampler
from lutgen.model.window import Window
from tests.codec.test_codec import misses, picture
from tests.models import pyramid_laplace_model

MODELS = {
    "alpha": lambda: pyramid_laplace_model(0, bits=12, nodes=40, channels=2, levels=1, size=7),
    "rgb": lambda: pyramid_laplace_model(1, bits=12, nodes=40, channels=3),
    "rgba": lambda: pyramid_laplace_model(2, bits=12, nodes=40, channels=4, levels=0, size=3),
    "constrained": lambda: pyramid_laplace_model(
        3, bits=12, nodes=40, channels=3, levels=3, constraint=True
    ),
}
every_model = pytest.mark.parametrize("name", MODELS)


@cache
def codec(name, threads=1):
    return Codec(MODELS[name](), threads=threads)


def colours(rng, count, height, width, channels):
    """Pictures whose planes have much in common, and something of their own."""
    planes = [picture(rng, (count, height, width)) for _ in range(channels)]
    return np.stack([planes[0], *(plane // 4 + planes[0] // 2 for plane in planes[1:])], axis=-1)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)), st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 40),
    st.integers(1, 40), st.integers(1, 4), st.integers(1, 4),
)  # fmt: skip
def test_round_trip(name, seed, count, height, width, tile_width, tile_height):
    images = colours(np.random.default_rng(seed), count, height, width, codec(name).model.channels)
    tile = 8 * tile_width, 8 * tile_height
    encoded = codec(name).encode(images, tile=tile)
    np.testing.assert_array_equal(codec(name).decode(encoded.data), images)
    header = Header.unpack(encoded.data)
    assert (header.channels, header.levels) == (images.shape[-1], codec(name).model.levels)


@every_model
def test_coarser_levels_are_the_pyramids_of_the_channels(name):
    images = colours(np.random.default_rng(6), 2, 29, 21, codec(name).model.channels)
    for threads in (1, 3):
        c = codec(name, threads)
        data = c.encode(images, tile=(16, 16)).data
        for level, planes in enumerate(pyramid(np.moveaxis(images, -1, 1), c.model.levels)):
            told = []
            found = c.decode(io.BytesIO(data), level=level, progress=told.append)
            np.testing.assert_array_equal(found, np.moveaxis(planes, 1, -1))
            assert found.flags.c_contiguous and sum(told) == found.size


def side_by_side(model, channels):
    """A model that codes each channel as a model of one codes gray, and looks at no other."""

    def wide(net: Netlist, groups) -> Netlist:
        own, inputs = net.features, len(net.inputs)
        shifts = []
        for k in range(channels):
            first = 2 + k * inputs, 2 + channels * inputs + k * len(net.tables)
            signals = np.concatenate([
                [0, 1], np.arange(first[0], first[0] + inputs),
                np.arange(first[1], first[1] + len(net.tables)),
            ])  # fmt: skip
            shifts.append(signals)
        names = channel_groups(groups, channels)
        return Netlist(
            channels * own,
            np.concatenate([net.inputs + [k * own, 0] for k in range(channels)]),
            np.concatenate([shift[net.fanin] for shift in shifts]),
            np.tile(net.tables, channels),
            {name: shifts[k][net.outputs[group]]
             for k in range(channels) for name, group in zip(names[k], groups, strict=True)},
        )  # fmt: skip

    ups = model.upsampler
    return replace(
        model, window=Window(model.window.size, True, channels),
        network=wide(model.network, model.head.groups),
        upsampler=Upsampler(ups.size, wide(ups.network, GROUPS), channels),
    )  # fmt: skip


@pytest.mark.parametrize("constraint", [False, True])
def test_channels_cost_what_they_cost_as_gray(constraint):
    """Each level to the bit, and payloads no longer than their sum."""
    gray = pyramid_laplace_model(7, constraint=constraint)
    one, many = Codec(gray, threads=1), Codec(side_by_side(gray, 3), threads=1)
    images = colours(np.random.default_rng(8), 2, 33, 20, 3)
    together = many.encode(images, tile=(16, 16))
    apart = [one.encode(np.ascontiguousarray(images[..., k]), tile=(16, 16)) for k in range(3)]
    wanted = np.sum([encoded.level_bits for encoded in apart], axis=0)
    assert together.level_bits == pytest.approx(wanted.tolist(), rel=1e-12)
    assert together.payload_bytes <= sum(encoded.payload_bytes for encoded in apart)
    np.testing.assert_array_equal(many.decode(together.data), images)


@every_model
def test_no_channel_knows_another_one_of_its_pixel(name):
    """Classes of all channels are known before the pixel's first symbol."""
    model = codec(name).model
    rng = np.random.default_rng(9)
    tile = rng.integers(256, size=(model.channels, 8, 8), dtype=np.uint8)
    prior = rng.integers(256, size=tile.shape, dtype=np.uint8) if model.levels else None
    changed = tile.copy()
    changed[:, 4, 4:] ^= 85  # the pixel, and what follows it
    changed[:, 5:] ^= 170
    features = [model.window.extract(planes, prior)[:, 4, 4] for planes in (tile, changed)]
    np.testing.assert_array_equal(*features)


@pytest.mark.parametrize(("shape", "dtype"), [
    ((8, 8), "u1"), ((2, 8, 8), "u1"), ((8, 8, 4), "u1"), ((8, 8, 3), "u2"), ((3, 8, 8), "u1"),
    ((1, 2, 8, 8, 3), "u1"), ((0, 8, 3), "u1"),
])  # fmt: skip
def test_images_that_cannot_be_encoded(shape, dtype):
    message = (
        f"images must have at least one pixel, not shape {shape}" if 0 in shape else
        "images must be 8-bit of 3 channels, of shape (H, W, 3) or (N, H, W, 3), "
        f"not {np.dtype(dtype)} of shape {shape}"
    )  # fmt: skip
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        codec("rgb").encode(np.zeros(shape, dtype))


# --- the header, and hostile files


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_channels_are_in_the_header(channels):
    header = Header(bytes(8), TileGrid(9, 9, 16, 8), 5, 3, channels=channels)
    data = header.pack()
    assert data[18] == 3 + 16 * (channels - 1) and len(data) == HEADER_BYTES
    assert Header.unpack(data) == header


@pytest.mark.parametrize(("tile", "channels", "most"), [
    ((64, 64), 1, None), ((64, 33), 2, 2048), ((64, 32), 2, None), ((37, 37), 3, 1365),
    ((36, 37), 3, None), ((64, 64), 4, 1024), ((32, 32), 4, None), ((64, 16), 4, None),
])  # fmt: skip
def test_tiles_hold_so_many_samples(tile, channels, most):
    grid = TileGrid(*tile, *tile)
    if most is None:
        Header(bytes(8), grid, 1, 3, channels=channels)
        return
    message = (
        f"tile must have at most {most} pixels of {channels} channels, not {tile[0]} x {tile[1]}"
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        Header(bytes(8), grid, 1, 3, channels=channels)
    data = bytearray(Header(bytes(8), grid, 1, 3).pack())
    data[18] += 16 * (channels - 1)
    with pytest.raises(CorruptStreamError, match=f"^stream header: {message}$"):
        Header.unpack(bytes(data))


@pytest.mark.parametrize("tile", [(64, 21), (36, 37), (21, 64), (1, 64), (64, 1)])
def test_longest_payloads_have_a_length(tile):
    """Samples of a tile that all take 14 bits: two bytes tell how many there are."""
    model = codec("constrained").model
    cumulative = np.arange(257, dtype=np.int64)[None].repeat(model.head.classes, 0)
    cumulative[:, -1] = 1 << 14
    c = Codec(replace(model, constraint=False), threads=1)
    c._arm = c._arm._replace(cumulative=cumulative)
    image = np.random.default_rng(10).integers(255, size=(tile[1], tile[0], 3), dtype=np.uint8)
    data = c.encode(image, tile=tile).data
    _, length = split_packets(data, Header.unpack(data))
    samples = sum(level.size for level in pyramid(np.moveaxis(image, -1, 0), 3))
    assert samples * 14 // 8 <= length[0] < 1 << 14
    np.testing.assert_array_equal(c.decode(data)[0], image)


@pytest.mark.parametrize(("value", "message"), [
    (0x02, "stream must have its model's 3 channels, not 1"),
    (0x32, "stream must have its model's 3 channels, not 4"),
    (0x21, "stream must have its model's 2 levels, not 1"),
    (0x24, "stream header: levels must be 0 to 3, not 4"),
    (0x42, "stream header: number of channels must be 1 to 4, not 5"),
    (0xF2, "stream header: number of channels must be 1 to 4, not 16"),
])  # fmt: skip
def test_other_channels_in_the_header(value, message):
    data = bytearray(codec("rgb").encode(np.zeros((9, 9, 3), np.uint8)).data)
    assert data[18] == 0x22
    data[18] = value
    with pytest.raises(CorruptStreamError, match=f"^{re.escape(message)}$"):
        codec("rgb").decode(bytes(data))


def test_a_stream_of_colour_is_none_of_gray():
    c = Codec(pyramid_laplace_model(bits=12, nodes=40), threads=1)
    data = bytearray(c.encode(np.zeros((9, 9), np.uint8)).data)
    data[18] |= 0x20
    with pytest.raises(CorruptStreamError, match="^stream must have its model's 1 channels, not 3"):
        c.decode(bytes(data))


@pytest.mark.parametrize("level", [0, 1])
def test_a_header_alone_allocates_nothing(level):
    c = codec("rgb")
    claim = Header(
        bytes.fromhex(c.model.hash)[:8], TileGrid(16384, 16384, 4, 4), 1, c.model.levels, channels=3
    )
    tracemalloc.start()
    try:
        with pytest.raises(CorruptStreamError, match=r"^stream must hold 16777216 tile packets"):
            c.decode(claim.pack(), level=level)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_samples_are_paid_for():
    """A tile of three channels must be as long as one of three times as many pixels."""
    one = Header(bytes(8), TileGrid(320, 320, 32, 32), 1, channels=3)
    packets = 100 * (b"\x08" + bytes(8))
    with pytest.raises(CorruptStreamError, match="^stream of 1 images of 320 x 320 must have at l"):
        split_packets(one.pack() + 100 * b"\x03abc", one)
    split_packets(one.pack() + packets, one)
    assert one.least_payload_bytes(32, 32) == 8


@every_model
def test_a_changed_byte_is_an_error_or_an_image(name):
    c = codec(name)
    (image,) = colours(np.random.default_rng(14), 1, 11, 9, c.model.channels)
    tried, _ = misses(c, image, (16, 8), 0)
    assert tried > 100


@every_model
def test_every_truncation_and_extension_is_detected(name):
    c = codec(name)
    data = c.encode(colours(np.random.default_rng(15), 1, 9, 8, c.model.channels), tile=(8, 8)).data
    for level in {0, c.model.levels}:
        for end in range(len(data)):
            with pytest.raises(CorruptStreamError):
                c.decode(data[:end], level=level)
        for tail in (b"\0", b"\xff", bytes(40), data):
            with pytest.raises(CorruptStreamError):
                c.decode(data + tail, level=level)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(MODELS)), st.integers(1, 24), st.integers(1, 24), st.integers(1, 3),
    st.integers(0, 2**32),
)  # fmt: skip
def test_rubbish_is_refused(name, width, height, images, seed):
    """Payloads of any bytes whose packets are well formed."""
    c = codec(name)
    model, grid = c.model, TileGrid(width, height, 16, 16)
    header = Header(
        bytes.fromhex(model.hash)[:8], grid, images, model.levels, channels=model.channels
    ).pack()
    rng = np.random.default_rng(seed)
    packets = b""
    for _ in range(images * grid.tiles):
        payload = rng.bytes(int(rng.integers(20, 300)))
        packets += pack_length(len(payload)) + payload
    with pytest.raises(CorruptStreamError):
        c.decode(header + packets)
