"""Payload store: the bytes of payloads to words of the ring."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .payload_ring import WORD_BITS

__all__ = ["PayloadStore"]

_BYTES = WORD_BITS // 8
#: Words that are kept free: what is written until the room is seen, and the zeros.
_MARGIN = 8


class PayloadStore(wiring.Component):
    """Puts bytes, or words of the stream, one behind the other.

    A payload lies from a word of the ring on, from the byte on that it begins at in its word of the
    stream; so its words go there as they are.  Behind it are zeros up to the word's end and two
    words more.  One byte or word per clock; it is written a clock later.  Reset empties the ring.

    Parameters
    ----------
    count:
        Bytes of a word of the stream: 1 or 2.
    address_bits:
        Bits of a word's address in the ring.

    Members
    -------
    data : In(8 * count)
        Bytes, the first one lowest.
    step, leap : In(1)
        Take the first byte; take the word, if its place is ``aligned``.  Not both.
    open : In(1)
        A payload begins ...
    phase : In(1)
        ... at this byte of its word of the stream.
    undo : In(1)
        What has come since ``open`` is no payload.
    close : In(1)
        It is whole; the next ``open`` at least four clocks later.
    aligned : Out(1)
        A word may come.
    room : Out(1)
        Four more words may come from the moment it falls.
    begin : Out(address_bits)
        Word in which the next payload will begin; not until four clocks after ``close``.
    end : Out(address_bits)
        First word of zeros behind the last payload, three clocks after ``close``.
    free_to : In(address_bits)
        Word behind the payloads that have been used.
    write, address, word : Out(...)
        Word for the ring, its first byte in the top.
    """

    #: Words that a payload of as many words takes more, and that always stay free.
    extra_words, margin = 3, _MARGIN

    def __init__(self, count: int, address_bits: int) -> None:
        self._count = count
        super().__init__({
            "data": In(8 * count), "step": In(1), "leap": In(1), "open": In(1), "phase": In(1),
            "undo": In(1), "close": In(1), "aligned": Out(1), "room": Out(1),
            "begin": Out(address_bits), "end": Out(address_bits), "free_to": In(address_bits),
            "write": Out(1), "address": Out(address_bits), "word": Out(WORD_BITS),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        count = self._count
        place = Signal(2)
        at = Signal.like(self.address)
        begin = Signal.like(self.address, reset_less=True)
        used = Signal.like(self.address)
        m.d.sync += [
            used.eq(at - self.free_to), self.room.eq(used < (1 << len(used)) - _MARGIN),
        ]  # fmt: skip
        m.d.comb += self.begin.eq(at)
        closing = Signal(3)
        m.d.sync += closing.eq(Cat(self.close, closing))
        blank = closing[1] | closing[2]

        takes = self.step | self.leap
        held = [Signal(8, name=f"held{k}", reset_less=True) for k in range(_BYTES - 1)]
        lanes = []
        for k in range(_BYTES):
            here = (place == k) | (self.leap & (place == k - k % count))
            new = Mux(self.leap, self.data.word_select(k % count, 8), self.data[:8])
            before = held[k] if k < _BYTES - 1 else Const(0, 8)
            lanes.append(Mux(blank, 0, Mux(here, new, Mux(place > k, before, 0))))
        m.d.sync += [
            self.write.eq(takes | blank), self.address.eq(at), self.word.eq(Cat(reversed(lanes))),
        ]  # fmt: skip
        last = Mux(self.leap, place >= _BYTES - count, place == _BYTES - 1)
        with m.If(takes):
            m.d.sync += [h.eq(lane) for h, lane in zip(held, lanes, strict=False)]
            m.d.sync += place.eq(place + Mux(self.leap, count, 1))
        with m.If(self.step):
            m.d.sync += self.aligned.eq((place + 1) % count == 0)
        with m.If(closing[0] | self.undo):
            m.d.sync += place.eq(0)
        with m.If(closing[1]):
            m.d.sync += self.end.eq(at)
        with m.If(self.open):
            m.d.sync += [begin.eq(at), place.eq(self.phase), self.aligned.eq(self.phase == 0)]
        with m.If(self.undo):
            m.d.sync += at.eq(begin)
        with m.Elif((takes & last) | (closing[0] & place.any()) | blank):
            m.d.sync += at.eq(at + 1)
        return m
