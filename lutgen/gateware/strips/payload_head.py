"""Payload head: the state that a payload begins with."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.rans import STATE_BITS

__all__ = ["PayloadHead"]

#: Bytes that hold the first state, its leading one and the zeros before it.
_BYTES = 3


class PayloadHead(wiring.Component):
    """Looks at a payload's first three bytes as they pass, and shifts the state out of them.

    One byte per clock; ``done`` at most fourteen clocks after ``close``.  No reset: ``open`` sets
    all.

    Parameters
    ----------
    address_bits:
        Bits of a word's address in the ring.

    Members
    -------
    open : In(1)
        A payload begins ...
    begin, phase : In(...)
        ... in this word and byte of the ring.
    byte, step : In(...)
        Byte that is taken; others than the first three may pass unseen.
    wants : Out(1)
        One of the first three is to come.
    close : In(1)
        All have come; those that are missing are zero.
    plain : In(1)
        The payload has no state; from ``open`` on.
    done : Out(1)
        What follows is up to date.
    state : Out(16)
        State without its leading one.
    position : Out(address_bits + 5)
        Bit address behind it; of a plain payload, of its first bit.
    nothing : Out(1)
        The first byte is zero, so there is no state.
    """

    def __init__(self, address_bits: int) -> None:
        super().__init__({
            "open": In(1), "begin": In(address_bits), "phase": In(1), "byte": In(8),
            "step": In(1), "wants": Out(1), "close": In(1), "plain": In(1), "done": Out(1),
            "state": Out(STATE_BITS), "position": Out(address_bits + 5), "nothing": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = Signal(8 * _BYTES, reset_less=True)
        position = Signal.like(self.position, reset_less=True)
        count = Signal(range(_BYTES + 1))
        closed, leads, behind = Signal(), Signal(), Signal()
        wants = count != _BYTES
        comes = wants & (self.step | closed)
        m.d.comb += [
            self.wants.eq(wants), self.state.eq(bits[8:]), self.position.eq(position),
        ]  # fmt: skip
        with m.If(comes):
            m.d.sync += [bits.eq(Cat(Mux(closed, 0, self.byte), bits)), count.eq(count + 1)]
            with m.If(count == 0):
                m.d.sync += self.nothing.eq(self.byte == 0)
        # Zeros and the leading one go bit by bit; then the position moves on by the state's bits.
        m.d.sync += [behind.eq(leads & bits[-1]), self.done.eq(
            (behind | (closed & ~wants & (self.plain | self.nothing)))
            | (self.done & ~self.open)
        )]  # fmt: skip
        with m.If(leads):
            m.d.sync += bits.eq(bits << 1)
        m.d.sync += position.eq(
            position + Mux(behind, 1 << 4, leads)
        )
        with m.If(leads & bits[-1]):
            m.d.sync += leads.eq(0)
        with m.If(closed & ~wants):
            m.d.sync += [closed.eq(0), leads.eq(~self.plain & ~self.nothing)]
        with m.If(self.close):
            m.d.sync += closed.eq(1)
        with m.If(self.open):
            m.d.sync += [
                position.eq(Cat(Const(0, 3), self.phase, Const(0, 1), self.begin)),
                count.eq(0), closed.eq(0), leads.eq(0), behind.eq(0),
            ]  # fmt: skip
        return m
