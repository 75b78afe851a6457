"""Bits of registers that never change, proven by Yosys for a whole core.

The core is taken as one: constants and tables pass through all modules, and of each bit that is
left a solver shows whether it can leave the value that a reset gives it, if it has that value and
all other registers have any.  What is not proven may still never change.
"""

import re
from collections import defaultdict

from lutgen.build.verilog import primitives
from lutgen.sim.tool.design import Design
from lutgen.synth.yosys import run_yosys

__all__ = ["constant_bits"]

_ROUND = "opt_dff -sat; opt_expr -full; opt_clean; "
_SCRIPT = (
    "read_verilog design.v; hierarchy -top {top}; proc; flatten -noscopeinfo; "
    "opt_expr -full; opt_clean; memory -nomap; opt_mem; memory_map -rom-only; opt -full; "
    + 3 * _ROUND + "write_json flat.json"
)  # fmt: skip
_INSTANCE = re.compile(r"^  (\w+) (\\\S+|\w+) \($", re.M)
_MODULE = re.compile(r"^module (\w+).*?^endmodule$", re.M | re.S)


def constant_bits(design: Design) -> dict[str, set[tuple[str, int]]]:
    """Names and bits that are constant in all instances of a module, by module."""
    text = "\n".join([*design.whole_texts(), primitives()])
    (flat,) = run_yosys(text, design.top, _SCRIPT.format(top=design.top), ("flat.json",))
    names = flat["modules"][design.top]["netnames"]
    bodies = {match[1]: match[0] for match in _MODULE.finditer(text)}
    found: dict[str, list[set[tuple[str, int]]]] = defaultdict(list)

    def walk(module: str, path: str) -> None:
        prefix = f"{path}." if path else ""
        found[module].append({
            (name.removeprefix(prefix), number)
            for name, net in names.items()
            if name.startswith(prefix) and "." not in name.removeprefix(prefix)
            for number, bit in enumerate(net["bits"]) if isinstance(bit, str)
        })  # fmt: skip
        for inner, name in _INSTANCE.findall(bodies[module]):
            if inner in bodies:
                walk(inner, prefix + name.removeprefix("\\"))

    walk(design.top, "")
    return {module: set.intersection(*some) for module, some in found.items()}
