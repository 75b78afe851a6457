"""What stands around cores of slabs, without the cores: files in parts and back, rasters likewise.
"""

import re
from functools import cache

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, split_index
from lutgen.errors import InputError
from lutgen.gateware.core.several import beat_layout, raster_layout
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.slabs.layouts import part_layout, picture_layout
from lutgen.gateware.slabs.multi import PredictiveDecoderCores, PredictiveEncoderCores
from lutgen.gateware.slabs.slab_cutter import SlabCutter
from lutgen.gateware.slabs.slab_files import SlabFiles
from lutgen.gateware.slabs.slab_packets import SlabPackets
from lutgen.gateware.slabs.slab_raster import SlabRaster
from lutgen.gateware.streams.axi import word_layout
from lutgen.gateware.streams.block_fifo import BlockFifo
from lutgen.gateware.streams.run_source import RunSource
from lutgen.gateware.strips.slabs import widest_slab
from lutgen.model.header import VERSION_2
from lutgen.model.samples import SampleFormat
from lutgen.model.shipped import shipped
from lutgen.sim import Design, Stall, rtl_stream
from lutgen.sim.drive.words import file_beats, files_of
from tests.models import predictive_model

SLABS, BYTES, STRIP = 4, 8, 8
CODEC = PredictiveCodec(predictive_model(), threads=1)
CONFIG = PredictiveConfig(CODEC.model, 8, 64, 40, STRIP, cores=SLABS)
CONFIG_SAMPLES = SampleFormat()
STALLS = [{}, {"i": Stall(0.5, 1), "c1": Stall(0.5, 2), "o": Stall(0.5, 3), "video": Stall(0.5, 4)}]


class _Around(wiring.Component):
    """Three ways: a file to those of the cores; strips to a file; a raster to slabs and back."""

    def __init__(self) -> None:
        words = stream.Signature(word_layout(BYTES))
        super().__init__({
            "i": In(words), **{f"c{k}": Out(words) for k in range(SLABS)},
            "pictures": In(stream.Signature(picture_layout(CONFIG))),
            **{f"s{k}": In(words) for k in range(SLABS)}, "o": Out(words),
            "beats": In(stream.Signature(beat_layout(CONFIG.cores, CONFIG.pixel_bits))),
            "video": Out(stream.Signature(raster_layout(CONFIG.cores, CONFIG.pixel_bits))),
            "width": In(7), "height": In(6), "idle": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.source = source = RunSource(BYTES)
        m.submodules.packets = packets = SlabPackets(CONFIG, BYTES)
        m.submodules.files = files = SlabFiles(CONFIG, BYTES)
        m.submodules.cutter = cutter = SlabCutter(CONFIG)
        m.submodules.raster = raster = SlabRaster(CONFIG)
        wiring.connect(m, wiring.flipped(self.i), source.i)
        wiring.connect(m, source.o, packets.runs)
        wiring.connect(m, wiring.flipped(self.pictures), files.pictures)
        wiring.connect(m, files.words, wiring.flipped(self.o))
        wiring.connect(m, wiring.flipped(self.beats), cutter.beats)
        wiring.connect(m, raster.o, wiring.flipped(self.video))
        m.d.comb += self.idle.eq(~(packets.busy | files.busy | cutter.busy))
        rooms = Signal(SLABS)
        m.d.comb += [cutter.width.eq(self.width), cutter.height.eq(self.height)]
        m.d.sync += cutter.room.eq(rooms.all())
        for k in range(SLABS):
            words = BlockFifo(word_layout(BYTES), 64)
            parts = BlockFifo(part_layout(CONFIG), 64)
            m.submodules[f"words{k}"], m.submodules[f"parts{k}"] = words, parts
            wiring.connect(m, words.o, wiring.flipped(getattr(self, f"c{k}")))
            wiring.connect(m, wiring.flipped(getattr(self, f"s{k}")), files.strips[k])
            wiring.connect(m, parts.o, raster.parts[k])
            m.d.comb += [
                packets.rooms[k].eq(words.room), words.write.eq(packets.write[k]),
                words.data.eq(packets.word), rooms[k].eq(parts.room),
                parts.write.eq(cutter.write[k]), parts.data.eq(cutter.part),
            ]  # fmt: skip
        return m


@cache
def design() -> Design:
    return Design.of(_Around())


def run(inputs: dict, stalls, width: int = 0, height: int = 0) -> dict:
    """What comes out; inputs that are not given stay empty."""
    none = {name: [] for name in ("data", "keep", "last")}
    others = {
        "i": none, **{f"s{k}": none for k in range(SLABS)},
        "pictures": {name: [] for name in ("width", "height")},
        "beats": {name: [] for name in ("data", "sof", "eol")},
    }
    words = dict.fromkeys(("o", *(f"c{k}" for k in range(SLABS))), ("data", "keep", "last"))
    return rtl_stream(
        design(), others | inputs, words | {"video": ("data", "eol", "keep")},
        stalls=stalls, idle="idle", idle_clocks=200,
        config={"width": width, "height": height},
    ).outputs  # fmt: skip


def files(*sizes: tuple[int, int], strip: int = STRIP, seed: int = 0) -> list[bytes]:
    """Files of noise and of smooth images."""
    rng = np.random.default_rng(seed)
    made = []
    for k, size in enumerate(sizes):
        image = rng.integers(0, 256 if k % 2 else 3, size)
        made.append(CODEC.encode(image.astype(np.uint8), strip_height=strip, slabs=SLABS))
    return made


def parts_of(data: bytes) -> tuple[list[list[bytes]], bytes]:
    """Strips of each slab, and the index."""
    frame = Frame.unpack(data)
    starts, end = split_index(data, frame)
    strips = [data[a:b] for a, b in zip(starts, [*starts[1:], end], strict=True)]
    return [strips[k::SLABS] for k in range(SLABS)], data[end:]


def of_cores(data: bytes) -> list[bytes]:
    """What each core is given of a file."""
    strips, index = parts_of(data)
    header = data[: VERSION_2.size]
    return [b"".join([header, *own, index * (k == 0)]) for k, own in enumerate(strips)]


def shared_out(data: list[bytes], stalls) -> list[list[bytes]]:
    """Files that the cores are given."""
    found = run({"i": file_beats(data, BYTES)}, stalls)
    cores = []
    for k in range(SLABS):
        whole, rest = files_of(**found[f"c{k}"], size=BYTES)
        assert not rest
        cores.append(list(whole))
    return cores


@pytest.mark.parametrize("stalls", STALLS)
def test_files_are_shared_out(stalls):
    stalls = {name: stall for name, stall in stalls.items() if name in ("i", "c1")}
    given = [*files((40, 64), (9, 13), (1, 30)), *files((13, 50), strip=5)]
    found = shared_out(given, stalls)
    for k in range(SLABS):
        assert found[k] == [of_cores(data)[k] for data in given]


def test_bad_files_end_for_all_cores():
    """Cut anywhere, or with a length that is none: the next file comes as it must."""
    good, = files((18, 40))
    wrong = bytearray(good)
    wrong[split_index(good, Frame.unpack(good))[0][5]] = 0x7F
    cuts = [good[:n] for n in (3, 28, 29, 30, 55, len(good) // 2, len(good) - 9, len(good) - 1)]
    for bad in (*cuts, bytes(wrong), good + b"more", VERSION_2["near"].put(good, 1)):
        found = shared_out([bad, good], {})
        assert [own[-1] for own in found] == of_cores(good)
        assert all(len(own) == 2 for own in found), len(bad)


@pytest.mark.parametrize("stalls", STALLS)
def test_strips_become_files(stalls):
    given = files((40, 64), (9, 13), (1, 30), (16, 47))
    cut = [parts_of(data)[0] for data in given]
    frames = [Frame.unpack(data) for data in given]
    pictures = {
        name: np.array([getattr(frame, name) for frame in frames]) for name in ("width", "height")
    }
    found = run({
        "pictures": pictures,
        **{f"s{k}": file_beats([strip for own in cut for strip in own[k]], BYTES)
           for k in range(SLABS)},
    }, {"o": stalls["o"]} if stalls else {})
    whole, rest = files_of(**found["o"], size=BYTES)
    assert list(whole) == given and not rest


@pytest.mark.parametrize(("height", "width"), [(3, 64), (2, 61), (5, 13), (4, 30)])
@pytest.mark.parametrize("stalls", STALLS)
def test_rasters_come_back(height, width, stalls):
    """Each beat to the slab of its columns, which puts it to its place again."""
    rng = np.random.default_rng(width)
    beats = -(-width // SLABS)
    data = rng.integers(0, 1 << 32, (height, beats))
    sof, eol = np.zeros((2, height, beats), dtype=int)
    sof[0, 0], eol[:, -1] = 1, 1
    found = run(
        {"beats": {"data": data.ravel(), "sof": sof.ravel(), "eol": eol.ravel()}},
        {"video": stalls["video"]} if stalls else {}, width, height,
    )["video"]
    keep = np.full((height, beats), (1 << SLABS) - 1)
    keep[:, -1] = (1 << width - SLABS * (beats - 1)) - 1
    wide = keep[..., None] >> np.arange(SLABS) & 1
    given = np.asarray(found["data"]).astype("<u4").view(np.uint8)
    wanted = data.astype("<u4").view(np.uint8).reshape(height, beats, SLABS)
    kept = wide.ravel().astype(bool)
    np.testing.assert_array_equal(given[kept], wanted.ravel()[kept])
    np.testing.assert_array_equal(found["eol"], eol.ravel())
    np.testing.assert_array_equal(found["keep"], keep.ravel())


@pytest.mark.parametrize("slabs", [1, 2, 4, 8])
def test_widest_slab(slabs):
    for width in range(slabs * (slabs - 1) + 1, 200):
        frame = Frame(bytes(8), CONFIG_SAMPLES, width, 8, 8, slabs=slabs)
        found = [right - left for left, right in map(frame.columns, range(slabs))]
        assert max(found) <= widest_slab(width, slabs) < max(found) + max(2, slabs)


@pytest.mark.parametrize(("options", "message"), [
    ({"cores": 3}, "cores must be 1, 2, 4 or 8, not 3"),
    ({"cores": 8, "max_width": 56}, "max width must be at least 57 for 8 cores, not 56"),
    ({"cores": 8, "max_height": 65535, "strip_height": 4},
     "strip height must be at least 8 for 8 cores and images of 65535 rows, not 4"),
    ({"cores": 8, "depth": 9},
     "cores must be at most 4 for samples of 9 bits, not 8: beats have 64 bits at most"),
])  # fmt: skip
def test_cores_that_are_refused(options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        PredictiveConfig(shipped("photo"), **options)
    with pytest.raises(InputError, match="^stream width must be 2, 4 or 8 bytes for 4 cores, not"):
        PredictiveEncoderCores(CONFIG, stream_bytes=1)


@pytest.mark.parametrize("kind", [PredictiveDecoderCores, PredictiveEncoderCores])
def test_what_stands_around_the_cores_is_made_alone(kind):
    """As builds count it: its ports for the cores are theirs."""
    glue, core = kind(CONFIG, core_ports=True), kind.core(CONFIG, 4)
    ports = glue.signature.members["core3"].signature.members
    assert {name: core.signature.members[name].flip() for name in ports} == dict(ports)
    assert "core3__slab" in to_verilog(glue, "glue")
