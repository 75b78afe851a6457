"""CRC-32 of bytes that come singly or in pairs."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Crc32"]

_BITS, _PAIR = 32, 16
#: x^32 + x^26 + ... + 1 of zlib, Ethernet and PNG, lowest power in the highest bit.
_POLYNOMIAL = 0xEDB88320


def _after_a_pair(state: int) -> int:
    """State after 16 zero bits: linear in the state."""
    for _ in range(_PAIR):
        state = (state >> 1) ^ (_POLYNOMIAL if state & 1 else 0)
    return state


def _folded(pair: list[Value]) -> Value:
    """`_after_a_pair` as equations: bit by bit the XOR of the bits that reach it."""
    columns = [_after_a_pair(1 << i) for i in range(_PAIR)]
    return Cat(
        reduce(xor, (pair[i] for i in range(_PAIR) if columns[i] >> bit & 1))
        for bit in range(_BITS)
    )


class Crc32(wiring.Component):
    """CRC-32 as zlib has it, of one or two bytes per clock.

    ``value`` follows two clocks later.  From a state c two bytes d, the first one lowest, lead to
    ``f(c ^ d) ^ (c >> 16)``, where f is linear and looks at 16 bits, and one byte to
    ``f((c ^ d) << 8) ^ (c >> 8)``: both share its equations.  No reset: ``load`` comes first.

    Members
    -------
    load : In(1)
        Start from ``seed``; with no byte.
    seed : In(32)
        CRC of what came before, 0 if that is nothing.  Stable in the clock after ``load``.
    pair, byte : In(1)
        The two bytes of ``data``, or the lower one, follow.
    data : In(16)
        The bytes, the first one lowest.
    value : Out(32)
        CRC of all since ``load``, and what was before it.
    """

    #: Clocks from a byte to the value.
    latency = 2

    pair: In(1)
    byte: In(1)
    load: In(1)
    seed: In(_BITS)
    data: In(_PAIR)
    value: Out(_BITS)

    def elaborate(self, platform) -> Module:
        m = Module()
        pair_1, byte_1, load_1 = Signal(), Signal(), Signal()
        data_1 = Signal(_PAIR, reset_less=True)
        state = Signal(_BITS, reset_less=True)
        m.d.sync += [
            pair_1.eq(self.pair),
            byte_1.eq(self.byte),
            load_1.eq(self.load),
            data_1[:8].eq(self.data[:8]),
            data_1[8:].eq(Mux(self.pair, self.data[8:], self.data[:8])),
        ]
        # What f is applied to: a byte stands in the highest place.
        low = [pair_1 & (state[i] ^ data_1[i]) for i in range(8)]
        high = [
            (pair_1 & (state[i] ^ data_1[i])) | (byte_1 & (state[i - 8] ^ data_1[i]))
            for i in range(8, _PAIR)
        ]
        shifted = Mux(pair_1, Cat(state[16:], Const(0, 16)), state)
        rest = Mux(byte_1, Cat(state[8:], Const(0, 8)), shifted)
        m.d.sync += state.eq(Mux(load_1, ~self.seed, _folded(low + high) ^ rest))
        m.d.comb += self.value.eq(~state)
        return m
