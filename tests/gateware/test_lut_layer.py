"""LUT layers against the netlist's own evaluation."""

import numpy as np
import pytest

from lutgen.gateware.network.lut_layer import LutLayers
from lutgen.model.netlist_builder import NetlistBuilder
from tests.gateware.bundle import Pipelines, number

FEATURES = 4
GROUPS = {"index": 7, "mu": 20}


def netlist(seed: int, nodes: int):
    """Nodes of one to six pins, and outputs at every level: inputs, constants and nodes."""
    rng = np.random.default_rng(seed)
    builder = NetlistBuilder(FEATURES)
    pool = [builder.input(f, int(t)) for f in range(FEATURES) for t in rng.integers(255, size=6)]
    for _ in range(nodes):
        count = int(rng.integers(1, 7))
        recent = pool[-12:]  # deep rather than broad
        pins = [recent[i] for i in rng.choice(len(recent), size=count, replace=False)]
        table = int.from_bytes(rng.bytes(8), "little") % (1 << (1 << count))
        pool.append(builder.node(pins, table))
    for name, size in GROUPS.items():
        ids = [0, 1, pool[0], *pool[-2:], *(pool[i] for i in rng.integers(len(pool), size=size))]
        builder.output(name, ids[:size])
    return builder.build()


def test_networks():
    nets = {"deep": netlist(1, 60), "flat": netlist(2, 0)}
    assert nets["deep"].depth >= 5
    assert nets["flat"].depth == 0
    blocks = {
        f"{which}_p{levels}_{kind}": LutLayers(net, levels_per_stage=levels, primitive=primitive)
        for which, net in nets.items()
        for levels in (1, 2, 4)
        for kind, primitive in (("plain", None), ("lut6", "LUT6"))
        if which == "deep" or levels == 4
    }
    rng = np.random.default_rng(3)
    features = rng.integers(256, size=(FEATURES, 400), dtype=np.uint8)
    features[:, :2] = [0, 255]
    given = {}
    for name in blocks:
        net = nets[name.split("_")[0]]
        feature, threshold = net.inputs.T
        given[f"{name}_i"] = number(features[feature] > threshold[:, None])
    found = Pipelines(blocks)(given, extra=max(b.latency for b in blocks.values()))
    for name, block in blocks.items():
        net = nets[name.split("_")[0]]
        levels = int(name.split("_")[1][1:])
        assert block.latency == max(1, -(-net.depth // levels))
        for group, planes in net.evaluate(features).items():
            result = found[f"{name}_{group}"][block.latency :][: features.shape[1]]
            np.testing.assert_array_equal(result, number(planes), err_msg=f"{name} {group}")


@pytest.mark.parametrize(("arguments", "message"), [
    ({"levels_per_stage": 0}, "at least 1, not 0"),
    ({"primitive": "LUT4"}, "'LUT6' or None, not 'LUT4'"),
])  # fmt: skip
def test_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        LutLayers(netlist(2, 0), **arguments)
