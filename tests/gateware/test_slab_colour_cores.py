"""Cores side by side for RGB and for colour filter arrays against the reference codec."""

import re

import numpy as np
import pytest

from lutgen.codec.predictive.container import Frame, split_index
from lutgen.errors import InputError
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.slabs.side_by_side import strip_depth
from lutgen.model.cfa import CFAS
from lutgen.model.header import VERSION_2
from tests.gateware.colour_cores import colour_pictures
from tests.gateware.test_slab_cores import ALL_STALLS, SlabCores, check
from tests.models import colour_model, mosaic_model

#: Models of random contents; those of 8 bits may be near-lossless.
SEVERAL = {
    "rgb": SlabCores("rgb", 8, 64, 48, 8, near=2),
    "bayer": SlabCores("bayer", 8, 96, 48, 8, near=2),
    "4 bayer": SlabCores("bayer", 12, 112, 48, 16, 8, cores=4),
}
#: Odd ones are made even for filter arrays; a last slab of one column, and one line.
SIZES = [(39, 56), (8, 37), (1, 31), (34, None)]


def given(name: str, size: tuple[int, int | None], count: int = 3) -> list[np.ndarray]:
    """Pictures of a size; a width of None is the least one."""
    cores = SEVERAL[name]
    height, width = size[0], size[1] or cores.config.least_width
    size = cores.form.whole(height), cores.form.whole(width)
    return colour_pictures(size, cores.depth, mosaic=cores.form.square > 1, count=count)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("size", SIZES)
def test_encoder(name, size):
    cores, pictures = SEVERAL[name], given(name, size)
    files, errors, _ = cores.encode_pictures(pictures, order=1)
    assert files == [cores.file(p, order=1) for p in pictures]
    assert not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("size", SIZES)
def test_decoder(name, size):
    cores, pictures = SEVERAL[name], given(name, size)
    found, errors, _ = cores.decode([cores.file(p, order=1) for p in pictures])
    check(found, cores.beats(pictures))
    assert not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
def test_orders(name):
    """Every order of planes, and every pattern of a filter array, both ways."""
    cores, pictures, wanted = SEVERAL[name], given(name, (11, 40), 2), []
    for order in range(cores.form.orders):
        files, errors, _ = cores.encode_pictures(pictures, order=order)
        assert files == [cores.file(p, order=order) for p in pictures] and not errors
        wanted += files
    found, errors, _ = cores.decode(wanted)
    check(found, cores.beats(pictures * cores.form.orders))
    assert not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("height", [18, 26, 34])
def test_last_slab_of_one_column(name, height):
    """Its rows follow each other in one or two clocks once its queue has filled."""
    cores, pictures = SEVERAL[name], given(name, (height, None), 4)
    files, errors, _ = cores.encode_pictures(pictures)
    assert files == [cores.file(p) for p in pictures] and not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("stalls", ALL_STALLS)
def test_back_pressure(name, stalls):
    """Noise, whose strips fill the queues, beside pictures of other sizes."""
    cores, rng = SEVERAL[name], np.random.default_rng(7)
    shape = given(name, (21, 50), 1)[0].shape
    noise = [rng.integers(0, 1 << cores.depth, shape) for _ in range(3)]
    files, errors, _ = cores.encode_pictures(noise, order=2, stalls=ALL_STALLS[stalls])
    wanted = [cores.file(p, order=2) for p in noise]
    assert files == wanted and not errors
    others = given(name, (6, 30), 2)
    found, errors, _ = cores.decode(
        [*wanted, *map(cores.file, others)], stalls=ALL_STALLS[stalls]
    )
    check(found, cores.beats([*noise, *others]))
    assert not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
def test_strips_of_any_height(name):
    """Up to the highest that a core holds; groups at their ends begin with any plane."""
    cores = SEVERAL[name]
    lines = cores.strip_height // cores.form.square
    pictures = given(name, (22, 44), lines)
    files = [
        cores.file(p, cores.form.square * (k + 1), order=k % cores.form.orders)
        for k, p in enumerate(pictures)
    ]  # fmt: skip
    found, errors, _ = cores.decode(files)
    check(found, cores.beats(pictures))
    assert not errors


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
def test_damage_of_a_slab_is_that_slab_s(name):
    """Its strip is told, or its picture is completed; the other slabs and later files are right."""
    cores = SEVERAL[name]
    picture, = given(name, (24, 44), 1)
    good = cores.file(picture)
    frame = Frame.unpack(good)
    starts, _ = split_index(good, frame)
    left, right = frame.columns(1)
    for strip, at, error in ((1, 9, "bad_strip"), (3, 0, "bad_packet")):
        bad = bytearray(good)
        bad[starts[strip] + at] ^= 1 if at else 0x7F ^ bad[starts[strip]]
        found, errors, _ = cores.decode([bytes(bad), good])
        assert error in errors
        beats = cores.beats([picture])
        size = len(beats["data"])
        check({name: v[size:] for name, v in found.items()}, beats)
        assert len(found["data"]) == 2 * size
        if at:  # a length that is none is the end of the file for all slabs
            rows = found["data"][:size].reshape(len(picture), -1)
            wanted = beats["data"].reshape(len(picture), -1)
            for side in (np.s_[: left // cores.cores], np.s_[right // cores.cores :]):
                np.testing.assert_array_equal(rows[:, side], wanted[:, side])


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
def test_files_that_are_refused(name):
    """Other orders and channels, higher strips, other slabs; cut ones; and bytes behind the index.
    """
    cores = SEVERAL[name]
    picture, = given(name, (24, 44), 1)
    good, mosaic = cores.file(picture), cores.form.square > 1
    orders = (3, 4 | 12 << 4, 4, 3 | 6 << 4) if mosaic else (1, 3 | 6 << 4, 3 | 8 << 4, 4)
    columns = cores.config.planes.columns(cores.max_width)
    wrong = [
        *(VERSION_2["channels"].put(good, value) for value in orders),
        cores.file(picture, strip_height=cores.strip_height + cores.form.square),
        VERSION_2["model hash"].put(good, bytes(8)),
        VERSION_2["image width"].put(good, cores.cores),
        VERSION_2["image width"].put(good, columns + 1),
        VERSION_2["coder"].put(good, 0),
    ]  # fmt: skip
    found, errors, _ = cores.decode([*wrong, good])
    check(found, cores.beats([picture]))
    assert errors == {"bad_header"}
    found, errors, _ = cores.decode([good[:-9], good[:60], good + b"more", good])
    check({k: v[-len(cores.beats([picture])["data"]) :] for k, v in found.items()},
          cores.beats([picture]))  # fmt: skip
    assert errors == {"bad_packet"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SEVERAL)
def test_misplaced_markers_and_impossible_settings(name):
    cores = SEVERAL[name]
    picture, = given(name, (9, 33), 1)
    beats = cores.beats([picture])
    del beats["keep"]
    height, width = picture.shape[:2]

    def encoded(beats: dict, size=(height, width), **settings):
        files, errors, _ = cores.encode(beats, size, settings=cores.settings() | settings)
        return files, errors

    stray = {name: np.concatenate([v[1:4], v]) for name, v in beats.items()}
    assert encoded(stray) == ([cores.file(picture)], {"bad_marker"})
    late = {**beats, "last": np.roll(beats["last"], 1)}
    assert encoded(late) == ([cores.file(picture)], {"bad_marker"})
    single = {name: v[:1] for name, v in beats.items()}
    refused = [{"size": (height, least)} for least in (0, cores.form.square * cores.cores)]
    if cores.form.square > 1:
        refused += [{"size": (height, width + 1)}, {"size": (height + 1, width)}]
    else:
        refused += [{"order": 6}, {"order": 7}]
    if cores.near:
        refused.append({"near": 3})
    for setting in refused:
        assert encoded(single, **setting) == ([], {"bad_size"}), setting


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["rgb", "bayer"])
def test_nears(name):
    """Of files in turn; what comes out is what the reference restores."""
    cores, pictures = SEVERAL[name], given(name, (14, 53))
    files, errors, _ = cores.encode_pictures(pictures, near=2)
    assert files == [cores.file(p, near=2) for p in pictures] and not errors
    mixed = [cores.file(p, near=near) for near, p in enumerate(pictures)]
    found, errors, _ = cores.decode(mixed)
    check(found, cores.beats([cores.codec.decode(file)[0] for file in mixed]))
    assert not errors


@pytest.mark.parametrize(("model", "options", "message"), [
    (mosaic_model, {"cores": 8, "max_width": 112},
     "max width must be at least 114 for 8 cores, not 112"),
    (mosaic_model, {"cores": 2, "max_width": 65},
     "max width must be even of a colour filter array, not 65"),
    (colour_model, {"cores": 4},
     "cores must be at most 2 for RGB of 8 bits, not 4: beats have 64 bits at most"),
    (colour_model, {"cores": 2, "depth": 12},
     "cores must be at most 1 for RGB of 12 bits, not 2: beats have 64 bits at most"),
])  # fmt: skip
def test_cores_that_are_refused(model, options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        PredictiveConfig(model(), **options)


@pytest.mark.parametrize("name", SEVERAL)
def test_queues_hold_any_strip(name):
    """So that no core stops another one: noise takes all that there can be."""
    cores, rng = SEVERAL[name], np.random.default_rng(3)
    shape = given(name, (cores.max_height, cores.max_width), 1)[0].shape
    noise = cores.file(rng.integers(0, 1 << cores.depth, shape))
    starts, end = split_index(noise, Frame.unpack(noise))
    longest = int(np.diff([*starts, end]).max())
    assert longest >= cores.config.strip_bytes
    assert longest <= strip_depth(cores.config, cores.stream_bytes) * cores.stream_bytes


@pytest.mark.parametrize("name", SEVERAL)
def test_slabs_keep_the_pattern(name):
    """Each begins at a whole beat, and of a filter array at an even column."""
    cores = SEVERAL[name]
    least = cores.config.least_width
    for width in range(least, 3 * least, cores.form.square):
        picture = np.zeros((2, width, 3) if name == "rgb" else (2, width), dtype=np.uint8)
        options = {"cfa": CFAS[2]} if cores.form.square > 1 else {"channels": 3, "order": 0}
        frame = Frame.unpack(cores.codec.encode(picture, depth=8, slabs=cores.cores, **options))
        for slab in range(cores.cores):
            left, right = frame.columns(slab)
            assert left % (cores.form.square * cores.cores) == 0
            assert 0 < right - left <= cores.config.slab_width or width > cores.max_width
