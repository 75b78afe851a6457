"""The description of one device and board."""

import re
from dataclasses import dataclass

from lutgen.errors import InputError

__all__ = ["Target"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A device, the board it sits on, and the clock that the design aims at.

    Attributes
    ----------
    name
        What the command line calls it.
    part
        Order code for the vendor's tool, or "" if there is no vendor.
    family
        Device family, e.g. "Zynq-7000".
    board
        A board that carries the part, or "".
    speed_grade
        As the vendor writes it, e.g. "-2", or "".
    luts, ffs, bram36, dsps
        What the device holds: LUTs, flip-flops, 36-kbit block memories, DSP slices (multipliers
        of 18 x 18 bits on ECP5); None where nothing limits them or it has none of the kind.
    clock_mhz
        Clock goal in MHz.
    lut_primitive
        Cell that holds one trained truth table verbatim ("LUT6"), or None to describe tables as
        plain logic.
    yosys_family
        Family name of Yosys' ``synth_xilinx``, or None for generic mapping.
    tools
        Vendor tools that the handoff files are written for.
    lut_inputs
        Inputs of one of the device's LUTs.
    ebr18
        18-kbit block memories (Lattice's EBR), or None if the device has none of the kind.
    """

    name: str
    part: str
    family: str
    board: str
    speed_grade: str
    luts: int | None
    ffs: int | None
    bram36: int | None
    dsps: int | None
    clock_mhz: float
    lut_primitive: str | None
    yosys_family: str | None
    tools: tuple[str, ...]
    lut_inputs: int = 6
    ebr18: int | None = None

    def __post_init__(self):
        if not re.fullmatch(r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*", self.name):
            raise InputError(
                f"target name must be letters and digits, joined by - or _, not {self.name!r}"
            )
        if not self.clock_mhz > 0:
            raise InputError(f"clock goal must be positive, not {self.clock_mhz!r} MHz")
        if self.lut_primitive not in ("LUT6", None):
            raise InputError(f"LUT primitive must be 'LUT6' or None, not {self.lut_primitive!r}")
        if self.lut_inputs not in (4, 6):
            raise InputError(f"LUTs must have 4 or 6 inputs, not {self.lut_inputs!r}")
        if self.lut_inputs != 6 and (self.lut_primitive or self.yosys_family):
            raise InputError(
                f"LUT primitive and Yosys family must be None for {self.lut_inputs}-input LUTs, "
                f"not {self.lut_primitive!r} and {self.yosys_family!r}"
            )

    @property
    def period_ns(self) -> float:
        """Clock period in nanoseconds."""
        return 1000 / self.clock_mhz

    @property
    def fabric(self) -> str:
        """Fabric that cores are made for, see `lutgen.gateware.fabric.fabric`."""
        return f"lut{self.lut_inputs}"

    @property
    def capacity(self) -> dict[str, int]:
        """What the device holds, keyed like the results of `lutgen.synth.estimate`.

        Empty where these count other things than the device has: 6-input LUTs are not compared
        with a number of 4-input ones.
        """
        if self.lut_inputs != 6:
            return {}
        held = {"lut": self.luts, "ff": self.ffs, "bram36": self.bram36, "dsp": self.dsps}
        return {name: count for name, count in held.items() if count is not None}
