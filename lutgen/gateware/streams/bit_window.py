"""Bit window: a stream of words as one string of bits, taken a few at a time."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..fabric.pipeline import choose, delay
from .axi import word_layout

__all__ = ["MOST_TAKEN", "BitWindow"]

#: The most bits that are taken at once.
MOST_TAKEN = 16
#: Bits of the number of a word: as many as LUT memories hold for the price of less.
_INDEX_BITS = 5
_DEPTH = 1 << _INDEX_BITS
#: Words below which the next one is asked for: three more come, and one is being read.
_ROOM = _DEPTH - 8


class BitWindow(wiring.Component):
    """Bits of a packet of words, in the order of its bytes, each most significant bit first.

    Bits are reserved first, so that a pipeline that cannot wait finds them at its end: a taker
    reserves 16, and takes 0 to 16 later on, in the order of the reservations.  Behind the end of
    the packet there are zeros without end; whether just its bits were taken is told afterwards.
    16 bits per clock, if the words come as fast; what is taken leaves four clocks after its number
    is known.  Reset, the only way to the next packet, empties it.

    Parameters
    ----------
    count:
        Bytes of a word: 2, 4 or 8.

    Members
    -------
    words : In(stream of `.axi.word_layout`)
        The packet; after its last word nothing is taken until reset.  Words before it are full,
        otherwise the packet is not exact.
    discard : In(1)
        Take the rest of the packet, whether there is room or not, for nobody will.
    reserve : In(1)
        Reserve 16 bits, ...
    enough : Out(1)
        ... if there are so many.
    taken : In(1)
        The oldest reservation is taken, ...
    count : In(5)
        ... of which these bits are needed: 0..16, and 0 in other clocks.
    bits : Out(16)
        They, the last one lowest, and above them those that were taken before.
    lead : Out(4)
        Length of the packet's first byte down to its leading one: 1..8, or 9 if it is zero.
    begun, ended : Out(1)
        The packet's first word is here; its last one was taken.
    exact : Out(1)
        Bits were taken as many as the packet has.  Four clocks after the last was.
    """

    #: Clocks from ``count`` to ``bits``.
    latency = 4

    def __init__(self, count: int) -> None:
        if count not in (2, 4, 8):
            raise ValueError(f"words must be of 2, 4 or 8 bytes, not {count!r}")
        self._count = count
        super().__init__({
            "words": In(stream.Signature(word_layout(count))),
            "discard": In(1),
            "reserve": In(1),
            "enough": Out(1),
            "taken": In(1),
            "count": In(5),
            "bits": Out(MOST_TAKEN),
            "lead": Out(4, init=1),
            "begun": Out(1),
            "ended": Out(1),
            "exact": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        width = 8 * self._count
        place_bits = (width - 1).bit_length()
        position = Signal(_INDEX_BITS + place_bits)
        index = position[place_bits:]
        put_1 = Signal()
        m.d.sync += position.eq(position + self.count)
        self._take_words(m, width, index, put_1)
        self._count_bits(m, width, put_1)

        # The words around the position, and out of them the bits that end there.
        before = Signal(_INDEX_BITS)
        m.d.comb += before.eq(index - 1)
        both = Cat(
            delay(m, self._read(m, address), 1, name=f"word{k}")
            for k, address in enumerate((index, before))
        )
        place = delay(m, position[:place_bits], 1, name="place")
        # By whole bytes first.
        coarse = choose([both[width - 8 * k - 7 : width - 8 * k + 16] for k in range(self._count)],
                        place[3:])  # fmt: skip
        coarse = delay(m, coarse, 1, name="coarse")
        fine = choose(
            [coarse[7 - k : 23 - k] for k in range(8)], delay(m, place[:3], 1, name="fine")
        )
        m.d.sync += self.bits.eq(fine)
        return m

    def _take_words(self, m: Module, width: int, index, put_1: Signal) -> None:
        """Words into the memory, and zeros behind the last."""
        packet = self.words.payload
        room = Signal()
        take = Signal()
        m.d.comb += [
            self.words.ready.eq(~self.ended & (room | self.discard)),
            take.eq(self.words.valid & self.words.ready),
        ]
        # Bytes in the order of the string; none where there is no word.
        here = packet.keep & (~self.ended).replicate(self._count)
        word_1 = Signal(width, reset_less=True)
        m.d.sync += [
            word_1.eq(Cat(
                packet.data.word_select(k, 8) & here[k].replicate(8)
                for k in reversed(range(self._count))
            )),
            put_1.eq((take & ~self.discard) | (self.ended & room)),
            self.ended.eq(self.ended | (take & packet.last)),
        ]  # fmt: skip
        self._memory = Memory(shape=width, depth=_DEPTH, init=[])
        m.submodules.memory = self._memory
        write = self._memory.write_port()
        end = Signal(_INDEX_BITS)
        held = Signal(_INDEX_BITS)
        m.d.comb += [
            write.addr.eq(end), write.data.eq(word_1), write.en.eq(put_1), held.eq(end - index),
        ]  # fmt: skip
        m.d.sync += [end.eq(end + put_1), room.eq(held < _ROOM)]
        # Where the string begins.
        first = word_1[-8:]
        lead = Const(9, 4)
        for bit in range(8):
            lead = Mux(first[bit], 8 - bit, lead)
        with m.If(put_1 & ~self.begun):
            m.d.sync += [self.lead.eq(lead), self.begun.eq(1)]

    def _read(self, m: Module, address):
        read = self._memory.read_port(domain="comb")
        m.d.comb += read.addr.eq(address)
        return read.data

    def _count_bits(self, m: Module, width: int, put_1: Signal) -> None:
        """What may be reserved, and what is left of the packet."""
        packet = self.words.payload
        # What a reservation leaves over comes back, late enough for words to be in the memory.
        back_1 = Signal(5)
        put_2 = Signal()
        total = Signal(range(width + MOST_TAKEN + 1))
        more = Signal.like(total)
        more_less = Signal(signed(len(more) + 1))  # a reservation less
        gain = Signal.like(more_less)
        # Two reservations may not be counted yet when one more is asked for.
        spare = Signal(signed((_DEPTH * width).bit_length() + 1), init=-3 * MOST_TAKEN)
        m.d.comb += [total.eq(back_1 + Mux(put_2, width, 0)), self.enough.eq(~spare[-1])]
        m.d.sync += [
            back_1.eq(Mux(self.taken, MOST_TAKEN, 0) - self.count),
            put_2.eq(put_1),
            more.eq(total),
            more_less.eq(total - MOST_TAKEN),
            gain.eq(Mux(self.reserve, more_less, more)),
            spare.eq(spare + gain),
        ]
        # The packet's own bits: never fewer than were taken, but behind its end.
        took = self.words.valid & self.words.ready
        bits_1 = Signal(range(width + 1))
        delta = Signal(signed(len(bits_1) + 1))
        left = Signal(signed(len(spare)))
        wrong = Signal()
        m.d.sync += [
            bits_1.eq(8 * Mux(took, sum(packet.keep[k] for k in range(self._count)), 0)),
            delta.eq(bits_1 - self.count),
            left.eq(left + delta),
        ]
        gap = took & ~packet.last & ~packet.keep.all()
        thrown = took & self.discard & packet.keep.any()
        with m.If(left[-1] | gap | thrown):
            m.d.sync += wrong.eq(1)
        m.d.sync += self.exact.eq(~wrong & (left == 0))
