"""Strips to folded residuals, against the reference codec."""

from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, strip_sizes, unit_payloads
from lutgen.codec.predictive.row_coder import most_payload_bytes, write_payload
from lutgen.codec.predictive.strip import model_unit
from lutgen.gateware.fabric.pipeline import delay
from lutgen.gateware.strips.strip_decoder import StripDecoder
from lutgen.model.header import VERSION_2
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.model.samples import SampleFormat
from lutgen.sim import Design, Stall, rtl_stream
from tests.models import predictive_model
from tests.tiers import slow_but_first

MODEL = predictive_model()
HASH = bytes.fromhex(MODEL.hash)[: VERSION_2["model hash"].size]
CODEC = PredictiveCodec(MODEL, threads=1)
FLAGS = ("bad_header", "bad_packet", "bad_strip")


class _Player(wiring.Component):
    """A decoder whose requests come as a stream, one a clock; one may wait for a payload."""

    def __init__(self, **sizes) -> None:
        self._decoder = StripDecoder(model_hash=HASH, cumulative=MODEL.cumulative, **sizes)
        members = self._decoder.signature.members
        self._depth = sizes["depth"]
        self._plan = data.StructLayout({
            "ask": 1, "lane": members["lane"].shape, "row": members["row"].shape, "first": 1,
            "last": 1, "wait": 1,
        })  # fmt: skip
        super().__init__({
            "words": members["words"], "files": members["files"],
            "plan": In(stream.Signature(self._plan)),
            "folded": Out(stream.Signature(data.StructLayout({"value": self._depth}))),
            **{name: Out(1) for name in FLAGS}, "idle": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.decoder = decoder = self._decoder
        plan = self.plan.payload
        wiring.connect(m, wiring.flipped(self.words), decoder.words)
        wiring.connect(m, decoder.files, wiring.flipped(self.files))
        m.d.comb += [
            self.plan.ready.eq(~plan.wait | decoder.waiting),
            decoder.valid.eq(self.plan.valid & self.plan.ready & plan.ask),
            *(getattr(decoder, n).eq(getattr(plan, n)) for n in ("lane", "row", "first", "last")),
            self.folded.valid.eq(
                delay(m, decoder.valid, decoder.latency, name="valid", reset=True)
            ),
            self.folded.payload.value.eq(decoder.folded),
            self.idle.eq(~decoder.busy & ~self.folded.valid),
            *(getattr(self, name).eq(getattr(decoder, name)) for name in FLAGS),
        ]
        return m


@dataclass(frozen=True)
class Build:
    """Sizes of a decoder: each is a simulator."""

    depth: int
    stream_bytes: int = 4
    lanes: int = 16
    max_width: int = 64
    address_bits: int | None = None



@cache
def design(build: Build) -> Design:
    """A build's simulator."""
    return Design.of(_Player(
        depth=build.depth, stream_bytes=build.stream_bytes, lanes=build.lanes,
        max_width=build.max_width, max_height=300, address_bits=build.address_bits,
        max_near=min(SampleFormat.MAX_NEAR, SampleFormat(build.depth).maximum // 2),
    ))  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Requests of a group of rows, in order, and what answers them."""

    height: int
    width: int
    rows: np.ndarray
    folded: np.ndarray

    def without(self) -> "Group":
        """The group if its payload is missing."""
        return Group(self.height, self.width, self.rows, np.zeros_like(self.folded))


def encoded(image: np.ndarray, depth: int, **options) -> tuple[bytes, list[Group]]:
    """A file, and its groups."""
    coded = CODEC.encode(image, depth=depth, tile_width=0, **options)
    frame = Frame.unpack(coded)
    form, groups = frame.samples, []
    for strip in range(frame.strips):
        _, top, end = frame.rows(strip)
        indices = form.quantise(image[top:end])
        restored = form.restore(indices).astype(np.int32)
        context = new_rows(frame.width)
        for y, rows, _, columns in frame.units(end - top):
            folded, table_row = np.empty((2, rows * columns), dtype=np.int32)
            model_unit(
                MODEL.kernel, context, y, np.ascontiguousarray(restored[y : y + rows]),
                np.ascontiguousarray(indices[y : y + rows].astype(np.int32)),
                frame.lag(columns), form.depth, form.step, form.levels - 1, folded, table_row,
            )  # fmt: skip
            groups.append(Group(rows, columns, table_row, folded))
    return coded, groups


def plan_of(groups: list[Group], lanes: int, spacing: int) -> tuple[dict, np.ndarray]:
    """Requests of groups in periods of four turns of each lane, and the residuals in order."""
    starts, free, period = [], [0] * lanes, 0
    for g, group in enumerate(groups):
        start = max(period, free[g % lanes])
        starts.append(start)
        free[g % lanes] = start + group.width + 4 * (group.height - 1)
        period = start + spacing
    clocks = 4 * lanes * max(free)
    plan = {n: np.zeros(clocks, np.int64) for n in ("ask", "row", "first", "last", "wait")}
    answer = np.zeros(clocks, np.int64)
    for g, (start, group) in enumerate(zip(starts, groups, strict=True)):
        steps = [
            (t, k)
            for t in range(group.width + 4 * (group.height - 1)) for k in range(group.height)
            if 0 <= t - 4 * k < group.width
        ]  # fmt: skip
        at = np.array([4 * lanes * (start + t) + lanes * k + g % lanes for t, k in steps])
        assert not plan["ask"][at].any() and len(at) == len(group.rows)
        plan["ask"][at] = 1
        plan["row"][at] = group.rows
        plan["first"][at[0]] = plan["last"][at[-1]] = 1
        plan["wait"][4 * lanes * start] = 1
        answer[at] = group.folded
    plan["lane"] = np.arange(clocks) % lanes
    return plan, answer[plan["ask"] == 1]


def beats_of(files: list[bytes], count: int, *, gaps: float = 0.0) -> dict[str, np.ndarray]:
    """Beats of files; some have bytes that do not count, of any value."""
    rng = np.random.default_rng(5)
    words, keeps, lasts = [], [], []
    for file in files:
        at = 0
        if not file:  # a packet without bytes
            words.append(0)
            keeps.append(0)
            lasts.append(1)
        while at < len(file):
            keep = [True] * count
            if rng.random() < gaps:
                keep = list(rng.random(count) < 0.6)
            word = bytearray(rng.integers(256, size=count, dtype=np.uint8).tobytes())
            kept = 0
            for k in range(count):
                if keep[k] and at < len(file):
                    word[k] = file[at]
                    at += 1
                    kept |= 1 << k
            if kept:
                words.append(int.from_bytes(word, "little"))
                keeps.append(kept)
                lasts.append(int(at == len(file)))
    dtype = np.uint64 if count == 8 else np.int64
    return {"data": np.array(words, dtype=dtype), "keep": np.array(keeps), "last": np.array(lasts)}


@dataclass(frozen=True)
class Found:
    """What came of files."""

    folded: np.ndarray
    files: dict[str, np.ndarray]
    flags: dict[str, int]
    clocks: int
    stalled: int


def play(
    build: Build, files: list[bytes], groups: list[Group], *, spacing: int = 17,
    gaps: float = 0.0, stall: float = 0.0,
) -> Found:  # fmt: skip
    """Send files and ask for the residuals of groups; fails if it does not come to an end."""
    plan, wanted = plan_of(groups, build.lanes, spacing)
    beats = beats_of(files, build.stream_bytes, gaps=gaps)
    stalls = {"words": Stall(stall, seed=3), "files": Stall(0.5, seed=4)} if stall else {}
    done = rtl_stream(
        design(build), {"words": beats, "plan": plan},
        {"files": ["width", "height", "strip_height", "near", "shift", "greatest"],
         "folded": ["value"]},
        stalls=stalls, watch=FLAGS, idle="idle", idle_clocks=64,
        max_clocks=3 * len(plan["ask"]) + 60 * len(beats["last"]) + 20000,
    )  # fmt: skip
    folded = done.outputs["folded"]["value"]
    assert len(folded) == len(wanted)
    return Found(
        folded, done.outputs["files"],
        {name: sum(value for _, value in done.changes[name]) for name in FLAGS}, done.clocks,
        done.clocks - len(plan["ask"]),
    )  # fmt: skip


def check(build: Build, files: list[bytes], groups: list[Group], **options) -> Found:
    """Residuals are those of the groups, and no flag is set."""
    found = play(build, files, groups, **options)
    compare(found, build, groups, options.get("spacing", 17))
    assert found.flags == dict.fromkeys(FLAGS, 0)
    return found


def compare(found: Found, build: Build, groups: list[Group], spacing: int = 17) -> None:
    """Residuals are those of the groups."""
    _, wanted = plan_of(groups, build.lanes, spacing)
    np.testing.assert_array_equal(found.folded, wanted)


def picture(seed: int, height: int, width: int, depth: int, noise: float = 0.02) -> np.ndarray:
    """A smooth picture with some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16
    phase = rng.random(3) * 6
    wave = np.sin(x + phase[0]) * np.cos(y + phase[1]) + 0.5 * np.sin(2 * x - y + phase[2])
    values = (0.5 + 0.3 * wave + noise * rng.standard_normal((height, width))).clip(0, 1)
    return (values * ((1 << depth) - 1)).astype(np.uint8 if depth == 8 else np.uint16)


@cache
def good(depth: int) -> tuple[bytes, list[Group]]:
    """A file to send behind a damaged one."""
    return encoded(picture(20, 9, 40, depth, 0.1), depth)


def noisy(seed: int, height: int, width: int, depth: int) -> np.ndarray:
    """A picture of which no payload is shorter than its plain bits."""
    rng = np.random.default_rng(seed)
    return rng.integers(
        1 << depth, size=(height, width), dtype=np.uint8 if depth == 8 else np.uint16
    )


EIGHT = Build(8)


def test_one_picture():
    file, groups = encoded(picture(0, 9, 40, 8), 8)
    found = check(EIGHT, [file], groups)
    assert {name: int(v[0]) for name, v in found.files.items()} == {
        "width": 40, "height": 9, "strip_height": 9, "near": 0, "shift": 0, "greatest": 255,
    }  # fmt: skip


BUILDS = {
    "8": EIGHT,
    "12": Build(12, stream_bytes=8, lanes=12),
    "16": Build(16, stream_bytes=2, address_bits=9),
    "10": Build(10, stream_bytes=1),
}


@pytest.mark.parametrize("name", slow_but_first(BUILDS))
def test_files_in_flight(name):
    build = BUILDS[name]
    depth = build.depth
    black = np.zeros((5, 64), dtype=np.uint8 if depth == 8 else np.uint16)
    made = [
        encoded(picture(1, 9, 40, depth), depth),
        encoded(noisy(2, 6, 64, depth), depth),
        encoded(black, depth),
        encoded(picture(3, 21, 33, depth, 0.2), depth, strip_height=5),
        encoded(picture(4, 3, 1, depth), depth),
        encoded(noisy(5, 2, 3, depth), depth, strip_height=1),
        encoded(picture(6, 10, 37, depth, 0.1), depth, near=3, strip_height=4),
        encoded(noisy(7, 4, 40, depth), depth, near=25),
    ]
    spacing = 17 if build.address_bits is None else 30
    check(
        build, [file for file, _ in made], [g for _, groups in made for g in groups],
        gaps=0.1, stall=0.3, spacing=spacing,
    )  # fmt: skip


def test_heights():
    made = [encoded(picture(h, h, 40, 8, 0.1), 8) for h in range(1, 10)]
    found = check(EIGHT, [f for f, _ in made], [g for _, groups in made for g in groups])
    assert found.files["height"].tolist() == list(range(1, 10))


@pytest.mark.slow
def test_ring_fills():
    """Payloads are no shorter than a ring of few of them can hold: the stream waits."""
    build = BUILDS["16"]
    file, groups = encoded(noisy(8, 40, 64, 16), 16)
    check(build, [file], groups, spacing=40)


@pytest.mark.slow
def test_shifted_samples():
    coded, groups = encoded(picture(9, 4, 40, 10), 10)
    shifted = CODEC.encode(picture(9, 4, 40, 10) << 6, depth=10, shift=6, tile_width=0)
    assert coded != shifted
    found = check(BUILDS["10"], [coded, shifted], 2 * groups)
    assert found.files["shift"].tolist() == [0, 6]


def test_noise_needs_no_waiting():
    """A word of the stream per clock: the longest payloads come faster than they are used."""
    file, groups = encoded(noisy(10, 64, 64, 8), 8)
    found = check(EIGHT, [file], groups)
    assert found.stalled < 400  # header, first payload, and the end


def put(file: bytes, **fields: int) -> bytes:
    """A file with other values in fields of its header."""
    for name, value in fields.items():
        file = VERSION_2[name.replace("_", " ")].put(file, value)
    return file


def payloads_of(file: bytes, strip: int = 0) -> list[bytes]:
    """Payloads of a strip."""
    frame = Frame.unpack(file)
    at = VERSION_2.size
    for k in range(strip + 1):
        _, top, end = frame.rows(k)
        sizes = list(strip_sizes(frame, frame.units(end - top)))
        start, stop, at = unit_payloads(
            memoryview(file), at, len(file), file[: VERSION_2.size], k, sizes
        )
    return [file[a:b] for a, b in zip(start, stop, strict=True)]


def strip_of(file: bytes, body: bytes) -> bytes:
    """A file of one strip with another body, its checksum right."""
    header = file[: VERSION_2.size]
    return header + body + crc32(body, crc32(bytes(4), crc32(header))).to_bytes(4, "little")


@pytest.mark.slow
def test_wrong_headers():
    file, groups = good(8)
    wrong = [
        put(file, **fields) for fields in (
            {"magic": b"LGD"}, {"version": 1}, {"version": 3}, {"bit_depth": 9}, {"channels": 3},
            {"coder": 8}, {"tile_width": 40}, {"tile_width": 256}, {"images": 2}, {"images": 0},
            {"images": 1 << 24}, {"image_width": 0}, {"image_width": 65}, {"image_height": 0},
            {"image_height": 301}, {"strip_height": 0}, {"strip_height": 10}, {"near": 128},
            {"near": 255}, {"shift": 9}, {"model_hash": bytes(8)},
        )
    ]  # fmt: skip
    for at in range(8):
        changed = bytearray(file)
        changed[VERSION_2["model hash"].offset + at] ^= 1 << at
        wrong.append(bytes(changed))
    wrong += [file[:n] for n in range(VERSION_2.size)]
    wrong += [put(file, version=1)[: VERSION_2.size]]
    found = play(EIGHT, [w for each in wrong for w in (each, file)], groups * len(wrong))
    compare(found, EIGHT, groups * len(wrong))
    assert found.flags == {"bad_header": len(wrong), "bad_packet": 0, "bad_strip": 0}
    assert len(found.files["width"]) == len(wrong)


@pytest.mark.parametrize("name", slow_but_first(["8", "12"]))
def test_files_cut_short(name):
    """Cut anywhere: groups whose payloads are whole are right, the others are zeros."""
    build = BUILDS[name]
    file, groups = encoded(picture(21, 6, 5, build.depth, 0.1), build.depth, strip_height=4)
    ends, at = [], VERSION_2.size
    for k in range(2):
        (payload,) = payloads_of(file, k)
        ends.append(at + 1 + len(payload))  # lengths of one byte
        at = ends[-1] + 4
    cuts = range(VERSION_2.size, len(file))
    sent = [
        g if n >= end else g.without() for n in cuts for g, end in zip(groups, ends, strict=True)
    ]  # fmt: skip
    after, more = good(build.depth)
    found = play(build, [*(file[:n] for n in cuts), after], sent + more)
    compare(found, build, sent + more)
    assert found.flags == {"bad_header": 0, "bad_packet": len(cuts), "bad_strip": 0}


def test_files_too_long():
    file, groups = encoded(picture(22, 6, 5, 8, 0.1), 8, strip_height=4)
    single, one = encoded(picture(23, 3, 7, 8, 0.1), 8)
    after, more = good(8)
    long = [file + bytes(1), file + bytes(9), single + bytes(1), single + bytes(4) + file]
    sent = [*groups, *groups, *one, *one, *more]
    found = play(EIGHT, [*long, after], sent)
    compare(found, EIGHT, sent)
    assert found.flags == {"bad_header": 0, "bad_packet": len(long), "bad_strip": 0}


def test_lengths():
    """Lengths that no payload has end a file; long forms of good ones do not."""
    file, groups = encoded(picture(24, 8, 6, 8, 0.01), 8)
    first, second = payloads_of(file)
    assert len(first) < 24 and len(second) > 3
    n, change = 2 * len(first), len(second) - len(first)
    m = 2 * change if change >= 0 else -2 * change - 1
    tail = bytes([m]) + second
    assert n < 128 and m < 128
    fine = [
        strip_of(file, bytes([n]) + first + tail),
        strip_of(file, bytes([n | 128, 0]) + first + tail),
        strip_of(file, bytes([n | 128, 128, 128, 128, 0]) + first + bytes([m | 128, 0]) + second),
    ]
    assert fine[0] == file
    bad = [
        bytes([2 * 25]) + bytes(25), bytes([1]), bytes([3]), b"\x80\x80\x80\x80\x80\x00",
        bytes([n | 128, 128, 128, 128, 1]) + first, bytes([n | 128, 128, 128, 128, 64]) + first,
        bytes([n | 128, 128, 1]) + first, b"\xff\xff\xff\xff\x7f",
    ]  # fmt: skip
    bad = [strip_of(file, body + tail) for body in bad]
    late = [  # of the second payload
        bytes([2 * len(first) + 1]), bytes([2 * (25 - len(first))]), b"\xff\xff\xff\xff\x7f",
    ]  # fmt: skip
    late = [strip_of(file, bytes([n]) + first + body + bytes(30)) for body in late]
    after, more = good(8)
    empty = [g.without() for g in groups]
    sent = [
        *groups * len(fine), *empty * len(bad), *[groups[0], empty[1]] * len(late), *more
    ]  # fmt: skip
    found = play(EIGHT, [*fine, *bad, *late, after], sent)
    compare(found, EIGHT, sent)
    assert found.flags == {"bad_header": 0, "bad_packet": len(bad) + len(late), "bad_strip": 0}


def test_checksums():
    """A wrong checksum is told of its strip or of the index, and changes nothing."""
    file, groups = encoded(picture(25, 10, 6, 8, 0.1), 8, strip_height=4)
    sizes = [1 + len(payloads_of(file, k)[0]) + 4 for k in range(3)]
    ends = VERSION_2.size + np.cumsum(sizes)
    wrong_strips, wrong_indices = [], []
    for k, at in enumerate([*ends - 1, *ends - 4]):
        changed = bytearray(file)
        changed[at] ^= 1 << k
        wrong_strips.append(bytes(changed))
    for k, at in enumerate(range(ends[-1], len(file))):
        changed = bytearray(file)
        changed[at] ^= 1 << k % 8
        wrong_indices.append(bytes(changed))
    # The strip's number is part of it: strips that have changed places are both wrong.
    a, b, c = (file[end - size : end] for end, size in zip(ends, sizes, strict=True))
    swapped = file[: VERSION_2.size] + b + a + c + file[ends[-1] :]
    count = len(wrong_strips) + len(wrong_indices)
    sent = [*groups * count, *(g.without() for g in groups)]
    found = play(EIGHT, [*wrong_strips, *wrong_indices, swapped], sent)
    skip = sum(len(g.rows) for g in groups)
    _, wanted = plan_of(sent, EIGHT.lanes, 17)
    np.testing.assert_array_equal(found.folded[:-skip], wanted[:-skip])
    assert found.flags["bad_packet"] == len(wrong_indices)
    assert found.flags["bad_strip"] >= len(wrong_strips) + 2


@pytest.mark.parametrize("name", slow_but_first(BUILDS))
def test_damage(name):
    """Bytes changed anywhere behind the header: flagged, as many residuals, the next file right."""
    build = BUILDS[name]
    rng = np.random.default_rng(26)
    file, groups = encoded(picture(27, 9, 12, build.depth, 0.1), build.depth, strip_height=5)
    after, more = encoded(picture(28, 4, 9, build.depth, 0.1), build.depth)
    files, sent = [], []
    for _ in range(24):
        changed = bytearray(file)
        at = int(rng.integers(VERSION_2.size, len(file)))
        for k in range(at, min(len(file), at + int(rng.integers(1, 4)))):
            changed[k] ^= int(rng.integers(1, 256))
        files += [bytes(changed), after]
        sent += [*groups, *more]
    found = play(build, files, sent, spacing=30)
    plan, wanted = plan_of(sent, build.lanes, 30)
    # Which requests are of a file that is sound.
    numbers = [
        Group(g.height, g.width, g.rows, np.full_like(g.folded, k % (len(groups) + len(more))))
        for k, g in enumerate(sent)
    ]  # fmt: skip
    sound = plan_of(numbers, build.lanes, 30)[1] >= len(groups)
    np.testing.assert_array_equal(found.folded[sound], wanted[sound])
    assert sum(found.flags.values()) >= len(files) // 2
    assert found.flags["bad_header"] == 0


def test_residuals_too_great():
    """They become the greatest one, in payloads of plain bits and in others."""
    image = noisy(29, 1, 40, 8)
    file, (group,) = encoded(image, 8, near=25)
    (plain,) = payloads_of(file)
    assert len(plain) == 15
    full = strip_of(file, bytes([30]) + b"\xff" * 15)
    image[:] = 128
    image[0, 3] = 130
    other, (quiet,) = encoded(image, 8)
    folded = quiet.folded.copy()
    folded[-1] = 1000
    room = np.empty(most_payload_bytes(40), dtype=np.uint8)
    at = write_payload(folded, quiet.rows, MODEL.kernel.cumulative, room)
    payload = room[at:].tobytes()
    beyond = strip_of(other, bytes([2 * len(payload)]) + payload)
    assert len(payload) < 40
    sent = [
        Group(1, 40, group.rows, np.full(40, 5, dtype=np.int32)),
        Group(1, 40, quiet.rows, np.minimum(folded, 255)), *good(8)[1],
    ]  # fmt: skip
    found = play(EIGHT, [full, beyond, good(8)[0]], sent)
    compare(found, EIGHT, sent)
    assert found.flags["bad_strip"] >= 2 and not found.flags["bad_packet"]


@pytest.mark.parametrize("clock", [5, 31, 40, 60, 120, 900, 4000])
def test_reset(clock):
    """A reset at any time forgets all."""
    file, groups = encoded(picture(30, 14, 40, 8, 0.1), 8, strip_height=6)
    plan, wanted = plan_of(groups, EIGHT.lanes, 17)
    done = rtl_stream(
        design(EIGHT), {"words": beats_of([file], 4), "plan": plan},
        {"files": ["width"], "folded": ["value"]}, watch=FLAGS, idle="idle", reset_at=clock,
    )  # fmt: skip
    np.testing.assert_array_equal(done.outputs["folded"]["value"], wanted)
    assert not any(done.status[name] for name in FLAGS)


@pytest.mark.slow
def test_wide_files():
    """Payloads of thousands of bytes, and such that must be filled up with zeros."""
    build = Build(8, max_width=512)
    black = encoded(np.zeros((7, 512), dtype=np.uint8), 8)
    made = [
        encoded(picture(31, 34, 512, 8, 0.05), 8, strip_height=20), black,
        encoded(noisy(32, 70, 500, 8), 8), encoded(picture(33, 9, 511, 8, 0.3), 8, near=2), black,
    ]  # fmt: skip
    check(build, [file for file, _ in made], [g for _, groups in made for g in groups])
    # A payload of fewer bytes than it must have for its samples.
    short = strip_of(black[0], bytes([0, 0]))
    sent = [g.without() for g in black[1]] + good(8)[1]
    found = play(build, [short, good(8)[0]], sent)
    compare(found, build, sent)
    assert found.flags == {"bad_header": 0, "bad_packet": 1, "bad_strip": 0}
