"""Both tops of colour models against the reference codec, file by file."""

import numpy as np
import pytest
from amaranth.hdl import Fragment

from lutgen.errors import InputError
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.prediction.fold import UNFOLD_LATENCY
from lutgen.gateware.prediction.near import RESTORE_LATENCY, Near
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.planes import Planes
from lutgen.gateware.strips.lane_decoder import LaneDecoder
from lutgen.gateware.strips.strip_files import Channels, strip_header
from lutgen.gateware.strips.strip_reader import StripReader
from lutgen.model.header import VERSION_2
from lutgen.model.shipped import shipped
from lutgen.synth.mapped import map_design
from tests.gateware.colour_cores import ColourCores, colour_pictures
from tests.gateware.test_predictive_cores import STALLS, VIDEO_IN, VIDEO_OUT
from tests.models import mosaic_model
from tests.tiers import exhaustive_but_first

#: With small models, as those of the package take minutes to compile: `bench.predictive_cores`
#: sends photographs through cores of these.
CORES = {
    "rgb": ColourCores("rgb", 8, 280, 84),
    "bayer": ColourCores("bayer", 12, 560, 84, 8, 8),
}
#: The same for nears up to 5; the first one's pictures are widest, so that all lanes are busy.
NEAR_CORES = {
    "rgb": ColourCores("rgb", 8, 280, 84, max_near=5),
    "bayer": ColourCores("bayer", 12, 64, 48, 8, 8, max_near=5),
}
#: Sides of mosaics are the even ones above.
SIZES = [(40, 48), (5, 9), (1, 1), (3, 2), (18, 30)]


def given(name: str, size: tuple[int, int], count: int = 4) -> list[np.ndarray]:
    cores = CORES[name]
    if cores.mosaic:
        size = tuple(side + side % 2 for side in size)
    return colour_pictures(size, cores.depth, mosaic=cores.mosaic, count=count)


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
@pytest.mark.parametrize("size", SIZES)
def test_encoder(name, size):
    cores, pictures = CORES[name], given(name, size)
    files, errors, _ = cores.encode(pictures, order=1)
    assert files == [cores.file(p, 1) for p in pictures]
    assert not errors


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
@pytest.mark.parametrize("size", SIZES)
def test_decoder(name, size):
    cores, pictures = CORES[name], given(name, size)
    found, errors, _ = cores.decode([cores.file(p, 1) for p in pictures])
    cores.check_pixels(found, pictures)
    assert not errors


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_orders(name):
    """Every order of planes, and every pattern of a colour filter array, both ways."""
    cores, pictures = CORES[name], given(name, (6, 10), 2)
    wanted = []
    for order in range(cores.orders):
        files, errors, _ = cores.encode(pictures, order=order)
        assert files == [cores.file(p, order) for p in pictures] and not errors
        wanted += files
    found, errors, _ = cores.decode(wanted)
    cores.check_pixels(found, pictures * cores.orders)
    assert not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NEAR_CORES)
def test_nears(name):
    """Errors are of each plane's samples; the decoder has files of several nears under way."""
    cores, wanted, sent = NEAR_CORES[name], [], []
    for k, (near, size) in enumerate(((0, (18, 30)), (1, (9, 5)), (5, (18, 30)), (5, (40, 64)))):
        pictures = given(name, size, 3)
        files, errors, _ = cores.encode(pictures, order=k, near=near)
        assert files == [cores.file(p, k, near=near) for p in pictures] and not errors
        wanted += files
        sent += [(picture, near) for picture in pictures]
    turns = [k for near in range(3) for k in range(near, len(wanted), 3)]
    found, errors, _ = cores.decode([wanted[k] for k in turns])
    assert not errors
    images = [cores.codec.decode(wanted[k])[0] for k in turns]
    for image, k in zip(images, turns, strict=True):
        picture, near = sent[k]
        assert np.abs(image.astype(int) - picture).max() <= near
    cores.check_pixels(found, images)
    assert cores.encode(pictures, near=6)[1] == {"bad_marker", "bad_size"}


@pytest.mark.slow
def test_clocks_of_the_loops():
    """As docs/predictive.md has them, without and with nears: the encoder's is the same."""
    for name, depth, records in (
        ("photo-rgb", 8, (32, 61, 32, 62)), ("photo-bayer", 12, (33, 62, 33, 63)),
    ):  # fmt: skip
        planes, found = Planes.of(shipped(name)), []
        for near in (None, Near(depth, 5)):
            after = LaneDecoder.latency + UNFOLD_LATENCY + (RESTORE_LATENCY if near else 0)
            for lanes, later in ((8, None), (16, after)):
                loop = planes.loop(depth, lanes, 280, sample_after=later, near=near)
                Fragment.get(loop, None)
                found.append(loop.written)
        assert tuple(found) == records, name


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_two_groups_of_a_lane(name):
    """Lanes begin with groups before those before them have ended, of other files."""
    cores = CORES[name]
    pictures = given(name, (cores.max_height - 2, cores.max_width), 2)
    files, errors, _ = cores.encode(pictures)
    assert files == [cores.file(p) for p in pictures] and not errors
    found, errors, _ = cores.decode(files)
    cores.check_pixels(found, pictures)
    assert not errors


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
@pytest.mark.parametrize("stalls", STALLS)
def test_stalls(name, stalls):
    cores, pictures = CORES[name], given(name, (18, 30))
    files, errors, _ = cores.encode(pictures, stalls=STALLS[stalls])
    assert files == [cores.file(p) for p in pictures] and not errors
    found, errors, _ = cores.decode(files, stalls=STALLS[stalls])
    cores.check_pixels(found, pictures)
    assert not errors


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_clocks(name):
    """Of pictures in a row each four rows of planes take as many turns of a lane as a row has
    columns and three more; and between them is nothing."""
    cores = CORES[name]
    # The first ones fill the memories in front of the encoder.
    pictures = given(name, (48, cores.max_width), 6)
    columns = cores.config.planes.columns(cores.max_width)
    lines = cores.config.planes.lines(48)
    count = len(cores.beats(pictures[:1])["data"])
    for decodes, lanes in ((False, cores.config.encoder_lanes), (True, cores.config.lanes)):
        if decodes:
            _, _, result = cores.decode([cores.file(p) for p in pictures])
            ends = result.output_clocks[VIDEO_OUT]
        else:
            _, _, result = cores.encode(pictures)
            ends = result.input_clocks[VIDEO_IN]
        ends = ends[count - 1 :: count]
        rows = lines * cores.config.planes.count
        wanted = rows // 4 * max(17 * lanes, columns + 3) * 4
        assert abs(ends[-1] - ends[-2] - wanted) < 4 * lanes, decodes


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_files_of_many_sizes(name):
    """Another width waits until the pictures before it are through."""
    cores = CORES[name]
    pictures = [p for size in SIZES for p in given(name, size, 2)]
    files = [cores.file(p, k % cores.orders) for k, p in enumerate(pictures)]
    found, errors, _ = cores.decode(files)
    cores.check_pixels(found, pictures)
    assert not errors


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_strips_of_any_height(name):
    """Groups at the ends of strips have fewer rows, and begin with any plane."""
    cores, files, pictures = CORES[name], [], []
    for k, lines in enumerate((1, 2, 3, 5, 7, 9, 11)):
        for picture in given(name, (24, 40), 2):
            strip = lines * (2 if cores.mosaic else 1)
            files.append(cores.file(picture, k % cores.orders, strip))
            pictures.append(picture)
    found, errors, _ = cores.decode(files)
    cores.check_pixels(found, pictures)
    assert not errors


def header_with(file: bytes, field: str, value: int) -> bytes:
    changed = bytearray(file)
    changed[VERSION_2[field].offset] = value
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_damaged_files(name):
    cores = CORES[name]
    good = given(name, (18, 30), 1)[0]
    file = cores.file(good)
    body = bytearray(file)
    body[-20] ^= 16
    of_gray, beyond = (1, 4 | 12 << 4) if cores.mosaic else (3 | 6 << 4, 3 | 8 << 4)
    count = len(cores.beats([good])["data"])
    for damaged, error in (
        (bytes(body), "bad_strip"), (file[:-30], "bad_packet"),
        (header_with(file, "model hash", file[4] ^ 1), "bad_header"),
        (header_with(file, "channels", of_gray), "bad_header"),
        (header_with(file, "channels", beyond), "bad_header"),
        (header_with(file, "channels", 4 if cores.mosaic else 4 | 8 << 4), "bad_header"),
    ):  # fmt: skip
        found, errors, _ = cores.decode([file, damaged, file])
        assert errors == {error} or errors == {error, "bad_strip"}
        assert len(found["data"]) == count * (2 + (error != "bad_header"))
        cores.check_pixels({k: v[:count] for k, v in found.items()}, [good])
        cores.check_pixels({k: v[-count:] for k, v in found.items()}, [good])


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
def test_markers_and_sizes(name):
    cores, pictures = CORES[name], given(name, (6, 10), 2)
    wanted = [cores.file(p) for p in pictures]
    beats = cores.beats(pictures)
    extra = {"data": [1, 2], "user": [0, 0], "last": [0, 1]}  # before the first picture: dropped
    begun = {k: np.concatenate([np.array(extra[k], v.dtype), v]) for k, v in beats.items()}
    files, errors, _ = cores.encode(pictures, beats=begun)
    assert files == wanted and errors == {"bad_marker"}
    wrong = {k: v.copy() for k, v in beats.items()}
    wrong["last"][3] = 1
    files, errors, _ = cores.encode(pictures, beats=wrong)
    assert files == wanted and errors == {"bad_marker"}
    if cores.mosaic:
        files, errors, _ = cores.encode([pictures[0][:5]])
    else:
        files, errors, _ = cores.encode(pictures, order=6)
    assert not files and "bad_size" in errors


@pytest.mark.slow
@pytest.mark.parametrize("name", exhaustive_but_first(CORES))
@pytest.mark.parametrize("clock", [7, 611, 2003])
def test_reset_in_mid_frame(name, clock):
    cores, pictures = CORES[name], given(name, (18, 30))
    files, errors, _ = cores.encode(pictures, reset_at=clock)
    assert files == [cores.file(p) for p in pictures] and not errors
    found, errors, _ = cores.decode(files, reset_at=clock)
    cores.check_pixels(found, pictures)
    assert not errors


@pytest.mark.parametrize("options, message", [
    ({"max_width": 65}, "max width must be even of a colour filter array, not 65"),
    ({"max_height": 33}, "max height must be even of a colour filter array, not 33"),
])  # fmt: skip
def test_refused_parameters(options, message):
    with pytest.raises(InputError, match=message):
        PredictiveConfig(mosaic_model(), **options)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("count", "mosaic"), [(1, False), (3, False), (4, True)])
def test_readers_of_strips_are_mapped(count, mosaic):
    """Yosys refuses registers without a first value whose bits are constants."""
    channels = Channels.of(count, mosaic=mosaic)
    reader = StripReader(
        header=strip_header(bytes(8), 12, channels), depth=12, max_width=32, max_height=32,
        stream_bytes=4, address_bits=10, channels=channels,
    )  # fmt: skip
    assert map_design(to_verilog(reader, "reader"), "reader", "xc7").cells
