"""Both tops built for near-lossless files against the reference codec, file by file."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from amaranth.hdl import Fragment

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import GROUP
from lutgen.errors import InputError
from lutgen.gateware.prediction.fold import UNFOLD_LATENCY
from lutgen.gateware.prediction.near import RESTORE_LATENCY, Near
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.sample_loop import SampleLoop
from lutgen.gateware.predictive.top import ENCODER_ERRORS
from lutgen.gateware.strips.lane_decoder import LaneDecoder
from lutgen.model.header import VERSION_2
from lutgen.model.shipped import shipped
from lutgen.sim import AXIS, Stall, rtl_stream
from lutgen.sim.drive.script import Script
from lutgen.sim.drive.words import files_of
from tests.gateware.test_modeller import raster
from tests.gateware.test_predictive_cores import (
    STREAM_OUT,
    VIDEO_IN,
    VIDEO_OUT,
    WIDE,
    Cores,
    check_pixels,
    cut,
    ports,
    told,
    wide,
)
from tests.models import predictive_model
from tests.tiers import exhaustive_but_first

NEARS = (0, 1, 2, 3, 5, 4)
#: Beats after which a picture's first pixel is inside for certain.
INSIDE = 8
#: Sizes of pictures, and which of `cut` have them.
SIZES = {
    (1, 1): np.s_[:2], (3, 2): np.s_[::2], (5, 9): np.s_[::3], (18, 30): np.s_[1:7],
    (40, 48): np.s_[:],
}  # fmt: skip
STALLS = {"video": Stall(0.4, 11), "stream": Stall(0.4, 12)}


@dataclass(frozen=True)
class NearCores(Cores):
    """Cores that take nears up to 5; the model ``small`` is one of random contents."""

    @cached_property
    def codec(self) -> PredictiveCodec:
        model = predictive_model() if self.name == "small" else shipped(self.name)
        return PredictiveCodec(model, threads=1)

    @cached_property
    def config(self) -> PredictiveConfig:
        return PredictiveConfig(
            self.codec.model, self.depth, self.max_width, self.max_height, self.strip_height,
            max_near=max(NEARS),
        )  # fmt: skip

    def near_file(self, picture: np.ndarray, near: int) -> bytes:
        return self.file(picture, near=near)

    def given(self) -> list[tuple[np.ndarray, int]]:
        """Pictures of every size, each with a near that is not that of the one before."""
        found = [picture for size, some in SIZES.items() for picture in cut(size, self.depth)[some]]
        return [(picture, NEARS[k % len(NEARS)]) for k, picture in enumerate(found)]

    def encode_each(self, given: list[tuple[np.ndarray, int]], *, stalls=None):
        """Files, errors and the result of pictures with a near of their own each.

        Settings change as soon as a picture's first pixels are inside, so that pictures of several
        nears are; behind one of so few pixels when it has left.
        """
        beats, script = [], Script()
        for picture, near in given:
            beats.append(raster([picture]))
            height, width = picture.shape
            script.set(width=width, height=height, near=near)
            script.wait(4)
            script.send(VIDEO_IN, min(picture.size, INSIDE))
            script.taken(1)
            if picture.size > INSIDE:
                script.wait(4)
                script.set(width=1, height=1, near=(near + 1) % len(NEARS))
                script.send(VIDEO_IN, picture.size - INSIDE)
                script.taken(1)
            else:
                script.high("idle", 64)
        script.high("idle", 64)
        result = rtl_stream(
            self.encoder,
            {VIDEO_IN: {k: np.concatenate([b[k] for b in beats]) for k in beats[0]}},
            {STREAM_OUT: ("data", "keep", "last")}, names=AXIS, bus=script,
            controls={"height": 1, "width": 1, "near": 0, "clear_error": 0},
            watch=("error", "idle"), stalls=ports(stalls, VIDEO_IN, STREAM_OUT),
        )  # fmt: skip
        files, rest = files_of(**result.outputs[STREAM_OUT], size=self.stream_bytes)
        assert not rest
        return list(files), told(result, ENCODER_ERRORS), result


def restored(cores: NearCores, given: list[tuple[np.ndarray, int]], files) -> list[np.ndarray]:
    """What the reference decodes, no sample of which is further off than it may."""
    found = [cores.codec.decode(file)[0] for file in files]
    for image, (picture, near) in zip(found, given, strict=True):
        assert np.abs(image.astype(int) - picture).max() <= near
    return found


CORES = {
    "small": NearCores("small", 8, 64, 48),
    "8 bits": NearCores("photo", 8, 280, 84),
    "strips": NearCores("small", 12, 338, 84, 8, 8),
    # Predictions may go beyond the greatest index, which takes the loop a clock more.
    "9 bits": NearCores("small", 9, 64, 48, 4, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("stalls", [None, STALLS], ids=["flows", "stalls"])
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_both_ways(name, stalls):
    """Nears in turn, so that files of several are under way; one after the other and back."""
    cores = CORES[name]
    given = cores.given()
    wanted = [cores.near_file(*each) for each in given]
    files, errors, _ = cores.encode_each(given, stalls=stalls)
    assert files == wanted and not errors
    images = restored(cores, given, files)
    found, errors, _ = cores.decode(files, stalls=stalls)
    check_pixels(found, images)
    assert not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["8 bits", "strips"])
def test_two_groups_of_a_lane(name):
    """Lanes begin with groups of files of another near before those before them have ended."""
    cores = CORES[name]
    size = cores.max_height - 1, cores.max_width
    given = list(zip(wide(size, cores.depth), (2, 0, 5), strict=True))
    files, errors, _ = cores.encode_each(given)
    assert files == [cores.near_file(*each) for each in given] and not errors
    found, errors, _ = cores.decode(files)
    check_pixels(found, restored(cores, given, files))
    assert not errors


@pytest.mark.slow
def test_files_of_refused_nears():
    """Between good ones of every near."""
    cores = CORES["small"]
    given = [(picture, near) for picture, near in zip(cut((18, 30), 8), NEARS, strict=False)]
    good = [cores.near_file(*each) for each in given]
    bad = [VERSION_2["near"].put(good[0], near) for near in (6, 7, 8, 13, 128)]
    bad.append(cores.file(given[0][0], near=6))
    found, errors, _ = cores.decode([file for pair in zip(bad, good, strict=True) for file in pair])
    assert errors == {"bad_header"}
    check_pixels(found, restored(cores, given, good))


@pytest.mark.slow
def test_pictures_of_refused_nears():
    cores = CORES["small"]
    picture = cut((5, 9), 8)[1]
    good = cores.file(picture, near=5)
    files, errors, _ = cores.encode_each([(picture, near) for near in (6, 5, 7, 5)])
    # Its first pixel has a wrong near; the others are overdue for a start of frame.
    assert files == [good, good] and errors == {"bad_marker", "bad_size"}


@pytest.mark.slow
def test_a_near_of_another_file_is_damage():
    """A near that this build takes, but not that of the file: its checksum says so."""
    cores = CORES["small"]
    picture = cut((5, 9), 8)[1]
    good = cores.file(picture, near=2)
    bad = VERSION_2["near"].put(good, 3)
    found, errors, _ = cores.decode([bad, good])
    assert "bad_strip" in errors and errors <= {"bad_strip", "bad_packet"}
    image = restored(cores, [(picture, 2)], [good])
    check_pixels({k: v[picture.size :] for k, v in found.items()}, image)


@pytest.mark.exhaustive
def test_clocks():
    """Near-lossless pictures flow as lossless ones do: nothing is between them."""
    cores = CORES["8 bits"]
    given = [(picture, NEARS[k]) for k, picture in enumerate(wide(WIDE, 8, 5))]
    files, _, encoded = cores.encode_each(given)
    _, _, decoded = cores.decode(files)
    for clocks, lanes in (
        (encoded.input_clocks[VIDEO_IN], cores.config.encoder_lanes),
        (decoded.output_clocks[VIDEO_OUT], cores.config.lanes),
    ):
        ends = clocks[given[0][0].size - 1 :: given[0][0].size]
        wanted = WIDE[0] // GROUP * max(17 * lanes, WIDE[1] + 3) * GROUP
        assert abs(ends[-1] - ends[-2] - wanted) < GROUP * lanes


def test_clocks_of_the_loops():
    """As docs/predictive.md has them: the encoder's is that of lossless builds."""
    after = LaneDecoder.latency + UNFOLD_LATENCY + RESTORE_LATENCY
    for kind, lanes, later, record in (("encoder", 8, None, 30), ("decoder", 16, after, 59)):
        loop = SampleLoop(
            shipped("photo"), 8, lanes, 280, sample_after=later, near=Near(8, max(NEARS))
        )
        Fragment.get(loop, None)
        assert (loop.latency, loop.written) == (43, record), kind


@pytest.mark.exhaustive
@pytest.mark.parametrize("clock", [300, 1200, 2003])
def test_reset_in_mid_frame(clock):
    cores = CORES["8 bits"]
    given = [(picture, 3) for picture in cut((18, 30), 8)]
    wanted = [cores.near_file(*each) for each in given]
    found, errors, _ = cores.decode(wanted, reset_at=clock)
    check_pixels(found, restored(cores, given, wanted))
    assert not errors


@pytest.mark.parametrize("options, message", [
    ({"max_near": -1}, "near must be 0 to 255, not -1"),
    ({"max_near": 256}, "near must be 0 to 255, not 256"),
    ({"max_near": 128}, "near of 8-bit samples must be 0 to 127, not 128"),
])  # fmt: skip
def test_refused_parameters(options, message):
    with pytest.raises(InputError, match=message):
        PredictiveConfig(shipped("photo"), **options)
