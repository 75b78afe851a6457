"""Timing: what is timed."""

import numpy as np
import pytest


def test_large_images_are_whole_pictures():
    pytest.importorskip("imagecodecs")
    pytest.importorskip("torch")
    from bench.speed import mosaics

    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (256, 256), dtype=np.uint8) for _ in range(18)]
    pictures.insert(3, np.zeros((100, 256), dtype=np.uint8))
    (image,) = mosaics(pictures)
    assert image.shape == (1024, 1024)
    del pictures[3]
    for k, picture in enumerate(pictures[:16]):
        y, x = divmod(k, 4)
        np.testing.assert_array_equal(
            image[256 * y : 256 * (y + 1), 256 * x : 256 * (x + 1)], picture
        )
