"""Staggered rows: which sample is next, in lanes of four rows.

A lane has a group of four rows, which share a payload; each is four columns behind the one above
(:mod:`lutgen.codec.predictive.strip`).  Time is cut into periods of four clocks for each lane: in
clock ``lanes * k + lane`` of a period, row k of a lane's group has its turn and is a column further
than in the period before.  So a sample has a whole period until the next one of its row wants it,
and a group's samples come in the order of its payload.

The groups of a strip begin one after the other, always as many periods apart, so that each finds
the row above it far enough ahead.  There is no check and no stall: a period happens for all lanes
or, if the next group is due and not there, or what follows is full, for none.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP, LAG

from ..fabric.timeline import Timeline

__all__ = ["PRIMING", "Walk", "group_layout", "least_stagger", "visit_layout"]

#: Visits of a row before its first sample, which fill its window.
PRIMING = 3
#: Columns of a group's last row behind its first.
_BEHIND = LAG * (GROUP - 1)


def least_stagger(lanes: int, clocks: int) -> int:
    """Fewest periods between the beginnings of groups.

    Parameters
    ----------
    lanes:
        Of the walk.
    clocks:
        From the visit of a sample to when that of another group's first row may need it; the row
        above a lane's first one is the last one of the lane before, and in the worst case that
        lane's turn comes last.
    """
    stagger = _BEHIND + PRIMING + 1
    while (stagger - _BEHIND - PRIMING) * GROUP * lanes - GROUP * lanes + 1 < clocks:
        stagger += 1
    return stagger


def group_layout(tag: int) -> StructLayout:
    """A group of rows that may begin."""
    return StructLayout({
        "rows": 2,  # number of rows, less one
        "top": 1,  # it is the first of its strip
        "bottom": 1,  # it is the last
        **({"tag": tag} if tag else {}),  # whatever its visits shall carry
    })


def visit_layout(lanes: int, max_width: int, tag: int) -> StructLayout:
    """What happens in a clock."""
    return StructLayout({
        "valid": 1,  # there is a visit
        "sample": 1,  # ... of a sample, not one before the row's first
        "lane": bits_for(lanes - 1),
        "above": bits_for(lanes - 1),  # the lane before
        "row": 2,
        "ahead": bits_for(max_width + PRIMING - 1),  # column of the sample, plus 3
        "begin": 1,  # the row's first visit
        "left": 1,  # the sample is the first of its row
        "beyond": 1,  # there is no column three further right
        "top": 1,  # the row is the first of its strip
        "first": 1,  # the group's first sample
        "last": 1,  # the group's last sample
        **({"tag": tag} if tag else {}),
    })


class Walk(wiring.Component):
    """Goes through the rows of groups, one visit per clock.

    A picture of W columns takes ``max(least, ceil((W + 15) / lanes))`` periods of ``4 * lanes``
    clocks for each group.  After reset no group is under way.

    Parameters
    ----------
    lanes:
        Number of lanes, at least 2.
    max_width:
        Greatest number of columns.
    least:
        Fewest periods between the beginnings of groups, see `least_stagger`.
    tag:
        Bits that visits carry of their group.

    Members
    -------
    width : In(...)
        Columns of the rows under way: it may change only while ``busy`` is low and no group is
        offered.
    groups : In(stream)
        Groups in their order, see `group_layout`.  One that follows another of its strip is waited
        for; before the first of a strip, those under way go on.
    hold : In(1)
        Begin no period.
    visit : Out(...)
        See `visit_layout`; :attr:`latency` clocks after its turn.
    busy : Out(1)
        A group is under way.
    """

    #: Clocks from a turn to its visit.
    latency = 3

    def __init__(self, lanes: int, max_width: int, *, least: int, tag: int = 0) -> None:
        if lanes < 2:
            raise ValueError(f"lanes must be at least 2, not {lanes!r}")
        self._lanes, self._max_width, self._least, self._tag = lanes, max_width, least, tag
        super().__init__({
            "width": In(bits_for(max_width)),
            "groups": In(stream.Signature(group_layout(tag))),
            "hold": In(1),
            "visit": Out(visit_layout(lanes, max_width, tag)),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        lanes = self._lanes
        lane = Signal(range(lanes))
        above = Signal(range(lanes), init=lanes - 1)
        row = Signal(2)
        m.d.sync += [above.eq(lane), lane.eq(Mux(lane == lanes - 1, 0, lane + 1))]
        with m.If(lane == lanes - 1):
            m.d.sync += row.eq(row + 1)

        go, starting, start_lane, new = self._decide(m, (row == 3) & (lane == lanes - 2))
        # Known a clock before: the group that begins is that of this clock's lane.
        meets = Signal()
        with m.If(lane == lanes - 1):
            m.d.sync += meets.eq((row == 3) & (start_lane == 0))
        with m.Else():
            m.d.sync += meets.eq((row == 0) & (start_lane == lane + 1))
        here = starting & meets
        progress, record, active = self._lane(m, lane, row, go, here, new)
        self._visit(m, go & active, lane, above, row, progress, record)
        return m

    def _decide(self, m: Module, ending):
        """Whether the next period happens, and whether a group begins in it."""
        lanes, group = self._lanes, self.groups.payload
        turns = self._max_width + PRIMING + _BEHIND
        stagger = Signal(range(max(self._least, -(-turns // lanes)) + 1))
        each = Signal(range(-(-turns // lanes) + 1))
        # ceil((W + 15) / lanes), by a multiplication that is exact for all widths.
        shift = 0
        factor = 1
        while any(
            (w + PRIMING + _BEHIND + lanes - 1) * factor >> shift
            != (w + PRIMING + _BEHIND + lanes - 1) // lanes
            for w in range(1, self._max_width + 1)
        ):
            shift += 1
            factor = -(-(1 << shift) // lanes)
        m.d.sync += [
            each.eq((self.width + (PRIMING + _BEHIND + lanes - 1)) * factor >> shift),
            stagger.eq(Mux(each < self._least, self._least, each)),
        ]
        since = Signal.like(stagger, init=-1)
        due = Signal(init=1)
        in_strip = Signal()
        go, starting = Signal(), Signal()
        start_lane = Signal(range(lanes), init=lanes - 1)
        new = Signal(group_layout(self._tag), reset_less=True)
        halted = Signal()
        begins = Signal()
        # Decided a clock before the period begins, so that its first clock finds registers.
        m.d.comb += [
            halted.eq(self.hold | (due & in_strip & ~self.groups.valid)),
            begins.eq(ending & ~halted & due & self.groups.valid),
            self.groups.ready.eq(begins),
        ]
        m.d.sync += due.eq(since >= stagger)
        go_next, start_next = Signal(), Signal()
        with m.If(ending):
            m.d.sync += [go_next.eq(~halted), start_next.eq(begins)]
            with m.If(~halted & (since != Const(-1, len(since)).as_unsigned())):
                m.d.sync += since.eq(since + 1)
        with m.If(begins):
            m.d.sync += [
                since.eq(1),
                due.eq(0),
                new.eq(group),
                in_strip.eq(~group.bottom),
                start_lane.eq(Mux(start_lane == lanes - 1, 0, start_lane + 1)),
            ]
        ended = Signal()
        m.d.sync += ended.eq(ending)
        with m.If(ended):
            m.d.sync += [go.eq(go_next), starting.eq(start_next)]
        return go, starting, start_lane, new

    def _lane(self, m: Module, lane, row, go, here, new):
        """The lane's period since its group began, and its group."""
        bits = bits_for(self._max_width + PRIMING + _BEHIND - 1)
        size = 4 + self._tag
        m.submodules.progress = progresses = Memory(shape=bits, depth=self._lanes, init=[])
        m.submodules.group = groups = Memory(shape=size, depth=self._lanes, init=[])
        progress_read, group_read = (
            memory.read_port(domain="comb") for memory in (progresses, groups)
        )
        progress_write, group_write = (
            memory.write_port() for memory in (progresses, groups)
        )
        active = Signal(self._lanes)
        progress = Signal(bits)
        record = Signal(group_layout(self._tag))
        ends = Signal(bits)
        m.d.sync += ends.eq(self.width + (PRIMING + _BEHIND - 1))
        is_active = here | active.bit_select(lane, 1)
        m.d.comb += [
            progress_read.addr.eq(lane),
            group_read.addr.eq(lane),
            progress.eq(Mux(here, 0, progress_read.data)),
            record.eq(Mux(here, new, group_read.data)),
            progress_write.addr.eq(lane),
            group_write.addr.eq(lane),
            group_write.data.eq(new),
            group_write.en.eq(here),
            progress_write.data.eq(Mux(here, 0, progress + 1)),
            progress_write.en.eq(here | (go & (row == 3))),
        ]
        with m.If(here):
            m.d.sync += active.bit_select(lane, 1).eq(1)
        with m.Elif(go & (row == 3) & (progress == ends)):
            m.d.sync += active.bit_select(lane, 1).eq(0)
        m.d.sync += self.busy.eq(active.any() | here)
        return progress, record, is_active

    def _visit(self, m: Module, active, lane, above, row, progress, record) -> None:
        line = Timeline(m)
        lane, above, row = (
            line.given(name, value) for name, value in (("lane", lane), ("above", above),
                                                        ("row", row))
        )  # fmt: skip
        record = line.given("record", record.as_value())
        active = line.given("active", active, reset=True)
        width = self.width
        # 1: columns of this row since its first visit, a negative number before it.
        ahead = line.register("ahead", progress - Cat(Const(0, 2), row.now), 0)
        exists = line.register("exists", active.now & (row.now <= record.now[:2]), 0, reset=True)
        # 2: where that is.
        value = ahead.now
        inside = Signal()
        plus = Signal(len(width) + 1, reset_less=True)
        m.d.sync += plus.eq(width + PRIMING)
        m.d.comb += inside.eq((value >= 0) & (value < plus))
        valid = line.register("valid", exists.now & inside, 1, reset=True)
        sample = line.register("sample", exists.now & inside & (value >= PRIMING), 1, reset=True)
        begin = line.register("begin", value == 0, 1)
        left = line.register("left", value == PRIMING, 1)
        beyond = line.register("beyond", value >= width, 1)
        right = line.register("right", value == plus - 1, 1)
        top = line.register("top", record.at(1)[2] & (row.at(1) == 0), 1)
        is_first = line.register("is_first", row.at(1) == 0, 1)
        is_last = line.register("is_last", row.at(1) == record.at(1)[:2], 1)
        # 3: the visit.
        visit, end = self.visit, 2
        m.d.sync += [
            visit.valid.eq(valid.at(end)),
            visit.sample.eq(sample.at(end)),
            visit.lane.eq(lane.at(end)),
            visit.above.eq(above.at(end)),
            visit.row.eq(row.at(end)),
            visit.ahead.eq(ahead.at(end)),
            visit.begin.eq(begin.at(end)),
            visit.left.eq(left.at(end)),
            visit.beyond.eq(beyond.at(end)),
            visit.top.eq(top.at(end)),
            visit.first.eq(sample.at(end) & left.at(end) & is_first.at(end)),
            visit.last.eq(sample.at(end) & right.at(end) & is_last.at(end)),
        ]
        if self._tag:
            m.d.sync += visit.tag.eq(record.at(end)[4:])
