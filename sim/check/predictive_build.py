"""A build of profile ``predictive`` that is checked."""

from __future__ import annotations

import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.model.header import VERSION_2
from lutgen.sim.check.build_tables import CompareLuts
from lutgen.sim.check.checked import BadFiles, CheckedBuild, Groups, smallest
from lutgen.sim.check.expected_predictive import predictive_tables
from lutgen.sim.check.expected_tables import Tables
from lutgen.sim.check.judge_predictive import PredictiveJudge
from lutgen.sim.check.judge_predictive_decoder import PredictiveDecoderJudge
from lutgen.sim.check.judge_predictive_encoder import PredictiveEncoderJudge
from lutgen.sim.check.predictive_pictures import PredictivePictures, synthetic_photographs
from lutgen.sim.check.tree_text import tree_luts
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.sim.cores.predictive import RtlPredictiveDecoder, RtlPredictiveEncoder
from lutgen.sim.tool.design import Design

__all__ = ["PredictiveBuild"]

_JUDGES = {judge.core: judge for judge in (PredictiveEncoderJudge, PredictiveDecoderJudge)}
_TOPS = {"encoder": RtlPredictiveEncoder, "decoder": RtlPredictiveDecoder}
_IPS = {"encoder": RtlEncoderIp, "decoder": RtlDecoderIp}
#: Where a file is damaged, from its end: in the checksum of its last strip, or the index.
_DAMAGED = -2


class PredictiveBuild(CheckedBuild):
    """See `.checked.CheckedBuild`."""

    def __init__(self, record) -> None:
        super().__init__(record)
        self.codec = PredictiveCodec(self.model)
        self.dtype = self.config.pixel_dtype

    @property
    def depth(self) -> int:
        """Bits of a sample."""
        return self.config.depth

    def images(self, count: int | None, seed: int) -> list[tuple[str, np.ndarray]]:
        """What looks like photographs, odd sizes, and noise."""
        return synthetic_photographs(self.depth, self.largest, seed)[:count]

    def files(self, images: np.ndarray) -> list[bytes]:
        """One file of each."""
        return [self._file(image) for image in images]

    def _file(self, image: np.ndarray, strip_height: int | None = None) -> bytes:
        strip = strip_height or self.config.strip_height or len(image)
        return self.codec.encode(image, depth=self.depth, tile_width=0, strip_height=strip)

    def bad_files(self, groups: Groups, seed: int) -> BadFiles:
        """The file with one bit of its strip turned, and with another model's hash."""
        image = smallest(groups)
        good = self._file(image, len(image))
        corrupt, foreign = bytearray(good), bytearray(good)
        corrupt[_DAMAGED] ^= 1 << seed % 8
        foreign[VERSION_2["model hash"].offset] ^= 1
        return BadFiles(image, (bytes(corrupt), bytes(foreign), good), (
            ("bad_strip", "damaged file"), ("bad_header", "other model's file"),
        ))  # fmt: skip

    def tables(self, core: str) -> Tables:
        """See `.expected_predictive`."""
        return predictive_tables(core, self.model, self.depth)

    @property
    def luts(self) -> CompareLuts:
        """See `.tree_text`."""
        return tree_luts(self.model)

    def simulator(self, core: str):
        """The core behind its ports, or registers."""
        size = self.options.stream_bytes
        if self.options.registers:
            return _IPS[core](self.config, self.design(core), stream_bytes=size)
        return _TOPS[core](self.config, self.design(core), stream_bytes=size)

    def pictures(self, seed: int) -> PredictivePictures:
        """Drawn from the model, and of every kind."""
        return PredictivePictures(self.codec, self.depth, self.largest, seed)

    def judge(
        self, core: str, pictures: PredictivePictures, *, share: float, seed: int,
        design: Design | None = None,
    ) -> PredictiveJudge:  # fmt: skip
        """See `.judge_predictive`."""
        return _JUDGES[core](
            self.config, self.options, design or self.design(core), pictures,
            self.codec, share=share, seed=seed,
        )  # fmt: skip
