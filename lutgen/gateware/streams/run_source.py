"""Run source: words with TKEEP of any kind as runs of bytes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .axi import word_layout
from .run import run_layout

__all__ = ["RunSource"]


class RunSource(wiring.Component):
    """The bytes of words, the low byte first; bytes whose TKEEP is 0 are left out.

    One word per clock if its null bytes are its highest ones, otherwise one of its bytes per
    clock; latency of one clock.  A word without any byte that carries TLAST becomes a zero byte
    with ``last``, see :class:`.axi.WordsToBytes`.

    Parameters
    ----------
    count:
        Bytes of a word.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__({
            "i": In(stream.Signature(word_layout(count))),
            "o": Out(stream.Signature(run_layout(count))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        word = self.i.payload
        data = Signal(8 * self._count, reset_less=True)
        keep = Signal(self._count)
        last = Signal()
        busy = Signal()  # something of the word is still to be sent
        whole = Signal()  # ... at once
        top = Signal.like(self.o.payload.top)
        final = Signal()  # it is over with what is sent now
        emits = keep[0] | (last & final)
        step = busy & (self.o.ready | ~emits)
        m.d.comb += [
            self.o.valid.eq(busy & emits),
            self.o.payload.data.eq(data),
            self.o.payload.top.eq(Mux(whole, top, 0)),
            self.o.payload.last.eq(last & final),
            self.i.ready.eq(~busy | (step & final)),
        ]
        with m.If(~keep[0]):
            m.d.comb += self.o.payload.data[:8].eq(0)
        with m.If(step):
            m.d.sync += [data.eq(data >> 8), keep.eq(keep >> 1), busy.eq(~final)]
            m.d.sync += final.eq(~keep[2:].any())
        with m.If(self.i.ready):
            m.d.sync += [
                data.eq(word.data), keep.eq(word.keep), last.eq(word.last), busy.eq(self.i.valid),
                whole.eq(0), final.eq(~word.keep[1:].any()),
            ]  # fmt: skip
            for k in range(self._count):
                with m.If(word.keep == (2 << k) - 1):
                    m.d.sync += [whole.eq(1), top.eq(k), final.eq(1)]
        return m
