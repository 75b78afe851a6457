import time

import numpy as np
import pytest

from lutgen.training.data.glyphs import glyphs


def test_glyphs_are_full_range_and_bordered():
    images = glyphs(60)
    assert images.shape == (60, 28, 28) and images.dtype == np.uint8
    assert (images.min(axis=(1, 2)) == 0).all() and (images.max(axis=(1, 2)) == 255).all()
    assert not images[:, 0].any() and not images[:, :, -1].any()
    # Strokes have gray edges and leave most of the image empty, as handwriting does.
    assert 0.5 < (images == 0).mean() < 0.85
    assert np.unique(images).size > 200


def test_glyphs_depend_on_seed_and_place_only():
    few, many = glyphs(5, seed=7), glyphs(12, seed=7)
    np.testing.assert_array_equal(few, many[:5])
    assert (glyphs(5, seed=8) != few).any()
    assert len({image.tobytes() for image in many}) == 12


def test_glyphs_are_fast():
    glyphs(20)
    start = time.process_time()
    glyphs(100, seed=1)
    assert time.process_time() - start < 1.0  # 500 a second on one core; slower machines too


@pytest.mark.parametrize("count, seed, message", [
    (0, 0, r"^number of glyphs must be 1 to 1000000, not 0$"),
    (5, -1, r"^seed of glyphs must be an integer of at least 0, not -1$"),
    (2.5, 0, r"^number of glyphs must be 1 to 1000000, not 2\.5$"),
])
def test_glyphs_refuse(count, seed, message):
    with pytest.raises(ValueError, match=message):
        glyphs(count, seed)
