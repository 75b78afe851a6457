"""``lutgen build``: from a model to a folder of Verilog, constraints and figures.

Everything in the folder is a pure function of the model and the parameters: the same inputs give
the same bytes, but for the seconds that ``build.json`` records.
"""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from functools import partial
from importlib import metadata
from pathlib import Path

import lutgen

from .codec.head import LaplaceHead
from .handoff.xdc import clock_xdc
from .model import Model
from .targets import Target, get_target

__all__ = ["CORES", "SCHEMA", "TOPS", "BuildError", "build", "load_build", "summary", "table"]

#: Version of ``build.json``: a reader of 1 understands every build.json that says 1.
SCHEMA = 1
CORES = ("encoder", "decoder")
TOPS = (*CORES, "codec")
_RECORD = "build.json"
_RESOURCES = ("lut", "lut_logic", "lut_memory", "lut_shift", "ff", "bram36", "dsp", "carry4",
              "muxf", "memory_bits")  # fmt: skip
#: Blocks that together are the network of the paper: what decides the class.
_NETWORK = ("layers", "walker")
_LICENCE = """\
The generated files are yours: use, change and pass them on as you like. lutgen's own licence does
not cover them. The tables come from the model; its training record names the data."""


class BuildError(RuntimeError):
    """A core could not be made, although its parameters are valid."""


def build(
    target: str | Target,
    model: Model | str | os.PathLike | None = None,
    *,
    top: str = "codec",
    lanes: int | None = None,
    encoder_lanes: int | None = None,
    tile: tuple[int, int] = (32, 32),
    max_width: int = 512,
    max_height: int = 4096,
    stream_bytes: int = 4,
    out: str | os.PathLike | None = None,
    estimate: bool = True,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Write the Verilog of a model's cores, and what belongs to it, into a folder.

    Encoder and decoder are made in two processes side by side.

    Parameters
    ----------
    target:
        Device, or its name.
    model:
        Model, its file, or None for the embedded one.
    top:
        ``encoder``, ``decoder``, or ``codec`` for both and a wrapper around them.
    lanes, encoder_lanes, tile, max_width, max_height:
        See :class:`.gateware.config.CoreConfig`; ``tile`` is width and height.
    stream_bytes:
        Width of the stream's TDATA in bytes: 1, 2, 4 or 8.
    out:
        Folder; by default ``rtl_out/<target>/<top>-<profile>``.  An earlier build in it is
        replaced when the new one is complete; files that no build wrote stay.
    estimate:
        Whether Yosys shall count resources and logic levels, which takes most of the time.
    progress:
        Called with a core and what is being done for it, from several threads.

    Returns
    -------
    dict
        The contents of ``build.json``, and ``folder``.

    Raises
    ------
    ValueError
        If a parameter is outside its range; the message names value, rule and fix.
    BuildError
        If Yosys refuses a core, or a process that makes one is killed.
    OSError
        If a file cannot be read or written.
    """
    began = time.perf_counter()
    target = get_target(target) if isinstance(target, str) else target
    if top not in TOPS:
        raise ValueError(f"top must be one of {', '.join(TOPS)}, not {top!r}")
    if stream_bytes not in (1, 2, 4, 8):
        raise ValueError(f"stream width must be 1, 2, 4 or 8 bytes, not {stream_bytes!r}")
    for name, value, core in (
        ("lanes", lanes, "decoder"), ("encoder lanes", encoder_lanes, "encoder"),
    ):  # fmt: skip
        if value is not None and top not in (core, "codec"):
            raise ValueError(
                f"{name} must be left out of a build without {core}, not {value!r}: "
                f"choose top {core} or codec"
            )
    model = _model(model)
    tile_width, tile_height = tile
    parameters = {
        "top": top,
        "tile_width": tile_width,
        "tile_height": tile_height,
        "max_width": max_width,
        "max_height": max_height,
        "lanes": lanes,
        "encoder_lanes": encoder_lanes,
        "stream_bytes": stream_bytes,
        "primitive": target.lut_primitive,
    }
    config = _config(model, parameters)
    parameters |= {
        "lanes": config.decoder_lanes if top != "encoder" else None,
        "encoder_lanes": config.lanes_of_encoder if top != "decoder" else None,
        "levels_per_stage": config.levels_per_stage,
    }
    if out is None:
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", f"{top}-{model.profile}")
        out = Path("rtl_out") / target.name / name
    out = Path(out)
    old = _old_files(out)

    record = {
        "schema": SCHEMA,
        "generator": {
            "name": "lutgen",
            "version": lutgen.__version__,
            "amaranth": metadata.version("amaranth"),
        },
        "target": asdict(target) | {"tools": list(target.tools)},
        "model": _describe_model(model),
        "parameters": parameters,
        "cores": {},
    }
    made = CORES if top == "codec" else (top,)
    # Beside the folder, so that files can be moved and not copied.
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lutgen-build-", dir=out.parent) as work:
        jobs, work = Path(work, "jobs"), Path(work, "files")
        jobs.mkdir()
        work.mkdir()
        model.save(work / "model.lutgen")
        _run_workers(jobs, made, record, estimate, progress)
        for core in made:
            record["cores"][core] = json.loads((jobs / f"{core}.json").read_text())
        verilog = [f"lutgen_{core}.v" for core in made]
        if top == "codec":
            verilog.append("lutgen_codec.v")
            wrapper = _header(record, "lutgen_codec") + _wrapper(record["cores"])
            (work / verilog[-1]).write_text(wrapper)
        (work / "files.f").write_text("".join(f"{name}\n" for name in verilog))
        if "vivado" in target.tools:
            (work / "lutgen.xdc").write_text(clock_xdc(target))
        record["pair"] = _pair(record["cores"].values(), target) if estimate else None
        record["files"] = {
            path.name: {
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in sorted(work.iterdir())
        }
        record["seconds"] = {
            "total": round(time.perf_counter() - began, 2),
            **{core: record["cores"][core].pop("seconds") for core in made},
        }
        (work / _RECORD).write_text(json.dumps(record, indent=2) + "\n")
        _put(work, out, old)
    return record | {"folder": str(out)}


def load_build(folder: str | os.PathLike) -> dict:
    """The ``build.json`` of a folder, and ``folder``.

    Raises
    ------
    ValueError
        If the folder holds no build that this version can read.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / _RECORD).read_text())
        known = isinstance(record, dict) and record.get("schema") == SCHEMA
    except FileNotFoundError:
        raise ValueError(
            f"build folder must hold {_RECORD}, which {str(folder)!r} does not: "
            f"make it with `lutgen build --out {folder}`"
        ) from None
    except (ValueError, UnicodeDecodeError):
        known = False
    if not known:
        raise ValueError(
            f"{folder / _RECORD} must be a build record of schema {SCHEMA}: build again with "
            f"lutgen {lutgen.__version__}"
        )
    return record | {"folder": str(folder)}


def _model(model) -> Model:
    if isinstance(model, Model):
        return model
    if model is None:
        return Model.default()
    if not Path(model).is_file():
        raise ValueError(
            f"model must be a .lutgen file, not {os.fspath(model)!r}, which does not exist: "
            "train one with `lutgen train`, or leave it out for the embedded model"
        )
    return Model.load(model)


def _config(model: Model, parameters: Mapping):
    """The core's configuration; Amaranth is loaded here."""
    from .gateware.config import CoreConfig

    names = ("tile_width", "tile_height", "max_width", "max_height", "lanes", "encoder_lanes",
             "primitive")  # fmt: skip
    return CoreConfig(model, **{name: parameters[name] for name in names})


def _describe_model(model: Model) -> dict:
    net = model.network
    return {
        "file": "model.lutgen",
        "hash": model.hash,
        "profile": model.profile,
        "window": model.window.size,
        "head": "laplace" if isinstance(model.head, LaplaceHead) else "table",
        "classes": model.head.classes,
        "inputs": len(net.inputs),
        "nodes": net.n_nodes,
        "depth": net.depth,
        "records": [stage.records for stage in model.walker.stages] if model.walker else [],
    }


# One core, in a process of its own.

_WORKER = "from lutgen.build import _work; _work()"
_REFUSED = 3  # exit status of a process that says why in a file


def _run_workers(jobs: Path, cores, record: Mapping, estimate: bool, progress) -> None:
    """Make all cores at once; raises what the first failing one raised, and stops the others."""
    environment = dict(os.environ)
    package = str(Path(lutgen.__file__).parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, (package, environment.get("PYTHONPATH")))
    )
    processes: dict[str, subprocess.Popen] = {}

    def follow(core: str, process: subprocess.Popen) -> None:
        for line in process.stdout:
            if progress:
                progress(core, line.strip())
        code = process.wait()
        if code == _REFUSED:
            raise BuildError(f"{core}: " + (jobs / f"{core}.error").read_text())
        if code:
            how = "was killed, perhaps for want of memory" if code < 0 else f"ended with {code}"
            tail = (jobs / f"{core}.log").read_text(errors="replace").splitlines()[-20:]
            raise BuildError("\n".join([f"the process that makes the {core} {how}", *tail]))

    try:
        for core in cores:
            order = {"record": record, "estimate": estimate}
            (jobs / f"{core}.json").write_text(json.dumps(order))
            with open(jobs / f"{core}.log", "wb") as log:
                processes[core] = subprocess.Popen(
                    [sys.executable, "-c", _WORKER, str(jobs), core],
                    env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                    text=True, start_new_session=True,
                )  # fmt: skip
        with ThreadPoolExecutor(len(processes)) as pool:
            running = [pool.submit(follow, *job) for job in processes.items()]
            try:
                for job in as_completed(running):
                    job.result()
            finally:
                _stop(processes.values())
    finally:
        _stop(processes.values())
        for process in processes.values():
            process.stdout.close()


def _stop(processes) -> None:
    """Kill what still runs, with the tools that it has started."""
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _work() -> None:
    """The process: Verilog, and perhaps the estimate, of one core."""
    jobs, core = Path(sys.argv[1]), sys.argv[2]
    order = json.loads((jobs / f"{core}.json").read_text())
    try:
        found = _make(jobs.with_name("files"), core, order["record"], order["estimate"])
    except ValueError as error:
        (jobs / f"{core}.error").write_text(str(error))
        raise SystemExit(_REFUSED) from None
    (jobs / f"{core}.json").write_text(json.dumps(found))


def _make(work: Path, core: str, record: Mapping, estimate: bool) -> dict:
    from .gateware.top import DecoderTop, EncoderTop
    from .gateware.verilog import split_memories, to_verilog

    def tell(step: str) -> None:
        print(step, flush=True)

    began = time.perf_counter()
    tell("Verilog")
    model = Model.load(work / "model.lutgen")
    config = _config(model, record["parameters"])
    top = {"encoder": EncoderTop, "decoder": DecoderTop}[core]
    component = top(config, stream_bytes=record["parameters"]["stream_bytes"])
    module = f"lutgen_{core}"
    text = to_verilog(component, module)
    found = _describe_core(config, core) | {
        "memory_bits": _memory_bits(text, module),
        "ports": _ports(component),
        "resources": None,
    }
    head = _header(record | {"cores": {core: found}}, module)
    small, tables = split_memories(text, f"{module}_")
    (work / f"{module}.v").write_text(head + small)
    for name, words in tables.items():
        (work / name).write_text(words)
    found["seconds"] = {"verilog": round(time.perf_counter() - began, 2)}
    if estimate:
        from .synth import estimate as count

        tell("resources")
        began = time.perf_counter()
        target = Target(**record["target"] | {"tools": tuple(record["target"]["tools"])})
        found["resources"] = _resources(count(text, module, target, _blocks(model, core)))
        found["seconds"]["resources"] = round(time.perf_counter() - began, 2)
    tell("done")
    return found


def _describe_core(config, core: str) -> dict:
    # Lanes must not be fewer than the loops are deep.
    if core == "encoder":
        return {
            "module": "lutgen_encoder",
            "lanes": config.lanes_of_encoder,
            "depth": config.min_encoder_lanes,
            "latency": {"class": config.encoder_class_at, "interval": config.encoder_interval_at},
            "buffers": {"tiles": config.input_buffers, "packets": config.packet_buffers},
        }
    return {
        "module": "lutgen_decoder",
        "lanes": config.decoder_lanes,
        "depth": config.min_decoder_lanes,
        "latency": {"class": config.decoder_class_at, "symbol": config.decoder_symbol_at},
        "buffers": {
            "tiles": config.output_buffers, "payload_bytes": 1 << config.payload_address_bits,
        },
    }  # fmt: skip


def _blocks(model: Model, core: str) -> dict[str, list[str]]:
    """Hierarchy paths of the blocks that resources are counted by."""
    blocks = {
        "comparators": ["core.network.thermometer"],
        "layers": ["core.network"],  # with the delay lines beside them
        "walker": ["core.network.walker"],
        "head": ["core.head"],
        "coder": ["core.rans", "core.packer"],
        "lanes": ["core.lanes", "core.window"],
        "memories": ["core.raster", "core.writer"],
        "rest": [""],
    }
    if core == "decoder":
        blocks["coder"] = ["core.rans"]
        blocks["memories"] = ["core.raster", "core.reader", "core.payload"]
    if model.walker is None:
        del blocks["walker"]
    if isinstance(model.head, LaplaceHead):
        blocks["head"] += ["core.network.popcount_*", "core.network.classifier"]
    return blocks


def _resources(found: Mapping) -> dict:
    """What of an estimate goes into the record."""
    parts = [found["blocks"][name] for name in _NETWORK if name in found["blocks"]]
    worst = found["blocks"][found["worst_block"]] if found["worst_block"] else {"path": []}
    return {
        "tool": found["tool"],
        "total": {name: found["total"][name] for name in _RESOURCES},
        "cells": found["total"]["cells"],
        "blocks": {
            name: {kind: block[kind] for kind in (*_RESOURCES, "levels")}
            | {"endpoints": {str(k): n for k, n in block["endpoints"].items()}}
            for name, block in found["blocks"].items()
        },
        "network": {kind: sum(part[kind] for part in parts) for kind in _RESOURCES}
        | {"levels": max((p["levels"] for p in parts if p["levels"] is not None), default=None)},
        "levels": found["levels"],
        "worst_block": found["worst_block"],
        "worst_path": worst["path"],
    }


def _pair(cores, target: Target) -> dict:
    """Sum of the cores, and its share of the device in percent."""
    cores = list(cores)
    total = {
        kind: sum(core["resources"]["total"][kind] for core in cores) for kind in _RESOURCES
    }
    share = {
        kind: round(100 * total[kind] / held, 2) for kind, held in target.capacity.items() if held
    }
    levels = [core["resources"]["levels"] for core in cores]
    return {
        "total": total,
        "percent": share,
        "fits": all(percent <= 100 for percent in share.values()),
        "levels": max((n for n in levels if n is not None), default=None),
    }


# Text.


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
}


def _memory_bits(verilog: str, module: str) -> dict[str, int]:
    """Bits of the memories in a Verilog text, by what they hold."""
    bits = dict.fromkeys([*_MEMORIES.values(), "other"], 0)
    kind = "other"
    for line in verilog.splitlines():
        if match := _MODULE.match(line):
            path = (match[1] or match[2]).removeprefix(module).removeprefix(".")
            kind = _MEMORIES.get(".".join(path.split(".")[:2]), "other")
        elif match := _MEMORY.match(line):
            bits[kind] += (int(match[1] or 0) + 1) * (int(match[2]) + 1)
    return bits


def _header(record: Mapping, module: str) -> str:
    """The comment that a Verilog file begins with."""
    parameters, model, target = record["parameters"], record["model"], record["target"]
    generator = record["generator"]
    lines = [
        f"{module}: generated by lutgen {generator['version']} with Amaranth "
        f"{generator['amaranth']}. Do not edit: build again.",
        "",
        *_LICENCE.splitlines(),
        "",
        f"model          {model['hash']}",
        f"profile        {model['profile']}, {model['classes']} classes, {model['nodes']} nodes, "
        f"{sum(model['records'])} walker records",
        f"target         {target['name']} {target['part']}".rstrip(),
        f"clock goal     {target['clock_mhz']:g} MHz",
        f"tile           {parameters['tile_width']} x {parameters['tile_height']} pixels",
        f"largest image  {parameters['max_width']} x {parameters['max_height']} pixels",
        f"stream         {parameters['stream_bytes']} bytes",
        f"primitive      {parameters['primitive'] or 'none'}, "
        f"{parameters['levels_per_stage']} LUT levels per stage of the network",
    ]
    for name, core in record["cores"].items():
        buffers = ", ".join(f"{n} {k.replace('_', ' ')}" for k, n in core["buffers"].items())
        lines.append(
            f"{name:14} {core['lanes']} lanes, pipeline depth {core['depth']}, buffers: {buffers}"
        )
    return "".join(f"// {line}".rstrip() + "\n" for line in lines) + "\n"


def _wrapper(cores: Mapping) -> str:
    """Verilog of ``lutgen_codec``: both cores side by side on one clock and one reset."""
    common = ("clk", "rst")
    own = [(name, port) for name, core in cores.items() for port in core["ports"]
           if port["name"] not in common]  # fmt: skip

    def declaration(name: str, port: Mapping) -> str:
        span = f" [{port['width'] - 1}:0]" if port["width"] > 1 else ""
        return f"  {port['direction']} wire{span} {name}"

    single = {"direction": "input", "width": 1}
    ports = [declaration(name, single) for name in common]
    ports += [declaration(f"{name}_{port['name']}", port) for name, port in own]
    text = "module lutgen_codec (\n" + ",\n".join(ports) + "\n);\n"
    for name, core in cores.items():
        pins = [f"    .{pin}({pin})" for pin in common]
        pins += [f"    .{port['name']}({name}_{port['name']})" for n, port in own if n == name]
        text += f"  {core['module']} {name} (\n" + ",\n".join(pins) + "\n  );\n"
    return text + "endmodule\n"


# The folder.


def _old_files(out: Path) -> list[str]:
    """Files that an earlier build wrote into ``out``; ValueError if others are in the way."""
    if not out.exists():
        return []
    if not out.is_dir():
        raise ValueError(f"out must be a folder, not the file {str(out)!r}: name another")
    if not any(out.iterdir()):
        return []
    try:
        return [*load_build(out)["files"]]
    except ValueError:
        raise ValueError(
            f"out must be new, empty or an earlier build of this version, not {str(out)!r}: "
            "name another folder, or empty this one"
        ) from None


def _put(work: Path, out: Path, old: list[str]) -> None:
    """Move a complete build to its place."""
    out.mkdir(exist_ok=True)
    new = [path.name for path in work.iterdir() if path.name != _RECORD]
    # A folder without its record is no build, so one that is cut off here is not taken for whole.
    (out / _RECORD).unlink(missing_ok=True)
    for name in set(old) - set(new):
        if Path(name).name == name:
            (out / name).unlink(missing_ok=True)
    for name in [*new, _RECORD]:
        os.replace(work / name, out / name)


def table(record: Mapping):
    """A rich table of a build: resources by block, core by core."""
    from rich.box import SIMPLE
    from rich.table import Table

    target, cores = record["target"], record["cores"]
    # Narrow, to fit a terminal of 80 columns.
    grid = Table(box=SIMPLE, padding=(0, 1, 0, 0), title_justify="left", title=_title(record))
    grid.add_column("")
    kinds = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36"}
    for name in cores:
        for k, label in enumerate([*kinds.values(), "levels"]):
            grid.add_column(f"{'' if k else name}\n{label}", justify="right", no_wrap=True)

    def row(label: str, pick: Callable[[Mapping], Mapping | None], **style) -> None:
        found = [pick(core["resources"]) for core in cores.values()]
        if any(found):
            grid.add_row(label, *(cell for part in found for cell in _cells(part, kinds)), **style)

    def block(resources: Mapping, name: str) -> Mapping | None:
        return resources["blocks"].get(name)

    row("comparators", partial(block, name="comparators"))
    row("network", lambda found: found["network"])
    row("  layers", partial(block, name="layers"), style="dim")
    row("  walker", partial(block, name="walker"), style="dim")
    for name in ("head", "coder", "lanes", "memories", "rest"):
        row(name, partial(block, name=name), end_section=name == "rest")
    row("total", lambda found: found["total"] | {"levels": found["levels"]}, style="bold")
    held = {"lut": target["luts"], "ff": target["ffs"], "bram36": target["bram36"]}
    if all(held.values()):
        cells = []
        for core in cores.values():
            total = core["resources"]["total"]
            cells += [f"{100 * total[kind] / held[kind]:.1f} %" for kind in kinds] + [""]
        grid.add_row(f"of {target['name']}", *cells)
    return grid


def _title(record: Mapping) -> str:
    model = record["model"]
    return f"{record['parameters']['top']} of {model['profile']} {model['hash'][:16]}"


def _cells(part: Mapping | None, kinds) -> list[str]:
    if not part:
        return [""] * (len(kinds) + 1)
    levels = part["levels"]
    return [f"{part[kind]:g}" for kind in kinds] + ["-" if levels is None else str(levels)]


def summary(record: Mapping) -> str:
    """What a build is and what to do with it, a few lines of text."""
    target, parameters, pair = record["target"], record["parameters"], record["pair"]
    lines = []
    for name, core in record["cores"].items():
        memory = sum(core["memory_bits"].values())
        lines.append(
            f"{name}: {core['lanes']} lanes for a pipeline of depth {core['depth']}, "
            f"{memory / 1024:.0f} Kibit of memory"
        )
    lines.append(
        f"tile {parameters['tile_width']}x{parameters['tile_height']}, images up to "
        f"{parameters['max_width']}x{parameters['max_height']}, stream of "
        f"{parameters['stream_bytes']} bytes, clock goal {target['clock_mhz']:g} MHz"
    )
    if pair:
        names = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36", "dsp": "DSP"}
        counts = [
            f"{pair['total'][kind]:g} {name}"
            + (f" ({pair['percent'][kind]:.1f} %)" if kind in pair["percent"] else "")
            for kind, name in names.items()
        ]
        deepest = max(record["cores"].values(), key=lambda core: core["resources"]["levels"] or 0)
        lines.append(
            f"{parameters['top']}: {', '.join(counts)}; deepest path {pair['levels']} LUT levels, "
            f"in {deepest['resources']['worst_block']} of the {deepest['module'][7:]}"
        )
        if not pair["fits"]:
            lines.append(
                f"DOES NOT FIT {target['name']}: try smaller --max-width, --tile or --lanes, or "
                "another --target"
            )
    else:
        lines.append("resources not counted: leave out --no-estimate")
    folder = record["folder"]
    tables = sum(name.endswith(".mem") for name in record["files"])
    names = [name for name in record["files"] if not name.endswith(".mem")]
    lines += [
        f"files in {folder}: {', '.join(names)}, {tables} tables *.mem, {_RECORD}",
        "next:",
        f"  lutgen sim --build {folder}",
    ]
    if "vivado" in target["tools"]:
        lines.append(
            f"  Vivado: read lutgen.xdc, the files in files.f and *.mem, "
            f"top lutgen_{parameters['top']}, part {target['part']}"
        )
    return "\n".join(lines)
