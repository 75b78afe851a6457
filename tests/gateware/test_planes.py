"""Pictures of planes into groups of their rows, and back into pixels, without a model between."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from lutgen.codec.predictive.container import GROUP
from lutgen.codec.predictive.planes import cfa_planes, to_rows
from lutgen.gateware.predictive.group_memory import GroupMemory
from lutgen.gateware.predictive.planes import Planes
from lutgen.gateware.predictive.planes_in import PlanesIn
from lutgen.gateware.predictive.planes_out import PlanesOut
from lutgen.gateware.streams.beats import colour_beats, raster_beats
from lutgen.model.cfa import CFAS
from tests.models import colour_model, mosaic_model

#: Largest planes, and groups that are under way.
DEPTH, COLUMNS, LINES, LANES = 8, 6, 9, 2
PLANES = {"rgb": Planes.of(colour_model()), "bayer": Planes.of(mosaic_model())}


def picture(planes: Planes, lines: int, columns: int) -> np.ndarray:
    """Noise: of so many lines and columns of planes."""
    shape = (2 * lines, 2 * columns) if planes.mosaic else (lines, columns, 3)
    return np.random.default_rng(lines).integers(256, size=shape, dtype=np.uint8)


def rows_of(planes: Planes, image: np.ndarray, order: int) -> np.ndarray:
    """Rows of planes, by the reference."""
    if planes.mosaic:
        return to_rows(cfa_planes(image, CFAS[order]), 8 + order)
    return to_rows(image, order)


def groups_of(rows: int, of_strip: int) -> list[int]:
    """Rows of each group of a picture."""
    found = []
    for top in range(0, rows, of_strip):
        left = min(of_strip, rows - top)
        found += [min(GROUP, left - at) for at in range(0, left, GROUP)]
    return found


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("strip_lines", [LINES, 4])
def test_rows(name, strip_lines):
    """Groups have the rows of the planes in turn, and begin with the plane that they say."""
    planes = PLANES[name]
    memory = GroupMemory(COLUMNS, LANES, planes=planes.count, order_bits=3 - planes.mosaic)
    block = PlanesIn(planes, DEPTH, memory, max_lines=LINES, strip_lines=strip_lines)
    order, lines, columns = 3, 9, 5
    image = picture(planes, lines, columns)
    wanted = rows_of(planes, image, order)
    beats = raster_beats(image[None]) if planes.mosaic else colour_beats(image[None], DEPTH)
    found, phases = [], []

    async def send(ctx):
        ctx.set(block.width, image.shape[1])
        ctx.set(block.height, image.shape[0])
        ctx.set(block.order, order)
        await ctx.tick().repeat(3)
        for data, sof, eol in zip(beats["data"], beats["user"], beats["last"], strict=True):
            ctx.set(block.pixels.payload, {"data": int(data), "sof": int(sof), "eol": int(eol)})
            ctx.set(block.pixels.valid, 1)
            await ctx.tick().until(block.pixels.ready)
        ctx.set(block.pixels.valid, 0)

    async def read(ctx):
        for count in groups_of(planes.count * lines, planes.count * strip_lines):
            while not ctx.get(block.groups.valid):
                await ctx.tick()
            group = ctx.get(block.groups.payload)
            assert group.rows + 1 == count
            phases.append(getattr(group, "plane", 0))
            tag = ctx.get(block.tag(block.groups.payload.tag))
            ctx.set(block.groups.ready, 1)
            await ctx.tick()
            ctx.set(block.groups.ready, 0)
            for row in range(count):
                samples = []
                for column in range(columns):
                    ctx.set(block.base, tag.base)
                    ctx.set(block.row, row)
                    ctx.set(block.column, column)
                    await ctx.tick().repeat(block.latency)
                    samples.append(ctx.get(block.sample))
                found.append(samples)
            ctx.set(block.finished, 1)
            await ctx.tick()
            ctx.set(block.finished, 0)

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(send, background=True)
    simulator.add_testbench(read)
    simulator.run()
    np.testing.assert_array_equal(found, wanted)
    if planes.count == 3:
        starts = np.cumsum([0, *groups_of(planes.count * lines, planes.count * strip_lines)])
        assert phases == [start % 3 for start in starts[:-1].tolist()]


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize("stalls", [0, 0.6])
def test_pixels(name, stalls):
    """Groups of several pictures in a row come out as rasters, their pixels whole."""
    planes = PLANES[name]
    memory = GroupMemory(COLUMNS, LANES, planes=planes.count, order_bits=3 - planes.mosaic)
    block, rng = PlanesOut(planes, DEPTH, memory), np.random.default_rng(3)
    sent, given = [], []
    for order, (lines, columns) in enumerate([(1, 1), (9, 5), (3, 6), (4, 4)]):
        image = picture(planes, lines, columns)
        rows = rows_of(planes, image, order)
        sizes = groups_of(len(rows), planes.count * 5)
        ends = np.cumsum(sizes).tolist()
        sent += [
            (rows[end - size : end], order, end == size, end == len(rows))
            for size, end in zip(sizes, ends, strict=True)
        ]
        given.append(
            raster_beats(image[None]) if planes.mosaic else colour_beats(image[None], DEPTH)
        )
    wanted = {k: np.concatenate([beats[k] for beats in given]) for k in given[0]}
    found = {k: [] for k in wanted}

    async def write(ctx):
        base, used = 0, 0
        for rows, order, first, last in sent:
            while used == memory.buffers:
                used -= ctx.get(block.freed)
                await ctx.tick()
            for (row, column), sample in np.ndenumerate(rows):
                ctx.set(block.write, 1)
                for port, value in (
                    ("base", base), ("row", row), ("column", column), ("sample", sample),
                ):  # fmt: skip
                    ctx.set(getattr(block, port), int(value))
                used -= ctx.get(block.freed)
                await ctx.tick()
            ctx.set(block.write, 0)
            ctx.set(block.finish, 1)
            ctx.set(block.group, {
                "base": base, "width": rows.shape[1], "rows": len(rows) - 1, "first": int(first),
                "last": int(last), "order": order,
            })  # fmt: skip
            used += 1 - ctx.get(block.freed)
            await ctx.tick()
            ctx.set(block.finish, 0)
            base = (base + memory.group) % memory.words

    async def read(ctx):
        while len(found["data"]) < len(wanted["data"]):
            ready = rng.random() >= stalls
            ctx.set(block.pixels.ready, int(ready))
            if ready and ctx.get(block.pixels.valid):
                pixel = ctx.get(block.pixels.payload)
                for name, value in (
                    ("data", pixel.data), ("user", pixel.sof), ("last", pixel.eol),
                ):  # fmt: skip
                    found[name].append(value)
            await ctx.tick()
        await ctx.tick().repeat(8)
        assert not ctx.get(block.busy)

    simulator = Simulator(block)
    simulator.add_clock(1e-6)
    simulator.add_testbench(write, background=True)
    simulator.add_testbench(read)
    simulator.run()
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
