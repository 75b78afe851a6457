"""No particular device: plain Verilog without primitives, for simulation and for other vendors."""

from .target import Target

__all__ = ["GENERIC"]

GENERIC = Target(
    name="generic",
    part="",
    family="generic",
    board="",
    speed_grade="",
    luts=None,
    ffs=None,
    bram36=None,
    dsps=None,
    clock_mhz=100.0,
    lut_primitive=None,
    yosys_family=None,
    tools=(),
)
