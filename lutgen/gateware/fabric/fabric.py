"""What a core must know of the cells that it will be mapped to.

Amaranth hands it to every component as ``platform``; a component that gets none is for `LUT6`.
"""

from dataclasses import dataclass

__all__ = ["FABRICS", "LUT4", "LUT6", "Fabric"]


@dataclass(frozen=True)
class Fabric:
    """Cells of a family of devices.

    Attributes
    ----------
    name
        What parameters call it: "lut6" or "lut4".
    lut_inputs
        Inputs of a LUT.
    block_widths
        Shapes of a block memory, from the shallowest: its depth, and its widest word.
    levels_per_stage
        LUT levels between registers of a network, in nodes of six inputs.
    registers
        Whether the cores have registers where memories are far from the logic around them, which
        fabrics of small LUTs and slow memories need, and more lanes where these make the loops
        longer than the lanes hide.
    block_halves
        Whether half of a block memory, of half as wide words, may be used alone.
    lut_rows
        Rows of a buffer up to which LUTs are cheaper than block memories that stay nearly empty.
        An AMD device has some 380 LUTs for each block memory, and up to 64 rows are 1 1/3 LUTs a
        bit: a quarter of that for the 72 bits that a block memory is wide.
    """

    name: str
    lut_inputs: int
    block_widths: tuple[tuple[int, int], ...]
    levels_per_stage: int
    registers: bool
    block_halves: bool = False
    lut_rows: int = 0

    def block_width(self, depth: int) -> int:
        """Widest word of a block memory of at least ``depth`` rows; 1 if there is none."""
        return next((width for limit, width in self.block_widths if depth <= limit), 1)

    def block_cost(self, depth: int, width: int) -> int:
        """Halves of block memories that a memory no deeper than one of them takes."""
        piece = self.block_width(depth)
        whole, rest = divmod(width, piece)
        half = self.block_halves and 2 * rest <= piece
        return 2 * whole + (0 if rest == 0 else 1 if half else 2)

    @property
    def block_depth(self) -> int:
        """Rows of the deepest block memory."""
        return self.block_widths[-1][0]


#: Xilinx 7-series: LUTs of six inputs, block memories of 36 kbit.
LUT6 = Fabric(
    "lut6",
    6,
    ((512, 72), (1024, 36), (2048, 18), (4096, 9), (8192, 4), (16384, 2), (32768, 1)),
    levels_per_stage=4,
    registers=False,
    block_halves=True,
    lut_rows=64,
)
#: Lattice ECP5: LUTs of four inputs, block memories of 18 kbit.
LUT4 = Fabric(
    "lut4",
    4,
    ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
    levels_per_stage=3,
    registers=True,
)
FABRICS = {fabric.name: fabric for fabric in (LUT6, LUT4)}
