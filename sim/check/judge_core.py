"""What the judges of both cores share: a core of a build, its reference, and its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lutgen.build.options import BuildOptions
from lutgen.codec.codec import Codec
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.core.top import DECODER_ERRORS, ENCODER_ERRORS
from lutgen.gateware.ip.build_map import build_map
from lutgen.gateware.ip.registers import BUS
from lutgen.sim.check.judge import (
    BLOCKED,
    BURSTS,
    FREE,
    PACED,
    RANDOM,
    STARVED,
    Plan,
    Ports,
    Registers,
    first_lines,
    profiles,
)
from lutgen.sim.check.judge_pictures import Pictures
from lutgen.sim.check.upset import upset
from lutgen.sim.drive.stall import Stall
from lutgen.sim.tool.design import Design
from lutgen.sim.tool.verilator import SimulationError

__all__ = ["CoreJudge", "Run"]

#: Pixels of the largest pictures.
_BUDGET = 60_000
#: Resets in the middle of a file.
_RESETS = 96
#: How many files less are inside in the end of a phase in which some come and go.
_ACROSS = 8


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


class CoreJudge:
    """Judges one core of a build.

    Parameters
    ----------
    record :
        ``build.json``.
    config :
        The core.
    design :
        Its Verilog.
    pictures :
        What goes through it.
    codec :
        The reference.
    share :
        Share of clocks with random stalls.
    seed :
        Of stalls and pictures.
    """

    core: str
    sink: str
    source: str
    fields: tuple[str, ...]
    settings: tuple[str, ...]
    #: Clocks of a file of a pixel where ports never stall, with rANS.
    pixel_file: int
    #: Stalls of both ports with which files of a pixel go a clock faster than they come.
    paced: tuple[Stall, Stall]
    budget = _BUDGET

    def __init__(
        self, record: Mapping, config: CoreConfig, design: Design, pictures: Pictures,
        codec: Codec, *, share: float, seed: int,
    ) -> None:  # fmt: skip
        options = BuildOptions.of_record(record["parameters"])
        self.config, self.design, self.pictures, self.codec = config, design, pictures, codec
        self.bytes, self.cores = options.stream_bytes, options.cores
        self.seed, self._share = seed, share
        self._registers = options.registers

    def control(self) -> Ports | Registers:
        """Ports or registers, as the build has them."""
        if self._registers:
            return Registers(build_map(self.core, self.config), BUS)
        errors = {"encoder": ENCODER_ERRORS, "decoder": DECODER_ERRORS}[self.core]
        return Ports(errors, dict.fromkeys(self.settings, 0))

    def setting_bits(self, name: str) -> int:
        """Bits of a setting."""
        if self._registers:
            return self._map[name].fields[0].width
        return self.design.ports[name].width

    @cached_property
    def _upset(self) -> Design:
        return upset(self.design)

    @cached_property
    def _map(self):
        return build_map(self.core, self.config)

    def file(self, images: np.ndarray) -> bytes:
        """The reference's file."""
        tile, coder = self.pictures.tile, self.config.coder
        return self.codec.encode(images, tile=tile, coder=coder).data

    def many_tiles(self, tiles: int) -> tuple[int, int, int]:
        """Width, height and number of images with so many tiles."""
        (tile_w, tile_h), (most_w, most_h) = self.pictures.tile, self.pictures.largest
        w = max(tile_w, most_w // tile_w * tile_w)
        rows = -(-tiles // (w // tile_w))
        h = max(1, min(most_h, rows * tile_h))
        return w, h, -(-rows * tile_h // h)

    def runs(self) -> list[Run]:
        """All runs, quick ones first."""
        raise NotImplementedError

    def files_in_a_row(self, plan: Plan, send: Callable[[np.ndarray, int], None]) -> None:
        """Small files of any size with every kind of stalls; ``send`` gets the number of the kind.
        """
        rng = np.random.default_rng(self.seed)
        for number, stall in enumerate((FREE, RANDOM, BURSTS, STARVED)):
            plan.script.stall(stall)
            for _ in range(12):
                w, h = (int(rng.integers(1, 2 * side + 2)) for side in self.pictures.tile)
                w, h = (min(*pair) for pair in zip((w, h), self.pictures.largest, strict=True))
                send(self.pictures.of(w, h, int(rng.integers(1, 4))), number)
            plan.settle(f"files in a row, stalls {number}")
            plan.reset(1 + number)  # of a core that is idle, but not as new

    def extremes(self, plan: Plan, send: Callable[[np.ndarray], None]) -> None:
        """The most images of a file that are affordable, and the longest sides."""
        plan.script.stall(FREE)
        for count in (256, 257, 600):
            send(self.pictures.of(1, 1, count))
            plan.settle(f"{count} images of one pixel in a file")
        for w, h in self.pictures.limits(self.budget):
            plan.script.stall(FREE if w * h > 4000 else (RANDOM, BURSTS)[(w + h) % 2])
            send(self.pictures.of(w, h))
            plan.settle(f"{w} x {h}")

    def queues(self, plan: Plan, send: Callable[[np.ndarray, int], None]) -> None:
        """Let one file come in the very clock in which another goes, with any number inside.

        Files of a pixel come and go at equal distances that differ by a clock.  So of as many
        files as such a distance has clocks, one comes in the clock in which another goes, and one
        less is inside behind it.  That goes on across each power of two, where counters carry.
        ``send`` gets images, and how many of them to let in at first.
        """
        c = self.config
        room = max(c.input_buffers, c.output_buffers) * self.cores
        some = self.pictures.noise(8, 4).reshape(-1, 1, 1)
        powers = [1 << k for k in range(3, room.bit_length())]
        for power in [*powers, *(room + n for n in powers if n < room)]:
            plan.script.stall(BLOCKED)
            first = power + 3 * _ACROSS // 4  # some are behind the queues
            send(np.resize(some, (first + _ACROSS * self.pixel_file, 1, 1)), first)
            plan.script.wait(self.pixel_file * first + 1000)
            plan.script.stall(PACED)
            plan.rest()
            plan.settle(f"files that come as others go, {power} inside")

    def resets_at_rest(self, plan: Plan) -> None:
        """Reset the core where no tile is at work: input has begun, or output waits."""
        (tile_w, tile_h), largest = self.pictures.tile, self.pictures.largest
        width, height = (min(side + 3, most) for side, most in
                         zip((tile_w, tile_h), largest, strict=True))  # fmt: skip
        of_core = {"encoder": self.config.lanes_of_encoder, "decoder": self.config.decoder_lanes}
        lanes = of_core[self.core]

        def again(what: str) -> None:
            plan.script.stall(FREE)
            image = self.pictures.noise(3, 2)  # what a tile left behind may be black
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
            plan.script.wait(2 * lanes * (tile_w * tile_h + 64) + 4000)
            plan.script.stall(FREE)
            plan.script.wait(clocks)
            plan.reset(2, self.begun(images))
            again(f"{clocks} clocks behind the first output")

    def resets(self, plan: Plan) -> None:
        """Reset the core at any time, by the reset and by its registers; the next file is right.

        What stays of a tile shows in a later tile of its number, so the next file has many.
        """
        rng = np.random.default_rng(self.seed + 5)
        (tile_w, tile_h), largest = self.pictures.tile, self.pictures.largest
        large = [min(2 * side + 3, most) for side, most in
                 zip((tile_w, tile_h), largest, strict=True)]  # fmt: skip
        of_core = {"encoder": self.config.lanes_of_encoder, "decoder": self.config.decoder_lanes}
        lanes = of_core[self.core]
        for number in range(_RESETS):
            plan.script.stall((FREE, RANDOM)[number % 5 == 4])
            soft = self._registers and number % 2 == 1
            if number % 8 == 7 or soft:
                # Behind a software reset, pixels are dropped up to the next start of frame.
                images, most = self.pictures.of(*large, 1 if soft else 2), tile_w * tile_h
            else:  # tiles end all the time
                w, h = (int(n) for n in rng.integers(2, 8, size=2))
                images = self.pictures.of(w, h, int(rng.integers(1, 2 * lanes + 1)))
                most = w * h + 8
            if number % 3 == 0 and not soft:
                images = images[:1]
            beats = self.begin(plan, images)
            length = len(beats["data"])
            some = int(rng.integers(1 + length // 2, length + 1))
            # Clocks in which a tile passes, lane by lane, and those before it are read.
            clocks = int(rng.integers(1, lanes * most + 60))
            if number % 3 == 0 and not soft:  # around the end of the only tile
                some = length
                end = length + lanes * (images.size + 4)
                clocks = max(1, end + int(rng.integers(-90, 50)))
            plan.send({name: values[:some] for name, values in beats.items()})
            plan.script.wait(clocks)
            if soft:
                plan.restart()
                rest = {name: values[some:] for name, values in beats.items()}
                if some < length:
                    plan.send(rest)
                    plan.quiet()
            else:
                plan.reset(1 + number % 3, self.begun(images))
            images = self.pictures.noise(9, 9) if soft else self.pictures.of(5, 4, 4 * lanes)
            images[0] = self.pictures.noise(*images.shape[:0:-1])[0]
            plan.send(self.begin(plan, images))
            plan.expect(*self.wanted(images))
            kind = "a software reset" if soft else "a reset"
            plan.settle(f"{kind} {clocks} clocks behind beat {some} of {length}")

    @property
    def patience(self) -> int:
        """Clocks without a beat after which a core hangs: a few tiles, pixel after pixel."""
        tile_w, tile_h = self.pictures.tile
        lanes = max(self.config.decoder_lanes, self.config.lanes_of_encoder)
        return 3 * lanes * (tile_w * tile_h + 64) + 20_000

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
                    self._upset if upsets else self.design, self.source, self.fields, stalls,
                    collect=self.collect, tell=self.tell, last=self.last, patience=self.patience,
                    max_clocks=100 * self.patience,
                )  # fmt: skip
            except SimulationError as error:
                text = first_lines(error)
                problems.append(f"{name}, {text}")
                done.append({"run": name, "phases": plan.phases, "problems": [text]})
                continue
            problems += [f"{name}, {text}" for text in found]
            done.append({
                "run": name, "phases": plan.phases, "clocks": result.clocks,
                "beats": plan.beats, "problems": found,
            })  # fmt: skip
        return done, problems
