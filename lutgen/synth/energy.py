"""Dynamic energy of a mapped design from counts of what its cells and nets do.

The energy of a clock is the sum over all nets of transitions times the energy of one, which is
what the driving cell takes and, unless the net stays within a slice, what the wires take; plus
block memories by access, LUT memories by write, shift registers by shift, multipliers by product,
and the clock's own net by load.  `COEFFICIENTS` is the whole model: every number with where it is
from.

Left out are static power, pins and the clock's generator.  Nothing is placed or routed: a net's
wires are charged by its fan-out alone.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lutgen.errors import InputError

from .blocks import owner_of, path_parts
from .cells import Cell, Net, clock_pins, cost
from .mapped import MappedDesign

__all__ = ["CLASSES", "COEFFICIENTS", "Coefficient", "energy"]


@dataclass(frozen=True)
class Coefficient:
    """One number of the model: picojoules per event, what the event is, and where it is from."""

    picojoules: float
    event: str
    source: str


# Reports that the numbers rest on.  All are of AMD's own power models.
#
# A. Vivado 2020.1 `report_power` of a routed RISC-V system (CVA6) on xc7z020-1, 28 nm, 1.0 V,
#    45 MHz, activity from a simulation (SAIF, 89 % of nets):
#    github.com/riscmakers/cva6-softcore-contest, fpga/results/base/post_impl/
#    power_routed_mnist.txt.  Clocks 27 mW, LUT logic 13 mW (26,755), registers < 1 mW (22,768),
#    shift registers < 1 mW (121), LUT memories < 1 mW (52), signals 18 mW (46,725), block memory
#    21 mW (86 RAMB36).
# B. Vivado `report_power` of a regular-expression engine (CSRE, Cyansemi) on Alveo U50, 16 nm,
#    0.85 V, 180 MHz, default activity, in the project's README: LUT logic 1,235 mW (475,034),
#    registers 137 mW (665,852), CARRY8 29 mW (17,768), signals 3,132 mW (1,062,891), block memory
#    1,532 mW (412.5 RAMB36), clocks 2,464 mW.
# C. AMD DS512 (Block Memory Generator 6.1), table 41: block memories of Virtex-5, 65 nm, 1.0 V,
#    300 MHz, all data at 50 % toggle rate, every port enabled.
# D. Shang, Kaviani, Bathala, "Dynamic Power Consumption in Virtex-II FPGA Family", FPGA 2002:
#    5.9 uW/MHz for a CLB (8 LUT4, 8 registers), 60 % routing, 16 % logic, 14 % clock; 150 nm,
#    1.5 V.
# E. AMD UG440 (Xilinx Power Estimator), logic sheet: a usual net toggles in 12.5 % of clocks and
#    has a fan-out of 3.
# F. Vivado 2023.2 `report_power` of a routed matrix multiplier on xc7a100t-1, 28 nm, 1.0 V,
#    100 MHz, default activity: github.com/NotCleo/TPU-Cores, reports/power.rpt.  DSPs 56 mW
#    (133 DSP48E1).
# G. Vivado 2022.2 `report_power` of a synthesised number-theoretic transform on xc7a200t-1, 28 nm,
#    1.0 V, 100 MHz, default activity: github.com/mzybest/MDC-NTT, reports/power.rpt.  DSPs 455 mW
#    (570 DSP48E1).
#
# Between processes, capacitance is taken to go with the feature size, energy with V^2: B to 28 nm
# at 1.0 V is 28 / 16 / 0.85^2 = 2.42 times as much, C 28 / 65, D 28 / 150 / 1.5^2.
_NET = (
    "assumption: 0.2 pF + 0.1 pF per load at 1.0 V, C V^2 / 2, which is 0.25 pJ at a fan-out of 3 "
    "(E). Check: report B gives 16.4 fJ per signal and clock, 40 fJ in 28 nm, 0.32 pJ at a toggle "
    "rate of 12.5 %; D gives 37 fJ of routing per LUT and clock in 28 nm, 0.29 pJ at 12.5 %; "
    "A gives 8.6 fJ per signal and clock, 0.25 pJ if 3.4 % of its nets toggle"
)
COEFFICIENTS: Mapping[str, Coefficient] = MappingProxyType({
    "net": Coefficient(0.10, "transition of a net that leaves its slice", _NET),
    "load": Coefficient(0.05, "the same, for each load outside the slice", _NET),
    "lut": Coefficient(
        0.30, "transition at the output of a LUT",
        "derived with the assumption for nets: report A gives 10.8 fJ per LUT and clock against "
        "8.6 fJ per signal, 1.26 times 0.25 pJ; report B gives 14.4 against 16.4 fJ, 0.88 times",
    ),
    "ff": Coefficient(
        0.024, "transition at the output of a flip-flop",
        "report B: 1.14 fJ per register against 14.4 fJ per LUT and clock, 0.079 of a LUT's; "
        "report A: less than 0.98 against 10.8 fJ",
    ),
    "carry": Coefficient(
        0.024, "transition at a sum or carry output of CARRY4",
        "report B: 9.1 fJ per CARRY8 against 14.4 fJ per LUT and clock, by 8 bits",
    ),
    "mux": Coefficient(
        0.024, "transition at the output of MUXF7 or MUXF8",
        "assumption: as a carry bit; reports A and B round it to nothing",
    ),
    "shift": Coefficient(
        0.18, "clock in which an SRL shifts",
        "upper bound of report A: < 1 mW / 45 MHz / 121",
    ),
    "write": Coefficient(
        0.43, "clock in which a LUT of a LUT memory is written",
        "upper bound of report A: < 1 mW / 45 MHz / 52; its outputs are charged as a LUT's",
    ),
    "bram": Coefficient(
        10.0, "clock in which a port of RAMB36 is enabled; half of it for RAMB18",
        "report C: 15.4 pJ (8k x 72: 148 mW / 300 MHz / 32 ports) to 32.5 pJ (2k x 36: 39 mW / "
        "300 MHz / 4 ports) in 65 nm, 6.6 to 14.0 pJ in 28 nm, about the middle. Check: report B "
        "gives 20.6 pJ per RAMB36 and clock, two ports in 16 nm; report A 5.4 pJ at its activity",
    ),
    "product": Coefficient(
        6.0, "clock in which what a DSP48E1 multiplies or adds to has changed",
        "report F: 4.2 pJ (56 mW / 100 MHz / 133); report G: 8.0 pJ (455 mW / 100 MHz / 570); the "
        "middle. Check: report A: less than 5.6 pJ (< 1 mW / 45 MHz / 4)",
    ),
    "clock": Coefficient(
        0.026, "clock at a clock pin, share of the clock's net included",
        "report A: 27 mW / 45 MHz / 22,768 registers; report B gives 0.021 pJ in 16 nm",
    ),
})  # fmt: skip

#: Classes of nets by what drives them, and of other events.
CLASSES = MappingProxyType({
    "lut": "LUT outputs",
    "ff": "flip-flop outputs",
    "carry": "carry chains",
    "mux": "MUXF7, MUXF8",
    "lut_memory": "LUT memories",
    "shift_register": "shift registers",
    "bram": "block memories",
    "multiplier": "multipliers",
    "input": "input ports",
    "clock": "clock net",
})  # fmt: skip
#: Coefficient of a transition by class of the driver; block memories pay by access, shift
#: registers by shift, multipliers by product.
_DRIVER = {"lut": "lut", "ff": "ff", "carry": "carry", "mux": "mux", "lut_memory": "lut"}
# Pins to which the LUTs, multiplexers and carry bits of a slice have wires of their own, and those
# to which the multiplier below has.
_LOCAL_PINS = {
    "MUXF7": ("I0", "I1"), "MUXF8": ("I0", "I1"), "CARRY4": ("S", "CI"), "DSP48E1": ("PCIN",),
}  # fmt: skip


def energy(
    design: MappedDesign,
    blocks: Mapping[str, Iterable[str]],
    *,
    transitions: Callable[[Net], int],
    shifts: Iterable[tuple[Cell, int]],
    writes: Iterable[tuple[Cell, int]],
    accesses: Iterable[tuple[Cell, int]],
    products: Iterable[tuple[Cell, int]],
    clocks: int,
) -> dict:
    """Energy of a stretch of time.

    Parameters
    ----------
    design : MappedDesign
    blocks : mapping
        Hierarchy paths of each block, see `lutgen.synth.estimate`; what fits nowhere is "other".
    transitions : callable
        Changes of a net in that time.
    shifts, writes, accesses, products : iterables of cell and count
        Clocks in which shift registers shift, LUT memories are written, ports of block memories
        are enabled, each port on its own, and what multipliers multiply or add to has changed.
    clocks : int
        Clocks in that time.

    Returns
    -------
    dict
        In picojoules: ``total``; ``classes``, for each of `CLASSES` ``cells``, ``wires`` and the
        number of ``events`` (transitions, or accesses, or products, or clock pins times clocks);
        ``blocks``, for each block the sum of it all; ``coefficients``, by coefficient what it
        contributes.
    """
    parts = {name: [path_parts(path) for path in paths] for name, paths in blocks.items()}
    owners: dict[str, str] = {}
    classes: dict[str, dict[str, float]] = {
        name: {"cells": 0.0, "wires": 0.0, "events": 0} for name in CLASSES
    }
    by_block = dict.fromkeys(parts, 0.0)
    coefficients = dict.fromkeys(COEFFICIENTS, 0.0)

    def charge(path: str, kind: str, where: str, name: str, count: float) -> None:
        picojoules = count * COEFFICIENTS[name].picojoules
        owner = owners.get(path) or owners.setdefault(path, owner_of(path_parts(path), parts))
        classes[kind][where] += picojoules
        by_block[owner] = by_block.get(owner, 0.0) + picojoules
        coefficients[name] += picojoules

    loads, wired = _loads(design)
    drivers = {net: ("", "input") for nets in design.inputs.values() for net in nets}
    for cell in design.cells:
        kind = _class(cell)
        for nets in cell.outputs.values():
            drivers.update({net: (cell.path, kind) for net in nets})
        pins = sum(
            not isinstance(net, str) for pin in clock_pins(cell) for net in cell.inputs.get(pin, ())
        )
        if pins:
            charge(cell.path, "clock", "wires", "clock", pins * clocks)
            classes["clock"]["events"] += pins * clocks
    clock = {
        net for cell in design.cells for pin in clock_pins(cell)
        for net in cell.inputs.get(pin, ())
    }  # fmt: skip
    for net, (path, kind) in drivers.items():
        if net in clock or not loads.get(net):
            continue  # a net that nothing reads is not there
        count = transitions(net)
        if kind not in ("bram", "multiplier"):
            classes[kind]["events"] += count
        if kind in _DRIVER:
            charge(path, kind, "cells", _DRIVER[kind], count)
        if wired.get(net):
            charge(path, kind, "wires", "net", count)
            charge(path, kind, "wires", "load", count * wired[net])
    for cell, count in shifts:
        charge(cell.path, "shift_register", "cells", "shift", count)
    for cell, count in writes:
        charge(cell.path, "lut_memory", "cells", "write", count * cost(cell)["lut_memory"])
    for cell, count in accesses:
        charge(cell.path, "bram", "cells", "bram", count * cost(cell)["bram36"])
        classes["bram"]["events"] += count
    for cell, count in products:
        charge(cell.path, "multiplier", "cells", "product", count)
        classes["multiplier"]["events"] += count
    return {
        "classes": classes, "blocks": by_block, "coefficients": coefficients,
        "total": sum(by_block.values()),
    }  # fmt: skip


def _class(cell: Cell) -> str:
    kind = cost(cell)
    for resource, name in (
        ("lut_logic", "lut"), ("ff", "ff"), ("carry4", "carry"), ("muxf", "mux"),
        ("lut_memory", "lut_memory"), ("lut_shift", "shift_register"), ("bram36", "bram"),
        ("dsp", "multiplier"),
    ):  # fmt: skip
        if resource in kind:
            return name
    raise InputError(f"cell {cell.name!r} must be of a class with known energy: {cell.type}")


def _loads(design: MappedDesign) -> tuple[dict[Net, int], dict[Net, int]]:
    """Loads of each net: all, and those for which it leaves the slice of its driver."""
    loads: dict[Net, int] = {}
    wired: dict[Net, int] = {}
    registers: dict[Net, int] = {}  # loads that are the D of a flip-flop
    slice_logic = {
        net
        for cell in design.cells
        if _class(cell) in ("lut", "mux", "carry")
        for nets in cell.outputs.values()
        for net in nets
    }
    beside = slice_logic | {net for cell in design.cells for net in cell.outputs.get("PCOUT", ())}
    for cell in design.cells:
        local, clocks = _LOCAL_PINS.get(cell.type, ()), clock_pins(cell)
        register = "ff" in cost(cell)
        for pin, nets in cell.inputs.items():
            for net in nets if pin not in clocks else ():
                loads[net] = loads.get(net, 0) + 1
                outside = pin not in local or net not in beside
                wired[net] = wired.get(net, 0) + outside
                registers[net] = registers.get(net, 0) + (register and pin == "D")
    for net in (net for nets in design.outputs.values() for net in nets):
        loads[net] = loads.get(net, 0) + 1
        wired[net] = wired.get(net, 0) + 1
    for net in slice_logic:
        # A flip-flop sits beside the LUT, multiplexer or carry bit that it alone takes.
        if loads.get(net) == registers.get(net) == 1:
            wired[net] = 0
    return loads, wired
