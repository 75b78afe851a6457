"""Building of Verilog designs as cocotb simulations, cached by content.

cocotb's runner would make every signal of the design public, which costs 2 to 4 times in build time
and speed; here only the ports of the top are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lutgen.errors import InputError
from lutgen.files.caches import cache_folder
from lutgen.files.whole import scratch_folder
from lutgen.sim.tool.cache import kept
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import WAVES, compile_model, recipe

__all__ = ["Simulation", "build_simulation", "waves_of"]


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
    texts = design.whole_texts()
    control = _control_file(design)
    started = time.perf_counter()
    executable, made = kept(
        Path(build_dir or cache_folder() / "simulations").absolute(), design.top,
        [recipe(), Path(__file__).read_text(), design.top, texts, control, waves],
        partial(_build, design.top, texts, control, waves),
    )  # fmt: skip
    return Simulation(design.top, executable, waves, made * (time.perf_counter() - started))


def _build(top, texts, control, waves, executable: Path) -> None:
    import cocotb_tools.config

    main = Path(cocotb_tools.config.share_dir, "lib", "verilator", "verilator.cpp")
    folder = str(cocotb_tools.config.libs_dir)
    links = [f"-L{folder}", "-Xlinker", "-rpath", "-Xlinker", folder, "-lcocotbvpi_verilator"]
    with scratch_folder("lutgen-build-", None) as work:
        (work / "ports.vlt").write_text(control)
        compile_model(
            work, top, texts, executable, options=["--prefix", "Vtop", "--vpi", "ports.vlt"],
            main=main.read_text(), links=links, waves=waves,
        )  # fmt: skip


def _control_file(design: Design) -> str:
    """Return the Verilator control file that makes the ports of the top public."""
    lines = ["`verilator_config"]
    for port in design.ports.values():
        access = "rw" if port.is_input else "rd"
        lines.append(f'public_flat_{access} -module "{design.top}" -var "{port.name}"')
    return "\n".join(lines) + "\n"
