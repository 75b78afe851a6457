"""``lutgen build --top entropy-engine``: the entropy engine of the lossy codec, in a folder."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from lutgen.errors import InputError
from lutgen.handoff.vivado import vivado_files
from lutgen.names import build_name, module_name, raw_name, top_module
from lutgen.targets import Target, get_target

from . import core as build_core
from . import describe
from .folder import CORES, make_folder, new_record
from .text import codec_ports, comment, wrapper
from .verilog import list_files, write_core

__all__ = ["ENGINE", "NO_MODEL", "build_engine", "load_engine_tables"]

#: Name of the top.
ENGINE = "entropy-engine"
#: Hash of a build without a model: the tables of the format alone.
NO_MODEL = "0" * 64
_TABLES = "tables.npy"
_WORKER = "from lutgen.build.engine import work; work()"


def build_engine(
    target: str | Target,
    model: str | os.PathLike | None = None,
    *,
    stream_bytes: int = 4,
    name: str | None = None,
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
    stream_bytes:
        Width of the payload's TDATA in bytes: 2, 4 or 8.
    name:
        What all names begin with; by default ``lutgen_<hash of the model>``, or ``lutgen`` without
        a model.
    out, estimate, progress:
        See `.codec.build`; the folder is ``rtl_out/<target>/entropy-engine`` by default.

    Returns
    -------
    dict
        The contents of ``build.json``, and ``folder``.

    Raises
    ------
    InputError
        If a parameter is outside its range, or the model is none.
    BuildError
        If Yosys refuses a core, or a process that makes one is killed.
    OSError
        If a file cannot be read or written.
    """
    from lutgen.codec.lossy.model import format_tables, load_tables

    target = get_target(target) if isinstance(target, str) else target
    if stream_bytes not in (2, 4, 8):
        raise InputError(
            f"stream width of the entropy engine must be 2, 4 or 8 bytes, not {stream_bytes!r}"
        )
    if model is not None and not Path(model).is_file():
        raise InputError(
            f"model must be a file of the lossy codec, not {os.fspath(model)!r}, which does not "
            "exist: leave it out for the tables of the format alone"
        )
    tables, digest = (format_tables(), NO_MODEL) if model is None else load_tables(model)
    name = build_name(name, digest if model is not None else None)
    out = Path("rtl_out", target.name, ENGINE) if out is None else Path(out)
    record = new_record(target) | {
        "model": {
            "file": _TABLES,
            "hash": digest,
            "profile": "loc-lic",
            "classes": tables.classes,
        },
        "parameters": {
            "top": ENGINE, "name": name, "stream_bytes": stream_bytes, "fabric": target.fabric,
        },
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
        return texts

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
    parameters = record["parameters"]
    top = {"encoder": EntropyEncoderTop, "decoder": EntropyDecoderTop}[core]
    component = top(
        load_engine_tables(work), stream_bytes=parameters["stream_bytes"],
        fabric=FABRICS[parameters["fabric"]],
    )  # fmt: skip
    part = f"entropy-{core}"
    raw, module = raw_name(part), module_name(parameters["name"], part)
    text = to_verilog(component, raw)
    found = {
        "module": module,
        "latency": component.latency,
        "memory_bits": describe.memory_bits(text, raw),
        "ports": describe.port_list(component),
        "resources": None,
    }
    write_core(work, text, raw, module, _header(record, module))
    found["seconds"] = {"verilog": round(time.perf_counter() - began, 2)}
    if estimate:
        from lutgen.synth import estimate as count

        print("resources", flush=True)
        began = time.perf_counter()
        target = Target(**record["target"] | {"tools": tuple(record["target"]["tools"])})
        found["resources"] = describe.resource_record(count(text, raw, target, _BLOCKS[core]))
        del found["resources"]["network"]
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
