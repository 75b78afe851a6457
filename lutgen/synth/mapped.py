"""A design mapped to the cells of its device, memories with their contents: ready to be simulated.

`lutgen.synth.estimate` lets block memories forget their contents, which change no count.  A
simulation needs them, so the same flow runs with them here.  The hierarchy is dissolved after LUTs
were mapped module by module: every cell keeps the path of the block that it came from, and the
counts of cells are those of `estimate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .cells import Cell, Net
from .design import cells_by_instance, flat_design
from .yosys import MAP_MEMORIES, PREPARE, WIRE_PS, SynthError, map_twice

__all__ = ["MappedDesign", "map_design"]


@dataclass(frozen=True, eq=False)
class MappedDesign:
    """A flat mapped design.

    Members
    -------
    top, tool : names of the top module and of the mapper with its version
    cells : all cells; the ``path`` of each is the instance that it came from
    inputs, outputs : nets of the ports, LSB first
    """

    top: str
    tool: str
    cells: list[Cell]
    inputs: Mapping[str, tuple[Net, ...]]
    outputs: Mapping[str, tuple[Net, ...]]

    @classmethod
    def of(cls, modules: Mapping, flat: Mapping, top: str) -> "MappedDesign":
        """The design of Yosys' json: with its hierarchy, for the paths, and without it."""
        ports = flat["modules"][top]["ports"]

        def nets(direction: str) -> dict[str, tuple[Net, ...]]:
            return {
                name: tuple(port["bits"])
                for name, port in ports.items()
                if port["direction"] == direction
            }

        cells = flat_design(flat, top, cells_by_instance(modules, top)).cells
        return cls(top, flat["creator"].split(" (")[0], cells, nets("input"), nets("output"))


def map_design(verilog: str, top: str, family: str) -> MappedDesign:
    """Map ``verilog`` to the cells of a Xilinx family ("xc7").

    Takes a second for every block memory whose contents differ from the others'.

    Raises
    ------
    SynthError
        If the family is not known, or Yosys refuses the design.
    """
    if family not in MAP_MEMORIES:
        raise SynthError(f"family must be one of {', '.join(MAP_MEMORIES)}, not {family!r}")
    flow = f"synth_xilinx -family {family} -top {top} -noiopad -noclkbuf"
    memories, _, _ = MAP_MEMORIES[family].rpartition("; setparam -unset INIT")
    return MappedDesign.of(*map_twice(verilog, top, (
        f"{flow} -run :prepare; {PREPARE}; {flow} -run prepare:map_memory; {memories}; "
        f"{flow} -run map_memory:map_luts; scratchpad -set synth_xilinx.abc9.W {WIRE_PS}; "
        f"{flow} -run map_luts:check; blackbox =A:whitebox"
    ), "opt_clean"), top)  # fmt: skip
