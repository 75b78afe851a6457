"""Bit joiner: groups of bits into words, the first bit lowest."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..fabric.pipeline import delay

__all__ = ["BitJoiner"]

_MOST = 16


class BitJoiner(wiring.Component):
    """Words of a string of bits that comes in groups, one string after the other.

    One group per clock; a word leaves :attr:`latency` clocks after the group that completes it.
    Reset forgets what is inside.

    Parameters
    ----------
    count:
        Bytes of a word: 2, 4 or 8.

    Members
    -------
    bits : In(16)
        Group; bits above ``count`` are zero.
    count : In(5)
        Their number, 0..16.
    end : In(1)
        The string ends with the group, which is not empty and ends in the word that it begins in.
    word : Out(8 * count)
        A word; null bytes are zero.
    keep : Out(count)
        Its bytes: all but in a string's last word.
    last : Out(1)
        It is a string's last.
    valid : Out(1)
        There is one.
    """

    #: Clocks from a group to its word.
    latency = 3

    def __init__(self, count: int) -> None:
        if count not in (2, 4, 8):
            raise ValueError(f"words must be of 2, 4 or 8 bytes, not {count!r}")
        self._count = count
        super().__init__({
            "bits": In(_MOST),
            "count": In(5),
            "end": In(1),
            "word": Out(8 * count),
            "keep": Out(count),
            "last": Out(1),
            "valid": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        width = 8 * self._count
        place_bits = (width - 1).bit_length()
        # 1: where the group begins and ends.
        fill = Signal(place_bits)
        total = Signal(place_bits + 1)
        total_1 = Signal(place_bits + 1)
        end_1 = Signal()
        m.d.comb += total.eq(fill + self.count)
        m.d.sync += [
            total_1.eq(total), fill.eq(Mux(self.end, 0, total[:place_bits])), end_1.eq(self.end),
        ]  # fmt: skip
        place_1 = delay(m, fill, 1, name="place")
        bits_1 = delay(m, self.bits, 1, name="bits", reset=True)
        # 2: the group in its place.
        placed_2 = Signal(width + _MOST - 1)
        full_2, end_2 = Signal(), Signal()
        keep_2 = Signal(self._count, reset_less=True)
        m.d.sync += [
            placed_2.eq(bits_1 << place_1),
            full_2.eq(total_1[-1]),
            end_2.eq(end_1),
            keep_2.eq(Cat(~end_1 | (total_1 > 8 * k) for k in range(self._count))),
        ]
        # 3: the word.
        held = Signal(width)
        merged = Signal(len(placed_2))
        m.d.comb += merged.eq(placed_2 | held)
        m.d.sync += [
            held.eq(Mux(end_2, 0, Mux(full_2, merged[width:], merged[:width]))),
            self.word.eq(merged),
            self.keep.eq(keep_2),
            self.last.eq(end_2),
            self.valid.eq(full_2 | end_2),
        ]
        return m
