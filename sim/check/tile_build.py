"""A build with tiles that is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lutgen.build.options import BuildOptions
from lutgen.codec.codec import Codec
from lutgen.codec.container import CorruptStreamError, CorruptTileError, Header
from lutgen.errors import InputError
from lutgen.gateware.core.config import CoreConfig
from lutgen.model.model import Model
from lutgen.sim.check.build_tables import CompareLuts
from lutgen.sim.check.checked import BadFiles, CheckedBuild, Groups, model_beside, smallest
from lutgen.sim.check.expected_tables import Tables, codec_tables
from lutgen.sim.check.judge_decoder import DecoderJudge
from lutgen.sim.check.judge_encoder import EncoderJudge
from lutgen.sim.check.judge_pictures import Pictures
from lutgen.sim.check.judge_tiles import TileJudge
from lutgen.sim.check.network_text import network_luts
from lutgen.sim.check.synthetic import synthetic_images
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from lutgen.sim.cores.ip import RtlDecoderIp, RtlEncoderIp
from lutgen.sim.tool.design import Design

__all__ = ["TileBuild"]

_JUDGES = {judge.core: judge for judge in (EncoderJudge, DecoderJudge)}
#: Cores with ports, and those with registers.
_TOPS: dict[str, Callable] = {"encoder": RtlEncoder, "decoder": RtlDecoder}
_IPS: dict[str, Callable] = {"encoder": RtlEncoderIp, "decoder": RtlDecoderIp}


class TileBuild(CheckedBuild):
    """See `.checked.CheckedBuild`."""

    dtype = np.dtype(np.uint8)

    model: Model
    options: BuildOptions
    config: CoreConfig

    def __init__(self, record: Mapping) -> None:
        model = model_beside(record)
        if not isinstance(model, Model):
            raise InputError(f"model of the build must be one of tiles, not {model.profile}")
        self.model = model
        self.options = BuildOptions.of_record(record["parameters"])
        self.config = self.options.core_config(model)
        super().__init__(record)
        self.codec = Codec(model)

    def images(self, count: int | None, seed: int) -> list[tuple[str, np.ndarray]]:
        """Glyphs, parts of many of them, and noise."""
        if count is None:
            return synthetic_images(seed=seed)
        return synthetic_images(count, seed=seed)

    def files(self, images: np.ndarray) -> list[bytes]:
        """One file of all."""
        made = self.codec.encode(images, tile=self.options.tile, coder=self.config.coder)
        return [made.data]

    def bad_files(self, groups: Groups, seed: int) -> BadFiles:
        """The file with one bit of its payload turned, and with another model's hash."""
        image = smallest(groups)
        (good,) = self.files(image[None])
        table = Header.unpack(good).table
        foreign = bytearray(good)
        foreign[table["model hash"].offset] ^= 1
        # Behind header and length; the first payload byte says where the payload begins.
        bits = np.arange(8 * (table.size + 3), 8 * len(good))
        for bit in np.random.default_rng(seed).permutation(bits).tolist():
            corrupt = bytearray(good)
            corrupt[bit // 8] ^= 1 << bit % 8
            try:
                self.codec.decode(bytes(corrupt))
            except CorruptTileError:
                return BadFiles(image, (bytes(corrupt), bytes(foreign), good), (
                    ("bad_tile", "damaged file"), ("bad_model", "other model's file"),
                ))  # fmt: skip
            except CorruptStreamError:
                continue
        raise InputError(
            f"images must include one whose file can be damaged, not only {image.shape[1]} x "
            f"{image.shape[0]} pixels: add a larger one"
        )

    def tables(self, core: str) -> Tables:
        """See `.expected_tables`."""
        return codec_tables(core, self.model, self.config.coder)

    @property
    def luts(self) -> CompareLuts:
        """See `.network_text`."""
        return network_luts(self.model)

    def simulator(self, core: str):
        """Of ports or registers, as the build has them."""
        size, design = self.options.stream_bytes, self.design(core)
        if self.options.registers:
            return _IPS[core](self.config, design, stream_bytes=size)
        return _TOPS[core](self.config, design, stream_bytes=size, cores=self.options.cores)

    def pictures(self, seed: int) -> Pictures:
        """Drawn from the model."""
        return Pictures(self.codec, self.options, seed)

    def judge(
        self, core: str, pictures: Pictures, *, share: float, seed: int,
        design: Design | None = None,
    ) -> TileJudge:  # fmt: skip
        """See `.judge_tiles`."""
        return _JUDGES[core](
            self.record, self.config, design or self.design(core), pictures, self.codec,
            share=share, seed=seed,
        )  # fmt: skip
