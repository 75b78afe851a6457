"""Pictures of the raster into a memory of groups of rows, from which the walk takes samples."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from ..fabric.countdown import lessened
from ..fabric.pipeline import delay
from ..files.raster import pixel_layout
from ..files.raster_in import RASTER_EVENTS
from ..streams.lut_fifo import LutFifo, step
from .group_blocks import GroupBlocks
from .group_memory import GroupMemory
from .walk import group_layout

__all__ = ["PICTURE_EVENTS", "PictureIn", "group_tag", "picture_ports", "tell_events"]

#: What a `PictureIn` tells of pictures.
PICTURE_EVENTS = ("in_file", *RASTER_EVENTS)


def group_tag(places: int, near_bits: int = 0) -> StructLayout:
    """What the visits of a group carry: where its rows stand, what ends with it, and its near."""
    return StructLayout({
        "base": bits_for(places - 1), "file_begins": 1, "strip_ends": 1, "file_ends": 1,
        **({"near": near_bits} if near_bits else {}),
    })  # fmt: skip


def picture_ports(
    memory: GroupMemory | GroupBlocks, tag: StructLayout, depth: int, pixel: StructLayout,
    max_lines: int, *, planes: int = 1, square: int = 1, order_bits: int = 0, near_bits: int = 0,
    events: bool = False,
) -> dict:  # fmt: skip
    """Ports of what takes pictures, see `PictureIn`.

    Parameters
    ----------
    memory, tag, depth:
        Where groups are held, what visits carry of one, and bits of a sample.
    pixel:
        Layout of a pixel.
    max_lines:
        Lines of a picture at most.
    planes, square:
        Planes of a picture, and pixels of a side for each column and line of a plane.
    order_bits, near_bits:
        Bits of an order of planes, and of a near; 0 without.
    events:
        Whether what happens is told.
    """
    width, lines = bits_for(memory.max_width), bits_for(max_lines)
    return {
        "pixels": In(stream.Signature(pixel)),
        "width": In(bits_for(square * memory.max_width)),
        "height": In(bits_for(square * max_lines)),
        **({"order": In(order_bits)} if order_bits else {}),
        "groups": Out(stream.Signature(group_layout(tag.size, planes))),
        "walk_width": Out(width),
        "walking": In(1),
        "finished": In(1),
        "base": In(len(Signal(tag).base)),
        "row": In(2),
        "column": In(bits_for(memory.max_width - 1)),
        "sample": Out(depth),
        "file_begins": Out(1),
        "file_width": Out(width),
        "file_height": Out(lines),
        **({"file_order": Out(order_bits)} if order_bits else {}),
        "bad_marker": Out(1),
        "bad_size": Out(1),
        "busy": Out(1),
        **({"near": In(near_bits), "file_near": Out(near_bits)} if near_bits else {}),
        **(dict.fromkeys(PICTURE_EVENTS, Out(1)) if events else {}),
    }


def tell_events(
    m: Module, told: wiring.Component, pixel, *, starts, taken, dropped, first, at_right, ends
) -> None:
    """Tell of a picture on `PICTURE_EVENTS` of a component, a clock later.

    Parameters
    ----------
    starts, ends:
        A picture begins in this clock, or its last pixel is taken.
    taken, dropped:
        A pixel is taken into a picture, or dropped before one.
    first, at_right:
        The pixel is to be a picture's first, or a line's last.
    """
    with m.If(starts):
        m.d.sync += told.in_file.eq(1)
    with m.Elif(ends):
        m.d.sync += told.in_file.eq(0)
    m.d.sync += [
        told.pixel_taken.eq(taken),
        told.frame_taken.eq(ends),
        told.sof_early.eq(taken & pixel.sof & ~first),
        told.sof_late.eq(dropped & ~pixel.sof),
        told.eol_early.eq(taken & pixel.eol & ~at_right),
        told.eol_late.eq(taken & ~pixel.eol & at_right),
    ]


class PictureIn(wiring.Component):
    """Takes pictures in raster order, offers their groups of rows, and hands out samples.

    One pixel per clock as long as there is room, but for a clock between groups.  Geometry is
    counted, not taken from the markers: a pixel without ``sof`` where a picture should begin is
    dropped, a marker in a wrong place is reported and otherwise ignored.  Each picture is a file.
    The size, and the near, are sampled when a picture begins, and must have been stable for two
    clocks; a size that is 0 or too large, or a near that is too large, is reported and its first
    pixel dropped.  A picture of another width waits until those before it have been walked through.

    Parameters
    ----------
    depth:
        Bits of a sample.
    memory:
        Where samples are held.
    max_height:
        Rows of a picture at most.
    strip_height:
        Rows of a strip; a multiple of four, or at least ``max_height``.
    events:
        Whether to tell what happens.
    max_near:
        Greatest near of a picture.

    Members
    -------
    pixels : In(stream)
        See `lutgen.gateware.files.raster.pixel_layout`.
    width, height : In(...)
        Size of the next picture.
    near : In(...)
        With ``max_near``: near of the next picture.
    groups : Out(stream)
        Groups that are complete, see `walk.group_layout`, with a `group_tag`.
    walk_width : Out(...)
        Width of the groups that are offered.
    walking : In(1)
        The walk is busy.
    finished : In(1)
        The oldest group has been read.
    wanted : In(1)
        A sample is wanted, of each row in their order: what it was in is free behind it.
    base, row, column : In(...)
        Place of the sample: its group's base, row and column.
    sample : Out(depth)
        The same, :attr:`latency` clocks later.
    file_begins : Out(1)
        A picture has begun: its size is on ``file_width``, ``file_height``, its near, if there is
        one, on ``file_near``.
    bad_marker, bad_size : Out(1)
        Pulses.
    busy : Out(1)
        A picture is incomplete, or a buffer in use.
    in_file, (`lutgen.gateware.files.raster_in.RASTER_EVENTS`) : Out(1)
        With ``events``: see `lutgen.gateware.files.raster_in.RasterIn`.
    """

    #: Clocks from the place of a sample to the sample.
    latency = 4

    def __init__(
        self, depth: int, memory: GroupBlocks, *, max_height: int, strip_height: int,
        events: bool = False, max_near: int = 0,
    ) -> None:  # fmt: skip
        if strip_height < max_height and strip_height % GROUP:
            raise ValueError(f"strip height must be a multiple of {GROUP}, not {strip_height!r}")
        self._memory, self._max_height = memory, max_height
        self._strip_height, self._events = strip_height, events
        self._max_near, near_bits = max_near, bits_for(max_near)
        #: What visits carry of a group.
        self.tag = tag = group_tag(memory.buffers, near_bits if max_near else 0)
        super().__init__(picture_ports(
            memory, tag, depth, pixel_layout(depth), max_height,
            near_bits=near_bits if max_near else 0, events=events,
        ) | {"wanted": In(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        pool = self._memory.add_pool(m)
        take, ends = Signal(), Signal()
        x, row, base, at_bottom = self._count(m, take, ends, ~pool.low)
        self._offer(m, ends, row, base, at_bottom)
        block, begun = self._store(m, pool, take, x, row, base)
        self._load(m, pool, block, begun)
        return m

    def _count(self, m: Module, take, ends, room):
        """States of the input; ``ends`` marks the last pixel of a group."""
        pixel = self.pixels.payload
        x = Signal(range(self._memory.max_width))
        y = Signal(range(self._max_height))
        row = Signal(2)
        base = Signal(range(self._memory.buffers))
        used = Signal(range(self._memory.buffers + 1))
        m.d.sync += used.eq(step(used, ends, self.finished))
        m.d.sync += self.busy.eq((used != 0) | ends)

        good = Signal()  # the size that is offered
        fits = (
            (self.width != 0) & (self.width <= self._memory.max_width)
            & (self.height != 0) & (self.height <= self._max_height)
        )  # fmt: skip
        if self._max_near:
            fits &= self.near <= self._max_near
        m.d.sync += good.eq(fits)
        alike, empty = Signal(), Signal()
        m.d.sync += [
            alike.eq(self.width == self.walk_width),
            empty.eq((used == 0) & ~self.walking & ~ends),
        ]
        right = Signal(range(self._memory.max_width))
        # Whether this pixel is the last one of its row, and this row of its picture: known before.
        at_right, at_bottom = Signal(), Signal()
        one_wide = Signal()
        # Rows may follow each other in single clocks: what is compared are the numbers of the row
        # before, two rows ahead.
        near_bottom, before_bottom = Signal(range(self._max_height)), Signal()
        first = Signal(init=1)  # the next pixel is a picture's first
        starts = Signal()
        with m.FSM(name="input"):
            with m.State("compare"):  # the size, which registers of this clock will know
                m.next = "begin"
            with m.State("begin"):
                with m.If(self.pixels.valid & ~(pixel.sof & good)):
                    m.d.comb += self.pixels.ready.eq(1)
                    m.d.sync += [
                        self.bad_marker.eq(~pixel.sof), self.bad_size.eq(pixel.sof & ~good),
                    ]  # fmt: skip
                with m.Elif(self.pixels.valid & (alike | empty)):
                    m.d.comb += starts.eq(1)
                    m.next = "take"
            with m.State("take"):
                m.d.comb += [self.pixels.ready.eq(room), take.eq(self.pixels.valid & room)]
                with m.If(take):
                    m.d.sync += [
                        self.bad_marker.eq((pixel.eol != at_right) | (pixel.sof != first)),
                        first.eq(0),
                        x.eq(x + 1),
                        at_right.eq(one_wide | (~at_right & (x == right))),
                    ]
                    with m.If(at_right):
                        m.d.sync += [
                            x.eq(0), y.eq(y + 1), row.eq(row + 1), at_bottom.eq(before_bottom),
                            before_bottom.eq(y == near_bottom),
                        ]  # fmt: skip
                        with m.If((row == GROUP - 1) | at_bottom):
                            m.d.comb += ends.eq(1)
                            m.d.sync += [row.eq(0), base.eq(self._memory.following(base))]
                            m.next = "wait"
                        with m.If(at_bottom):
                            m.d.sync += [y.eq(0), first.eq(1)]
            with m.State("wait"):
                with m.If(used != self._memory.buffers):
                    with m.If(first):
                        m.next = "compare"
                    with m.Else():
                        m.next = "take"
        with m.If(starts):
            m.d.sync += [
                # The last but one.
                right.eq(self.width - 2), one_wide.eq(self.width == 1),
                at_right.eq(self.width == 1), at_bottom.eq(self.height == 1),
                # The last but two.
                near_bottom.eq(self.height - 3), before_bottom.eq(self.height == 2),
                self.walk_width.eq(self.width),
                self.file_width.eq(self.width), self.file_height.eq(self.height),
            ]  # fmt: skip
            if self._max_near:
                m.d.sync += self.file_near.eq(self.near)
        m.d.sync += self.file_begins.eq(starts)
        with m.If(~(self.pixels.valid & self.pixels.ready)):
            m.d.sync += [self.bad_marker.eq(0), self.bad_size.eq(0)]
        with m.If(take):
            m.d.sync += self.bad_size.eq(0)
        if self._events:
            tell_events(
                m, self, pixel, starts=starts, taken=take, first=first, at_right=at_right,
                dropped=self.pixels.valid & self.pixels.ready & ~take,
                ends=take & at_right & at_bottom,
            )
        return x, row, base, at_bottom

    def _offer(self, m: Module, ends, row, base, at_bottom) -> None:
        """A group that is complete goes to the queue."""
        group = group_layout(self.tag.size)
        m.submodules.queue = queue = LutFifo(group, self._memory.buffers)
        top, begins = Signal(init=1), Signal(init=1)
        of_strip = -(-self._strip_height // GROUP)
        left = Signal(bits_for(of_strip - 1), init=of_strip - 1)
        strip_ends = Signal()
        # Registers: a group that is not its picture's last has four rows, so four clocks at least.
        fewer, none_left = lessened(m, left, name="fewer"), Signal()
        m.d.sync += none_left.eq(left == 0)
        m.d.comb += strip_ends.eq(at_bottom | none_left)
        with m.If(ends):
            m.d.sync += [
                begins.eq(at_bottom), top.eq(strip_ends),
                left.eq(Mux(strip_ends, left.init, fewer)),
            ]  # fmt: skip
        offer, tag = queue.i.payload, self.tag(queue.i.payload.tag)
        m.d.sync += [
            queue.i.valid.eq(ends),
            offer.rows.eq(row),
            offer.top.eq(top),
            offer.bottom.eq(strip_ends),
            tag.base.eq(base),
            tag.file_begins.eq(begins),
            tag.strip_ends.eq(strip_ends),
            tag.file_ends.eq(at_bottom),
            *([tag.near.eq(self.file_near)] if self._max_near else []),
        ]
        wiring.connect(m, queue.o, wiring.flipped(self.groups))

    def _store(self, m: Module, pool, take, x, row, base):
        """Pixels to their blocks.

        Returns what says where a sample is and stores it, but for what is asked of it.
        """
        memory, late = self._memory, pool.latency
        begins = Signal()
        m.d.comb += [begins.eq(take & memory.begins(x)), pool.take.eq(begins)]
        write, began = (
            delay(m, s, late, name=n, reset=True) for n, s in (("write", take), ("began", begins))
        )
        x, row, base, data = (
            delay(m, s, late, name=n) for n, s in (
                ("x", x), ("row", row), ("base", base), ("data", self.pixels.payload.data),
            )
        )  # fmt: skip
        last = Signal.like(pool.number, reset_less=True)
        block = Mux(began, pool.number, last)
        m.d.sync += last.eq(block)
        return (
            {"write": write, "write_block": block, "write_column": x, "data": data},
            {"write": began, "write_place": (base, row, x), "block": pool.number},
        )

    def _load(self, m: Module, pool, stored: dict, begun: dict) -> None:
        """Samples that are wanted; a block is free with the last one of it or of its row."""
        memory = self._memory
        block = memory.add_table(m, **begun, place=(self.base, self.row, self.column))
        column = delay(m, self.column, 2, name="column")
        m.d.comb += self.sample.eq(memory.add_samples(m, **stored, block=block, column=column))
        right = Signal.like(self.column)
        m.d.sync += right.eq(self.walk_width - 1)
        at, wanted = (
            delay(m, s, 1, name=n, reset=True)
            for n, s in (("at", self.column), ("wanted", self.wanted))
        )
        over = wanted & (memory.ends(at) | (at == right))
        m.d.comb += [
            pool.give.eq(delay(m, over, 1, name="over", reset=True)), pool.given.eq(block),
        ]
