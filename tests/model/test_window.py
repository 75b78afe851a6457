import re

import numpy as np
import pytest

from lutgen.model.window import Window


def naive(tile, size, prior=None):
    """Features of every pixel, straight from the definition."""
    r, (height, width) = size // 2, tile.shape
    out = []
    for y in range(height):
        for x in range(width):
            cells = [(y + dy, x + dx) for dy in range(-r, 0) for dx in range(-r, r + 1)]
            cells += [(y, x + dx) for dx in range(-r, 0)]
            seen = [(tile, cell) for cell in cells]
            if prior is not None:
                cells = [(y, x + dx) for dx in range(r + 1)]
                cells += [(y + dy, x + dx) for dy in range(1, r + 1) for dx in range(-r, r + 1)]
                seen += [(prior, cell) for cell in cells]
            out.append([
                image[v, u] if 0 <= v < height and 0 <= u < width else 0 for image, (v, u) in seen
            ])
    return np.array(out, dtype=np.uint8).T.reshape(-1, height, width)


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 7), (8, 5)])
def test_features_are_the_causal_neighbours_and_zero_outside_the_tile(size, shape):
    tile = np.random.default_rng(0).integers(1, 256, shape, dtype=np.uint8)
    features = Window(size).extract(tile)
    assert features.dtype == np.uint8
    np.testing.assert_array_equal(features, naive(tile, size))


def test_tiles_of_a_stack_do_not_see_each_other():
    tiles = np.random.default_rng(1).integers(1, 256, (2, 3, 4, 5), dtype=np.uint8)
    features = Window(5).extract(tiles)
    assert features.shape == (12, 2, 3, 4, 5)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(features[:, *i], naive(tiles[i], 5))


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 7), (8, 5)])
def test_what_is_not_decoded_yet_reads_the_prior(size, shape):
    tile, prior = np.random.default_rng(2).integers(1, 256, (2, *shape), dtype=np.uint8)
    window = Window(size, prior=True)
    features = window.extract(tile, prior)
    assert features.dtype == np.uint8
    np.testing.assert_array_equal(features, naive(tile, size, prior))
    np.testing.assert_array_equal(features[: window.causal], Window(size).extract(tile))
    np.testing.assert_array_equal(features[window.causal], prior)
    nothing = naive(tile, size, np.zeros_like(prior))
    np.testing.assert_array_equal(window.extract(tile), nothing)


def test_priors_of_a_stack():
    tiles, priors = np.random.default_rng(3).integers(1, 256, (2, 2, 3, 4, 5), dtype=np.uint8)
    features = Window(5, prior=True).extract(tiles, priors)
    assert features.shape == (25, 2, 3, 4, 5)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(features[:, *i], naive(tiles[i], 5, priors[i]))


@pytest.mark.parametrize(("window", "shape", "message"), [
    (Window(5), (4, 5), "prior must be None for a window without one"),
    (Window(5, prior=True), (4, 6), "prior must be of shape (4, 5), not (4, 6)"),
    (Window(5, prior=True), (1, 4, 5), "prior must be of shape (4, 5), not (1, 4, 5)"),
])  # fmt: skip
def test_priors_that_do_not_fit(window, shape, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        window.extract(np.zeros((4, 5), np.uint8), np.zeros(shape, np.uint8))


@pytest.mark.parametrize(("size", "features"), [(3, 4), (5, 12), (7, 24)])
def test_counts(size, features):
    window = Window(size)
    assert window.features == features == len(window.offsets)
    assert all(dy < 0 or (dy == 0 and dx < 0) for dy, dx in window.offsets)
    square = Window(size, prior=True)
    assert square.features == size * size == 2 * features + 1
    assert square.causal == window.causal == features
    assert square.offsets[:features] == window.offsets
    assert square.offsets[features] == (0, 0)
    assert list(square.offsets) == sorted(square.offsets)


@pytest.mark.parametrize("prior", [1, 0, None, "yes"])
def test_other_priors_are_refused(prior):
    message = f"prior must be True or False, not {prior!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Window(5, prior=prior)


@pytest.mark.parametrize("size", [0, 1, 4, 9, -3, "5", None])
def test_other_sizes_are_refused(size):
    message = f"window size must be 3, 5 or 7, not {size!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Window(size)
