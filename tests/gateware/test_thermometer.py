"""Thermometer bits against ``feature > threshold``."""

import numpy as np

from lutgen.gateware.fabric.fabric import LUT4
from lutgen.gateware.network.thermometer import Thermometer
from lutgen.model.netlist_builder import NetlistBuilder
from tests.gateware.bundle import Pipelines, bits, packed

FEATURES = 3


class _ForLut4(Thermometer):
    def elaborate(self, platform):
        return super().elaborate(LUT4)


def netlist():
    """All thresholds of feature 0, some of feature 2, none of feature 1."""
    builder = NetlistBuilder(FEATURES)
    ids = [builder.input(0, threshold) for threshold in range(255)]
    ids += [builder.input(2, threshold) for threshold in (0, 1, 127, 128, 254)]
    builder.output("o", ids)
    return builder.build()


def test_every_threshold_at_every_pixel():
    net = netlist()
    blocks = {
        "plain": Thermometer(net),
        "lut6": Thermometer(net, primitive="LUT6"),
        "lut4": _ForLut4(net),
    }
    rng = np.random.default_rng(2)
    pixels = np.arange(256)
    features = np.stack([pixels, rng.permutation(pixels), pixels[::-1]])
    given = packed(features)
    found = Pipelines(blocks)(
        {f"{name}_features": given for name in blocks}, extra=Thermometer.latency
    )
    feature, threshold = net.inputs.T
    expected = features[feature] > threshold[:, None]
    assert len(net.inputs) == 260
    for name in blocks:
        result = bits(found[f"{name}_o"][Thermometer.latency :], len(net.inputs))
        np.testing.assert_array_equal(result, expected, err_msg=name)
