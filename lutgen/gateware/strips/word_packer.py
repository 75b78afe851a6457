"""Word packer: groups of bits of many lanes into words, the first bit lowest."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.pipeline import choose, delay

__all__ = ["WordPacker"]

_WORD = 32
_PLACE_BITS = 5
#: Bits of a group that are looked at together.
_PART = 5


def _less_zeros(bits: Value) -> Value:
    """Zeros below the first one, as a negative number of five bits; 0 if there is no one.

    Written for LUTs of six inputs: what a part says of its own bits, and whether there is a one
    below it, are as deep as each other, and three parts are joined at once.
    """
    parts = [bits[low : low + _PART] for low in range(0, len(bits), _PART)]
    said = []
    for number, part in enumerate(parts):
        here = Const(0, _PLACE_BITS)
        for k in reversed(range(len(part))):
            here = Mux(part[k], Const(-(number * _PART + k) % _WORD, _PLACE_BITS), here)
        below = Cat(before.any() for before in parts[:number]).any()
        said.append(here & ~below.replicate(_PLACE_BITS))
    return reduce(or_, (reduce(or_, said[k : k + 3]) for k in range(0, len(said), 3)))


class WordPacker(wiring.Component):
    """Packs the bits that lanes emit into words of 32, per lane.

    One group of bits per clock, from lanes in rotation; words leave :attr:`latency` clocks later.
    No reset: ``first`` empties a lane.

    Parameters
    ----------
    lanes:
        Lanes, at least 3.
    most:
        Bits of a group at most, below 32.
    strip:
        Leave out zeros before a lane's first one; otherwise a lane begins with ``pad`` zeros.
    grain:
        All numbers of bits are multiples of it: 1, 2, 4 or 8.

    Members
    -------
    lane : In(...)
        Lane of this clock.
    first : In(1)
        Forget what the lane held before.
    close : In(1)
        No bits: complete the word with zeros.
    pad : In(3)
        See ``strip``.
    bits : In(most)
        Group of bits; those above ``count`` are zero.
    count : In(...)
        Their number.
    word : Out(32)
        Word.
    valid : Out(1)
        A word is complete, or it is the close and there are bits left.
    left : Out(5)
        With the close: bits of the word; 0 if none are left.
    """

    #: Clocks from a group to its word.
    latency = 4

    def __init__(self, lanes: int, most: int, *, strip: bool = False, grain: int = 1) -> None:
        if lanes < 3:
            raise ValueError(f"lanes must be at least 3, not {lanes!r}")
        if not 1 <= most < _WORD:
            raise ValueError(f"bits of a group must be 1 to {_WORD - 1}, not {most!r}")
        if grain not in (1, 2, 4, 8):
            raise ValueError(f"grain must be 1, 2, 4 or 8, not {grain!r}")
        self._lanes, self._strip, self._grain = lanes, strip, grain
        super().__init__({
            "lane": In(bits_for(lanes - 1)), "first": In(1), "close": In(1), "pad": In(3),
            "bits": In(most), "count": In(bits_for(most)),
            "word": Out(_WORD), "valid": Out(1), "left": Out(_PLACE_BITS),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        unit = self._grain.bit_length() - 1  # lowest bits of all places are zero
        fill_bits = _PLACE_BITS - unit
        m.submodules.fills = fills = Memory(shape=fill_bits + 1, depth=self._lanes, init=[])
        m.submodules.held = helds = Memory(shape=_WORD, depth=self._lanes, init=[])
        fill_read, fill_write = fills.read_port(domain="comb"), fills.write_port()
        held_read, held_write = helds.read_port(domain="comb"), helds.write_port()
        # 1: zeros before the first one.
        lane_0, first_0, bits_0, close_0 = (
            delay(m, s, 1, name=f"{s.name}_a")
            for s in (self.lane, self.first, self.bits, self.close)
        )
        count_0 = delay(m, self.count[unit:], 1, name="count_a")
        # 2: where the bits go: behind those that the lane holds, if there was a one.  A first one
        # with z zeros below it is put z places lower, which is round the word's end: zeros become
        # the end of a word that does not count.
        m.d.comb += fill_read.addr.eq(lane_0)
        held_bits, held_one = fill_read.data[:fill_bits], fill_read.data[fill_bits]
        if self._strip:
            old = held_one & ~first_0
            one = old | delay(m, self.bits.any(), 1, name="any_a")
            below = delay(m, _less_zeros(self.bits), 1, name="zeros_a")
            place_0, count_0 = Mux(old, held_bits, below), Mux(one, count_0, 0)
        else:
            old = one = Const(1, 1)
            place_0 = Mux(first_0, delay(m, self.pad[unit:], 1, name="pad_a"), held_bits)
        place, count_1, counts, some, lane_1, first_1, bits_1, close_1 = (
            delay(m, s, 1, name=f"at_{k}") for k, s in enumerate((
                place_0, count_0, old, one, lane_0, first_0, bits_0, close_0,
            ))
        )  # fmt: skip
        fill_1 = place
        total = Signal(fill_bits + 1)
        m.d.comb += [
            total.eq(place + count_1),
            fill_write.addr.eq(lane_1), fill_write.data.eq(Cat(total[:fill_bits], some)),
            fill_write.en.eq(1),
        ]  # fmt: skip
        # 3: turned by the lower bits of their place.
        place_2 = Signal(_PLACE_BITS, reset_less=True)
        wraps_2, valid_2 = Signal(reset_less=True), Signal(reset_less=True)
        turned_2 = Signal(_WORD, reset_less=True)
        below_2 = Signal(_WORD, reset_less=True)  # places below the group's
        wide = Cat(bits_1, *([0] * (_WORD - len(bits_1))))[:_WORD]
        full_place = place if not unit else Cat(*([0] * unit), place)
        half = 1 << _PLACE_BITS - 1
        m.d.sync += [
            place_2.eq(full_place), wraps_2.eq(total[fill_bits]),
            valid_2.eq((total[fill_bits] & counts) | (close_1 & fill_1.any())),
            turned_2.eq(choose([wide.rotate_left(k << unit) for k in range(half >> unit)],
                               full_place[unit : _PLACE_BITS - 1])),
            below_2.eq(Cat(full_place > k for k in range(_WORD))),
        ]  # fmt: skip
        lane_2, first_2, fill_2 = (
            delay(m, s, 1, name=f"{n}_b")
            for s, n in ((lane_1, "lane"), (first_1, "first"), (fill_1, "fill"))
        )
        # 4: in their place.
        turned = Mux(place_2[-1], turned_2.rotate_left(half), turned_2)
        # What is held counts below the group's place alone, so any bits may stand above: a word
        # that goes on behind a full one holds all of the group.  A group that is a lane's first
        # one has only zeros to begin with below it; if they are left out, it goes round the end.
        held = held_read.data
        if not self._strip and unit < len(self.pad):
            held = Mux(first_2, 0, held)
        merged = Cat(
            Mux(below_2[k], held[k], turned[k]) for k in range(_WORD)
        )
        m.d.comb += [
            held_read.addr.eq(lane_2), held_write.addr.eq(lane_2), held_write.en.eq(1),
            held_write.data.eq(Mux(wraps_2, turned, merged)),
        ]  # fmt: skip
        m.d.sync += [self.word.eq(merged), self.valid.eq(valid_2)]
        m.d.comb += self.left.eq(Cat(*([0] * unit), delay(m, fill_2, 1, name="left")))
        return m
