"""Coordinate descent: what is counted stays true, and what windows pay falls."""

import numpy as np
import pytest

from lutgen.model.head import LaplaceHead
from lutgen.training.polish.costs import laplace_costs, square_costs
from lutgen.training.polish.descent import Descent, Windows
from lutgen.training.polish.layers import TwoLayers

FEATURES = 5
HEAD = LaplaceHead.from_scales(np.geomspace(0.5, 60, 8), 16, 16)


def layers(rng, groups: dict[str, int], hidden: int = 20) -> TwoLayers:
    outputs = sum(groups.values())
    return TwoLayers(
        FEATURES,
        rng.integers(0, FEATURES, (hidden, 6)).astype(np.int32),
        rng.integers(0, 255, (hidden, 6)).astype(np.uint8),
        rng.integers(0, 2, (hidden, 64)).astype(np.uint8),
        rng.integers(0, hidden, (outputs, 6)).astype(np.int32),
        rng.integers(0, 2, (outputs, 64)).astype(np.uint8),
        groups,
        np.ones((FEATURES, 255), dtype=np.bool_),
    )


def windows(rng, outputs: int, count: int = 3000) -> Windows:
    """Values that the first feature tells, with noise that the second one tells."""
    features = rng.integers(0, 256, (FEATURES, count)).astype(np.uint8)
    noise = rng.laplace(0, 1 + features[1] / 16, (outputs, count))
    targets = np.clip(features[0] + noise, 0, 255).astype(np.uint8)
    weights = rng.integers(1, 4, (outputs, count)).astype(np.float32)
    return Windows(features, targets, weights / weights.sum())


def paid(net: TwoLayers, seen: Windows, costs, groups) -> float:
    """What windows pay by the netlist."""
    netlist = net.netlist()
    counts = np.zeros((len(seen.targets), 2, seen.features.shape[1]), dtype=int)
    for name, (output, role) in zip(net.groups, groups, strict=True):
        counts[output, role] = netlist.evaluate_count(name, seen.features)
    return sum(
        float((costs.cost[c[1], costs.place[c[0], x]] * w).sum())
        for c, x, w in zip(counts, seen.targets, seen.weights, strict=True)
    )


CASES = {
    "laplace": ({"mu": 16, "sigma": 16}, laplace_costs(HEAD), [(0, 0), (0, 1)]),
    "two channels": (
        {"mu0": 16, "sigma0": 16, "mu1": 16, "sigma1": 16}, laplace_costs(HEAD),
        [(0, 0), (0, 1), (1, 0), (1, 1)],
    ),
    "squares": ({"p0": 8, "p1": 8, "p2": 8}, square_costs(8), [(0, 0), (1, 0), (2, 0)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_costs_fall_and_are_those_of_the_netlist(name):
    groups, costs, places = CASES[name]
    rng = np.random.default_rng(0)
    outputs = 1 + max(output for output, _ in places)
    net = layers(rng, groups)
    descent = Descent(net, costs, places, rng, signals=8, tried=FEATURES)
    seen, others = windows(rng, outputs), windows(rng, outputs)
    descent.load(seen)
    first = last = descent.cost()
    np.testing.assert_allclose(first, paid(net, seen, costs, places), rtol=1e-4)
    unseen = paid(net, others, costs, places)
    for _ in range(4):
        descent.sweep(0.0)
        assert descent.cost() < last
        last = descent.cost()
        np.testing.assert_allclose(last, paid(net, seen, costs, places), rtol=1e-4)
    assert last < 0.8 * first
    assert paid(net, others, costs, places) < 0.85 * unseen


def test_without_candidates_tables_alone_change():
    groups, costs, places = CASES["laplace"]
    rng = np.random.default_rng(0)
    net = layers(rng, groups)
    pins, feature, outputs = net.pins.copy(), net.feature.copy(), net.outputs.copy()
    read = np.unique(pins)
    descent = Descent(net, costs, places, rng, signals=0, tried=0)
    descent.load(windows(rng, 1))
    first = descent.cost()
    descent.sweep(0.0)
    assert descent.cost() < first
    np.testing.assert_array_equal(net.pins, pins)
    np.testing.assert_array_equal(net.feature[read], feature[read])
    assert (net.outputs != outputs).any()


def test_doubt_leaves_what_chance_may_have_made():
    """Of values that nothing tells a careful descent learns less by heart."""
    groups, costs, places = CASES["laplace"]
    gaps = []
    for doubt in (0.0, 3.0):
        rng = np.random.default_rng(1)
        net = layers(rng, groups)
        descent = Descent(net, costs, places, rng, signals=8, tried=FEATURES)
        seen, others = windows(rng, 1, 600), windows(rng, 1, 5000)
        descent.load(seen)
        for _ in range(4):
            descent.sweep(doubt)
        gaps.append(paid(net, others, costs, places) - descent.cost())
    assert gaps[1] < gaps[0]


def test_the_same_seed_gives_the_same_network():
    groups, costs, places = CASES["squares"]
    found = []
    for _ in range(2):
        rng = np.random.default_rng(2)
        net = layers(rng, groups)
        descent = Descent(net, costs, places, rng, signals=8, tried=2)
        descent.load(windows(rng, 3))
        descent.sweep(1.0)
        found.append(net)
    for name in ("feature", "threshold", "hidden", "pins", "outputs"):
        np.testing.assert_array_equal(getattr(found[0], name), getattr(found[1], name))
