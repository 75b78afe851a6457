"""One core of a build, made in a process of its own: Verilog, figures, resources."""

import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lutgen.codec.coder import coder_named
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.names import module_name, raw_name
from lutgen.targets import Target

from .cores import count_core, count_cores, count_glue, top_of_cores
from .text import header
from .verilog import write_core

__all__ = ["DEPTHS", "REFUSED", "RESOURCES", "core_config", "work"]

#: Exit status of a process that says why in a file.
REFUSED = 3
RESOURCES = ("lut", "lut_logic", "lut_memory", "lut_shift", "ff", "bram36", "dsp", "carry4",
              "muxf", "memory_bits")  # fmt: skip
#: LUT levels, and logic levels as Vivado counts them; see `lutgen.synth.levels`.
DEPTHS = ("levels", "logic_levels")
#: Blocks that together are the network of the paper: what decides the class.
_NETWORK = ("layers", "walker")


def core_config(model: Model, parameters: Mapping):
    """The core's configuration; Amaranth is loaded here."""
    from lutgen.gateware.core.config import CoreConfig

    names = ("tile_width", "tile_height", "max_width", "max_height", "lanes", "encoder_lanes",
             "primitive")  # fmt: skip
    # Builds of the first versions name neither the coder nor the fabric.
    coder = coder_named(parameters.get("coder", "rans"), parameters.get("tans_bits"))
    return CoreConfig(
        model, **{name: parameters[name] for name in names}, coder=coder,
        fabric=parameters.get("fabric", "lut6"),
    )  # fmt: skip


def work(make: Callable[[Path, str, Mapping, bool], dict] | None = None) -> None:
    """The process: Verilog, and perhaps the estimate, of one core; of one that ``make`` makes."""
    jobs, core = Path(sys.argv[1]), sys.argv[2]
    order = json.loads((jobs / f"{core}.json").read_text())
    try:
        found = (make or _make)(jobs.with_name("files"), core, order["record"], order["estimate"])
    except (ValueError, OSError) as error:
        # Of a full disk: the file is in a folder of ours, which the user does not know.
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        (jobs / f"{core}.error").write_text(text)
        raise SystemExit(REFUSED) from None
    (jobs / f"{core}.json").write_text(json.dumps(found))


def _make(work: Path, core: str, record: Mapping, estimate: bool) -> dict:
    from lutgen.gateware.fabric.verilog import to_verilog

    def tell(step: str) -> None:
        print(step, flush=True)

    began = time.perf_counter()
    tell("Verilog")
    model = Model.load(work / "model.lutgen")
    parameters = record["parameters"]
    config = core_config(model, parameters)
    registers, cores = (parameters[name] for name in ("registers", "cores"))
    if cores > 1:
        component = top_of_cores(core, config, parameters)
    else:
        top = _top_class(core, registers)
        component = top(config, stream_bytes=parameters["stream_bytes"])
    raw, module = raw_name(core), module_name(parameters["name"], core)
    text = to_verilog(component, raw)
    found = {"module": module} | _describe_core(config, core) | {
        "memory_bits": _memory_bits(text, raw, cores),
        "ports": _ports(component),
        "registers": _describe_registers(config, core, parameters) if registers else None,
        "resources": None,
    }
    head = header(record | {"cores": {core: found}}, module)
    write_core(work, text, raw, module, head)
    found["seconds"] = {"verilog": round(time.perf_counter() - began, 2)}
    if estimate:
        from lutgen.synth import estimate as count

        tell("resources")
        began = time.perf_counter()
        target = Target(**record["target"] | {"tools": tuple(record["target"]["tools"])})
        blocks = _blocks(model, core, registers)
        if cores > 1:
            glue = top_of_cores(core, config, parameters, core_ports=True)
            counted = count_cores(
                count_core(core, config, target, blocks), count_glue(glue, target), cores
            )
        else:
            counted = count(text, raw, target, blocks)
        found["resources"] = _resources(counted)
        found["seconds"]["resources"] = round(time.perf_counter() - began, 2)
    tell("done")
    return found


def _top_class(core: str, registers: bool) -> type:
    if registers:
        from lutgen.gateware.ip.ip import DecoderIp, EncoderIp

        return {"encoder": EncoderIp, "decoder": DecoderIp}[core]
    from lutgen.gateware.core.top import DecoderTop, EncoderTop

    return {"encoder": EncoderTop, "decoder": DecoderTop}[core]


def _describe_registers(config, core: str, parameters: Mapping) -> dict:
    from .registers import build_maps, describe_registers

    return describe_registers(build_maps([core], config)[core], parameters["name"])


def _describe_core(config, core: str) -> dict:
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


def _blocks(model: Model, core: str, registers: bool = False) -> dict[str, list[str]]:
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
    if isinstance(model.head, LaplaceHead):
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


def _resources(found: Mapping) -> dict:
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


def _ports(component) -> list[dict]:
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


def _memory_bits(verilog: str, module: str, cores: int = 1) -> dict[str, int]:
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
