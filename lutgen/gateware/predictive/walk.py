"""Staggered rows: which sample is next, in lanes of four rows.

A lane has a group of four rows, which share a payload; each is four columns behind the one above
(:mod:`lutgen.codec.predictive.strip`).  Time is cut into periods of four clocks for each lane: in
clock ``lanes * k + lane`` of a period, row k of a lane's group has its turn and is a column further
than in the period before.  So a sample has a whole period until the next one of its row wants it,
and a group's samples come in the order of its payload.

A row that has ended does not wait for those below it: it goes on with the lane's next group.  So
for twelve periods two groups are under way in a lane; groups of a lane have *sides* in turn, by
which they are told apart.

The groups of a strip begin one after the other, always as many periods apart, so that each finds
the row above it far enough ahead.  There is no check and no stall: a period happens for all lanes
or, if the next group is due and not there, or what follows is full, for none.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP, LAG

from ..fabric.pipeline import choose, delay
from ..fabric.timeline import Timed, Timeline

__all__ = ["PRIMING", "Walk", "group_layout", "least_stagger", "period_bits", "visit_layout"]

#: Visits of a row before its first sample, which fill its window.
PRIMING = 3
#: Periods from the first visit of a group to its last row's first sample, which is the first thing
#: that the group below wants.
_BEHIND = LAG * (GROUP - 1) + PRIMING


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
    stagger = _BEHIND + 1
    while (stagger - _BEHIND) * GROUP * lanes - GROUP * lanes + 1 < clocks:
        stagger += 1
    return stagger


def period_bits(lanes: int, max_width: int, least: int) -> int:
    """Bits of a period's number: it comes again when nothing from that period is wanted."""
    return bits_for(_most_stagger(lanes, max_width, least) - _BEHIND)


def _most_stagger(lanes: int, max_width: int, least: int) -> int:
    return max(least, -(-(max_width + PRIMING) // lanes))


def _has_phase(planes: int) -> bool:
    """Whether groups of rows of so many planes in turn do not all begin with the same one."""
    return GROUP % planes != 0


def group_layout(tag: int, planes: int = 1) -> StructLayout:
    """A group of rows that may begin, of an image of so many planes."""
    return StructLayout({
        "rows": 2,  # number of rows, less one
        "top": 1,  # it is the first of its strip
        "bottom": 1,  # it is the last
        **({"plane": bits_for(planes - 1)} if _has_phase(planes) else {}),  # of its first row
        **({"tag": tag} if tag else {}),  # whatever its visits shall carry
    })


def visit_layout(
    lanes: int, max_width: int, least: int, tag: int, planes: int = 1
) -> StructLayout:
    """What happens in a clock."""
    period = period_bits(lanes, max_width, least)
    return StructLayout({
        "valid": 1,  # there is a visit
        "sample": 1,  # ... of a sample, not one before the row's first
        "lane": bits_for(lanes - 1),
        "side": 1,  # other than that of the lane's group before
        "above": bits_for(lanes - 1),  # the lane before
        "row": 2,
        "ahead": bits_for(max_width + PRIMING - 1),  # column of the sample, plus 3
        "period": period,
        "above_period": period,  # that of the lane before in which its last row was at ``ahead``
        "begin": 1,  # the row's first visit
        "left": 1,  # the sample is the first of its row
        "beyond": 1,  # there is no column three further right
        "top": 1,  # the row is the first of its plane in the strip
        **({"plane": bits_for(planes - 1)} if planes > 1 else {}),  # of the row
        "first": 1,  # the group's first sample
        "last": 1,  # the group's last sample
        **({"tag": tag} if tag else {}),
    })


def _plane(planes: int, phase: Value, row: Value) -> Value:
    """Plane of a row of a group whose first row is of plane ``phase``."""
    return choose(
        [Const((k + first) % planes, bits_for(planes - 1))
         for first in range(1 << len(phase)) for k in range(GROUP)], Cat(row, phase),
    )  # fmt: skip


class Walk(wiring.Component):
    """Goes through the rows of groups, one visit per clock.

    Each row of W columns has W + 3 visits, and then goes on with the lane's next group: a picture
    takes ``max(least * lanes, W + 3)`` periods of ``4 * lanes`` clocks for as many groups as there
    are lanes.  After reset no group is under way.

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
    planes:
        Planes of an image, whose rows come in turn: 1 to 4.

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

    def __init__(
        self, lanes: int, max_width: int, *, least: int, tag: int = 0, planes: int = 1
    ) -> None:
        if lanes < 2:
            raise ValueError(f"lanes must be at least 2, not {lanes!r}")
        self._planes = planes
        self._lanes, self._max_width, self._least, self._tag = lanes, max_width, least, tag
        #: What is kept of a group under way.
        self._record = StructLayout({
            "rows": 2, "top": 1, "apart": period_bits(lanes, max_width, least),
            **({"plane": bits_for(planes - 1)} if _has_phase(planes) else {}),
            **({"tag": tag} if tag else {}),
        })  # fmt: skip
        super().__init__({
            "width": In(bits_for(max_width)),
            "groups": In(stream.Signature(group_layout(tag, planes))),
            "hold": In(1),
            "visit": Out(visit_layout(lanes, max_width, least, tag, planes)),
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

        line = Timeline(m)
        turn = {
            name: line.given(name, value) for name, value in (
                ("lane", lane), ("above", above), ("row", row), ("slot", Cat(lane, row)),
            )
        }  # fmt: skip
        # The period's last clock but one, in a register: whether a group begins is decided then.
        before = (3, lanes - 3) if lanes > 2 else (2, lanes - 1)
        ending = Signal()
        m.d.sync += ending.eq((row == before[0]) & (lane == before[1]))
        begins, side, new = self._decide(m, line, turn, ending)
        self._rows(m, line, turn, begins, side, new)
        self._visit(m, turn)
        return m

    def _stagger(self, m: Module, lane) -> Signal:
        """Periods from the beginning of this lane's group to that of the next lane's."""
        lanes = self._lanes
        visits = [w + PRIMING for w in range(1, self._max_width + 1)]
        # A division by multiplication that is exact for all widths.
        shift, factor = 0, 1
        while any(n * factor >> shift != n // lanes for n in visits):
            shift += 1
            factor = -(-(1 << shift) // lanes)
        number = Signal(range(visits[-1] + 1))
        each = Signal(bits_for(visits[-1] // lanes))
        rest, more = Signal(range(lanes)), Signal()
        stagger = Signal(range(_most_stagger(lanes, self._max_width, self._least) + 1))
        # Some wait a period more, so that all of a round wait as long as a row takes.
        apart = Signal.like(stagger)
        m.d.sync += [
            apart.eq(each + more),
            number.eq(self.width + PRIMING),
            each.eq(number * factor >> shift),
            rest.eq(number - each * lanes),
            more.eq(lane < rest),
            stagger.eq(Mux(apart < self._least, self._least, apart)),
        ]
        return stagger

    def _decide(self, m: Module, line: Timeline, turn: dict[str, Timed], ending):
        """Whether the next period happens, and whether a group begins in it."""
        lanes, group = self._lanes, self.groups.payload
        start_lane, start_above = Signal(range(lanes), init=lanes - 1), Signal(range(lanes))
        stagger = self._stagger(m, start_lane)
        left = Signal.like(stagger)
        due = Signal(init=1)
        in_strip = Signal()
        go, starting, side = Signal(), Signal(), Signal(init=1)
        period = Signal(len(self.visit.period))
        new = Signal(self._record, reset_less=True)
        halted = Signal()
        begins = Signal()
        # Decided a clock before the period begins, so that its first clock finds registers.
        m.d.comb += [
            halted.eq(self.hold | (due & in_strip & ~self.groups.valid)),
            begins.eq(ending & ~halted & due & self.groups.valid),
            self.groups.ready.eq(begins),
        ]
        m.d.sync += due.eq(left == 0)
        go_next, start_next = Signal(), Signal()
        with m.If(ending):
            m.d.sync += [go_next.eq(~halted), start_next.eq(begins)]
            with m.If(~halted & left.any()):
                m.d.sync += left.eq(left - 1)
        with m.If(begins):
            m.d.sync += [
                new.rows.eq(group.rows),
                new.top.eq(group.top),
                new.apart.eq(stagger - _BEHIND),
                in_strip.eq(~group.bottom),
                start_above.eq(start_lane),
                start_lane.eq(Mux(start_lane == lanes - 1, 0, start_lane + 1)),
                side.eq(side ^ (start_lane == lanes - 1)),
            ]
            if _has_phase(self._planes):
                m.d.sync += new.plane.eq(group.plane)
            if self._tag:
                m.d.sync += new.tag.eq(group.tag)
        # When it knows of the lane.
        with m.If(delay(m, begins, 4, name="begins", reset=True)):
            m.d.sync += left.eq(stagger - 1)
        ended = Signal()
        m.d.sync += ended.eq(ending)
        with m.If(ended):
            m.d.sync += [go.eq(go_next), starting.eq(start_next), period.eq(period + go_next)]
        # Known a clock before, in the lane before: the group that begins is that of this clock.
        meets = Signal()
        lane, row = turn["lane"].now, turn["row"].now
        m.d.sync += meets.eq((lane == start_above) & (row == Mux(start_above == lanes - 1, 3, 0)))
        turn["go"] = line.given("go", go, reset=True)
        turn["period"] = line.given("period", period)
        return line.given("begins", starting & meets, reset=True), side, new

    def _rows(self, m: Module, line: Timeline, turn: dict[str, Timed], begins: Timed, side, new):
        """Each row's group and its visits; row 0 begins when told, the others after that above."""
        lanes, slot = self._lanes, turn["slot"]
        state = StructLayout({"ahead": len(self.visit.ahead), "side": 1, "active": 1})
        m.submodules.states = states = Memory(shape=state.size, depth=1 << len(slot), init=[])
        m.submodules.records = records = Memory(
            shape=self._record.size, depth=2 << len(turn["lane"]), init=[]
        )
        load, read = (memory.read_port(domain="comb") for memory in (states, records))
        store, write = states.write_port(), records.write_port()
        # After a reset all rows have a turn before the first period.
        fresh = Signal(init=1)
        with m.If((turn["row"].now == 3) & (turn["lane"].now == lanes - 1)):
            m.d.sync += fresh.eq(0)
        m.d.comb += [
            load.addr.eq(slot.now),
            write.addr.eq(Cat(side, turn["lane"].now)), write.data.eq(new), write.en.eq(begins.now),
        ]  # fmt: skip
        # 1: what the row does in this period, and whether its next visit is the first of a group.
        was = state(line.register("was", load.data, 0).now)
        last = Signal.like(was.ahead)
        m.d.sync += last.eq(self.width + (PRIMING - 1))
        active = was.active & turn["go"].at(1)
        right = was.ahead == last
        follows, follows_side = Signal(), Signal()
        is_first = turn["row"].at(1) == 0
        starts = Mux(is_first, begins.at(1), follows)
        next_state = Signal(state)
        m.d.sync += [
            next_state.ahead.eq(Mux(starts, 0, was.ahead + active)),
            next_state.side.eq(Mux(starts, Mux(is_first, side, follows_side), was.side)),
            next_state.active.eq(
                ~line.given("fresh", fresh).at(1) & (starts | (was.active & ~(active & right)))
            ),
        ]
        m.d.comb += [
            store.addr.eq(slot.at(2)), store.data.eq(next_state), store.en.eq(1),
            read.addr.eq(Cat(was.side, turn["lane"].at(1))),
        ]  # fmt: skip
        for name, value in (
            ("valid", active), ("sample", active & (was.ahead >= PRIMING)),
        ):  # fmt: skip
            turn[name] = line.register(name, value, 1, reset=True)
        for name, value in (
            ("ahead", was.ahead), ("side", was.side), ("record", read.data),
            ("begin", was.ahead == 0), ("left", was.ahead == PRIMING),
            ("beyond", was.ahead >= self.width), ("right", right),
        ):  # fmt: skip
            turn[name] = line.register(name, value, 1)
        # 2: the row below begins after the fourth visit of this one, if it is one of the group.
        record = self._record(turn["record"].now)
        below = turn["valid"].now & (turn["ahead"].now == LAG - 1) & (
            turn["row"].at(2) != record.rows
        )
        m.d.comb += Cat(follows, follows_side).eq(
            delay(m, Cat(below, turn["side"].now), lanes - 1, name="follows")
        )

    def _is_top(self, row) -> Value:
        """Whether a row of a strip's first group is the first one of its plane."""
        return row < self._planes if self._planes < GROUP else Const(1)

    def _visit(self, m: Module, turn: dict[str, Timed]) -> None:
        """3: the visit."""
        visit, end = self.visit, 2
        record = self._record(turn["record"].now)
        row = turn["row"].at(end)
        first_row, last_row = row == 0, row == record.rows
        m.d.sync += [
            *(getattr(visit, name).eq(turn[name].at(end)) for name in (
                "valid", "sample", "lane", "side", "above", "row", "ahead", "period", "begin",
                "left", "beyond",
            )),
            visit.above_period.eq(turn["period"].at(end) - record.apart),
            visit.top.eq(record.top & (first_row if self._planes == 1 else self._is_top(row))),
            visit.first.eq(turn["sample"].now & turn["left"].now & first_row),
            visit.last.eq(turn["sample"].now & turn["right"].now & last_row),
        ]  # fmt: skip
        if self._planes > 1:
            phase = record.plane if _has_phase(self._planes) else Const(0, 0)
            m.d.sync += visit.plane.eq(_plane(self._planes, phase, row))
        if self._tag:
            m.d.sync += visit.tag.eq(record.tag)
        # A group is under way until the clock behind its last visit, whose flag is a register.
        under_way = Signal(range(self._lanes + 4))
        begun = self.groups.valid & self.groups.ready
        m.d.sync += [
            under_way.eq(under_way + begun - visit.last), self.busy.eq(under_way.any() | begun),
        ]  # fmt: skip
