"""Payload rings: bits of groups in both forms, kept until the shorter one has been read."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose, delay
from .word_packer import WordPacker

__all__ = ["PayloadRings", "payload_layout", "ring_words"]

_WORD_BYTES = 4
#: Words that a lane may still write when it is held: it writes at most one in a turn, and is held
#: four turns after the one that filled its ring.
_SLACK = 8
#: Samples that a byte of a payload stands for at most, as a shift.
_SAMPLES_SHIFT = 11


def _most_words(symbols: int, depth: int) -> int:
    """Words of a group's folded residuals in plain bits."""
    return -(-symbols * depth // (8 * _WORD_BYTES))


def ring_words(symbols: int, depth: int) -> int:
    """Words of a lane's ring: a power of two, those of the longest payload and a margin."""
    return 1 << (_most_words(symbols, depth) + 2 * _SLACK - 1).bit_length()


def payload_layout(symbols: int, depth: int) -> StructLayout:
    """What is known of a payload: its bytes, zero bytes behind them, and whether it is plain."""
    return StructLayout({
        "bytes": bits_for(_WORD_BYTES * _most_words(symbols, depth) + 8),
        "zeros": bits_for(symbols >> _SAMPLES_SHIFT),
        "plain": 1,
    })  # fmt: skip


class PayloadRings(wiring.Component):
    """Writes the payloads of lanes from their ends, and shows each when it is complete.

    A lane's payload is written backwards and read forwards.  So, as the symbols' stacks, a ring of
    memory has room for little more than one: groups that grow upwards and downwards take turns,
    each from the other end of the ring into what has been read of the one before.  Beside it, in a
    ring of its own, the payload is written in plain bits, and the shorter one counts.

    One group of bits per clock, from lanes in rotation.  Reset forgets all payloads.

    Parameters
    ----------
    lanes:
        Lanes, at least 8.
    symbols, depth:
        Symbols of a group at most, and bits of a folded residual.
    most:
        Bits of a symbol at most.
    varies:
        Whether plain bits are fewer than ``depth`` in some files.
    late:
        Clocks from a lane's ``turn`` to its bits.

    Members
    -------
    lane, first, close, side : In(...)
        Lane of this clock; whether its group begins or is over, and the ring's end at which it
        begins.
    bits, count : In(...)
        Bits to put before those that are there.
    plain, plain_count : In(...)
        The same in plain bits: a folded residual.
    pad : In(3)
        With ``first``: zeros behind the plain bits.
    some : In(1)
        A symbol is not zero.
    count_high : In(...)
        With ``close``: symbols of the group, in units of 2,048.
    turn : In(...)
        A lane ...
    go : Out(2)
        ... may be given symbols of groups of either side, a clock later.
    wanted, wanted_side : In(...)
        A group ...
    done, payload : Out(...)
        ... is complete, a clock later; what is known of it.
    reads : In(1)
        It is being read, from its last word downwards: ``index`` and all below are wanted.
    forget : In(1)
        It has been read.
    index, half : In(...)
        Number of one of its words, from its end, and whether its lower half is wanted, ...
    pair : Out(16)
        ... which comes three clocks later.
    """

    #: Clocks from an index to what it reads.
    read_latency = 3

    def __init__(
        self, lanes: int, symbols: int, depth: int, *, most: int, varies: bool = False,
        late: int = 0,
    ) -> None:  # fmt: skip
        self._lanes, self._depth, self._late = lanes, depth, late
        self._words, self._most = ring_words(symbols, depth), _most_words(symbols, depth)
        self._layout = payload_layout(symbols, depth)
        self._packer = WordPacker(lanes, most, strip=True)
        grain = 1 if varies else (depth & -depth if depth < 8 else min(8, depth & -depth))
        self._plain = WordPacker(lanes, depth, grain=grain)
        lane_bits, index_bits = bits_for(lanes - 1), bits_for(self._words - 1)
        super().__init__({
            "lane": In(lane_bits), "first": In(1), "close": In(1), "side": In(1),
            "bits": In(most), "count": In(bits_for(most)),
            "plain": In(depth), "plain_count": In(bits_for(depth)), "pad": In(3), "some": In(1),
            "count_high": In(bits_for(symbols >> _SAMPLES_SHIFT)),
            "turn": In(lane_bits), "go": Out(2),
            "wanted": In(lane_bits), "wanted_side": In(1), "done": Out(1),
            "payload": Out(self._layout), "reads": In(1), "forget": In(1),
            "index": In(index_bits), "half": In(1), "pair": Out(16),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.packer, m.submodules.plain_packer = self._packer, self._plain
        for packer, group, number in (
            (self._packer, self.bits, self.count), (self._plain, self.plain, self.plain_count),
        ):  # fmt: skip
            m.d.comb += [
                packer.lane.eq(self.lane), packer.first.eq(self.first),
                packer.close.eq(self.close), packer.bits.eq(group), packer.count.eq(number),
                packer.pad.eq(self.pad),
            ]  # fmt: skip

        # In step with the words.
        at = WordPacker.latency
        ahead = delay(m, self.lane, at - 1, name="lane_ahead")
        lane, first, side, some, high = (
            delay(m, s, at, name=s.name)
            for s in (self.lane, self.first, self.side, self.some, self.count_high)
        )
        close = delay(m, self.close, at, name="close", reset=True)
        numbers, anything = self._number_words(m, ahead, lane, first, some, close)
        payloads = self._describe(m, numbers, anything, lane, side, high, close)
        pairs = self._complete(m, payloads)
        self._look_for_room(m, payloads, pairs, numbers, lane)
        self._store(m, numbers, lane, side, platform)
        return m

    def _number_words(self, m: Module, ahead, lane, first, some, close) -> tuple[list, Value]:
        """Numbers of the lane's next words, which stop at the most that may be needed.

        Returns each with whether the word is to be written, and whether any symbol was not zero.
        """
        bits = (self._words - 1).bit_length()
        m.submodules.indices = indices = Memory(shape=2 * bits + 1, depth=self._lanes, init=[])
        read, write = indices.read_port(domain="comb"), indices.write_port()
        m.d.comb += read.addr.eq(ahead)
        # Two rounds after reset all numbers are 0: a lane whose number were beyond its room would
        # not be let on to its first word.  Lanes are in rotation when what was on its way is gone.
        rounds = 2 * self._lanes + self._late + WordPacker.latency + 1
        clears, cleared = Signal(range(rounds + 1), init=rounds), Signal(init=1)
        m.d.sync += [clears.eq(clears - clears.any()), cleared.eq(clears.any())]
        numbers, any_before, afters = [], Signal(reset_less=True), []
        for k, packer in enumerate((self._packer, self._plain)):
            number = Signal(bits, name=f"number{k}", reset_less=True)
            m.d.sync += number.eq(read.data[k * bits : (k + 1) * bits])
            here = Mux(first, 0, number)
            fits = packer.valid & ~(here == self._most)
            numbers.append((here, fits))
            afters.append(Mux(close | cleared, 0, here + fits)[:bits])
        m.d.sync += any_before.eq(read.data[2 * bits])
        anything = some | (any_before & ~first)
        m.d.comb += [
            write.en.eq(1), write.addr.eq(lane), write.data.eq(Cat(*afters, anything)),
        ]  # fmt: skip
        return numbers, anything

    def _describe(self, m: Module, numbers, anything, lane, side, high, close) -> Memory:
        """What is known of each complete payload; registers are a clock and two behind."""
        layout = self._layout
        size_bits = layout["bytes"].width
        (coded, _), (plain, _) = numbers
        size, plain_size = Signal(size_bits, reset_less=True), Signal(size_bits, reset_less=True)
        nothing = delay(m, ~anything, 1, name="nothing")
        m.d.sync += [
            size.eq(Cat(Const(0, 2), coded) + ((self._packer.left + 7) >> 3)),
            plain_size.eq(Cat(self._plain.left[3:], plain)),
        ]
        high_1 = delay(m, high, 1, name="high")
        shown = Signal(layout, reset_less=True)
        longer = ~nothing & (size >= plain_size)
        lacks = nothing | ((size < high_1) & ~longer)
        m.d.sync += [
            shown.plain.eq(longer),
            shown.bytes.eq(Mux(longer, plain_size, Mux(nothing, 0, size))),
            shown.zeros.eq(Mux(lacks, high_1 - Mux(nothing, 0, size), 0)),
        ]
        m.submodules.payloads = payloads = Memory(
            shape=layout.size, depth=2 << len(self.lane), init=[]
        )
        keep = payloads.write_port()
        lane_2, side_2 = delay(m, lane, 2, name="kept_lane"), delay(m, side, 2, name="kept_side")
        m.d.comb += [
            keep.addr.eq(Cat(side_2, lane_2)), keep.data.eq(shown),
            keep.en.eq(delay(m, close, 2, name="kept", reset=True)),
        ]  # fmt: skip
        return payloads

    def _complete(self, m: Module, payloads: Memory) -> list[Value]:
        """Which payloads are complete: two bits of each lane; the one that is wanted is shown."""
        (keep,) = payloads.write_ports
        done = Signal(2 << len(self.lane))
        for k in range(len(done)):
            with m.If(keep.en & (keep.addr == k)):
                m.d.sync += done[k].eq(1)
            with m.Elif(self.forget & (Cat(self.wanted_side, self.wanted) == k)):
                m.d.sync += done[k].eq(0)
        wanted = Cat(self.wanted_side, self.wanted)
        show = payloads.read_port(domain="comb")
        m.d.comb += [show.addr.eq(wanted), self.payload.as_value().eq(
            delay(m, show.data, 1, name="shown"))]  # fmt: skip
        m.d.sync += self.done.eq(choose(list(done), wanted))
        return [done[2 * k : 2 * k + 2] for k in range(1 << len(self.lane))]

    def _look_for_room(self, m: Module, payloads: Memory, pairs, numbers, lane) -> None:
        """Whether a lane's rings have room beside what is not read of its other group."""
        at, words = WordPacker.latency, self._words
        bits = (words - 1).bit_length()
        early = delay(m, self.lane, at - 2, name="lane_early")
        side_early = delay(m, self.side, at - 2, name="side_early")
        other = payloads.read_port(domain="comb")
        m.d.comb += other.addr.eq(Cat(~side_early, early))
        pair = choose(pairs, early)
        there = delay(m, Mux(side_early, pair[0], pair[1]), 1, name="there")
        reads = delay(
            m, self.reads & (early == self.wanted) & (side_early != self.wanted_side), 1,
            name="reads",
        )  # fmt: skip
        unread = Signal(bits, reset_less=True)
        length = delay(m, other.data[2 : self._layout["bytes"].width], 1, name="length")
        m.d.sync += unread.eq(Mux(there, Mux(reads, self.index, length) + 1, 0))
        limit = Signal(bits, reset_less=True)
        m.d.sync += limit.eq(words - _SLACK - unread)
        over = [delay(m, here, 1, name=f"here{k}") > limit for k, (here, _) in enumerate(numbers)]
        m.submodules.full = full = Memory(shape=1, depth=self._lanes, init=[])
        note, ask = full.write_port(), full.read_port(domain="comb")
        m.d.comb += [
            note.en.eq(1), note.addr.eq(delay(m, lane, 2, name="full_lane")),
            note.data.eq(delay(m, Cat(over).any(), 1, name="over")), ask.addr.eq(self.turn),
        ]  # fmt: skip
        m.d.sync += self.go.eq(~choose(pairs, self.turn) & ~ask.data.replicate(2))

    def _store(self, m: Module, numbers, lane, side, platform) -> None:
        """The rings themselves, and the half of a word that is wanted."""
        bits = (self._words - 1).bit_length()
        first_word = delay(
            m, Cat(self.index ^ self.wanted_side.replicate(bits), self.wanted), 1, name="from"
        )
        found = []
        for name, packer, (number, fits) in zip(
            ("coded", "plain"), (self._packer, self._plain), numbers, strict=True
        ):
            found.append(add_ram(
                m, f"{name}_ring", self._words << len(lane), 8 * _WORD_BYTES,
                write=delay(m, fits, 1, name=f"{name}_fits", reset=True),
                write_address=delay(
                    m, Cat(number ^ side.replicate(bits), lane), 1, name=f"{name}_place"
                ),
                data=delay(m, packer.word, 1, name=f"{name}_word"), address=first_word,
                fabric=platform,
            ))  # fmt: skip
        lower = delay(m, self.half, self.read_latency, name="half")
        m.d.comb += self.pair.eq(choose(
            [word[k : k + 16] for word in found for k in (16, 0)], Cat(lower, self.payload.plain)
        ))
