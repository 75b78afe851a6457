"""Colour filter arrays: every sample comes back, whatever the pattern; what is none is refused."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import lutgen
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, check_strips
from lutgen.codec.predictive.damage import DamagedStripsError
from lutgen.codec.predictive.planes import cfa_mosaic, cfa_planes
from lutgen.compare.baselines import BASELINES, four_planes
from lutgen.model.cfa import CFAS
from lutgen.model.header import VERSION_2
from tests.models import colour_model, mosaic_model, predictive_model

MODEL = mosaic_model()
CODEC = PredictiveCodec(MODEL, threads=1)


def raw(seed: int, shape=(24, 310), depth: int = 12) -> np.ndarray:
    """A mosaic whose colours differ, and a gradient over it."""
    rng = np.random.default_rng(seed)
    light = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) + 200
    gain = np.tile([[1, 2], [2, 3]], (shape[0] // 2, shape[1] // 2))
    most = (1 << depth) - 1
    return np.minimum(light * gain + rng.integers(0, 30, shape), most).astype(np.uint16)


@settings(max_examples=100, deadline=None)
@given(
    st.data(), st.sampled_from(CFAS), st.sampled_from([8, 10, 14]), st.integers(1, 12),
    st.integers(0, 12), st.sampled_from([0, 0, 1, 7]),
)  # fmt: skip
def test_arrays_come_back(data, cfa, depth, strip_height, tile_width, near):
    sides = data.draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    count = data.draw(st.sampled_from([(), (2,)]))
    kind, most = (np.uint8 if depth == 8 else np.uint16), (1 << depth) - 1
    image = data.draw(arrays(
        kind, (*count, 2 * sides[0], 2 * sides[1]), elements=st.integers(0, most),
        fill=st.just(most // 5),
    ))  # fmt: skip
    file = CODEC.encode(
        image, depth=depth, near=near, strip_height=strip_height, tile_width=tile_width, cfa=cfa
    )
    found = CODEC.decode(file)
    wanted = image if count else image[None]
    assert found.dtype == image.dtype and found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= near
    check_strips(file, Frame.unpack(file))


@pytest.mark.parametrize("cfa", CFAS)
def test_planes_of_the_patterns(cfa):
    mosaic = np.arange(24).reshape(4, 6)
    planes = cfa_planes(mosaic, cfa)
    assert planes.shape == (2, 3, 4)
    colours = np.array(list(cfa)).reshape(2, 2)
    for k, colour in enumerate("GGRB"):
        top, left = divmod(int(planes[0, 0, k]), 6)
        assert colours[top, left] == colour
    np.testing.assert_array_equal(cfa_mosaic(planes, cfa), mosaic)


def test_what_a_file_says():
    image = raw(0)
    data = CODEC.encode(image, cfa="GRBG", strip_height=9)
    found = lutgen.info(data)
    assert (found.cfa, found.channels, found.width, found.height) == ("GRBG", 1, 310, 24)
    assert (found.depth, found.layout, found.packets) == (11, "rows, strips of 10", 3)
    np.testing.assert_array_equal(CODEC.decode(data)[0], image)
    strips = list(CODEC.strips(data))
    assert [(s.top, len(s.samples)) for s in strips] == [(0, 10), (10, 10), (20, 4)]
    np.testing.assert_array_equal(np.concatenate([s.samples for s in strips]), image)


def test_damage_leaves_the_other_strips():
    image = raw(1)
    data = bytearray(CODEC.encode(image, cfa="RGGB", strip_height=8))
    data[60] ^= 1
    with pytest.raises(DamagedStripsError) as caught:
        CODEC.decode(bytes(data))
    assert caught.value.missing == "rows 0 to 7"
    np.testing.assert_array_equal(caught.value.images[0, 8:], image[8:])
    assert not caught.value.images[0, :8].any()


@pytest.mark.parametrize(("codec", "options", "message"), [
    (CODEC, {}, "images must be a colour filter array with the model predictive, not gray (name "
     "the array's pattern, such as RGGB)"),
    (PredictiveCodec(colour_model()), {"cfa": "RGGB"},
     "images must be colour with the model predictive, not a colour filter array"),
    (PredictiveCodec(predictive_model()), {"cfa": "RGGB"},
     "images must be gray with the model predictive, not a colour filter array"),
    (CODEC, {"cfa": "RGBG"}, "colour filter array must be one of RGGB, BGGR, GRBG, GBRG of one "
     "channel, not 'RGBG' of 1"),
    (CODEC, {"cfa": "RGGB", "channels": 3}, "colour filter array must be one of RGGB, BGGR, GRBG, "
     "GBRG of one channel, not 'RGGB' of 3"),
    (CODEC, {"cfa": "RGGB", "order": 1}, "order must be None of a colour filter array, not 1"),
])  # fmt: skip
def test_what_is_refused(codec, options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        codec.encode(raw(2), **options)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (1, 1)])
def test_odd_sides_are_refused(shape):
    message = f"^sides of a colour filter array must be even, not {shape[1]} x {shape[0]}$"
    with pytest.raises(ValueError, match=message):
        CODEC.encode(np.zeros(shape, np.uint8), cfa="RGGB")


def test_headers():
    data = CODEC.encode(raw(3), cfa="RGGB")
    assert data[VERSION_2["channels"].offset] == 0x84
    for value, message in (
        (0xC4, "order of 4 planes must be 0 to 5, not 12"),
        (0x83, "order of 3 planes must be 0 to 5, not 8"),
        (0x74, "order of 4 planes must be 0 to 5, not 7"),
    ):
        with pytest.raises(CorruptStreamError, match=f"^stream header: {message}$"):
            Frame.unpack(VERSION_2["channels"].put(data, value))
    with pytest.raises(CorruptStreamError, match="^images must be a colour filter array with"):
        CODEC.decode(VERSION_2["channels"].put(data, 4))


def test_usual_codecs_of_the_four_planes():
    mosaic = raw(4)
    usual = four_planes(BASELINES["JPEG-LS"], "GBRG")
    data = usual.encode(mosaic)
    np.testing.assert_array_equal(usual.decode(data), mosaic)
    planes = np.moveaxis(cfa_planes(mosaic, "GBRG"), -1, 0)
    sizes = [len(BASELINES["JPEG-LS"].encode(np.ascontiguousarray(plane))) for plane in planes]
    assert len(data) == sum(sizes) + 4 * 4
