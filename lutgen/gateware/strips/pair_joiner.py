"""Pair joiner: one or two bytes at a time become words without a gap."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from ..streams.axi import word_layout

__all__ = ["PAIR", "PairJoiner"]

#: One or two bytes, the first one lowest, and whether the packet ends with them.
PAIR = StructLayout({"data": 16, "two": 1, "last": 1})


class PairJoiner(wiring.Component):
    """Full words of bytes that come singly or in pairs, the low byte first.

    One pair per clock, and one clock more at the end of a packet of an odd number of bytes.  A word
    leaves two clocks after the pair that completes it.  Only the last word of a packet has null
    bytes, which are zero.  Reset empties it.

    Parameters
    ----------
    count:
        Bytes of a word: 2, 4 or 8.

    Members
    -------
    i : In(stream of PAIR)
        The bytes; the last ones of a packet are two.
    o : Out(stream of `.axi.word_layout`)
        The words.
    busy : Out(1)
        A word is inside, or all of it but one byte.
    """

    def __init__(self, count: int) -> None:
        if count not in (2, 4, 8):
            raise ValueError(f"bytes of a word must be 2, 4 or 8, not {count!r}")
        self._pairs = count // 2
        super().__init__({
            "i": In(stream.Signature(PAIR)), "o": Out(stream.Signature(word_layout(count))),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        run, word = self.i.payload, self.o.payload
        low, high = run.data[:8], run.data[8:]
        # Pairs that begin at even bytes, and the odd byte that waits for the next one.
        odd, held = Signal(), Signal(8, reset_less=True)
        pair, two, last = Signal(16, reset_less=True), Signal(), Signal()
        valid, rest = Signal(), Signal()  # rest: the odd byte ends the packet
        free = ~valid | ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(free & ~rest)
        with m.If(free):
            m.d.sync += [valid.eq(rest), rest.eq(0)]
            with m.If(rest):
                m.d.sync += [pair.eq(held), two.eq(0), last.eq(1)]
            with m.Elif(self.i.valid):
                m.d.sync += [
                    valid.eq(odd | run.two), two.eq(1), last.eq(run.last & ~odd),
                    pair.eq(Mux(odd, Cat(held, low), Cat(low, high))),
                    held.eq(Mux(run.two, high, low)),
                    odd.eq((odd ^ ~run.two) & ~run.last), rest.eq(run.last & odd),
                ]  # fmt: skip
        # Words of pairs.
        at = Signal(range(max(2, self._pairs)))
        moves = valid & (~self.o.valid | self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(moves):
            ends = last | (at == self._pairs - 1)
            m.d.sync += [self.o.valid.eq(ends), word.last.eq(last), at.eq(Mux(ends, 0, at + 1))]
        for k in range(self._pairs):
            with m.If(moves & (at == k)):
                m.d.sync += [
                    word.data.word_select(k, 16).eq(pair), word.keep.word_select(k, 2).eq(
                        Cat(Const(1, 1), two)),
                ]  # fmt: skip
            if k:
                with m.If(moves & (at == 0)):
                    m.d.sync += [
                        word.data.word_select(k, 16).eq(0), word.keep.word_select(k, 2).eq(0),
                    ]  # fmt: skip
        m.d.comb += self.busy.eq(valid | rest | self.o.valid)
        return m
