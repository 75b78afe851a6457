"""Phases of the encoder of profile ``predictive``: settings, misplaced markers, impossible sizes.
"""

from __future__ import annotations

import numpy as np

from lutgen.codec.predictive.container import GROUP
from lutgen.gateware.predictive.top import ENCODER_ERRORS
from lutgen.sim.check.judge import FREE, Plan
from lutgen.sim.check.judge_predictive import PredictiveJudge
from lutgen.sim.check.outputs import FileOutput
from lutgen.sim.check.wrong_inputs import early_beats, impossible_values, send_misplaced
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.stream import StreamResult

__all__ = ["PredictiveEncoderJudge"]


class PredictiveEncoderJudge(PredictiveJudge):
    """Judges an encoder; parameters as in `.judge_predictive.PredictiveJudge`."""

    core = "encoder"
    sink = "s_axis_video"
    errors = ENCODER_ERRORS
    settings = ("width", "height")

    def _output(self) -> FileOutput:
        return FileOutput(self.bytes)

    @property
    def lanes(self) -> int:
        """Lanes of the core."""
        return self.config.encoder_lanes

    def _beats(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Beats of pictures, with noise in the bits above the samples."""
        beats = raster_beats(images)
        depth = self.config.depth
        if above := self.config.pixel_bits - depth:
            rng = np.random.default_rng(images.size)
            noise = rng.integers(1 << above, size=images.size).astype(beats["data"].dtype)
            beats["data"] = beats["data"] | noise << depth
        return beats

    def send(self, plan: Plan, image: np.ndarray, number: int = 0) -> None:
        """A picture, whose settings change while it is inside, and its file."""
        height, width = image.shape
        w, h = self.pictures.largest
        plan.send_configured(
            self._beats(image[None]), {"width": width, "height": height},
            {"width": w - width, "height": h - height},
        )  # fmt: skip
        plan.expect(self.file(image))

    # Errors.

    def errors_of_inputs(self, plan: Plan) -> None:
        """Markers in wrong places, pixels of no picture, and sizes that no picture has."""
        w, h = self.usual

        def send(change) -> list:
            image = self.pictures.of(w, h)
            plan.configure(width=w, height=h)
            plan.send(change(self._beats(image)))
            return self.wanted(image)

        for name in send_misplaced(plan, w, h, send):
            self.send(plan, self.pictures.of(w, h)[0])
            plan.settle(f"after {name}")
        plan.script.stall(FREE)
        plan.configure(width=w, height=h)
        plan.send({"data": np.array([1, 2]), "user": np.zeros(2, int), "last": np.array([0, 1])})
        plan.send(self._beats(image := self.pictures.of(w, h)))
        plan.expect(*self.wanted(image))
        plan.settle("pixels before a picture", ["sof_late"])
        for name, most in zip(("width", "height"), self.pictures.largest, strict=True):
            for value in impossible_values(most, self.setting_bits(name)):
                plan.configure(**{"width": 1, "height": 1, name: value})
                plan.send(self._beats(self.pictures.of(1, 1)))
                what = f"an impossible {name}, {value}"
                plan.settle(what, ["bad_size"])
                self.send(plan, self.pictures.of(3, 2)[0])
                plan.settle(f"after {what}")
        if not plan.control.controls:
            return  # registers keep their causes
        for change in ("user", "last"):
            beats = self._beats(self.pictures.of(w, h))
            beats[change][1] ^= 1
            plan.configure(width=w, height=h)
            plan.send(beats)
            plan.quiet()
            plan.reset(2)
            plan.settle("a reset clears errors")

    # Resets.

    def begin(self, plan: Plan, images: np.ndarray):
        """Settings of pictures, and their beats."""
        _, height, width = images.shape
        plan.configure(width=width, height=height)
        return self._beats(images)

    def wanted(self, images: np.ndarray) -> list[bytes]:
        """A file of each picture."""
        return [self.file(image) for image in images]

    begun = wanted

    def beginnings(self, width: int) -> list[int]:
        """Beats of a picture of which no group is whole."""
        return early_beats(width, min(GROUP, self.pictures.largest[1]))

    # What is inside.

    def begins_at(self, plan: Plan) -> np.ndarray:
        """Beats with which a picture begins."""
        return plan.beats_of("user").astype(bool)

    def _ends(self, result: StreamResult) -> np.ndarray:
        return result.outputs[self.output.stream]["last"].astype(bool)
