"""AMD Artix-7 XC7A100T on the Arty A7-100T board, on the Nexys A7-100T as well.

Counts: AMD DS180, table of Artix-7 (slices: 4 LUTs and 8 flip-flops in each of 15,850).
"""

from .target import Target

__all__ = ["ARTIX7_100T"]

ARTIX7_100T = Target(
    name="artix7-100t",
    part="xc7a100tcsg324-1",
    family="Artix-7",
    board="Arty A7-100T",
    speed_grade="-1",
    luts=63_400,
    ffs=126_800,
    bram36=135,
    dsps=240,
    # The fabric and the grade of the Zynq-7020.
    clock_mhz=150.0,
    lut_primitive="LUT6",
    yosys_family="xc7",
    tools=("vivado",),
)
