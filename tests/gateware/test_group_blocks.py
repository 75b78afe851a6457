"""Pictures through blocks of samples: into the encoder's memory, through a walk, and out again."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP, LAG
from lutgen.gateware.fabric.block_pool import BlockPool
from lutgen.gateware.fabric.blockmem import ram_cost
from lutgen.gateware.fabric.fabric import LUT6
from lutgen.gateware.fabric.pipeline import delay
from lutgen.gateware.files.raster import pixel_layout
from lutgen.gateware.predictive.group_blocks import GroupBlocks, most_decoded, most_waiting
from lutgen.gateware.predictive.picture_in import PictureIn
from lutgen.gateware.predictive.picture_out import PictureOut
from lutgen.gateware.predictive.walk import PRIMING, Walk, group_layout
from lutgen.sim import Design, Stall, rtl_stream
from tests.gateware.test_modeller import MARKERS, raster
from tests.tiers import slow_but_first

LEAST = 17


class _Round(wiring.Component):
    """Both memories of pictures on one walk."""

    def __init__(self, lanes: int, max_width: int, max_height: int, strip_height: int) -> None:
        blocks = [GroupBlocks(max_width, lanes, LEAST, depth=8, decodes=decodes)
                  for decodes in (False, True)]  # fmt: skip
        self.picture_in = PictureIn(
            8, blocks[0], max_height=max_height, strip_height=strip_height
        )
        self.picture_out = PictureOut(8, blocks[1], lanes=lanes)
        self.group = blocks[1].layout
        self.blocks, self._lanes = blocks[1], lanes
        self.walk = Walk(
            lanes, max_width, least=LEAST, tag=self.picture_in.tag.size + self.group.size
        )
        super().__init__({
            "pixels": In(stream.Signature(pixel_layout(8))), "width": In(bits_for(max_width)),
            "height": In(bits_for(max_height)), "o": Out(stream.Signature(pixel_layout(8))),
            "idle": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.picture_in, m.submodules.walk = given, walk = self.picture_in, self.walk
        m.submodules.picture_out = out = self.picture_out
        wiring.connect(m, wiring.flipped(self.pixels), given.pixels)
        wiring.connect(m, out.pixels, wiring.flipped(self.o))
        offered, begins = given.groups.payload, walk.groups.payload
        in_tag = given.tag(offered.tag)
        group = Signal(self.group)
        base, used = Signal.like(group.base), Signal(range(self.blocks.buffers + 1))
        goes = walk.groups.valid & walk.groups.ready
        m.d.comb += [
            given.width.eq(self.width), given.height.eq(self.height), given.walking.eq(walk.busy),
            walk.width.eq(given.walk_width), walk.hold.eq(out.low),
            group.base.eq(base), group.width.eq(given.walk_width), group.rows.eq(offered.rows),
            group.first.eq(in_tag.file_begins), group.last.eq(in_tag.file_ends),
            walk.groups.valid.eq(given.groups.valid & (used != self.blocks.buffers)),
            given.groups.ready.eq(goes),
            *[begins[name].eq(offered[name]) for name in group_layout(0).members],
            begins.tag.eq(Cat(offered.tag, group)),
        ]  # fmt: skip
        m.d.sync += used.eq(used + goes - out.freed)
        with m.If(goes):
            m.d.sync += base.eq(self.blocks.following(base))
        visit = walk.visit
        tag = given.tag(visit.tag[: given.tag.size])
        m.d.comb += [
            given.wanted.eq(visit.sample), given.base.eq(tag.base), given.row.eq(visit.row),
            given.column.eq(visit.ahead - PRIMING), given.finished.eq(visit.sample & visit.last),
            self.idle.eq(~(given.busy | walk.busy | out.busy)),
        ]
        late = GROUP * self._lanes - 4  # as in the cores, whose loops are hardly shorter
        group_late = self.group(delay(m, visit.tag[given.tag.size :], late, name="tag"))
        write = delay(m, visit.sample, late, name="write", reset=True)
        m.d.comb += [
            out.write.eq(write), out.lane.eq(delay(m, visit.lane, late, name="lane")),
            out.base.eq(group_late.base), out.row.eq(delay(m, visit.row, late, name="row")),
            out.column.eq(delay(m, visit.ahead - PRIMING, late, name="column")),
            out.sample.eq(delay(m, given.sample, late - given.latency, name="sample")),
            out.finish.eq(write & delay(m, visit.last, late, name="last")),
            out.group.eq(group_late),
        ]  # fmt: skip
        return m


@dataclass(frozen=True)
class Case:
    lanes: int
    max_width: int
    strip_height: int = 400

    @cached_property
    def design(self) -> Design:
        return Design.of(_Round(self.lanes, self.max_width, 400, self.strip_height))

    def run(self, given: list[np.ndarray], **stalls):
        """Check that pictures come through; clocks of their pixels on their way in and out."""
        height, width = given[0].shape
        beats = {MARKERS[name]: values for name, values in raster(given).items()}
        result = rtl_stream(
            self.design, {"pixels": beats}, {"o": tuple(beats)}, idle="idle", idle_clocks=99,
            config={"width": width, "height": height}, stalls=stalls,
        )  # fmt: skip
        for name, values in beats.items():
            np.testing.assert_array_equal(result.outputs["o"][name], values, err_msg=name)
        return result.input_clocks["pixels"], result.output_clocks["o"]


CASES = {"8": Case(8, 300), "16": Case(16, 300), "strips": Case(9, 300, 8)}
NAMES = slow_but_first(["8", "16", "strips"])
#: One column; around whole blocks; around those from which on all lanes are busy, of 8 and of 16
#: lanes.
WIDTHS = [1, 133, 289, *(
    pytest.param(width, marks=pytest.mark.slow)
    for width in (3, 31, 32, 33, 132, 134, 150, 255, 256, 257, 269, 287, 288, 300)
)]  # fmt: skip


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(256, size=(height, width), dtype=np.uint8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_pictures_of_all_widths(name, width):
    CASES[name].run([noise(77, width)] * 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stalls", [
    {"o": Stall(0.6, 1)},
    pytest.param({"pixels": Stall(0.6, 2)}, marks=pytest.mark.slow),
    pytest.param({"o": Stall(0.3, 3), "pixels": Stall(0.3, 4)}, marks=pytest.mark.slow),
])
def test_stalls(name, stalls):
    CASES[name].run([noise(90, 300), noise(90, 300, 1)], **stalls)


@pytest.mark.parametrize("name", slow_but_first(["8", "16"]))
@pytest.mark.parametrize("width", [300, *(
    pytest.param(width, marks=pytest.mark.slow) for width in (150, 256, 269, 288)
)])  # fmt: skip
def test_pace(name, width):
    """In a stream four rows take 17 periods of each lane, or a row's columns and three more: no
    block is waited for."""
    case = CASES[name]
    wanted = GROUP * max(LEAST * case.lanes, width + PRIMING)
    for clocks in case.run([noise(400, width)]):
        ends = clocks[GROUP * width - 1 :: GROUP * width][2 * case.lanes :]
        groups = (len(ends) - 1) // case.lanes * case.lanes
        assert ends[groups] - ends[0] <= groups * wanted + GROUP * case.lanes


def most_in_use(lanes: int, width: int, columns: int, *, decodes: bool) -> int:
    """Blocks at the worst moment, counted sample by sample.

    Groups are as close as they may be; a group that is due and has not begun is there as a whole.
    """
    stagger = max(LEAST, (width + PRIMING) // lanes)
    most = 0
    for period in range(stagger * 3 * lanes, stagger * (3 * lanes + 1)):
        used = 0
        for begun in range(0, period + 1, stagger):
            for row in range(GROUP):
                done = min(max(period - begun - PRIMING - LAG * row, 0), width)
                if decodes and period - begun > width + PRIMING + LAG * (GROUP - 1):
                    continue  # complete, and read
                places = range(done) if decodes else range(done, width)
                used += len({column // columns for column in places})
        most = max(most, used)
    return most


@pytest.mark.parametrize("lanes, width, columns", [(8, 300, 32), (16, 300, 32), (9, 77, 16)])
def test_fewest_blocks(lanes, width, columns):
    """Those of the widest picture, for which there are as many or, rounded up, hardly more."""
    for decodes, most in ((False, most_waiting), (True, most_decoded)):
        counted = most_in_use(lanes, width, columns, decodes=decodes)
        assert 0 <= most(width, lanes, LEAST, columns) - counted <= GROUP * 2, decodes


def test_memories_of_a_wide_picture():
    """In halves of block memories: samples, table, and ring of free blocks."""
    for lanes, decodes, whole, wanted in ((8, False, 38, 22), (16, True, 68, 39)):
        blocks = GroupBlocks(1920, lanes, LEAST, depth=8, decodes=decodes)
        assert ram_cost(GROUP * (lanes + 2) * 1920, 8, LUT6) == whole
        assert blocks.cost == wanted


def test_pool():
    """Blocks of which none is had twice, in the order in which they come back."""
    pool, rng = BlockPool(11), np.random.default_rng(1)
    had, taken = [], []

    async def bench(ctx):
        pending = []
        ctx.set(pool.least, BlockPool.latency)
        for _ in range(400):
            low = ctx.get(pool.low)
            take = not low and rng.random() < 0.6
            give = bool(had) and rng.random() < 0.4
            ctx.set(pool.take, take)
            ctx.set(pool.give, give)
            if give:
                ctx.set(pool.given, had.pop(int(rng.integers(len(had)))))
            pending.append(take)
            await ctx.tick()
            if len(pending) >= BlockPool.latency and pending[-BlockPool.latency]:
                number = ctx.get(pool.number)
                assert number not in had and number < 11
                had.append(number)
                taken.append(number)

    simulator = Simulator(pool)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert taken[:8] == list(range(8)) and len(taken) > 60
    with pytest.raises(ValueError, match="blocks must be at least 2, not 1"):
        BlockPool(1)
