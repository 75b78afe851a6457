"""Cores as programs: Verilated with the driver in C++, kept, and run from scripts.

A simulation with cocotb takes a process and seconds for each run, whose bench is Python at every
clock.  Here a program reads what to send, many files after one another, and writes what came.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lutgen.errors import InputError
from lutgen.files.caches import cache_folder
from lutgen.files.whole import scratch_folder
from lutgen.sim.tool.cache import kept
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import SimulationError, compile_model, last_lines, recipe

__all__ = [
    "BEAT", "WRONG", "NativeCore", "Outcome", "Segment", "beats_of", "build_native", "forgetful",
]  # fmt: skip

#: A beat as the driver has it: ``side`` is TKEEP of files, TUSER of pixels.
BEAT = np.dtype([("data", "<u8"), ("side", "<u4"), ("last", "<u4")])
#: What the driver finds by itself, by bits.
WRONG = (
    "hangs", "the output changes under a stall", "idle is high while something is given",
    "errors stay when they are cleared", "something is given or reported in a reset",
)  # fmt: skip
_SETTINGS = ("width", "height", "images", "level", "near")
_SEGMENT = np.dtype([(name, "<u4") for name in (
    "fresh", "reset", "seed", "stall_in", "stall_out", "burst", "count", "limit", *_SETTINGS,
    "beats",
)])  # fmt: skip
_OUTCOME = np.dtype([
    *((name, "<u4") for name in ("wrong", "error", "clocks", "taken", "given")),
    ("pulses", "<u4", 4),
])  # fmt: skip
_HERE = Path(__file__).parent
_PORTS = {
    "encoder": ("s_axis_video", "tuser", "m_axis_stream", "tkeep"),
    "decoder": ("s_axis_stream", "tkeep", "m_axis_video", "tuser"),
}
#: Of Verilator: registers and memories hold anything at first; what counts lines and toggles.
_OPTIONS = ("--prefix", "Vcore", "--x-initial", "unique", "--x-assign", "unique")
_COUNTED = ("--coverage-line", "--coverage-toggle")
_INITIAL = re.compile(r"^(  (?:output )?reg (?:\[\d+:0\] )?(?:\\\S+ |\w+) ?)= [^;]+;", re.M)
_MEMORY = re.compile(r"^  reg \[\d+:0\] (\\\S+ |\w+) ?\[\d+:0\];", re.M)


@dataclass(frozen=True)
class Segment:
    """A piece of a script.

    Members
    -------
    beats : what is sent, of `BEAT`
    fresh : seed of a new core, whose registers and memories hold anything; 0 for the old one.  A
        reset must follow.
    reset : clocks of a reset at the beginning
    seed : of the stalls
    stall_in, stall_out : share of stalled clocks of both ports, 0 to 1; 1 needs a ``limit``
    burst : mean clocks of a stall; 0 makes every clock independent of the others
    count : whether errors are cleared at once, and counted
    limit : clocks after which it ends, whatever goes on; 0: when nothing is inside any more
    settings : values of the ports width, height, images, level and near, as far as there are
    """

    beats: np.ndarray
    fresh: int = 0
    reset: int = 0
    seed: int = 0
    stall_in: float = 0.0
    stall_out: float = 0.0
    burst: int = 0
    count: bool = False
    limit: int = 0
    settings: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.fresh and not self.reset:
            raise InputError("reset of a new core must be at least one clock, not 0")
        if self.stall_out >= 1 and not self.limit:
            raise InputError("a segment whose output is never ready must have a limit, not 0")

    def pack(self) -> bytes:
        """As the driver reads it."""
        head = np.zeros((), _SEGMENT)
        for name in ("fresh", "reset", "seed", "burst", "count", "limit"):
            head[name] = getattr(self, name)
        head["stall_in"], head["stall_out"] = 256 * self.stall_in, 256 * self.stall_out
        for name, value in self.settings.items():
            head[name] = value
        head["beats"] = len(self.beats)
        return head.tobytes() + self.beats.tobytes()


@dataclass(frozen=True)
class Outcome:
    """What a segment gave.

    Members
    -------
    wrong : what is wrong by itself, of `WRONG`
    error, pulses : error bits, and how often each of them came if they are counted
    clocks, taken : how many, and beats that the core took
    beats : that it gave
    """

    wrong: tuple[str, ...]
    error: int
    clocks: int
    taken: int
    beats: np.ndarray
    pulses: tuple[int, ...] = ()

    @property
    def hangs(self) -> bool:
        """Whether nothing moved for too long."""
        return WRONG[0] in self.wrong


@dataclass(frozen=True)
class NativeCore:
    """A compiled core; see `build_native`."""

    executable: Path

    def run(
        self, segments: Sequence[Segment], *, patience: int, counters: Path | None = None,
        timeout: float = 3600,
    ) -> list[Outcome]:  # fmt: skip
        """Run a script in a process of its own.

        Parameters
        ----------
        segments :
            The first one must make a new core.
        patience :
            Clocks without a beat after which a core hangs.
        counters :
            File for Verilator's counters of lines and toggles; the core must have them.

        Raises
        ------
        SimulationError
            If the program fails.
        """
        with scratch_folder("lutgen-fuzz-", None) as work:
            script, result = work / "script", work / "result"
            with open(script, "wb") as file:
                for segment in segments:
                    file.write(segment.pack())
            command: list[str | Path] = [self.executable, script, result, str(patience)]
            command += [counters] if counters else []
            run = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
            if run.returncode:
                raise SimulationError(
                    f"driver must end with 0, not {run.returncode}: {last_lines(run.stderr)}"
                )
            return _outcomes(result.read_bytes(), len(segments))


def _outcomes(data: bytes, count: int) -> list[Outcome]:
    found, at = [], 0
    for _ in range(count):
        head = np.frombuffer(data, _OUTCOME, 1, at)[0]
        at += _OUTCOME.itemsize
        beats = np.frombuffer(data, BEAT, int(head["given"]), at)
        at += beats.nbytes
        wrong = tuple(text for bit, text in enumerate(WRONG) if int(head["wrong"]) >> bit & 1)
        found.append(Outcome(
            wrong, int(head["error"]), int(head["clocks"]), int(head["taken"]), beats,
            tuple(head["pulses"].tolist()),
        ))  # fmt: skip
    return found


def beats_of(beats) -> np.ndarray:
    """Beats of the package's functions, by name, as the driver's."""
    made = np.zeros(len(beats["data"]), BEAT)
    made["data"], made["last"] = beats["data"], beats["last"]
    made["side"] = beats["keep" if "keep" in beats else "user"]
    return made


def forgetful(design: Design) -> Design:
    """The design without values that registers and written memories have before the first reset.

    Verilator then gives them random ones: what a reset does not set may be anything, as after a
    reset at any time.
    """
    return Design.of([_forgetful(text) for text in design.texts], design.top)


def _forgetful(text: str) -> str:
    parts = re.split(r"(?m)^(?=module )", text)
    for number, part in enumerate(parts):
        for memory in _MEMORY.finditer(part):
            own = re.escape(memory[1].strip())
            if re.search(rf"^ +{own} ?\[.*\] <= ", part, re.M):
                part = re.sub(
                    rf'^  initial \$readmemh\("[^"]+", {own} ?(?:, *\d+, *\d+)?\);\n', "", part,
                    flags=re.M,
                )  # fmt: skip
        parts[number] = _INITIAL.sub(r"\1;", part)
    return "".join(parts)


def build_native(
    design: Design, core: str, *, counted: bool = False, build_dir: Path | None = None
) -> NativeCore:
    """Compile a core and the driver, or take the program from the cache.

    Parameters
    ----------
    design :
        Verilog of one core behind AXI4-Stream ports, without registers.
    core :
        "encoder" or "decoder".
    counted :
        Whether it counts lines and toggles.  It keeps its first core then.

    Raises
    ------
    SimulationError
        If a tool is missing, or the build fails.
    """
    if "clear_error" not in design.ports:
        raise InputError(f"{design.top} must have the port clear_error: build without --registers")
    texts = design.whole_texts()
    options = [*_OPTIONS, *(_COUNTED if counted else ())]
    main = (_HERE / "driver.cpp").read_text()
    if counted:
        main = f'#define COUNTED\n{main}\n#include "verilated_cov.cpp"\n'
    ports = _ports(design, core)

    def make(executable: Path) -> None:
        with scratch_folder("lutgen-fuzz-build-", None) as work:
            (work / "ports.h").write_text(ports)
            compile_model(work, design.top, texts, executable, options=options, main=main)

    executable, _ = kept(
        Path(build_dir or cache_folder() / "fuzz").absolute(), design.top,
        [recipe(), options, main, ports, design.top, texts], make,
    )  # fmt: skip
    return NativeCore(executable)


def _ports(design: Design, core: str) -> str:
    """What the driver knows of the ports, as ``ports.h``."""
    sink, sink_side, source, source_side = _PORTS[core]
    settings = "; ".join(
        f"(core)->{name} = (values)[{k}]"
        for k, name in enumerate(_SETTINGS) if name in design.ports
    )  # fmt: skip
    return (
        "#define JOINED(prefix, name) prefix##_##name\n"
        "#define PORT(prefix, name) JOINED(prefix, name)\n"
        f"#define SINK {sink}\n#define SINK_SIDE {sink_side}\n"
        f"#define SOURCE {source}\n#define SOURCE_SIDE {source_side}\n"
        f"#define SET_PORTS(core, values) do {{ (void)(values); {settings}; }} while (0)\n"
    )
