"""Byte front: a file's bytes one by one, or a word of them at a time."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..streams.axi import word_layout

__all__ = ["ByteFront"]


class ByteFront(wiring.Component):
    """Shows the next bytes of a stream; its reader takes one, or a whole word.

    A word is of two bytes, of one if a beat is.  One byte or word per clock, no clock
    lost between beats; latency of one clock.  A byte whose TKEEP is 0 is left out, which takes a
    clock, and no word has one.  A beat without bytes that carries TLAST shows a byte of any value
    with ``last``: a packet without bytes is no file, and `NullBeats` leaves no other.

    Reset empties it.

    Parameters
    ----------
    count:
        Bytes of a beat: 1, 2, 4 or 8.

    Attributes
    ----------
    unit:
        Bytes of a word.

    Members
    -------
    i : In(stream of `word_layout`)
        The file.
    data : Out(8 * unit)
        The next bytes, the first one lowest.
    valid : Out(1)
        The first of them is there ...
    last : Out(1)
        ... and is the packet's last.
    whole : Out(1)
        All of them are there ...
    whole_last : Out(1)
        ... and the last of them is the packet's.
    phase : Out(1)
        Place of the first byte in its word.
    take : In(1)
        Take a byte, if there is one.
    take_whole : In(1)
        Take the word; only with ``whole``, and not with ``take``.
    """

    def __init__(self, count: int) -> None:
        if count not in (1, 2, 4, 8):
            raise ValueError(f"bytes of a beat must be 1, 2, 4 or 8, not {count!r}")
        self._count = count
        self.unit = min(count, 2)
        super().__init__({
            "i": In(stream.Signature(word_layout(count))),
            "data": Out(8 * self.unit),
            "valid": Out(1),
            "last": Out(1),
            "whole": Out(1),
            "whole_last": Out(1),
            "phase": Out(1),
            "take": In(1),
            "take_whole": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        unit, more = self.unit, self._count > self.unit
        data = Signal(8 * self._count, reset_less=True)
        keep = Signal(self._count)
        last, busy = Signal(), Signal()
        whole = Signal()  # a word begins here and has all its bytes
        final = ~keep[1:].any() if self._count > 1 else 1
        final_word = ~keep[unit:].any() if more else 1
        shows = keep[0] | (last & final)
        m.d.comb += [
            self.data.eq(data),
            self.valid.eq(busy & shows),
            self.last.eq(last & final),
            self.whole.eq(whole),
            self.whole_last.eq(last & final_word),
        ]
        step = busy & (self.take | ~shows)
        m.d.comb += self.i.ready.eq(~busy | (step & final) | (self.take_whole & final_word))
        with m.If(step):
            m.d.sync += [
                data.eq(data >> 8), keep.eq(keep >> 1),
                self.phase.eq(~self.phase & (unit > 1)),
                whole.eq(keep[1 : 1 + unit].all() & (self.phase == unit - 1) if more else 0),
            ]  # fmt: skip
        if more:
            with m.If(self.take_whole):
                m.d.sync += [
                    data.eq(data >> 8 * unit), keep.eq(keep >> unit), whole.eq(keep[unit:].all()),
                ]  # fmt: skip
        with m.If(self.i.ready):
            beat = self.i.payload
            m.d.sync += [
                data.eq(beat.data), keep.eq(beat.keep), last.eq(beat.last), busy.eq(self.i.valid),
                self.phase.eq(0), whole.eq(self.i.valid & beat.keep[:unit].all()),
            ]  # fmt: skip
        return m
