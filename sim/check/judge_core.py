"""What all judges share: a core of a build, and runs of phases that it goes through."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lutgen.sim.check.judge import (
    BLOCKED,
    FREE,
    Control,
    Plan,
    first_lines,
    profiles,
)
from lutgen.sim.check.outputs import FileOutput, FrameOutput
from lutgen.sim.check.upset import upset
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.stream import StreamResult
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["CoreJudge", "Run"]


class Run(NamedTuple):
    """Phases that are simulated together, by a name.

    Members
    -------
    name : what they are about
    phases : plans them
    upset : whether anything may stand in the core before each reset, see `.upset`
    """

    name: str
    phases: Callable[[Plan], None]
    upset: bool = False


class CoreJudge(ABC):
    """Judges one core of a build.

    Parameters
    ----------
    design :
        Its Verilog.
    output :
        What comes out of it.
    pictures :
        What goes through it: `.judge_pictures.Pictures`, or another with ``of`` and ``noise``.
    share :
        Share of clocks with random stalls.
    seed :
        Of stalls and pictures.
    """

    core: str
    sink: str
    #: Stalls of both ports with which small files go a clock faster than they come.
    paced: tuple[Stall, Stall] = (Stall(), Stall())

    def __init__(
        self, design: Design, output: FileOutput | FrameOutput, pictures, *, share: float,
        seed: int,
    ) -> None:  # fmt: skip
        self.design, self.output, self.pictures = design, output, pictures
        self.seed, self._share = seed, share

    @abstractmethod
    def control(self) -> Control:
        """Ports or registers, as the build has them."""

    @abstractmethod
    def runs(self) -> list[Run]:
        """All runs, quick ones first."""

    @property
    @abstractmethod
    def patience(self) -> int:
        """Clocks without a beat after which a core hangs."""

    @property
    @abstractmethod
    def usual(self) -> tuple[int, int]:
        """Width and height of a picture that takes the core's limits of its own, and little time.
        """

    @property
    @abstractmethod
    def filling(self) -> int:
        """Clocks after which two such pictures have filled a core whose output is not ready."""

    @abstractmethod
    def begin(self, plan: Plan, images: np.ndarray):
        """Settings of images, and their beats."""

    @abstractmethod
    def wanted(self, images: np.ndarray) -> list:
        """What must come of images."""

    @abstractmethod
    def begun(self, images: np.ndarray) -> list:
        """What comes of images, cut short, must begin like this."""

    @abstractmethod
    def beginnings(self, width: int) -> list[int]:
        """Numbers of beats of which nothing is made yet."""

    def further(self, plan: Plan, result: StreamResult) -> list[str]:
        """What else is wrong in a run."""
        return []

    @cached_property
    def _upset(self) -> Design:
        return upset(self.design)

    def resets_at_rest(self, plan: Plan) -> None:
        """Reset the core where nothing is at work: input has begun, or output waits."""
        width, height = self.usual

        def again(what: str) -> None:
            plan.script.stall(FREE)
            image = self.pictures.noise(3, 2)  # what was left behind may be black
            plan.send(self.begin(plan, image))
            plan.expect(*self.wanted(image))
            plan.settle(f"a reset {what}")

        for number, some in enumerate(self.beginnings(width)):
            images = self.pictures.of(width, height, 2)
            beats = self.begin(plan, images)
            plan.send({name: values[:some] for name, values in beats.items()})
            plan.script.wait(40)
            plan.reset(1 + number % 2, self.begun(images))
            again(f"behind beat {some}")
        for clocks in (1, 4, 9, 14, 30, 70):
            images = self.pictures.of(width, height, 2)
            plan.script.stall(BLOCKED)
            plan.send(self.begin(plan, images))
            plan.script.wait(self.filling)
            plan.script.stall(FREE)
            plan.script.wait(clocks)
            plan.reset(2, self.begun(images))
            again(f"{clocks} clocks behind the first output")

    def judge(self, tell_progress: Callable[[str], None]) -> tuple[list[dict], list[str]]:
        """Run everything; after a run with a problem the ones behind it are left out.

        Returns
        -------
        tuple
            Each run for the result, and all problems.
        """
        done: list[dict] = []
        stalls = profiles(self._share, self.seed, self.paced)
        problems: list[str] = []
        for name, phases, upsets in self.runs():
            if problems:
                done.append({"run": name, "skipped": True})
                continue
            tell_progress(name)
            plan = Plan(self.control(), self.sink)
            phases(plan)
            try:
                found, result = plan.run(
                    self._upset if upsets else self.design, self.output, stalls,
                    patience=self.patience, max_clocks=100 * self.patience,
                )  # fmt: skip
            except SimulationError as error:
                text = first_lines(error)
                problems.append(f"{name}, {text}")
                done.append({"run": name, "phases": plan.phases, "problems": [text]})
                continue
            if not found:
                found = self.further(plan, result)
            problems += [f"{name}, {text}" for text in found]
            done.append({
                "run": name, "phases": plan.phases, "clocks": result.clocks,
                "beats": plan.beats, "problems": found,
            })  # fmt: skip
        return done, problems
