"""Many files through one core in one run, phase by phase, and what is wrong with what came out.

A phase is a piece of a run that ends when the core is idle.  In it a core is given files and has to
give others back, to report certain errors and no others, and to forget them when it is told to.
What a phase does to the core stays: so each phase also shows that the ones before left nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

import numpy as np

from lutgen.errors import InputError
from lutgen.sim.check.outputs import FileOutput, FrameOutput
from lutgen.sim.drive.bus import BusScript
from lutgen.sim.drive.script import Script
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.stream import AXIS, StreamResult, rtl_stream

__all__ = [
    "BLOCKED", "BURSTS", "FREE", "PACED", "RANDOM", "STARVED", "Control", "Plan", "Ports",
    "Registers", "first_lines", "profiles",
]  # fmt: skip

#: Numbers of the stalls that a phase can choose.
FREE, RANDOM, BURSTS, STARVED, BLOCKED, PACED = range(6)
#: Clocks that a core has to be idle for: the output drops for a moment between small files.
_IDLE = 64
#: Clocks for which settings must be stable before a file.
_SETTLE = 8
#: Beats after which the first pixel is inside for certain.
_INSIDE = 8


def profiles(
    share: float, seed: int, paced: tuple[Stall, Stall] = (Stall(), Stall())
) -> dict[str, tuple[Stall, ...]]:
    """Stalls of ``sink``, what the core reads, and ``source``, what it gives, by number.

    ``paced`` has the two for which nearly as much comes as goes.
    """

    def both(number: int, p: float, burst: float | None) -> tuple[Stall, Stall]:
        return Stall(p, 100 * seed + number, burst), Stall(p, 100 * seed + 50 + number, burst)

    of = {
        FREE: (Stall(), Stall()),
        RANDOM: both(RANDOM, share, None),
        BURSTS: both(BURSTS, 0.4, 40.0),
        STARVED: (Stall(0.8, seed + 7, 60.0), Stall()),
        BLOCKED: (Stall(), Stall(1.0)),
        PACED: paced,
    }
    return {
        name: tuple(of[number][side] for number in sorted(of))
        for side, name in enumerate(("sink", "source"))
    }


_Script = TypeVar("_Script", bound=Script)


class Control(ABC, Generic[_Script]):
    """How a core is told its settings, and tells its errors.

    Members
    -------
    controls : inputs that a script sets, and what they are before
    watch : outputs whose changes a run records
    """

    controls: Mapping[str, int]
    watch: tuple[str, ...]
    #: Whether there is something to clear without an error: causes that say what is done.
    tells_all: ClassVar[bool] = False

    @abstractmethod
    def script(self) -> _Script:
        """An empty script."""

    @abstractmethod
    def named(self, errors) -> frozenset[str]:
        """Errors as the core tells them."""

    @abstractmethod
    def begin(self, script: _Script) -> None:
        """What stands at the beginning of a run, or behind a reset."""

    @abstractmethod
    def configure(self, script: _Script, **settings: int) -> None:
        """Use settings for the next file."""

    @abstractmethod
    def spoil(self, script: _Script, **settings: int) -> None:
        """Set what the file that has begun must not heed."""

    @abstractmethod
    def settle(self, script: _Script) -> int:
        """Wait until nothing is inside."""

    @abstractmethod
    def look(self, script: _Script) -> int:
        """A step whose errors are told by :meth:`errors`."""

    @abstractmethod
    def clear(self, script: _Script) -> None:
        """Clear the errors."""

    @abstractmethod
    def restart(self, script: _Script) -> None:
        """Reset the core, and not the ports."""

    @abstractmethod
    def errors(self, result: StreamResult, step: int) -> frozenset[str]:
        """Errors that showed at a step."""


class Ports(Control[Script]):
    """Settings and errors at ports."""

    def __init__(self, errors: Sequence[str], settings: Mapping[str, int]) -> None:
        self.names = tuple(errors)
        self.controls = {**dict.fromkeys(settings, 0), "clear_error": 0}
        self.watch = ("error", "idle")

    def script(self) -> Script:
        """An empty script."""
        return Script()

    def named(self, errors) -> frozenset[str]:
        """Errors as these ports tell them: markers are one."""
        marks = {"sof_early", "sof_late", "eol_early", "eol_late"}
        return frozenset("bad_marker" if name in marks else name for name in errors)

    def begin(self, script: Script) -> None:
        """What stands at the beginning of a run, or behind a reset."""

    def configure(self, script: Script, **settings: int) -> None:
        """Use settings for the next file."""
        if settings:
            script.set(**settings)
        script.wait(_SETTLE)

    def spoil(self, script: Script, **settings: int) -> None:
        """Set what the file that has begun must not heed."""
        script.set(**settings)

    def settle(self, script: Script) -> int:
        """Wait until nothing is inside."""
        script.taken(1)
        return script.high("idle", _IDLE)

    def look(self, script: Script) -> int:
        """A step whose errors are told by :meth:`errors`."""
        return script.wait(1)

    def clear(self, script: Script) -> None:
        """Clear the errors."""
        script.set(clear_error=1)
        script.wait(1)
        script.set(clear_error=0)
        script.wait(2)

    def restart(self, script: Script) -> None:
        """There is no such reset."""
        raise InputError("core must have registers, not ports alone, to be reset without them")

    def errors(self, result: StreamResult, step: int) -> frozenset[str]:
        """Errors that showed at a step."""
        value = _at(result.changes["error"], result.steps[step] - 1)
        return frozenset(name for bit, name in enumerate(self.names) if value >> bit & 1)


class Registers(Control[BusScript]):
    """Settings and errors in registers behind AXI4-Lite."""

    tells_all = True

    def __init__(self, registers, prefix: str) -> None:
        self._map, self._prefix = registers, prefix
        self._causes = {
            f.name: f.mask for f in registers["isr"].fields
            if f.name not in ("frame_done", "file_done")
        }  # fmt: skip
        self._all = sum(f.mask for f in registers["isr"].fields)
        self.controls: dict[str, int] = {}
        self.watch = ("interrupt",)

    def script(self) -> BusScript:
        """An empty script."""
        return BusScript(self._prefix)

    def named(self, errors) -> frozenset[str]:
        """Errors as the registers tell them."""
        return frozenset(errors)

    def _write(self, script: BusScript, name: str, value: int) -> None:
        script.write(self._map[name].offset, value)

    def begin(self, script: BusScript) -> None:
        """Let files begin, and every cause interrupt."""
        self._write(script, "ier", self._all)
        self._write(script, "gie", 1)
        self._write(script, "control", self._map["control"]["enable"].mask)

    def configure(self, script: BusScript, **settings: int) -> None:
        """Use settings for the next file."""
        control = self._map["control"]
        if not settings:
            return
        for name, value in settings.items():
            self._write(script, name, value)
        enable, update = control["enable"].mask, control["update"].mask
        self._write(script, "control", enable | update)
        script.until(control.offset, update, 0)

    def spoil(self, script: BusScript, **settings: int) -> None:
        """Write what no update has asked for."""
        for name, value in settings.items():
            self._write(script, name, value)

    def settle(self, script: BusScript) -> int:
        """Wait until nothing is inside."""
        script.taken(8)
        idle = self._map["status"]["idle"].mask
        for _ in range(2):
            script.until(self._map["status"].offset, idle, idle)
            script.wait(_IDLE)
        return script.wait(1)

    def look(self, script: BusScript) -> int:
        """A step whose errors are told by :meth:`errors`."""
        return script.read(self._map["isr"].offset)

    def clear(self, script: BusScript) -> None:
        """Clear the causes."""
        self._write(script, "isr", self._all)

    def restart(self, script: BusScript) -> None:
        """Reset the core, and not the ports."""
        control = self._map["control"]
        self._write(script, "control", control["enable"].mask | control["reset"].mask)

    def errors(self, result: StreamResult, step: int) -> frozenset[str]:
        """Causes that were pending at a step."""
        return frozenset(n for n, mask in self._causes.items() if result.word(step) & mask)


def _at(changes: Sequence[tuple[int, int]], clock: int) -> int:
    """Value of a watched output at a clock."""
    clocks = [at for at, _ in changes]
    return changes[max(0, int(np.searchsorted(clocks, clock, side="right")) - 1)][1]


@dataclass
class _Phase:
    name: str
    begins: int
    ends: int = -1
    outputs: list = field(default_factory=list)
    looks: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    cut: tuple[int, list] | None = None  # step of a reset, and what came before began with
    loose: bool = False  # only the last output counts


class Plan(Generic[_Script]):
    """A run in the making.

    Parameters
    ----------
    control :
        `Ports` or `Registers`.
    sink :
        The input stream.
    """

    def __init__(self, control: Control[_Script], sink: str) -> None:
        self.control, self._sink = control, sink
        self.script: _Script = control.script()
        self._beats: list[Mapping[str, np.ndarray]] = []
        self._phases: list[_Phase] = []
        self.control.begin(self.script)
        self._last = self.script.wait(1)

    @property
    def phases(self) -> int:
        """How many there are."""
        return len(self._phases)

    @property
    def beats(self) -> int:
        """How many the core has to read."""
        return sum(len(next(iter(b.values()))) for b in self._beats)

    def _open(self) -> _Phase:
        if not self._phases or self._phases[-1].ends >= 0:
            self._phases.append(_Phase("", self._last))
        return self._phases[-1]

    def configure(self, **settings: int) -> None:
        """Use settings for the next file."""
        self.control.configure(self.script, **settings)

    def send(self, beats: Mapping[str, np.ndarray], first: int | None = None) -> None:
        """Let the core read beats, or the first of them only, until :meth:`rest`."""
        count = len(next(iter(beats.values())))
        self._open()
        self._beats.append(beats)
        self._left = count - (count if first is None else min(first, count))
        self.script.send(self._sink, count - self._left)

    def rest(self) -> None:
        """Let it read the other beats."""
        if self._left:
            self.script.send(self._sink, self._left)
        self._left = 0

    def send_configured(
        self, beats: Mapping[str, np.ndarray], settings: Mapping[str, int],
        spoilt: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        """Let the core read what begins with settings, and knows nothing of those that follow."""
        self.configure(**settings)
        early = spoilt if len(beats["data"]) > _INSIDE else None
        self.send(beats, None if early is None else _INSIDE)
        self.script.taken(1)
        if early is not None:
            self.script.wait(2)
            self.control.spoil(self.script, **early)
        self.rest()
        self.script.taken(1)
        if early is None:
            self.quiet()  # the next settings must not come too early

    def beats_of(self, name: str) -> np.ndarray:
        """A field of all beats that the core has to read."""
        return np.concatenate([np.asarray(beats[name]) for beats in self._beats])

    def sound(self) -> list[_Phase]:
        """Phases without errors and resets."""
        return [
            phase for phase in self._phases
            if not (phase.cut or phase.loose or any(wanted for _, wanted in phase.looks))
        ]  # fmt: skip

    def expect(self, *outputs) -> None:
        """What the core must give in this phase, files or images."""
        self._open().outputs.extend(outputs)

    def quiet(self) -> None:
        """Wait until nothing is inside, within a phase."""
        self._open()
        self.control.settle(self.script)

    def settle(self, name: str, errors: Sequence[str] = ()) -> None:
        """End the phase: errors stay until they are cleared, and none comes by itself."""
        phase, wanted = self._open(), self.control.named(errors)
        phase.name = name
        self._last = phase.ends = self.control.settle(self.script)
        phase.looks.append((self.control.look(self.script), wanted))
        if wanted:
            self.script.wait(5)
            phase.looks.append((self.control.look(self.script), wanted))
            self.control.clear(self.script)
            for _ in range(2):
                phase.looks.append((self.control.look(self.script), frozenset()))
                self.script.wait(5)
        elif self.control.tells_all:
            self.control.clear(self.script)

    def reset(self, clocks: int, begun: Sequence = ()) -> None:
        """Reset the core in the middle; what it gave before must begin like ``begun``."""
        phase = self._open()
        phase.cut = (self.script.reset(clocks), list(begun))
        self.control.begin(self.script)

    def restart(self) -> None:
        """Reset the core by its registers; one output must then come."""
        self._open().loose = True
        self.control.restart(self.script)

    def run(
        self, design, output: FileOutput | FrameOutput, stalls: Mapping, **options
    ) -> tuple[list[str], StreamResult]:
        """Simulate, and say what is wrong.

        Parameters
        ----------
        design :
            The core.
        output :
            What comes out of it, and how that is compared.
        stalls :
            See `profiles`.
        options :
            See `rtl_stream`.
        """
        names, source = list(self._beats[0]), output.stream
        beats = {n: np.concatenate([b[n] for b in self._beats]) for n in names}
        result = rtl_stream(
            design, {self._sink: beats}, {source: output.fields}, names=AXIS,
            stalls={self._sink: stalls["sink"], source: stalls["source"]}, bus=self.script,
            controls=self.control.controls, watch=self.control.watch, allow_timeout=True,
            **options,
        )  # fmt: skip
        problems: list[str] = []
        for phase in self._phases:
            if phase.ends >= len(result.steps) or (
                phase.looks and phase.looks[-1][0] >= len(result.steps)
            ):
                step = self.script.steps[len(result.steps)]
                problems.append(f"{phase.name}: it hangs, the run waits at step {step}")
                break
            problems += [
                f"{phase.name}: {text}"
                for text in self._judge(phase, result, output)
            ]
            if len(problems) > 10:
                problems.append("and perhaps more")
                break
        if not problems and "idle" in result.changes:
            idle = result.changes["idle"]
            clocks = np.array([at for at, _ in idle])
            values = np.array([value for _, value in idle])
            given = result.output_clocks[source]
            if values[np.searchsorted(clocks, given, side="right") - 1].any():
                problems.append("idle is high while something is given")
            for number, step in enumerate(self.script.steps):
                # The first clock of a reset is that of the edge at which it is seen.
                ends = result.steps[number]
                if step[0] == "reset" and values[clocks.searchsorted(
                    np.arange(ends - step[1] + 1, ends + 1), side="right"
                ) - 1].any():  # fmt: skip
                    problems.append("idle is high behind a reset, before the core is clear")
                    break
        return problems, result

    def _judge(self, phase: _Phase, result: StreamResult, output: FileOutput | FrameOutput):
        """What is wrong in a phase."""
        source = output.stream
        clocks = result.output_clocks[source]

        def beats(first: int, last: int) -> dict:
            some = slice(*np.searchsorted(clocks, [first, last]))
            return {name: values[some] for name, values in result.outputs[source].items()}

        begins, ends = result.steps[phase.begins], result.steps[phase.ends]
        if phase.cut:
            at, begun = phase.cut
            reset = result.steps[at]
            length = self.script.steps[at][1]
            yield from output.tell(beats(begins, reset - length), begun, begun=True)
            begins = reset
        try:
            given = beats(begins, ends)
            outputs = output.collect(output.last(given) if phase.loose else given)
        except ValueError as error:
            yield str(error)
        else:
            yield from output.tell(outputs, phase.outputs)
        for step, wanted in phase.looks:
            found = self.control.errors(result, step)
            if found != wanted:
                yield (
                    f"errors must be {', '.join(sorted(wanted)) or 'none'}, "
                    f"not {', '.join(sorted(found)) or 'none'}"
                )
                break


def first_lines(error: Exception) -> str:
    """The first lines of an error in one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:3])
