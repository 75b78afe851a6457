"""Payload forms: bits of groups in both forms, kept until the shorter one has been read."""

from fractions import Fraction

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.pipeline import choose, delay
from .payload_pool import PayloadPool
from .word_packer import WordPacker

__all__ = ["PayloadForms", "most_words", "payload_layout"]

_WORD_BYTES = 4
#: Bits of a coded payload to those of a plain one up to which lanes are not held.
_GROWTH = Fraction(5, 4)
#: Blocks that a lane takes before it is held: of its payload, and of the next one.
_EACH = 2
#: Samples that a byte of a payload stands for at most, as a shift.
_SAMPLES_SHIFT = 11


def most_words(symbols: int, depth: int) -> int:
    """Words of a group's folded residuals in plain bits."""
    return -(-symbols * depth // (8 * _WORD_BYTES))


def payload_layout(symbols: int, depth: int) -> StructLayout:
    """What is known of a payload: its bytes, zero bytes behind them, and whether it is plain."""
    return StructLayout({
        "bytes": bits_for(_WORD_BYTES * most_words(symbols, depth) + 8),
        "zeros": bits_for(symbols >> _SAMPLES_SHIFT),
        "plain": 1,
    })  # fmt: skip


class PayloadForms(wiring.Component):
    """Writes the payloads of lanes from their ends, and shows each when it is complete.

    A lane's payload is written backwards and read forwards.  Beside it, the payload is written in
    plain bits, and the shorter one counts.  Both forms are in pools of memory that lanes share:
    groups become complete and are read one after the other, so one of each lane are, as a mean,
    half complete.

    One group of bits per clock, from lanes in rotation.  Behind a payload that has been read are
    some clocks until the next one may be ``done``, in which its memory becomes free, block by
    block.  Reset forgets all payloads.

    Parameters
    ----------
    lanes:
        Lanes, at least 3: groups whose symbols come at once.
    symbols, depth:
        Symbols of a group at most, and bits of a folded residual.
    most:
        Bits of a symbol at most.
    varies:
        Whether plain bits are fewer than ``depth`` in some files.
    late:
        Clocks from a lane's ``turn`` to its bits.
    read:
        See `PayloadPool`.

    Members
    -------
    lane, first, close, side : In(...)
        Lane of this clock; whether its group begins or is over, and its side: a lane's groups have
        both in turn.
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
    forget : In(1)
        It has been read.
    index, half : In(...)
        Number of one of its words, from its end, and whether its lower half is wanted, ...
    pair : Out(16)
        ... which comes five clocks later.
    """

    #: Clocks from an index to what it reads.
    read_latency = PayloadPool.latency + 1

    def __init__(
        self, lanes: int, symbols: int, depth: int, *, most: int, varies: bool = False,
        late: int = 0, read: Fraction = Fraction(1),
    ) -> None:  # fmt: skip
        self._lanes, self._depth, self._late = lanes, depth, late
        self._most = words = most_words(symbols, depth)
        self._layout = payload_layout(symbols, depth)
        self._packer = WordPacker(lanes, most, strip=True)
        grain = 1 if varies else (depth & -depth if depth < 8 else min(8, depth & -depth))
        self._plain = WordPacker(lanes, depth, grain=grain)
        lane_bits, index_bits = bits_for(lanes - 1), bits_for(words)
        self._pools = [
            PayloadPool(lanes, words, 8 * _WORD_BYTES, read=read, growth=growth, each=_EACH)
            for growth in (_GROWTH, Fraction(1))
        ]
        super().__init__({
            "lane": In(lane_bits), "first": In(1), "close": In(1), "side": In(1),
            "bits": In(most), "count": In(bits_for(most)),
            "plain": In(depth), "plain_count": In(bits_for(depth)), "pad": In(3), "some": In(1),
            "count_high": In(bits_for(symbols >> _SAMPLES_SHIFT)),
            "turn": In(lane_bits), "go": Out(2),
            "wanted": In(lane_bits), "wanted_side": In(1), "done": Out(1),
            "payload": Out(self._layout), "forget": In(1),
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
        lane, side, some, high = (
            delay(m, s, at, name=s.name)
            for s in (self.lane, self.side, self.some, self.count_high)
        )
        first, close = (
            delay(m, s, at, name=s.name, reset=True) for s in (self.first, self.close)
        )
        numbers, anything = self._number_words(m, ahead, lane, first, some, close)
        payloads = self._describe(m, numbers, anything, lane, side, high, close)
        wanted, over = self._free(m)
        pairs = self._complete(m, payloads, wanted, over)
        low = self._store(m, numbers, lane, side, wanted, over)
        # A lane whose group is the one that is wanted is never held.
        this = [wanted == Cat(Const(side, 1), self.turn) for side in range(2)]
        m.d.sync += self.go.eq(~choose(pairs, self.turn) & (Cat(this) | (~low).replicate(2)))
        return m

    def _number_words(self, m: Module, ahead, lane, first, some, close) -> tuple[list, Value]:
        """Numbers of the lane's next words, which stop at the most that may be needed.

        Returns each with whether the word is to be written, and whether any symbol was not zero.
        """
        bits = bits_for(self._most)
        m.submodules.indices = indices = Memory(shape=2 * bits + 1, depth=self._lanes, init=[])
        read, write = indices.read_port(domain="comb"), indices.write_port()
        m.d.comb += read.addr.eq(ahead)
        # Two rounds after reset all numbers are 0, and what was on its way takes no block.  Lanes
        # are in rotation when that is gone.
        rounds = 2 * self._lanes + self._late + WordPacker.latency + 1
        clears, cleared = Signal(range(rounds + 1), init=rounds), Signal(init=1)
        m.d.sync += [clears.eq(clears - clears.any()), cleared.eq(clears.any())]
        numbers, any_before, afters = [], Signal(reset_less=True), []
        for k, packer in enumerate((self._packer, self._plain)):
            number = Signal(bits, name=f"number{k}", reset_less=True)
            m.d.sync += number.eq(read.data[k * bits : (k + 1) * bits])
            here = Mux(first, 0, number)
            fits = packer.valid & ~(here == self._most) & ~cleared
            numbers.append((here, fits))
            afters.append(Mux(close | cleared, 0, here + fits)[:bits])
        m.d.sync += any_before.eq(read.data[2 * bits])
        anything = some | (any_before & ~first)
        # From a register: the lane's next turn, three clocks later, reads what is written by then.
        m.d.comb += [
            write.en.eq(1), write.addr.eq(delay(m, lane, 1, name="lane_after")),
            write.data.eq(delay(m, Cat(*afters, anything), 1, name="after")),
        ]  # fmt: skip
        return numbers, anything

    def _describe(self, m: Module, numbers, anything, lane, side, high, close) -> Memory:
        """What is known of each complete payload; registers are a clock and two behind."""
        layout = self._layout
        size_bits = layout["bytes"].width
        (coded, _), (plain, _) = numbers
        # Compared in the next clock: the last register of a shift-register LUT would be too slow.
        size, plain_size = Signal(size_bits, reset_less=True), Signal(size_bits)
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

    def _free(self, m: Module) -> tuple[Value, Value]:
        """Free the blocks of a payload that has been read, one per clock.

        Returns the payload that is wanted, a clock later, or until then that one; and when it is
        over.
        """
        last = max(pool.whole for pool in self._pools) - 1
        wanted = Cat(self.wanted_side, self.wanted)
        self._frees, self._at = Signal(), Signal(bits_for(last))
        place, over = Signal(len(wanted), reset_less=True), Signal()
        at, at_last = Signal.like(self._at), Signal(init=int(last == 0))
        m.d.comb += [
            over.eq(self._frees & at_last),
            at.eq(Mux(over, 0, self._at + self._frees)),
        ]
        m.d.sync += [
            self._frees.eq((self._frees | self.forget) & ~over), self._at.eq(at),
            at_last.eq(at == last),
        ]
        with m.If(~(self._frees | self.forget)):
            m.d.sync += place.eq(wanted)
        return place, over

    def _complete(self, m: Module, payloads: Memory, freed, over) -> list[Value]:
        """Which payloads are complete: two bits of each lane; the one that is wanted is shown."""
        (keep,) = payloads.write_ports
        done = Signal(2 << len(self.lane))
        for k in range(len(done)):
            with m.If(keep.en & (keep.addr == k)):
                m.d.sync += done[k].eq(1)
            with m.Elif(over & (freed == k)):
                m.d.sync += done[k].eq(0)
        wanted = Cat(self.wanted_side, self.wanted)
        show = payloads.read_port(domain="comb")
        m.d.comb += [show.addr.eq(wanted), self.payload.as_value().eq(
            delay(m, show.data, 1, name="shown"))]  # fmt: skip
        m.d.sync += self.done.eq(
            choose(list(done), wanted) & ~(self.forget | self._frees)
        )
        return [done[2 * k : 2 * k + 2] for k in range(1 << len(self.lane))]

    def _store(self, m: Module, numbers, lane, side, wanted, over) -> Value:
        """Words to their pools, and the half of a word that is wanted; whether a pool is low."""
        found, low = [], []
        for name, pool, packer, (number, fits) in zip(
            ("coded", "plain"), self._pools, (self._packer, self._plain), numbers, strict=True
        ):
            m.submodules[f"{name}_pool"] = pool
            m.d.comb += [
                pool.write.eq(delay(m, fits, 1, name=f"{name}_fits", reset=True)),
                pool.lane.eq(delay(m, lane, 1, name=f"{name}_lane")),
                pool.side.eq(delay(m, side, 1, name=f"{name}_side")),
                pool.number.eq(delay(m, number, 1, name=f"{name}_number")),
                pool.word.eq(delay(m, packer.word, 1, name=f"{name}_word")),
                pool.wanted.eq(wanted), pool.index.eq(self.index),
                pool.frees.eq(self._frees & (self._at < pool.whole)), pool.at.eq(self._at),
                pool.forget.eq(over),
            ]  # fmt: skip
            found.append(pool.found)
            low.append(pool.low)
        lower = delay(m, self.half, PayloadPool.latency, name="half")
        m.d.sync += self.pair.eq(choose(
            [word[k : k + 16] for word in found for k in (16, 0)], Cat(lower, self.payload.plain)
        ))
        return Cat(low).any()
