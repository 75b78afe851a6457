"""Damaged files: the error that is reported, the frames that come, and the next file."""

import numpy as np
import pytest

from lutgen.codec.coder import RANS
from lutgen.codec.container import HEADER_BYTES, CorruptStreamError, Header, pack_length
from lutgen.gateware.core.top import DECODER_ERRORS
from lutgen.sim import Stall
from lutgen.sim.drive.words import frames_of
from tests.gateware.tops import packets, pictures, tops
from tests.tiers import all_slow, slow_but_first

#: Of the damaged files: 2 x 2 tiles of 16 x 8, one of them with a length of two bytes.
SIZE = (18, 10)
TILES = 4
COUNT = 2


def images() -> np.ndarray:
    return pictures(*SIZE, count=COUNT)


def good_file() -> bytes:
    return tops("plain").file(images())


def following() -> np.ndarray:
    """Of the file that follows; of another size."""
    return pictures(21, 9, count=2, seed=7)


def without_tiles(first: int) -> np.ndarray:
    """The images, black from a tile on, counted through all images."""
    expected = images()
    expected[first // TILES + 1 :] = 0
    image, tile = divmod(first, TILES)
    for number in range(tile, TILES):
        y, x = number // 2 * 8, number % 2 * 16
        expected[image, y : y + 8, x : x + 16] = 0
    return expected


def check(bad: bytes | list[bytes], errors: set[str], frames: np.ndarray, **options) -> None:
    """Decode ``bad`` between good files; ``frames`` are what must come of it."""
    top = tops("plain")
    bad = [bad] if isinstance(bad, bytes) else bad
    good = top.file(following())
    result = top.decoder([good, *bad, good], **options)
    assert set(result.errors) == errors
    expected = [*following(), *frames, *following()]
    assert len(result.frames) == len(expected)
    for number, (found, wanted) in enumerate(zip(result.frames, expected, strict=True)):
        np.testing.assert_array_equal(found, wanted, err_msg=f"frame {number}")


NOTHING = np.zeros((0, 1, 1), np.uint8)


def edited(at: int, data: bytes) -> bytes:
    file = bytearray(good_file())
    file[at : at + len(data)] = data
    return bytes(file)


@pytest.mark.parametrize(("at", "data", "error"), [
    (0, b"M", "bad_header"), (4, b"????????", "bad_model"), (14, b"\0\0", "bad_header"),
    *all_slow([
        (2, b"\0", "bad_header"), (3, b"\2", "bad_header"), (11, b"?", "bad_model"),
        (12, b"\0\0", "bad_header"), (12, (41).to_bytes(2, "little"), "bad_header"),
        (12, b"\xff\xff", "bad_header"), (12, b"\x12\x01", "bad_header"),
        (14, (65).to_bytes(2, "little"), "bad_header"), (14, b"\x0a\x80", "bad_header"),
        (16, b"\x08", "bad_header"), (17, b"\x10", "bad_header"),
        (18, b"\1", "bad_header"), (19, b"\x80", "bad_header"), (20, b"\0\0\0\0", "bad_header"),
        (0, b"?" * 24, "bad_header"),
    ], several=True),
])  # fmt: skip
def test_header(at, data, error):
    check(edited(at, data), {error}, NOTHING)


@pytest.mark.parametrize(("length", "error"), [
    (1, "bad_header"), (3, "bad_header"), (12, "bad_header"), (23, "bad_header"),
    (24, "bad_packet"),
])  # fmt: skip
def test_truncated_header(length, error):
    check(good_file()[:length], {error}, NOTHING)


def test_truncated_foreign_header():
    check(edited(5, b"??")[:24], {"bad_model"}, NOTHING)


@pytest.mark.parametrize("stall", [{}, {"pixels": Stall(0.6, 1), "bytes": Stall(0.6, 2)}])
def test_truncated_packets(stall):
    """At every kind of place; what came before the cut is right, the frame is completed."""
    file = good_file()
    payloads = packets(file)
    assert payloads[0][1] >= 128, "the first length must be of two bytes"
    bad, expected = [], []
    for tile in (0, 1, TILES - 1, TILES, COUNT * TILES - 1):
        first, length = payloads[tile]
        wide = 1 + (length >= 128)
        frames = 1 + tile // TILES
        cuts = [first - wide + 1, first, first + 1, first + length // 2, first + length - 1]
        for cut in dict.fromkeys(cuts):
            bad.append(file[:cut])
            expected += [*without_tiles(tile)[:frames]]
    check(bad, {"bad_packet"}, expected, stall=stall)


@pytest.mark.parametrize("tile", slow_but_first(range(1, COUNT * TILES)))
def test_truncated_between_packets(tile):
    first, length = packets(good_file())[tile - 1]
    # Between images, the next one has not begun.
    frames = -(-tile // TILES)
    check(good_file()[: first + length], {"bad_packet"}, without_tiles(tile)[:frames])


@pytest.mark.parametrize("extra", [b"\0", b"LGC", bytes(300), b"copy"])
def test_extra_bytes(extra):
    extra = good_file() if extra == b"copy" else extra
    check(good_file() + extra, {"bad_packet"}, images())


@pytest.mark.parametrize("length", [
    bytes([0]), bytes([2]), bytes([0x85, 0]), bytes([0xFF, 0xFF]), bytes([0xFF, 0x7F]),
    pack_length(RANS.max_payload_bytes(16 * 8) + 1),
], ids=lambda b: b.hex())  # fmt: skip
def test_impossible_length(length):
    """Tile 1's."""
    file = good_file()
    first, size = packets(file)[1]
    bad = file[: first - 1 - (size >= 128)] + length + file[first:]
    check(bad, {"bad_packet"}, without_tiles(1)[:1])


@pytest.mark.exhaustive
def test_payload_shorter_than_any():
    """The reference refuses its length, the core what it holds: too few bits for its pixels.

    Only of tiles larger than most are there lengths that the core lets pass.
    """
    top = tops("large tile")
    image = pictures(32, 64)
    file = top.file(image)
    header = Header.unpack(file)
    least, most = RANS.min_payload_bytes, header.least_payload_bytes(32, 64)
    assert (least, most) == (3, 6)
    rng = np.random.default_rng(0)
    for length in range(least, most):
        for front in (1, 0xFF):
            payload = bytes([front, *rng.integers(256, size=length - 1, dtype=np.uint8)])
            bad = file[:HEADER_BYTES] + pack_length(length) + payload
            with pytest.raises(CorruptStreamError):
                top.codec.decode(bad)
            result = top.decoder([bad, file])
            assert result.errors == ("bad_tile",)
            assert len(result.frames) == 2
            np.testing.assert_array_equal(result.frames[1], image[0])


@pytest.mark.parametrize("change", [-2, -1, 1, 2])
def test_wrong_length(change):
    """All packets behind are misread: only the first tile and the geometry are certain."""
    file = good_file()
    first, size = packets(file)[1]
    assert size < 126
    bad = file[: first - 1] + bytes([size + change]) + file[first:]
    top = tops("plain")
    with pytest.raises(CorruptStreamError):
        top.codec.decode(bad)
    result = top.decoder([bad, top.file(following())])
    assert {"bad_tile", "bad_packet"} & set(result.errors)
    *frames, before_last, last = result.frames
    np.testing.assert_array_equal([before_last, last], following())
    assert 1 <= len(frames) <= COUNT
    assert all(frame.shape == (SIZE[1], SIZE[0]) for frame in frames)
    np.testing.assert_array_equal(frames[0][:8, :16], images()[0, :8, :16])


@pytest.mark.parametrize("tile", [0, 3, 5])
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_corrupt_payload(tile, where):
    """A wrong byte spoils its own tile and no other."""
    file = bytearray(good_file())
    first, size = packets(bytes(file))[tile]
    at = first + round(where * (size - 1))
    top = tops("plain")
    for flip in (0x01, 0x5A, 0x80):  # the check misses some changes, the same ones everywhere
        file[at] ^= flip
        try:
            top.codec.decode(bytes(file))
        except CorruptStreamError:
            break
        file[at] ^= flip
    else:
        pytest.fail("no change must be one that the reference finds")
    good = top.file(following())
    result = top.decoder([bytes(file), good])
    assert result.errors == ("bad_tile",)
    frames = np.stack(result.frames[:COUNT])
    np.testing.assert_array_equal(np.stack(result.frames[COUNT:]), following())
    spoilt = (without_tiles(tile) != without_tiles(tile + 1)).any(axis=(1, 2))
    assert spoilt.sum() <= 1
    y, x = tile % TILES // 2 * 8, tile % 2 * 16
    frames[tile // TILES, y : y + 8, x : x + 16] = 0
    expected = images()
    expected[tile // TILES, y : y + 8, x : x + 16] = 0
    np.testing.assert_array_equal(frames, expected)


def test_every_kind_in_a_row():
    file = good_file()
    bad = [
        edited(0, b"?"), file[:7], edited(4, b"?"), file[:24], file[:-1], file + b"?",
        edited(12, b"\0\0"), file[:30],
    ]  # fmt: skip
    cut = without_tiles(COUNT * TILES - 1)
    frames = [*cut, *images(), without_tiles(0)[0]]
    check(bad, {"bad_header", "bad_model", "bad_packet"}, frames)
    check(bad[::-1], {"bad_header", "bad_model", "bad_packet"}, [frames[-1], *images(), *cut])


def words(beats: list[tuple[bytes, int, int]]) -> dict[str, np.ndarray]:
    data, keep, last = zip(*beats, strict=True)
    return {
        "data": np.array([int.from_bytes(d, "little") for d in data]),
        "keep": np.array(keep), "last": np.array(last),
    }  # fmt: skip


def scattered(file: bytes, rng: np.random.Generator) -> list[tuple[bytes, int, int]]:
    """Words of 4 bytes with holes that hold rubbish, and empty ones between them."""
    beats, at = [], 0
    while at < len(file):
        keep = int(rng.integers(16)) if rng.random() < 0.6 else 15
        word = bytearray(rng.bytes(4))
        for k in range(4):
            if keep >> k & 1 and at < len(file):
                word[k] = file[at]
                at += 1
            elif keep >> k & 1:
                keep &= ~(1 << k)
        beats.append((bytes(word), keep, int(at == len(file))))
    return beats


def test_holes_and_empty_words():
    top = tops("plain")
    rng = np.random.default_rng(20)
    result = top.decode_words(words(scattered(good_file(), rng) + scattered(good_file(), rng)))
    frames = frames_of(**result.outputs["m_axis_video"])
    np.testing.assert_array_equal(np.stack(frames), np.concatenate([images()] * 2))
    assert result.status["error"] == 0


def ended_by_null_beat(seed: int, nulls: int = 1) -> list[tuple[bytes, int, int]]:
    """A file whose TLAST is on a beat without bytes, the last of so many."""
    *beats, (data, keep, _) = scattered(good_file(), np.random.default_rng(seed))
    return [*beats, (data, keep, 0), *[(b"abcd", 0, 0)] * (nulls - 1), (b"abcd", 0, 1)]


@pytest.mark.parametrize("nulls", [1, 2, 5])
@pytest.mark.parametrize("stall", [None, {"s_axis_stream": Stall(0.6, 1)}], ids=["never", "in"])
def test_null_beat_ends_a_file(nulls, stall):
    """It is legal, and the file is whole: neither an error nor a byte of the next file."""
    top = tops("plain")
    beats = [*ended_by_null_beat(21, nulls), *ended_by_null_beat(22, nulls)]
    result = top.decode_words(words(beats), stalls=stall)
    assert result.status["error"] == 0
    frames = frames_of(**result.outputs["m_axis_video"])
    np.testing.assert_array_equal(np.stack(frames), np.concatenate([images()] * 2))


def test_null_beat_after_bytes_too_many():
    """What is behind the file is damage, whatever the beat that ends it."""
    top = tops("plain")
    *beats, last = ended_by_null_beat(24)
    result = top.decode_words(words([*beats, (b"\x7fbcd", 1, 0), last]))
    assert result.status["error"] == 1 << DECODER_ERRORS.index("bad_packet")
    np.testing.assert_array_equal(np.stack(frames_of(**result.outputs["m_axis_video"])), images())


def test_packet_without_bytes():
    """A packet of null beats alone is no file."""
    top = tops("plain")
    beats = [(bytes(4), 0, 0), (bytes(4), 0, 1), *scattered(good_file(), np.random.default_rng(23))]
    result = top.decode_words(words(beats))
    assert result.status["error"] == 1 << DECODER_ERRORS.index("bad_header")
    np.testing.assert_array_equal(np.stack(frames_of(**result.outputs["m_axis_video"])), images())


def test_clear_error():
    """Held, it leaves a pulse of each error; otherwise they stay."""
    top = tops("plain")
    bad = edited(0, b"?") + bytes(-len(good_file()) % 4)
    beats = scattered(bad, np.random.default_rng(24)) + scattered(
        good_file(), np.random.default_rng(25)
    )
    cleared = top.decode_words(words(beats), clear_error=1)
    values = [value for _, value in cleared.changes["error"]]
    assert values == [0, 1 << DECODER_ERRORS.index("bad_header"), 0]
    kept = top.decode_words(words(beats))
    assert [value for _, value in kept.changes["error"]] == values[:2]


def test_zero_byte_before_a_payload():
    """Not canonical, so the reference refuses it; the state is then looked for at its place."""
    file = good_file()
    tile, (first, size) = next(
        (k, p) for k, p in enumerate(packets(file)) if p[1] < 120 and file[p[0]] < 128
    )
    bad = file[: first - 1] + bytes([size + 1, 0]) + file[first:]
    top = tops("plain")
    with pytest.raises(CorruptStreamError, match=f"tile {tile % TILES} is corrupt"):
        top.codec.decode(bad)
    result = top.decoder([bad, top.file(following())])
    assert result.errors == ("bad_tile",)
    np.testing.assert_array_equal(np.stack(result.frames[COUNT:]), following())


def test_zero_byte_before_a_leading_one():
    """Its pixels would be right, but no encoder writes it."""
    top = tops("plain")
    for seed in range(100):
        sample = pictures(*SIZE, count=COUNT, seed=seed)
        file = top.file(sample)
        found = [(f, n) for f, n in packets(file) if n < 120 and file[f] >= 128]
        if found:
            break
    first, size = found[0]
    bad = file[: first - 1] + bytes([size + 1, 0]) + file[first:]
    with pytest.raises(CorruptStreamError):
        top.codec.decode(bad)
    assert top.decoder(bad).errors == ("bad_tile",)


@pytest.mark.slow
def test_random_damage():
    """Any damage is found by both or by neither, and the next file is right."""
    top = tops("plain")
    rng = np.random.default_rng(26)
    good = top.file(following())
    for _ in range(60):
        file = bytearray(good_file())
        kind = rng.integers(3)
        if kind == 0:
            for at in rng.integers(len(file), size=int(rng.integers(1, 4))):
                file[at] = int(rng.integers(256))
        elif kind == 1:
            at, size = int(rng.integers(len(file))), int(rng.integers(1, 9))
            del file[at : at + size]
        else:
            at = int(rng.integers(len(file)))
            file[at:at] = rng.bytes(int(rng.integers(1, 9)))
        try:
            expected = top.codec.decode(bytes(file))
        except ValueError:
            expected = None
        result = top.decoder([bytes(file), good])
        frames = result.frames
        np.testing.assert_array_equal(np.stack(frames[-2:]), following())
        if expected is not None and expected.shape[2] <= 40 and expected.shape[1] <= 64:
            assert result.errors == ()
            np.testing.assert_array_equal(np.stack(frames[:-2]), expected)
        else:
            assert result.errors
