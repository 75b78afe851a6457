import numpy as np
import pytest
import torch

from lutgen.model.window import Window
from lutgen.training.dlc.layouts import arm_layout, ups_layout
from lutgen.training.dlc.wiring import (
    Group,
    Layout,
    aligned_bits,
    aligned_thermometer,
    stratified,
)

_THRESHOLDS = np.arange(255)


def _rng():
    return np.random.default_rng(1)


def test_layout():
    layout = Layout([[1, 2, 3], [3, 2, 1]], [Group("a", 4, 1), Group("b", 1), Group("c", 5, 0)])
    assert (layout.features, layout.nodes) == (3, 10)
    assert layout.ranges() == {"a": range(4), "b": range(4, 5), "c": range(5, 10)}


@pytest.mark.parametrize("candidates, sampled", [(100, 1), (100, 7), (100, 99), (100, 100), (1, 1)])
def test_stratified_candidates_are_distinct_and_spread(candidates, sampled):
    chosen = stratified(candidates, 3000, sampled, torch.Generator().manual_seed(1))
    assert chosen.shape == (sampled, 3000) and chosen.dtype == torch.int64
    assert chosen.min() >= 0 and chosen.max() < candidates
    ordered = chosen.sort(0).values
    assert (ordered.diff(dim=0) > 0).all()
    # No two neighbours, once around, are more than two strata apart.
    gaps = torch.cat([ordered.diff(dim=0), ordered[:1] + candidates - ordered[-1:]])
    assert gaps.max() <= 2 * -(-candidates // sampled)
    assert len(chosen.unique()) == candidates


@pytest.mark.parametrize("thresholds", [_THRESHOLDS, np.array([10, 100, 200]), np.array([127])])
@pytest.mark.parametrize("layout", [
    arm_layout(Window(5), 64), arm_layout(Window(5, prior=True), 64),
    ups_layout(Window(5, prior=True), 64), arm_layout(Window(5, True, 3), 64),
    ups_layout(Window(3, True, 2), 64),
], ids=["raster", "prior", "upsampling", "rgb", "upsampling of two channels"])  # fmt: skip
def test_first_layer_begins_at_the_nearest_pixels_and_its_own_threshold(layout, thresholds):
    chosen = aligned_thermometer(layout, 96, thresholds, 10, _rng()).numpy()
    assert chosen.shape == (10, 576)
    assert chosen.min() >= 0 and chosen.max() < layout.features * len(thresholds)
    bit, feature = np.divmod(chosen[0].reshape(96, 6), layout.features)
    for n in range(96):
        assert len(set(bit[n])) == 1
        # Of the thresholds that there are, none is nearer.
        distance = np.abs(thresholds - 255 * (n + 0.5) / 96)
        assert distance[bit[n, 0]] <= distance.min() + 0.5
        away = np.array(layout.distances[n % len(layout.distances)])
        assert sorted(away[feature[n]]) == sorted(away)[:6]


def test_few_features_are_read_more_than_once():
    layout = Layout([[1.0, 2.0]], [Group("a", 3, 0)])
    chosen = aligned_thermometer(layout, 3, _THRESHOLDS, 4, _rng()).numpy()
    assert (chosen[0].reshape(3, 6) % 2 == [0, 1, 0, 1, 0, 1]).all()


def test_last_layer_begins_at_nodes_of_its_threshold_and_target():
    layout = ups_layout(Window(5, prior=True), 128)
    chosen, aligned = aligned_bits(layout, 256, 10, _rng())
    assert chosen.shape == (10, 768) and chosen.min() >= 0 and chosen.max() < 256
    assert aligned.shape == (128,) and aligned.all()
    own = chosen[0].view(4, 32, 6)
    for target in range(4):
        middle = own[target, 2:-2]
        assert (middle % 4 == target).all()
        node = torch.arange(2, 30)[:, None]
        assert ((middle / 256 - (node + 0.5) / 32).abs() <= 16 / 256).all()


def test_groups_without_a_target_are_drawn_anywhere():
    layout = Layout([[1.0] * 9], [Group("mu", 20, 0), Group("sigma", 30)])
    chosen, aligned = aligned_bits(layout, 50, 8, _rng())
    assert aligned.tolist() == [True] * 20 + [False] * 30
    free = chosen[:, 120:]
    assert len(free.unique()) == 50
    assert 20 < free.float().mean() < 29


def test_candidates_depend_on_the_draws_alone():
    layout = ups_layout(Window(5, prior=True), 16)
    for draw in (
        lambda rng: aligned_thermometer(layout, 16, _THRESHOLDS, 5, rng),
        lambda rng: aligned_bits(layout, 16, 5, rng)[0],
    ):
        assert torch.equal(draw(_rng()), draw(_rng()))
        assert not torch.equal(draw(_rng()), draw(np.random.default_rng(2)))
