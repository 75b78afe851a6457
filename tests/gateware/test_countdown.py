"""Counters in segments: steps in every clock, borrows through all segments, reloads."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.gateware.fabric.countdown import LESSENED_LATENCY, countdown, lessened
from lutgen.sim import Design, rtl_pipeline


class Counter(wiring.Component):
    start: In(32)
    reload: In(1)
    step: In(1)
    zero: Out(1)
    less: Out(32)

    def elaborate(self, platform) -> Module:
        m = Module()
        counted = countdown(
            m, self.start, reload=self.reload, step=self.step & ~self.reload & ~self.zero, name="n"
        )
        m.d.comb += [self.zero.eq(counted), self.less.eq(lessened(m, self.start, name="less"))]
        return m


@pytest.fixture(scope="module")
def design() -> Design:
    return Design.of(Counter())


@pytest.mark.parametrize("start", [0, 1, 2, 255, 256, 257, 511, 512, 3000])
def test_a_step_in_every_clock(design, start):
    """At zero after as many steps as it began with, and again after a reload at once."""
    clocks = start + 40
    reload = np.zeros(clocks, int)
    reload[[3, 3 + start + 1]] = 1
    out = rtl_pipeline(
        design, {"start": np.full(clocks, start), "reload": reload, "step": np.ones(clocks, int)},
        ["zero"],
    )["zero"]  # fmt: skip
    assert not out[5 : 4 + start].any()
    assert out[4 + start] == 1
    assert out[5 + start] == (start == 0)


def test_borrow_through_all_segments(design):
    """Steps with pauses, in a count that is too long to be seen to its end."""
    start = 1 << 20  # borrows from the highest segment at once
    steps = 700
    out = rtl_pipeline(
        design, {"start": np.full(steps, start), "reload": np.arange(steps) == 2,
                 "step": np.arange(steps) % 3 > 0}, ["zero"],
    )["zero"]  # fmt: skip
    assert not out[4:].any()


def test_lessened(design):
    values = np.random.default_rng(1).integers(1 << 32, size=60)
    values[::7] = 0
    values[1::7] = 1 << 16
    out = rtl_pipeline(
        design, {"start": values, "reload": 0 * values, "step": 0 * values}, ["less"]
    )["less"]
    expected = (values - 1) % (1 << 32)
    np.testing.assert_array_equal(out[LESSENED_LATENCY:], expected[:-LESSENED_LATENCY])
