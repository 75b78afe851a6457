"""CRC-32 of bytes that come singly or in pairs."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..fabric.pipeline import delay
from .crc import CRC_START, shifted

__all__ = ["PairCrc32"]

_BITS, _PAIR = 32, 16


def _folded(pair: list[Value]) -> Value:
    """State behind a pair as equations: bit by bit the XOR of the bits that reach it."""
    columns = [shifted(1 << i, _PAIR) for i in range(_PAIR)]
    return Cat(
        reduce(xor, (pair[i] for i in range(_PAIR) if columns[i] >> bit & 1))
        for bit in range(_BITS)
    )


class PairCrc32(wiring.Component):
    """CRC-32 as zlib has it, of one or two bytes per clock.

    ``value`` follows two clocks later.  From a state c two bytes d, the first one lowest, lead to
    ``f(c ^ d) ^ (c >> 16)``, where f is linear and looks at 16 bits, and one byte to
    ``f((c ^ d) << 8) ^ (c >> 8)``: both share its equations.  No reset: ``restart`` comes first.

    Members
    -------
    restart : In(1)
        Forget all bytes; with none.
    pair, byte : In(1)
        The two bytes of ``data``, or the lower one, follow.
    data : In(16)
        The bytes, the first one lowest.
    value : Out(32)
        CRC of all since ``restart``.
    """

    #: Clocks from a byte to the value.
    latency = 2

    def __init__(self) -> None:
        super().__init__({
            "restart": In(1),
            "pair": In(1),
            "byte": In(1),
            "data": In(_PAIR),
            "value": Out(_BITS),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        pair, byte, restart = (
            delay(m, s, 1, name=f"{s.name}_a") for s in (self.pair, self.byte, self.restart)
        )
        data = Signal(_PAIR, reset_less=True)
        m.d.sync += data.eq(
            Cat(self.data[:8], Mux(self.pair, self.data[8:], self.data[:8]))
        )
        state = Signal(_BITS, reset_less=True)
        # What f is applied to: a single byte stands in the upper place.
        low = (state[:8] ^ data[:8]) & pair.replicate(8)
        high = Mux(pair, state[8:_PAIR], state[:8]) ^ data[8:]
        rest = Mux(pair, Cat(state[_PAIR:], Const(0, 16)), Cat(state[8:], Const(0, 8)))
        with m.If(restart):
            m.d.sync += state.eq(CRC_START)
        with m.Elif(pair | byte):
            m.d.sync += state.eq(_folded([*low, *high]) ^ rest)
        m.d.comb += self.value.eq(~state)
        return m
