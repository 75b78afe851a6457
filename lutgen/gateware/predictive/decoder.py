"""Decoder core of profile ``predictive``: files in, pixels out, one sample per clock."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel

from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import drive
from ..fabric.timeline import Timeline
from ..files.raster import pixel_layout
from ..prediction.fold import UNFOLD_LATENCY, add_unfold
from ..prediction.near import RESTORE_LATENCY, Near, NearTables
from ..prediction.quantities import Widths
from ..streams.axi import word_layout
from ..strips.payload_store import PayloadStore
from ..strips.slabs import slab_bits, widest_slab
from ..strips.strip_decoder import StripDecoder
from ..strips.strip_files import file_layout
from ..strips.strip_reader import StripReader
from .group_blocks import GroupBlocks
from .group_memory import GroupMemory
from .group_source import GroupSource
from .picture_out import PictureOut
from .planes import Planes
from .planes_out import PlanesOut
from .walk import PRIMING, Walk

__all__ = ["PredictiveDecoder"]


class PredictiveDecoder(wiring.Component):
    """Decodes files of one image each.

    Pictures of W columns take ``4 * max(17 * lanes, W + 3)`` clocks for each four rows, so 1.002
    clocks a pixel at 1,920.  Reset forgets all files.

    Parameters
    ----------
    model:
        The codec model; one of colour or of colour filter arrays decodes files of these.
    depth:
        Bits of a sample.
    lanes:
        Groups that are decoded side by side: 15 or more, so that a period is as long as the loop.
        A period waits until the next payload is there, while one of each lane is being decoded: the
        payload ring holds them all.
    max_width, max_height:
        Largest image.
    stream_bytes:
        Bytes of a beat of the files.
    max_near:
        Greatest near of a file, the error of its samples; files of greater ones have a bad header.
    fabric:
        Whose memories to use.
    slabs:
        Parts from left to right that an image is cut into.  Of more than one, a core decodes one
        slab of each file, see `lutgen.gateware.strips.strip_reader.StripReader`.
    max_strip_height:
        Rows of a strip at most; those of an image unless given.

    Members
    -------
    slab : In(...)
        With ``slabs``: number of the slab.
    words : In(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files, without null beats.
    pixels : Out(stream of `lutgen.gateware.files.raster.pixel_layout`)
        Their images.
    eof : Out(1)
        With a pixel: it is its image's last.
    bad_header, bad_packet, bad_strip : Out(1)
        Pulses, see `lutgen.gateware.strips.strip_decoder.StripDecoder`.
    idle : Out(1)
        Nothing was inside the core a clock ago.
    """

    def __init__(
        self, model: PredictiveModel | ColourModel, depth: int, *, lanes: int = 16, max_width: int,
        max_height: int, stream_bytes: int = 4, max_near: int = 0, fabric: Fabric = LUT6,
        slabs: int = 1, max_strip_height: int | None = None,
    ) -> None:  # fmt: skip
        planes = Planes.of(model)
        channels = planes.channels
        width, max_height = planes.columns(max_width), planes.lines(max_height)
        max_strip_height = max_strip_height and planes.lines(max_strip_height)
        max_width = widest_slab(width, slabs)
        self._depth, self._lanes = depth, lanes
        self._near = near = Near(depth, max_near) if max_near else None
        words = (lanes + 1) * StripReader.words_of(max_width, depth)
        self._strips = strips = StripDecoder(
            model_hash=bytes.fromhex(model.hash)[:8], cumulative=planes.cumulative, depth=depth,
            max_width=width, max_height=max_height, lanes=2 * lanes, stream_bytes=stream_bytes,
            max_near=max_near, channels=channels, slabs=slabs, max_strip_height=max_strip_height,
            address_bits=(words + PayloadStore.margin - 1).bit_length(),
        )  # fmt: skip
        after = strips.latency + UNFOLD_LATENCY + (RESTORE_LATENCY if near else 0)
        self._loop = planes.loop(
            depth, lanes, max_width, sample_after=after, fabric=fabric, near=near
        )
        self._gray = planes.count == 1
        memory: GroupBlocks | GroupMemory
        if self._gray:
            memory = blocks = GroupBlocks(
                max_width, lanes, self._loop.least_stagger, depth=depth, decodes=True,
                fabric=fabric,
            )  # fmt: skip
            self._out = PictureOut(depth, blocks, lanes=lanes)
        else:
            memory = groups = GroupMemory(
                max_width, lanes, planes=planes.count, order_bits=channels.order_bits
            )
            self._out = PlanesOut(planes, depth, groups, fabric=fabric)
        self._group = memory.layout
        self._source = GroupSource(
            file_layout(depth, max_width, max_height, channels), memory, max_height=max_height,
            near_bits=near.bits if near else 0, planes=planes.count,
        )  # fmt: skip
        self._walk = Walk(
            lanes, max_width, least=self._loop.least_stagger, tag=self._source.tag.size,
            planes=planes.count,
        )  # fmt: skip
        super().__init__({
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "pixels": Out(stream.Signature(pixel_layout(depth * planes.components))),
            "eof": Out(1),
            "bad_header": Out(1),
            "bad_packet": Out(1),
            "bad_strip": Out(1),
            "idle": Out(1),
            **({"slab": In(slab_bits(slabs))} if slabs > 1 else {}),
        })

    @property
    def loop_clocks(self) -> dict[str, int]:
        """Clocks from a visit to what is there of it by then; ``record`` closes the loop."""
        folded = self._loop.latency + self._strips.latency
        return self._loop.clocks | {"folded residual": folded}

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.strips, m.submodules.loop = strips, loop = self._strips, self._loop
        m.submodules.out, m.submodules.source = out, source = self._out, self._source
        m.submodules.walk = walk = self._walk
        wiring.connect(m, wiring.flipped(self.words), strips.words)
        wiring.connect(m, strips.files, source.files)
        wiring.connect(m, source.groups, walk.groups)
        wiring.connect(m, out.pixels, wiring.flipped(self.pixels))
        if hasattr(self, "slab"):
            m.d.comb += strips.slab.eq(self.slab)
        line = Timeline(m)
        visit = {
            name: line.given(f"visit_{name}", getattr(walk.visit, name), reset=name == "sample")
            for name in walk.visit.shape().members
        }
        asks = loop.latency
        # The two groups that a lane may have under way are two lanes of the strips'.
        lane = visit["lane"].at(asks - 1)
        payload = line.register(
            "payload", Mux(visit["side"].at(asks - 1), lane + self._lanes, lane), asks - 1
        )
        m.d.comb += [
            walk.width.eq(source.walk_width),
            source.walking.eq(walk.busy),
            source.waiting.eq(strips.waiting),
            source.freed.eq(out.freed),
            *[getattr(loop.visit, name).eq(getattr(walk.visit, name))
              for name in loop.visit.shape().members],
            strips.valid.eq(visit["sample"].at(asks)),
            strips.lane.eq(payload.now),
            strips.row.eq(loop.row),
            strips.first.eq(visit["first"].at(asks)),
            strips.last.eq(visit["last"].at(asks)),
            *drive(self, strips, "bad_header", "bad_packet", "bad_strip"),
            *drive(self, out, "eof"),
        ]  # fmt: skip
        answers = asks + strips.latency
        near, greatest = None, None
        if self._near:
            given = line.given("near", source.tag(walk.visit.tag).near)
            m.d.comb += loop.near.eq(given.now)
            near = NearTables(m, line, self._near, given)
            greatest = near.greatest(asks)
        sample = add_unfold(
            line, Widths(self._depth), line.given("whole", loop.whole, asks),
            line.given("below", loop.below, asks), line.given("folded", strips.folded, answers),
            greatest,
        )  # fmt: skip
        if near:
            sample = near.add_restored(sample)
        at = sample.clock
        group = self._group(visit["tag"].at(at)[: self._group.size])
        ahead = visit["ahead"].at(at)
        m.d.comb += [
            loop.sample.eq(sample.now),
            out.write.eq(visit["sample"].at(at)),
            out.base.eq(group.base),
            out.row.eq(visit["row"].at(at)),
            out.column.eq(ahead - PRIMING),
            out.sample.eq(sample.now),
            out.finish.eq(Cat(visit["sample"].at(at), visit["last"].at(at)).all()),
            out.group.eq(group),
        ]
        if self._gray:
            m.d.comb += [out.lane.eq(visit["lane"].at(at)), walk.hold.eq(out.low)]
        m.d.sync += self.idle.eq(~(strips.busy | source.busy | walk.busy | out.busy))
        return m
