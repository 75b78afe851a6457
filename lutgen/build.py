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
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import lutgen

from .build_core import REFUSED, RESOURCES, core_config
from .build_cores import rate
from .build_registers import build_maps, register_files, slave_maps
from .build_text import codec_ports, header, wrapper
from .codec.head import LaplaceHead
from .handoff.vivado import vivado_files
from .model import Model
from .targets import Target, get_target

__all__ = ["CORES", "SCHEMA", "TOPS", "BuildError", "build", "load_build"]

#: Version of ``build.json``: a reader of 1 understands every build.json that says 1.
SCHEMA = 1
CORES = ("encoder", "decoder")
TOPS = (*CORES, "codec")
_RECORD = "build.json"


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
    cores: int = 1,
    coder: str = "rans",
    tans_bits: int | None = None,
    registers: bool = False,
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
    cores:
        Cores behind each pair of ports, and pixels of a beat: 1, 2, 4 or 8, see
        :mod:`.gateware.multi`.
    coder, tans_bits:
        See :func:`.codec.coder.coder_named`.
    registers:
        Whether the cores have registers behind AXI4-Lite and an interrupt, see `.gateware.ip`, in
        place of the ports that set sizes and tell errors; headers and drivers come with them.
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
    from .gateware.bands import check_cores  # loads Amaranth

    check_cores(cores, stream_bytes)
    if cores > 1 and registers:
        raise ValueError(
            f"cores must be 1 with registers, not {cores!r}: leave out --registers or --cores"
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
        "registers": registers,
        "cores": cores,
        "primitive": target.lut_primitive,
        "coder": coder,
        "tans_bits": tans_bits,
        "fabric": target.fabric,
    }
    config = core_config(model, parameters)
    parameters |= {
        "lanes": config.decoder_lanes if top != "encoder" else None,
        "encoder_lanes": config.lanes_of_encoder if top != "decoder" else None,
        "levels_per_stage": config.levels_per_stage,
        "tans_bits": config.coder.state_bits if config.coder.name == "tans" else None,
    }
    if out is None:
        suffix = f"-tans{config.coder.state_bits}" if config.coder.name == "tans" else ""
        suffix += f"-x{cores}" if cores > 1 else ""
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", f"{top}-{model.profile}{suffix}")
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
        "rate": rate(config, cores, target.clock_mhz),
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
            text = header(record, "lutgen_codec") + wrapper(record["cores"])
            (work / verilog[-1]).write_text(text)
        (work / "files.f").write_text("".join(f"{name}\n" for name in verilog))
        maps = build_maps(made, config) if registers else {}
        if registers:
            for name, text in register_files(record, maps).items():
                (work / name).write_text(text)
        if "vivado" in target.tools:
            ports = {core["module"]: core["ports"] for core in record["cores"].values()}
            if top == "codec":
                ports["lutgen_codec"] = codec_ports(record["cores"])
            tables = sorted(path.name for path in work.glob("*.mem"))
            files = vivado_files(
                record, target, ports, verilog, tables, slave_maps(top, maps)
            )
            for name, text in files.items():
                (work / name).write_text(text)
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


def load_build(folder: str | os.PathLike, *, tops: Sequence[str] | None = TOPS) -> dict:
    """The ``build.json`` of a folder, and ``folder``.

    Parameters
    ----------
    folder:
        What a build was written into.
    tops:
        Tops that will do, by default those of :func:`build`; None for any.

    Raises
    ------
    ValueError
        If the folder holds no build that this version can read, or one of another top.
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
    if tops is not None and (top := record["parameters"]["top"]) not in tops:
        raise ValueError(f"build in {folder} must be of top {' or '.join(tops)}, not {top}")
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


def _pair(cores, target: Target) -> dict:
    """Sum of the cores, and its share of the device in percent."""
    cores = list(cores)
    total = {
        kind: sum(core["resources"]["total"][kind] for core in cores) for kind in RESOURCES
    }
    share = {
        kind: round(100 * total[kind] / held, 2) for kind, held in target.capacity.items() if held
    }
    levels = [core["resources"]["levels"] for core in cores]
    fits = all(percent <= 100 for percent in share.values())
    if target.luts is not None and not share:
        fits = None  # counted in other units than the device's
    return {
        "total": total,
        "percent": share,
        "fits": fits,
        "levels": max((n for n in levels if n is not None), default=None),
    }


# Cores, each in a process of its own.

_WORKER = "from lutgen.build_core import work; work()"


def _run_workers(
    jobs: Path, cores, record: Mapping, estimate: bool, progress, worker: str = _WORKER
) -> None:
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
        if code == REFUSED:
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
                    [sys.executable, "-c", worker, str(jobs), core],
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
        return [*load_build(out, tops=None)["files"]]
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
