"""Strips to folded residuals, against the reference codec."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, index_bytes, pack_strip
from lutgen.codec.predictive.strip import model_unit
from lutgen.gateware.fabric.pipeline import delay
from lutgen.gateware.strips.strip_decoder import StripDecoder
from lutgen.model.header import VERSION_2
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.sim import Design, Stall, rtl_stream
from tests.models import predictive_model

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
    def design(self) -> Design:
        return Design.of(_Player(
            depth=self.depth, stream_bytes=self.stream_bytes, lanes=self.lanes,
            max_width=self.max_width, max_height=300, address_bits=self.address_bits,
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
        build.design(), {"words": beats, "plan": plan},
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
    _, wanted = plan_of(groups, build.lanes, options.get("spacing", 17))
    np.testing.assert_array_equal(found.folded, wanted)
    assert found.flags == dict.fromkeys(FLAGS, 0)
    return found


def picture(seed: int, height: int, width: int, depth: int, noise: float = 0.02) -> np.ndarray:
    """A smooth picture with some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 16
    phase = rng.random(3) * 6
    wave = np.sin(x + phase[0]) * np.cos(y + phase[1]) + 0.5 * np.sin(2 * x - y + phase[2])
    values = (0.5 + 0.3 * wave + noise * rng.standard_normal((height, width))).clip(0, 1)
    return (values * ((1 << depth) - 1)).astype(np.uint8 if depth == 8 else np.uint16)


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
