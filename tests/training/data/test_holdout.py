"""No picture is on both sides of a split."""

import numpy as np
import pytest

from lutgen.training.data.datasets import DatasetError
from lutgen.training.data.holdout import hold_out


def pictures(count, side=4):
    return list(np.random.default_rng(0).integers(0, 256, (count, side, side), dtype=np.uint8))


def keys(images):
    return {image.tobytes() for image in images}


@pytest.mark.parametrize(("count", "share", "most", "held"), [
    (10, 0.1, None, 1), (10, 0.3, None, 3), (10, 0.3, 2, 2), (2, 0.9, None, 1), (3, 0.01, None, 1),
])  # fmt: skip
def test_whole_pictures(count, share, most, held):
    images = pictures(count)
    split = hold_out(images, share, 5, most)
    assert (len(split.kept), len(split.held)) == (count - held, held)
    assert keys(split.kept) | keys(split.held) == keys(images)
    assert not keys(split.kept) & keys(split.held)
    assert (split.how, split.whole) == (f"{held} of {count} images", True)
    again = hold_out(images, share, 5, most)
    assert keys(again.held) == keys(split.held)
    assert any(keys(hold_out(images, share, k, most).held) != keys(split.held) for k in range(9))


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_on_one_side(seed):
    a, b, c = pictures(3)
    images = [a, b, a, c, a, a, a]
    split = hold_out(images, 0.5, seed)
    assert split.kept and split.held
    assert not keys(split.kept) & keys(split.held)
    assert len(split.kept) + len(split.held) == len(images)


@pytest.mark.parametrize(("shape", "kept", "held", "how"), [
    ((40, 3), (36, 3), (4, 3), "rows 36 to 39 of the only image"),
    ((2, 9), (1, 9), (1, 9), "rows 1 to 1 of the only image"),
    ((1, 20), (1, 18), (1, 2), "columns 18 to 19 of the only image"),
])  # fmt: skip
def test_of_a_single_picture_its_last_rows(shape, kept, held, how):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    split = hold_out([image], 0.1, 0)
    assert (split.kept[0].shape, split.held[0].shape) == (kept, held)
    joined = np.concatenate([split.kept[0], split.held[0]], axis=0 if shape[0] > 1 else 1)
    assert np.array_equal(joined, image)
    assert (split.how, split.whole) == (how, False)
    assert hold_out([image] * 3, 0.1, 0).how == f"{how}, given 3 times"


def test_one_pixel():
    message = "^images must have at least two pixels in all, so that some can be held out, not one$"
    with pytest.raises(DatasetError, match=message):
        hold_out([np.zeros((1, 1), np.uint8)], 0.1, 0)
