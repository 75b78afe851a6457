"""Both tops of a colour model in simulation, and the reference codec's files."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.top import (
    DECODER_ERRORS,
    ENCODER_ERRORS,
    PredictiveDecoderTop,
    PredictiveEncoderTop,
)
from lutgen.model.cfa import CFAS
from lutgen.model.predictive.colour import ColourModel
from lutgen.sim import AXIS, Design, rtl_stream
from lutgen.sim.drive.beats import colour_beats
from lutgen.sim.drive.words import file_beats, files_of
from tests.gateware.test_modeller import raster
from tests.gateware.test_prediction import pictures
from tests.gateware.test_predictive_cores import (
    STREAM_IN,
    STREAM_OUT,
    VIDEO_IN,
    VIDEO_OUT,
    ports,
    told,
)

__all__ = ["ColourCores", "colour_pictures"]


@dataclass(frozen=True, eq=False)
class ColourCores:
    model: ColourModel
    depth: int
    max_width: int
    max_height: int
    strip_height: int | None = None
    stream_bytes: int = 4

    @cached_property
    def codec(self) -> PredictiveCodec:
        return PredictiveCodec(self.model, threads=1)

    @cached_property
    def config(self) -> PredictiveConfig:
        return PredictiveConfig(
            self.model, self.depth, self.max_width, self.max_height, self.strip_height
        )

    @cached_property
    def encoder(self) -> Design:
        return Design.of(PredictiveEncoderTop(self.config, stream_bytes=self.stream_bytes))

    @cached_property
    def decoder(self) -> Design:
        return Design.of(PredictiveDecoderTop(self.config, stream_bytes=self.stream_bytes))

    @property
    def mosaic(self) -> bool:
        return self.config.planes.mosaic

    @property
    def orders(self) -> int:
        return len(CFAS) if self.mosaic else 6

    def file(self, picture: np.ndarray, order: int = 0, strip_height: int | None = None) -> bytes:
        """What the reference makes of a picture."""
        dtype = np.uint8 if self.depth == 8 else np.uint16
        which = {"cfa": CFAS[order]} if self.mosaic else {"order": order, "channels": 3}
        return self.codec.encode(
            picture.astype(dtype), depth=self.depth, tile_width=0,
            strip_height=strip_height or self.strip_height or len(picture), **which,
        )  # fmt: skip

    def beats(self, given: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Pixels as they are on a stream."""
        if self.mosaic:
            return raster(given)
        parts = [colour_beats(picture[None].astype(np.uint16), self.depth) for picture in given]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def encode(self, given, *, order: int = 0, stalls=None, beats=None, **options):
        """Files that the encoder makes of pictures, its errors, and the simulation's result."""
        height, width = given[0].shape[:2]
        result = rtl_stream(
            self.encoder, {VIDEO_IN: beats or self.beats(given)},
            {STREAM_OUT: ("data", "keep", "last")}, names=AXIS, idle="idle",
            config={"height": height, "width": width, "order": order, "clear_error": 0},
            watch=("error",), stalls=ports(stalls, VIDEO_IN, STREAM_OUT), **options,
        )  # fmt: skip
        files, rest = files_of(**result.outputs[STREAM_OUT], size=self.stream_bytes)
        assert not rest
        return list(files), told(result, ENCODER_ERRORS), result

    def decode(self, files: list[bytes], *, stalls=None, **options):
        """Beats that the decoder makes of files, its errors, and the simulation's result."""
        result = rtl_stream(
            self.decoder, {STREAM_IN: file_beats(files, self.stream_bytes)},
            {VIDEO_OUT: ("data", "user", "last")}, names=AXIS, idle="idle",
            config={"clear_error": 0}, watch=("error",),
            stalls=ports(stalls, VIDEO_OUT, STREAM_IN), **options,
        )  # fmt: skip
        return result.outputs[VIDEO_OUT], told(result, DECODER_ERRORS), result

    def check_pixels(self, found, given) -> None:
        for name, values in self.beats(given).items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)


def colour_pictures(
    size: tuple[int, int], depth: int, *, mosaic: bool, count: int = 4
) -> list[np.ndarray]:
    """Pictures whose planes are alike, and some whose planes are not."""
    height, width = size
    rng = np.random.default_rng(7)
    made = [p for p in pictures(rng, depth) if len(p) == 40]
    wide = [np.tile(p, (-(-height // 40), -(-width // 48)))[:height, :width] for p in made]
    if mosaic:
        return wide[:count]
    top = (1 << depth) - 1
    noise = rng.normal(0, top / 100, (height, width)).astype(int)
    tinted = [
        np.stack([p // 2 + top // 4, p, np.clip(p + noise, 0, top)], axis=-1) for p in wide
    ]
    mixed = np.stack([wide[0], wide[2], wide[3]], axis=-1)
    return [tinted[1], mixed, tinted[3], tinted[2], *tinted][:count]
