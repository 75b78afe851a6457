"""AMD Zynq-7000 XC7Z045 on the ZC706 board (counts: AMD DS190, table 1)."""

from .target import Target

__all__ = ["ZYNQ7045"]

ZYNQ7045 = Target(
    name="zynq7045",
    part="xc7z045ffg900-2",
    family="Zynq-7000",
    board="ZC706",
    speed_grade="-2",
    luts=218_600,
    ffs=437_200,
    bram36=545,
    dsps=900,
    clock_mhz=250.0,
    lut_primitive="LUT6",
    yosys_family="xc7",
    tools=("vivado",),
)
