"""What the judges of cores with tiles share: a build, its reference, and phases of tiles."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property

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
    Control,
    Plan,
    Ports,
    Registers,
)
from lutgen.sim.check.judge_core import CoreJudge
from lutgen.sim.check.judge_pictures import Pictures
from lutgen.sim.check.outputs import FileOutput, FrameOutput
from lutgen.sim.tool.design import Design

__all__ = ["TileJudge"]

#: Pixels of the largest pictures.
_BUDGET = 60_000
#: Resets in the middle of a file.
_RESETS = 96
#: How many files less are inside in the end of a phase in which some come and go.
_ACROSS = 8


class TileJudge(CoreJudge):
    """Judges one core of a build with tiles.

    Parameters
    ----------
    record :
        ``build.json``.
    config :
        The core.
    design, pictures, share, seed :
        See `.judge_core.CoreJudge`.
    codec :
        The reference.
    """

    #: Clocks of a file of a pixel where ports never stall, with rANS.
    pixel_file: int
    budget = _BUDGET

    def __init__(
        self, record: Mapping, config: CoreConfig, design: Design, pictures: Pictures,
        codec: Codec, *, share: float, seed: int,
    ) -> None:  # fmt: skip
        options = BuildOptions.of_record(record["parameters"])
        self.config, self.codec = config, codec
        self.bytes, self.cores = options.stream_bytes, options.cores
        self._registers = options.registers
        super().__init__(design, self._output(), pictures, share=share, seed=seed)

    def _output(self) -> FileOutput | FrameOutput:
        if self.core == "encoder":
            return FileOutput(self.bytes)
        return FrameOutput(self.cores)

    @property
    def lanes(self) -> int:
        """Lanes of the core."""
        of_core = {"encoder": self.config.lanes_of_encoder, "decoder": self.config.decoder_lanes}
        return of_core[self.core]

    @property
    def usual(self) -> tuple[int, int]:
        """A tile, and a little more."""
        width, height = (min(side + 3, most) for side, most in
                         zip(self.pictures.tile, self.pictures.largest, strict=True))  # fmt: skip
        return width, height

    @property
    def filling(self) -> int:
        """Tiles in all lanes, pixel after pixel, twice."""
        tile_w, tile_h = self.pictures.tile
        return 2 * self.lanes * (tile_w * tile_h + 64) + 4000

    @property
    @abstractmethod
    def settings(self) -> tuple[str, ...]:
        """Settings of the core."""

    def control(self) -> Control:
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

    def resets(self, plan: Plan) -> None:
        """Reset the core at any time, by the reset and by its registers; the next file is right.

        What stays of a tile shows in a later tile of its number, so the next file has many.
        """
        rng = np.random.default_rng(self.seed + 5)
        (tile_w, tile_h), largest = self.pictures.tile, self.pictures.largest
        large = [min(2 * side + 3, most) for side, most in
                 zip((tile_w, tile_h), largest, strict=True)]  # fmt: skip
        lanes = self.lanes
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
