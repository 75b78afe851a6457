"""Both tops of the profile predictive against the reference codec, file by file."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import pytest
from amaranth.hdl import Fragment

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import GROUP
from lutgen.errors import InputError
from lutgen.gateware.prediction.fold import UNFOLD_LATENCY
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.sample_loop import SampleLoop
from lutgen.gateware.predictive.top import (
    DECODER_ERRORS,
    ENCODER_ERRORS,
    PredictiveDecoderTop,
    PredictiveEncoderTop,
)
from lutgen.gateware.strips.lane_decoder import LaneDecoder
from lutgen.model.header import VERSION_2
from lutgen.model.shipped import shipped
from lutgen.sim import AXIS, Design, Stall, rtl_stream
from lutgen.sim.drive.words import file_beats, files_of
from tests.gateware.test_modeller import raster
from tests.gateware.test_prediction import pictures
from tests.tiers import slow_but_first

VIDEO_IN, VIDEO_OUT = "s_axis_video", "m_axis_video"
STREAM_IN, STREAM_OUT = "s_axis_stream", "m_axis_stream"
STALLS = {
    "random": {"video": Stall(0.3, 1), "stream": Stall(0.3, 2)},
    "video": {"video": Stall(0.7, 3)},
    "stream": {"stream": Stall(0.7, 4)},
}


@dataclass(frozen=True)
class Cores:
    name: str
    depth: int
    max_width: int
    max_height: int
    strip_height: int | None = None
    stream_bytes: int = 4

    video_fields: ClassVar[tuple[str, ...]] = ("data", "user", "last")

    @cached_property
    def codec(self) -> PredictiveCodec:
        return PredictiveCodec(shipped(self.name), threads=1)

    @cached_property
    def config(self) -> PredictiveConfig:
        return PredictiveConfig(
            self.codec.model, self.depth, self.max_width, self.max_height, self.strip_height
        )

    @cached_property
    def encoder(self) -> Design:
        return Design.of(PredictiveEncoderTop(self.config, stream_bytes=self.stream_bytes))

    @cached_property
    def decoder(self) -> Design:
        return Design.of(PredictiveDecoderTop(self.config, stream_bytes=self.stream_bytes))

    def file(self, picture: np.ndarray, strip_height: int | None = None, **options) -> bytes:
        """What the reference makes of a picture."""
        dtype = np.uint8 if self.depth == 8 else np.uint16
        return self.codec.encode(
            picture.astype(dtype), depth=self.depth, tile_width=0,
            strip_height=strip_height or self.strip_height or len(picture), **options,
        )  # fmt: skip

    def encode(self, beats: dict, size: tuple[int, int], *, stalls=None, settings=None, **options):
        """Files that the encoder makes of beats, its errors, and the simulation's result."""
        result = rtl_stream(
            self.encoder, {VIDEO_IN: beats},
            {STREAM_OUT: ("data", "keep", "last")}, names=AXIS, idle="idle",
            config={"height": size[0], "width": size[1], "clear_error": 0, **(settings or {})},
            watch=("error",), stalls=ports(stalls, VIDEO_IN, STREAM_OUT), **options,
        )  # fmt: skip
        files, rest = files_of(**result.outputs[STREAM_OUT], size=self.stream_bytes)
        assert not rest
        return list(files), told(result, ENCODER_ERRORS), result

    def decode(self, files: list[bytes], *, stalls=None, **options):
        """Pixels that the decoder makes of files, its errors, and the simulation's result."""
        result = rtl_stream(
            self.decoder, {STREAM_IN: file_beats(files, self.stream_bytes)},
            {VIDEO_OUT: self.video_fields}, names=AXIS, idle="idle",
            config={"clear_error": 0}, watch=("error",),
            stalls=ports(stalls, VIDEO_OUT, STREAM_IN), **options,
        )  # fmt: skip
        return result.outputs[VIDEO_OUT], told(result, DECODER_ERRORS), result


def ports(stalls, video: str, stream: str) -> dict:
    names = {"video": video, "stream": stream}
    return {names[name]: stall for name, stall in (stalls or {}).items()}


def told(result, names: tuple[str, ...]) -> set[str]:
    """Errors that are told at the end."""
    return {name for k, name in enumerate(names) if result.status["error"] >> k & 1}


#: The decoder's payload ring of the second one, for the full run, would lack room for the longest
#: payloads if it held no more than one for each lane.
CORES = {"8 bits": Cores("photo", 8, 280, 84), "strips": Cores("photo-16", 12, 338, 84, 8, 8)}
NAMES = ["8 bits", pytest.param("strips", marks=pytest.mark.slow)]
SIZES = [(40, 48), (5, 9), (1, 1), (3, 2), (18, 30)]
#: Of pictures that keep all lanes busy, so that two groups of a lane are under way at its ends.
WIDE = (64, 280)


def cut(size: tuple[int, int], depth: int) -> list[np.ndarray]:
    height, width = size
    return [p[:height, :width] for p in pictures(np.random.default_rng(5), depth)
            if len(p) >= height]  # fmt: skip


def wide(size: tuple[int, int], depth: int, count: int = 3) -> list[np.ndarray]:
    """Smooth, noise, drawn, and others, larger than those of `cut`."""
    height, width = size
    return [np.tile(p, (-(-height // len(p)), -(-width // p.shape[1])))[:height, :width]
            for p in pictures(np.random.default_rng(6), depth)[1 : 1 + count]]  # fmt: skip


def check_pixels(found, given: list[np.ndarray]) -> None:
    for name, values in raster(given).items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_encoder(name, size):
    cores = CORES[name]
    given = cut(size, cores.depth)
    files, errors, _ = cores.encode(raster(given), size)
    assert files == [cores.file(p) for p in given]
    assert not errors


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_decoder(name, size):
    cores = CORES[name]
    given = cut(size, cores.depth)
    found, errors, _ = cores.decode([cores.file(p) for p in given])
    check_pixels(found, given)
    assert not errors


@pytest.mark.parametrize("name", NAMES)
def test_two_groups_of_a_lane(name):
    """Lanes begin with groups before those before them have ended, of other files and strips."""
    cores = CORES[name]
    size = cores.max_height - 1, cores.max_width
    given = wide(size, cores.depth)
    files, errors, _ = cores.encode(raster(given), size)
    assert files == [cores.file(p) for p in given] and not errors
    found, errors, _ = cores.decode(files)
    check_pixels(found, given)
    assert not errors


@pytest.mark.slow
def test_longest_payloads():
    """Noise in one strip: a group that is due has its payload, while one of each lane is used."""
    cores = CORES["strips"]
    noise = wide((cores.max_height, cores.max_width), cores.depth)[1]
    file = cores.codec.encode(
        noise.astype(np.uint16), depth=cores.depth, tile_width=0, strip_height=len(noise)
    )
    found, errors, _ = cores.decode([file])
    check_pixels(found, [noise])
    assert not errors


@pytest.mark.parametrize("size, count", slow_but_first([((40, 48), 4), (WIDE, 5)], several=True))
def test_clocks(size, count):
    """Of pictures in a row each four rows take 17 periods, or as many turns of a lane as a row has
    columns and three more; and between them is nothing."""
    cores = CORES["8 bits"]
    given = wide(size, 8, count)
    for decodes, lanes in ((False, cores.config.encoder_lanes), (True, cores.config.lanes)):
        if decodes:
            _, _, result = cores.decode([cores.file(p) for p in given])
            ends = result.output_clocks[VIDEO_OUT]
        else:
            _, _, result = cores.encode(raster(given), size)
            ends = result.input_clocks[VIDEO_IN]
        ends = ends[given[0].size - 1 :: given[0].size]
        # Once they find all buffers full, the encoder's pictures wait for one to be free, which may
        # be seen in one part of a period or another.
        wanted = size[0] // GROUP * max(17 * lanes, size[1] + 3) * GROUP
        assert abs(ends[-1] - ends[-2] - wanted) < GROUP * lanes, decodes


def test_clocks_of_the_loops():
    """As docs/predictive.md has them: from a visit to the first prediction, row and record."""
    cores = CORES["8 bits"]
    for kind, lanes, after, record in (
        ("encoder", 8, None, 30), ("decoder", 16, LaneDecoder.latency + UNFOLD_LATENCY, 58),
    ):  # fmt: skip
        loop = SampleLoop(cores.codec.model, 8, lanes, cores.max_width, sample_after=after)
        Fragment.get(loop, None)
        assert loop.prediction.first_latency + SampleLoop.context_latency == 28, kind
        assert (loop.latency, loop.written) == (43, record), kind


@pytest.mark.parametrize("stalls", STALLS)
@pytest.mark.parametrize("size", [(18, 30), pytest.param(WIDE, marks=pytest.mark.slow)])
def test_stalls(size, stalls):
    cores = CORES["8 bits"]
    given = wide(size, 8, 2) if size == WIDE else cut(size, 8)
    files, _, _ = cores.encode(raster(given), size, stalls=STALLS[stalls])
    assert files == [cores.file(p) for p in given]
    found, _, _ = cores.decode(files, stalls=STALLS[stalls])
    check_pixels(found, given)


def test_idle_with_a_first_pixel_inside():
    """The second pixel comes long after the first one, which alone is inside."""
    cores = CORES["8 bits"]
    given = cut((5, 9), 8)[:1]
    files, _, result = cores.encode(raster(given), (5, 9), stalls={"video": Stall(every=16)})
    assert files == [cores.file(given[0])]
    first, last = result.input_clocks[VIDEO_IN][0], result.output_clocks[STREAM_OUT][-1]
    high = [clock for clock, value in result.changes["idle"] if value and first < clock <= last]
    assert not high


def test_files_of_many_sizes():
    """Another width waits until the pictures before it are through."""
    cores = CORES["8 bits"]
    given = [p for size in SIZES for p in cut(size, 8)[:2]]
    found, errors, _ = cores.decode([cores.file(p) for p in given])
    check_pixels(found, given)
    assert not errors


@pytest.mark.parametrize("size, after", [
    ((18, 30), 1),
    # In the damaged file's lanes groups of good files begin before its own have ended.
    pytest.param((20, 280), 5, marks=pytest.mark.slow),
])  # fmt: skip
def test_damaged_files(size, after):
    cores = CORES["8 bits"]
    good = wide(size, 8)[0]
    file = cores.file(good)
    body = bytearray(file)
    body[-20] ^= 16
    other = bytearray(file)
    other[VERSION_2["model hash"].offset] ^= 1
    near = bytearray(file)  # the cores are lossless
    near[VERSION_2["near"].offset] = 1
    for damaged, error in (
        (bytes(body), "bad_strip"), (file[:-30], "bad_packet"), (bytes(other), "bad_header"),
        (bytes(near), "bad_header"),
    ):  # fmt: skip
        found, errors, _ = cores.decode([file, damaged, *[file] * after])
        assert errors == {error} or errors == {error, "bad_strip"}
        pixels = good.size
        assert len(found["data"]) == pixels * (1 + after + (error != "bad_header"))
        check_pixels({k: v[:pixels] for k, v in found.items()}, [good])
        check_pixels({k: v[-after * pixels :] for k, v in found.items()}, [good] * after)


def test_markers_and_sizes():
    cores = CORES["8 bits"]
    given = cut((5, 9), 8)[:2]
    beats = raster(given)
    extra = {"data": [1, 2], "user": [0, 0], "last": [0, 1]}  # before the first picture: dropped
    begun = {k: np.concatenate([extra[k], v]) for k, v in beats.items()}
    files, errors, _ = cores.encode(begun, (5, 9))
    assert files == [cores.file(p) for p in given] and errors == {"bad_marker"}
    wrong = {k: v.copy() for k, v in beats.items()}
    wrong["last"][3] = 1
    files, errors, _ = cores.encode(wrong, (5, 9))
    assert files == [cores.file(p) for p in given] and errors == {"bad_marker"}
    files, errors, _ = cores.encode(raster(given[:1]), (5, 281))
    assert not files and "bad_size" in errors


@pytest.mark.parametrize("clock", slow_but_first([611, 0, 7, 300, 1200, 2003]))
def test_reset_in_mid_frame(clock):
    cores = CORES["8 bits"]
    given = cut((18, 30), 8)
    files, errors, _ = cores.encode(raster(given), (18, 30), reset_at=clock)
    assert files == [cores.file(p) for p in given] and not errors
    found, errors, _ = cores.decode(files, reset_at=clock)
    check_pixels(found, given)
    assert not errors


@pytest.mark.slow
@pytest.mark.parametrize("period", [0, 2, 5, 8, 11, 15])
def test_reset_between_groups(period):
    """So many periods after a lane's first group has given way to its second one."""
    cores = CORES["8 bits"]
    given = wide(WIDE, 8, 2)
    files = [cores.file(p) for p in given]
    for decodes, lanes in ((False, cores.config.encoder_lanes), (True, cores.config.lanes)):
        # The first group begins some clocks after it has come.
        there = 500 if decodes else GROUP * WIDE[1]
        clock = there + (WIDE[1] + 3 + period) * GROUP * lanes
        if decodes:
            found, errors, _ = cores.decode(files, reset_at=clock)
            check_pixels(found, given)
        else:
            made, errors, _ = cores.encode(raster(given), WIDE, reset_at=clock)
            assert made == files
        assert not errors


@pytest.mark.parametrize("options, message", [
    ({"depth": 7}, "bit depth must be 8 to 16, not 7"),
    ({"max_width": 7}, "max width must be 8 to 16384, not 7"),
    ({"max_height": 1 << 16}, "max height must be 8 to 65535"),
    ({"lanes": 8}, "^lanes must be 15 to 32, not 8"),
    ({"encoder_lanes": 7}, "encoder lanes must be 8 to 32, not 7"),
    ({"strip_height": 6}, "strip height must be a multiple of 4, not 6"),
    ({"fabric": "lut5"}, "fabric must be one of lut6, lut4, not 'lut5'"),
])  # fmt: skip
def test_refused_parameters(options, message):
    with pytest.raises(InputError, match=message):
        PredictiveConfig(shipped("photo"), **options)
