"""Length reader: the lengths of a strip's payloads, each told as a change."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["LengthReader"]

#: Bytes of seven bits that a change has at most.
_BYTES = 5


class LengthReader(wiring.Component):
    """Adds up zigzag numbers in LEB128, and says whether a payload can be so long.

    One byte per clock; ``done`` at most seven clocks after the last one.  No reset: ``forget`` and
    ``begin`` set all.

    Parameters
    ----------
    least_bits, most_bits:
        Bits of the bounds.

    Members
    -------
    forget : In(1)
        A strip begins: the length before is 0.
    begin : In(1)
        A change is to come.
    byte, step : In(...)
        Byte of it that is taken.
    ends : Out(1)
        The byte at hand is its last, if it is taken.
    least, most : In(...)
        Bounds of the length, from ``begin`` on.
    done : Out(1)
        What follows is up to date.
    length : Out(most_bits)
        Length.
    impossible : Out(1)
        It is out of bounds, or its change ill-formed.
    nothing, plain : Out(1)
        It is 0; it is ``most``.
    """

    def __init__(self, least_bits: int, most_bits: int) -> None:
        super().__init__({
            "forget": In(1), "begin": In(1), "byte": In(8), "step": In(1), "ends": Out(1),
            "least": In(least_bits), "most": In(most_bits), "done": Out(1),
            "length": Out(most_bits), "impossible": Out(1), "nothing": Out(1), "plain": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        span = len(self.most)
        number = Signal(7 * _BYTES, reset_less=True)
        count = Signal(range(_BYTES + 1))  # sevens of it that have come
        length = Signal(span + 2, reset_less=True)  # negative ones are above all others
        taking = Signal()
        malformed = Signal(reset_less=True)
        change = number[1 : span + 2] ^ number[0].replicate(span + 1)
        full = count == _BYTES
        adds = taking & full
        added = Signal()
        m.d.comb += [
            self.ends.eq(~self.byte[7] | (count == _BYTES - 1)), self.length.eq(length),
        ]  # fmt: skip
        # Then zeros, until the first seven bits are lowest.
        with m.If(self.step | (taking & ~full)):
            m.d.sync += [
                number.eq(Cat(number[7:], self.byte[:7] & self.step.replicate(7))),
                count.eq(count + 1),
            ]
        with m.If(self.step):
            m.d.sync += [malformed.eq(self.byte[7]), taking.eq(self.ends)]
        with m.If(adds):
            m.d.sync += [length.eq(length + Cat(change, change[-1])), taking.eq(0)]
        m.d.sync += [
            added.eq(adds), self.done.eq(added),
            # The top bit of ``change`` is a sign: a change of more bits would come as another one.
            self.impossible.eq(
                malformed | number[span + 1 :].any() | (length < self.least) | (length > self.most)
            ),
            self.nothing.eq(length == 0), self.plain.eq(length == self.most),
        ]  # fmt: skip
        with m.If(self.begin):
            m.d.sync += [count.eq(0), taking.eq(0)]
        with m.If(self.forget):
            m.d.sync += length.eq(0)
        return m
