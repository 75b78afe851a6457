"""Samples of staggered rows into a memory of groups, and out in raster order."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from ..fabric.pipeline import delay
from ..files.raster import pixel_layout
from ..streams.lut_fifo import LutFifo
from .group_blocks import GroupBlocks
from .group_memory import GroupMemory

__all__ = ["AHEAD", "PictureOut", "add_output", "output_ports"]

#: Pixels between a read and the output.
AHEAD = 16


def output_ports(
    memory: GroupMemory | GroupBlocks, depth: int, pixel: StructLayout, places: int
) -> dict:
    """Ports of what gives pictures out, see `PictureOut`.

    Parameters
    ----------
    memory, depth:
        Where groups are held, and bits of a sample.
    pixel:
        Layout of a pixel.
    places:
        Where a group may stand.
    """
    return {
        "write": In(1),
        "base": In(bits_for(places - 1)),
        "row": In(2),
        "column": In(bits_for(memory.max_width - 1)),
        "sample": In(depth),
        "finish": In(1),
        "group": In(memory.layout),
        "pixels": Out(stream.Signature(pixel)),
        "eof": Out(1),
        "freed": Out(1),
        "busy": Out(1),
    }


def add_output(m: Module, out: wiring.Component, valid, data, marks: dict[str, Value]) -> None:
    """A queue of `AHEAD` pixels in front of ``pixels`` and ``eof`` of a component.

    Parameters
    ----------
    valid, data:
        Whether a pixel comes, for which there is room, and its samples.
    marks:
        Its ``sof``, ``eol`` and ``eof``.
    """
    marked = StructLayout({**out.pixels.payload.shape().members, "eof": 1})
    m.submodules.queue = queue = LutFifo(marked, AHEAD)
    m.d.comb += [
        queue.i.valid.eq(valid),
        queue.i.payload.data.eq(data),
        *[queue.i.payload[name].eq(mark) for name, mark in marks.items()],
        out.pixels.valid.eq(queue.o.valid),
        queue.o.ready.eq(out.pixels.ready),
        Cat(out.pixels.payload, out.eof).eq(queue.o.payload),
    ]


class PictureOut(wiring.Component):
    """Gives out groups of rows, when they are complete, in raster order.

    One pixel per clock, but for a clock between groups; a group's first pixel eight clocks after it
    has been told.  Reset forgets all groups.

    Parameters
    ----------
    depth:
        Bits of a sample.
    memory:
        Geometry of the memory.
    lanes:
        Of the walk.

    Members
    -------
    write, lane, base, row, column, sample : In(...)
        Store a sample of a lane's row, which is one of the group of number ``base``.
    low : Out(1)
        Begin no period: there would not be room for its samples.
    finish : In(1)
        The samples of ``group`` have come, the last one in this clock or before.
    group : In(...)
        See `group_blocks.GroupBlocks.layout`.
    pixels : Out(stream)
        See `lutgen.gateware.files.raster.pixel_layout`.
    eof : Out(1)
        With a pixel: it is its picture's last.
    freed : Out(1)
        The oldest group has been read.
    busy : Out(1)
        A group is inside.
    """

    def __init__(self, depth: int, memory: GroupBlocks, *, lanes: int) -> None:
        self._depth, self._memory, self._lanes = depth, memory, lanes
        super().__init__(output_ports(memory, depth, pixel_layout(depth), memory.buffers) | {
            "low": Out(1), "lane": In(bits_for(lanes - 1)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        memory = self._memory
        pool = memory.add_pool(m)
        m.d.comb += self.low.eq(pool.low)
        stored, begun = self._store(m, pool)
        # 1: where the pixel is; 3: in which block, which is free with the last one of it or of its
        # row; 5: the pixel.
        reads, place, marks = self._walk(m)
        x = place[-1]
        block = memory.add_table(m, **begun, place=place)
        pixel = memory.add_samples(
            m, **stored, block=block, column=delay(m, x, 2, name="column")
        )
        over = reads & (memory.ends(x) | marks["eol"])
        m.d.comb += [
            pool.give.eq(delay(m, over, 2, name="over", reset=True)), pool.given.eq(block),
        ]
        add_output(
            m, self, delay(m, reads, 4, name="read", reset=True), pixel,
            {name: delay(m, mark, 4, name=name) for name, mark in marks.items()},
        )
        return m

    def _store(self, m: Module, pool) -> tuple[dict, dict]:
        """Samples to the blocks of their rows.

        Returns what stores a sample, and what notes where a block is that begins.
        """
        memory, late = self._memory, pool.latency
        begins = Signal()
        m.d.comb += [
            begins.eq(self.write & memory.begins(self.column)), pool.take.eq(begins),
        ]
        write, began = (
            delay(m, s, late, name=n, reset=True)
            for n, s in (("write", self.write), ("began", begins))
        )
        lane, base, row, column, sample = (
            delay(m, getattr(self, n), late, name=n)
            for n in ("lane", "base", "row", "column", "sample")
        )
        # Block of each row under way.
        m.submodules.latest = latest = Memory(
            shape=len(pool.number), depth=self._lanes * GROUP, init=[]
        )
        note, known = latest.write_port(), latest.read_port(domain="comb")
        m.d.comb += [
            note.en.eq(began), note.addr.eq(Cat(row, lane)), note.data.eq(pool.number),
            known.addr.eq(Cat(row, lane)),
        ]  # fmt: skip
        return (
            {
                "write": delay(m, write, 1, name="stores", reset=True),
                "write_block": delay(m, Mux(began, pool.number, known.data), 1, name="block"),
                "write_column": delay(m, column, 1, name="at"),
                "data": delay(m, sample, 1, name="stored"),
            },
            {"write": began, "write_place": (base, row, column), "block": pool.number},
        )

    def _walk(self, m: Module):
        """Read the groups pixel by pixel, as long as the output's queue has room for them.

        Returns whether one is read, its place and its marks, a clock later.
        """
        shape = self.group.shape()
        m.submodules.groups = groups = LutFifo(shape, self._memory.buffers)
        m.d.comb += [groups.i.valid.eq(self.finish), groups.i.payload.eq(self.group)]
        group = Signal(shape, reset_less=True)
        left = Signal(range(AHEAD + 1), init=AHEAD)  # room in the output's queue
        room = Signal(init=1)
        leaves = self.pixels.valid & self.pixels.ready
        active = Signal()
        x, row = Signal(range(self._memory.max_width)), Signal(2)
        right, first = Signal(range(self._memory.max_width)), Signal()
        reads = Signal()
        at_right, at_bottom = Signal(), Signal()
        m.d.comb += [
            reads.eq(active & room),
            at_right.eq(x == right),
            at_bottom.eq(row == group.rows),
        ]
        m.d.sync += [
            left.eq(left - reads + leaves),
            # A read of this clock is not in ``left`` yet.
            room.eq((left > 1) | leaves),
            self.freed.eq(0),
            self.busy.eq(active | groups.busy | (left != AHEAD)),
        ]
        with m.If(reads):
            m.d.sync += [x.eq(x + 1), first.eq(0)]
            with m.If(at_right):
                m.d.sync += [x.eq(0), row.eq(row + 1)]
                with m.If(at_bottom):
                    m.d.sync += [active.eq(0), self.freed.eq(1)]
        with m.If(~active):
            front = groups.o.payload
            m.d.comb += groups.o.ready.eq(1)
            m.d.sync += [
                group.eq(front), right.eq(front.width - 1), first.eq(front.first),
                row.eq(0), x.eq(0), active.eq(groups.o.valid),
            ]  # fmt: skip
        eof = at_right & at_bottom & group.last
        marks = {
            name: delay(m, mark, 1, name=f"at_{name}")
            for name, mark in (("sof", first), ("eol", at_right), ("eof", eof))
        }
        place = tuple(
            delay(m, s, 1, name=f"read_{n}")
            for n, s in (("base", group.base), ("row", row), ("x", x))
        )
        return delay(m, reads, 1, name="reads", reset=True), place, marks
