"""The walk through a raster: places, flags and numbers of tiles, of every size."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from lutgen.gateware.files.raster import has_one_left
from lutgen.gateware.files.raster_walk import RasterWalk

#: Logarithms of the sides of a tile.
COLUMN_BITS, ROW_BITS = 2, 1


class Walk(wiring.Component):
    """Frames of one size, one after the other."""

    take: In(1)
    hold: In(1)
    last_x: In(4)
    last_y: In(3)
    place: Out(16)
    flags: Out(4)
    tile: Out(8)
    ended: Out(8)

    def elaborate(self, platform):
        m = Module()
        walk = RasterWalk(m, 4, 3)
        band = Signal(8)
        m.d.sync += walk.edges.follow(self.last_x, self.last_y)
        with m.If(self.take):
            walk.look_ahead(
                tile_next=has_one_left(walk.x, COLUMN_BITS),
                band_next=has_one_left(walk.y, ROW_BITS),
            )
            with walk.go_on((self.tile, band)):
                m.d.sync += self.ended.eq(self.ended + 1)
        with m.Elif(self.hold):
            walk.begin(walk.edges)
        m.d.comb += [
            self.place.eq(walk.x + (walk.y << 8)),
            self.flags[0].eq(walk.row_end),
            self.flags[1].eq(walk.tile_end),
            self.flags[2].eq(walk.frame_end),
            self.flags[3].eq(walk.band_end),
        ]
        return m


def steps(width: int, height: int, frames: int) -> list[tuple]:
    """What the gateware shows at each step."""
    dut, seen = Walk(), []

    async def bench(ctx):
        ctx.set(dut.last_x, width - 1)
        ctx.set(dut.last_y, height - 1)
        ctx.set(dut.hold, 1)
        await ctx.tick().repeat(3)
        ctx.set(dut.hold, 0)
        for clock in range(2 * frames * width * height):
            ctx.set(dut.take, clock % 2)  # it waits in between
            if clock % 2:
                flags = ctx.get(dut.flags)
                seen.append((
                    ctx.get(dut.place) & 255, ctx.get(dut.place) >> 8,
                    *(bool(flags >> k & 1) for k in range(4)), ctx.get(dut.tile),
                    ctx.get(dut.ended),
                ))  # fmt: skip
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return seen


def expected(width: int, height: int, frames: int) -> list[tuple]:
    """The same, by counting."""
    across, down = -(-width // (1 << COLUMN_BITS)), -(-height // (1 << ROW_BITS))
    return [
        (
            x, y, x == width - 1, x == width - 1 or x % 4 == 3, y == height - 1,
            y == height - 1 or y % 2 == 1,
            (frame * down + y // 2) * across + x // 4, frame,
        )
        for frame in range(frames) for y in range(height) for x in range(width)
    ]  # fmt: skip


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 9, 15, 16])
@pytest.mark.parametrize("height", [1, 2, 3, 4, 7, 8])
def test_every_step(width, height):
    assert steps(width, height, 2) == expected(width, height, 2)
