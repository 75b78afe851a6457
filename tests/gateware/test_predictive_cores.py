"""Both cores of the profile predictive against the reference codec, file by file."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.gateware.predictive.decoder import PredictiveDecoder
from lutgen.gateware.predictive.encoder import PredictiveEncoder
from lutgen.model.shipped import shipped
from lutgen.sim import Design, Stall, rtl_stream
from lutgen.sim.drive.words import file_beats, files_of
from tests.gateware.test_modeller import raster
from tests.gateware.test_prediction import pictures

STALLS = {
    "never": {},
    "random": {"pixels": Stall(0.3, 1), "words": Stall(0.3, 2)},
    "pixels": {"pixels": Stall(0.7, 3)},
    "words": {"words": Stall(0.7, 4)},
}


@dataclass(frozen=True)
class Cores:
    name: str
    depth: int
    max_width: int
    max_height: int
    strip_height: int | None = None

    @cached_property
    def codec(self) -> PredictiveCodec:
        return PredictiveCodec(shipped(self.name), threads=1)

    @cached_property
    def encoder(self) -> Design:
        return Design.of(PredictiveEncoder(
            self.codec.model, self.depth, max_width=self.max_width, max_height=self.max_height,
            strip_height=self.strip_height,
        ))  # fmt: skip

    @cached_property
    def decoder(self) -> Design:
        return Design.of(PredictiveDecoder(
            self.codec.model, self.depth, max_width=self.max_width, max_height=self.max_height
        ))

    def file(self, picture: np.ndarray) -> bytes:
        """What the reference makes of a picture."""
        dtype = np.uint8 if self.depth == 8 else np.uint16
        return self.codec.encode(
            picture.astype(dtype), depth=self.depth, tile_width=0,
            strip_height=self.strip_height or len(picture),
        )

    def encode(self, given: list[np.ndarray], **options):
        """Files that the encoder makes of pictures of one size, and the simulation's result."""
        height, width = given[0].shape
        beats = {k: np.concatenate([raster(p)[k] for p in given]) for k in ("data", "sof", "eol")}
        result = rtl_stream(
            self.encoder, {"pixels": beats}, {"words": ("data", "keep", "last")}, idle="idle",
            config={"width": width, "height": height}, watch=("bad_marker", "bad_size"),
            **options,
        )  # fmt: skip
        files, rest = files_of(**result.outputs["words"], size=4)
        assert not rest
        return list(files), result

    def decode(self, files: list[bytes], **options):
        """Pixels that the decoder makes of files, and the simulation's result."""
        result = rtl_stream(
            self.decoder, {"words": file_beats(files, 4)}, {"pixels": ("data", "sof", "eol")},
            idle="idle", watch=("bad_header", "bad_packet", "bad_strip"), **options,
        )  # fmt: skip
        return result.outputs["pixels"], result


CORES = {"8 bits": Cores("photo", 8, 48, 42), "strips": Cores("photo-16", 12, 60, 64, 8)}
SIZES = [(40, 48), (5, 9), (1, 1), (3, 2), (18, 30)]


def cut(size: tuple[int, int], depth: int) -> list[np.ndarray]:
    height, width = size
    return [p[:height, :width] for p in pictures(np.random.default_rng(5), depth)
            if len(p) >= height]  # fmt: skip


def check_pixels(found, given: list[np.ndarray]) -> None:
    wanted = {k: np.concatenate([raster(p)[k] for p in given]) for k in ("data", "sof", "eol")}
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


#: The second one is for the full run.
NAMES = ["8 bits", pytest.param("strips", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_encoder(name, size):
    cores = CORES[name]
    given = cut(size, cores.depth)
    files, result = cores.encode(given)
    assert files == [cores.file(p) for p in given]
    assert result.status["bad_marker"] == result.status["bad_size"] == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_decoder(name, size):
    cores = CORES[name]
    given = cut(size, cores.depth)
    found, result = cores.decode([cores.file(p) for p in given])
    check_pixels(found, given)
    assert all(value == (name == "idle") for name, value in result.status.items())


@pytest.mark.parametrize("stalls", [name for name in STALLS if name != "never"])
def test_stalls(stalls):
    cores = CORES["8 bits"]
    given = cut((18, 30), 8)
    files, _ = cores.encode(given, stalls=STALLS[stalls])
    assert files == [cores.file(p) for p in given]
    found, _ = cores.decode(files, stalls=STALLS[stalls])
    check_pixels(found, given)
