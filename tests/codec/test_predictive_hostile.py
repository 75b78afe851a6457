"""Damaged and hostile files of version 2, and hostile models of profile predictive."""

import re
import struct
import tracemalloc
from functools import cache
from zlib import crc32

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.coder import RANS, tans
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, check_strips, split_index
from lutgen.codec.predictive.damage import DamagedStripsError, ranges
from lutgen.files.archive import read_archive, write_archive
from lutgen.model.header import VERSION_2
from lutgen.model.model import ModelError
from lutgen.model.predictive.model import KIND, PredictiveModel
from lutgen.model.predictive.saved import FORMAT_VERSION
from lutgen.model.samples import SampleFormat
from tests.models import predictive_model

MODEL = predictive_model()
CODEC = PredictiveCodec(MODEL, threads=1)
HASH = bytes.fromhex(MODEL.hash)[:8]
SMALL = np.add.outer(np.arange(9), 7 * np.arange(8)).astype(np.uint8) ^ np.uint8(1)
#: An image of each layout, and how it is coded.
LAYOUTS = {
    "one strip of rows": (SMALL, {"strip_height": 9, "tile_width": 0}),
    "strips of rows": (SMALL, {"strip_height": 4, "tile_width": 0}),
    "tiles": (np.stack([SMALL, ~SMALL]), {"strip_height": 5, "tile_width": 3}),
    "slabs": (np.hstack([SMALL, ~SMALL]), {"strip_height": 5, "slabs": 2}),
    "near": (SMALL, {"near": 2, "strip_height": 4, "tile_width": 0}),
    "deep": (SMALL.astype(np.uint16) * 80, {"strip_height": 4, "tile_width": 0}),
    "tans": (SMALL, {"strip_height": 4, "tile_width": 0, "coder": tans(8)}),
    "raw": (np.random.default_rng(0).integers(0, 256, (3, 8), dtype=np.uint8), {}),
}


# Not when pytest collects: the kernels of the codec are compiled by its first call.
@cache
def file_of(name: str) -> bytes:
    """The file of a layout."""
    image, options = LAYOUTS[name]
    return CODEC.encode(image, **options)


@cache
def image_of(name: str) -> np.ndarray:
    """What the file of a layout must decode to."""
    return CODEC.decode(file_of(name))


def refused(data: bytes, image: np.ndarray) -> bool:
    """Whether a file is refused; one that is not must give the image."""
    try:
        found = CODEC.decode(data)
    except DamagedStripsError as error:
        for number in range(Frame.unpack(data).strips):
            frame = Frame.unpack(data)
            if number not in error.damaged and error.images.shape == image.shape:
                k, top, end = frame.rows(number)
                part = np.s_[k, top:end, slice(*frame.columns(number))]
                np.testing.assert_array_equal(error.images[part], image[part])
        return True
    except (CorruptStreamError, ModelMismatchError):
        return True
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found, image)
    return False


def sound(data: bytes) -> bool:
    """Whether a file's checksums are right."""
    try:
        check_strips(data, Frame.unpack(data))
    except CorruptStreamError:
        return False
    return True


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_changed_byte_never_gives_another_image(name):
    data, image = file_of(name), image_of(name)
    frame = Frame.unpack(data)
    _, end = split_index(data, frame)
    for at in range(len(data)):
        values = range(1, 256) if at < VERSION_2.size else (1, 2, 16, 127, 128, 255)
        for value in values:
            bad = data[:at] + bytes([data[at] ^ value]) + data[at + 1 :]
            # Strips are found one behind the other if the index is damaged.
            assert refused(bad, image) or at >= end, (at, value)
            assert not sound(bad), (at, value)


@pytest.mark.parametrize("high_first, longest", [(False, 32), (True, 30)])
def test_checksums_find_all_bursts(high_first, longest):
    """CRCs are linear: a burst is missed if the checksums of its bits add up to nothing."""

    def checksum(bit: int) -> int:
        change = bytearray(6)
        change[bit >> 3] = 0x80 >> (bit & 7) if high_first else 1 << (bit & 7)
        return crc32(bytes(change)) ^ crc32(bytes(6))

    def independent(numbers) -> bool:
        basis: list[int] = []
        for number in numbers:
            for known in basis:
                number = min(number, number ^ known)
            if not number:
                return False
            basis.append(number)
        return True

    def found(length: int) -> bool:
        bursts = (range(first, first + length) for first in range(8))
        return all(independent(map(checksum, burst)) for burst in bursts)

    assert found(longest) and not found(longest + 1)


@pytest.mark.parametrize("name", LAYOUTS)
def test_bursts_in_strips_are_told_and_leave_the_others(name):
    data, image, rng = file_of(name), image_of(name), np.random.default_rng(1)
    starts, end = split_index(data, Frame.unpack(data))
    for _ in range(200):
        bits = int(rng.integers(1, 33))
        burst = int(rng.integers(1 << 32)) % (1 << bits) | 1 | 1 << (bits - 1)
        first = int(rng.integers(8 * starts[0], 8 * end - bits + 1))
        change = (burst << first).to_bytes(len(data), "little")
        bad = bytes(a ^ b for a, b in zip(data, change, strict=True))
        with pytest.raises((DamagedStripsError, CorruptStreamError)):
            CODEC.decode(bad)
        assert refused(bad, image)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_file_that_is_cut_short_or_goes_on_is_refused(name):
    data, image = file_of(name), image_of(name)
    assert sound(data)
    for size in range(len(data)):
        assert refused(data[:size], image) and not sound(data[:size]), size
    for more in (b"\0", b"\xff", data, bytes(300)):
        assert refused(data + more, image) and not sound(data + more)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(list(LAYOUTS)), st.booleans())
def test_random_bytes(noise, name, with_header):
    data = file_of(name)[: VERSION_2.size] + noise if with_header else noise
    if data != file_of(name):
        with pytest.raises(CorruptStreamError):
            CODEC.decode(data)


def _with_checksums(frame: Frame, bodies: list[bytes]) -> bytes:
    """A file of strips with these bytes whose checksums are right, as a hostile writer makes it."""
    header = frame.pack()
    strips = [
        body + struct.pack("<I", crc32(body, crc32(struct.pack("<I", k), crc32(header))))
        for k, body in enumerate(bodies)
    ]
    if len(strips) == 1:
        return header + strips[0]
    table = struct.pack(f"<{len(strips)}I", *map(len, strips))
    return header + b"".join(strips) + table + struct.pack("<I", crc32(table, crc32(header)))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(st.binary(max_size=30), min_size=3, max_size=3), min_size=2, max_size=2),
    st.sampled_from([(8, 0, 0), (8, 5, 8), (12, 0, 4), (16, 0, 0), (16, 255, 0), (8, 127, 0)]),
    st.sampled_from([0, 7]), st.sampled_from([RANS, tans(8), tans(12)]),
)
@example([[b"\xff" * 8] * 3] * 2, (8, 0, 0), 0, RANS)
@example([[b"\xff" * 16] * 3] * 2, (16, 0, 0), 0, RANS)
@example([[b"\xff" * 16] * 3] * 2, (16, 0, 0), 0, tans(8))
def test_payloads_of_a_hostile_writer(payloads, form, tile, coder):
    """Right checksums over any payloads: samples in range, or damage."""
    depth, near, shift = form
    frame = Frame(
        HASH, SampleFormat(depth, near=near), 8, 6, 3, tile, shift=shift, coder=coder
    )
    bodies = []
    for strip in payloads:
        body, before = b"", 0
        for payload in strip[: 2 if tile else 3]:
            change = len(payload) - before
            before = len(payload)
            body += bytes([2 * change if change >= 0 else -2 * change - 1]) + payload
        bodies.append(body)
    data = _with_checksums(frame, bodies)
    try:
        found = CODEC.decode(data)
    except DamagedStripsError as error:
        found = error.images
    assert found.shape == (1, 6, 8) and found.dtype == frame.bits.dtype
    assert found.max() <= (1 << depth) - 1 << shift
    assert not (found & ((1 << shift) - 1)).any()


def test_a_payload_that_begins_with_zeros_is_empty():
    """As decoders in hardware take it, which look for the leading one in the first byte."""
    image = np.full((4, 8), 7, dtype=np.uint8)
    image[2, 3] = 90
    file = CODEC.encode(image, strip_height=4, tile_width=0)
    frame, payload = Frame.unpack(file), file[VERSION_2.size + 1 : -4]
    own, zeros, empty = (
        CODEC.decode(_with_checksums(frame, [bytes([2 * len(some)]) + some]))[0]
        for some in (payload, b"\0" + payload, b"")
    )
    np.testing.assert_array_equal(own, image)
    np.testing.assert_array_equal(zeros, empty)
    assert not np.array_equal(own, empty)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=3, max_size=3), st.sampled_from(list(LAYOUTS)))
def test_strips_of_a_hostile_writer(bodies, name):
    """Right checksums over any bytes."""
    frame = Frame.unpack(file_of(name))
    try:
        CODEC.decode(_with_checksums(frame, bodies[: frame.strips]))
    except CorruptStreamError:
        pass


@pytest.mark.parametrize(("tile", "slabs"), [(0, 1), (0, 8), (1, 1), (64, 1), (65535, 1)])
@pytest.mark.parametrize("strip", [1, 64, 65535])
@pytest.mark.parametrize("images", [1, 1 << 16, (1 << 32) - 1])
def test_a_header_alone_allocates_nothing(tile, slabs, strip, images):
    frame = Frame(HASH, SampleFormat(16), 65535, 65535, strip, tile, images, slabs=slabs)
    data = frame.pack() + bytes(5000)
    tracemalloc.start()
    try:
        with pytest.raises(CorruptStreamError, match="must have at least .* but is cut short"):
            CODEC.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("sides", [(1, 1), (1, 3000), (3000, 1), (2049, 40), (64, 64)])
@pytest.mark.parametrize("layout", [(1, 0), (7, 0), (64, 1), (64, 64), (1, 64), (3000, 3000)])
def test_files_that_say_little_have_enough_bytes(sides, layout):
    """The shortest files that the encoder writes pass the check of their size."""
    image = np.zeros(sides, dtype=np.uint8)
    data = CODEC.encode(image, strip_height=layout[0], tile_width=layout[1])
    np.testing.assert_array_equal(CODEC.decode(data)[0], image)


@pytest.mark.parametrize(("field", "value", "message"), [
    ("image width", 0, "image width must be 1 to 65535, not 0"),
    ("image height", 0, "image height must be 1 to 65535, not 0"),
    ("strip height", 0, "strip height must be 1 to 9, not 0"),
    ("strip height", 10, "strip height must be 1 to 9, not 10"),
    ("tile width", 9, "tile width must be 0 to 8, not 9"),
    ("images", 0, "number of images must be 1 to 4294967295, not 0"),
    ("bit depth", 7, "bit depth must be 8 to 16, not 7"),
    ("bit depth", 17, "bit depth must be 1 to 16, not 17"),
    ("shift", 9, "shift of 8-bit samples must be 0 to 8, not 9"),
    ("channels", 0, "number of channels must be 1 to 4, not 0"),
    ("channels", 5, "number of channels must be 1 to 4, not 5"),
    ("channels", 0x11, "order of 1 planes must be 0 to 0, not 1"),
    ("near", 128, "near of 8-bit samples must be 0 to 127, not 128"),
    ("coder", 7, "coder must be 0 or 8 to 12, not 7"),
])  # fmt: skip
def test_headers_that_break_a_rule(field, value, message):
    data = VERSION_2[field].put(file_of("one strip of rows"), value)
    with pytest.raises(CorruptStreamError, match=f"^stream header: {re.escape(message)}$"):
        Frame.unpack(data)


def test_what_is_said_of_damage():
    data = bytearray(file_of("tiles"))
    frame = Frame.unpack(data)
    starts, _ = split_index(bytes(data), frame)
    assert frame.strips == 4
    for strip in (1, 2):
        data[starts[strip]] ^= 4
    with pytest.raises(DamagedStripsError, match="^strips 1 to 2 of 0 to 3 are damaged: ") as told:
        CODEC.decode(bytes(data))
    assert told.value.damaged == (1, 2)
    assert told.value.missing == "rows 5 to 8 of image 0; rows 0 to 4 of image 1"
    assert ranges([0, 1, 2, 5, 7, 8]) == "0 to 2, 5, 7 to 8"


# --- models

META, ARRAYS = MODEL.parts()


def load(tmp_path, arrays: dict, meta: dict = META) -> PredictiveModel:
    write_archive(
        tmp_path / "m.lutgen", KIND, FORMAT_VERSION, {"model": meta, "training": {}}, arrays
    )
    return PredictiveModel.load(tmp_path / "m.lutgen")


def works_or_is_refused(tmp_path, arrays: dict, meta: dict = META) -> None:
    """A model that loads codes without loss, whatever it says."""
    try:
        model = load(tmp_path, arrays, meta)
    except ModelError as error:
        assert str(error).startswith(f"{tmp_path / 'm.lutgen'}: ") and "\n" not in str(error)
        return
    codec = PredictiveCodec(model, threads=1)
    image = SMALL[:3]
    np.testing.assert_array_equal(codec.decode(codec.encode(image))[0], image)


def test_the_model_comes_back(tmp_path):
    assert load(tmp_path, ARRAYS).hash == MODEL.hash


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_other_shapes_and_types(tmp_path, name):
    array = ARRAYS[name]
    for bad in (
        array[:-1], array[None], array.ravel()[:0], np.array(3, array.dtype), array[..., :-1],
        array.astype(np.int64), np.concatenate([array, array]), array.ravel(),
    ):  # fmt: skip
        works_or_is_refused(tmp_path, {**ARRAYS, name: np.ascontiguousarray(bad)})
    with pytest.raises(ModelError, match=f"malformed model: '{re.escape(name)}'$"):
        load(tmp_path, {key: value for key, value in ARRAYS.items() if key != name})


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_other_values(tmp_path, name):
    rng = np.random.default_rng(0)
    array = ARRAYS[name]
    limits = np.iinfo(array.dtype)
    for value in (limits.min, limits.max, -1, 0, 1, 35, 36, 255):
        if limits.min <= value <= limits.max:
            for at in rng.integers(array.size, size=3):
                bad = array.copy()
                bad.flat[at] = value
                works_or_is_refused(tmp_path, {**ARRAYS, name: bad})
            works_or_is_refused(tmp_path, {**ARRAYS, name: np.full_like(array, value)})


@pytest.mark.parametrize(("key", "value"), [
    ("features", []), ("features", None), ("features", [["W-NW", False, 3]]),
    ("features", [[[], False, 3]] * 65), ("features", [[["W-Q"], False, 3]] * 40),
    ("features", [[["W-N"] * 9, False, 3]] * 40), ("features", [[["W-N"], 1, 3]] * 40),
    ("features", [[["W-N"], False, 8]] * 40), ("features", [[["P-W"], False, 3]] * 40),
    ("features", [[[1], False, 3]] * 40), ("features", [[["P"], True, 3]] * 40),
    ("features", [[["W-N"] * 8, True, 7]] * 40), ("features", [[["EW"] * 8, False, 7]] * 40),
    ("features", 7), ("features", {"a": 1}),
    ("weights", {}), ("weights", {"eW": 256}), ("weights", {"eW": -1}), ("weights", {"P-W": 1}),
    ("weights", {"": 1}), ("weights", [1]), ("weights", None), ("weights", {"eW": 0}),
    ("weights", {f"{a}-{b}": 255 for a in ("W", "N", "EW", "ENE") for b in ("NW", "NE", "eN")}),
    ("least", 127), ("least", 65536), ("least", 65535), ("least", "a"), ("least", 1.5),
    ("origin", 1 << 15), ("origin", -(1 << 15) + 1), ("origin", 32767), ("origin", None),
    ("origin", True),
])  # fmt: skip
def test_other_words_of_a_model(tmp_path, key, value):
    works_or_is_refused(tmp_path, ARRAYS, {**META, key: value})
    with pytest.raises(ModelError, match=f"malformed model: '{key}'$"):
        load(tmp_path, ARRAYS, {k: v for k, v in META.items() if k != key})


def test_damaged_model_files(tmp_path):
    load(tmp_path, ARRAYS)
    path = tmp_path / "m.lutgen"
    data = path.read_bytes()
    for at in range(0, len(data), 97):
        path.write_bytes(data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
        with pytest.raises(ModelError):
            PredictiveModel.load(path)
        path.write_bytes(data[:at])
        with pytest.raises(ModelError):
            PredictiveModel.load(path)
    assert read_archive(data, KIND, FORMAT_VERSION)
