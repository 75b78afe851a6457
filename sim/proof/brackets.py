"""How to bracket a sum as a core does.

A prover finds two sums equal when their partial sums are equal, one after the other; sums of many
terms in another order are beyond it.  Integers do not care (`.integers`).  So of the pairs of terms
that one is added first whose sum the core has, too, in some random cases: a guess that nothing
depends on but the prover's time.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

from lutgen.sim.proof.aig import Aig
from lutgen.sim.proof.integers import Integer, Integers

__all__ = ["Brackets"]

_CASES = 192
_EVERY = (1 << _CASES) - 1


class Brackets:
    """Sums in a graph like those that it has already."""

    def __init__(self, do: Integers) -> None:
        self._do, self._cases = do, _Cases(do.aig)
        self._known = {min(value, value ^ _EVERY) for value in self._cases.all()}

    def sum(self, terms: Sequence[Integer]) -> Integer:
        """Sum of some terms, at least one."""
        left = list(terms)
        while len(left) > 1:
            a, b = next(
                (pair for pair in combinations(range(len(left)), 2) if self._has(left, *pair)),
                (0, 1),
            )
            total = self._do.add(left[a], left[b])
            left = [*left[:a], *left[a + 1 : b], *left[b + 1 :], total]
        return left[0]

    def _has(self, terms: Sequence[Integer], a: int, b: int) -> bool:
        """Whether the graph had the sum of two terms before."""
        x, y = ([self._cases.of(bit) for bit in terms[k].bits] for k in (a, b))
        carry = seen = 0
        for k in range(max(len(x), len(y))):
            p, q = x[min(k, len(x) - 1)], y[min(k, len(y) - 1)]
            one = p ^ q
            value, carry = one ^ carry, p & q | one & carry
            if value not in (0, _EVERY):
                if min(value, value ^ _EVERY) not in self._known:
                    return False
                seen += value not in (p, q)
        return seen > 1


class _Cases:
    """Values of a growing graph's nodes, where each input has those that its name gives it."""

    def __init__(self, aig: Aig) -> None:
        self._aig, self._values = aig, [0]

    def all(self) -> list[int]:
        """Values of all nodes."""
        names = {literal >> 1: name for name, literal in self._aig.inputs.items()}
        for number in range(len(self._values), len(self._aig)):
            gate = self._aig.gate(number)
            if gate is None:
                value = random.Random(names[number]).getrandbits(_CASES)
            else:
                value = self._literal(gate[0]) & self._literal(gate[1])
            self._values.append(value)
        return self._values

    def _literal(self, literal: int) -> int:
        value = self._values[literal >> 1]
        return value ^ _EVERY if literal & 1 else value

    def of(self, literal: int) -> int:
        """Values of a literal."""
        if literal >> 1 >= len(self._values):
            self.all()
        return self._literal(literal)
