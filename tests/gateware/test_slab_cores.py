"""Cores side by side against the reference codec: a slab each, file by file."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pytest

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, split_index
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.slabs.multi import PredictiveDecoderCores, PredictiveEncoderCores
from lutgen.model.header import VERSION_2
from lutgen.model.shipped import shipped
from lutgen.sim import Design
from lutgen.sim.check.picture_form import PictureForm
from tests.gateware.test_prediction import pictures
from tests.gateware.test_predictive_cores import STALLS, Cores
from tests.models import colour_model, mosaic_model, predictive_model
from tests.tiers import exhaustive_but_first

pytestmark = pytest.mark.slow

#: "none" beside those of a single core.
ALL_STALLS = {"none": {}, **STALLS}
#: Models of random contents by their names here; others are those of the package.
_RANDOM = {"small": predictive_model, "rgb": colour_model, "bayer": mosaic_model}


@dataclass(frozen=True)
class SlabCores(Cores):
    """Cores side by side."""

    cores: int = 2
    near: int = 0

    video_fields: ClassVar[tuple[str, ...]] = ("data", "user", "last", "keep")

    @cached_property
    def codec(self) -> PredictiveCodec:
        model = _RANDOM[self.name]() if self.name in _RANDOM else shipped(self.name)
        return PredictiveCodec(model, threads=1)

    @cached_property
    def config(self) -> PredictiveConfig:
        return PredictiveConfig(
            self.codec.model, self.depth, self.max_width, self.max_height, self.strip_height,
            max_near=self.near, cores=self.cores,
        )  # fmt: skip

    @cached_property
    def form(self) -> PictureForm:
        return PictureForm(self.config.planes, self.depth, self.cores)

    @cached_property
    def encoder(self) -> Design:
        return Design.of(PredictiveEncoderCores(self.config, stream_bytes=self.stream_bytes))

    @cached_property
    def decoder(self) -> Design:
        return Design.of(PredictiveDecoderCores(self.config, stream_bytes=self.stream_bytes))

    def file(
        self, picture: np.ndarray, strip_height: int | None = None, order: int = 0, **options
    ) -> bytes:
        return super().file(
            picture, strip_height, slabs=self.cores, **self.form.options(order), **options
        )

    def beats(self, given: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Beats of pictures of any sizes, zeros behind a line's last pixel."""
        parts: list[dict] = []
        size = self.config.pixel_bits
        for picture in given:
            pixels = self.form.packed(picture)
            height, width = pixels.shape
            beats = -(-width // self.cores)
            wide = np.zeros((height, beats * self.cores), dtype=object)
            wide[:, :width] = pixels
            data = sum(wide[:, k :: self.cores] << size * k for k in range(self.cores))
            user, last = np.zeros((2, height, beats), dtype=np.int64)
            user[0, 0], last[:, -1] = 1, 1
            keep = np.full((height, beats), (1 << self.cores * size // 8) - 1, dtype=np.int64)
            keep[:, -1] = (1 << (width - self.cores * (beats - 1)) * size // 8) - 1
            fields = {"data": data, "user": user, "last": last, "keep": keep}
            parts.append({name: values.ravel() for name, values in fields.items()})
        joined = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
        return joined | {"data": joined["data"].astype(np.uint64)}

    def encode_pictures(
        self, given: list[np.ndarray], *, near: int = 0, order: int = 0, stalls=None
    ):
        """`encode` of pictures of one size."""
        beats = self.beats(given)
        del beats["keep"]
        return self.encode(beats, given[0].shape[:2], stalls=stalls,
                           settings=self.settings(near, order))  # fmt: skip

    def settings(self, near: int = 0, order: int = 0) -> dict[str, int]:
        """What the encoder is told besides sizes."""
        return {
            **({"near": near} if self.near else {}),
            **({"order": order} if self.config.max_order else {}),
        }  # fmt: skip


def cut(size: tuple[int, int], depth: int, count: int = 4) -> list[np.ndarray]:
    """Smooth ones, noise, drawn ones, of a size."""
    height, width = size
    return [np.tile(p, (-(-height // len(p)), -(-width // p.shape[1])))[:height, :width]
            for p in pictures(np.random.default_rng(6), depth)[:count]]  # fmt: skip


def check(found, wanted: dict[str, np.ndarray]) -> None:
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


#: Two cores of a small model, and four of 12 bits that may be near-lossless.
SEVERAL = {
    "2": SlabCores("small", 8, 96, 40, 8),
    "4": SlabCores("photo-16", 12, 140, 40, 12, 8, cores=4, near=2),
}
SIZES = [(40, 64), (9, 37), (1, 13), (7, 16)]


@pytest.mark.parametrize("name", exhaustive_but_first(SEVERAL))
@pytest.mark.parametrize("size", SIZES)
def test_encoder(name, size):
    cores = SEVERAL[name]
    given = cut(size, cores.depth)
    files, errors, _ = cores.encode_pictures(given)
    assert files == [cores.file(p) for p in given]
    assert not errors


@pytest.mark.parametrize("name", exhaustive_but_first(SEVERAL))
@pytest.mark.parametrize("height", [18, 26, 34])
def test_last_slab_of_one_column(name, height):
    """Its rows follow each other in single clocks once its queue has filled."""
    cores = SEVERAL[name]
    given = cut((height, cores.cores * (cores.cores - 1) + 1), cores.depth)
    files, errors, _ = cores.encode_pictures(given)
    assert files == [cores.file(p) for p in given]
    assert not errors


@pytest.mark.parametrize("name", exhaustive_but_first(SEVERAL))
@pytest.mark.parametrize("size", SIZES)
def test_decoder(name, size):
    cores = SEVERAL[name]
    given = cut(size, cores.depth)
    found, errors, _ = cores.decode([cores.file(p) for p in given])
    check(found, cores.beats(given))
    assert not errors


@pytest.mark.parametrize("name", exhaustive_but_first(SEVERAL))
@pytest.mark.parametrize("stalls", ALL_STALLS)
def test_back_pressure(name, stalls):
    """Noise, whose strips fill the queues, beside pictures of other sizes."""
    cores = SEVERAL[name]
    rng = np.random.default_rng(7)
    given = [rng.integers(0, 1 << cores.depth, (21, 50)) for _ in range(3)]
    files, errors, _ = cores.encode_pictures(given, stalls=ALL_STALLS[stalls])
    wanted = [cores.file(p) for p in given]
    assert files == wanted and not errors
    others = cut((6, 30), cores.depth, 2)
    found, errors, _ = cores.decode(
        [*wanted, *map(cores.file, others)], stalls=ALL_STALLS[stalls]
    )
    check(found, cores.beats([*given, *others]))
    assert not errors


def test_damage_of_a_slab_is_that_slab_s():
    """Its strip is told, or its picture is completed; the other slab and later files are right."""
    cores = SEVERAL["2"]
    picture, = cut((24, 44), 8, 1)
    good = cores.file(picture)
    frame = Frame.unpack(good)
    starts, _ = split_index(good, frame)
    left, right = frame.columns(1)
    for strip, at, error in ((1, 9, "bad_strip"), (3, 0, "bad_packet")):
        bad = bytearray(good)
        bad[starts[strip] + at] ^= 1 if at else 0x7F ^ bad[starts[strip]]
        found, errors, _ = cores.decode([bytes(bad), good])
        assert error in errors
        beats = cores.beats([picture, picture])
        size = len(beats["data"]) // 2
        check({name: v[size:] for name, v in found.items()},
              {name: v[size:] for name, v in beats.items()})  # fmt: skip
        assert len(found["data"]) == 2 * size
        if at:  # a length that is none is the end of the file for all slabs
            rows = found["data"][:size].reshape(24, -1)
            wanted = beats["data"][:size].reshape(24, -1)
            np.testing.assert_array_equal(rows[:, : left // 2], wanted[:, : left // 2])
            assert right == 44


@pytest.mark.parametrize("size", [0, 5, 28, 29, 60, -1, -9])
def test_cut_files(size):
    """A file that is cut short anywhere; the next one is right."""
    cores = SEVERAL["2"]
    picture, = cut((18, 44), 8, 1)
    good = cores.file(picture)
    found, errors, _ = cores.decode([good[:size] or b"L", good])
    beats = cores.beats([picture])
    last = {name: v[len(v) - len(beats["data"]):] for name, v in found.items()}
    check(last, beats)
    assert errors == ({"bad_packet"} if size not in (0, 5, 28) else {"bad_header"})


def test_files_that_are_refused():
    """Other headers, and bytes behind the index."""
    cores = SEVERAL["2"]
    picture, = cut((18, 44), 8, 1)
    good = cores.file(picture)
    wrong = [
        cores.file(picture, strip_height=12),  # higher than a queue holds
        VERSION_2["model hash"].put(good, bytes(8)),
        VERSION_2["image width"].put(good, 2), VERSION_2["image width"].put(good, 97),
        cores.codec.encode(picture.astype(np.uint8), strip_height=8, tile_width=0),
        cores.codec.encode(picture.astype(np.uint8), strip_height=8, slabs=4),
    ]  # fmt: skip
    found, errors, _ = cores.decode([*wrong, good])
    check(found, cores.beats([picture]))
    assert errors == {"bad_header"}
    found, errors, _ = cores.decode([good + b"more", good])
    check(found, cores.beats([picture, picture]))
    assert errors == {"bad_packet"}


def test_misplaced_markers_and_impossible_sizes():
    cores = SEVERAL["2"]
    picture, = cut((9, 33), 8, 1)
    beats = cores.beats([picture])
    del beats["keep"]

    def encoded(beats: dict, width: int = 33):
        files, errors, _ = cores.encode(beats, (9, width))
        return files, errors

    stray = {name: np.concatenate([v[1:4], v]) for name, v in beats.items()}
    assert encoded(stray) == ([cores.file(picture)], {"bad_marker"})
    late = {**beats, "last": np.roll(beats["last"], 1)}
    assert encoded(late) == ([cores.file(picture)], {"bad_marker"})
    for width in (0, 2, 97):
        assert encoded({name: v[:1] for name, v in beats.items()}, width) == ([], {"bad_size"})


@pytest.mark.exhaustive
def test_nears():
    """Of files in turn; what comes out is what the reference restores."""
    cores = SEVERAL["4"]
    given = cut((14, 53), cores.depth, 3)
    files, errors, _ = cores.encode_pictures(given, near=2)
    assert files == [cores.file(p, near=2) for p in given] and not errors
    mixed = [cores.file(p, near=near) for near, p in enumerate(given)]
    found, errors, _ = cores.decode(mixed)
    check(found, cores.beats([cores.codec.decode(file)[0] for file in mixed]))
    assert not errors
