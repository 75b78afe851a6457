"""AMD Zynq UltraScale+ XCZU7EV on the ZCU104 board, on the ZCU106 as well.

Counts: AMD DS891, EV device table, which gives LUTs and flip-flops in thousands (230 and 461): they
are 8 and 16 in each of 28,800 CLBs (UG574).
"""

from .target import Target

__all__ = ["ZU7EV"]

ZU7EV = Target(
    name="zu7ev",
    part="xczu7ev-ffvc1156-2-e",
    family="Zynq UltraScale+",
    board="ZCU104",
    speed_grade="-2",
    luts=230_400,
    ffs=460_800,
    bram36=312,
    dsps=1_728,
    # A goal that no tool has been asked for yet: 16 nm against the 28 nm that aim at 250 MHz.
    clock_mhz=300.0,
    lut_primitive="LUT6",
    # Its LUT6, flip-flops and 36-kbit memories hold what those of 7-series hold, so the mapping to
    # 7-series is the estimate; see `fit`.
    yosys_family="xc7",
    tools=("vivado",),
)
