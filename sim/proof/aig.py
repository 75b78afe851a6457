"""And-inverter graphs: what a prover compares, built by us or read from a file in AIGER's format.

A *literal* is twice a node's number, plus one where it is inverted; node 0 is false.  Nodes stand
behind what they read, so one pass over them evaluates all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lutgen.errors import InputError

__all__ = ["FALSE", "TRUE", "Aig"]

FALSE, TRUE = 0, 1


class Aig:
    """A graph; equal gates are made once.

    Members
    -------
    inputs : literals of inputs by name
    outputs : literals by name
    """

    def __init__(self) -> None:
        #: Both literals that a node reads; None of an input, and of node 0.
        self._gates: list[tuple[int, int] | None] = [None]
        self._known: dict[tuple[int, int], int] = {}
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._gates)

    def gate(self, number: int) -> tuple[int, int] | None:
        """Both literals that a node reads; None of an input, and of node 0."""
        return self._gates[number]

    def input(self, name: str) -> int:
        """The input of a name, which is made where there is none."""
        if name not in self.inputs:
            self.inputs[name] = 2 * len(self._gates)
            self._gates.append(None)
        return self.inputs[name]

    def land(self, a: int, b: int) -> int:
        """Both."""
        if a > b:
            a, b = b, a
        if a == FALSE or a == b ^ 1:
            return FALSE
        if a == TRUE or a == b:
            return b
        if (found := self._known.get((a, b))) is None:
            found = self._known[a, b] = 2 * len(self._gates)
            self._gates.append((a, b))
        return found

    def lor(self, a: int, b: int) -> int:
        """Either."""
        return self.land(a ^ 1, b ^ 1) ^ 1

    def xor(self, a: int, b: int) -> int:
        """One of both."""
        return self.lor(self.land(a, b ^ 1), self.land(a ^ 1, b))

    def mux(self, condition: int, yes: int, no: int) -> int:
        """``yes`` if the condition holds, else ``no``."""
        if yes == no:
            return yes
        return self.lor(self.land(condition, yes), self.land(condition ^ 1, no))

    def table(self, rows: int, address: Sequence[int]) -> int:
        """Bit of a truth table at an address, whose lowest bit is first."""
        if not address:
            return rows & 1
        half = 1 << len(address) - 1
        low, high = rows & (1 << half) - 1, rows >> half
        if low == high:
            return self.table(low, address[:-1])
        return self.mux(
            address[-1], self.table(high, address[:-1]), self.table(low, address[:-1])
        )

    def select(self, rows: Sequence[int], address: Sequence[int]) -> int:
        """Literal ``rows[address]``; one beyond the last row is any of them."""
        level = list(rows)
        for bit in address:
            pairs = [level[k : k + 2] for k in range(0, len(level), 2)]
            level = [self.mux(bit, *pair[::-1]) if len(pair) == 2 else pair[0] for pair in pairs]
        return level[0]

    def place(self, other: Aig, inputs: Mapping[str, int]) -> dict[str, int]:
        """Another graph whose inputs are literals of this one; returns its outputs.

        Inputs that ``inputs`` lacks become inputs of this one.
        """
        at = [FALSE] * len(other._gates)
        for name, literal in other.inputs.items():
            at[literal >> 1] = inputs[name] if name in inputs else self.input(name)
        for number, gate in enumerate(other._gates):
            if gate:
                a, b = gate
                at[number] = self.land(at[a >> 1] ^ a & 1, at[b >> 1] ^ b & 1)
        return {name: at[k >> 1] ^ k & 1 for name, k in other.outputs.items()}

    def evaluate(self, inputs: Mapping[str, int], cases: int) -> dict[str, int]:
        """Outputs in many cases, of which each number has a bit; inputs without a value are 0."""
        every = (1 << cases) - 1
        at = [0] * len(self._gates)
        for name, literal in self.inputs.items():
            at[literal >> 1] = inputs.get(name, 0)
        for number, gate in enumerate(self._gates):
            if gate:
                a, b = gate
                x = at[a >> 1] ^ every if a & 1 else at[a >> 1]
                y = at[b >> 1] ^ every if b & 1 else at[b >> 1]
                at[number] = x & y
        return {
            name: at[k >> 1] ^ every if k & 1 else at[k >> 1] for name, k in self.outputs.items()
        }

    def cone(self, outputs: Iterable[str]) -> set[int]:
        """Numbers of the nodes that some outputs depend on."""
        found: set[int] = set()
        left = [self.outputs[name] >> 1 for name in outputs]
        while left:
            number = left.pop()
            if number in found:
                continue
            found.add(number)
            if gate := self._gates[number]:
                left += (gate[0] >> 1, gate[1] >> 1)
        return found

    def write(self, path: Path, outputs: Sequence[str]) -> None:
        """Some of the outputs, in this order, with all inputs: binary AIGER."""
        cone = self.cone(outputs)
        gates = [k for k in sorted(cone) if self._gates[k]]
        number = {0: 0} | {literal >> 1: k for k, literal in enumerate(self.inputs.values(), 1)}
        for k, node in enumerate(gates, len(self.inputs) + 1):
            number[node] = k
        count = len(self.inputs)
        data = bytearray(
            f"aig {count + len(gates)} {count} 0 {len(outputs)} {len(gates)}\n".encode()
        )

        def literal(k: int) -> int:
            return 2 * number[k >> 1] | k & 1

        for name in outputs:
            data += f"{literal(self.outputs[name])}\n".encode()
        for node in gates:
            low, high = sorted(literal(k) for k in self._gates[node] or ())
            for delta in (2 * number[node] - high, high - low):
                while delta >= 128:
                    data.append(delta & 127 | 128)
                    delta >>= 7
                data.append(delta)
        path.write_bytes(data)

    @classmethod
    def read(cls, path: Path) -> Aig:
        """A binary AIGER file without registers, whose outputs have names.

        Inputs without one are what Yosys knows no value of.

        Raises
        ------
        InputError
            If it is anything else.
        """
        data = path.read_bytes()
        head, _, rest = data.partition(b"\n")
        fields = head.split()
        if len(fields) != 6 or fields[0] != b"aig" or fields[3] != b"0":
            raise InputError(f"{path.name} must be a binary AIGER file without registers")
        _, count, _, outs, gates = map(int, fields[1:])
        made = cls()
        made._gates += [None] * count
        *lines, rest = rest.split(b"\n", outs)
        at = 0

        def number() -> int:
            nonlocal at
            value = shift = 0
            while True:
                byte = rest[at]
                at += 1
                value |= (byte & 127) << shift
                if byte < 128:
                    return value
                shift += 7

        for node in range(count + 1, count + 1 + gates):
            high = 2 * node - number()
            made._gates.append((high - number(), high))
        for line in rest[at:].split(b"\n"):
            kind, _, name = line.decode(errors="replace").partition(" ")
            if kind[:1] == "c" or not name:
                break
            if kind[0] == "i":
                made.inputs[name] = 2 * (int(kind[1:]) + 1)
            else:
                made.outputs[name] = int(lines[int(kind[1:])])
        named = {literal >> 1 for literal in made.inputs.values()}
        made.inputs |= {f"undefined {k}": 2 * k for k in range(1, count + 1) if k not in named}
        if len(made.inputs) != count or len(made.outputs) != outs:
            raise InputError(f"{path.name} must name each of its outputs once")
        return made
