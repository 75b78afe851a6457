"""Popcount against ``int.bit_count``."""

import numpy as np
import pytest

from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.network.popcount import Popcount
from lutgen.synth import estimate
from lutgen.targets import get_target
from tests.gateware.bundle import Pipelines
from tests.tiers import all_slow

WIDTHS = (1, 2, 3, 6, 7, 64)


def vectors(width: int, rng: np.random.Generator) -> list[int]:
    """All zeros, all ones, single ones and zeros, all values if there are few, random ones."""
    ones = (1 << width) - 1
    edges = [0, ones, *(1 << k for k in range(width)), *(ones ^ 1 << k for k in range(width))]
    edges += [(1 << k) - 1 for k in range(width)]
    if width <= 7:
        return edges + list(range(1 << width))
    planes = rng.random((300, width)) < rng.random((300, 1))
    return edges + [sum(1 << int(k) for k in np.flatnonzero(row)) for row in planes]


@pytest.mark.parametrize("primitive", [None, "LUT6"])
@pytest.mark.parametrize("widths", [WIDTHS, pytest.param((512,), marks=pytest.mark.slow)])
def test_counts_ones(widths, primitive):
    rng = np.random.default_rng(1)
    blocks = {f"w{width}": Popcount(width, primitive=primitive) for width in widths}
    given = {f"w{width}_i": np.array(vectors(width, rng), dtype=object) for width in widths}
    found = Pipelines(blocks)(given, extra=max(b.latency for b in blocks.values()))
    for width in widths:
        values = given[f"w{width}_i"]
        latency = blocks[f"w{width}"].latency
        result = found[f"w{width}_o"][latency:][: len(values)]
        np.testing.assert_array_equal(result, [int(v).bit_count() for v in values])


@pytest.mark.parametrize("width", all_slow([128, 512]))
def test_primitives_keep_to_four_levels(width):
    """Plain logic is mapped six levels deep, as synthesis does not find the counters again."""
    text = to_verilog(Popcount(width, primitive="LUT6"), "popcount")
    found = estimate(text, "popcount", get_target("zynq7045"), {})
    assert found["levels"] <= 4
    assert found["total"]["lut"] <= 1.1 * width


def test_width_must_be_positive():
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Popcount(0)
