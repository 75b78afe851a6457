"""Whole numbers as literals of a graph: arithmetic that cannot overflow.

Each number knows its range, and has as many bits as that needs in two's complement.  So a sum is
the same number however it is bracketed, and what a graph computes is what the expression says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from lutgen.sim.proof.aig import FALSE, TRUE, Aig

__all__ = ["Integer", "Integers"]


class Integer:
    """A number of a graph.

    Members
    -------
    bits : literals, the lowest first; the last one is the sign
    low, high : its range
    """

    def __init__(self, bits: Sequence[int], low: int, high: int) -> None:
        self.low, self.high = low, high
        width = 1 + max((n if n >= 0 else -1 - n).bit_length() for n in (low, high))
        self.bits = [self._bit(bits, k) for k in range(width)]

    @staticmethod
    def _bit(bits: Sequence[int], k: int) -> int:
        return bits[min(k, len(bits) - 1)]

    def bit(self, k: int) -> int:
        """Literal of a bit; those above the sign are like it."""
        return self._bit(self.bits, k)


class Integers:
    """Arithmetic in a graph."""

    def __init__(self, aig: Aig) -> None:
        self.aig = aig

    def constant(self, value: int) -> Integer:
        """A constant."""
        return Integer([value >> k & 1 for k in range(value.bit_length() + 1)], value, value)

    def unsigned(self, bits: Sequence[int], high: int | None = None) -> Integer:
        """An unsigned number, which is known to be at most ``high``."""
        return Integer([*bits, FALSE], 0, (1 << len(bits)) - 1 if high is None else high)

    def signed(self, bits: Sequence[int], most: int | None = None) -> Integer:
        """A number in two's complement, whose size is known to be at most ``most``."""
        half = 1 << len(bits) - 1
        return Integer(bits, *((-half, half - 1) if most is None else (-most, most)))

    def _added(self, a: Integer, b: Integer, flip: int, low: int, high: int) -> Integer:
        g, carry, bits = self.aig, flip, []
        for k in range(max(len(a.bits), len(b.bits)) + 1):
            x, y = a.bit(k), b.bit(k) ^ flip
            one = g.xor(x, y)
            bits.append(g.xor(one, carry))
            carry = g.lor(g.land(x, y), g.land(one, carry))
        return Integer(bits, low, high)

    def add(self, a: Integer, b: Integer) -> Integer:
        """a + b."""
        return self._added(a, b, FALSE, a.low + b.low, a.high + b.high)

    def subtract(self, a: Integer, b: Integer) -> Integer:
        """a - b."""
        return self._added(a, b, TRUE, a.low - b.high, a.high - b.low)

    def sum(self, numbers: Iterable[Integer]) -> Integer:
        """Their sum, from the first to the last."""
        return reduce(self.add, numbers)

    def left(self, a: Integer, places: int) -> Integer:
        """a * 2 ** places."""
        return Integer([FALSE] * places + a.bits, a.low << places, a.high << places)

    def right(self, a: Integer, places: int) -> Integer:
        """a // 2 ** places."""
        return Integer([*a.bits[places:-1], a.bits[-1]], a.low >> places, a.high >> places)

    def times(self, a: Integer, factor: int) -> Integer:
        """A number times a constant of at least 1."""
        return self.sum(self.left(a, k) for k in range(factor.bit_length()) if factor >> k & 1)

    def product(self, a: Integer, b: Integer) -> Integer:
        """a * b."""
        ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        rows = [
            Integer([self.aig.land(bit, x) for x in [*a.bits, a.bits[-1]]], min(a.low, 0),
                    max(a.high, 0))
            for bit in b.bits
        ]  # fmt: skip
        total = rows[0]
        for k, row in enumerate(rows[1:-1], 1):
            total = self.add(total, self.left(row, k))
        if len(rows) > 1:  # the sign's weight is negative
            total = self.subtract(total, self.left(rows[-1], len(rows) - 1))
        return Integer(total.bits, min(ends), max(ends))

    def less(self, a: Integer, b: Integer) -> int:
        """Literal of a < b."""
        return self.subtract(a, b).bits[-1]

    def at_least(self, a: Integer, least: int) -> int:
        """Literal of a >= a constant."""
        return self.less(a, self.constant(least)) ^ 1

    def choose(self, condition: int, yes: Integer, no: Integer) -> Integer:
        """``yes`` if a condition holds, else ``no``."""
        width = max(len(yes.bits), len(no.bits))
        bits = [self.aig.mux(condition, yes.bit(k), no.bit(k)) for k in range(width)]
        return Integer(bits, min(yes.low, no.low), max(yes.high, no.high))

    def look_up(self, values: Sequence[int], address: Integer) -> Integer:
        """What a table has at an address; beyond its end it is any of its values."""
        bits = 1 + max((v if v >= 0 else -1 - v).bit_length() for v in values)
        found = [
            self.aig.select([v >> bit & 1 for v in values], address.bits) for bit in range(bits)
        ]
        return Integer(found, min(values), max(values))

    def clamped(self, a: Integer, low: int, high: int) -> Integer:
        """The nearest number of a range."""
        if low <= a.low and a.high <= high:
            return a
        above = self.choose(self.at_least(a, high + 1), self.constant(high), a)
        found = self.choose(self.at_least(a, low) ^ 1, self.constant(low), above)
        return Integer(found.bits, max(low, min(a.low, high)), min(high, max(a.high, low)))

    def magnitude(self, a: Integer) -> Integer:
        """|a|."""
        if a.low >= 0:
            return a
        found = self.choose(a.bits[-1], self.subtract(self.constant(0), a), a)
        return Integer(found.bits, 0, max(-a.low, a.high))

    def nonzero(self, a: Integer) -> int:
        """Literal of a != 0."""
        return reduce(self.aig.lor, a.bits)

    def shifted(self, a: Integer, places: Integer, *, right: bool) -> Integer:
        """A number shifted by another one, which is not negative."""
        found = a
        for k in range(places.high.bit_length()):
            move = self.right if right else self.left
            found = self.choose(places.bit(k), move(found, 1 << k), found)
        if right:
            return Integer(found.bits, min(a.low, a.low >> places.high), max(a.high, 0))
        return Integer(found.bits, min(a.low << places.high, a.low), max(a.high << places.high, 0))
