"""The DSP48E1 as the simulation of mapped cells knows it: a product and a sum behind it.

P is Z + A * B, where Z is C, the cascade's PCIN, or nothing.  A and B may have a register or two,
C, the product and P one.  That is what Yosys makes of the gateware's products and sums; all else
that the cell can do is refused.  Source: AMD UG479 (v1.10), figure 2-1 and tables 2-7 to 2-9.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lutgen.sim.gates.gate_kernel import A2, B2, ZERO, M, P, Z
from lutgen.sim.tool.verilator import SimulationError
from lutgen.synth.cells import Cell, Net

__all__ = ["MULTIPLIER", "REGISTERS", "Multiplier"]

#: The type of the cell.
MULTIPLIER = "DSP48E1"
#: Bits of A that are multiplied, of B, and of the sum.
_A, _B, _SUM = 25, 18, 48
#: Registers as the kernel orders them: parameter, its least value with the register, enable, reset.
_REGISTERS = (
    ("AREG", 2, "CEA1", "RSTA"), ("BREG", 2, "CEB1", "RSTB"), ("AREG", 1, "CEA2", "RSTA"),
    ("BREG", 1, "CEB2", "RSTB"), ("CREG", 1, "CEC", "RSTC"), ("MREG", 1, "CEM", "RSTM"),
    ("PREG", 1, "CEP", "RSTP"),
)  # fmt: skip
REGISTERS = len(_REGISTERS)
#: What must be so, and what it is where a cell does not say.
_FIXED = {
    "USE_MULT": ("MULTIPLY", "MULTIPLY"), "USE_DPORT": ("FALSE", "FALSE"),
    "USE_SIMD": ("ONE48", "ONE48"), "A_INPUT": ("DIRECT", "DIRECT"),
    "B_INPUT": ("DIRECT", "DIRECT"), "USE_PATTERN_DETECT": ("NO_PATDET", "NO_PATDET"),
}  # fmt: skip
#: Registers that must be left out, as what they hold never changes.
_NEVER = ("ALUMODEREG", "CARRYINREG", "CARRYINSELREG", "INMODEREG", "OPMODEREG")
#: Inputs that must be zero: the sum adds, and takes A, B and no carry.
_ZEROS = ("ALUMODE", "CARRYIN", "CARRYINSEL", "INMODE")
#: OPMODE[3:0] of a product, and what Z is by OPMODE[6:4].
_PRODUCT, _ADDENDS = "0101", {"000": None, "001": "PCIN", "011": "C"}


class Multiplier(NamedTuple):
    """One cell, nets by their index, the lowest bit first.

    Members
    -------
    a, b, z : operands of 25, 18 and 48 bits
    p, cascade : what P and PCOUT drive, net 0 for what is not there
    registers : which there are, in the order of the kernel
    enables, resets : of these
    """

    a: list[int]
    b: list[int]
    z: list[int]
    p: list[int]
    cascade: list[int]
    registers: list[bool]
    enables: list[int]
    resets: list[int]

    @classmethod
    def of(cls, cell: Cell, index: Callable[[Net], int]) -> Multiplier:
        """The row of a mapped cell.

        Raises
        ------
        SimulationError
            If it is used in another way than above.
        """

        def indices(pin: str, width: int, nets: Mapping[str, tuple[Net, ...]]) -> list[int]:
            found = [index(net) for net in nets.get(pin, ())][:width]
            return found + [ZERO] * (width - len(found))

        mode = _constant(cell, "OPMODE").rjust(7, "0")
        _check(cell, mode)
        registers = [_integer(cell, name) >= least for name, least, _, _ in _REGISTERS]
        addend = _ADDENDS[mode[:3]]
        registers[Z] &= addend == "C"
        for has, (name, _, enable, reset) in zip(registers, _REGISTERS, strict=True):
            if has and not (cell.inputs.get(enable) and cell.inputs.get(reset)):
                raise _wrong(cell, f"have {enable} and {reset} for its {name}", "nothing there")
        return cls(
            a=indices("A", _A, cell.inputs), b=indices("B", _B, cell.inputs),
            z=indices(addend, _SUM, cell.inputs) if addend else [ZERO] * _SUM,
            p=indices("P", _SUM, cell.outputs), cascade=indices("PCOUT", _SUM, cell.outputs),
            registers=registers,
            enables=[indices(enable, 1, cell.inputs)[0] for _, _, enable, _ in _REGISTERS],
            resets=[indices(reset, 1, cell.inputs)[0] for _, _, _, reset in _REGISTERS],
        )  # fmt: skip

    @property
    def combinational(self) -> list[int]:
        """Nets that change P in the same clock."""
        if self.registers[P]:
            return []
        product = self.registers[M]
        sources = [
            (self.a, product or self.registers[A2]), (self.b, product or self.registers[B2]),
            (self.z, self.registers[Z]),
        ]  # fmt: skip
        return [net for nets, held in sources if not held for net in nets]

    @property
    def driven(self) -> list[int]:
        """Nets of P and PCOUT that are there."""
        return [net for net in (*self.p, *self.cascade) if net != ZERO]


def _check(cell: Cell, mode: str) -> None:
    """SimulationError unless the cell multiplies, adds and keeps what comes out."""
    for name, (needed, default) in _FIXED.items():
        if (value := cell.parameters.get(name, default)) != needed:
            raise _wrong(cell, f"have {name} {needed}", value)
    for name in _NEVER:
        if count := _integer(cell, name):
            raise _wrong(cell, f"have {name} 0", count)
    for name, *_ in _REGISTERS[2:]:
        most = 2 if name in ("AREG", "BREG") else 1
        if (count := _integer(cell, name)) > most:
            raise _wrong(cell, f"have {name} of {most} at most", count)
    for name in _ZEROS:
        if "1" in (value := _constant(cell, name)):
            raise _wrong(cell, f"have {name} 0", value)
    if mode[3:] != _PRODUCT or mode[:3] not in _ADDENDS:
        raise _wrong(cell, f"have OPMODE {_PRODUCT} below {', '.join(_ADDENDS)}", mode)
    if others := sorted(set(cell.outputs) - {"P", "PCOUT"}):
        raise _wrong(cell, "drive P and PCOUT alone", ", ".join(others))


def _integer(cell: Cell, name: str) -> int:
    # UG479: registers are there unless said otherwise.
    return int(cell.parameters.get(name, "1"), 2)


def _constant(cell: Cell, pin: str) -> str:
    """An input that must be constant, as binary digits."""
    nets = cell.inputs.get(pin, ())
    if any(net not in ("0", "1") for net in nets):
        raise _wrong(cell, f"have a constant {pin}", "a signal")
    return "".join(map(str, reversed(nets)))


def _wrong(cell: Cell, rule: str, found: object) -> SimulationError:
    return SimulationError(f"multiplier {cell.name!r} must {rule}, not {found}")
