"""``lutgen sim --top entropy-engine``: the files of a build against the reference coder.

As in `.check`, files and tables are compared before anything is simulated.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import lutgen
from lutgen.build.codec import load_build
from lutgen.build.engine import ENGINE, build_engine, load_engine_tables
from lutgen.errors import InputError
from lutgen.files.whole import scratch_folder
from lutgen.formats.npz import check_npz
from lutgen.sim.check.build_tables import changed_files, compare_tables, wrong_wiring
from lutgen.sim.check.expected_tables import engine_tables
from lutgen.sim.check.judge_engine import judge_engine
from lutgen.sim.cores.engine import (
    RtlEntropyDecoder,
    RtlEntropyEncoder,
    check_engine,
    synthetic_stream,
)
from lutgen.sim.drive.stall import Stall
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import simulator_tools

__all__ = ["SCHEMA", "check_engine_build", "check_new_engine", "read_stream"]

#: Version of the result.
SCHEMA = 1
#: Symbols of a synthetic stream.
_COUNT = 100_000
#: Share of clocks with random stalls where nobody says.
_SHARE = 0.3


def check_new_engine(
    target: str, model: str | None = None, *, progress: Callable | None = None, **options
) -> dict:
    """Build the engine for a moment, and check it.

    Parameters
    ----------
    target, model :
        See `lutgen.build.engine.build_engine`.
    progress, options :
        See `check_engine_build`.

    Returns
    -------
    dict
        See `check_engine_build`, and what is raised.
    """
    simulator_tools()  # before the work
    with scratch_folder("lutgen-check-") as folder:
        out = Path(folder, "build")
        build_engine(target, model, out=out, estimate=False, progress=progress)
        return check_engine_build(out, progress=progress, **options)


def check_engine_build(
    folder: Path | str,
    *,
    stream: Path | str | None = None,
    count: int | None = None,
    stall: float | None = None,
    seed: int = 0,
    quick: bool = False,
    edited: bool = False,
    progress: Callable[[str, str], None] | None = None,
) -> dict:
    """Compare the files of a build with its tables, its engine with the reference coder.

    Where a file is not what was written, nothing is simulated.

    Parameters
    ----------
    folder :
        What `lutgen.build.engine.build_engine` has written.
    stream :
        Recorded stream, see `read_stream`; by default a synthetic one, all classes alike and
        symbols as likely as the tables say.
    count :
        Symbols of a synthetic stream, 100,000 by default.
    stall :
        Share of clocks in which each port stalls, 0 to 0.9.  By default the stream passes at full
        speed, and the phases with stalls of every kind.
    seed :
        Of the stream, the stalls and the phases.
    quick, edited :
        See `.check.check_build`.
    progress :
        Called with a core and what it is doing.

    Returns
    -------
    dict
        That of `lutgen.sim.cores.engine.check_engine`, with ``schema``, ``generator``, ``target``,
        ``model``, ``classes``, ``stall``, ``stream``, ``compared``, ``runs`` and ``seconds``.
        Where nothing was simulated, there are ``ok`` and ``problems`` and no cores.

    Raises
    ------
    InputError
        If the folder is no such build, or the stream none for its tables.
    SimulationError
        If a tool is missing, a core does not compile, or hangs.
    """
    began = time.perf_counter()
    record = load_build(folder, tops=(ENGINE,))
    if stall is not None and not 0 <= stall <= 0.9:
        raise InputError(f"share of stalled clocks must be 0 to 0.9, not {stall!r}")
    simulator_tools()
    tables = load_engine_tables(folder)
    if stream is None:
        classes, symbols, payload = *synthetic_stream(tables, count or _COUNT, seed), None
    else:
        classes, symbols, payload = read_stream(stream)
    changed = changed_files(record)
    problems = wrong_wiring(record) if edited else [*changed, *wrong_wiring(record)]
    read = {}
    for core in record["cores"]:
        read[core], wrong = compare_tables(record, core, engine_tables(core, tables))
        problems += wrong
    sources = {
        core: Design.of(Path(folder, f"{made['module']}.v"), made["module"])
        for core, made in record["cores"].items()
    }
    size = record["parameters"]["stream_bytes"]
    stalls = {
        name: Stall(stall or 0.0, 3 * seed + k)
        for k, name in enumerate(("classes", "symbols", "bytes"))
    }
    result: dict = {}
    runs: dict = {}
    if edited or not problems:
        result = check_engine(
            tables, classes, symbols, payload, stalls=stalls if stall else None, sources=sources,
            stream_bytes=size, progress=progress,
        )  # fmt: skip
        problems += result["problems"]
        if not quick:
            cores = (
                top(tables, sources[core], stream_bytes=size)
                for core, top in (("encoder", RtlEntropyEncoder), ("decoder", RtlEntropyDecoder))
            )
            share = _SHARE if stall is None else stall
            runs, wrong = judge_engine(tables, *cores, share=share, seed=seed, tell=progress)
            problems += wrong
    else:
        problems.append("so nothing was simulated")
    return {
        "schema": SCHEMA,
        "generator": {"name": "lutgen", "version": lutgen.__version__},
        "target": record["target"]["name"],
        "model": record["model"]["hash"],
        "classes": tables.classes,
        "stream": None if stream is None else str(stream),
        "stall": {"p": stall, "seed": seed},
        **result,
        "ok": not problems,
        "problems": problems,
        "compared": {"files": len(record["files"]), "tables": read},
        "runs": runs,
        "seconds": round(time.perf_counter() - began, 2),
    }


def read_stream(path: Path | str) -> tuple[np.ndarray, np.ndarray, bytes]:
    """Classes, symbols and payload of a recorded stream.

    The file is an ``.npz`` with the arrays ``classes`` and ``symbols``, integers (n,), and
    ``payload``, uint8.

    Raises
    ------
    InputError
        If it is anything else.
    """
    try:
        check_npz(path)
        with np.load(path, allow_pickle=False) as stored:
            classes, symbols, payload = (
                stored[name] for name in ("classes", "symbols", "payload")
            )
    except OSError:
        raise
    except Exception:
        raise InputError(
            f"stream must be an .npz with the arrays classes, symbols and payload, not {path}"
        ) from None
    for name, array in (("classes", classes), ("symbols", symbols), ("payload", payload)):
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise InputError(
                f"{name} of a stream must be integers of shape (n,), not {array.dtype} of shape "
                f"{array.shape}"
            )
    if payload.dtype != np.uint8:
        raise InputError(f"payload of a stream must be uint8, not {payload.dtype}")
    return classes, symbols, payload.tobytes()
