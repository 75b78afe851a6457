"""Stream blocks: order, markers, stalls, one beat per clock."""

from collections.abc import Mapping

import numpy as np
import pytest
from amaranth.lib.data import StructLayout

from lutgen.gateware.streams.axi import BytesToWords, NullBeats, SkidBuffer, WordsToBytes
from lutgen.sim import Design, Stall, rtl_stream
from tests.gateware.bundle import Bundle

WIDTHS = (1, 4, 8)
BEAT = StructLayout({"data": 9, "last": 1})
SKID = "skid"
KINDS = {"null": NullBeats, "unpack": WordsToBytes, "pack": BytesToWords}
NAMES = [SKID, *(f"{kind}{n}" for kind in KINDS for n in WIDTHS)]


@pytest.fixture(scope="module")
def design() -> Design:
    blocks = {SKID: SkidBuffer(BEAT)}
    blocks |= {f"{kind}{n}": block(n) for kind, block in KINDS.items() for n in WIDTHS}
    return Design.of(Bundle(blocks))


def _fields(name: str, given: bool) -> list[str]:
    words = name.startswith("null") or (name.startswith("unpack") == given and name != SKID)
    return ["data", "keep", "last"] if words else ["data", "last"]


def run(design: Design, given: Mapping[str, Mapping], expect: Mapping[str, int], stalls=None):
    """Feed all blocks at once; those that are not named get nothing."""
    inputs = {
        f"{name}_i": given.get(name, {field: np.zeros(0, int) for field in _fields(name, True)})
        for name in NAMES
    }
    return rtl_stream(
        design,
        inputs,
        {f"{name}_o": _fields(name, False) for name in NAMES},
        expect={f"{name}_o": count for name, count in expect.items()},
        stalls=stalls,
    )


def random_words(rng: np.random.Generator, size: int, count: int) -> dict[str, np.ndarray]:
    """Words full, cut off, with holes and empty, with and without TLAST."""
    full = (1 << size) - 1
    keep = np.where(rng.random(count) < 0.4, full, rng.integers(full + 1, size=count))
    keep[rng.random(count) < 0.1] = 0
    data = [int.from_bytes(rng.bytes(size), "little") for _ in range(count)]
    return {
        "data": np.array(data, dtype=object), "keep": keep,
        "last": (rng.random(count) < 0.2).astype(int),
    }  # fmt: skip


def bytes_of(words: Mapping[str, np.ndarray], size: int) -> tuple[list[int], list[int]]:
    data, last = [], []
    for word, keep, ends in zip(*words.values(), strict=True):
        kept = [int(word) >> 8 * k & 255 for k in range(size) if keep >> k & 1]
        if ends and not kept:
            kept = [0]  # stands for the end of the file
        data += kept
        last += [0] * len(kept)
        if ends:
            last[-1] = 1
    return data, last


def without_null_beats(words: Mapping[str, np.ndarray]) -> list[tuple[int, int, int]]:
    beats, begun = [], False
    for word, keep, ends in zip(*words.values(), strict=True):
        if keep or (ends and not begun):
            beats.append((int(word), int(keep), int(ends)))
        elif ends:
            beats[-1] = (*beats[-1][:2], 1)
        begun = (begun or keep > 0) and not ends
    return beats


def words_of(data: np.ndarray, last: np.ndarray, size: int) -> list[tuple[int, int, int]]:
    words, held = [], []
    for byte, ends in zip(data.tolist(), last.tolist(), strict=True):
        held.append(byte)
        if ends or len(held) == size:
            words.append((int.from_bytes(bytes(held), "little"), (1 << len(held)) - 1, ends))
            held = []
    assert not held
    return words


@pytest.mark.parametrize("stall", [
    None,
    {"in": Stall(0.5, 1), "out": Stall(0.5, 2)},
    {"out": Stall(0.7, 3)},
    {"in": Stall(0.7, 4)},
    {"in": Stall(0.5, 5, burst=9), "out": Stall(0.5, 6, burst=9)},
], ids=["never", "both", "out", "in", "bursts"])  # fmt: skip
def test_order_and_markers(design, stall):
    rng = np.random.default_rng(11)
    given = {SKID: {"data": rng.integers(512, size=500), "last": rng.integers(2, size=500)}}
    expected = {SKID: list(zip(*(v.tolist() for v in given[SKID].values()), strict=True))}
    for n in WIDTHS:
        given[f"unpack{n}"] = words = random_words(rng, n, 300)
        expected[f"unpack{n}"] = list(zip(*bytes_of(words, n), strict=True))
        words = random_words(rng, n, 300)
        words["last"][-1] = 1  # without it the last beat would wait
        given[f"null{n}"], expected[f"null{n}"] = words, without_null_beats(words)
        last = (rng.random(800) < 0.1).astype(int)
        last[-1] = 1
        given[f"pack{n}"] = {"data": rng.integers(256, size=800), "last": last}
        expected[f"pack{n}"] = words_of(given[f"pack{n}"]["data"], last, n)
    stalls = {
        f"{name}_{port[0]}": value for port, value in (stall or {}).items() for name in given
    }
    result = run(design, given, {name: len(e) for name, e in expected.items()}, stalls)
    for name, beats in expected.items():
        fields = result.outputs[f"{name}_o"].values()
        found = list(zip(*([int(v) for v in field] for field in fields), strict=True))
        assert found == beats, name


def test_one_beat_per_clock(design):
    rng = np.random.default_rng(12)
    given = {SKID: {"data": rng.integers(512, size=200), "last": np.zeros(200, int)}}
    count = 50
    for n in WIDTHS:
        full = np.full(count, (1 << n) - 1)
        given[f"unpack{n}"] = random_words(rng, n, count) | {"keep": full}
        given[f"null{n}"] = random_words(rng, n, count) | {"keep": full}
        given[f"null{n}"]["last"][-1] = 1
        data = rng.integers(256, size=n * count)
        given[f"pack{n}"] = {"data": data, "last": np.zeros_like(data)}
    expect = {SKID: 200}
    expect |= {f"unpack{n}": n * count for n in WIDTHS}
    expect |= {f"{kind}{n}": count for kind in ("null", "pack") for n in WIDTHS}
    result = run(design, given, expect)
    assert set(np.diff(result.output_clocks[f"{SKID}_o"])) == {1}
    assert result.output_clocks[f"{SKID}_o"][0] == result.input_clocks[f"{SKID}_i"][0] + 1
    for n in WIDTHS:
        assert set(np.diff(result.output_clocks[f"unpack{n}_o"])) == {1}
        assert set(np.diff(result.output_clocks[f"null{n}_o"])) == {1}
        assert set(np.diff(result.input_clocks[f"pack{n}_i"])) == {1}
        assert set(np.diff(result.output_clocks[f"pack{n}_o"])) == {n}


def test_skid_buffer_holds_two_beats(design):
    given = {SKID: {"data": np.arange(5), "last": np.zeros(5, int)}}
    stalls = {f"{SKID}_o": Stall(1.0)}
    result = rtl_stream(
        design,
        {f"{SKID}_i": given[SKID]} | {
            f"{name}_i": {f: np.zeros(0, int) for f in _fields(name, True)} for name in NAMES[1:]
        },
        {f"{name}_o": _fields(name, False) for name in NAMES},
        clocks=20, stalls=stalls,
    )  # fmt: skip
    assert len(result.input_clocks[f"{SKID}_i"]) == 2
    assert not len(result.output_clocks[f"{SKID}_o"])
