"""AXI4-Stream at the boundary: registered slices, and bytes to and from words with TKEEP."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

__all__ = ["BYTE", "BytesToWords", "NullBeats", "SkidBuffer", "WordsToBytes", "word_layout"]


#: A byte on a stream; ``last`` is TLAST: the end of the file.
BYTE = StructLayout({"data": 8, "last": 1})


def word_layout(count: int) -> StructLayout:
    """A beat of ``count`` bytes: TDATA, TKEEP, TLAST."""
    return StructLayout({"data": 8 * count, "keep": count, "last": 1})


class SkidBuffer(wiring.Component):
    """Cuts every path through a stream: payload, valid and ready leave from registers.

    Latency of one clock, one beat per clock; holds two beats.  Reset empties it.

    Parameters
    ----------
    shape:
        Payload.
    """

    def __init__(self, shape) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform) -> Module:
        m = Module()
        held = Signal.like(self.i.payload, reset_less=True)
        free = Signal(init=1)  # nothing is held
        m.d.comb += self.i.ready.eq(free)
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += [
                self.o.payload.eq(Mux(free, self.i.payload, held)),
                self.o.valid.eq(~free | self.i.valid),
                free.eq(1),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += free.eq(0)
        with m.If(free):
            m.d.sync += held.eq(self.i.payload)
        return m


class NullBeats(wiring.Component):
    """Removes null beats, which have no bytes (TKEEP = 0) and which AXI4-Stream allows anywhere.

    One beat per clock.  A beat waits for the one behind it, unless it has TLAST itself: if what
    comes is a null beat with TLAST, the beat that waits takes that over.  A null beat with TLAST
    that has nothing before it is a packet without bytes, and stays.  Reset empties it.

    Parameters
    ----------
    count:
        Bytes of a beat.

    Members
    -------
    i, o : streams of :func:`word_layout`
    held : Out(1)
        A beat is inside.
    """

    def __init__(self, count: int) -> None:
        super().__init__({
            "i": In(stream.Signature(word_layout(count))),
            "o": Out(stream.Signature(word_layout(count))),
            "held": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        beat = Signal(self.i.payload.shape(), reset_less=True)
        inside = Signal()
        null = ~self.i.payload.keep.any()
        inner = inside & ~beat.last  # what comes belongs to the same packet
        joins = inner & null  # ... and has nothing but perhaps its end
        dropped = null & ~self.i.payload.last
        m.d.comb += [
            self.held.eq(inside),
            self.o.payload.eq(beat),
            self.o.payload.last.eq(beat.last | joins),
            self.o.valid.eq(inside & (beat.last | (self.i.valid & ~dropped))),
            self.i.ready.eq(~inside | dropped | self.o.ready),
        ]
        moves = self.o.valid & self.o.ready
        with m.If(moves | ~inside):
            m.d.sync += [
                beat.eq(self.i.payload), inside.eq(self.i.valid & ~dropped & ~joins),
            ]  # fmt: skip
        return m


class WordsToBytes(wiring.Component):
    """Bytes of words, the low byte first; bytes whose TKEEP is 0 are left out.

    One byte per clock, no clock lost between full words; latency of one clock.  A word without
    any byte that carries TLAST becomes a zero byte with ``last``: a packet without bytes is no
    file, and :class:`NullBeats` leaves no other.

    Parameters
    ----------
    count:
        Bytes of a word.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__({
            "i": In(stream.Signature(word_layout(count))),
            "o": Out(stream.Signature(BYTE)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        data = Signal(8 * self._count, reset_less=True)
        keep = Signal(self._count)
        last = Signal()
        busy = Signal()  # something of the word is still to be sent
        final = ~keep[1:].any()
        emits = keep[0] | (last & final)
        step = busy & (self.o.ready | ~emits)
        m.d.comb += [
            self.o.valid.eq(busy & emits),
            self.o.payload.data.eq(Mux(keep[0], data[:8], 0)),
            self.o.payload.last.eq(last & final),
            self.i.ready.eq(~busy | (step & final)),
        ]
        with m.If(step):
            m.d.sync += [data.eq(data >> 8), keep.eq(keep >> 1), busy.eq(~final)]
        with m.If(self.i.ready):
            m.d.sync += [
                data.eq(self.i.payload.data),
                keep.eq(self.i.payload.keep),
                last.eq(self.i.payload.last),
                busy.eq(self.i.valid),
            ]
        return m


class BytesToWords(wiring.Component):
    """Words of bytes, the low byte first; the last word of a file has TKEEP for what it holds.

    One byte per clock; a word leaves one clock after its last byte.

    Parameters
    ----------
    count:
        Bytes of a word.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__({
            "i": In(stream.Signature(BYTE)),
            "o": Out(stream.Signature(word_layout(count))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        count = self._count
        held = Signal(8 * count, reset_less=True)  # bytes but the newest
        fill = Signal(range(max(2, count)))  # never of no bits, which Verilog lacks
        byte = self.i.payload
        completes = byte.last | (fill == count - 1)
        take = self.i.valid & self.i.ready
        m.d.comb += self.i.ready.eq(~completes | ~self.o.valid | self.o.ready)
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(take):
            with m.If(completes):
                m.d.sync += [self.o.valid.eq(1), fill.eq(0), self.o.payload.last.eq(byte.last)]
            with m.Else():
                m.d.sync += fill.eq(fill + 1)
        for k in range(count):
            here = fill == k
            with m.If(take & here):
                m.d.sync += held.word_select(k, 8).eq(byte.data)
            with m.If(take & completes):
                m.d.sync += [
                    self.o.payload.data.word_select(k, 8).eq(
                        Mux(here, byte.data, Mux(fill > k, held.word_select(k, 8), 0))
                    ),
                    self.o.payload.keep[k].eq(fill >= k),
                ]
        return m


