"""Files of slabs: each slab is coded as an image of its own, and damaged on its own."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lutgen
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import SLABS, Frame, split_index
from lutgen.codec.predictive.damage import DamagedStripsError
from lutgen.errors import InputError
from lutgen.model.header import VERSION_2
from lutgen.model.samples import SampleFormat
from tests.models import colour_model, mosaic_model, predictive_model, table_model

CODEC = PredictiveCodec(predictive_model(), threads=1)
HASH = bytes.fromhex(CODEC.model.hash)[:8]
#: Least width of so many slabs.
LEAST = {slabs: slabs * (slabs - 1) + 1 for slabs in SLABS}


def drawn(shape: tuple[int, ...], depth: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = rng.integers(-3, 4, shape).cumsum(axis=1) + (1 << depth - 1)
    return steps.clip(0, (1 << depth) - 1).astype(np.uint8 if depth == 8 else np.uint16)


def bodies(data: bytes) -> list[bytes]:
    """Bytes of each strip without its checksum."""
    frame = Frame.unpack(data)
    starts, end = split_index(data, frame)
    return [data[a : b - 4] for a, b in zip(starts, [*starts[1:], end], strict=True)]


@pytest.mark.parametrize("slabs", SLABS)
def test_widths(slabs):
    for width in range(LEAST[slabs], 300):
        frame = Frame(HASH, SampleFormat(), width, 8, 8, slabs=slabs)
        places = [frame.columns(k) for k in range(frame.strips)]
        assert [left for left, _ in places] == [0, *(right for _, right in places[:-1])]
        assert places[-1][1] == width and all(left % slabs == 0 for left, _ in places)
        widths = [right - left for left, right in places]
        assert min(widths) >= 1 and (slabs == 1 or max(widths) - min(widths) <= slabs), width


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SLABS[1:]), st.integers(0, 40), st.integers(1, 12), st.integers(1, 12),
    st.sampled_from([8, 9, 12, 16]), st.sampled_from([0, 0, 1, 5]), st.integers(1, 2),
    st.integers(0, 99),
)  # fmt: skip
def test_slabs_are_images_of_their_own(slabs, more, height, strip, depth, near, count, seed):
    width = LEAST[slabs] + more
    images = np.stack([drawn((height, width), depth, seed + k) for k in range(count)])
    options = {"depth": depth, "near": near, "strip_height": strip}
    data = CODEC.encode(images, slabs=slabs, **options)
    frame = Frame.unpack(data)
    assert (frame.slabs, frame.tile_width) == (slabs, 0) and frame.pack() == data[: VERSION_2.size]
    parts = [images[:, :, slice(*frame.columns(k))] for k in range(slabs)]
    alone = [CODEC.encode(part, tile_width=0, **options) for part in parts]
    wanted = [strip for row in zip(*map(bodies, alone), strict=True) for strip in row]
    assert bodies(data) == wanted
    found = CODEC.decode(data)
    np.testing.assert_array_equal(found, np.concatenate(
        [CODEC.decode(own) for own in alone], axis=2
    ))  # fmt: skip
    assert found.dtype == images.dtype and np.abs(found.astype(int) - images).max() <= near


@pytest.mark.parametrize("model", ["gray", "rgb", "bayer"])
def test_strips_say_where_they_are(model):
    image, options = {
        "gray": (drawn((10, 29), 11), {}),
        "rgb": (np.stack([drawn((10, 29), seed=k) for k in range(3)], axis=2), {"channels": 3}),
        "bayer": (drawn((20, 58)), {"cfa": "GBRG"}),
    }[model]
    made = {"gray": predictive_model, "rgb": colour_model, "bayer": mosaic_model}[model]
    codec, done = PredictiveCodec(made(), threads=2), []
    data = codec.encode(image, strip_height=4, slabs=4, progress=done.append, **options)
    assert sum(done) == image.size
    done.clear()
    np.testing.assert_array_equal(codec.decode(data, progress=done.append)[0], image)
    assert sum(done) == image.size
    found = np.zeros_like(image)
    for strip in codec.strips(data):
        rows, columns = strip.samples.shape[:2]
        found[strip.top : strip.top + rows, strip.left : strip.left + columns] = strip.samples
    np.testing.assert_array_equal(found, image)


def test_a_damaged_strip_costs_its_slab_alone():
    images = np.stack([drawn((9, 30), seed=k) for k in range(2)])
    data = bytearray(CODEC.encode(images, strip_height=4, slabs=2))
    frame = Frame.unpack(data)
    starts, _ = split_index(bytes(data), frame)
    assert frame.strips == 12
    for strip in (1, 3, 6):
        data[starts[strip] + 2] ^= 4
    with pytest.raises(DamagedStripsError) as told:
        CODEC.decode(bytes(data))
    assert told.value.damaged == (1, 3, 6)
    assert told.value.rows == {0: list(range(8)), 1: list(range(4))}
    assert told.value.missing == (
        "rows 0 to 7 of columns 16 to 29 of image 0; rows 0 to 3 of columns 0 to 15 of image 1"
        if frame.columns(0) == (0, 16) else
        "rows 0 to 7 of columns 14 to 29 of image 0; rows 0 to 3 of columns 0 to 13 of image 1"
    )
    wanted = images.copy()
    for strip in told.value.damaged:
        image, top, end = frame.rows(strip)
        wanted[image, top:end, slice(*frame.columns(strip))] = 0
    np.testing.assert_array_equal(told.value.images, wanted)


@pytest.mark.parametrize(("options", "message"), [
    ({"slabs": 3}, "number of slabs must be 1, 2, 4 or 8, not 3"),
    ({"slabs": 8}, "image width must be at least 57 for 8 slabs, not 56"),
    ({"slabs": 2, "tile_width": 9}, "number of slabs must be 1 with a tile width, not 2"),
])  # fmt: skip
def test_slabs_that_are_refused(options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        CODEC.encode(drawn((4, 56)), **options)


@pytest.mark.parametrize(("coder", "message"), [
    (0x40, "number of slabs must be 1, 2, 4 or 8, not 16"),
    (0x30, "image width must be at least 57 for 8 slabs, not 56"),
    (0x21, "coder must be 0 or 8 to 12, not 1"),
])  # fmt: skip
def test_headers_that_are_refused(coder, message):
    data = VERSION_2["coder"].put(CODEC.encode(drawn((4, 56)), tile_width=0), coder)
    with pytest.raises(CorruptStreamError, match=f"^stream header: {re.escape(message)}$"):
        CODEC.decode(data)
    tiles = VERSION_2["coder"].put(CODEC.encode(drawn((4, 56)), tile_width=9), 0x10)
    with pytest.raises(CorruptStreamError, match="number of slabs must be 1 with a tile width"):
        CODEC.decode(tiles)


def test_the_package_s_functions():
    image = drawn((20, 140))
    data = lutgen.encode(image, CODEC.model, slabs=4)
    np.testing.assert_array_equal(lutgen.decode(data, CODEC.model), image)
    found = lutgen.info(data)
    assert (found.slabs, found.packets, found.layout) == (4, 4, "rows, strips of 20, 4 slabs")
    assert lutgen.info(lutgen.encode(image, CODEC.model)).layout == "rows, strips of 20"
    with pytest.raises(InputError, match="^slabs must be 1 with a model of profile .*, not 2$"):
        lutgen.encode(image, table_model(), slabs=2)
