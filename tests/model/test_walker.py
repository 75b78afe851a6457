import re

import numpy as np
import pytest

from lutgen.model.walker import Walker, WalkerStage
from tests.models import random_walker


def naive(walker, index, window):
    """One pixel, by the definition of a stage."""
    record = index
    for stage in walker.stages:
        test = [window[f] > t for f, t in
                zip(stage.feature[record], stage.threshold[record], strict=True)]  # fmt: skip
        child = 2 * int(test[0]) + int(test[2] if test[0] else test[1])
        if stage.child.ndim == 2:
            return stage.child[record, child]
        record = 4 * int(stage.child[record]) + child
    raise AssertionError


@pytest.mark.parametrize("stages", [1, 2, 3, 5])
def test_walk_is_one_record_per_stage(stages):
    rng = np.random.default_rng(stages)
    walker = random_walker(rng, features=6, entries=9, stages=stages, groups=7, classes=300)
    assert walker.entries == 9
    assert walker.features <= 6 and walker.classes <= 300
    index = rng.integers(9, size=400)
    features = rng.integers(256, size=(6, 400), dtype=np.uint8)
    found = walker.walk(index, features)
    assert found.dtype == np.uint16
    for p in range(400):
        assert found[p] == naive(walker, int(index[p]), features[:, p])


def test_children_in_order():
    stage = WalkerStage([[0, 1, 2]], [[10, 20, 30]], [[5, 6, 7, 8]])
    features = np.array([
        [10, 10, 11, 11],
        [20, 21, 0, 255],
        [255, 0, 30, 31],
    ], dtype=np.uint8)  # fmt: skip
    assert Walker([stage]).walk(np.zeros(4, np.int64), features).tolist() == [5, 6, 7, 8]


def test_threshold_255_is_never_true():
    stage = WalkerStage([[0, 0, 0]], [[255, 255, 255]], [[5, 6, 7, 8]])
    features = np.arange(256, dtype=np.uint8)[None]
    assert (Walker([stage]).walk(np.zeros(256, np.int64), features) == 5).all()


def test_greatest_numbers():
    stage = WalkerStage([[255, 0, 0]], [[0, 0, 0]], [[65535, 0, 0, 0]])
    walker = Walker([stage])
    assert walker.classes == 65536 and walker.features == 256


def stage(records=4, last=False, feature=0, threshold=0, child=0):
    shape = (records, 4) if last else (records,)
    return WalkerStage(
        np.full((records, 3), feature), np.full((records, 3), threshold), np.full(shape, child)
    )


@pytest.mark.parametrize(("make", "message"), [
    (lambda: stage(feature=256), "walker feature must be within 0..255"),
    (lambda: stage(feature=-1), "walker feature must be within 0..255"),
    (lambda: stage(threshold=256), "walker threshold must be within 0..255"),
    (lambda: stage(child=65536), "walker child must be within 0..65535"),
    (lambda: stage(records=0), "walker stage must have 1 to 65536 records, not 0"),
    (lambda: stage(records=65537), "walker stage must have 1 to 65536 records, not 65537"),
    (lambda: stage(feature=0.5),
     "walker feature must be of an integer type, not dtype('float64')"),
    (lambda: WalkerStage([0, 0, 0], [[0, 0, 0]], [0]),
     "walker feature must be of shape (None, 3), not (3,)"),
    (lambda: WalkerStage([[0, 0, 0]], [[0, 0]], [0]),
     "walker threshold must be of shape (1, 3), not (1, 2)"),
    (lambda: WalkerStage([[0, 0, 0]], [[0, 0, 0]], [[0, 0, 0]]),
     "walker child must be of shape (1, 4), not (1, 3)"),
    (lambda: WalkerStage([[0, 0, 0]], [[0, 0, 0]], [0, 0]),
     "walker child must be of shape (1,), not (2,)"),
    (lambda: Walker([]), "walker must have 1 to 16 stages, not 0"),
    (lambda: Walker([stage()] * 17), "walker must have 1 to 16 stages, not 17"),
    (lambda: Walker([stage()]), "walker stage 0 must name classes only if it is the last"),
    (lambda: Walker([stage(last=True), stage(last=True)]),
     "walker stage 0 must name classes only if it is the last"),
    (lambda: Walker([stage(child=1), stage(records=7, last=True)]),
     "walker stage 0 must point to the 7 records of the next stage, not to group 1"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()
