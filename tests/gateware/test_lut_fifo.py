"""The short queue: order, depth, rate."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from lutgen.gateware.streams.lut_fifo import LutFifo, step


def run(depth: int, words: int, offers, takes, clocks: int) -> tuple[list[int], list[int]]:
    """What leaves the queue, and how many words are inside at each clock.

    ``offers`` and ``takes`` say for each clock whether a word is offered or taken.
    """
    dut = LutFifo(16, depth)
    left, inside = [], []

    async def bench(ctx):
        sent = 0
        for clock in range(clocks):
            ctx.set(dut.i.valid, offers(clock) and sent < words)
            ctx.set(dut.i.payload, sent)
            ctx.set(dut.o.ready, takes(clock))
            gives, gets = ctx.get(dut.i.valid & dut.i.ready), ctx.get(dut.o.valid & dut.o.ready)
            if gets:
                left.append(ctx.get(dut.o.payload))
            # It may be full only if it holds as many as it should.
            if ctx.get(dut.i.valid & ~dut.i.ready):
                assert sent - len(left) + gets >= depth
            # A word is seen a clock after it has come.
            assert ctx.get(dut.busy) or sent == len(left) - gets
            sent += gives
            inside.append(sent - len(left))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return left, inside


@pytest.mark.parametrize("depth", [1, 4, 5, 8, 21])
def test_order_and_depth(depth):
    chance = random.Random(depth)
    for offered, taken in ((0.9, 0.3), (0.3, 0.9), (0.8, 0.8), (1, 1)):
        left, inside = run(
            depth, 300, lambda _, p=offered: chance.random() < p,
            lambda clock, p=taken: clock > 150 and chance.random() < p, 1400,
        )  # fmt: skip
        assert left == list(range(300))
        assert max(inside) >= depth


def test_word_per_clock():
    """From the fourth clock on, and with nothing taken for a while."""
    left, _ = run(8, 60, lambda _: True, lambda _: True, 63)
    assert left == list(range(60))


def test_depth():
    with pytest.raises(ValueError, match=r"^depth must be positive, not 0$"):
        LutFifo(8, 0)


def test_step():
    """From each value, also where narrow builds never come, up, down, both and neither."""
    m, bits = Module(), 6
    counter, up, down, after = Signal(bits), Signal(), Signal(), Signal(bits)
    m.d.comb += after.eq(step(counter, up, down))

    async def bench(ctx):
        for case in range(4 << bits):
            value, moves = divmod(case, 4)
            for signal, now in ((counter, value), (up, moves & 1), (down, moves >> 1)):
                ctx.set(signal, now)
            assert ctx.get(after) == (value + (moves & 1) - (moves >> 1)) % (1 << bits), case

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
