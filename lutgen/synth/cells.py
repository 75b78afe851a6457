"""What each mapped cell costs, and how a signal passes through it.

Cells of Xilinx 7-series, plus the few of Yosys' own that are left when the target names no
primitives.  Costs are LUT sites as AMD UG474 counts them: a RAM32M or RAM64M fills the four LUTs
of a slice whatever part of it is used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["Arc", "Cell", "arcs", "clock_pins", "cost", "endpoints", "launches"]

_LUTRAM_SITES = {
    "RAM32X1S": 1, "RAM64X1S": 1, "RAM128X1S": 2, "RAM256X1S": 4,
    "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4,
    "RAM32M": 4, "RAM64M": 4,
}  # fmt: skip
_SRLS = ("SRL16E", "SRLC16E", "SRLC32E")
_FFS = ("FDRE", "FDSE", "FDCE", "FDPE")
_COSTS: dict[str, dict[str, float]] = {
    "INV": {"lut_logic": 1},
    "LUT6_2": {"lut_logic": 1},
    **{f"LUT{n}": {"lut_logic": 1} for n in range(1, 7)},
    **{name: {"lut_memory": sites} for name, sites in _LUTRAM_SITES.items()},
    **{name: {"lut_shift": 1} for name in _SRLS},
    **{name: {"ff": 1} for name in _FFS},
    "CARRY4": {"carry4": 1},
    "MUXF7": {"muxf": 1},
    "MUXF8": {"muxf": 1},
    "RAMB18E1": {"bram36": 0.5},
    "RAMB36E1": {"bram36": 1},
    "DSP48E1": {"dsp": 1},
    "$lut": {"lut_logic": 1},
}

# Pins of sequential cells on which no data path ends.  A multiplier's C is what it adds.
_CLOCKS = frozenset(("C", "CLK", "WCLK", "CLKARDCLK", "CLKBWRCLK", "RD_CLK", "WR_CLK"))
_DSP_CLOCKS = frozenset(("CLK",))
# Data outputs of a LUT memory and the address that selects what each shows.
_ASYNC_READ = {
    **{f"DO{x}": (f"ADDR{x}",) for x in "ABCD"},
    "DPO": ("DPRA", *(f"DPRA{n}" for n in range(7))),
    "SPO": ("A", *(f"A{n}" for n in range(7))),
    "O": ("A", *(f"A{n}" for n in range(8))),
    "Q": ("A", *(f"A{n}" for n in range(4))),
}
_DSP_REGISTERS = ("AREG", "BREG", "CREG", "DREG", "ADREG", "MREG", "PREG")

Net = int | str


@dataclass(frozen=True, eq=False)
class Cell:
    """One mapped cell of the flat design.

    ``path`` is the hierarchy path of the module that holds it ("" in the top), ``inputs`` and
    ``outputs`` map pins to nets, LSB first; constant nets are the strings "0", "1", "x" and "z".
    """

    path: str
    name: str
    type: str
    parameters: Mapping[str, str]
    inputs: Mapping[str, tuple[Net, ...]]
    outputs: Mapping[str, tuple[Net, ...]]


@dataclass(frozen=True)
class Arc:
    """A combinational way through a cell: from any of ``sources`` to ``output``.

    ``levels`` LUT levels and ``muxes`` MUXF7/MUXF8 are passed on the way.
    """

    output: Net
    sources: tuple[Net, ...]
    levels: int
    muxes: int = 0


def cost(cell: Cell) -> dict[str, float]:
    """Resources of one cell, or an empty dict if it occupies none; KeyError for unknown types."""
    if cell.type.startswith(("$_DFF", "$_SDFF", "$_DFFE", "$_SDFFE", "$_ALDFF", "$_DFFSR")):
        return {"ff": 1}
    if cell.type == "$mem_v2":
        return {"memory_bits": _integer(cell, "SIZE") * _integer(cell, "WIDTH")}
    if cell.type == "$scopeinfo":
        return {}
    return _COSTS[cell.type]


def clock_pins(cell: Cell) -> frozenset[str]:
    """Names of a cell's clock pins; it need not have all of them."""
    return _DSP_CLOCKS if cell.type == "DSP48E1" else _CLOCKS


def launches(cell: Cell) -> Iterator[tuple[Net, int]]:
    """The nets on which paths start at the clock edge, each with the levels it starts with."""
    kind = cost(cell)
    if "ff" in kind or "bram36" in kind or "lut_shift" in kind or _registered_dsp(cell):
        start = 0
    elif "lut_memory" in kind:
        start = 1  # a freshly written word still passes the read multiplexer of the LUT
    elif cell.type == "$mem_v2":
        width = _integer(cell, "WIDTH")
        clocked = cell.parameters["RD_CLK_ENABLE"][::-1]
        for bit, net in enumerate(cell.outputs["RD_DATA"]):
            yield net, 0 if clocked[bit // width] == "1" else 1
        return
    else:
        return
    for nets in cell.outputs.values():
        for net in nets:
            yield net, start


def arcs(cell: Cell) -> Iterator[Arc]:
    """The combinational ways through a cell."""
    kind = cost(cell)
    if cell.type == "CARRY4":
        yield from _carry_arcs(cell)
    elif "lut_logic" in kind or "muxf" in kind:
        sources = _nets(cell.inputs.values())
        for output in _nets(cell.outputs.values()):
            yield Arc(output, sources, int("lut_logic" in kind), int("muxf" in kind))
    elif "lut_memory" in kind or "lut_shift" in kind:
        for pin, nets in cell.outputs.items():
            address = _nets(cell.inputs.get(name, ()) for name in _ASYNC_READ.get(pin, ()))
            for output in nets:
                yield Arc(output, address, 1)
    elif cell.type == "$mem_v2":
        width, abits = _integer(cell, "WIDTH"), _integer(cell, "ABITS")
        clocked = cell.parameters["RD_CLK_ENABLE"][::-1]
        for bit, output in enumerate(cell.outputs["RD_DATA"]):
            port = bit // width
            if clocked[port] != "1":
                yield Arc(output, cell.inputs["RD_ADDR"][port * abits : (port + 1) * abits], 1)
    elif "dsp" in kind and not _registered_dsp(cell):
        sources = _nets(nets for pin, nets in cell.inputs.items() if pin not in _DSP_CLOCKS)
        for output in _nets(cell.outputs.values()):
            yield Arc(output, sources, 1)


def endpoints(cell: Cell) -> tuple[Net, ...]:
    """The nets on which paths end, because the cell samples them at the clock edge."""
    kind = cost(cell)
    sequential = kind.keys() & {"ff", "bram36", "lut_memory", "lut_shift", "memory_bits"}
    if not sequential and not _registered_dsp(cell):
        return ()
    through = {pin for pins in _ASYNC_READ.values() for pin in pins}
    if "lut_memory" in kind:
        # The write address of RAM32M and RAM64M is ADDRD; of the others A, which is an address
        # of a read as well.
        through -= {"ADDRD", "A", *(f"A{n}" for n in range(8))}
    elif "lut_shift" not in kind:
        through = set()
    through |= clock_pins(cell)
    return _nets(nets for pin, nets in cell.inputs.items() if pin not in through)


def _carry_arcs(cell: Cell) -> Iterator[Arc]:
    # A chain counts as one level, charged where it is entered (S, DI, CYINIT), and nothing from
    # one CARRY4 to the next (CI).  O[i] depends on S[0..i] and DI[0..i-1], CO[i] on DI[i], too.
    select, data = cell.inputs["S"], cell.inputs["DI"]
    for pin, nets in cell.outputs.items():
        for bit, output in enumerate(nets):
            entry = (
                *select[: bit + 1],
                *data[: bit + (pin == "CO")],
                *cell.inputs.get("CYINIT", ()),
            )
            yield Arc(output, entry, 1)
            yield Arc(output, cell.inputs.get("CI", ()), 0)


def _registered_dsp(cell: Cell) -> bool:
    return cell.type == "DSP48E1" and any(
        _integer(cell, name) for name in _DSP_REGISTERS if name in cell.parameters
    )


def _integer(cell: Cell, parameter: str) -> int:
    return int(cell.parameters[parameter], 2)


def _nets(groups) -> tuple[Net, ...]:
    return tuple(net for nets in groups for net in nets)
