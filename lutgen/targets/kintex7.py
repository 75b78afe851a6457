"""AMD Kintex-7 XC7K325T on the KC705 board.

Counts: AMD DS180, table of Kintex-7 (slices: 4 LUTs and 8 flip-flops in each of 50,950).
"""

from .target import Target

__all__ = ["KINTEX7"]

KINTEX7 = Target(
    name="kintex7",
    part="xc7k325tffg900-2",
    family="Kintex-7",
    board="KC705",
    speed_grade="-2",
    luts=203_800,
    ffs=407_600,
    bram36=445,
    dsps=840,
    # The fabric and the grade of the Zynq-7045.
    clock_mhz=250.0,
    lut_primitive="LUT6",
    yosys_family="xc7",
    tools=("vivado",),
)
