"""CRC-32 of a stream of words and bytes, one a clock."""

from functools import reduce
from operator import xor

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["PairCrc32"]

_BITS = 32
#: x^32 + x^26 + ... + 1 of zlib, Ethernet and PNG, lowest power in the highest bit.
_POLYNOMIAL = 0xEDB88320


def _after_a_word(state: int) -> int:
    """State after 32 zero bits: linear in the state."""
    for _ in range(_BITS):
        state = (state >> 1) ^ (_POLYNOMIAL if state & 1 else 0)
    return state


def _folded(word: list[Value]) -> Value:
    """`_after_a_word` as equations: bit by bit the XOR of the bits that reach it."""
    columns = [_after_a_word(1 << i) for i in range(_BITS)]
    return Cat(
        reduce(xor, (word[i] for i in range(_BITS) if columns[i] >> bit & 1))
        for bit in range(_BITS)
    )


class PairCrc32(wiring.Component):
    """CRC-32 as zlib has it, of what comes as words of four bytes and as single bytes.

    One word or byte per clock; ``value`` follows two clocks later.  From a state c a word d, low
    byte first, leads to ``f(c ^ d)``, and a byte to ``f((c ^ d) << 24) ^ (c >> 8)``, where f is
    linear: both share its equations.  No reset: ``load`` comes first.

    Members
    -------
    load : In(1)
        Start from ``seed``; with neither word nor byte.
    seed : In(32)
        CRC of what came before, 0 if that is nothing.  Stable in the clock after ``load``.
    word, byte : In(1)
        The four bytes of ``data``, or the lowest one, follow.
    data : In(32)
        The bytes, the first one lowest.
    value : Out(32)
        CRC of all since ``load``, and what was before it.
    """

    #: Clocks from a byte to the value.
    latency = 2

    word: In(1)
    byte: In(1)
    load: In(1)
    seed: In(_BITS)
    data: In(_BITS)
    value: Out(_BITS)

    def elaborate(self, platform) -> Module:
        m = Module()
        word_1, byte_1, load_1 = Signal(), Signal(), Signal()
        data_1 = Signal(_BITS, reset_less=True)
        state = Signal(_BITS, reset_less=True)
        m.d.sync += [
            word_1.eq(self.word),
            byte_1.eq(self.byte),
            load_1.eq(self.load),
            data_1[:24].eq(self.data[:24]),
            data_1[24:].eq(Mux(self.word, self.data[24:], self.data[:8])),
        ]
        # What f is applied to: a byte stands in the highest place.
        low = [word_1 & (state[i] ^ data_1[i]) for i in range(24)]
        high = [
            (word_1 & (state[i] ^ data_1[i])) | (byte_1 & (state[i - 24] ^ data_1[i]))
            for i in range(24, _BITS)
        ]
        rest = Mux(byte_1, Cat(state[8:], Const(0, 8)), Mux(word_1, 0, state))
        m.d.sync += state.eq(Mux(load_1, ~self.seed, _folded(low + high) ^ rest))
        m.d.comb += self.value.eq(~state)
        return m
