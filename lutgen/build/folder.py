"""The folder of a build: cores made in processes of their own, and all files or none."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import lutgen
from lutgen.errors import InputError, ToolError
from lutgen.files.whole import files_below, scratch_folder, stays_below
from lutgen.targets import Target

from .core import REFUSED
from .describe import DEPTHS, RESOURCES
from .options import TOPS, options_of

__all__ = [
    "SCHEMA", "BuildError", "files_digest", "load_build", "make_folder", "new_record",
    "pair_resources",
]  # fmt: skip

#: Version of ``build.json``: a reader of 1 understands every build.json that says 1.
SCHEMA = 1
_RECORD = "build.json"


class BuildError(ToolError):
    """A core could not be made, although its parameters are valid."""


def new_record(target: Target) -> dict:
    """What every ``build.json`` begins with."""
    return {
        "schema": SCHEMA,
        "generator": {
            "name": "lutgen",
            "version": lutgen.__version__,
            "amaranth": metadata.version("amaranth"),
        },
        "target": asdict(target) | {"tools": list(target.tools)},
    }


def make_folder(
    out: Path, record: dict, made: Sequence[str], target: Target, *,
    save_input: Callable[[Path], None], further: Callable[[list[str], list[str]], dict[str, str]],
    worker: str, estimate: bool, progress: Callable[[str, str], None] | None,
) -> dict:  # fmt: skip
    """Make cores and put them into a folder with all that belongs to them, or leave it as it is.

    Parameters
    ----------
    out:
        The folder: new, empty, or that of an earlier build.
    record:
        ``build.json`` so far; cores, pair, files and seconds are added.
    made:
        Cores.
    target:
        Device.
    save_input:
        Writes what the workers read into a folder.
    further:
        Makes the texts of all other files by name, some in folders of their own, when the cores
        are in the record, from the names of the cores' Verilog and of memory files.
    worker:
        Python that makes a core: see `.core.work`.
    estimate:
        Count resources.
    progress:
        Called with a core and what is being done for it.

    Returns
    -------
    dict
        The record, and ``folder``.

    Raises
    ------
    InputError
        If other files are in the folder.
    BuildError
        If a core cannot be made.
    OSError
        If a file cannot be written.
    """
    began = time.perf_counter()
    old = _old_files(out)
    # Beside the folder, so that files can be moved and not copied.
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(".lutgen-build-", out.parent, name=out) as work:
        jobs, work = Path(work, "jobs"), Path(work, "files")
        jobs.mkdir()
        work.mkdir()
        save_input(work)
        _run_workers(jobs, made, record, estimate, progress, worker)
        for core in made:
            record["cores"][core] = json.loads((jobs / f"{core}.json").read_text())
        verilog = [f"{core['module']}.v" for core in record["cores"].values()]
        memories = sorted(path.name for path in work.glob("*.mem"))
        for name, text in further(verilog, memories).items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        record["pair"] = pair_resources(record["cores"].values(), target) if estimate else None
        record["files"] = {
            name: {
                "bytes": len(data := (work / name).read_bytes()),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
            for name in files_below(work)
        }
        record["files_sha256"] = files_digest(record["files"])
        record["seconds"] = {
            "total": round(time.perf_counter() - began, 2),
            **{core: record["cores"][core].pop("seconds") for core in made},
        }
        (work / _RECORD).write_text(json.dumps(record, indent=2) + "\n")
        _put(work, out, old)
    return record | {"folder": str(out)}


def files_digest(files: Mapping) -> str:
    """Hash of the list of files in ``build.json``, so that an entry cannot get lost unseen."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


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
    InputError
        If the folder holds no build that this version can read, or one of another top.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / _RECORD).read_text())
        known = isinstance(record, dict) and record.get("schema") == SCHEMA
    except FileNotFoundError:
        raise InputError(
            f"build folder must hold {_RECORD}, which {str(folder)!r} does not: "
            f"make it with `lutgen build --out {folder}`"
        ) from None
    except (ValueError, UnicodeDecodeError):
        known = False
    if not known:
        raise InputError(
            f"{folder / _RECORD} must be a build record of schema {SCHEMA}: build again with "
            f"lutgen {lutgen.__version__}"
        )
    try:
        top = options_of(record).top
    except InputError as error:
        raise InputError(f"{folder / _RECORD}: {error}: build again") from None
    if tops is not None and top not in tops:
        raise InputError(f"build in {folder} must be of top {' or '.join(tops)}, not {top}")
    return record | {"folder": str(folder)}


def pair_resources(cores, target: Target) -> dict:
    """Sum of the cores, and its share of the device in percent."""
    cores = list(cores)
    total = {
        kind: sum(core["resources"]["total"][kind] for core in cores) for kind in RESOURCES
    }
    share = {
        kind: round(100 * total[kind] / held, 2) for kind, held in target.capacity.items() if held
    }
    fits: bool | None = all(percent <= 100 for percent in share.values())
    if target.luts is not None and not share:
        fits = None  # counted in other units than the device's
    return {
        "total": total,
        "percent": share,
        "fits": fits,
        **{
            kind: max((n for c in cores if (n := c["resources"][kind]) is not None), default=None)
            for kind in DEPTHS
        },
    }


# Cores, each in a process of its own.

def _run_workers(
    jobs: Path, cores, record: Mapping, estimate: bool, progress, worker: str
) -> None:
    """Make all cores at once; raises what the first failing one raised, and stops the others."""
    environment = dict(os.environ)
    package = str(Path(lutgen.__file__).parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, (package, environment.get("PYTHONPATH")))
    )
    processes: dict[str, subprocess.Popen] = {}

    def follow(core: str, process: subprocess.Popen) -> None:
        for line in process.stdout or ():
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
            if process.stdout:
                process.stdout.close()


def _stop(processes) -> None:
    """Kill what still runs, with the tools that it has started."""
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


# The folder.


def _old_files(out: Path) -> list[str]:
    """Files that an earlier build wrote into ``out``; InputError if others are in the way."""
    if not out.exists():
        return []
    if not out.is_dir():
        raise InputError(f"out must be a folder, not the file {str(out)!r}: name another")
    if not any(out.iterdir()):
        return []
    try:
        return [*load_build(out, tops=None)["files"]]
    except InputError:
        raise InputError(
            f"out must be new, empty or an earlier build of this version, not {str(out)!r}: "
            "name another folder, or empty this one"
        ) from None


def _put(work: Path, out: Path, old: list[str]) -> None:
    """Move a complete build to its place."""
    out.mkdir(exist_ok=True)
    new = [name for name in files_below(work) if name != _RECORD]
    # A folder without its record is no build, so one that is cut off here is not taken for whole.
    (out / _RECORD).unlink(missing_ok=True)
    for name in set(old) - set(new):
        if stays_below(name):
            (out / name).unlink(missing_ok=True)
    for name in [*new, _RECORD]:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(work / name, out / name)
