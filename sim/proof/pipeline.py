"""Whether a module is a pipeline: all that a register or gate reads belongs to the same clock.

A proof takes flip-flops for wires.  It says what a module computes only if the values that meet are
those of one input: so each way from the inputs to a signal must have as many registers.  The reset
is no input: a proof is of what a module does without it.
"""

from __future__ import annotations

from collections.abc import Mapping

from lutgen.errors import InputError

__all__ = ["NoPipelineError", "latencies"]

_REGISTERS = {"$dff", "$sdff"}
_NO_LOGIC = {"$meminit", "$meminit_v2", "$scopeinfo"}
_CONTROL = ("clk", "rst")


class NoPipelineError(InputError):
    """A module whose flip-flops cannot be taken for wires."""


def latencies(design: Mapping) -> dict[str, int]:
    """Clocks from the inputs to each output of a flat module.

    Outputs that depend on no input are left out.

    Parameters
    ----------
    design :
        The module in Yosys' json, before its memories are mapped.

    Raises
    ------
    NoPipelineError
        If ways of different lengths meet, or there is a loop, or a register that holds its value.
    """
    ports = design["ports"]
    control = {ports[name]["bits"][0] for name in _CONTROL if name in ports}
    drivers: dict[object, tuple[str, Mapping]] = {}
    clock: dict[object, int | None] = {}
    for name, port in ports.items():
        if port["direction"] == "input":
            clock |= dict.fromkeys(port["bits"], None if name in _CONTROL else 0)
    for name, cell in design["cells"].items():
        if cell["type"] in _NO_LOGIC:
            continue
        if cell["type"].startswith("$memwr"):
            raise NoPipelineError(f"memory {cell['parameters'].get('MEMID', name)} must be a table")
        for pin, bits in cell["connections"].items():
            if cell["port_directions"][pin] == "output":
                drivers |= dict.fromkeys(bits, (name, cell))
    names = {
        bit: name for name, net in reversed(design["netnames"].items()) for bit in net["bits"]
    }
    for goal in [bit for port in ports.values() for bit in port["bits"]]:
        _visit(goal, drivers, clock, names, control)
    found: dict[str, int] = {}
    for name, port in ports.items():
        if port["direction"] == "output":
            times = {at for bit in port["bits"] if (at := clock[bit]) is not None}
            if len(times) > 1:
                raise NoPipelineError(f"bits of {name} must be of one clock, not {sorted(times)}")
            found |= dict.fromkeys([name] if times else [], *times)
    return found


def _visit(goal, drivers: Mapping, clock: dict, names: Mapping, control: set) -> None:
    """Fill in the clock of a bit and of all that it depends on; None is any clock."""
    stack, open_ = [goal], set()
    while stack:
        bit = stack[-1]
        if bit in clock or isinstance(bit, str) or bit not in drivers:
            clock.setdefault(bit, None)
            stack.pop()
            continue
        name, cell = drivers[bit]
        reads = _reads(name, cell, control)
        left = [other for other in reads if other not in clock]
        if left:
            if bit in open_:
                raise NoPipelineError(f"{names.get(bit, name)} must not depend on itself")
            open_.add(bit)
            stack += left
            continue
        times = {clock[other] for other in reads} - {None}
        if len(times) > 1:
            places = {clock[other]: names.get(other, "?") for other in reads}
            shown = ", ".join(f"{places[at]} of clock {at}" for at in sorted(times))
            raise NoPipelineError(
                f"what {names.get(bit, name)} is made of must be of one clock, not {shown}"
            )
        at = times.pop() if times else None
        if cell["type"] in _REGISTERS and at is not None:
            at += 1
        for bits in _outputs(cell):
            clock |= dict.fromkeys(bits, at)
        stack.pop()


def _outputs(cell: Mapping):
    return [b for pin, b in cell["connections"].items() if cell["port_directions"][pin] == "output"]


def _reads(name: str, cell: Mapping, control: set) -> list:
    """Bits that a cell's outputs depend on."""
    kind, pins = cell["type"], cell["connections"]
    if kind in _REGISTERS:
        resets = {*pins.get("SRST", ()), *pins["CLK"]}
        if not resets <= control:
            raise NoPipelineError(f"register {name} must have no reset but the module's")
        return list(pins["D"])
    if kind in ("$memrd", "$memrd_v2"):
        if int(cell["parameters"].get("CLK_ENABLE", "0"), 2):
            raise NoPipelineError(f"{name} must be a memory that is read through a register")
        return list(pins["ADDR"])
    if "ff" in kind or "latch" in kind or kind.startswith("$mem"):
        raise NoPipelineError(f"{name} must be logic or a register without enable, not {kind}")
    return [
        bit for pin, bits in pins.items() if cell["port_directions"][pin] == "input" for bit in bits
    ]
