"""Tops of several cores of profile ``predictive`` behind one pair of ports.

Ports are those of :mod:`lutgen.gateware.predictive.top`, but for the pixels, of which a beat holds
as many as there are cores, the leftmost lowest, each in whole bytes.  A line begins with a beat of
its own.  Where its width is no multiple of the cores, its last beat is filled in part:

- ``s_axis_video``: what is behind the line's last pixel is ignored; ``width`` says which that is.
- ``m_axis_video``: it is zero, and zero in ``m_axis_video_tkeep``, which has a bit for each byte.

Each core codes one slab of every image (:mod:`lutgen.codec.predictive.container`).  Files are those
of the reference with as many slabs and strips of the configured height; a decoder refuses files of
other slabs, or of higher strips, as ``bad_header``: it holds a strip of each slab.  Errors as those
of a single core; damage of one slab's payloads does not touch the others.
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.ports import STREAM_FIELDS, VIDEO_FIELDS, stream_ports
from ..core.several import SeveralCores, beat_layout, beat_ports, queue_depth, raster_layout
from ..fabric.pipeline import drive
from ..predictive.config import PredictiveConfig
from ..predictive.decoder import PredictiveDecoder
from ..predictive.encoder import PredictiveEncoder
from ..predictive.top import DECODER_ERRORS, ENCODER_ERRORS, setting_ports
from ..streams.axi import SkidBuffer, word_layout
from ..streams.block_fifo import BlockFifo
from ..streams.lut_fifo import LutFifo
from ..streams.run import run_layout
from ..streams.run_source import RunSource
from ..strips.slabs import slab_bits
from .layouts import part_layout, picture_layout
from .slab_cutter import SlabCutter
from .slab_files import SlabFiles
from .slab_packets import SlabPackets
from .slab_raster import SlabRaster
from .slab_samples import SlabFeeder, SlabGather

__all__ = ["PredictiveDecoderCores", "PredictiveEncoderCores"]

#: Pictures that wait before a core, and files that are under way.
_WAITING, _UNDER_WAY = 16, 64
#: Clocks from a word's entry into a queue until it is shown, at most.
_UNSEEN = 8
#: Words of a strip's queue for lengths, checksum, words in part, and what it keeps free.
_BESIDES = 24


def strip_depth(config: PredictiveConfig, count: int) -> int:
    """Words that hold any strip of a slab: the cores of other slabs go on when it is taken."""
    return queue_depth(-(-(config.strip_bytes + 5 * config.strip_groups) // count) + _BESIDES)


def row_depth(config: PredictiveConfig) -> int:
    """Beats of two parts of rows of a slab, so that one is filled while the other is read."""
    return queue_depth(2 * config.slab_width // config.cores)


class _Cores(SeveralCores):
    """What both tops share.

    Parameters
    ----------
    config:
        The cores, 2, 4 or 8.
    stream_bytes:
        See `lutgen.gateware.core.several.SeveralCores`.
    core_ports:
        Leave the cores out and have their ports instead.
    """

    def __init__(
        self, config: PredictiveConfig, *, stream_bytes: int = 4, core_ports: bool = False
    ) -> None:
        self._config = config
        of_core = wiring.Signature(self._core_ports(stream_bytes) | {
            "slab": In(slab_bits(config.cores)), "idle": Out(1),
        })  # fmt: skip
        super().__init__(
            config.cores, stream_bytes, self._ports(stream_bytes), of_core if core_ports else None
        )

    def _new_core(self) -> wiring.Component:
        return self.core(self._config, self._bytes)

    def _place(self, m: Module) -> list:
        cores = super()._place(m)
        m.d.comb += [core.slab.eq(k) for k, core in enumerate(cores)]
        return cores

    def _tell_idle(self, m: Module, busy) -> None:
        """Idle is what nobody has been busy in for some clocks: queues of memory show a word that
        late.
        """
        some = Signal(_UNSEEN, name="some_inside")
        m.d.sync += [some.eq(Cat(busy, some)), self.idle.eq(~(busy | some.any()))]

    def _video(self, prefix: str, source: bool) -> dict:
        c = self._config
        return beat_ports(prefix, c.cores, source, bits=c.pixel_bits)


class PredictiveEncoderCores(_Cores):
    """Encoder of several cores with AXI4-Stream ports.

    As many samples per clock as there are cores, of RGB a third as many pixels, but for what each
    core needs besides, see `lutgen.gateware.predictive.encoder.PredictiveEncoder`, as long as
    the stream takes the bytes.
    """

    module = "lutgen_encoder_core"

    @staticmethod
    def core(config: PredictiveConfig, stream_bytes: int) -> PredictiveEncoder:
        """A new core, as each of those behind the ports is."""
        return PredictiveEncoder(**config.of_encoder, stream_bytes=stream_bytes)

    def _core_ports(self, stream_bytes: int) -> dict:
        """What is used of a core's ports."""
        c = self._config
        return {
            "pixels": In(stream.Signature(c.pixel)),
            "words": Out(stream.Signature(word_layout(stream_bytes))),
            "image_width": In(16),
            **setting_ports(c),
            "width": In(bits_for(c.slab_width)),
        }

    def _ports(self, stream_bytes: int) -> dict:
        return {
            **self._video("s_axis_video", source=False),
            **stream_ports("m_axis_stream", stream_bytes, source=True),
            **setting_ports(self._config),
            "idle": Out(1),
            "error": Out(len(ENCODER_ERRORS)),
            "clear_error": In(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        settings = setting_ports(c)
        cores = self._place(m)
        m.submodules.cutter = cutter = SlabCutter(c)
        m.submodules.files = files = SlabFiles(c, self._bytes)
        m.submodules.pictures = pictures = LutFifo(picture_layout(c), _UNDER_WAY)
        beats = self._sink(
            m, "s_axis_video", beat_layout(c.cores, c.pixel_bits), VIDEO_FIELDS, "slice_in"
        )
        words = self._source(
            m, "m_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_out"
        )
        wiring.connect(m, beats, cutter.beats)
        wiring.connect(m, pictures.o, files.pictures)
        wiring.connect(m, files.words, words)
        m.d.comb += [
            *drive(cutter, self, *settings),
            pictures.i.valid.eq(cutter.begins),
            pictures.i.payload.eq(cutter.picture),
        ]
        rooms, held = [pictures.room], []
        for k, core in enumerate(cores):
            m.submodules[f"pictures{k}"] = waiting = LutFifo(picture_layout(c), _WAITING)
            m.submodules[f"parts{k}"] = parts = BlockFifo(part_layout(c), row_depth(c))
            m.submodules[f"feeder{k}"] = feeder = SlabFeeder(c, k)
            m.submodules[f"strips{k}"] = strips = BlockFifo(
                word_layout(self._bytes), strip_depth(c, self._bytes)
            )
            wiring.connect(m, parts.o, feeder.parts)
            wiring.connect(m, waiting.o, feeder.pictures)
            wiring.connect(m, feeder.pixels, core.pixels)
            wiring.connect(m, strips.o, files.strips[k])
            rooms += [parts.room, waiting.room]
            held += [feeder.busy, waiting.busy, ~core.idle, strips.o.valid]
            m.d.comb += [
                waiting.i.valid.eq(cutter.begins), waiting.i.payload.eq(cutter.picture),
                parts.write.eq(cutter.write[k]), parts.data.eq(cutter.part),
                *drive(core, feeder, "image_width", *settings),
                core.words.ready.eq(strips.room),
                strips.write.eq(core.words.valid & strips.room),
                strips.data.eq(core.words.payload),
            ]  # fmt: skip
        m.d.sync += cutter.room.eq(Cat(rooms).all())
        self._tell_idle(
            m, beats.valid | cutter.busy | Cat(held).any() | pictures.busy | files.busy
            | words.valid | self.m_axis_stream_tvalid
        )  # fmt: skip
        self._sticky(
            m, self.error, self.clear_error, [getattr(cutter, name) for name in ENCODER_ERRORS]
        )
        return m


class PredictiveDecoderCores(_Cores):
    """Decoder of several cores with AXI4-Stream ports.

    As many samples per clock as there are cores, of RGB a third as many pixels, but for what each
    core needs besides, see `lutgen.gateware.predictive.decoder.PredictiveDecoder`, as long as
    the stream brings the bytes.
    """

    module = "lutgen_decoder_core"

    @staticmethod
    def core(config: PredictiveConfig, stream_bytes: int) -> PredictiveDecoder:
        """A new core, as each of those behind the ports is."""
        return PredictiveDecoder(**config.of_decoder, stream_bytes=stream_bytes)

    def _core_ports(self, stream_bytes: int) -> dict:
        """What is used of a core's ports."""
        return {
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "pixels": Out(stream.Signature(self._config.pixel)),
            **dict.fromkeys(DECODER_ERRORS, Out(1)),
        }

    def _ports(self, stream_bytes: int) -> dict:
        return {
            **stream_ports("s_axis_stream", stream_bytes, source=False),
            **self._video("m_axis_video", source=True),
            "idle": Out(1),
            "error": Out(len(DECODER_ERRORS)),
            "clear_error": In(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        cores = self._place(m)
        m.submodules.source = source = RunSource(self._bytes)
        m.submodules.slice_runs = slice_runs = SkidBuffer(run_layout(self._bytes))
        m.submodules.packets = packets = SlabPackets(c, self._bytes)
        m.submodules.raster = raster = SlabRaster(c)
        words, entering = self._packets(m, "s_axis_stream", self._bytes)
        pixels = self._source(
            m, "m_axis_video", raster_layout(c.cores, c.pixel_bits),
            VIDEO_FIELDS | {"keep": "tkeep"}, "slice_out",
        )  # fmt: skip
        wiring.connect(m, words, source.i)
        wiring.connect(m, source.o, slice_runs.i)
        wiring.connect(m, slice_runs.o, packets.runs)
        wiring.connect(m, raster.o, pixels)
        held = []
        for k, core in enumerate(cores):
            m.submodules[f"strips{k}"] = strips = BlockFifo(
                word_layout(self._bytes), strip_depth(c, self._bytes)
            )
            m.submodules[f"gather{k}"] = gather = SlabGather(c)
            m.submodules[f"parts{k}"] = parts = BlockFifo(part_layout(c), row_depth(c))
            wiring.connect(m, strips.o, core.words)
            wiring.connect(m, core.pixels, gather.pixels)
            wiring.connect(m, parts.o, raster.parts[k])
            held += [~core.idle, strips.o.valid, core.pixels.valid, gather.write, parts.o.valid]
            m.d.comb += [
                packets.rooms[k].eq(strips.room),
                strips.write.eq(packets.write[k]), strips.data.eq(packets.word),
                gather.room.eq(parts.room),
                parts.write.eq(gather.write), parts.data.eq(gather.part),
            ]  # fmt: skip
        self._tell_idle(
            m, entering | source.o.valid | slice_runs.o.valid | packets.busy | Cat(held).any()
            | pixels.valid | self.m_axis_video_tvalid
        )  # fmt: skip
        pulses = []
        for name in DECODER_ERRORS:
            pulse = Signal(name=name)
            m.d.sync += pulse.eq(Cat(getattr(core, name) for core in cores).any())
            pulses.append(pulse)
        self._sticky(m, self.error, self.clear_error, pulses)
        return m
