"""What the judges of both cores of profile ``predictive`` share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from lutgen.build.options import PredictiveOptions
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import GROUP, Frame
from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.registers import BUS
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.sim.check.judge import (
    BLOCKED,
    BURSTS,
    FREE,
    RANDOM,
    STARVED,
    Control,
    Plan,
    Ports,
    Registers,
)
from lutgen.sim.check.judge_core import CoreJudge, Run
from lutgen.sim.check.outputs import FileOutput, FrameOutput
from lutgen.sim.check.picture_form import Coding
from lutgen.sim.check.predictive_pictures import PredictivePictures
from lutgen.sim.cores.predictive import group_clocks, groups_of
from lutgen.sim.drive.stream import StreamResult
from lutgen.sim.tool.design import Design

__all__ = ["PredictiveJudge", "nears_of"]

#: Clocks of the largest pictures.
_BUDGET = 130_000
#: Resets in the middle of a file.
_RESETS = 64
#: Widths and heights of small pictures, at most.
_SMALL = (49, 26)
#: Clocks after which ``idle`` tells that a beat has been taken.
_SEEN = 2
#: Nears up to this one are all gone through.
_FEW = 5


def nears_of(config: PredictiveConfig) -> tuple[int, ...]:
    """Nears that pictures have in turn: the first ones, and the greatest."""
    few = range(min(_FEW, config.max_near) + 1)
    return tuple(dict.fromkeys([*few, config.max_near]))


class PredictiveJudge(CoreJudge):
    """Judges one core of a build of profile ``predictive``.

    Parameters
    ----------
    config :
        The core.
    options :
        Those of the build.
    design, pictures, share, seed :
        See `.judge_core.CoreJudge`.
    codec :
        The reference.
    """

    errors: tuple[str, ...]

    def __init__(
        self, config: PredictiveConfig, options: PredictiveOptions, design: Design,
        pictures: PredictivePictures, codec: PredictiveCodec, *, share: float, seed: int,
    ) -> None:  # fmt: skip
        self.config, self.bytes, self.codec = config, options.stream_bytes, codec
        self._map = build_map(self.core, config) if options.registers else None
        self.form = pictures.form
        self._codings, self._coding = self.form.codings(nears_of(config)), Coding()
        super().__init__(design, self._output(), pictures, share=share, seed=seed)

    @abstractmethod
    def _output(self) -> FileOutput | FrameOutput:
        """What comes out."""

    @property
    @abstractmethod
    def lanes(self) -> int:
        """Lanes of the core."""

    @abstractmethod
    def send(
        self, plan: Plan, image: np.ndarray, number: int = 0, coding: Coding | None = None
    ) -> None:
        """A picture, and what must come of it; odd numbers may come in another form.

        Unless told, it is coded in the next way that the core takes.
        """

    @abstractmethod
    def errors_of_inputs(self, plan: Plan) -> None:
        """Every error: provoked, seen, cleared; and the next picture is right."""

    @property
    def settings(self) -> tuple[str, ...]:
        """Ports that say what the next picture is."""
        return ()

    def runs(self) -> list[Run]:
        """All runs, quick ones first."""
        nears = [Run("nears", self._each_near)] if self.config.max_near else []
        return [
            Run("errors", self.errors_of_inputs), *nears, Run("sizes and files", self._sizes),
            Run("pictures of the model", self._drawn),
            Run("buffers", self._buffers),
            *([Run("queues", self._queues)] if self.config.cores > 1 else []),
            Run("resets at rest", self.resets_at_rest, upset=True),
            Run("resets at any time", self._resets, upset=True),
        ]

    def control(self) -> Control:
        """Ports or registers, as the build has them."""
        if self._map is not None:
            return Registers(self._map, BUS)
        return Ports(self.errors, dict.fromkeys(self.settings, 0))

    def setting_bits(self, name: str) -> int:
        """Bits of a setting."""
        if self._map is not None:
            return self._map[name].fields[0].width
        return self.design.ports[name].width

    def file(
        self, image: np.ndarray, coding: Coding, strip_height: int | None = None, shift: int = 0
    ) -> bytes:
        """The reference's file of a picture."""
        strip = strip_height or self.config.strip_height or len(image)
        return self.form.file(self.codec, image, strip, coding, shift)

    def next_coding(self) -> Coding:
        """That of the next picture, or of the next pictures together: each in turn."""
        self._coding = next(self._codings)
        return self._coding

    # Clocks.

    def clocks(self, width: int, height: int) -> int:
        """Of a picture, between others of its width."""
        return groups_of(self.config, height) * group_clocks(self.config, width, self.lanes)

    @property
    def longest(self) -> int:
        """Clocks of the widest group of rows from its first to its last sample."""
        return (self.config.max_width + 32) * GROUP * self.lanes

    @property
    def patience(self) -> int:
        """Clocks without a beat after which a core hangs: groups of all lanes, one by one."""
        return 2 * self.longest + 20_000

    @property
    def usual(self) -> tuple[int, int]:
        """Two groups and a little more."""
        w, h = self.pictures.largest
        return min(self.form.whole_width(21), w), min(self.form.height_of(2 * GROUP + 1), h)

    @property
    def filling(self) -> int:
        """Clocks after which two usual pictures have filled what waits for the output."""
        return 3 * self.clocks(*self.usual) + 64 * GROUP * self.lanes + 4000

    # Sides.

    def _sides(self, width: int, height: int) -> tuple[int, int]:
        """Sides, or the next ones that are allowed."""
        return self.form.whole_width(width), self.form.whole(height)

    @property
    def _small(self) -> tuple[int, list[int]]:
        """The least width, and the greatest width and height, of small pictures."""
        least = self.form.least_width
        # Slabs of all widths, if they need more columns than small pictures have.
        most = (max(_SMALL[0], least + _SMALL[0] // 2), _SMALL[1])
        return least, [min(*pair) for pair in zip(most, self.pictures.largest, strict=True)]

    # Phases.

    def _each_near(self, plan: Plan) -> None:
        """Pictures of every kind, all of one near, and then of all nears in turn."""
        w, h = (min(side, most) for side, most in
                zip(self._sides(41, 13), self.pictures.largest, strict=True))  # fmt: skip
        kinds = self.pictures.contents(w, h).values()
        for near in nears_of(self.config):
            plan.script.stall((FREE, RANDOM)[near % 2])
            for number, image in enumerate(kinds):
                self.send(plan, image, number, Coding(near, number % self.form.orders))
            plan.settle(f"pictures of near {near}")
        for stall in (FREE, RANDOM, BURSTS):
            plan.script.stall(stall)
            for number, image in enumerate(kinds):
                self.send(plan, image, number)
            plan.settle(f"nears in turn, stalls {stall}")

    def _sizes(self, plan: Plan) -> None:
        rng = np.random.default_rng(self.seed)
        least, most = self._small
        for number, stall in enumerate((FREE, RANDOM, BURSTS, STARVED)):
            plan.script.stall(stall)
            for k in range(12):
                if k % 3 != 2:  # every third one is as wide as that before it
                    w = int(rng.integers(least, most[0] + 1))
                self.send(plan, self.pictures.of(w, int(rng.integers(1, most[1] + 1)))[0], number)
            plan.settle(f"files in a row, stalls {number}")
            plan.reset(1 + number)  # of a core that is idle, but not as new
        for w, h in self.pictures.limits(self.clocks, _BUDGET):
            plan.script.stall(FREE if w * h > 4000 else (RANDOM, BURSTS)[(w + h) % 2])
            self.send(plan, self.pictures.of(w, h)[0])
            plan.settle(f"{w} x {h}")

    def _drawn(self, plan: Plan) -> None:
        for number, image in enumerate(self.pictures.drawn):
            plan.script.stall((FREE, RANDOM)[number % 2])
            near = self.next_coding().near
            self.send(plan, image, number, Coding(near, number % self.form.orders))
            plan.settle(f"picture {number} of the model")

    def _buffers(self, plan: Plan) -> None:
        """The output is not ready until everything inside is full."""
        lanes, (widest, highest) = self.lanes, self.pictures.largest
        groups = 3 * lanes + 4
        w, h = self._sides(64, self.form.height_of(GROUP * groups))
        w, h = min(widest, w), min(highest, h)
        count = -(-groups // groups_of(self.config, h))
        noise = np.concatenate([self.pictures.noise(w, h) for _ in range(count)])
        flat = np.zeros_like(noise)
        for name, images in (
            ("pictures", self.pictures.of(w, h, count)), ("noise", noise), ("nothing", flat),
            ("small pictures", self.pictures.of(min(3, w), 1, 6 * lanes)),
        ):  # fmt: skip
            plan.script.stall(BLOCKED)
            plan.send(self.begin(plan, images))
            clocks = groups * group_clocks(self.config, w, lanes)
            plan.script.wait(clocks + 4 * w * GROUP * lanes + 5000)
            plan.script.stall(FREE)
            plan.expect(*self.wanted(images))
            plan.settle(f"every buffer full of {name}")

    def _queues(self, plan: Plan) -> None:
        """Strips of noise in all slabs, then in one, fill what cores of other slabs wait for."""
        width = self.pictures.largest[0]
        rows = self.config.rows_of_strip + self.form.height_of(GROUP * (self.lanes + 4))
        height = min(rows, self.pictures.largest[1])
        count = -(-rows // height)
        noise = np.concatenate([self.pictures.noise(width, height) for _ in range(count)])
        frame = Frame.unpack(self.file(noise[0], Coding()))
        some = [np.zeros_like(noise) for _ in range(self.form.slabs)]
        for number, images in enumerate(some):
            slab = np.s_[..., slice(*frame.columns(number))]
            images[slab] = noise[slab]
        clocks = 2 * self.clocks(width, count * height) + 5000
        for stall, name, images in (
            (BLOCKED, "all slabs", noise), (FREE, "all slabs", noise),
            *((BLOCKED, f"slab {number}", images) for number, images in enumerate(some)),
        ):  # fmt: skip
            plan.script.stall(stall)
            plan.send(self.begin(plan, images))
            if stall == BLOCKED:
                plan.script.wait(clocks)
                plan.script.stall(FREE)
            plan.expect(*self.wanted(images))
            plan.settle(f"noise in {name}, stalls {stall}")

    def _resets(self, plan: Plan) -> None:
        """Reset the core at any time, by its reset and its registers; the next pictures are right.
        """
        rng = np.random.default_rng(self.seed + 5)
        least, most = self._small
        for number in range(_RESETS):
            plan.script.stall((FREE, RANDOM, FREE, BLOCKED)[number % 4])
            w, h = int(rng.integers(least, most[0] + 1)), int(rng.integers(1, most[1] + 1))
            soft = self._map is not None and number % 2 == 1
            images = self.pictures.of(w, h, 1 if soft else int(rng.integers(1, 4)))
            beats = self.begin(plan, images)
            length = len(beats["data"])
            some = length if number % 4 > 1 else int(rng.integers(1, length + 1))
            plan.send({name: values[:some] for name, values in beats.items()})
            clocks = int(rng.integers(1, 2 * self.clocks(w, h * len(images)) + 1000))
            plan.script.wait(clocks)
            if soft:
                plan.restart()
                plan.script.stall(FREE)
                if some < length:  # dropped up to the end of what was broken
                    plan.send({name: values[some:] for name, values in beats.items()})
                    plan.quiet()
            else:
                plan.reset(1 + number % 3, self.begun(images))
            plan.script.stall(FREE)
            # What stays in a lane shows in a later picture of that lane.
            small = self.pictures.of(*self.usual, 1 if soft else 2)
            small[0] = self.pictures.noise(*self.usual)[0]
            plan.send(self.begin(plan, small))
            plan.expect(*self.wanted(small))
            kind = "a software reset" if soft else "a reset"
            plan.settle(f"{kind} {clocks} clocks behind beat {some} of {length}")

    # What else is wrong.

    def further(self, plan: Plan, result: StreamResult) -> list[str]:
        """``idle`` while a picture is inside: each that begins gives one that ends."""
        if len(result.input_clocks[self.sink]) != plan.beats:
            return []  # a reset has left out beats, so that nobody knows which ones came when
        if "idle" not in result.changes:
            return []  # a register, which nobody reads at every clock
        idle = result.changes["idle"]
        clocks, values = (np.array(part) for part in zip(*idle, strict=True))
        for phase in plan.sound():
            begins, ends = (result.steps[step] for step in (phase.begins, phase.ends))
            taken = self._begins(plan, result, begins, ends)
            output = result.output_clocks[self.output.stream]
            some = (output > begins) & (output <= ends)
            last = output[some][self._ends(result)[some]]
            if len(taken) != len(last):
                continue  # told as what it is
            if any(self._idle_within(clocks, values, taken + _SEEN, last)):
                return [f"{phase.name}: idle is high while a picture is inside"]
        return []

    @staticmethod
    def _idle_within(clocks, values, first: np.ndarray, last: np.ndarray) -> Iterator[bool]:
        """Whether ``idle`` is high anywhere between the clocks of each pair."""
        for begin, end in zip(first.tolist(), last.tolist(), strict=True):
            if begin >= end:
                continue
            a, b = np.searchsorted(clocks, [begin, end], side="right") - 1
            yield bool(values[a : b + 1].any())

    def _begins(self, plan: Plan, result: StreamResult, first: int, last: int) -> np.ndarray:
        """Clocks in which pictures began to come, within a phase."""
        clocks = result.input_clocks[self.sink]
        return clocks[(clocks > first) & (clocks <= last) & self.begins_at(plan)[: len(clocks)]]

    @abstractmethod
    def begins_at(self, plan: Plan) -> np.ndarray:
        """Beats of the input with which a picture begins: bool (beats,)."""

    @abstractmethod
    def _ends(self, result: StreamResult) -> np.ndarray:
        """Beats of the output with which a picture ends: bool (beats,)."""
