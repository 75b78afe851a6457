import re

import numpy as np
import pytest

from lutgen.model.pyramid import MAX_LEVELS, half, pool, pyramid


def naive(image):
    """Each block's average over the pixels it has, odd sides repeated, halves upwards."""
    height, width = image.shape
    out = np.zeros((half(height), half(width)), dtype=np.uint8)
    for y, x in np.ndindex(out.shape):
        rows, columns = ([2 * i, min(2 * i + 1, n - 1)] for i, n in ((y, height), (x, width)))
        out[y, x] = (int(image[np.ix_(rows, columns)].astype(int).sum()) + 2) // 4
    return out


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 5), (7, 4), (28, 28)])
def test_pool(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    pooled = pool(image)
    assert pooled.dtype == np.uint8
    np.testing.assert_array_equal(pooled, naive(image))


def test_halves_are_rounded_up_and_sums_do_not_overflow():
    blocks = np.array([[0, 1, 0, 0], [1, 0, 0, 1], [255, 255, 254, 255], [255, 255, 255, 254]])
    np.testing.assert_array_equal(pool(blocks.astype(np.uint8)), [[1, 0], [255, 255]])


def test_stacks_are_pooled_image_by_image():
    images = np.random.default_rng(1).integers(0, 256, (2, 3, 5, 6), dtype=np.uint8)
    pooled = pool(images)
    assert pooled.shape == (2, 3, 3, 3)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(pooled[i], naive(images[i]))


@pytest.mark.parametrize(("side", "wanted"), [(1, 1), (2, 1), (3, 2), (28, 14), (63, 32)])
def test_half(side, wanted):
    assert half(side) == wanted


def test_pyramid():
    image = np.random.default_rng(2).integers(0, 256, (2, 29, 18), dtype=np.uint8)
    levels = pyramid(image, MAX_LEVELS)
    assert [level.shape for level in levels] == [(2, 29, 18), (2, 15, 9), (2, 8, 5), (2, 4, 3)]
    np.testing.assert_array_equal(levels[0], image)
    for fine, coarse in zip(levels, levels[1:], strict=False):
        np.testing.assert_array_equal(coarse, pool(fine))
    assert len(pyramid(image, 0)) == 1


@pytest.mark.parametrize("levels", [-1, 4])
def test_levels_out_of_range(levels):
    message = f"levels must be 0 to 3, not {levels!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pyramid(np.zeros((2, 2), np.uint8), levels)
