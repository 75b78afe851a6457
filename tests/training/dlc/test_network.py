import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.model.window import Window
from lutgen.training.data.glyphs import glyphs
from lutgen.training.data.samples import collect
from lutgen.training.dlc.config import Hardness, NetworkConfig
from lutgen.training.dlc.network import LutNetwork
from lutgen.training.dlc.wiring import Group, Layout

_SOFT = Hardness(1.0, 1.0)
_HARD = Hardness(0.5, 0.5, hard=True)

# Every kind of node, of candidates and of first weights.
_CONFIGS = {
    "neuralut": {},
    "neuralut, sampled": {"sampled": 9, "hidden": 3},
    "neuralut, residual": {"residual": True, "thresholds": 7},
    "neuralut, bfloat16": {"dtype": "bfloat16"},
    "table": {"nodes": "table"},
    "table, sampled": {"nodes": "table", "sampled": 9},
    "table, residual": {"nodes": "table", "residual": True, "sampled": 9},
    "table, few thresholds": {"nodes": "table", "thresholds": 3, "sampled": 20},
    "table, aligned": {"nodes": "table", "sampled": 12, "aligned": True},
}

each_config = pytest.mark.parametrize("options", _CONFIGS.values(), ids=_CONFIGS)


def _layout(features, *groups):
    """Groups of some nodes each, the first of which is an average of pixel 0."""
    distances = np.arange(1, features + 1)[None] ** 0.5
    named = [Group(f"g{k}", nodes, None if k else 0) for k, nodes in enumerate(groups)]
    return Layout(distances.tolist(), named)


def _network(options, features=12, layers=(40, 30), groups=(18, 12), seed=0):
    config = NetworkConfig(layers=layers, **options)
    return LutNetwork(_layout(features, *groups), config, seed)


def _random_windows(seed, batch, features):
    return np.random.default_rng(seed).integers(256, size=(batch, features), dtype=np.uint8)


@pytest.fixture(scope="module")
def windows():
    """Windows of drawn glyphs: causal ones, (N, 12), and with a prior, (N, 25)."""
    images = glyphs(12, seed=5)
    raster = collect(images, Window(5), 32).features.T
    window = Window(5, prior=True)
    blurred = (images // 2 + np.roll(images, 1, axis=2) // 2).astype(np.uint8)
    prior = window.extract(images, blurred).reshape(window.features, -1).T
    return np.ascontiguousarray(raster), np.ascontiguousarray(prior)


def _assert_netlist_is_the_network(network, features):
    """All three hard forms of a network have the same bits."""
    tensor = torch.from_numpy(features)
    bits = network.hard(tensor)
    assert bits.dtype == torch.bool and bits.shape == (len(features), network.layout.nodes)
    # float32 0 and 1, nothing in between
    assert torch.equal(network(tensor, _HARD), bits.float())
    netlist = network.netlist()
    found = netlist.evaluate(np.ascontiguousarray(features.T))
    assert list(found) == [group.name for group in network.layout.groups]
    for name, nodes in network.layout.ranges().items():
        assert found[name].shape == (len(nodes), len(features))
        np.testing.assert_array_equal(found[name], bits[:, list(nodes)].numpy().T)
    return netlist, bits


# --- the netlist is the hard network


@each_config
@pytest.mark.parametrize("seed", range(2))
def test_netlist_of_random_windows(options, seed):
    network = _network(options, seed=seed)
    netlist, bits = _assert_netlist_is_the_network(network, _random_windows(seed, 300, 12))
    assert netlist.n_nodes <= 70 and netlist.depth <= 2
    # Bits that never change would compare equal however they are wired.
    assert (bits.any(0) & ~bits.all(0)).float().mean() > 0.3


@each_config
def test_netlist_of_real_windows(options, windows):
    for features in windows:
        network = _network(options, features.shape[1], seed=3)
        _, bits = _assert_netlist_is_the_network(network, features)
        assert (bits.any(0) & ~bits.all(0)).float().mean() > 0.3


@settings(max_examples=15, deadline=None)
@given(
    features=st.integers(1, 8), layers=st.lists(st.integers(1, 12), max_size=2),
    groups=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    nodes=st.sampled_from(["neuralut", "table"]), sampled=st.none() | st.integers(1, 5),
    thresholds=st.integers(1, 255), seed=st.integers(0, 1 << 30),
)  # fmt: skip
def test_netlist_of_any_shape(features, layers, groups, nodes, sampled, thresholds, seed):
    options = {"nodes": nodes, "sampled": sampled, "thresholds": thresholds}
    network = _network(options, features, (*layers, sum(groups)), groups, seed)
    _assert_netlist_is_the_network(network, _random_windows(seed, 70, features))


@each_config
def test_netlist_follows_training(options, windows):
    features = torch.from_numpy(windows[0][::20])
    network = _network(options, seed=1)
    before = network.hard(features)
    optimiser = torch.optim.Adam(network.parameters(), 0.3)
    generator = torch.Generator().manual_seed(0)
    target = (features[:, :1] > 100).float()
    for step in range(6):
        how = Hardness(0.5, 0.5, hard=step >= 3, noise=step < 3)
        loss = (network(features, how, generator) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        assert all(torch.isfinite(p.grad).all() for p in network.parameters())
        optimiser.step()
    _, after = _assert_netlist_is_the_network(network, windows[0][::20])
    assert not torch.equal(before, after)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"nodes": "table", "sampled": 32}], ids=["paper", "quick"])
def test_netlist_of_full_size(options, windows):
    network = _network(options, 25, (1024, 1024), (512, 512))
    _assert_netlist_is_the_network(network, windows[1])


def test_constant_nodes_take_no_luts():
    network = _network({"nodes": "table"}, groups=(18, 12))
    with torch.no_grad():
        network.layers[1].entries[:18] = 1.0
        network.layers[1].entries[18:] = -1.0
    netlist, bits = _assert_netlist_is_the_network(network, _random_windows(0, 50, 12))
    assert netlist.n_nodes == 0
    assert bits[:, :18].all() and not bits[:, 18:].any()


# --- soft networks


@each_config
def test_soft_bits(options):
    network = _network(options)
    features = torch.from_numpy(_random_windows(0, 64, 12))
    bits = network(features, _SOFT)
    assert bits.shape == (64, 30) and bits.dtype == torch.float32
    assert ((bits > 0) & (bits < 1)).all()
    bits.mean().backward()
    for parameter in network.parameters():
        assert torch.isfinite(parameter.grad).all() and parameter.grad.any()


def test_cold_networks_are_nearly_hard():
    for options in ({}, {"nodes": "table"}):
        network = _network(options)
        features = torch.from_numpy(_random_windows(1, 200, 12))
        soft = network(features, Hardness(1e-7, 1e-5))
        near = (soft - network.hard(features).float()).abs() < 0.01
        assert near.float().mean() > 0.99


def test_noise_comes_from_the_generator():
    network = _network({})
    features = torch.from_numpy(_random_windows(2, 20, 12))
    how = Hardness(1.0, 1.0, noise=True)
    first, same, other = (
        network(features, how, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, same) and not torch.equal(first, other)


@each_config
def test_networks_depend_on_the_seed_alone(options):
    first, same, other = (_network(options, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("count", [1, 2, 7, 254, 255])
def test_thresholds_are_spread_evenly(count):
    thresholds = _network({"thresholds": count}).connections[0].thresholds
    assert len(thresholds) == count
    gaps = thresholds.diff()
    assert count == 1 or gaps.max() - gaps.min() <= 1
    # as much room below as above
    assert abs(int(thresholds[0]) - (254 - int(thresholds[-1]))) <= 1


def test_all_thresholds_are_every_step():
    thresholds = _network({"thresholds": 255}).connections[0].thresholds
    assert torch.equal(thresholds, torch.arange(255))


def test_more_candidates_than_there_are():
    network = _network({"sampled": 35}, layers=(20, 30))
    assert network.connections[0].logits.shape == (35, 120)
    assert network.connections[1].logits.shape == (20, 180)


# --- errors


@pytest.mark.parametrize("options, message", [
    ({"layers": ()}, "layers must be sizes of 1 to 16384 nodes, not ()"),
    ({"layers": (8, 0)}, "layers must be sizes of 1 to 16384 nodes, not (8, 0)"),
    ({"layers": [16385]}, "layers must be sizes of 1 to 16384 nodes, not (16385,)"),
    ({"nodes": "lut"}, "nodes must be neuralut or table, not 'lut'"),
    ({"dtype": "float16"}, "dtype must be float32 or bfloat16, not 'float16'"),
    ({"hidden": 0}, "hidden must be 1 to 64 units, not 0"),
    ({"hidden": 65}, "hidden must be 1 to 64 units, not 65"),
    ({"thresholds": 0}, "thresholds must be 1 to 255, not 0"),
    ({"thresholds": 256}, "thresholds must be 1 to 255, not 256"),
    ({"sampled": 0}, "sampled must be at least 1 candidate, not 0"),
    ({"aligned": True}, "aligned wiring must have tables as nodes and sampled candidates"),
    (
        {"aligned": True, "nodes": "table"},
        "aligned wiring must have tables as nodes and sampled candidates",
    ),
])
def test_config_errors(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        NetworkConfig(**options)


def test_the_last_layer_must_fit_the_groups():
    message = "last layer must have the 30 nodes of the output groups, not 31"
    with pytest.raises(ValueError, match=f"^{message}$"):
        _network({}, layers=(40, 31))
