"""The strip encoder against `lutgen.codec.predictive`, byte by byte."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, raw_bits
from lutgen.codec.predictive.strip import model_unit
from lutgen.gateware.predictive.walk import PRIMING
from lutgen.gateware.strips.strip_encoder import StripEncoder
from lutgen.gateware.strips.strip_writer import FILE
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.model.samples import SampleFormat
from lutgen.sim import Design, Stall, rtl_stream
from tests.models import predictive_model
from tests.tiers import slow_but_first

ROWS = 4
#: Periods between two groups' beginnings, and those that a pipeline before the encoder holds.
APART, UNDER_WAY = 17, 3
#: So few that lanes begin with groups of 48 columns before the one before is complete.
CLOSE = 6


class Paced(wiring.Component):
    """A strip encoder behind what a core has before it: periods that begin when it is ready, and a
    pipeline that holds as many as may be under way."""

    def __init__(self, encoder: StripEncoder, lanes: int) -> None:
        self._encoder, self._lanes = encoder, lanes
        members = encoder.signature.members
        self._names = [
            name for name, member in members.items()
            if member.is_port and member.flow is In
        ]  # fmt: skip
        # Not "valid", which the stream has already.
        self._beat = StructLayout({
            "code" if name == "valid" else name: members[name].shape for name in self._names
        })
        super().__init__({
            "i": In(stream.Signature(self._beat)), "o": members["o"], "idle": Out(1),
            "held": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.encoder = encoder = self._encoder
        clocks = ROWS * self._lanes
        slot, runs = Signal(range(clocks)), Signal()
        m.d.sync += slot.eq((slot + 1) % clocks)
        starts = slot == 0
        with m.If(starts):
            m.d.sync += runs.eq(encoder.ready & self.i.valid)
            m.d.comb += self.i.ready.eq(encoder.ready)
        with m.Else():
            m.d.comb += self.i.ready.eq(runs)
        depth = UNDER_WAY * clocks
        m.submodules.line = line = Memory(shape=self._beat.size + 1, depth=depth, init=[])
        write, read = line.write_port(), line.read_port(domain="comb")
        at, out = Signal(range(depth)), Signal(self._beat.size + 1)
        full = Signal()  # after a reset the line has what was before it
        m.d.sync += [
            at.eq((at + 1) % depth), out.eq(read.data), full.eq(full | (at == depth - 1)),
        ]  # fmt: skip
        m.d.comb += [
            write.en.eq(1), write.addr.eq(at), read.addr.eq(at),
            write.data[1:].eq(self.i.payload.as_value()),
            write.data[0].eq(self.i.valid & self.i.ready),
            self.idle.eq(~encoder.busy), self.held.eq(~encoder.ready),
        ]  # fmt: skip
        beat, lasts = Signal(self._beat), Signal()
        m.d.sync += lasts.eq(full)
        m.d.comb += beat.as_value().eq(out[1:])
        for name in self._names:
            gated = name in ("valid", "begin")
            value = beat["code" if name == "valid" else name]
            m.d.comb += getattr(encoder, name).eq(value & out[0] & lasts if gated else value)
        wiring.connect(m, encoder.o, wiring.flipped(self.o))
        return m


@dataclass(frozen=True)
class Build:
    """Parameters of an encoder."""

    depth: int = 8
    max_width: int = 64
    lanes: int = 8
    count: int = 4
    near: bool = False
    max_strips: int = 64

    @property
    def model(self):
        return predictive_model(3)


@cache
def design_of(build: Build) -> Design:
    """The encoder, paced."""
    encoder = StripEncoder(
        build.model.cumulative, model_hash=bytes.fromhex(build.model.hash)[:8],
        max_width=build.max_width, depth=build.depth, lanes=build.lanes, count=build.count,
        near=build.near, max_strips=build.max_strips,
    )  # fmt: skip
    return Design.of(Paced(encoder, build.lanes))


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and how it is coded."""

    samples: np.ndarray
    strip_height: int
    near: int = 0


def groups_of(build: Build, picture: Picture) -> list[dict]:
    """Symbols of the picture's groups, as the encoder is given them."""
    model = build.model
    form = SampleFormat(build.depth, near=picture.near)
    height, width = picture.samples.shape
    frame = Frame(bytes(8), form, width, height, picture.strip_height)
    groups = []
    for strip in range(frame.strips):
        _, top, end = frame.rows(strip)
        indices = form.quantise(picture.samples[top:end])
        restored = form.restore(indices).astype(np.int32)
        indices = indices.astype(np.int32)
        rows = new_rows(width)
        for y, count, _, _ in frame.units(end - top):
            folded, row = np.empty((2, count * width), dtype=np.int32)
            model_unit(
                model.kernel, rows, y, np.ascontiguousarray(restored[y : y + count]),
                np.ascontiguousarray(indices[y : y + count]), frame.lag(width), form.depth,
                form.step, form.levels - 1, folded, row,
            )  # fmt: skip
            t, k = np.nonzero([
                [0 <= t - 4 * k < width for k in range(count)]
                for t in range(width + 4 * (count - 1))
            ])  # fmt: skip
            last = y + count == end - top
            groups.append({
                "folded": folded, "row": row, "t": t, "k": k, "begin": not strip and not y,
                "strip_last": last, "file_last": last and strip == frame.strips - 1,
                "raw_bits": raw_bits(form.levels), "picture": picture,
            })  # fmt: skip
    return groups


def beats_of(build: Build, pictures: list[Picture], apart: int = APART) -> dict[str, np.ndarray]:
    """What the encoder is given in each clock, if it is always ready."""
    lanes = build.lanes
    groups = [group for picture in pictures for group in groups_of(build, picture)]
    free, start, places = [0] * lanes, -apart, []
    for g, group in enumerate(groups):
        start = max(start + apart, free[g % lanes])
        # A row goes on with the lane's next group when it has ended, and been primed for it.
        free[g % lanes] = start + group["picture"].samples.shape[1] + PRIMING
        places.append((start + group["t"]) * ROWS * lanes + group["k"] * lanes + g % lanes)
    clocks = (max(free) + 4 * ROWS) * ROWS * lanes
    beats = {
        name: np.zeros(clocks, dtype=np.int64)
        for name in ("code", "row", "folded", "first", "last", "strip_last", "file_last",
                     "begin", "file")
    }  # fmt: skip
    if build.near:
        beats["raw_bits"] = np.zeros(clocks, dtype=np.int64)
    beats["lane"] = np.arange(clocks) % lanes
    beats["side"] = np.zeros(clocks, dtype=np.int64)
    for g, (group, at) in enumerate(zip(groups, places, strict=True)):
        beats["side"][at] = g // lanes % 2
        assert not beats["code"][at].any(), "two symbols in one clock"
        beats["code"][at] = 1
        for name in ("row", "folded"):
            beats[name][at] = group[name]
        beats["first"][at[0]] = beats["last"][at[-1]] = 1
        for name in ("strip_last", "file_last", "begin"):
            beats[name][at[0]] = group[name]
        if build.near:
            beats["raw_bits"][at[-1]] = group["raw_bits"]
        picture = group["picture"]
        height, width = picture.samples.shape
        beats["file"][at[0]] = FILE.const({
            "width": width, "height": height, "strip_height": picture.strip_height, "shift": 0,
            "near": picture.near,
        }).as_value().value  # fmt: skip
    return beats


def rtl_encode(
    build: Build, pictures: list[Picture], *, stall: Stall | None = None, apart: int = APART,
    reset_at: float | None = None,
) -> tuple[list[bytes], object]:  # fmt: skip
    """Packets that the gateware makes of pictures, and the run; after a reset at some share."""
    beats = beats_of(build, pictures, apart)
    clocks = len(beats["code"])
    result = rtl_stream(
        design_of(build), {"i": beats}, {"o": ["data", "keep", "last"]},
        stalls={"o": stall} if stall else None, idle="idle",
        idle_clocks=(UNDER_WAY + 2) * ROWS * build.lanes, max_clocks=clocks * 8 + 400000,
        watch=["held"], reset_at=None if reset_at is None else int(reset_at * clocks),
    )  # fmt: skip
    packets, packet = [], bytearray()
    for data, keep, last in zip(*(result.outputs["o"][n].tolist() for n in (
        "data", "keep", "last")), strict=True):  # fmt: skip
        size = keep.bit_length()
        assert keep == (1 << size) - 1, "null bytes must be a word's highest ones"
        assert size == build.count or last, "only the last word of a packet has null bytes"
        packet += data.to_bytes(build.count, "little")[:size]
        if last:
            packets.append(bytes(packet))
            packet = bytearray()
    assert not packet, "a packet is incomplete"
    return packets, result


def expected(build: Build, picture: Picture) -> bytes:
    codec = PredictiveCodec(build.model, threads=1)
    return codec.encode(
        picture.samples, depth=build.depth, near=picture.near,
        strip_height=picture.strip_height, tile_width=0,
    )  # fmt: skip


def drawn(rng: np.random.Generator, kind: str, height: int, width: int, depth: int) -> np.ndarray:
    """A picture: smooth, noise, black, or black but for its last sample."""
    most = (1 << depth) - 1
    y, x = np.mgrid[:height, :width]
    picture = {
        "smooth": lambda: 0.45 * most * (1 + np.sin(x / 9 + y / 5)) + rng.normal(0, 2, x.shape),
        "noise": lambda: rng.integers(0, most + 1, x.shape),
        "black": lambda: np.zeros(x.shape),
        "spark": lambda: (x + y == height + width - 2) * most,
    }[kind]()  # fmt: skip
    return np.clip(picture, 0, most).astype(np.uint16 if depth > 8 else np.uint8)


def check(build: Build, pictures: list[Picture], **options) -> object:
    packets, result = rtl_encode(build, pictures, **options)
    for k, (packet, picture) in enumerate(zip(packets, pictures, strict=False)):
        assert packet.hex() == expected(build, picture).hex(), f"packet {k}"
    assert len(packets) == len(pictures)
    return result


#: Stacks are full to the last word with pictures of this width.
WIDE = Build(max_width=48)
BUILDS = {
    "8 bits": WIDE,
    "12 bits, near, words of 8": Build(depth=12, near=True, count=8, max_width=40),
    "16 bits, bytes, 11 lanes": Build(depth=16, lanes=11, count=1, max_width=24),
    "10 bits, words of 2": Build(depth=10, count=2, max_width=33),
}


@pytest.mark.parametrize("kind", ["smooth", "noise", "black", "spark"])
def test_pictures_of_all_heights(kind):
    """Whole and partial groups, sides from 1 on, one file behind the other."""
    rng = np.random.default_rng(1)
    check(WIDE, [
        Picture(drawn(rng, kind, height, width, 8), height)
        for height, width in ((1, 1), (9, 40), (8, 48), (7, 5), (6, 17), (5, 48), (4, 1), (3, 33),
                              (2, 2), (1, 48))
    ])  # fmt: skip


@pytest.mark.parametrize("name", slow_but_first(BUILDS))
def test_files_of_many_strips(name):
    build = BUILDS[name]
    rng = np.random.default_rng(2)
    width, pictures = build.max_width, []
    for k, kind in enumerate(("smooth", "noise", "spark", "black", "noise", "smooth")):
        height = int(rng.integers(5, 40))
        near = 0
        if build.near:
            near = [0, 1, 7, 255, 0, 3][k]
        pictures.append(Picture(
            drawn(rng, kind, height, width - int(rng.integers(3)), build.depth),
            int(rng.integers(1, height)), near,
        ))  # fmt: skip
    check(build, pictures)


@pytest.mark.parametrize("apart", slow_but_first([APART, CLOSE]))
@pytest.mark.parametrize("stall", [
    Stall(0.5, seed=1), Stall(0.9, seed=2), Stall(0.8, seed=3, burst=3000),
    pytest.param(Stall(0.97, seed=4, burst=40000), marks=pytest.mark.slow),
], ids=str)  # fmt: skip
def test_stalls(stall, apart):
    """Output that is held back holds the input back, and nothing is lost."""
    rng = np.random.default_rng(3)
    kinds = rng.choice(["smooth", "noise", "black", "spark"], 12, p=[0.4, 0.4, 0.1, 0.1])
    result = check(WIDE, [
        Picture(drawn(rng, kind, height, int(rng.integers(1, 49)), 8), int(rng.integers(1, height)))
        for kind, height in zip(kinds, rng.integers(2, 60, len(kinds)).tolist(), strict=True)
    ], stall=stall, apart=apart)  # fmt: skip
    assert any(value for _, value in result.changes["held"])


@pytest.mark.slow
@pytest.mark.parametrize("apart", [APART, CLOSE])
def test_stall_in_an_index(apart):
    """A group that waits while the index before it is held back is not written over.

    Every eighth group is noise, so one lane has nothing else.
    """
    rng = np.random.default_rng(6)
    strips = Picture(drawn(rng, "black", 7, 2, 8), 1)
    check(WIDE, [
        picture for _ in range(24)
        for picture in (strips, Picture(drawn(rng, "noise", 4, 48, 8), 4))
    ], stall=Stall(0.99, seed=7, burst=3000), apart=apart)  # fmt: skip


@pytest.mark.parametrize("reset_at", [0.21, 0.55, 0.8])
def test_reset(reset_at):
    """Nothing of what was before a reset is left after it."""
    rng = np.random.default_rng(5)
    check(WIDE, [
        Picture(drawn(rng, kind, 31, 48, 8), 9) for kind in ("noise", "smooth", "noise")
    ], stall=Stall(0.6, seed=6, burst=500), reset_at=reset_at)  # fmt: skip


def clocks_lost(build: Build, pictures: list[Picture], apart: int) -> int:
    """Clocks in which symbols had to wait."""
    result = check(build, pictures, apart=apart)
    took = result.input_clocks["i"]
    return int(took[-1] - took[0]) + 1 - len(took)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", ["smooth", "noise"])
def test_a_symbol_per_clock(kind):
    """Pictures of 272 columns and more are never held back, also if they do not shrink at all.

    Their groups begin evenly, as a walk's do.
    """
    rng = np.random.default_rng(4)
    build = Build(max_width=500)
    for width, height in ((272, 300), (500, 220)):
        pictures = [Picture(drawn(rng, kind, height, width, 8), height) for _ in range(2)]
        assert clocks_lost(build, pictures, width // build.lanes) == 0
