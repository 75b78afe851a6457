"""Several cores behind one pair of ports: the reference's output, and one core's errors."""

import dataclasses

import numpy as np
import pytest

from lutgen.gateware.bands.multi import DecoderCores, EncoderCores, encoder_top
from lutgen.gateware.core.several import check_cores
from lutgen.gateware.core.top import ENCODER_ERRORS
from lutgen.sim import Stall, rtl_stream
from lutgen.sim.drive.beats import raster_beats, single_pixels
from lutgen.sim.drive.words import files_of
from tests.gateware import test_decoder_errors as damage
from tests.gateware.tops import STALLS, Tops, pictures, tops
from tests.tiers import all_exhaustive, exhaustive_but_first

pytestmark = pytest.mark.slow

#: Single pixels, lines, columns, one band, bands of one row, the largest.
SIZES = ((1, 1), (2, 1), (1, 17), (3, 5), (8, 8), (16, 16), (17, 25), (40, 9), (37, 64), (40, 8))
NAMES = exhaustive_but_first([
    "two cores", "two cores with levels", "two cores that count", "four cores", "eight cores",
])  # fmt: skip


def check_encoder(top: Tops, images: np.ndarray, *, per_file: int | None = None, **options):
    result = top.encoder(images, per_file=per_file, **options)
    groups = np.split(images, len(images) // (per_file or len(images)))
    assert result.files == tuple(top.file(group) for group in groups)
    assert result.rest == b""
    assert result.errors == ()
    return result


def check_decoder(top: Tops, groups, **options):
    result = top.decoder([top.file(images) for images in groups], **options)
    assert result.errors == ()
    expected = [image for images in groups for image in images]
    assert len(result.frames) == len(expected)
    for number, (frame, image) in enumerate(zip(result.frames, expected, strict=True)):
        np.testing.assert_array_equal(frame, image, err_msg=f"frame {number}")
    return result


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_encoder_sizes(name, size):
    check_encoder(tops(name), pictures(*size, count=3))


@pytest.mark.parametrize("name", NAMES)
def test_decoder_sizes_back_to_back(name):
    check_decoder(tops(name), [pictures(*size, count=3) for size in SIZES])


@pytest.mark.parametrize("stall", STALLS)
@pytest.mark.parametrize("name", NAMES[:4])
def test_stalls(name, stall):
    top = tops(name)
    images = pictures(27, 21, count=3)
    check_encoder(top, images, stall=STALLS[stall])
    groups = [pictures(*size, count=2) for size in ((27, 21), (1, 1), (40, 9), (8, 8))]
    check_decoder(top, groups, stall=STALLS[stall])


@pytest.mark.parametrize("name", exhaustive_but_first(["two cores", "four cores", "eight cores"]))
@pytest.mark.parametrize("per_file", [1, 2, 6])
def test_files_back_to_back(name, per_file):
    top = tops(name)
    images = pictures(18, 10, count=6)
    check_encoder(top, images, per_file=per_file)
    check_decoder(top, np.split(images, 6 // per_file))


def test_many_single_pixels():
    """Files of one tile of one pixel: queues hold more bands than anywhere else."""
    top = tops("two cores")
    images = pictures(1, 1, count=200)
    check_encoder(top, images, per_file=1)
    check_decoder(top, [image[None] for image in images])


def test_output_that_waits_fills_every_queue():
    """Then nothing is lost, and everything goes on."""
    top = tops("two cores")
    images = pictures(40, 64, count=6)
    slow = Stall(0.9, 1, burst=4000)
    check_encoder(top, images, stall={"bytes": slow})
    check_decoder(top, [images], stall={"pixels": slow})


@pytest.mark.parametrize("level", [1, 2])
def test_levels(level):
    """Of images of several bands and odd sizes; then the images again."""
    top = tops("two cores with levels")
    images = pictures(37, 43, count=2)
    file = top.file(images)
    small = top.decoder([file, file], level=level)
    assert small.errors == ()
    expected = top.codec.decode(file, level=level)
    np.testing.assert_array_equal(np.stack(small.frames), np.concatenate([expected] * 2))


@pytest.mark.parametrize("reset_at", [0, 3, 100, 399, 1500])
def test_reset_in_mid_frame(reset_at):
    top = tops("two cores")
    images = pictures(27, 21, count=3)
    check_encoder(top, images, reset_at=reset_at)
    check_decoder(top, [images, pictures(3, 3)], reset_at=reset_at)


@pytest.mark.parametrize("name", all_exhaustive(["four cores", "eight cores"]))
def test_rate(name):
    """A pixel per clock and core, unless the one stream of bytes is slower: tiles are tiny here.

    Images of many bands and few bytes, until all lanes of all cores are at work.
    """
    top = tops(name)
    images = np.random.default_rng(1).integers(8, size=(16, 64, 40)).astype(np.uint8)
    encoded = check_encoder(top, images)
    clocks = encoded.trace.input_clocks["s_axis_video"]
    decoded = check_decoder(top, [images])
    given = decoded.trace.output_clocks["m_axis_video"]
    beats = len(clocks) // len(images)
    pixels = images[0].size * 4
    # A payload passes in whole beats, with at most nine clocks between two of them.
    payload = len(top.file(images)) / (images.size / 64)
    stream = (payload / top.stream_bytes + 1 + 9) / 64
    for found in (clocks, given):
        ends = found[beats - 1 :: beats]
        # Tiles keep their lane for a few turns more than they have pixels; the last images fill
        # no more lanes.
        assert (ends[-3] - ends[-7]) / pixels < max(1.1 / top.cores, stream)


# Errors.


def both(bad: list[bytes]):
    """What one core and two make of the files, between good ones."""
    good = tops("plain").file(damage.following())
    return [tops(name).decoder([good, *bad, good]) for name in ("plain", "two cores")]


def check_same(bad: bytes | list[bytes]) -> None:
    one, two = both([bad] if isinstance(bad, bytes) else bad)
    assert one.errors == two.errors
    assert len(one.frames) == len(two.frames)
    for a, b in zip(one.frames, two.frames, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("at", "data"), [
    (0, b"M"), (3, b"\2"), (4, b"????????"), (12, b"\0\0"), (12, b"\xff\xff"), (14, b"\0\0"),
    (14, (65).to_bytes(2, "little")), (16, b"\x08"), (18, b"\1"), (19, b"\x80"),
    (20, b"\0\0\0\0"),
])  # fmt: skip
def test_header(at, data):
    check_same(damage.edited(at, data))


@pytest.mark.parametrize("length", [1, 2, 3, 23, 24])
def test_truncated_header(length):
    check_same(damage.good_file()[:length])
    check_same(damage.edited(5, b"??")[:length])


def test_truncated_anywhere():
    file = damage.good_file()
    check_same([file[:cut] for cut in range(25, len(file), 3)])


@pytest.mark.parametrize("cores", ["two cores"])
def test_truncated_between_packets(cores):
    ends = [first + length for first, length in damage.packets(damage.good_file())[:-1]]
    check_same([damage.good_file()[:end] for end in ends])


@pytest.mark.parametrize("extra", [b"\0", b"LGC", bytes(300)])
def test_extra_bytes(extra):
    check_same(damage.good_file() + extra)


@pytest.mark.parametrize("length", [
    bytes([0]), bytes([2]), bytes([0x85, 0]), bytes([0xFF, 0xFF]), bytes([0xFF, 0x7F]),
], ids=lambda b: b.hex())  # fmt: skip
@pytest.mark.parametrize("tile", range(4))
def test_impossible_length(length, tile):
    file = damage.good_file()
    first, size = damage.packets(file)[tile]
    check_same(file[: first - 1 - (size >= 128)] + length + file[first:])


@pytest.mark.parametrize("tile", [0, 3, 5])
def test_corrupt_payload(tile):
    """A wrong byte spoils its own tile and no other, whichever core it went to."""
    file = bytearray(damage.good_file())
    first, size = damage.packets(bytes(file))[tile]
    file[first + size // 2] ^= 0x5A
    with pytest.raises(ValueError, match="is corrupt"):
        tops("plain").codec.decode(bytes(file))
    _, two = both([bytes(file)])
    assert two.errors == ("bad_tile",)
    frames = np.stack(two.frames[damage.COUNT : -damage.COUNT])
    differs = (frames != damage.images()).reshape(damage.COUNT, 10, 18)
    y, x = tile % damage.TILES // 2 * 8, tile % 2 * 16
    differs[tile // damage.TILES, y : y + 8, x : x + 16] = False
    assert not differs.any()


def test_random_damage():
    """Any damage is found by one core and two or by neither, and the next file is right."""
    rng = np.random.default_rng(27)
    for _ in range(40):
        file = bytearray(damage.good_file())
        at = int(rng.integers(len(file)))
        kind = rng.integers(3)
        if kind == 0:
            file[at] = int(rng.integers(256))
        elif kind == 1:
            del file[at : at + int(rng.integers(1, 9))]
        else:
            file[at:at] = rng.bytes(int(rng.integers(1, 9)))
        one, two = both([bytes(file)])
        assert one.errors == two.errors
        # What a corrupt tile shows is whatever its core held before.
        assert [f.shape for f in one.frames] == [f.shape for f in two.frames]
        np.testing.assert_array_equal(np.stack(two.frames[-2:]), damage.following())


def test_null_bytes_and_empty_words():
    """Bytes that TKEEP leaves out, anywhere."""
    rng = np.random.default_rng(20)
    beats = damage.scattered(damage.good_file(), rng) + damage.ended_by_null_beat(21, 2)
    result = rtl_stream(
        tops("two cores").decoder_design, {"s_axis_stream": damage.words(beats)},
        {"m_axis_video": ["data", "user", "last", "keep"]}, names="{stream}_t{signal}",
        config={"clear_error": 0}, watch=["error"], idle="idle", idle_clocks=64,
    )  # fmt: skip
    pixels = single_pixels(result.outputs["m_axis_video"], 2)
    np.testing.assert_array_equal(
        pixels["data"].reshape(-1, 10, 18), np.concatenate([damage.images()] * 2)
    )
    assert result.status["error"] == 0


def encode(beats, *, per_file: int = 1, size=None, **options):
    return tops("two cores").encoder(
        damage_images(), pixels=beats, per_file=per_file, size=size, **options
    )


def damage_images(count: int = 3) -> np.ndarray:
    return pictures(18, 10, count=count)


def files(*groups: np.ndarray) -> tuple[bytes, ...]:
    return tuple(tops("two cores").file(group) for group in groups)


@pytest.mark.parametrize(("size", "count"), [
    ((0, 10), 1), ((18, 0), 1), ((41, 10), 1), ((18, 65), 1), ((18, 10), 0),
])  # fmt: skip
def test_impossible_size(size, count):
    result = encode(raster_beats(damage_images(), 2), size=size, per_file=count)
    assert result.errors == ("bad_marker", "bad_size")
    assert (result.files, result.rest) == ((), b"")


@pytest.mark.parametrize("missing", [1, 9, 89, 270])
def test_beats_before_a_start_of_frame(missing):
    """They are dropped."""
    beats = {
        name: np.concatenate([np.zeros(missing, int), values])
        for name, values in raster_beats(damage_images(), 2).items()
    }
    result = encode(beats, stall=STALLS["random"])
    assert result.errors == ("bad_marker",)
    assert result.files == files(*damage_images())


def test_frame_without_a_start():
    beats = raster_beats(damage_images(4), 2)
    beats["user"][90] = 0
    result = encode(beats)
    assert result.errors == ("bad_marker",)
    assert result.files == files(*damage_images(4)[[0, 2, 3]])


@pytest.mark.parametrize(("marker", "at"), [
    ("user", 1), ("user", 89), ("user", 100), ("last", 0), ("last", 8), ("last", 89),
])  # fmt: skip
def test_misplaced_markers(marker, at):
    """Geometry is counted: reported, and otherwise ignored."""
    beats = raster_beats(damage_images(), 2)
    beats[marker][at] ^= 1
    result = encode(beats)
    assert result.errors == ("bad_marker",)
    assert result.files == files(*damage_images())


def test_short_and_long_frame():
    beats = raster_beats(damage_images(), 2)
    longer = {name: np.insert(values, [90] * 9, 0) for name, values in beats.items()}
    result = encode(longer)
    assert result.errors == ("bad_marker",)
    assert result.files == files(*damage_images())
    cut = {name: np.delete(values, range(83, 90)) for name, values in beats.items()}
    result = encode(cut)
    assert result.errors == ("bad_marker",)
    flat = damage_images().reshape(3, -1)
    first = np.concatenate([flat[0, :-14], flat[1, :14]]).reshape(1, 10, 18)
    assert result.files == files(first, damage_images()[2])


def test_clear_error():
    top = tops("two cores")
    beats = raster_beats(damage_images(), 2)
    beats["last"][40] = 1
    result = rtl_stream(
        top.encoder_design, {"s_axis_video": beats}, {"m_axis_stream": ["data", "keep", "last"]},
        names="{stream}_t{signal}", watch=["error"], idle="idle", idle_clocks=64,
        config={"width": 18, "height": 10, "images": 3, "clear_error": 1},
    )  # fmt: skip
    pulse = 1 << ENCODER_ERRORS.index("bad_marker")
    assert [value for _, value in result.changes["error"]] == [0, pulse, 0]
    assert files_of(**result.outputs["m_axis_stream"], size=4) == (files(damage_images()), b"")


# Parameters and ports.


def test_parameters():
    config = tops("plain").config
    for cores, count, message in (
        (3, 4, r"^cores must be 1, 2, 4 or 8, not 3$"),
        (0, 4, r"^cores must be 1, 2, 4 or 8, not 0$"),
        (2, 1, r"^stream width must be 2, 4 or 8 bytes for 2 cores, not 1$"),
    ):
        with pytest.raises(ValueError, match=message):
            check_cores(cores, count)
    for kind in (EncoderCores, DecoderCores):
        with pytest.raises(ValueError, match=r"^cores must be 2, 4 or 8, not 1$"):
            kind(config, cores=1)
    check_cores(1, 1)


def test_one_core_has_no_more_around_it():
    config = tops("plain").config
    assert type(encoder_top(config)).__name__ == "EncoderTop"


def test_ports():
    config = dataclasses.replace(tops("plain").config)
    for kind in (EncoderCores, DecoderCores):
        members = kind(config, cores=4).signature.members
        assert members["m_axis_video_tdata" if kind is DecoderCores else "s_axis_video_tdata"
                       ].shape == 32  # fmt: skip
        assert ("m_axis_video_tkeep" in members) == (kind is DecoderCores)
