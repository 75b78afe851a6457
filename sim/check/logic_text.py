"""Logic in Verilog text, evaluated for many values of its inputs at once.

Of Yosys' expressions that stand behind ``assign``, those of bits and of multiplexers between words:
the value of a bit is a number with a bit for each case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce

__all__ = ["Logic", "LogicError", "every_case", "look_up"]

_TOKEN = re.compile(r"\s*(\d+'[hd][0-9a-f]+|\w+(?:\[\d+(?::\d+)?\])?|>>|[{}(),?:&|^~])")
_CONSTANT = re.compile(r"(\d+)'([hd])([0-9a-f]+)")
_PART = re.compile(r"(\w+)(?:\[(\d+)(?::(\d+))?\])?")


class LogicError(ValueError):
    """Text that is something else than it must be."""


class Logic:
    """Wires of a module.

    Parameters
    ----------
    wires :
        Expressions by wire.
    cases :
        Number of cases.
    source :
        Value of what is no wire, a register or a bit of one; LogicError for what it does not know.
    width :
        Bits of what is no wire, by its name; those of wires are those of their expressions.
    """

    def __init__(
        self, wires: Mapping[str, str], cases: int, source: Callable[[str], int],
        width: Callable[[str], int] = lambda name: 1,
    ) -> None:  # fmt: skip
        self._wires, self._source, self._width = wires, source, width
        self._all = (1 << cases) - 1
        self._known: dict[str, list[int]] = {}

    def value(self, expression: str) -> int:
        """An expression of a single bit, in each case.

        Raises
        ------
        LogicError
            If it is more than that.
        """
        (*more, bit) = self.word(expression)
        if more:
            raise LogicError(f"{expression[:60]} must be a single bit")
        return bit

    def word(self, expression: str) -> list[int]:
        """The bits of an expression, the lowest first, in each case.

        Raises
        ------
        LogicError
            If it is more than logic of bits.
        """
        tokens = _TOKEN.findall(expression)
        if not tokens or "".join(tokens) != re.sub(r"\s", "", expression):
            raise LogicError(f"{expression[:60]!r} must be logic of bits")
        parser = _Parser(tokens)
        found = self._choice(parser)
        if parser.here is not None:
            raise LogicError(f"{expression[:60]!r} must be logic of bits")
        return found

    def _choice(self, parser: _Parser) -> list[int]:
        condition = self._gates(parser)
        if not parser.take("?"):
            return condition
        if len(condition) != 1:
            raise LogicError("a condition must be a single bit")
        yes = self._choice(parser)
        parser.need(":")
        no = self._choice(parser)
        return [condition[0] & a | ~condition[0] & b & self._all for a, b in _pairs(yes, no)]

    def _gates(self, parser: _Parser) -> list[int]:
        found = self._unary(parser)
        while parser.here in ("&", "|", "^"):
            gate, other = _GATES[parser.next()], self._unary(parser)
            found = [gate(a, b) for a, b in _pairs(found, other)]
        return found

    def _unary(self, parser: _Parser) -> list[int]:
        if parser.take("~"):
            return [~bit & self._all for bit in self._unary(parser)]
        if parser.take("("):
            found = self._choice(parser)
            parser.need(")")
            return found
        if parser.take("{"):
            parts = [self._choice(parser)]
            while parser.take(","):
                parts.append(self._choice(parser))
            parser.need("}")
            return [bit for part in reversed(parts) for bit in part]
        for gate in "&|":  # of all bits of what follows
            if parser.take(gate):
                return [reduce(_GATES[gate], self._unary(parser))]
        name = parser.next()
        if not re.match(r"\w", name):
            raise LogicError(f"{name} must not stand before a value")
        if constant := _CONSTANT.fullmatch(name):
            number = int(constant[3], 16 if constant[2] == "h" else 10)
            if parser.take(">>"):
                return [look_up(number, self._unary(parser), self._all)]
            return [self._all if number >> k & 1 else 0 for k in range(int(constant[1]))]
        return self._named(name)

    def _named(self, name: str) -> list[int]:
        """A wire or another signal, or some bits of it."""
        if name not in self._known:
            if (part := _PART.fullmatch(name)) is None:
                raise LogicError(f"{name} must be a signal, or some of its bits")
            base, high, low = part.groups()
            word: list[int] | None
            if base in self._wires:
                word = self.word(self._wires[base]) if high is None else self._named(base)
            elif high is None:
                width = self._width(base)
                bits = [base] if width == 1 else [f"{base}[{k}]" for k in range(width)]
                word = [self._source(bit) for bit in bits]
            else:
                word = None
            if high is not None:
                numbers = range(int(low or high), int(high) + 1)
                if word is None:
                    word = [self._source(f"{base}[{k}]") for k in numbers]
                elif numbers[-1] < len(word):
                    word = [word[k] for k in numbers]
                else:
                    raise LogicError(f"{name} must be within {len(word)} bits")
            self._known[name] = [] if word is None else word
        return self._known[name]


_GATES: dict[str, Callable[[int, int], int]] = {
    "&": int.__and__, "|": int.__or__, "^": int.__xor__,
}  # fmt: skip


def _pairs(one: list[int], other: list[int]) -> Iterator[tuple[int, int]]:
    """Bits of two words that stand at the same place."""
    if len(one) != len(other):
        raise LogicError(f"{len(one)} bits must not meet {len(other)}")
    return zip(one, other, strict=True)


class _Parser:
    """Tokens, one after the other."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def here(self) -> str | None:
        """The next one; None at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def next(self) -> str:
        """Take the next one."""
        token = self.here
        if token is None:
            raise LogicError("an expression must not end here")
        self._at += 1
        return token

    def take(self, token: str) -> bool:
        """Take it, if it is this one."""
        found = self.here == token
        self._at += found
        return found

    def need(self, token: str) -> None:
        """Take this one."""
        if not self.take(token):
            raise LogicError(f"{token} must stand where {self.here} does")


def look_up(table: int, address: list[int], every: int) -> int:
    """Bits of a table in each case; the address's lowest bit is first."""
    rows = [table >> k & 1 for k in range(1 << len(address))]
    values = [every if row else 0 for row in rows]
    for bit in address:
        values = [
            bit & one | ~bit & zero & every
            for zero, one in zip(values[::2], values[1::2], strict=True)
        ]
    return values[0]


def every_case(bits: int) -> Iterator[int]:
    """So many inputs that have every combination of values in the cases, the fastest one first."""
    for bit in range(bits):
        run = ((1 << (1 << bit)) - 1) << (1 << bit)
        for doubled in range(bit + 1, bits):
            run |= run << (1 << doubled)
        yield run
