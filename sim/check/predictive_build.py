"""A build of profile ``predictive`` that is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from lutgen.build.options import PredictiveOptions
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, split_index
from lutgen.errors import InputError
from lutgen.gateware.prediction.plane_models import PlaneModels
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.model.header import VERSION_2
from lutgen.model.model import Model
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel
from lutgen.sim.check.build_tables import CompareLuts
from lutgen.sim.check.checked import BadFiles, CheckedBuild, Groups, model_beside, smallest
from lutgen.sim.check.expected_predictive import predictive_tables
from lutgen.sim.check.expected_tables import Tables
from lutgen.sim.check.judge_predictive import PredictiveJudge
from lutgen.sim.check.judge_predictive_decoder import PredictiveDecoderJudge
from lutgen.sim.check.judge_predictive_encoder import PredictiveEncoderJudge
from lutgen.sim.check.picture_form import Coding, PictureForm
from lutgen.sim.check.predictive_pictures import PredictivePictures, synthetic_photographs
from lutgen.sim.check.tree_text import tree_luts
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.sim.cores.predictive import RtlPredictiveDecoder, RtlPredictiveEncoder
from lutgen.sim.tool.design import Design

__all__ = ["PredictiveBuild"]

_JUDGES = {judge.core: judge for judge in (PredictiveEncoderJudge, PredictiveDecoderJudge)}
_TOPS: dict[str, Callable] = {"encoder": RtlPredictiveEncoder, "decoder": RtlPredictiveDecoder}
_IPS: dict[str, Callable] = {"encoder": RtlEncoderIp, "decoder": RtlDecoderIp}
#: Where a file is damaged, from the end of its last strip: in the strip's checksum.
_DAMAGED = -2


class PredictiveBuild(CheckedBuild):
    """See `.checked.CheckedBuild`.  Images are pictures of `.picture_form`: gray, RGB, or colour
    filter arrays."""

    model: PredictiveModel | ColourModel
    options: PredictiveOptions
    config: PredictiveConfig

    def __init__(self, record: Mapping) -> None:
        model = model_beside(record)
        if isinstance(model, Model):
            raise InputError(f"model of the build must be predictive, not {model.profile}")
        self.model = model
        self.options = PredictiveOptions.of_record(record["parameters"])
        self.config = self.options.core_config(model)
        super().__init__(record)
        self.codec = PredictiveCodec(model)
        self.form = PictureForm(self.config.planes, self.config.depth, self.config.cores)
        self.dtype = self.form.dtype

    @property
    def depth(self) -> int:
        """Bits of a sample."""
        return self.config.depth

    @property
    def near(self) -> int:
        """See `.checked.CheckedBuild.near`."""
        return self.options.near

    def images(self, count: int | None, seed: int) -> list[tuple[str, np.ndarray]]:
        """What looks like photographs, odd sizes, and noise; as wide as slabs must be."""
        images = synthetic_photographs(self.form, self.largest, seed)
        narrow = self.form.least_width
        return [(name, image) for name, image in images if image.shape[1] >= narrow][:count]

    def groups(self, images: Iterable[tuple[str, np.ndarray]]) -> Groups:
        """Images by size, see `.checked.CheckedBuild.groups`; RGB of shape (H, W, 3), or packed."""
        return super().groups(
            (name, self.form.taken(name, np.asarray(image))) for name, image in images
        )

    def _check_samples(self, name: str, image: np.ndarray) -> None:
        if self.form.components == 1:
            super()._check_samples(name, image)
        elif image.size and int(image.max()) >> self.depth * self.form.components:
            raise InputError(f"image {name!r} must have samples of {self.depth} bits")

    def files(self, images: np.ndarray) -> list[bytes]:
        """One file of each."""
        return [self._file(image) for image in images]

    def _file(self, image: np.ndarray, strip_height: int | None = None) -> bytes:
        strip = strip_height or self.config.strip_height or len(image)
        return self.form.file(
            self.codec, image, strip, Coding(order=self.form.order_of(image.shape))
        )

    def bad_files(self, groups: Groups, seed: int) -> BadFiles:
        """The file with one bit of its strip turned, and with another model's hash."""
        image = smallest(groups)
        good = self._file(image, min(len(image), self.config.strip_height or len(image)))
        corrupt, foreign = bytearray(good), bytearray(good)
        _, end = split_index(good, Frame.unpack(good))
        corrupt[end + _DAMAGED] ^= 1 << seed % 8
        foreign[VERSION_2["model hash"].offset] ^= 1
        return BadFiles(image, (bytes(corrupt), bytes(foreign), good), (
            ("bad_strip", "damaged file"), ("bad_header", "other model's file"),
        ))  # fmt: skip

    def tables(self, core: str) -> Tables:
        """See `.expected_predictive`."""
        return predictive_tables(core, PlaneModels(self.form.planes.models), self.depth)

    @property
    def luts(self) -> CompareLuts:
        """See `.tree_text`."""
        return tree_luts(PlaneModels(self.config.planes.models))

    def simulator(self, core: str):
        """The core behind its ports, or registers; an encoder is told the order of planes."""
        kind = (_IPS if self.options.registers else _TOPS)[core]
        rtl = kind(self.config, self.design(core), stream_bytes=self.options.stream_bytes)
        if core == "decoder" or self.form.orders == 1:
            return rtl
        return lambda images, **options: rtl(
            images, order=self.form.order_of(images.shape), **options
        )

    def pictures(self, seed: int) -> PredictivePictures:
        """Drawn from the model, and of every kind."""
        return PredictivePictures(self.codec, self.form, self.largest, seed)

    def judge(
        self, core: str, pictures: PredictivePictures, *, share: float, seed: int,
        design: Design | None = None,
    ) -> PredictiveJudge:  # fmt: skip
        """See `.judge_predictive`."""
        return _JUDGES[core](
            self.config, self.options, design or self.design(core), pictures,
            self.codec, share=share, seed=seed,
        )  # fmt: skip
