"""What a module must compute, as a graph that is written from the model's tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lutgen.sim.proof.aig import Aig
from lutgen.sim.proof.integers import Integer, Integers

__all__ = ["CUT", "Gold", "Port", "bit_names"]

#: Behind the name of a cut signal, of the input that stands for it.
CUT = "_cut"


@dataclass(frozen=True)
class Port:
    """An input and its range, all numbers of its width unless told: those that it ever has.

    A number is nearer to the range's ends than any beyond them, so each stands for its nearest.
    """

    name: str
    width: int
    low: int = 0
    high: int | None = None

    @property
    def bits(self) -> list[str]:
        """Names of its bits, the lowest first."""
        return bit_names(self.name, self.width)

    def number(self, do: Integers) -> Integer:
        """The port in a graph."""
        bits = [do.aig.input(name) for name in self.bits]
        high = (1 << self.width) - 1 if self.high is None else self.high
        found = do.signed(bits) if self.low < 0 else do.unsigned(bits)
        return do.clamped(found, self.low, high)


class Gold(ABC):
    """What a module must compute.

    Members
    -------
    ports : all inputs, those of cut signals included
    outputs : literals by name of the bit
    widths : bits of each output
    shown : of an output, labels and numbers that explain a counterexample
    parts : names of bits by the part of the module that they are of
    nets : where a port may be found that has another name in the module: nets of its bits
    """

    nets: Mapping[str, tuple[str, ...]] = {}

    def __init__(self, ports: Sequence[Port]) -> None:
        self.ports = list(ports)
        self.outputs: dict[str, int] = {}
        self.widths: dict[str, int] = {}
        self.shown: dict[str, list[tuple[str, Integer]]] = {}
        self.parts: dict[str, list[str]] = {}

    @property
    def cuts(self) -> list[str]:
        """Signals that are cut."""
        return [port.name.removesuffix(CUT) for port in self.ports if port.name.endswith(CUT)]

    def numbers(self, do: Integers) -> dict[str, Integer]:
        """All ports by name, in their ranges."""
        return {port.name: port.number(do) for port in self.ports}

    @abstractmethod
    def build(self, aig: Aig, ports: Mapping[str, Integer]) -> None:
        """Add it to a graph that has the module's logic already."""

    def out(
        self, part: str, name: str, value: Integer, width: int,
        shown: Sequence[tuple[str, Integer]] = (),
    ) -> None:  # fmt: skip
        """An output, the low bits of a number, and values that say how it comes about."""
        self.widths[name] = width
        self.shown[name] = list(shown)
        for k, bit in enumerate(bit_names(name, width)):
            self.outputs[bit] = value.bit(k)
            self.parts.setdefault(part, []).append(bit)


def bit_names(name: str, width: int) -> list[str]:
    """Names of a signal's bits as AIGER files have them, the lowest first."""
    return [name] if width == 1 else [f"{name}[{k}]" for k in range(width)]
