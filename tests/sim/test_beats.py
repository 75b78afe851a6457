"""Beats of several pixels and back."""

import numpy as np
import pytest

from lutgen.errors import InputError
from lutgen.sim.drive.beats import (
    colour_beats,
    filled,
    packed_pixels,
    raster_beats,
    single_pixels,
)


def given(beats: dict, width: int, height: int, cores: int, size: int) -> dict:
    """Beats as a decoder gives them: null bytes behind a line's last pixel are zero."""
    keep = np.tile((1 << size * filled(width, cores)) - 1, height)
    bits = keep[:, None] >> np.arange(8) & 1
    kept = np.where(bits, 0xFF, 0).astype(np.uint8).view("<u8")[:, 0]
    return beats | {"data": np.asarray(beats["data"]).astype(np.uint64) & kept, "keep": keep}


@pytest.mark.parametrize(("cores", "dtype"), [
    (2, np.uint8), (4, np.uint8), (8, np.uint8), (2, np.uint16), (4, np.uint16),
])  # fmt: skip
@pytest.mark.parametrize("width", [9, 16])
def test_gray(cores, dtype, width):
    image = np.random.default_rng(cores).integers(0, 256, (1, 3, width)).astype(dtype)
    beats = raster_beats(image, cores)
    assert int(beats["data"][0]) == sum(
        int(pixel) << 8 * image.itemsize * k for k, pixel in enumerate(image[0, 0, :cores])
    )
    found = single_pixels(given(beats, width, 3, cores, image.itemsize), cores, dtype)
    assert found["data"].dtype == dtype
    for name, values in raster_beats(image).items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize(("depth", "bits"), [(8, 24), (9, 32), (10, 32)])
def test_rgb(depth, bits):
    """Each pixel is packed as one alone is, in whole bytes."""
    image = np.random.default_rng(depth).integers(0, 1 << depth, (2, 3, 7, 3))
    beats, packed = colour_beats(image, depth, 2), packed_pixels(image, depth)
    assert int(beats["data"][0]) == int(packed[0, 0, 0]) | int(packed[0, 0, 1]) << bits
    found = single_pixels(given(beats, 7, 6, 2, bits // 8), 2, np.int64, bits)
    for name, values in colour_beats(image, depth).items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("change", [
    {"keep": [0b000001]}, {"keep": [0b111000]}, {"keep": [0]}, {"keep": [0b111]},
    {"keep": [0b111], "data": [5], "last": [0]},
])  # fmt: skip
def test_beats_filled_in_other_ways(change):
    beats = {"data": [0x000001_000002], "user": [1], "last": [1], "keep": [0b111111]}
    assert single_pixels(beats, 2, np.int64, 24)["data"].tolist() == [2, 1]
    with pytest.raises(InputError, match="^null bytes must be zero, and the highest of a line"):
        single_pixels(beats | change, 2, np.int64, 24)
