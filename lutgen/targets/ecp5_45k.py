"""Lattice ECP5 LFE5U-45F on the ULX3S board.

Counts: Lattice FPGA-DS-02012, table 1.1 (44K LUTs, 108 sysMEM blocks of 18 kbits, 72 multipliers of
18 x 18 bits); 43,848 is what Project Trellis' database holds of the part, which nextpnr prints.
Each slice has two 4-input LUTs and two flip-flops.
"""

from .target import Target

__all__ = ["ECP5_45K"]

ECP5_45K = Target(
    name="ecp5-45k",
    part="LFE5U-45F-6BG381C",
    family="ECP5",
    board="ULX3S",
    speed_grade="-6",
    luts=43_848,
    ffs=43_848,
    bram36=None,
    dsps=72,
    clock_mhz=150.0,
    lut_primitive=None,
    yosys_family=None,
    tools=(),
    lut_inputs=4,
    ebr18=108,
)
