"""What stands around cores of slabs, without the cores: files in parts and back, rasters likewise.

Of gray, of RGB and of colour filter arrays.
"""

import re
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, split_index
from lutgen.errors import InputError
from lutgen.gateware.core.several import beat_layout, raster_layout
from lutgen.gateware.fabric.pipeline import drive
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.gateware.predictive.top import setting_ports
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
from lutgen.sim.check.picture_form import PictureForm
from lutgen.sim.drive.words import file_beats, files_of
from tests.models import colour_model, mosaic_model, predictive_model
from tests.tiers import slow_but_first

BYTES, STRIP = 8, 8
STALLS = [{}, {"i": Stall(0.5, 1), "c1": Stall(0.5, 2), "o": Stall(0.5, 3), "video": Stall(0.5, 4)}]


@dataclass(frozen=True)
class Kind:
    """Cores of a model of random contents, and the order of planes that its images have."""

    codec: PredictiveCodec
    cores: int
    order: int = 0

    @cached_property
    def config(self) -> PredictiveConfig:
        return PredictiveConfig(self.codec.model, 8, 64, 40, STRIP, cores=self.cores)

    @cached_property
    def form(self) -> PictureForm:
        return PictureForm(self.config.planes, 8, self.cores)

    @property
    def settings(self) -> dict[str, int]:
        return {"order": self.order} if self.config.max_order else {}

    def sizes(self, *sizes: tuple[int, int]) -> list[tuple[int, int]]:
        """Sizes, or those next to them that are allowed."""
        return [(self.form.whole(height), self.form.whole(width)) for height, width in sizes]


KINDS = {
    "gray": Kind(PredictiveCodec(predictive_model(), threads=1), 4),
    "rgb": Kind(PredictiveCodec(colour_model(), threads=1), 2, order=4),
    "bayer": Kind(PredictiveCodec(mosaic_model(), threads=1), 4, order=3),
}


class _Around(wiring.Component):
    """Three ways: a file to those of the cores; strips to a file; a raster to slabs and back."""

    def __init__(self, config: PredictiveConfig) -> None:
        self._config = config
        words = stream.Signature(word_layout(BYTES))
        super().__init__({
            "i": In(words), **{f"c{k}": Out(words) for k in range(config.cores)},
            "pictures": In(stream.Signature(picture_layout(config))),
            **{f"s{k}": In(words) for k in range(config.cores)}, "o": Out(words),
            "beats": In(stream.Signature(beat_layout(config.cores, config.pixel_bits))),
            "video": Out(stream.Signature(raster_layout(config.cores, config.pixel_bits))),
            **setting_ports(config), "idle": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m, c = Module(), self._config
        m.submodules.source = source = RunSource(BYTES)
        m.submodules.packets = packets = SlabPackets(c, BYTES)
        m.submodules.files = files = SlabFiles(c, BYTES)
        m.submodules.cutter = cutter = SlabCutter(c)
        m.submodules.raster = raster = SlabRaster(c)
        wiring.connect(m, wiring.flipped(self.i), source.i)
        wiring.connect(m, source.o, packets.runs)
        wiring.connect(m, wiring.flipped(self.pictures), files.pictures)
        wiring.connect(m, files.words, wiring.flipped(self.o))
        wiring.connect(m, wiring.flipped(self.beats), cutter.beats)
        wiring.connect(m, raster.o, wiring.flipped(self.video))
        m.d.comb += self.idle.eq(~(packets.busy | files.busy | cutter.busy))
        rooms = Signal(c.cores)
        m.d.comb += drive(cutter, self, *setting_ports(c))
        m.d.sync += cutter.room.eq(rooms.all())
        for k in range(c.cores):
            words = BlockFifo(word_layout(BYTES), 64)
            parts = BlockFifo(part_layout(c), 64)
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
def design(name: str) -> Design:
    return Design.of(_Around(KINDS[name].config))


def run(name: str, inputs: dict, stalls, width: int = 0, height: int = 0) -> dict:
    """What comes out; inputs that are not given stay empty."""
    kind = KINDS[name]
    none, cores = {field: [] for field in ("data", "keep", "last")}, range(kind.cores)
    others = {
        "i": none, **{f"s{k}": none for k in cores},
        "pictures": {field: [] for field in setting_ports(kind.config)},
        "beats": {field: [] for field in ("data", "sof", "eol")},
    }
    words = dict.fromkeys(("o", *(f"c{k}" for k in cores)), ("data", "keep", "last"))
    return rtl_stream(
        design(name), others | inputs, words | {"video": ("data", "eol", "keep")},
        stalls=stalls, idle="idle", idle_clocks=200,
        config={"width": width, "height": height, **kind.settings},
    ).outputs  # fmt: skip


def files(
    name: str, *sizes: tuple[int, int], strip: int = STRIP, seed: int = 0
) -> list[bytes]:
    """Files of noise and of smooth images."""
    kind, rng, made = KINDS[name], np.random.default_rng(seed), []
    for k, size in enumerate(kind.sizes(*sizes)):
        shape = size if kind.form.components == 1 else (*size, kind.form.components)
        image = rng.integers(0, 256 if k % 2 else 3, shape).astype(np.uint8)
        made.append(kind.codec.encode(
            image, depth=8, strip_height=kind.form.whole(strip), slabs=kind.cores,
            **kind.form.options(kind.order),
        ))  # fmt: skip
    return made


def parts_of(data: bytes) -> tuple[list[list[bytes]], bytes]:
    """Strips of each slab, and the index."""
    frame = Frame.unpack(data)
    starts, end = split_index(data, frame)
    strips = [data[a:b] for a, b in zip(starts, [*starts[1:], end], strict=True)]
    return [strips[k :: frame.slabs] for k in range(frame.slabs)], data[end:]


def of_cores(data: bytes) -> list[bytes]:
    """What each core is given of a file."""
    strips, index = parts_of(data)
    header = data[: VERSION_2.size]
    return [b"".join([header, *own, index * (k == 0)]) for k, own in enumerate(strips)]


def shared_out(name: str, data: list[bytes], stalls) -> list[list[bytes]]:
    """Files that the cores are given."""
    found = run(name, {"i": file_beats(data, BYTES)}, stalls)
    cores = []
    for k in range(KINDS[name].cores):
        whole, rest = files_of(**found[f"c{k}"], size=BYTES)
        assert not rest
        cores.append(list(whole))
    return cores


@pytest.mark.parametrize("name", slow_but_first(KINDS))
@pytest.mark.parametrize("stalls", STALLS)
def test_files_are_shared_out(name, stalls):
    stalls = {way: stall for way, stall in stalls.items() if way in ("i", "c1")}
    given = [*files(name, (40, 64), (9, 26), (1, 30)), *files(name, (13, 50), strip=5)]
    found = shared_out(name, given, stalls)
    for k, own in enumerate(found):
        assert own == [of_cores(data)[k] for data in given]


@pytest.mark.parametrize("name", slow_but_first(KINDS))
def test_bad_files_end_for_all_cores(name):
    """Cut anywhere, or with a length that is none: the next file comes as it must."""
    good, = files(name, (18, 40))
    wrong = bytearray(good)
    wrong[split_index(good, Frame.unpack(good))[0][5]] = 0x7F
    cuts = [good[:n] for n in (3, 28, 29, 30, 55, len(good) // 2, len(good) - 9, len(good) - 1)]
    others = [VERSION_2["near"].put(good, 1), VERSION_2["channels"].put(good, 2)]
    for bad in (*cuts, bytes(wrong), good + b"more", *others):
        found = shared_out(name, [bad, good], {})
        assert [own[-1] for own in found] == of_cores(good)
        assert all(len(own) == 2 for own in found), len(bad)


@pytest.mark.parametrize("name", slow_but_first(KINDS))
@pytest.mark.parametrize("stalls", STALLS)
def test_strips_become_files(name, stalls):
    kind, sizes = KINDS[name], [(40, 64), (9, 26), (1, 30), (16, 47)]
    given = files(name, *sizes)
    cut = [parts_of(data)[0] for data in given]
    told = [
        {"width": width, "height": height, **kind.settings}
        for height, width in kind.sizes(*sizes)
    ]
    pictures = {field: np.array([picture[field] for picture in told]) for field in told[0]}
    found = run(name, {
        "pictures": pictures,
        **{f"s{k}": file_beats([strip for own in cut for strip in own[k]], BYTES)
           for k in range(kind.cores)},
    }, {"o": stalls["o"]} if stalls else {})
    whole, rest = files_of(**found["o"], size=BYTES)
    assert list(whole) == given and not rest


@pytest.mark.parametrize("name", slow_but_first(KINDS))
@pytest.mark.parametrize(("height", "width"), [(3, 64), (2, 61), (5, 26), (4, 30)])
@pytest.mark.parametrize("stalls", STALLS)
def test_rasters_come_back(name, height, width, stalls):
    """Each beat to the slab of its columns, which puts it to its place again."""
    kind, rng = KINDS[name], np.random.default_rng(width)
    cores, size = kind.cores, kind.config.pixel_bits // 8
    (height, width), = kind.sizes((height, width))
    beats = -(-width // cores)
    given = rng.integers(0, 256, (height, beats, cores * size), dtype=np.uint8)
    data = np.pad(given, ((0, 0), (0, 0), (0, 8 - cores * size))).view("<u8")
    sof, eol = np.zeros((2, height, beats), dtype=int)
    sof[0, 0], eol[:, -1] = 1, 1
    found = run(
        name, {"beats": {"data": data.ravel(), "sof": sof.ravel(), "eol": eol.ravel()}},
        {"video": stalls["video"]} if stalls else {}, width, height,
    )["video"]
    keep = np.full((height, beats), (1 << cores * size) - 1)
    keep[:, -1] = (1 << (width - cores * (beats - 1)) * size) - 1
    kept = (keep[..., None] >> np.arange(cores * size) & 1).astype(bool)
    came = np.asarray(found["data"]).astype("<u8")[:, None].view(np.uint8)[:, : cores * size]
    np.testing.assert_array_equal(came[kept.reshape(came.shape)], given[kept])
    np.testing.assert_array_equal(found["eol"], eol.ravel())
    np.testing.assert_array_equal(found["keep"], keep.ravel())


@pytest.mark.parametrize("slabs", [1, 2, 4, 8])
def test_widest_slab(slabs):
    for width in range(slabs * (slabs - 1) + 1, 200):
        frame = Frame(bytes(8), SampleFormat(), width, 8, 8, slabs=slabs)
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
        PredictiveEncoderCores(KINDS["gray"].config, stream_bytes=1)


@pytest.mark.parametrize("name", slow_but_first(KINDS))
@pytest.mark.parametrize("kind", [PredictiveDecoderCores, PredictiveEncoderCores])
def test_what_stands_around_the_cores_is_made_alone(name, kind):
    """As builds count it: its ports for the cores are theirs."""
    config = KINDS[name].config
    glue, core = kind(config, core_ports=True), kind.core(config, 4)
    ports = glue.signature.members["core1"].signature.members
    assert {port: core.signature.members[port].flip() for port in ports} == dict(ports)
    assert "core1__slab" in to_verilog(glue, "glue")
