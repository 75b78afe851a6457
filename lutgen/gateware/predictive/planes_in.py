"""Pictures of several planes into a memory of groups of their rows.

See :mod:`.picture_in` of gray ones.
"""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from ..fabric.blockmem import add_ram
from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import choose, delay
from ..files.raster import pixel_layout
from ..streams.lut_fifo import LutFifo
from .group_memory import GroupMemory
from .picture_in import group_tag, picture_ports, tell_events
from .pixel_order import component_number, order_bits, orders, plane_at
from .planes import Planes
from .walk import group_layout

__all__ = ["PlanesIn"]


class PlanesIn(wiring.Component):
    """Takes pictures in raster order, offers groups of rows of their planes, hands out samples.

    A *line* is what rows of all planes are made of: a row of pixels, or two rows of a colour filter
    array.  A pixel of C components takes C clocks, and a line C more.  A group is offered when the
    line is complete that its last row is of; rows of a line may stand in two groups.

    Otherwise like `.picture_in.PictureIn`: geometry is counted, markers in wrong places are
    reported, the size is sampled when a picture begins, and a picture of another width waits.

    Parameters
    ----------
    planes:
        The planes.
    depth:
        Bits of a sample.
    memory:
        Where groups are held.
    max_lines, strip_lines:
        Lines of a picture at most, and those of a strip.
    fabric:
        Whose memories to use.
    events:
        Whether to tell what happens.
    max_near:
        Greatest near of a picture.

    Members
    -------
    pixels : In(stream)
        See `lutgen.gateware.files.raster.pixel_layout`; components as `.pixel_order` has them.
    width, height : In(...)
        Size of the next picture in pixels; even of a colour filter array.
    order : In(...)
        Number of the order of its planes, see `lutgen.codec.predictive.planes.ORDERS`; of a colour
        filter array, that of its pattern in `lutgen.model.cfa.CFAS`.
    file_begins : Out(1)
        A picture has begun: ``walk_width``, its lines and its order are on ``file_width``,
        ``file_height`` and ``file_order``.
    bad_size : Out(1)
        Pulse: the size, the order or the near is none.
    (near, file_near)
        With ``max_near``, see `.picture_in.PictureIn`.
    groups, walk_width, walking, finished, base, row, column, sample, bad_marker, busy
        See `.picture_in.PictureIn`.
    (`.picture_in.PICTURE_EVENTS`) : Out(1)
        With ``events``, likewise.
    """

    #: Clocks from the place of a sample to the sample.
    latency = 4

    def __init__(
        self, planes: Planes, depth: int, memory: GroupMemory, *, max_lines: int, strip_lines: int,
        fabric: Fabric = LUT6, events: bool = False, max_near: int = 0,
    ) -> None:  # fmt: skip
        self._events, self._max_near = events, max_near
        self._planes, self._depth, self._memory, self._fabric = planes, depth, memory, fabric
        self._max_lines, self._strip_lines = max_lines, strip_lines
        #: Rows and columns of a picture for each line and column.
        self._scale = planes.square
        near_bits = bits_for(max_near) if max_near else 0
        #: What visits carry of a group.
        self.tag = group_tag(memory.words, near_bits)
        super().__init__(picture_ports(
            memory, self.tag, depth, pixel_layout(depth * planes.components), max_lines,
            planes=planes.count, square=self._scale, order_bits=order_bits(planes),
            near_bits=near_bits, events=events,
        ))

    def elaborate(self, platform) -> Module:
        m = Module()
        planes, pixel = self._planes, self.pixels.payload
        used, opens = Signal(range(self._memory.buffers + 1)), Signal()
        m.d.sync += [used.eq(used + opens - self.finished), self.busy.eq((used != 0) | opens)]
        good, fits = self._compare(m, used, opens)
        # Lines that are left below this one, in the picture and in the strip.
        left, of_strip = Signal(range(self._max_lines)), Signal(range(self._strip_lines))
        file_ends, strip_ends = Signal(), Signal()
        m.d.sync += [
            file_ends.eq(left == 0), strip_ends.eq((left == 0) | (of_strip == 0)),
        ]  # fmt: skip
        first = Signal()  # the next pixel is a picture's first
        plane = Signal(range(planes.count))
        starts, asks, drops, takes = Signal(), Signal(), Signal(), Signal()
        may_open = Signal()
        m.d.comb += may_open.eq(used != self._memory.buffers)
        allocates, begins = self._rows(m, asks, may_open, plane, strip_ends, file_ends, opens)
        beat, at_right, line_ends = self._store(m, takes, begins)
        with m.FSM(name="input"):
            with m.State("compare"):  # the size, which registers of this clock will know
                m.next = "begin"
            with m.State("begin"):
                with m.If(self.pixels.valid & ~(pixel.sof & good)):
                    m.d.comb += drops.eq(1)
                with m.Elif(self.pixels.valid & fits):
                    m.d.comb += starts.eq(1)
                    m.next = "line"
            with m.State("line"):  # registers will know whether it is the last
                m.next = "rows"
            with m.State("rows"):
                m.d.comb += asks.eq(1)
                with m.If(allocates):
                    m.d.sync += plane.eq(plane + 1)
                    with m.If(plane == planes.count - 1):
                        m.d.sync += plane.eq(0)
                        m.next = "take"
            with m.State("take"):
                m.d.comb += takes.eq(self.pixels.valid)
                with m.If(beat):
                    m.d.sync += first.eq(0)
                with m.If(line_ends):
                    m.d.sync += [
                        left.eq(left - 1),
                        of_strip.eq(Mux(strip_ends, self._strip_lines - 1, of_strip - 1)),
                    ]
                    m.next = "line"
                    with m.If(file_ends):
                        m.next = "compare"
        with m.If(starts):
            m.d.sync += [
                first.eq(1), left.eq(planes.lines(self.height) - 1),
                of_strip.eq(self._strip_lines - 1),
                self.walk_width.eq(planes.columns(self.width)),
                self.file_width.eq(planes.columns(self.width)),
                self.file_height.eq(planes.lines(self.height)), self.file_order.eq(self.order),
            ]  # fmt: skip
            if self._max_near:
                m.d.sync += self.file_near.eq(self.near)
        m.d.comb += self.pixels.ready.eq(drops | beat)
        m.d.sync += [
            self.file_begins.eq(starts),
            self.bad_marker.eq(
                (drops & ~pixel.sof)
                | (beat & ((pixel.eol != at_right) | (pixel.sof != first)))
            ),
            self.bad_size.eq(drops & pixel.sof),
        ]  # fmt: skip
        self._offer(m, line_ends)
        if self._events:
            tell_events(
                m, self, pixel, starts=starts, taken=beat, dropped=drops, first=first,
                at_right=at_right, ends=line_ends & file_ends,
            )
        return m

    def _compare(self, m: Module, used, opens):
        """Whether the size and the order that are offered are some, and whether they may begin."""
        good, alike, empty = Signal(), Signal(), Signal()
        most_columns, most_lines = self._scale * self._memory.max_width, self._max_lines
        odd = (self.width[0] | self.height[0]) if self._planes.mosaic else Const(0)
        m.d.sync += [
            good.eq(
                (self.width != 0) & (self.width <= most_columns)
                & (self.height != 0) & (self.height <= self._scale * most_lines)
                & ~odd & (self.order < orders(self._planes))
                & (self.near <= self._max_near if self._max_near else 1)
            ),
            alike.eq(self._planes.columns(self.width) == self.walk_width),
            empty.eq((used == 0) & ~self.walking & ~opens),
        ]  # fmt: skip
        return good, alike | empty

    def _rows(self, m: Module, asks, may_open, plane, strip_ends, file_ends, opens):
        """Find a place for each row of a line, plane by plane, and queue groups that are full.

        Returns whether one has been found, and the first words of the rows of the line.
        """
        memory, planes = self._memory, self._planes
        group = group_layout(self.tag.size, planes.count)
        m.submodules.queue = self._queue = queue = LutFifo(group, memory.buffers)
        base, word = Signal(range(memory.words)), Signal(range(memory.words))
        row, top, file_begins = Signal(2), Signal(init=1), Signal(init=1)
        phase = Signal(range(planes.count))
        begins = [Signal(range(memory.words), name=f"row_of_{k}") for k in range(planes.count)]
        allocates, ends = Signal(), Signal()
        last = plane == planes.count - 1
        m.d.comb += [
            allocates.eq(asks & (row.any() | may_open)), opens.eq(allocates & ~row.any()),
            ends.eq(allocates & ((row == GROUP - 1) | (last & strip_ends))),
        ]
        offer, tag = queue.i.payload, self.tag(queue.i.payload.tag)
        first_plane = Mux(row.any(), phase, plane)
        m.d.sync += [
            queue.i.valid.eq(ends), offer.rows.eq(row), offer.top.eq(top),
            offer.bottom.eq(last & strip_ends), tag.base.eq(base),
            tag.file_begins.eq(file_begins), tag.strip_ends.eq(last & strip_ends),
            tag.file_ends.eq(last & file_ends),
            *([tag.near.eq(self.file_near)] if self._max_near else []),
        ]  # fmt: skip
        if "plane" in group.members:
            m.d.sync += offer.plane.eq(first_plane)
        with m.If(allocates):
            m.d.sync += [
                row.eq(row + 1), word.eq(word + memory.max_width), phase.eq(first_plane),
            ]
            for k, begin in enumerate(begins):
                with m.If(plane == k):
                    m.d.sync += begin.eq(word)
        with m.If(ends):
            following = memory.following(base)
            m.d.sync += [
                row.eq(0), base.eq(following), word.eq(following),
                top.eq(last & strip_ends), file_begins.eq(last & file_ends),
            ]  # fmt: skip
        # Groups whose last row is one of this line.
        self._closing = closing = Signal(2)
        with m.If(ends):
            m.d.sync += closing.eq(closing + 1)
        return allocates, begins

    def _offer(self, m: Module, line_ends) -> None:
        """Offer the groups that are complete."""
        complete = Signal(range(self._memory.buffers + 1))
        queue, offers = self._queue, Signal()
        m.d.comb += [
            self.groups.payload.eq(queue.o.payload),
            offers.eq(queue.o.valid & complete.any()),
            self.groups.valid.eq(offers),
            queue.o.ready.eq(self.groups.ready & complete.any()),
        ]
        with m.If(line_ends):
            m.d.sync += self._closing.eq(0)
        m.d.sync += complete.eq(
            complete + Mux(line_ends, self._closing, 0) - (offers & self.groups.ready)
        )

    def _store(self, m: Module, takes, begins):
        """Write a sample per clock.

        Returns whether a beat has been taken, whether it is a row's last, and a line's.
        """
        memory, planes, depth = self._memory, self._planes, self._depth
        data = self.pixels.payload.data
        beat, line_ends = Signal(), Signal()
        x = Signal(range(self._scale * memory.max_width))
        right = Signal.like(x)
        m.d.sync += right.eq((self.walk_width << (self._scale - 1)) - 1)
        at_right = x == right
        if planes.mosaic:
            below = Signal()
            plane, sample = plane_at(self.file_order, below, x[0]), data
            m.d.comb += [beat.eq(takes), line_ends.eq(beat & at_right & below)]
            with m.If(beat & at_right):
                m.d.sync += below.eq(~below)
        else:
            plane = Signal(range(planes.count))
            sample = choose(
                [data.word_select(k, depth) for k in range(planes.count)],
                component_number(self.file_order, plane),
            )
            m.d.comb += [
                beat.eq(takes & (plane == planes.count - 1)), line_ends.eq(beat & at_right),
            ]  # fmt: skip
            with m.If(takes):
                m.d.sync += plane.eq(Mux(beat, 0, plane + 1))
        with m.If(beat):
            m.d.sync += x.eq(Mux(at_right, 0, x + 1))
        # 1: the row and the sample; 2: the word.
        begin = Signal(range(memory.words), reset_less=True)
        place = Signal(range(memory.words), reset_less=True)
        m.d.sync += [
            begin.eq(choose(begins, plane)),
            place.eq(begin + delay(m, planes.columns(x), 1, name="column")),
        ]
        m.d.comb += self.sample.eq(add_ram(
            m, "samples", memory.words, depth,
            write=delay(m, takes, memory.latency, name="write", reset=True),
            write_address=place, data=delay(m, sample, memory.latency, name="data"),
            address=memory.place(m, "wanted", self.base, self.row, self.column),
            fabric=self._fabric,
        ))  # fmt: skip
        return beat, at_right, line_ends
