"""Netlists as two full layers, and back."""

import numpy as np
import pytest

from lutgen.errors import InputError
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.optimise import optimise
from lutgen.training.polish.layers import TwoLayers
from tests.models import random_netlist


def two_levels(seed: int):
    """A netlist with outputs of all kinds: constants, inputs, nodes of one and of two levels."""
    rng = np.random.default_rng(seed)
    builder = NetlistBuilder(7)
    inputs = [builder.input(int(rng.integers(7)), int(rng.integers(255))) for _ in range(9)]

    def nodes(count: int, pool: list[int]) -> list[int]:
        return [
            builder.node(rng.choice(pool, 6).tolist(), int(rng.integers(1 << 62)))
            for _ in range(count)
        ]

    first = nodes(5, [0, 1, *inputs])
    second = nodes(8, [0, 1, *inputs, *first])
    builder.output("a", [0, 1, inputs[0], first[0], *second])
    builder.output("b", [second[0], first[1], inputs[3]])
    return builder.build()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("optimised", [False, True])
def test_no_output_differs(seed, optimised):
    netlist = two_levels(seed)
    netlist = optimise(netlist) if optimised else netlist
    rng = np.random.default_rng(seed)
    layers = TwoLayers.of(netlist, rng)
    assert layers.groups == {"a": 12, "b": 3}
    assert len(layers.outputs) == 15
    assert len(layers.hidden) >= 15
    assert layers.pins.min() >= 0
    assert layers.pins.max() < len(layers.hidden)
    again = layers.netlist()
    features = rng.integers(0, 256, (7, 400)).astype(np.uint8)
    for name, bits in netlist.evaluate(features).items():
        np.testing.assert_array_equal(again.evaluate(features)[name], bits)


def test_free_pins_do_not_matter():
    """Whatever a pin reads that the netlist left out."""
    netlist = two_levels(0)
    features = np.random.default_rng(5).integers(0, 256, (7, 400)).astype(np.uint8)
    some = TwoLayers.of(netlist, np.random.default_rng(1)).netlist()
    other = TwoLayers.of(netlist, np.random.default_rng(2)).netlist()
    for name, bits in some.evaluate(features).items():
        np.testing.assert_array_equal(other.evaluate(features)[name], bits)


def test_inputs_may_be_kept():
    netlist = two_levels(0)
    layers = TwoLayers.of(netlist, np.random.default_rng(1), same_inputs=True)
    known = set(map(tuple, netlist.inputs.tolist()))
    assert int(layers.allowed.sum()) == len(known)
    read = zip(layers.feature.ravel().tolist(), layers.threshold.ravel().tolist(), strict=True)
    assert set(read) <= known


def test_deeper_networks_are_refused():
    netlist = random_netlist(np.random.default_rng(0), 5, {"a": 9}, inputs=9, nodes=40)
    assert netlist.depth > 2
    with pytest.raises(InputError, match="at most 2 levels of LUTs deep to be polished, not"):
        TwoLayers.of(netlist, np.random.default_rng(0))
