"""``lutgen build --top entropy-engine``: the entropy engine of the lossy codec, in a folder."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from lutgen.errors import InputError
from lutgen.handoff.vivado import vivado_files
from lutgen.model.default import LOSSY
from lutgen.names import build_of, module_name, raw_name, top_module
from lutgen.targets import Target, get_target

from . import core as build_core
from .describe import memory_bits, port_list, resource_record
from .folder import make_folder, new_record
from .options import CORES, ENGINE, EngineOptions
from .testbench import engine_testbench
from .text import codec_ports, comment, wrapper
from .verilog import list_files, write_core

__all__ = ["ENGINE", "NO_MODEL", "EngineOptions", "build_engine", "load_engine_tables"]

#: Hash of a build without a model: the tables of the format alone.
NO_MODEL = "0" * 64
_TABLES = "tables.npy"
_WORKER = "from lutgen.build.engine import work; work()"


def build_engine(
    target: str | Target,
    model: str | os.PathLike | None = None,
    options: EngineOptions | None = None,
    *,
    out: str | os.PathLike | None = None,
    estimate: bool = True,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Write the Verilog of the entropy engine, encoder and decoder, and what belongs to it.

    Parameters
    ----------
    target:
        Device, or its name.
    model:
        File of the lossy codec, for its tables; None for those of the format alone.
    options:
        What the engine is made of; None for the defaults.
    out, estimate, progress:
        See `.codec.build`; the folder is ``rtl_out/<target>/entropy-engine`` by default.

    Returns
    -------
    dict
        The contents of ``build.json``, and ``folder``.

    Raises
    ------
    InputError
        If the model is none.
    BuildError
        If Yosys refuses a core, or a process that makes one is killed.
    OSError
        If a file cannot be read or written.
    """
    from lutgen.codec.lossy.model import format_tables, load_tables

    target = get_target(target) if isinstance(target, str) else target
    if model not in (None, LOSSY) and not Path(model).is_file():
        raise InputError(
            f"model must be a file of the lossy codec, not {os.fspath(model)!r}, which does not "
            "exist: leave it out for the tables of the format alone"
        )
    tables, digest = (format_tables(), NO_MODEL) if model is None else load_tables(model)
    options = (options or EngineOptions()).settle(None if model is None else digest, target)
    out = Path("rtl_out", target.name, ENGINE) if out is None else Path(out)
    record = new_record(target) | {
        "model": {
            "file": _TABLES,
            "hash": digest,
            "profile": "loc-lic",
            "classes": tables.classes,
        },
        "parameters": options.record(),
        "rate": {"symbols_per_clock": 1, "msymbols_per_s": target.clock_mhz},
        "cores": {},
    }

    def further(verilog: list[str], memories: list[str]) -> dict[str, str]:
        module = top_module(record)
        verilog.append(f"{module}.v")
        text = _header(record, module) + wrapper(record["cores"], module)
        texts = {verilog[-1]: text} | list_files(verilog, None)
        if "vivado" in target.tools:
            ports = {core["module"]: core["ports"] for core in record["cores"].values()}
            ports[module] = codec_ports(record["cores"])
            texts |= vivado_files(record, target, ports, verilog, memories)
        return texts | engine_testbench(record, tables, options.stream_bytes)

    return make_folder(
        out, record, CORES, target,
        save_input=lambda work: np.save(work / _TABLES, tables.cumulative), further=further,
        worker=_WORKER, estimate=estimate, progress=progress,
    )  # fmt: skip


def load_engine_tables(folder: str | os.PathLike):
    """The tables that a build's folder holds.

    Raises
    ------
    InputError
        If they are none.
    """
    from lutgen.codec.lossy.escape import EscapeTables

    return EscapeTables(np.load(Path(folder, _TABLES), allow_pickle=False))


def work() -> None:
    """The process: Verilog, and perhaps the estimate, of one core."""
    build_core.work(_make)


def _make(work: Path, core: str, record: Mapping, estimate: bool) -> dict:
    from lutgen.gateware.engine.entropy_engine import EntropyDecoderTop, EntropyEncoderTop
    from lutgen.gateware.fabric.fabric import FABRICS
    from lutgen.gateware.fabric.verilog import to_verilog

    print("Verilog", flush=True)
    began = time.perf_counter()
    options = EngineOptions.of_record(record["parameters"])
    top = {"encoder": EntropyEncoderTop, "decoder": EntropyDecoderTop}[core]
    component = top(
        load_engine_tables(work), stream_bytes=options.stream_bytes,
        fabric=FABRICS[options.fabric],
    )  # fmt: skip
    part = f"entropy-{core}"
    raw, module = raw_name(part), module_name(build_of(record), part)
    text = to_verilog(component, raw)
    found = {
        "module": module,
        "latency": component.latency,
        "memory_bits": memory_bits(text, raw, {"core.head": "tables"}),
        "ports": port_list(component),
        "resources": None,
    }
    write_core(work, text, raw, module, _header(record, module))
    found["seconds"] = {"verilog": round(time.perf_counter() - began, 2)}
    if estimate:
        from lutgen.synth import estimate as count

        print("resources", flush=True)
        began = time.perf_counter()
        target = Target(**record["target"] | {"tools": tuple(record["target"]["tools"])})
        found["resources"] = resource_record(count(text, raw, target, _BLOCKS[core]))
        found["seconds"]["resources"] = round(time.perf_counter() - began, 2)
    print("done", flush=True)
    return found


#: Hierarchy paths of the blocks that resources are counted by.
_BLOCKS = {
    "encoder": {
        "head": ["core.head"], "coder": ["core.coder"], "bits": ["core.joiner"],
        "queue": ["core.queue"], "control": ["core"], "rest": [""],
    },
    "decoder": {
        "head": ["core.head"], "bits": ["core.window"], "queue": ["core.queue"],
        "coder": ["core"], "rest": [""],
    },
}  # fmt: skip


def _header(record: Mapping, module: str) -> str:
    return comment(
        record, module, f"{record['model']['classes']} classes of the entropy coder",
        [f"stream         {record['parameters']['stream_bytes']} bytes, "
         "24 interleaved rANS states"],
    )  # fmt: skip
