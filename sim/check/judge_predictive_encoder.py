"""Phases of the encoder of profile ``predictive``: settings, misplaced markers, impossible sizes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lutgen.codec.predictive.container import GROUP
from lutgen.gateware.predictive.top import ENCODER_ERRORS
from lutgen.sim.check.judge import FREE, Plan
from lutgen.sim.check.judge_predictive import PredictiveJudge
from lutgen.sim.check.outputs import FileOutput
from lutgen.sim.check.picture_form import Coding
from lutgen.sim.check.wrong_inputs import early_beats, impossible_values, send_misplaced
from lutgen.sim.drive.beats import filled, raster_beats
from lutgen.sim.drive.stream import StreamResult

__all__ = ["PredictiveEncoderJudge"]


class PredictiveEncoderJudge(PredictiveJudge):
    """Judges an encoder; parameters as in `.judge_predictive.PredictiveJudge`."""

    core = "encoder"
    sink = "s_axis_video"
    errors = ENCODER_ERRORS

    def _output(self) -> FileOutput:
        return FileOutput(self.bytes)

    @property
    def settings(self) -> tuple[str, ...]:
        """Ports that say what the next picture is."""
        return (
            "width", "height", *(["near"] if self.config.max_near else []),
            *(["order"] if self.form.orders > 1 else []),
        )  # fmt: skip

    def _settings(self, width: int, height: int, coding: Coding) -> dict[str, int]:
        """Settings of pictures."""
        values = {"width": width, "height": height, **coding._asdict()}
        return {name: values[name] for name in self.settings}

    @property
    def lanes(self) -> int:
        """Lanes of the core."""
        return self.config.encoder_lanes

    def _beats(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Beats of pictures, with noise in the bits above the samples."""
        bits, used = self.config.pixel_bits, self.config.packed_bits
        if above := bits - used:
            rng = np.random.default_rng(images.size)
            noise = rng.integers(1 << above, size=images.size).astype(images.dtype)
            images = images | noise.reshape(images.shape) << used
        return raster_beats(images, self.config.cores, bits)

    def _line(self, width: int) -> int:
        """Beats of a line of so many pixels."""
        return len(filled(width, self.config.cores))

    def send(
        self, plan: Plan, image: np.ndarray, number: int = 0, coding: Coding | None = None
    ) -> None:
        """A picture, whose settings change while it is inside, and its file."""
        coding = coding or self.next_coding()
        height, width = image.shape
        w, h = self.pictures.largest
        other = Coding(self.config.max_near - coding.near, self.form.orders - 1 - coding.order)
        plan.send_configured(
            self._beats(image[None]), self._settings(width, height, coding),
            self._settings(w - width, h - height, other),
        )  # fmt: skip
        plan.expect(self.file(image, coding))

    # Errors.

    def errors_of_inputs(self, plan: Plan) -> None:
        """Markers in wrong places, pixels of no picture, and sizes that no picture has."""
        w, h = self.usual

        def send(change) -> list:
            image = self.pictures.of(w, h)
            plan.send(change(self.begin(plan, image)))
            return self.wanted(image)

        for name in send_misplaced(plan, self._line(w), h, send):
            self.send(plan, self.pictures.of(w, h)[0])
            plan.settle(f"after {name}")
        plan.script.stall(FREE)
        plan.configure(**self._settings(w, h, self.next_coding()))
        plan.send({
            "data": np.array([1, 2], np.uint8), "user": np.zeros(2, int), "last": np.array([0, 1]),
        })  # fmt: skip
        plan.send(self._beats(image := self.pictures.of(w, h)))
        plan.expect(*self.wanted(image))
        plan.settle("pixels before a picture", ["sof_late"])
        w, h = self.form.least_width, self.form.square
        for name, value in self._impossible():
            plan.configure(**self._settings(w, h, Coding()) | {name: value})
            beats = self._beats(self.pictures.of(w, h))
            plan.send({name: values[:1] for name, values in beats.items()})
            what = f"an impossible {name}, {value}"
            plan.settle(what, ["bad_size"])
            self.send(plan, self.pictures.of(3, 2)[0])
            plan.settle(f"after {what}")
        if not plan.control.controls:
            return  # registers keep their causes
        for change in ("user", "last"):
            beats = self.begin(plan, self.pictures.of(*self.usual))
            beats[change][1] ^= 1
            plan.send(beats)
            plan.quiet()
            plan.reset(2)
            plan.settle("a reset clears errors")

    def _impossible(self) -> Iterator[tuple[str, int]]:
        """Settings and values that no picture has."""
        limits = dict(zip(("width", "height"), self.pictures.largest, strict=True))
        limits |= {"near": self.config.max_near, "order": self.form.orders - 1}
        for name in self.settings:
            most, bits = limits[name], self.setting_bits(name)
            values = impossible_values(most, bits)
            if name in Coding._fields:
                values.remove(0)
            else:
                values += self._no_sides(name, most)
            yield from ((name, value) for value in values)

    def _no_sides(self, name: str, most: int) -> list[int]:
        """Sides that no picture has though they are neither 0 nor too large."""
        found = {1, most - 1} if self.form.square > 1 else set()  # odd ones, small and large
        if name == "width" and self.form.slabs > 1:
            found |= {1, self.form.least_width - self.form.square}
        return sorted(found)

    # Resets.

    def begin(self, plan: Plan, images: np.ndarray):
        """Settings of pictures, and their beats."""
        _, height, width = images.shape
        plan.configure(**self._settings(width, height, self.next_coding()))
        return self._beats(images)

    def wanted(self, images: np.ndarray) -> list[bytes]:
        """A file of each picture."""
        return [self.file(image, self._coding) for image in images]

    begun = wanted

    def beginnings(self, width: int) -> list[int]:
        """Beats of a picture of which no group is whole."""
        rows = min(self.form.height_of(GROUP), self.pictures.largest[1])
        return early_beats(self._line(width), rows)

    # What is inside.

    def begins_at(self, plan: Plan) -> np.ndarray:
        """Beats with which a picture begins."""
        return plan.beats_of("user").astype(bool)

    def _ends(self, result: StreamResult) -> np.ndarray:
        return result.outputs[self.output.stream]["last"].astype(bool)
