"""Upsampling pass between its two memories, against the reference's upsampler."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.sim import Simulator

from lutgen.gateware.levels.coarse import CoarseMemory
from lutgen.gateware.levels.prior import PriorMemory
from lutgen.gateware.levels.upsample import UpsamplePass, upsample_order
from tests.models import random_upsampler

TILE = {"tile_width": 16, "tile_height": 32}
LEVELS = 2
SLOTS = 4


class Bench:
    """Memories and the pass, driven clock by clock."""

    def __init__(self, size: int) -> None:
        self.upsampler = random_upsampler(np.random.default_rng(size), size=size)
        order = upsample_order(SLOTS, LEVELS, **TILE, tag_bits=4)
        self.radius = 2
        self.coarse = CoarseMemory(LEVELS, **TILE, slots=SLOTS)
        self.priors = PriorMemory(
            radius=self.radius, slots=SLOTS, levels=LEVELS, **TILE, parents=True
        )
        self.upsample = UpsamplePass(
            self.upsampler, order, levels_per_stage=2, primitive=None
        )
        m = Module()
        m.submodules.coarse, m.submodules.priors = self.coarse, self.priors
        m.submodules.upsample = self.upsample
        for name, port in (
            ("slot", "tile"), ("level", "level"), ("column", "column"), ("row", "row"),
        ):  # fmt: skip
            m.d.comb += getattr(self.coarse, port).eq(getattr(self.upsample, name))
        m.d.comb += [
            *[self.upsample.banks[b].eq(self.coarse.banks[b]) for b in range(8)],
            *[
                getattr(self.priors, name).eq(getattr(self.upsample, name))
                for name in ("write", "write_slot", "write_level", "write_x", "write_y",
                             "write_parent")
            ],
            *[self.priors.write_block[i].eq(self.upsample.write_block[i]) for i in range(4)],
        ]  # fmt: skip
        self.simulator = Simulator(m)
        self.simulator.add_clock(1e-6)

    def run(self, bench) -> None:
        self.simulator.add_testbench(bench)
        self.simulator.run()


async def _fill(ctx, coarse, slot: int, level: int, pixels: np.ndarray) -> None:
    for (y, x), pixel in np.ndenumerate(pixels):
        for name, value in (
            ("write", 1), ("write_tile", slot), ("write_level", level), ("write_x", x),
            ("write_y", y), ("write_pixel", int(pixel)),
        ):  # fmt: skip
            ctx.set(getattr(coarse, name), value)
        await ctx.tick()
    ctx.set(coarse.write, 0)


async def _read(ctx, priors, slot: int, level: int, shape) -> tuple[np.ndarray, np.ndarray]:
    """Upsampled pixels and their parents; columns are read one row down at a time."""
    height, width = shape
    rows = np.zeros((height, width, len(priors.rows)), np.uint8)
    parents = np.zeros((height, width), np.uint8)
    places = list(np.ndindex(height, width))
    for clock in range(len(places) + PriorMemory.latency):
        if clock >= PriorMemory.latency:
            at = places[clock - PriorMemory.latency]
            rows[at] = [ctx.get(row) for row in priors.rows]
        if 0 <= clock - PriorMemory.parent_latency < len(places):
            parents[places[clock - PriorMemory.parent_latency]] = ctx.get(priors.parent)
        if clock < len(places):
            y, x = places[clock]
            for name, value in (
                ("slot", slot), ("level", level), ("column", x), ("row", y),
                ("parent_x", x >> 1), ("parent_y", y >> 1),
            ):  # fmt: skip
                ctx.set(getattr(priors, name), value)
        await ctx.tick()
    return rows, parents


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 5, 7])
def test_pass_upsamples_every_pixel(size):
    """Levels of all shapes, reads refused at random, orders one behind the other."""
    bench = Bench(size)
    rng = np.random.default_rng(11)
    shapes = [((32, 16), 0), ((1, 1), 0), ((13, 16), 0), ((15, 3), 1), ((2, 5), 1), ((16, 8), 1)]

    async def testbench(ctx) -> None:
        upsample = bench.upsample
        for slot in range(3):
            levels = {}
            orders = [shapes[slot], shapes[slot + 3]]
            for (height, width), level in orders:
                low = rng.integers(
                    256, size=((height + 1) // 2, (width + 1) // 2), dtype=np.uint8
                )
                levels[level] = low
                await _fill(ctx, bench.coarse, slot, level + 1, low)
            done = []
            for tag, (_, level) in enumerate(orders):
                low = levels[level]
                order = upsample.orders.payload
                for name, value in (
                    ("slot", slot), ("level", level + 1), ("width", low.shape[1] - 1),
                    ("height", low.shape[0] - 1), ("tag", 3 * slot + tag),
                ):  # fmt: skip
                    ctx.set(order[name], value)
                ctx.set(upsample.orders.valid, 1)
                while True:
                    taken = ctx.get(upsample.orders.ready)
                    ctx.set(upsample.granted, int(rng.integers(2)))
                    done += [ctx.get(upsample.done_tag)] * ctx.get(upsample.done)
                    await ctx.tick()
                    if taken:
                        break
                ctx.set(upsample.orders.valid, 0)
            ctx.set(upsample.granted, 1)
            for _ in range(256 + upsample.latency):
                done += [ctx.get(upsample.done_tag)] * ctx.get(upsample.done)
                await ctx.tick()
            assert done == [3 * slot, 3 * slot + 1]
            for (height, width), level in orders:
                expected = bench.upsampler.upsample(levels[level], height, width)
                rows, parents = await _read(ctx, bench.priors, slot, level, (height, width))
                for k in range(bench.radius + 1):
                    np.testing.assert_array_equal(rows[: height - k, :, k], expected[k:])
                whole = levels[level].repeat(2, axis=0).repeat(2, axis=1)
                np.testing.assert_array_equal(parents, whole[:height, :width])

    bench.run(testbench)
