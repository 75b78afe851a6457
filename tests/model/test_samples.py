import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lutgen.model.samples import EIGHT_BIT, SampleFormat, SignificantBits


@st.composite
def formats(draw):
    depth = draw(st.integers(1, 16))
    return SampleFormat(depth, near=draw(st.integers(0, min(255, ((1 << depth) - 1) // 2))))


@given(formats())
def test_every_sample_comes_back_within_near(form):
    samples = np.arange(form.maximum + 1).astype(form.dtype)
    indices = form.quantise(samples)
    assert indices.dtype == form.dtype
    # No index is left out, so that ``levels`` is what a codec must have symbols for.
    np.testing.assert_array_equal(np.unique(indices), np.arange(form.levels))
    restored = form.restore(indices)
    assert restored.dtype == form.dtype
    error = restored.astype(int) - samples
    assert np.abs(error).max() <= form.near
    # What was restored is at rest: coding it again changes nothing.
    np.testing.assert_array_equal(form.restore(form.quantise(restored)), restored)


@pytest.mark.parametrize("depth, dtype", [(1, np.uint8), (8, np.uint8), (9, np.uint16),
                                          (16, np.uint16)])  # fmt: skip
def test_depth_says_type_and_range(depth, dtype):
    form = SampleFormat(depth)
    assert form.dtype == dtype and form.maximum == 2**depth - 1 and form.levels == 2**depth


def test_the_default_is_lossless_8_bit_gray():
    assert EIGHT_BIT == SampleFormat(8, 1, 0)
    samples = np.arange(256, dtype=np.uint8)
    assert EIGHT_BIT.quantise(samples) is samples
    np.testing.assert_array_equal(EIGHT_BIT.restore(samples), samples)


def test_indices_of_a_known_quantiser():
    form = SampleFormat(8, near=2)
    assert form.step == 5 and form.levels == 52
    samples = np.array([0, 2, 3, 7, 8, 252, 253, 255], dtype=np.uint8)
    np.testing.assert_array_equal(form.quantise(samples), [0, 0, 1, 1, 2, 50, 51, 51])
    np.testing.assert_array_equal(form.restore(np.array([0, 1, 51])), [0, 5, 255])


@pytest.mark.parametrize("depth, near, middle", [(8, 6, 260), (10, 2, 1025)])
def test_a_middle_above_the_maximum_is_clipped(depth, near, middle):
    form = SampleFormat(depth, near=near)
    assert (form.levels - 1) * form.step == middle > form.maximum
    assert form.restore(np.array([form.levels - 1]))[0] == form.maximum


@pytest.mark.parametrize("options, message", [
    ({"depth": 0}, "bit depth must be 1 to 16, not 0"),
    ({"depth": 17}, "bit depth must be 1 to 16, not 17"),
    ({"depth": 8.0}, "bit depth must be 1 to 16, not 8.0"),
    ({"depth": True}, "bit depth must be 1 to 16, not True"),
    ({"channels": 0}, "number of channels must be 1 to 4, not 0"),
    ({"channels": 5}, "number of channels must be 1 to 4, not 5"),
    ({"near": -1}, "near of 8-bit samples must be 0 to 127, not -1"),
    ({"near": 128}, "near of 8-bit samples must be 0 to 127, not 128"),
    ({"depth": 16, "near": 256}, "near of 16-bit samples must be 0 to 255, not 256"),
    ({"depth": 1, "near": 1}, "near of 1-bit samples must be 0 to 0, not 1"),
])  # fmt: skip
def test_values_out_of_range(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SampleFormat(**options)


@pytest.mark.parametrize("samples, message", [
    (np.zeros(3, np.uint8), "12-bit samples must be uint16, not uint8"),
    (np.array([0, 4096, 7], np.uint16), "12-bit samples must be 0 to 4095, not 4096"),
])  # fmt: skip
def test_samples_of_another_format(samples, message):
    form = SampleFormat(12)
    for use in (form.check, form.quantise):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            use(samples)


@pytest.mark.parametrize("indices, bad", [([0, 86], 86), ([-1, 3], -1)])
def test_indices_that_no_sample_has(indices, bad):
    form = SampleFormat(8, near=1)
    assert form.levels == 86
    with pytest.raises(ValueError, match=f"^indices must be 0 to 85, not {bad}$"):
        form.restore(np.array(indices))


def test_no_samples_are_samples():
    form = SampleFormat(12, near=1)
    empty = np.zeros((0, 4), np.uint16)
    assert form.restore(form.quantise(empty)).shape == (0, 4)


@pytest.mark.parametrize("values, declared, depth, shift", [
    ([0, 1023], None, 10, 0),  # at the lower end
    ([0, 4095, 17], None, 12, 0),
    ([1 << 13], None, 8, 6),
    ([(1 << 14) - 1], None, 14, 0),
    ([65535, 0], None, 16, 0),
    ([x << 6 for x in (0, 1, 1023)], None, 10, 6),  # at the upper end
    ([x << 4 for x in (5, 4095)], None, 12, 4),
    ([x << 8 for x in (5, 255)], None, 8, 8),
    ([1 << 15], None, 8, 8),
    ([0], None, 9, 0),  # uint16 is never taken for uint8
    ([7, 200], None, 9, 0),
    ([4, 200], None, 8, 1),
    ([7, 200], 12, 12, 0),  # what a file says of its greatest sample holds
    ([4, 200], 12, 10, 2),
    ([7, 200], 16, 9, 0),
])  # fmt: skip
def test_significant_bits_of_16(values, declared, depth, shift):
    array = np.array(values, np.uint16)
    bits = SignificantBits.of(array, declared)
    assert (bits.depth, bits.shift) == (depth, shift) and bits.dtype == np.uint16
    samples = bits.extract(array)
    SampleFormat(depth).check(samples)
    found = bits.place(samples)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, array)


def test_significant_bits_of_8_are_the_declared_ones():
    array = np.array([0, 8, 16], np.uint8)
    for declared, depth in [(None, 8), (8, 8), (5, 5)]:
        bits = SignificantBits.of(array, declared)
        assert bits == SignificantBits(depth, 0) and bits.dtype == np.uint8
        np.testing.assert_array_equal(bits.place(bits.extract(array)), array)


@given(st.integers(8, 16), st.data())
def test_samples_come_back_to_their_container(depth, data):
    shift = data.draw(st.integers(0, 16 - depth))
    values = data.draw(st.lists(st.integers(0, (1 << depth) - 1), min_size=1))
    array = np.array(values, np.uint16) << shift
    bits = SignificantBits.of(array)
    found = bits.place(bits.extract(array))
    assert found.dtype == array.dtype and bits.depth >= 8
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("options, message", [
    ((0,), "bit depth must be 1 to 16, not 0"),
    ((12, 5), "shift of 12-bit samples must be 0 to 4, not 5"),
    ((12, -1), "shift of 12-bit samples must be 0 to 4, not -1"),
])  # fmt: skip
def test_bits_that_no_container_has(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SignificantBits(*options)
