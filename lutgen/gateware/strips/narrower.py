"""Narrower: words in pieces."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.axi import word_layout

__all__ = ["Narrower"]


class Narrower(wiring.Component):
    """Words of a packet in pieces of ``count`` bytes, the low bytes first.

    Null bytes, which only a packet's last word has, at its top, make no pieces.  One piece per
    clock; latency of one clock, none if there is nothing to cut.  Reset empties it.

    Parameters
    ----------
    wide, count:
        Bytes of a word and of a piece, powers of two.
    """

    def __init__(self, wide: int, count: int) -> None:
        self._wide, self._count = wide, count
        super().__init__({
            "i": In(stream.Signature(word_layout(wide))),
            "o": Out(stream.Signature(word_layout(count))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        count = self._count
        if count == self._wide:
            wiring.connect(m, wiring.flipped(self.i), wiring.flipped(self.o))
            return m
        data = Signal(8 * self._wide, reset_less=True)
        keep, last = Signal(self._wide), Signal(reset_less=True)
        final = ~keep[count:].any()
        m.d.comb += [
            self.o.valid.eq(keep[0]),
            self.o.payload.data.eq(data), self.o.payload.keep.eq(keep),
            self.o.payload.last.eq(last & final),
            self.i.ready.eq(~keep[0] | (self.o.ready & final)),
        ]  # fmt: skip
        with m.If(self.i.ready):
            m.d.sync += [
                data.eq(self.i.payload.data), last.eq(self.i.payload.last),
                keep.eq(self.i.payload.keep & self.i.valid.replicate(self._wide)),
            ]  # fmt: skip
        with m.Elif(self.o.ready):
            m.d.sync += [data.eq(data >> 8 * count), keep.eq(keep >> count)]
        return m
