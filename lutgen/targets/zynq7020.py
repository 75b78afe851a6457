"""AMD Zynq-7000 XC7Z020 on the PYNQ-Z2 board (counts: AMD DS190, table 1)."""

from .target import Target

__all__ = ["ZYNQ7020"]

ZYNQ7020 = Target(
    name="zynq7020",
    part="xc7z020clg400-1",
    family="Zynq-7000",
    board="PYNQ-Z2",
    speed_grade="-1",
    luts=53_200,
    ffs=106_400,
    bram36=140,
    dsps=220,
    # Artix-7 fabric in its slowest grade: 4 LUT levels with routing fit in 6.7 ns with room.
    clock_mhz=150.0,
    lut_primitive="LUT6",
    yosys_family="xc7",
    tools=("vivado",),
)
