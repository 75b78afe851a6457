"""A design routed on its own: clock, critical path and cells, on Lattice ECP5."""

import time
from collections import Counter
from collections.abc import Mapping

from lutgen.targets import Target

from .ecp5 import map_ecp5
from .harness import HARNESS, INSIDE, harness, ports
from .nextpnr import RouteError, device_options, place_and_route

__all__ = ["route"]

_CORE = "core."


def route(verilog: str, module: str, target: Target, *, seed: int = 1) -> dict:
    """Map, place and route one module of a design, in a frame that keeps pins out of its paths.

    Parameters
    ----------
    verilog
        The design, as Amaranth writes it.
    module
        The module to route, with all below it.
    target
        Device; its clock goal is what placement and routing aim at.
    seed
        Where placement begins: another gives another result, some percent apart.

    Returns
    -------
    dict
        Ready for json::

            {"module", "seed", "goal_mhz", "fmax_mhz", "met",
             "cells": {type: count}, "blocks": {block: {type: count}},
             "mapper", "memory_outputs": {"ports", "registered"},
             "frame": {"registers"}, "utilisation": {kind: [used, available]},
             "critical_path": {"ns", "clk_to_q_ns", "logic_ns", "routing_ns", "setup_ns",
                               "levels", "from_block", "to_block", "steps"},
             "seconds"}

        ``cells`` are those of the module after mapping and ``blocks`` splits them by the part of
        the core whose nets the cells are named after; ``utilisation`` is of everything placed,
        the frame's registers included, less those that nothing reads.

    Raises
    ------
    InputError
        If the target cannot be routed.
    SynthError
        If Yosys refuses the design, or the module is not there.
    RouteError
        If nextpnr is missing, or the module does not fit or cannot be routed.
    """
    device_options(target.part)
    began = time.perf_counter()
    frame = harness(verilog, module)
    design, outputs, mapper = map_ecp5(verilog + frame, HARNESS, keep=module, inside=INSIDE)
    cells = {
        name.removeprefix(f"{INSIDE}."): cell["type"]
        for name, cell in design["modules"][HARNESS]["cells"].items()
        if name.startswith(f"{INSIDE}.") and not cell["type"].startswith("$")
    }
    blocks: dict[str, Counter] = {}
    for name, kind in cells.items():
        blocks.setdefault(_block(name), Counter())[kind] += 1
    found = place_and_route(design, part=target.part, clock_mhz=target.clock_mhz, seed=seed)
    path = found["critical_path"]
    if path is None:
        raise RouteError(f"block must have a path between registers to be routed, not {module!r}")
    return {
        "module": module,
        "seed": seed,
        "goal_mhz": target.clock_mhz,
        "fmax_mhz": found["fmax_mhz"],
        "met": found["fmax_mhz"] >= target.clock_mhz,
        "cells": dict(sorted(Counter(cells.values()).items())),
        "blocks": {name: dict(sorted(count.items())) for name, count in sorted(blocks.items())},
        "mapper": mapper,
        "memory_outputs": outputs,
        "frame": {"registers": _frame_registers(verilog, module)},
        "utilisation": found["utilisation"],
        "critical_path": _named(path),
        "seconds": round(time.perf_counter() - began, 1),
    }


def _frame_registers(verilog: str, module: str) -> int:
    found = ports(verilog, module)
    inputs = sum(port.width for port in found if port.is_input and port.name not in ("clk", "rst"))
    outputs = sum(port.width for port in found if not port.is_input)
    return max(1, inputs) + 1 + 2 * outputs + 1 + 1


def _block(name: str) -> str:
    """Part of the core that a cell is named after; "rest" if it is none."""
    if not name.startswith(_CORE):
        return "rest"
    part, dot, _ = name.removeprefix(_CORE).partition(".")
    return part if dot else "rest"


def _named(path: Mapping) -> dict:
    """The path with the parts of the core at its ends, without the frame's instance name."""
    prefix = f"{INSIDE}."
    steps = [
        {
            key: value.removeprefix(prefix) if isinstance(value, str) else value
            for key, value in step.items()
        }
        for step in path["steps"]
    ]
    ends = {"from_block": _block(steps[0]["from"]), "to_block": _block(steps[-1]["to"])}
    return {**{key: value for key, value in path.items() if key != "steps"}, **ends, "steps": steps}
