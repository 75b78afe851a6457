"""Samples of staggered rows of planes into a memory of groups, and out as a raster of pixels.

See :mod:`.picture_out` of gray pictures, and :mod:`.planes_in` of lines.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring

from ..fabric.blockmem import add_ram
from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import choose, delay
from ..files.raster import pixel_layout
from ..streams.lut_fifo import LutFifo
from .group_memory import GroupMemory
from .picture_out import AHEAD, add_output, output_ports
from .pixel_order import component_number, plane_at
from .planes import Planes

__all__ = ["PlanesOut"]


class PlanesOut(wiring.Component):
    """Gives out lines of pixels in raster order, when the groups that hold their rows are complete.

    A pixel of C components takes C clocks, one of a colour filter array one; a line takes as many
    clocks more as there are planes, and two at most for groups that end with it.  Reset forgets all
    groups.

    Parameters
    ----------
    planes:
        The planes.
    depth:
        Bits of a sample.
    memory:
        Geometry of the memory; its groups know their picture's order.
    fabric:
        Whose memories to use.

    Members
    -------
    pixels : Out(stream)
        See `lutgen.gateware.files.raster.pixel_layout`; components as `.pixel_order` has them.
    write, base, row, column, sample, finish, group, eof, freed, busy
        See `.picture_out.PictureOut`.
    """

    def __init__(
        self, planes: Planes, depth: int, memory: GroupMemory, *, fabric: Fabric = LUT6
    ) -> None:
        self._planes, self._depth, self._memory, self._fabric = planes, depth, memory, fabric
        pixel = pixel_layout(depth * planes.components)
        super().__init__(output_ports(memory, depth, pixel, memory.words))

    def elaborate(self, platform) -> Module:
        m = Module()
        memory, depth, planes = self._memory, self._depth, self._planes
        reads, place, part, marks = self._walk(m)
        # 1: the word, in a register; 2 and 3: the sample.
        sample = add_ram(
            m, "samples", memory.words, depth,
            write=delay(m, self.write, memory.latency, name="write", reset=True),
            write_address=memory.place(m, "stored", self.base, self.row, self.column),
            data=delay(m, self.sample, memory.latency, name="sample"), address=place,
            fabric=self._fabric,
        )  # fmt: skip
        late = 3
        read = delay(m, reads, late, name="read", reset=True)
        # The components that have come, and this one.
        pixel, whole = Signal(depth * planes.components), read
        if planes.components > 1:
            part = delay(m, part, late, name="part")
            held = Signal.like(pixel, reset_less=True)
            m.d.comb += pixel.eq(held)
            for k in range(planes.components):
                with m.If(part == k):
                    m.d.comb += pixel.word_select(k, depth).eq(sample)
            m.d.sync += held.eq(pixel)
            whole = read & delay(m, marks.pop("whole"), late, name="whole")
        else:
            m.d.comb += pixel.eq(sample)
        add_output(
            m, self, whole, pixel,
            {name: delay(m, mark, late, name=name) for name, mark in marks.items()},
        )
        return m

    def _walk(self, m: Module):
        """Read lines sample by sample, as long as the output's queue has room for their pixels.

        Returns whether a sample is read, its word a clock later, its component, and what is said
        of its pixel.
        """
        memory, planes = self._memory, self._planes
        shape = self.group.shape()
        m.submodules.groups = groups = LutFifo(shape, memory.buffers)
        m.d.comb += [groups.i.valid.eq(self.finish), groups.i.payload.eq(self.group)]
        line = self._collect(m, groups.o)
        left, room = Signal(range(AHEAD + 1), init=AHEAD), Signal(init=1)
        columns = range(planes.square * memory.max_width)
        x, right = Signal(columns), Signal(columns)
        reads, pixel_reads, line_ends = Signal(), Signal(), Signal()
        at_right = x == right
        sof = Signal()
        m.d.sync += [
            right.eq((line.width << (planes.square - 1)) - 1),
            left.eq(left - pixel_reads + (self.pixels.valid & self.pixels.ready)),
            # Reads of this clock and the one before are not in ``left`` yet.
            room.eq(left > 3),
            self.busy.eq(line.active | groups.busy | (left != AHEAD)),
        ]
        if planes.mosaic:
            below = Signal()
            plane = part = plane_at(line.order, below, x[0])
            m.d.comb += [
                reads.eq(line.reading & room), pixel_reads.eq(reads),
                line_ends.eq(reads & at_right & below),
            ]  # fmt: skip
            with m.If(reads & at_right):
                m.d.sync += below.eq(~below)
            marks = {"sof": sof, "eol": at_right, "eof": at_right & below & line.last}
            column = x >> 1
        else:
            plane = Signal(range(planes.count))
            part = component_number(line.order, plane)
            whole = plane == planes.count - 1
            m.d.comb += [
                reads.eq(line.reading & (room | plane.any())), pixel_reads.eq(reads & whole),
                line_ends.eq(pixel_reads & at_right),
            ]  # fmt: skip
            with m.If(reads):
                m.d.sync += plane.eq(Mux(whole, 0, plane + 1))
            marks = {
                "sof": sof, "eol": at_right, "eof": at_right & line.last, "whole": whole,
            }  # fmt: skip
            column = x
        with m.If(pixel_reads):
            m.d.sync += [x.eq(Mux(at_right, 0, x + 1)), sof.eq(0)]
        with m.If(line.begins):
            m.d.sync += sof.eq(line.first)
        m.d.comb += line.ends.eq(line_ends)
        place = Signal(range(memory.words), reset_less=True)
        m.d.sync += place.eq(choose(line.rows, plane) + column)
        return reads, place, part, marks

    def _collect(self, m: Module, groups) -> "_Line":
        """Find the rows of a line, plane by plane, and free the groups that end with it."""
        memory, planes = self._memory, self._planes
        line = _Line(self)
        front = groups.payload
        group = Signal(front.shape(), reset_less=True)
        row, word = Signal(2), Signal(range(memory.words))
        inside = Signal()  # a group whose rows have not all been found
        closing = Signal(2)
        plane = Signal(range(planes.count))
        found, opens = Signal(), Signal()
        now = front.shape()(Mux(inside, group.as_value(), front.as_value()))
        begin = Mux(inside, word, front.base)
        ends = (row == now.rows) & found
        with m.FSM(name="line") as fsm:
            with m.State("rows"):
                m.d.comb += [found.eq(inside | groups.valid), opens.eq(found & ~inside)]
                with m.If(found):
                    m.d.sync += plane.eq(plane + 1)
                    with m.If(plane == 0):
                        m.d.sync += line.first.eq(now.first & ~inside)
                    with m.If(plane == planes.count - 1):
                        m.d.sync += plane.eq(0)
                        m.next = "begin"
            with m.State("begin"):  # registers will know of the line
                m.d.comb += line.begins.eq(1)
                m.next = "read"
            with m.State("read"):
                m.d.comb += line.reading.eq(1)
                with m.If(line.ends):
                    m.next = "free"
            with m.State("free"):
                m.d.comb += self.freed.eq(closing.any())
                with m.If(closing.any()):
                    m.d.sync += closing.eq(closing - 1)
                with m.If(closing <= 1):
                    m.next = "rows"
        m.d.comb += [groups.ready.eq(opens), line.active.eq(~fsm.ongoing("rows") | inside)]
        with m.If(opens):
            m.d.sync += group.eq(front)
        with m.If(found):
            m.d.sync += [
                inside.eq(~ends), row.eq(Mux(ends, 0, row + 1)), word.eq(begin + memory.max_width),
                line.width.eq(now.width), line.order.eq(now.order), line.last.eq(ends & now.last),
            ]  # fmt: skip
            for k, first in enumerate(line.rows):
                with m.If(plane == k):
                    m.d.sync += first.eq(begin)
        with m.If(ends):
            m.d.sync += closing.eq(closing + 1)
        return line


class _Line:
    """What is known of the line that is read."""

    def __init__(self, out: PlanesOut) -> None:
        layout, words = out.group.shape(), range(out._memory.words)
        #: First words of its rows.
        self.rows = [Signal(words, name=f"row_of_{k}") for k in range(out._planes.count)]
        self.width = Signal(layout.members["width"], name="line_width")
        self.order = Signal(layout.members["order"], name="line_order")
        #: It is the first or last of its picture.
        self.first, self.last = Signal(name="line_first"), Signal(name="line_last")
        #: Its rows are known, it is being read, and it has been.
        self.begins, self.reading, self.ends = Signal(), Signal(), Signal()
        self.active = Signal()
