"""Symbol stacks: groups of rows come in their order, side by side, and leave backwards."""

from itertools import accumulate

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.block_pool import BlockPool
from ..fabric.blockmem import add_ram, ram_cost
from ..fabric.fabric import LUT6
from ..fabric.pipeline import choose, delay
from ..streams.lut_fifo import LutFifo, step

__all__ = ["SymbolStacks", "stack_blocks"]

#: Symbols of a block.
_WORDS = tuple(1 << k for k in range(4, 10))
#: Symbols of a lane in a period, and periods until a group's last row has ended, behind its first.
_ROWS, _LAG = 4, 24
#: Clocks between two groups that begin to leave: what is known of the one is known by then.
_APART = 16
#: Blocks kept back beside those of the lanes, as takes are known some clocks later.
_SPARE = 4
#: Lowest bit of the number of symbols in units of 2,048.
_HIGH = 11


def stack_blocks(lanes: int, seats: int, symbols: int, of_block: int) -> int:
    """Blocks for the symbols of groups that begin evenly, so that lanes never wait.

    When a group becomes complete, those of the lanes have come to one part of as many as there are
    lanes, two parts, and so on up to all of it; those that leave have the same shares of the seats
    left, but for all of it.  To that come what the last rows are behind, a block of each group that
    is not full, and those that are kept back.
    """
    held = (lanes + seats) * symbols // 2 + _LAG * _ROWS * lanes
    return -(-held // of_block) + lanes + 1 + seats + _kept_back(lanes)


def _kept_back(lanes: int) -> int:
    """Blocks that may be taken by symbols under way: of a lane's two groups one each."""
    return 2 * lanes + _SPARE


class SymbolStacks(wiring.Component):
    """Keeps the symbols of groups until each is complete and has left, last symbol first.

    Groups come side by side, one in each lane, and leave in the order in which they have begun,
    through *seats*, which have turns: as few groups leave at once as the coder behind allows, so
    that each is gone soon.  Symbols stand in blocks of memory, which a group takes as it grows and
    gives back as it leaves: those that come and those that leave share what is half of a group for
    each lane and each seat (`stack_blocks`).

    Groups begin in their order, one lane after the other.  In a lane one may begin when up to 16
    symbols of the one before it are still to come, if 16 of its own come between these at most.
    Groups must begin as evenly as a walk's do: those that are not complete have room by themselves
    then, and those that are complete leave whatever happens; so lanes that are held go on again.

    One symbol in and one out per clock, of one lane never in less than ``lanes`` clocks.  A group
    leaves in the seat behind that of the group before it, a symbol in each turn of the seat in
    which ``go`` allows it; in the next turn follows the *flush*, and then the *close*.  Reset
    forgets all symbols.

    Parameters
    ----------
    lanes:
        Lanes, at least 8.
    symbols:
        Symbols of a group at most.
    symbol_bits, note_bits:
        Bits of a symbol, and of what is noted of a group, which may be none.
    seats:
        Groups that leave at once: 3 or more.

    Members
    -------
    valid, lane, side, symbol, first, last : In(...)
        A symbol, and whether it is the first or last one of its group.  A lane's groups have sides
        in turn.
    note : In(note_bits)
        With ``first`` and ``last``: comes back with all of the group.
    ready : Out(1)
        There is room for the symbols of four periods of each lane's four turns, and for a group
        that begins.
    turn : Out(...)
        Seat of this clock.
    go : In(2)
        A clock after ``turn``: whether it may give symbols of a group of side 0 and 1.
    o_seat, o_code, o_flush, o_close : Out(...)
        :attr:`latency` clocks after ``turn``: the seat, and whether a symbol leaves, or one of the
        other two.
    o_side : Out(1)
        Side of the group in its seat, whose groups have sides in turn, from 0 on.
    o_first : Out(1)
        The symbol is the first to leave, the last one of its group.
    o_symbol : Out(symbol_bits)
        The symbol.
    o_note, o_low, o_high : Out(...)
        Of the group, from its first symbol to the close: what was noted, and its number of symbols,
        modulo 8 and in units of 2,048.
    """

    #: Clocks from ``turn`` to the symbol.
    latency = 7

    def __init__(
        self, lanes: int, symbols: int, *, symbol_bits: int, note_bits: int = 0, seats: int = 3
    ) -> None:
        if lanes < 8:
            raise ValueError(f"lanes must be at least 8, not {lanes!r}")
        if seats < 3:
            raise ValueError(f"seats must be at least 3, not {seats!r}")
        if symbols < 1:
            raise ValueError(f"symbols of a group must be at least 1, not {symbols!r}")
        self._lanes, self._seats = lanes, seats
        self._notes = [note_bits] if note_bits else []
        lane_bits, seat_bits = bits_for(lanes - 1), bits_for(seats - 1)
        self._index_bits, self._count_bits = bits_for(symbols - 1), bits_for(symbols)
        self._high_bits = max(1, self._count_bits - _HIGH)

        def planned(words: int):
            count = stack_blocks(lanes, seats, symbols, words)
            number, whole = bits_for(count - 1), -(-symbols // words)
            table = 2 << lane_bits + bits_for(whole - 1)
            return (
                ram_cost(count * words, symbol_bits, LUT6) + ram_cost(table, number, LUT6)
                + ram_cost(1 << number, number, LUT6), -words, count, whole,
            )  # fmt: skip

        #: Halves of block memories of `LUT6`; blocks in all, and of a group at most.
        self.cost, words, self._blocks, self._whole = min(map(planned, _WORDS))
        self._low = (-words - 1).bit_length()
        super().__init__({
            "valid": In(1), "lane": In(lane_bits), "side": In(1), "symbol": In(symbol_bits),
            "first": In(1), "last": In(1), "ready": Out(1),
            "turn": Out(seat_bits), "go": In(2),
            "o_seat": Out(seat_bits), "o_code": Out(1), "o_flush": Out(1), "o_close": Out(1),
            "o_side": Out(1), "o_first": Out(1), "o_symbol": Out(symbol_bits),
            "o_low": Out(3), "o_high": Out(self._high_bits),
            **({"note": In(note_bits), "o_note": Out(note_bits)} if note_bits else {}),
        })  # fmt: skip

    def _block_number(self, index) -> Value:
        """Number in its group of the block of a symbol; one bit where there is only one."""
        bits = bits_for(self._whole - 1)
        return Cat(index[self._low :], Const(0, bits))[:bits]

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.pool = pool = BlockPool(self._blocks)
        m.d.comb += pool.least.eq(_kept_back(self._lanes))
        places = 2 << len(self.lane)
        # Symbols of each group that have come, and what is noted of it.
        m.submodules.counts = counts = Memory(shape=self._count_bits, depth=places, init=[])
        notes = [Memory(shape=bits, depth=places, init=[]) for bits in self._notes]
        for memory in notes:
            m.submodules.notes = memory
        stored, begun, complete = self._come(m, pool, counts, notes)
        gone, over, place, index = self._leave(m, counts, notes, complete)
        table = add_ram(
            m, "blocks", places << bits_for(self._whole - 1), len(pool.number), **begun,
            address=Cat(self._block_number(index), place), fabric=platform,
        )  # fmt: skip
        m.d.comb += [
            pool.give.eq(over), pool.given.eq(table),
            # In a register, as several memories may stand before it.
            self.o_symbol.eq(delay(m, add_ram(
                m, "symbols", self._blocks << self._low, len(self.symbol), **stored,
                address=Cat(delay(m, index[: self._low], 2, name="index"), table),
                fabric=platform,
            ), 1, name="found")),
        ]  # fmt: skip
        # Groups from the oldest one that has not left: those of a lane have two places.
        inside = Signal(range(2 * self._lanes + 1))
        m.d.sync += [
            inside.eq(step(inside, self.valid & self.first, gone)),
            self.ready.eq(~pool.low & (inside <= 2 * self._lanes - 2)),
        ]
        return m

    def _come(self, m: Module, pool: BlockPool, counts: Memory, notes: list):
        """Symbols to their blocks.

        Returns what stores one, what says where a block is that begins, and the flags of groups
        that are complete.
        """
        # 1: number of the symbol in its group.
        read, write = counts.read_port(domain="comb"), counts.write_port()
        place = Cat(self.side, self.lane)
        m.d.comb += read.addr.eq(place)
        valid, last = (
            delay(m, s, 1, name=f"come_{s.name}", reset=True) for s in (self.valid, self.last)
        )
        first, place, follows, symbol = (
            delay(m, s, 1, name=f"come_{n}")
            for s, n in ((self.first, "first"), (place, "place"), (read.data, "follows"),
                         (self.symbol, "symbol"))
        )  # fmt: skip
        index = Mux(first, 0, follows)[: self._index_bits]
        begins = valid & ~index[: self._low].any()
        m.d.comb += [
            write.en.eq(valid), write.addr.eq(place), write.data.eq(index + 1),
            pool.take.eq(begins),
        ]  # fmt: skip
        for memory in notes:
            note = memory.write_port()
            m.d.comb += [
                note.en.eq(valid & last), note.addr.eq(place),
                note.data.eq(delay(m, self.note, 1, name="note")),
            ]  # fmt: skip
        # 4: the block that begins with it.
        late = pool.latency
        valid, last, began = (
            delay(m, s, late, name=n, reset=True)
            for s, n in ((valid, "valid"), (valid & last, "last"), (begins, "began"))
        )
        place, index, symbol = (
            delay(m, s, late, name=n)
            for s, n in ((place, "place"), (index, "number"), (symbol, "symbol"))
        )
        m.submodules.latest = latest = Memory(
            shape=len(pool.number), depth=2 << len(self.lane), init=[]
        )
        note, known = latest.write_port(), latest.read_port(domain="comb")
        m.d.comb += [
            note.en.eq(began), note.addr.eq(place), note.data.eq(pool.number),
            known.addr.eq(place),
        ]  # fmt: skip
        complete = Signal(2 << len(self.lane))
        place_5, last_5 = delay(m, place, 1, name="at"), delay(m, last, 1, name="ends", reset=True)
        for k in range(len(complete)):
            with m.If(last_5 & (place_5 == k)):
                m.d.sync += complete[k].eq(1)
        return (
            {
                "write": delay(m, valid, 1, name="stores", reset=True),
                "write_address": delay(
                    m, Cat(index[: self._low], Mux(began, pool.number, known.data)), 1,
                    name="address",
                ),
                "data": delay(m, symbol, 1, name="stored"),
            },
            {
                "write": began, "write_address": Cat(self._block_number(index), place),
                "data": pool.number,
            },
            complete,
        )  # fmt: skip

    def _leave(self, m: Module, counts: Memory, notes: list, complete):
        """Seats take turns, in each of which a symbol leaves, or what follows the last one.

        Returns when the oldest group is gone; when a block is free, in step with what is found of
        the place and the number of its symbol; and these two.
        """
        head, may, there, loads = self._next(m, counts, notes, complete)
        # 1: all that there is of the seat.
        turn, seat, cleared = self._turns(m)
        widths = [self._count_bits, 1 + len(self.lane), 2, 1, 1, 3 + self._high_bits, *self._notes]
        m.submodules.leaving = leaving = Memory(shape=sum(widths), depth=self._seats, init=[])
        read, write = leaving.read_port(domain="comb"), leaving.write_port()
        m.d.comb += [read.addr.eq(turn), write.en.eq(1), write.addr.eq(seat)]
        ends = list(accumulate(widths))
        fields = [read.data[e - w : e] for w, e in zip(widths, ends, strict=True)]
        following = Signal(range(self._seats))
        # Known before, as no other turn changes the seat: it is its turn to take a group; only the
        # group's first symbol is left.
        mine = delay(m, (fields[2] == 0) & (turn == following), 1, name="mine")
        final = delay(m, fields[0] == 1, 1, name="final")
        left, place, phase, begins, side, count, *note = (
            delay(m, s, 1, name=f"now_{k}") for k, s in enumerate(fields)
        )
        codes, flushes, closes = (phase == k for k in range(1, 4))
        m.d.comb += loads.eq(mine & may & ~cleared)
        with m.If(loads):
            m.d.sync += following.eq(Mux(following == self._seats - 1, 0, following + 1))
        steps = codes & Mux(side, self.go[1], self.go[0])
        size, *noted = there
        at = (left - 1)[: self._index_bits]  # number of the symbol that leaves
        after = Mux(
            loads, 1, Mux(steps & final, 2, Mux(flushes, 3, Mux(closes | cleared, 0, phase)))
        )
        high = Cat(size[_HIGH:], Const(0, self._high_bits))[: self._high_bits]
        m.d.comb += write.data.eq(Cat(
            Mux(loads, size, Mux(steps, left - 1, left))[: self._count_bits],
            Mux(loads, head, place),
            Mux(cleared, 0, after)[:2], loads | (begins & ~steps),
            Mux(cleared, 1, side ^ loads),
            Mux(loads, Cat(Cat(size, Const(0, 2))[:3], high), count),
            *(Mux(loads, new, old) for new, old in zip(noted, note, strict=True)),
        ))  # fmt: skip
        # 2: where the symbol is; 4: in which block, which is free with its first symbol; 7: it.
        late = self.latency - 1
        for name, value in (("o_code", steps), ("o_flush", flushes), ("o_close", closes)):
            m.d.comb += getattr(self, name).eq(
                delay(m, value & ~cleared, late, name=name, reset=True)
            )
        for name, value in (
            ("o_seat", seat), ("o_side", side), ("o_first", begins), ("o_low", count[:3]),
            ("o_high", count[3:]), *(("o_note", value) for value in note),
        ):  # fmt: skip
            m.d.comb += getattr(self, name).eq(delay(m, value, late, name=name))
        over = steps & ~cleared & (left[: self._low] == 1)
        return (
            self._go_in_order(m, seat, closes & ~cleared),
            delay(m, over, 3, name="over", reset=True),
            delay(m, place, 1, name="from_place"), delay(m, at, 1, name="from"),
        )  # fmt: skip

    def _go_in_order(self, m: Module, seat, closes) -> Value:
        """When the oldest group is gone: those behind it may be over before it is."""
        gone, oldest, frees = Signal(self._seats), Signal(range(self._seats)), Signal()
        m.d.comb += frees.eq(choose(list(gone), oldest))
        for k in range(self._seats):
            with m.If(closes & (seat == k)):
                m.d.sync += gone[k].eq(1)
            with m.Elif(frees & (oldest == k)):
                m.d.sync += gone[k].eq(0)
        with m.If(frees):
            m.d.sync += oldest.eq(Mux(oldest == self._seats - 1, 0, oldest + 1))
        return frees

    def _next(self, m: Module, counts: Memory, notes: list, complete):
        """The group that leaves next: its place, whether it may, and what is known of it, in
        registers; and what shall say that it has been taken.
        """
        loads = Signal()
        m.submodules.order = order = LutFifo(1 + len(self.lane), 2 * self._lanes)
        m.d.comb += [
            order.i.valid.eq(self.valid & self.first),
            order.i.payload.eq(Cat(self.side, self.lane)), order.o.ready.eq(loads),
        ]
        front = order.o.payload
        rest = Signal(range(_APART), init=_APART - 1)
        may = Signal()
        m.d.sync += [
            rest.eq(Mux(loads, _APART - 1, rest - rest.any())),
            may.eq(order.o.valid & choose(list(complete), front) & ~rest.any() & ~loads),
        ]
        there: list[Value] = []
        for memory in (counts, *notes):
            read = memory.read_port(domain="comb")
            m.d.comb += read.addr.eq(front)
            there.append(delay(m, read.data, 1, name=f"there{len(there)}"))
        head = delay(m, front, 1, name="head")
        for k in range(len(complete)):
            with m.If(loads & (head == k)):
                m.d.sync += complete[k].eq(0)
        return head, may, there, loads

    def _turns(self, m: Module) -> tuple[Value, Value, Value]:
        """Seat of this clock and of the one before, and whether that one forgets what was."""
        # The first round forgets, also behind a reset of one clock.
        turn, clears, cleared = self.turn, Signal(init=1), Signal(init=1)
        m.d.sync += [turn.eq(Mux(turn == self._seats - 1, 0, turn + 1)), cleared.eq(clears)]
        with m.If(turn == self._seats - 1):
            m.d.sync += clears.eq(0)
        return turn, delay(m, turn, 1, name="turn"), cleared
