"""Mapping to the cells of Lattice ECP5, for placement and routing.

Yosys leaves the registers behind block memories in the fabric, and builds logic around memories
whose read and write port may meet at one address.  Both are undone here: the first by moving such
registers into the memories, which have them (REGMODE), the second by telling Yosys that the design
does not look at what it reads in that case, which a simulation of the project's tests proves.
"""

from collections.abc import Mapping

from .yosys import YosysCrash, run_yosys

__all__ = ["absorb_output_registers", "map_ecp5"]

#: Amaranth's memories that belong into blocks; others keep what Verilog says of such reads.
_BLOCKS = "a:ram_style=block"


def map_ecp5(
    verilog: str, top: str, *, keep: str, inside: str
) -> tuple[dict, dict[str, int], str]:
    """Map ``verilog`` to a flat design of ECP5's cells.

    Parameters
    ----------
    verilog, top
        The design and its top.
    keep, inside
        Module that is mapped on its own and dissolved afterwards, and the name of its instance in
        the top: the names of its cells, and no others, begin with it.

    Returns
    -------
    tuple
        Yosys' json design; how many ports of block memories are read (``ports``) and have their
        output register (``registered``); and which of its mappers made the LUTs, "abc9" or, where
        that one fails, "abc".

    Raises
    ------
    SynthError
        If Yosys refuses the design.
    """
    def run(options: str) -> dict:
        (design,) = run_yosys(
            verilog, top,
            f"read_verilog design.v; setattr -set no_rw_check 1 {_BLOCKS}; "
            # A name with dots stays one name if it is escaped.
            f"setattr -mod -set keep_hierarchy 1 \\{keep}; synth_ecp5 -top {top} {options}; "
            f"setattr -mod -unset keep_hierarchy \\{keep}; flatten; clean; write_json flat.json",
            ("flat.json",),
        )  # fmt: skip
        return design

    mapper = "abc9"
    try:
        design = run("")
    except YosysCrash:
        # Yosys 0.70 trips over its own netlist after some runs of its newer mapper.
        mapper = "abc"
        design = run("-noabc9")
    return design, absorb_output_registers(design["modules"][top], f"{inside}."), mapper


def absorb_output_registers(module: dict, prefix: str = "") -> dict[str, int]:
    """Move registers behind block memories into them; changes ``module``.

    A register moves if all that a port reads goes into registers of the port's clock without
    reset and enable, whose names begin with ``prefix``, and nowhere else.
    """
    cells = module["cells"]
    readers: dict[int, list[tuple[str, str]]] = {}
    for name, cell in cells.items():
        for pin, nets in cell["connections"].items():
            if cell["port_directions"].get(pin) == "input":
                for net in nets:
                    readers.setdefault(net, []).append((name, pin))
    for port in module["ports"].values():
        if port["direction"] == "output":
            for net in port["bits"]:
                readers.setdefault(net, []).append(("", ""))
    count = {"ports": 0, "registered": 0}
    for cell in [cell for cell in cells.values() if cell["type"] == "DP16KD"]:
        sides = [
            (f"REGMODE_{side}", cell["connections"][f"CLK{side}"], pins)
            for side in "AB"
            if (pins := _read_pins(cell, side, readers))
        ]
        if _wide(cell) and sides:
            # One port writes and one reads; the word leaves through the pins of both.
            clock = cell["connections"]["CLKB"]
            sides = [("both", clock, [pin for _, _, pins in sides for pin in pins])]
        for mode, clock, pins in sides:
            count["ports"] += 1
            registers = [readers[net] for _, net in pins]
            if all(
                len(found) == 1
                and found[0][0].startswith(prefix)
                and _is_plain_register(cells.get(found[0][0]), found[0][1], clock)
                for found in registers
            ):
                count["registered"] += 1
                if mode == "both":
                    cell["parameters"] |= {"REGMODE_A": "OUTREG", "REGMODE_B": "OUTREG"}
                    cell["connections"]["OCEA"] = cell["connections"]["OCEB"]
                else:
                    cell["parameters"][mode] = "OUTREG"
                for (pin, _), [(register, _)] in zip(pins, registers, strict=True):
                    cell["connections"][pin] = cells.pop(register)["connections"]["Q"]
    return count


def _read_pins(cell: Mapping, side: str, readers: Mapping) -> list[tuple[str, int]]:
    """Data outputs of a port that something reads, with their nets."""
    found = []
    for bit in range(18):
        for net in cell["connections"].get(f"DO{side}{bit}", ()):
            if net in readers:
                found.append((f"DO{side}{bit}", net))
    return found


def _wide(cell: Mapping) -> bool:
    return int(cell["parameters"]["DATA_WIDTH_A"], 2) == 36


def _is_plain_register(cell: Mapping | None, pin: str, clock) -> bool:
    if cell is None or cell["type"] != "TRELLIS_FF" or pin not in ("DI", "M"):
        return False
    parameters, pins = cell["parameters"], cell["connections"]
    return (
        pins["CLK"] == clock
        and parameters.get("CLKMUX", "CLK") == "CLK"
        and parameters["REGSET"] == "RESET"
        and (parameters.get("CEMUX", "CE").strip() == "1" or pins.get("CE") == ["1"])
        and pins.get("LSR", ["0"]) == ["0"]
    )
