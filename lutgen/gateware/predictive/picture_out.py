"""Samples of staggered rows into a memory of groups, and out in raster order."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.blockmem import add_ram
from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import delay
from ..files.raster import pixel_layout
from ..streams.lut_fifo import LutFifo
from .group_memory import GroupMemory

__all__ = ["AHEAD", "PictureOut", "add_output", "output_ports"]

#: Pixels between a read and the output.
AHEAD = 16


def output_ports(memory: GroupMemory, depth: int, pixel: StructLayout) -> dict:
    """Ports of what gives pictures of so many bits a sample out, see `PictureOut`."""
    return {
        "write": In(1),
        "base": In(bits_for(memory.words - 1)),
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

    One pixel per clock, but for a clock between groups; a group's first pixel six clocks after it
    has been told.  Reset forgets all groups.

    Parameters
    ----------
    depth:
        Bits of a sample.
    memory:
        Geometry of the memory.
    fabric:
        Whose memories to use.

    Members
    -------
    write, base, row, column, sample : In(...)
        Store a sample of the group whose rows begin at ``base``.
    finish : In(1)
        The samples of ``group`` have come, the last one in this clock or before.
    group : In(...)
        See `group_memory.GroupMemory.layout`.
    pixels : Out(stream)
        See `lutgen.gateware.files.raster.pixel_layout`.
    eof : Out(1)
        With a pixel: it is its picture's last.
    freed : Out(1)
        The oldest group has been read.
    busy : Out(1)
        A group is inside.
    """

    def __init__(self, depth: int, memory: GroupMemory, *, fabric: Fabric = LUT6) -> None:
        self._depth, self._memory, self._fabric = depth, memory, fabric
        self._max_width = memory.max_width
        super().__init__(output_ports(memory, depth, pixel_layout(depth)))

    def elaborate(self, platform) -> Module:
        m = Module()
        read, place, marks = self._walk(m)
        memory = self._memory
        late = memory.latency
        sample = add_ram(
            m, "samples", memory.words, self._depth,
            write=delay(m, self.write, late, name="write", reset=True),
            write_address=memory.place(m, "stored", self.base, self.row, self.column),
            data=delay(m, self.sample, late, name="sample"), address=place, fabric=self._fabric,
        )  # fmt: skip
        add_output(
            m, self, delay(m, read, 2, name="read", reset=True), sample,
            {name: delay(m, mark, 2, name=name) for name, mark in marks.items()},
        )
        return m

    def _walk(self, m: Module):
        """Read the groups pixel by pixel, as long as the output's queue has room for them."""
        shape = self.group.shape()
        m.submodules.groups = groups = LutFifo(shape, self._memory.buffers)
        m.d.comb += [groups.i.valid.eq(self.finish), groups.i.payload.eq(self.group)]
        group = Signal(shape, reset_less=True)
        left = Signal(range(AHEAD + 1), init=AHEAD)  # room in the output's queue
        room = Signal(init=1)
        leaves = self.pixels.valid & self.pixels.ready
        active = Signal()
        x, row = Signal(range(self._max_width)), Signal(2)
        place = Signal(range(self._memory.words))
        line = Signal(range(self._memory.words))
        right, first = Signal(range(self._max_width)), Signal()
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
            m.d.sync += [x.eq(x + 1), place.eq(place + 1), first.eq(0)]
            with m.If(at_right):
                m.d.sync += [
                    x.eq(0), row.eq(row + 1), line.eq(line + self._max_width),
                    place.eq(line + self._max_width),
                ]  # fmt: skip
                with m.If(at_bottom):
                    m.d.sync += [active.eq(0), self.freed.eq(1)]
        with m.If(~active):
            front = groups.o.payload
            m.d.comb += groups.o.ready.eq(1)
            m.d.sync += [
                group.eq(front), right.eq(front.width - 1), first.eq(front.first),
                place.eq(front.base), line.eq(front.base), row.eq(0), x.eq(0),
                active.eq(groups.o.valid),
            ]  # fmt: skip
        read = delay(m, reads, 1, name="reads", reset=True)
        address = delay(m, place, 1, name="place")
        eof = at_right & at_bottom & group.last
        marks = {
            name: delay(m, mark, 1, name=f"at_{name}")
            for name, mark in (("sof", first), ("eol", at_right), ("eof", eof))
        }
        return read, address, marks
