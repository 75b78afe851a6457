"""Symbol stacks: groups of rows come in their order and leave backwards, lane by lane."""

from itertools import accumulate
from typing import NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose, delay

__all__ = ["SymbolStacks", "stack_depth"]

#: Symbols of a lane that may still come when ``ready`` falls: those of four periods, and those that
#: have come since its room was looked at.
_SLACK = 32
#: Symbols of two groups of a lane between the first one of the later and the last of the other.
_BOTH = 32
#: Lowest bit of the number of symbols in units of 2,048.
_HIGH = 11


def stack_depth(symbols: int) -> int:
    """Symbols of a lane's stack: a power of two, those of a group and a margin."""
    return 1 << (symbols + 2 * _SLACK - 1).bit_length()


class _Put(NamedTuple):
    """A symbol on its way to its place, and whether it is the last one of its group."""

    valid: Value
    last: Value
    lane: Value
    place: Value
    symbol: Value


class SymbolStacks(wiring.Component):
    """A stack for each lane, from which the last group leaves while the next one comes.

    A lane's stack is a ring of memory.  If a group grows upwards, on *side* 0, the next one grows
    downwards from the word below the first group's first symbol: into what the first one frees, as
    it leaves from its top.  The third one grows upwards from the word above the second group's
    first symbol, and so on.  So there is room for little more than one group.  If a group comes
    while the one before the last one is still there, it begins where that one ends at this moment.

    A group may begin when up to 16 symbols of the lane's group before it are still to come, if 16
    of its own come between these at most.

    One symbol in and one out per clock, of one lane never in less than ``lanes`` clocks.  When the
    last symbol of a group has come, they leave backwards, one in each turn of the lane in which
    ``go`` allows it; in the next turn follows the *flush*, and then the *close*.  Reset forgets all
    symbols.

    Parameters
    ----------
    lanes:
        Lanes, at least 8.
    symbols:
        Symbols of a group at most.
    symbol_bits, note_bits:
        Bits of a symbol, and of what is noted of a group, which may be none.

    Members
    -------
    valid, lane, side, symbol, first, last : In(...)
        A symbol, and whether it is the first or last one of its group.  A lane's groups have sides
        in turn.
    note : In(note_bits)
        With ``first`` and ``last``: comes back with all of the group.
    ready : Out(1)
        Each lane has room for the symbols of four periods of its four turns, and one.
    turn : Out(...)
        Lane of this clock.
    go : In(2)
        A clock after ``turn``: whether it may give symbols of a group that grows upwards and
        downwards.
    o_lane, o_code, o_flush, o_close : Out(...)
        Four clocks after ``turn``: the lane, and whether a symbol leaves, or one of the other two.
    o_side : Out(1)
        Direction in which the lane's group grew.
    o_first : Out(1)
        The symbol is the first to leave, the last one of its group.
    o_symbol : Out(symbol_bits)
        The symbol.
    o_note, o_low, o_high : Out(...)
        Of the group, from its first symbol to the close: what was noted, and its number of symbols,
        modulo 8 and in units of 2,048.
    """

    #: Clocks from ``turn`` to the symbol.
    latency = 4

    def __init__(self, lanes: int, symbols: int, *, symbol_bits: int, note_bits: int = 0) -> None:
        if lanes < 8:
            raise ValueError(f"lanes must be at least 8, not {lanes!r}")
        if symbols < 1:
            raise ValueError(f"symbols of a group must be at least 1, not {symbols!r}")
        self._lanes, self._depth = lanes, stack_depth(symbols)
        self._notes = [note_bits] if note_bits else []
        lane_bits, self._counts = bits_for(lanes - 1), max(bits_for(symbols), _HIGH + 1)
        super().__init__({
            "valid": In(1), "lane": In(lane_bits), "side": In(1), "symbol": In(symbol_bits),
            "first": In(1), "last": In(1), "ready": Out(1),
            "turn": Out(lane_bits), "go": In(2),
            "o_lane": Out(lane_bits), "o_code": Out(1), "o_flush": Out(1), "o_close": Out(1),
            "o_side": Out(1), "o_first": Out(1), "o_symbol": Out(symbol_bits),
            "o_low": Out(3), "o_high": Out(self._counts - _HIGH),
            **({"note": In(note_bits), "o_note": Out(note_bits)} if note_bits else {}),
        })  # fmt: skip

    def _table(self, m: Module, name: str, *widths: int, sides: int = 1):
        """A row for each lane and side: what writes it, and what adds a port that reads its fields.
        """
        rows = sides * self._lanes
        m.submodules[name] = memory = Memory(shape=sum(widths), depth=rows, init=[])
        port = memory.write_port()

        def read(address: Value) -> list[Value]:
            reader = memory.read_port(domain="comb")
            m.d.comb += reader.addr.eq(address)
            ends = list(accumulate(widths))
            return [
                reader.data[end - width : end] for width, end in zip(widths, ends, strict=True)
            ]

        return port, read

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = (self._depth - 1).bit_length()
        # Groups that come, by lane and side: where the next symbol goes and the second one went.
        coming, read_coming = self._table(m, "coming", bits, bits, sides=2)
        newest, read_newest = self._table(m, "newest", 1)  # side of the lane's last group
        # What a lane's next group of that side wants to know of the one before: the same second
        # symbol's place.
        before, read_before = self._table(m, "before", bits, sides=2)
        # Complete ones that wait for their turn to leave, and those that leave.
        complete, read_complete = self._table(m, "complete", bits, bits, 1, *self._notes)
        leaving, read_leaving = self._table(
            m, "leaving", bits, bits, 1, 2, 1, 3 + len(self.o_high), *self._notes
        )
        put = self._come(
            m, bits, coming, newest, before, complete, read_coming, read_before, read_leaving
        )
        self._leave(
            m, bits, put, leaving, read_coming, read_newest, read_complete, read_leaving, platform
        )
        return m

    def _come(
        self, m: Module, bits: int, coming, newest, before, complete, read_coming, read_before,
        read_leaving,
    ) -> _Put:  # fmt: skip
        """A symbol comes, and goes to its place two clocks later."""
        # 1: its lane's group, and what leaves of the lane.
        valid, first, last = (delay(m, s, 1, name=f"come_{s.name}", reset=True)
                              for s in (self.valid, self.first, self.last))  # fmt: skip
        lane, side, symbol = (
            delay(m, s, 1, name=f"come_{s.name}") for s in (self.lane, self.side, self.symbol)
        )
        fresh = Signal(bits, reset_less=True)  # where a group begins
        place = Signal(bits)
        (second_old,) = read_before(Cat(self.side, self.lane))
        leaves_at, _, leaves_side, leaves_phase, *_ = read_leaving(self.lane)
        beyond = leaves_phase.any() & (leaves_side == self.side)
        follows, second_1 = (
            delay(m, s, 1, name=f"coming_{k}")
            for k, s in enumerate(read_coming(Cat(self.side, self.lane)))
        )
        m.d.sync += fresh.eq(
            Mux(beyond, leaves_at, Mux(self.side, second_old - 2, second_old + 2)[:bits])
        )
        m.d.comb += place.eq(Mux(first, fresh, follows))
        # 2: to its place.
        place_2, second_2, lane_2, side_2, first_2, symbol_2 = (
            delay(m, s, 1, name=f"put_{k}")
            for k, s in enumerate((place, second_1, lane, side, first, symbol))
        )
        valid_2 = delay(m, valid, 1, name="put_valid", reset=True)
        last_2 = delay(m, valid & last, 1, name="put_last", reset=True)
        after_2 = Mux(side_2, place_2 - 1, place_2 + 1)[:bits]
        base = Cat(after_2, Mux(first_2, after_2, second_2))
        m.d.comb += [
            coming.en.eq(valid_2), coming.addr.eq(Cat(side_2, lane_2)), coming.data.eq(base),
            newest.en.eq(valid_2 & first_2), newest.addr.eq(lane_2), newest.data.eq(side_2),
            before.en.eq(valid_2 & first_2), before.addr.eq(Cat(~side_2, lane_2)),
            before.data.eq(after_2),
            complete.en.eq(last_2), complete.addr.eq(lane_2),
            complete.data.eq(Cat(
                base, side_2, *(delay(m, self.note, 2, name="note") for _ in self._notes)
            )),
        ]  # fmt: skip
        return _Put(valid_2, last_2, lane_2, place_2, symbol_2)

    def _leave(
        self, m: Module, bits: int, put: _Put, leaving, read_coming, read_newest, read_complete,
        read_leaving, platform,
    ) -> None:  # fmt: skip
        """Lanes take turns, in each of which a symbol leaves, or what follows the last one."""
        # 1: all that there is of the lane.
        waiting = Signal(self._lanes)
        turn, lane_1, cleared = self._turns(m)
        leaves = read_leaving(turn)
        final = delay(m, leaves[0] == leaves[1], 1, name="final")  # only the first one is left
        now = [delay(m, s, 1, name=f"now_{k}") for k, s in enumerate(leaves)]
        at, second, grew, phase, begins, count, *note = now
        there = [delay(m, s, 1, name=f"there_{k}") for k, s in enumerate(read_complete(turn))]
        there_at, there_second, there_grew, *there_note = there
        waits = delay(m, choose(list(waiting), turn), 1, name="waits")

        idle, codes, flushes, closes = (phase == k for k in range(4))
        load = idle & waits & ~cleared
        step = codes & Mux(grew, self.go[1], self.go[0])
        down = Signal(bits)  # the symbol below the top
        m.d.comb += down.eq(Mux(grew, at + 1, at - 1))
        # With both complemented, what grew downwards grows upwards.
        turned = there_grew.replicate(bits)
        size = ((there_at ^ turned) - (there_second ^ turned) + 1)[: min(self._counts, bits)]
        after = Mux(
            load, 1, Mux(step & final, 2, Mux(flushes, 3, Mux(closes | cleared, 0, phase)))
        )
        m.d.comb += [
            leaving.en.eq(1), leaving.addr.eq(lane_1),
            leaving.data.eq(Cat(
                Mux(load, there_at, Mux(step, down, at)), Mux(load, there_second, second),
                Mux(load, there_grew, grew), Mux(cleared, 0, after)[:2], load | (begins & ~step),
                Mux(load, Cat(size[:3], size[_HIGH:]), count),
                *(Mux(load, there_note[0], note[0]) for _ in note),
            )),
        ]  # fmt: skip
        for k in range(self._lanes):
            with m.If(put.last & (put.lane == k)):
                m.d.sync += waiting[k].eq(1)
            with m.Elif(load & (lane_1 == k)):
                m.d.sync += waiting[k].eq(0)

        # 2 to 4: the symbol.
        for name, value in (("o_code", codes & step), ("o_flush", flushes), ("o_close", closes)):
            m.d.comb += getattr(self, name).eq(
                delay(m, value & ~cleared, 3, name=name, reset=True)
            )
        for name, value in (
            ("o_lane", lane_1), ("o_side", grew), ("o_first", begins), ("o_low", count[:3]),
            ("o_high", count[3:]), *(("o_note", noted) for noted in note),
        ):  # fmt: skip
            m.d.comb += getattr(self, name).eq(delay(m, value, 3, name=name))
        m.d.comb += self.o_symbol.eq(add_ram(
            m, "symbols", self._depth << len(lane_1), len(put.symbol), write=put.valid,
            write_address=Cat(put.place, put.lane), data=put.symbol,
            address=delay(m, Cat(down, lane_1), 1, name="from"), fabric=platform,
        ))  # fmt: skip
        self._look_for_room(m, lane_1, at, grew, idle, waits, read_coming, read_newest)

    def _turns(self, m: Module) -> tuple[Value, Value, Value]:
        """Lane of this clock and of the one before, and whether that one forgets what was."""
        # The first round forgets, also behind a reset of one clock.
        turn, clears, cleared = self.turn, Signal(init=1), Signal(init=1)
        m.d.sync += [turn.eq(Mux(turn == self._lanes - 1, 0, turn + 1)), cleared.eq(clears)]
        with m.If(turn == self._lanes - 1):
            m.d.sync += clears.eq(0)
        return turn, delay(m, turn, 1, name="turn"), cleared

    def _look_for_room(
        self, m: Module, lane_1, at, grew, idle, waits, read_coming, read_newest
    ) -> None:
        """Room: between what leaves and what comes next, unless this waits.

        It is more than what comes needs: if the group after that has begun there, only what comes
        frees it again.
        """
        bits = len(at)
        next_at = delay(m, read_coming(Cat(~grew, lane_1))[0], 1, name="next_at")
        at_2, grew_2 = delay(m, at, 1, name="at"), delay(m, grew, 1, name="grew")
        between = Signal(bits, reset_less=True)
        m.d.sync += between.eq((next_at ^ grew_2.replicate(bits)) - (at_2 ^ grew_2.replicate(bits)))
        blocked = delay(m, ~idle & waits, 2, name="blocked")
        follows_it = delay(m, read_newest(self.turn)[0], 1, name="newest") != grew
        meets = delay(m, ~idle & follows_it, 2, name="meets")
        narrow = between < 2 * _SLACK + _BOTH
        rooms = Signal(self._lanes)
        m.d.sync += [
            rooms.eq(Cat(~(blocked | (meets & narrow)), rooms)),
            self.ready.eq(rooms.all()),
        ]
