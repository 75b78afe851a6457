"""Phases of the encoder: sizes, files in a row, settings, misplaced markers, impossible sizes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lutgen.codec.container import Header
from lutgen.sim.check.judge import BLOCKED, FREE, RANDOM, Plan
from lutgen.sim.check.judge_core import Run
from lutgen.sim.check.judge_tiles import TileJudge
from lutgen.sim.check.wrong_inputs import early_beats, impossible_values, send_misplaced
from lutgen.sim.drive.beats import filled, raster_beats
from lutgen.sim.drive.stall import Stall

__all__ = ["EncoderJudge"]


class EncoderJudge(TileJudge):
    """Judges an encoder; parameters as in `.judge_tiles.TileJudge`."""

    core = "encoder"
    sink = "s_axis_video"
    settings = ("width", "height", "images")
    pixel_file = 33
    paced = (Stall(every=pixel_file + 1), Stall())

    def runs(self):
        """All runs, quick ones first."""
        return [
            Run("errors", self._errors),
            Run("sizes and files", self._sizes),
            Run("pictures of the model", self._drawn),
            Run("buffers", self._buffers),
            Run("queues", self._queues),
            Run("resets at rest", self.resets_at_rest, upset=True),
            Run("resets at any time", self.resets, upset=True),
        ]

    # Files.

    def _file(self, plan: Plan, images: np.ndarray, **settings) -> None:
        """One file; its settings change while it is inside."""
        count, height, width = images.shape
        w, h = self.pictures.largest
        plan.send_configured(
            raster_beats(images, self.cores),
            {"width": width, "height": height, "images": count, **settings},
            {"width": w - width, "height": h - height, "images": 0x5A5A5A5A},
        )
        plan.expect(self.file(images))

    def _sizes(self, plan: Plan) -> None:
        self.files_in_a_row(plan, lambda images, _: self._file(plan, images))
        # One after the other without a pause, in files of one, two and three.
        w, h = (min(side + 3, most) for side, most in
                zip(self.pictures.tile, self.pictures.largest, strict=True))  # fmt: skip
        for per_file in (1, 2, 3):
            images = self.pictures.of(w, h, 6)
            plan.script.stall(FREE if per_file == 1 else RANDOM)
            plan.configure(width=w, height=h, images=per_file)
            plan.send(raster_beats(images, self.cores))
            plan.expect(*(self.file(part) for part in np.split(images, 6 // per_file)))
            plan.settle(f"files of {per_file} images without a pause")
        self.extremes(plan, lambda images: self._file(plan, images))

    def _drawn(self, plan: Plan) -> None:
        for number, image in enumerate(self.pictures.drawn):
            plan.script.stall((FREE, RANDOM)[number % 2])
            self._file(plan, image[None])
            plan.settle(f"picture {number} of the model")

    def _buffers(self, plan: Plan) -> None:
        """The output is not ready until everything inside is full."""
        c = self.config
        tile_w, tile_h = self.pictures.tile
        tiles = (c.input_buffers + c.packet_buffers + 2 * c.lanes_of_encoder) * self.cores + 8
        w, h, count = self.many_tiles(tiles)
        for images in (self.pictures.of(w, h, count), self.pictures.noise(w, h)):
            plan.configure(width=w, height=h, images=len(images))
            plan.script.stall(BLOCKED)
            plan.send(raster_beats(images, self.cores))
            plan.script.wait(2 * tiles * tile_w * tile_h + 5000)
            plan.script.stall(FREE)
            plan.expect(self.file(images))
            plan.settle("every buffer full")
        plan.script.stall(BLOCKED)
        w, h = min(3, w), 1
        images = self.pictures.of(w, h, 2 * tiles)
        plan.configure(width=w, height=h, images=1)
        plan.send(raster_beats(images, self.cores))
        plan.script.wait(40 * len(images) + 5000)
        plan.script.stall(FREE)
        plan.expect(*(self.file(image) for image in images))
        plan.settle("every buffer full of small files")

    def _queues(self, plan: Plan) -> None:
        plan.configure(width=1, height=1, images=1)
        files: dict[int, bytes] = {}

        def send(images: np.ndarray, first: int) -> None:
            plan.send(raster_beats(images, self.cores), first)
            for image in images:
                value = int(image[0, 0])
                if value not in files:
                    files[value] = self.file(image)
                plan.expect(files[value])

        self.queues(plan, send)

    # Errors.

    def _errors(self, plan: Plan) -> None:
        w, h = (min(side + 2, most) for side, most in
                zip(self.pictures.tile, self.pictures.largest, strict=True))  # fmt: skip

        def send(change) -> list:
            images = self.pictures.of(w, h)
            plan.configure(width=w, height=h, images=1)
            plan.send(change(raster_beats(images, self.cores)))
            return [self.file(images)]

        for name in send_misplaced(plan, len(filled(w, self.cores)), h, send):
            self._file(plan, self.pictures.of(w, h, 2))
            plan.settle(f"after {name}")
        for settings in self._impossible():
            plan.configure(**settings)
            beats = raster_beats(self.pictures.of(1, 1), self.cores)
            plan.send(beats)
            what = ", ".join(f"{name} {value}" for name, value in settings.items())
            plan.settle(f"impossible size ({what})", ["bad_size"])
            self._file(plan, self.pictures.of(3, 2))
            plan.settle(f"after an impossible size ({what})")
        # All 32 bits of the number are in the header, which leaves with the first tile.
        for images in (0x89ABCDEF, 0x76543210):
            plan.configure(width=1, height=1, images=images)
            one = self.pictures.of(1, 1)
            plan.send(raster_beats(one, self.cores))
            plan.script.taken(3000)
            file = self.file(one)
            whole = Header.unpack(file).table["images"].put(file, images)
            plan.reset(3, [whole])
            plan.quiet()
            self._file(plan, self.pictures.of(3, 2))
            plan.settle(f"a reset in a file of {images} images")
        if not plan.control.controls:
            return  # registers keep their causes, and begin anew themselves
        beats = raster_beats(self.pictures.of(w, h), self.cores)
        beats["last"][0] ^= 1
        plan.configure(width=w, height=h, images=1)
        plan.send(beats)
        plan.quiet()
        plan.reset(2)
        plan.settle("a reset clears errors")

    def _impossible(self) -> Iterator[dict[str, int]]:
        """Zero, and what is more than the most by any bit of a setting."""
        fine = {"width": 1, "height": 1, "images": 1}
        yield fine | {"images": 0}
        for name, most in zip(("width", "height"), self.pictures.largest, strict=True):
            for value in impossible_values(most, self.setting_bits(name)):
                yield fine | {name: value}

    # Resets.

    def begin(self, plan: Plan, images: np.ndarray):
        """Settings of a file, and its beats."""
        count, height, width = images.shape
        plan.configure(width=width, height=height, images=count)
        return raster_beats(images, self.cores)

    def wanted(self, images: np.ndarray) -> list:
        """What must come of images."""
        return [self.file(images)]

    def beginnings(self, width: int) -> list[int]:
        """Beats of a file of which no tile is whole."""
        rows = min(self.pictures.tile[1], self.pictures.largest[1])
        return early_beats(len(filled(width, self.cores)), rows)

    def begun(self, images: np.ndarray) -> list:
        """What comes of images must begin like this."""
        return [self.file(images)]
