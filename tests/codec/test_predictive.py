"""The codec of profile predictive: every image comes back, however it is cut."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.coder import RANS, tans
from lutgen.codec.predictive.codec import PredictiveCodec, best_layout
from lutgen.codec.predictive.container import Frame
from lutgen.model.header import VERSION_2
from tests.models import predictive_model

MODEL = predictive_model()
CODEC = PredictiveCodec(MODEL, threads=1)


@st.composite
def images(draw, depth: int) -> np.ndarray:
    """Noise, flat parts and ramps of a depth."""
    shape = draw(array_shapes(min_dims=2, max_dims=3, max_side=24))
    kind = np.uint8 if depth == 8 else np.uint16
    most = (1 << depth) - 1
    noise = draw(arrays(kind, shape, elements=st.integers(0, most), fill=st.just(most // 3)))
    if draw(st.booleans()):
        return noise
    ramp = np.add.outer(np.arange(shape[-2]), 3 * np.arange(shape[-1])) * draw(st.integers(0, 9))
    return np.minimum(ramp + noise // 16, most).astype(kind)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from([8, 9, 10, 12, 14, 16]), st.integers(1, 24), st.integers(0, 24))
def test_images_come_back(data, depth, strip_height, tile_width):
    image = data.draw(images(depth))
    near = data.draw(st.sampled_from([0, 0, 1, 2, 5, 100]))
    coder = data.draw(st.sampled_from([RANS, tans(8), tans(9), tans(12)]))
    options = {"strip_height": strip_height, "tile_width": tile_width, "coder": coder}
    file = CODEC.encode(image, depth=depth, near=near, **options)
    assert Frame.unpack(file).coder == coder
    found = CODEC.decode(file)
    wanted = image if image.ndim == 3 else image[None]
    assert found.dtype == image.dtype and found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= near
    again = CODEC.encode(found, depth=depth, near=near, **options)
    np.testing.assert_array_equal(CODEC.decode(again), found)  # nothing is lost a second time


@pytest.mark.parametrize("depth", [8, 12, 16])
@pytest.mark.parametrize("layout", [{}, {"strip_height": 5, "tile_width": 0}])
def test_noise_grows_by_no_more_than_lengths(depth, layout):
    kind = np.uint8 if depth == 8 else np.uint16
    noise = np.random.default_rng(depth).integers(0, 1 << depth, (60, 200), dtype=kind)
    frame = Frame.unpack(data := CODEC.encode(noise, depth=depth, **layout))
    most = 60 * 200 * depth / 8 + VERSION_2.size + 2 * 60 + 4 * frame.strips + 4 * frame.strips + 4
    assert len(data) <= most


def test_threads_change_nothing():
    image = np.random.default_rng(1).integers(0, 9, (50, 40), dtype=np.uint8)
    many = PredictiveCodec(MODEL, threads=3)
    done = []
    data = many.encode(image, strip_height=7, tile_width=0, progress=done.append)
    assert data == CODEC.encode(image, strip_height=7, tile_width=0) and sum(done) == image.size
    done.clear()
    np.testing.assert_array_equal(many.decode(data, progress=done.append)[0], image)
    assert sum(done) == image.size


def test_strips_come_one_by_one():
    stack = np.random.default_rng(2).integers(0, 99, (2, 13, 9), dtype=np.uint16) << 5
    data = CODEC.encode(stack, strip_height=4, tile_width=5)
    strips = list(CODEC.strips(data))
    assert [(s.image, s.top, len(s.samples)) for s in strips] == [
        (image, top, 4 if top < 12 else 1) for image in range(2) for top in (0, 4, 8, 12)
    ]
    np.testing.assert_array_equal(np.concatenate([s.samples for s in strips]), np.vstack(stack))


def test_a_strip_does_not_depend_on_the_others():
    image = np.random.default_rng(3).integers(0, 50, (12, 30), dtype=np.uint8)
    other = image.copy()
    other[:4] += 1
    files = [CODEC.encode(x, strip_height=4, tile_width=0) for x in (image, other)]
    found = [list(CODEC.strips(data)) for data in files]
    tails = [data[len(data) - 200 : -16] for data in files]
    assert tails[0] == tails[1] and files[0] != files[1]
    for a, b in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_array_equal(a.samples, b.samples)


def test_where_the_bits_lie():
    deep = (np.arange(60, dtype=np.uint16).reshape(6, 10) + 1024) << 3
    frame = Frame.unpack(CODEC.encode(deep))
    assert (frame.samples.depth, frame.shift) == (11, 3)
    frame = Frame.unpack(CODEC.encode(deep, depth=16))
    assert (frame.samples.depth, frame.shift) == (16, 0)
    frame = Frame.unpack(CODEC.encode(deep, depth=12, shift=2, near=9))
    assert (frame.samples.depth, frame.shift, frame.samples.near) == (12, 2, 2)
    small = deep >> 5
    assert CODEC.decode(CODEC.encode(small)).dtype == np.uint16
    assert CODEC.decode(CODEC.encode(small.astype(np.uint8))).dtype == np.uint8


@pytest.mark.parametrize(("options", "message"), [
    ({"depth": 9}, "samples of 9 bits must be 0 to 511, not 1000"),
    ({"depth": 10, "shift": 2}, "samples of shift 2 must be multiples of 4"),
    ({"depth": 17}, "bit depth must be 1 to 16, not 17"),
    ({"depth": 12, "shift": 5}, "shift of 12-bit samples must be 0 to 4, not 5"),
    ({"near": 256}, "near of 10-bit samples must be 0 to 255, not 256"),
    ({"strip_height": 0}, "strip height must be 1 to 2, not 0"),
    ({"tile_width": -1}, "tile width must be 0 to 3, not -1"),
])  # fmt: skip
def test_options_that_are_refused(options, message):
    image = np.array([[1000, 1, 2], [3, 4, 6]], dtype=np.uint16)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        CODEC.encode(image, **options)


@pytest.mark.parametrize("array", [
    np.zeros((2, 3)), np.zeros(4, np.uint8), np.zeros((0, 3), np.uint8),
    np.zeros((1, 1, 1, 1), np.uint8),
])  # fmt: skip
def test_arrays_that_are_refused(array):
    with pytest.raises(ValueError, match="^images must "):
        CODEC.encode(array)
    with pytest.raises(ValueError, match="^bits of uint8 must be at most 8, not 12$"):
        CODEC.encode(np.zeros((2, 2), np.uint8), depth=12)


def test_files_of_other_models():
    data = PredictiveCodec(predictive_model(1)).encode(np.zeros((3, 3), np.uint8))
    with pytest.raises(ModelMismatchError, match="^stream was written with model .*, not with"):
        CODEC.decode(data)


@pytest.mark.parametrize(("size", "layout"), [
    ((4000, 3000), (3000, 0)), ((128, 1), (1, 0)), ((28, 28), (28, 28)), ((64, 640), (64, 64)),
    ((1, 65535), (4096, 1)),
])  # fmt: skip
def test_how_images_are_cut_unless_told(size, layout):
    assert best_layout(*size) == layout
