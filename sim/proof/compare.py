"""A module's logic and what it must compute, in one graph, and compared."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lutgen.errors import InputError
from lutgen.sim.proof.aig import FALSE, Aig
from lutgen.sim.proof.gold import Gold, bit_names
from lutgen.sim.proof.integers import Integers
from lutgen.sim.proof.logic import Logic
from lutgen.sim.proof.prover import prove_equal

__all__ = ["Part", "compare"]

#: Inputs that no logic reads where flip-flops are wires.
_CONTROL = ("clk", "rst")


@dataclass(frozen=True)
class Part:
    """Outputs that were compared.

    Members
    -------
    name, outputs : what they are, and how many bits
    state : see `.prover.Verdict`
    seconds : that it took
    counterexample : of a wrong part, what goes in and comes out: ``inputs`` by name, ``values`` on
        the way, and ``output``, ``expected`` and ``found``
    """

    name: str
    outputs: int
    state: str
    seconds: float
    counterexample: Mapping | None = field(default=None)


def compare(
    gold: Gold, logic: Logic, seconds: int, progress: Callable[[str], None] = lambda part: None
) -> list[Part]:
    """Prove a module part by part.

    Parameters
    ----------
    gold, logic :
        What it must compute, and its logic.
    seconds :
        That the prover may take for a part.
    progress :
        Called with each part.

    Raises
    ------
    InputError
        If the module lacks an output, or has another one.
    """
    aig = Aig()
    do = Integers(aig)
    ports = gold.numbers(do)
    places = _Places(gold, logic)
    inputs = dict.fromkeys(_CONTROL, FALSE)
    for port in gold.ports:
        for k, bit in enumerate(places.inputs(port.name, port.width)):
            inputs[bit] = ports[port.name].bit(k)
    # An input that the module lacks may be one that it does not need: the proof shows that.
    found = aig.place(logic.aig, inputs)
    gold.build(aig, ports)
    # Nor need it have every register that it may be cut at.
    widths = {
        name: width for name, width in gold.widths.items()
        if name not in gold.cuts or name in logic.design["netnames"]
    }  # fmt: skip
    gates = {
        mine: found[its]
        for name, width in widths.items()
        for mine, its in zip(bit_names(name, width), places.outputs(name, width), strict=True)
    }
    if left := places.outputs_left():
        raise InputError(f"module must have no output but those of the model, not {left[0]}")
    parts = []
    for name, bits in gold.parts.items():
        progress(name)
        began = time.perf_counter()
        bits = [bit for bit in bits if bit in gates]
        verdict = prove_equal(aig, [(gold.outputs[bit], gates[bit]) for bit in bits], seconds)
        shown = None
        if verdict.inputs is not None:
            shown = _shown(gold, aig, gates, bits, verdict.inputs)
        took = round(time.perf_counter() - began, 2)
        parts.append(Part(name, len(bits), verdict.state, took, shown))
    return parts


class _Places:
    """Where a module has the ports that it must have.

    Yosys names ports of modules after any of their names, and may cut one into several.
    """

    def __init__(self, gold: Gold, logic: Logic) -> None:
        self._gold, self._aig, self._design = gold, logic.aig, logic.design
        self._taken: set[str] = set()
        self._at = {
            direction: {
                bit: names[k]
                for name, port in logic.design["ports"].items() if port["direction"] == direction
                for names in [bit_names(name, len(port["bits"]))]
                for k, bit in enumerate(port["bits"])
            }
            for direction in ("input", "output")
        }  # fmt: skip

    def inputs(self, name: str, width: int) -> list[str]:
        """Names of an input's bits, none of one that there is not."""
        return self._find(name, width, self._aig.inputs, "input")

    def outputs(self, name: str, width: int) -> list[str]:
        """Names of an output's bits.

        Raises
        ------
        InputError
            If there is none.
        """
        if not (found := self._find(name, width, self._aig.outputs, "output")):
            raise InputError(f"module must have an output {name} of {width} bits: it has none")
        self._taken |= set(found)
        return found

    def outputs_left(self) -> list[str]:
        """Bits of the module's own outputs that nobody asked for."""
        return [name for name in self._at["output"].values() if name not in self._taken]

    def _find(self, name: str, width: int, known: Mapping, direction: str) -> list[str]:
        names = bit_names(name, width)
        if set(names) <= set(known):
            return names
        at, nets = self._at[direction], self._design["netnames"]
        for net in self._gold.nets.get(name, ()):
            bits = nets.get(net, {"bits": ()})["bits"]
            if len(bits) == width and set(bits) <= set(at):
                return [at[bit] for bit in bits]
        for port in self._design["ports"]:
            if re.fullmatch(rf"{re.escape(name)}_\d+", port):
                names = bit_names(port, width)
                if set(names) <= set(known):
                    return names
        return []


def _shown(
    gold: Gold, aig: Aig, gates: Mapping[str, int], bits: Sequence[str],
    inputs: Mapping[str, int],
) -> dict:  # fmt: skip
    """A counterexample as numbers."""
    aig.outputs = {
        **{f"gold {bit}": gold.outputs[bit] for bit in bits},
        **{f"gate {bit}": gates[bit] for bit in bits},
    }
    found = aig.evaluate(inputs, 1)
    wrong = next(bit for bit in bits if found[f"gold {bit}"] != found[f"gate {bit}"])
    name = next(n for n, width in gold.widths.items() if wrong in bit_names(n, width))
    width = gold.widths[name]
    mine = bit_names(name, width)
    aig.outputs = {bit: gold.outputs[bit] for bit in mine} | {f"gate {b}": gates[b] for b in mine}
    inputs = _fewer(aig, mine, inputs)
    cone = aig.cone(aig.outputs)
    read = [
        port for port in gold.ports
        if any(aig.inputs[bit] >> 1 in cone for bit in port.bits if bit in aig.inputs)
    ]
    ports = gold.numbers(Integers(aig))
    values = {label: number for label, number in gold.shown.get(name, ())}
    aig.outputs |= {
        f"{label} bit {k}": bit
        for label, number in [*((p.name, ports[p.name]) for p in read), *values.items()]
        for k, bit in enumerate(number.bits)
    }
    out = aig.evaluate(inputs, 1)

    def number(label: str, count: int) -> int:
        total = sum(out[f"{label} bit {k}"] << k for k in range(count))
        return total - (out[f"{label} bit {count - 1}"] << count)

    return {
        "inputs": {p.name: number(p.name, len(ports[p.name].bits)) for p in read},
        "values": {label: number(label, len(value.bits)) for label, value in values.items()},
        "output": name,
        "expected": sum(out[bit] << k for k, bit in enumerate(mine)),
        "found": sum(out[f"gate {bit}"] << k for k, bit in enumerate(mine)),
    }


def _fewer(aig: Aig, names: Sequence[str], inputs: Mapping[str, int]) -> dict[str, int]:
    """A counterexample with as many inputs 0 as one finds without search."""
    found = dict(inputs)
    cone = aig.cone(aig.outputs)
    tried = [name for name, value in found.items() if value and aig.inputs[name] >> 1 in cone]
    for name in tried[:200]:
        out = aig.evaluate(found | {name: 0}, 1)
        if any(out[bit] != out[f"gate {bit}"] for bit in names):
            found[name] = 0
    return found
