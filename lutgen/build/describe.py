"""What ``build.json`` tells of a core: its figures, ports, blocks, memories and resources."""

import re
from collections.abc import Mapping

__all__ = ["DEPTHS", "RESOURCES", "memory_bits", "port_list", "resource_record"]

RESOURCES = ("lut", "lut_logic", "lut_memory", "lut_shift", "ff", "bram36", "dsp", "carry4",
              "muxf", "memory_bits")  # fmt: skip
#: LUT levels, and logic levels as Vivado counts them; see `lutgen.synth.levels`.
DEPTHS = ("levels", "logic_levels")
#: Blocks that together are the network of the paper: what decides the class.
_NETWORK = ("layers", "walker")


def resource_record(found: Mapping) -> dict:
    """What of an estimate goes into the record; ``network`` is what of it is the paper's network.
    """
    parts = [found["blocks"][name] for name in _NETWORK if name in found["blocks"]]
    network = {kind: sum(part[kind] for part in parts) for kind in RESOURCES} | {
        kind: max((p[kind] for p in parts if p[kind] is not None), default=None) for kind in DEPTHS
    }
    worst = found["blocks"][found["worst_block"]] if found["worst_block"] else {"path": []}
    return {
        "tool": found["tool"],
        "total": {name: found["total"][name] for name in RESOURCES},
        "cells": found["total"]["cells"],
        "blocks": {
            name: {kind: block[kind] for kind in (*RESOURCES, *DEPTHS)}
            | {"endpoints": {str(k): n for k, n in block["endpoints"].items()}}
            for name, block in found["blocks"].items()
        },
        **({"network": network} if parts else {}),
        **{kind: found[kind] for kind in DEPTHS},
        "worst_block": found["worst_block"],
        "worst_path": worst["path"],
    }


def port_list(component) -> list[dict]:
    """Ports of the Verilog module: clock, reset, then those of the component's signature."""
    from amaranth.hdl import Shape
    from amaranth.lib.wiring import In

    ports = [{"name": name, "direction": "input", "width": 1} for name in ("clk", "rst")]
    for name, member in component.signature.members.items():
        ports.append({
            "name": name,
            "direction": "input" if member.flow is In else "output",
            "width": Shape.cast(member.shape).width,
        })
    return ports


_MODULE = re.compile(r"^module (?:\\(\S+) |(\w+))")
_MEMORY = re.compile(r"^  reg (?:\[(\d+):0\] )?(?:\\\S+ |\w+) +\[(\d+):0\];")


def memory_bits(
    verilog: str, module: str, kinds: Mapping[str, str], cores: int = 1
) -> dict[str, int]:
    """Bits of the memories in a Verilog text, by what they hold.

    ``kinds`` says what that is in modules below a path in the hierarchy, "other" where it does not.
    Several cores share one module, ``<module>_core``.
    """
    bits = dict.fromkeys([*kinds.values(), "other"], 0)
    kind, count = "other", 1
    for line in verilog.splitlines():
        if match := _MODULE.match(line):
            path = (match[1] or match[2]).removeprefix(module).removeprefix(".")
            count = cores if path.startswith("_core") else 1
            path = path.removeprefix("_")
            places = [p for p in kinds if path == p or path.startswith(f"{p}.")]
            kind = kinds[max(places, key=len)] if places else "other"
        elif match := _MEMORY.match(line):
            bits[kind] += count * (int(match[1] or 0) + 1) * (int(match[2]) + 1)
    return bits
