"""What ``build.json`` tells of a core: its figures, ports, blocks, memories and resources."""

import re
from collections.abc import Mapping

from lutgen.model.model import Model

__all__ = [
    "DEPTHS", "RESOURCES", "block_paths", "describe_core", "memory_bits", "port_list",
    "register_record", "resource_record",
]  # fmt: skip

RESOURCES = ("lut", "lut_logic", "lut_memory", "lut_shift", "ff", "bram36", "dsp", "carry4",
              "muxf", "memory_bits")  # fmt: skip
#: LUT levels, and logic levels as Vivado counts them; see `lutgen.synth.levels`.
DEPTHS = ("levels", "logic_levels")
#: Blocks that together are the network of the paper: what decides the class.
_NETWORK = ("layers", "walker")


def register_record(config, core: str, name: str) -> dict:
    from .registers import build_maps, describe_registers

    return describe_registers(build_maps([core], config)[core], name)


def describe_core(config, core: str) -> dict:
    # Lanes must not be fewer than the loops are deep.
    if core == "encoder":
        return {
            "lanes": config.lanes_of_encoder,
            "depth": config.min_encoder_lanes,
            "latency": {"class": config.encoder_class_at, "interval": config.encoder_interval_at},
            "buffers": {"tiles": config.input_buffers, "packets": config.packet_buffers},
        }
    return {
        "lanes": config.decoder_lanes,
        "depth": config.min_decoder_lanes,
        "latency": {"class": config.decoder_class_at, "symbol": config.decoder_symbol_at},
        "buffers": {
            "tiles": config.output_buffers, "payload_bytes": 1 << config.payload_address_bits,
        },
    }  # fmt: skip


def block_paths(model: Model, core: str, registers: bool = False) -> dict[str, list[str]]:
    """Hierarchy paths of the blocks that resources are counted by."""
    blocks = {
        "comparators": ["core.network.thermometer"],
        "layers": ["core.network"],  # with the delay lines beside them
        "walker": ["core.network.walker"],
        "head": ["core.head"],
        "coder": ["core.coder", "core.packer"],
        "lanes": ["core.lanes", "core.window"],
        "memories": ["core.raster", "core.writer"],
        "rest": [""],
    }
    if core == "decoder":
        blocks["coder"] = ["core.coder"]
        blocks["memories"] = ["core.raster", "core.reader", "core.payload"]
    if model.walker is None:
        del blocks["walker"]
    if "index" not in model.head.groups:  # counted, see `lutgen.gateware.network.readout`
        blocks["popcounts"] = ["core.network.popcount_*"]
        blocks["head"].append("core.network.classifier")
    if model.constraint:
        blocks["constraint"] = ["core.head.weights"]
    if model.levels:
        upsampler = "core.levels.upsample.network"
        blocks |= {
            "ups comparators": [f"{upsampler}.thermometer"],
            "ups layers": [f"{upsampler}.layers"],
            "ups popcounts": [f"{upsampler}.popcount_*"],
            "levels": ["core.levels"],
        }
        blocks["lanes"].append("core.prior")
    if registers:
        blocks["registers"] = ["registers"]
    return blocks


def resource_record(found: Mapping) -> dict:
    """What of an estimate goes into the record."""
    parts = [found["blocks"][name] for name in _NETWORK if name in found["blocks"]]
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
        "network": {kind: sum(part[kind] for part in parts) for kind in RESOURCES}
        | {
            kind: max((p[kind] for p in parts if p[kind] is not None), default=None)
            for kind in DEPTHS
        },
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
_MEMORIES = {
    "core.head": "tables",
    "core.network": "walker",
    "core.raster": "tiles",
    "core.payload": "payload",
    "core.writer": "payload",
    "core.window": "window",
    "core.prior": "window",
    "core.levels": "levels",
}


def memory_bits(verilog: str, module: str, cores: int = 1) -> dict[str, int]:
    """Bits of the memories in a Verilog text, by what they hold.

    Several cores share one module, ``<module>_core``.
    """
    bits = dict.fromkeys([*_MEMORIES.values(), "other"], 0)
    kind, count = "other", 1
    for line in verilog.splitlines():
        if match := _MODULE.match(line):
            path = (match[1] or match[2]).removeprefix(module).removeprefix(".")
            count = cores if path.startswith("_core") else 1
            path = path.removeprefix("_")
            kind = _MEMORIES.get(".".join(path.split(".")[:2]), "other")
        elif match := _MEMORY.match(line):
            bits[kind] += count * (int(match[1] or 0) + 1) * (int(match[2]) + 1)
    return bits
