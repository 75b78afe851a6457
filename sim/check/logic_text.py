"""Logic in Verilog text, evaluated for many values of its inputs at once.

Of Yosys' expressions that stand behind ``assign``, those of single bits: a value is a number with a
bit for each case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce

__all__ = ["Logic", "LogicError", "every_case", "look_up"]

_TOKEN = re.compile(r"\s*(\d+'[hd][0-9a-f]+|\w+(?:\[\d+\])?|>>|[{}(),?:&|^~])")
_CONSTANT = re.compile(r"(\d+)'([hd])([0-9a-f]+)")


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
    """

    def __init__(
        self, wires: Mapping[str, str], cases: int, source: Callable[[str], int]
    ) -> None:
        self._wires, self._cases, self._source = wires, cases, source
        self._all = (1 << cases) - 1
        self._known: dict[str, int] = {}

    def value(self, expression: str) -> int:
        """The expression in each case.

        Raises
        ------
        LogicError
            If it is more than logic of single bits.
        """
        tokens = _TOKEN.findall(expression)
        if "".join(tokens) != re.sub(r"\s", "", expression):
            raise LogicError(f"{expression[:60]} must be logic of single bits")
        parser = _Parser(tokens)
        found = self._choice(parser)
        if parser.here is not None:
            raise LogicError(f"{expression[:60]} must be logic of single bits")
        return found

    def _choice(self, parser: _Parser) -> int:
        condition = self._gates(parser)
        if parser.take("?"):
            yes = self._choice(parser)
            parser.need(":")
            no = self._choice(parser)
            return condition & yes | ~condition & no & self._all
        return condition

    def _gates(self, parser: _Parser) -> int:
        found = self._unary(parser)
        while parser.here in ("&", "|", "^"):
            gate, other = parser.next(), self._unary(parser)
            found = {"&": found & other, "|": found | other, "^": found ^ other}[gate]
        return found

    def _unary(self, parser: _Parser) -> int:
        if parser.take("~"):
            return ~self._unary(parser) & self._all
        if parser.take("("):
            found = self._choice(parser)
            parser.need(")")
            return found
        for gate in "&|":  # of all bits of what follows
            if parser.take(gate):
                parts = self._parts(parser)
                return reduce(int.__and__ if gate == "&" else int.__or__, parts)
        name = parser.next()
        if not re.match(r"\w", name):
            raise LogicError(f"{name} must not stand before a value")
        if constant := _CONSTANT.fullmatch(name):
            number = int(constant[3], 16 if constant[2] == "h" else 10)
            if parser.take(">>"):
                return look_up(number, self._parts(parser), self._all)
            if constant[1] != "1":
                raise LogicError(f"{name} must be a single bit")
            return self._all if number else 0
        if name not in self._known:
            wire = self._wires.get(name)
            self._known[name] = self._source(name) if wire is None else self.value(wire)
        return self._known[name]

    def _parts(self, parser: _Parser) -> list[int]:
        """Bits of a concatenation, the lowest first, or of a single one."""
        if not parser.take("{"):
            return [self._unary(parser)]
        parts = [self._choice(parser)]
        while parser.take(","):
            parts.append(self._choice(parser))
        parser.need("}")
        return parts[::-1]


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
