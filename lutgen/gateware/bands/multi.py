"""Tops of several cores behind one pair of ports.

Ports are those of :mod:`lutgen.gateware.core.top`, but for the pixels, of which a beat holds as
many as there are cores, as AXI4-Stream video has it: the leftmost in the low byte, TUSER[0] with
the first beat of a frame, TLAST with the last one of a line.  Each line begins with a beat of its
own.  Where its width is no multiple of the cores, its last beat is filled in part:

- ``s_axis_video``: bytes behind the line's last pixel are ignored; ``width`` says which they are.
- ``m_axis_video``: they are zero, and zero in ``m_axis_video_tkeep``, which sinks that know the
  width may leave open.

Files are those of a single core, byte for byte; so are errors, of which those that the cores find
come as they do.  A band, which is a row of tiles, goes to one core; cores take turns.  So an image
keeps as many cores busy as it has bands, and small images share the cores out among them.

``idle`` as in :mod:`lutgen.gateware.core.top`.  The level to decode is heeded while the whole
decoder is idle.
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.config import CoreConfig
from ..core.decoder import DecoderCore, level_port
from ..core.encoder import EncoderCore
from ..core.ports import STREAM_FIELDS, VIDEO_FIELDS, Top, stream_ports
from ..core.several import SeveralCores, beat_layout, beat_ports, raster_layout
from ..core.top import DECODER_ERRORS, ENCODER_ERRORS, DecoderTop, EncoderTop
from ..streams.axi import SkidBuffer, word_layout
from ..streams.block_fifo import BlockFifo
from ..streams.lut_fifo import LutFifo
from ..streams.run import run_layout
from ..streams.run_source import RunSource
from .band_cutter import BandCutter
from .band_feeder import BandBytes, BandPixels
from .band_files import BandFiles, order_layout
from .band_gather import BandBeats, BandRuns
from .band_packets import BandPackets
from .band_raster import BandRaster
from .bands import (
    band_config,
    band_layout,
    beat_depth,
    cut_layout,
    pixels_layout,
    run_depth,
)

__all__ = ["DecoderCores", "EncoderCores", "decoder_top", "encoder_top"]

#: Bands that wait before a core, and bands on their way for each core.
_WAITING, _UNDER_WAY = 16, 64


def encoder_top(config: CoreConfig, *, cores: int = 1, stream_bytes: int = 4) -> Top:
    """The encoder top for so many cores."""
    if cores == 1:
        return EncoderTop(config, stream_bytes=stream_bytes)
    return EncoderCores(config, cores=cores, stream_bytes=stream_bytes)


def decoder_top(config: CoreConfig, *, cores: int = 1, stream_bytes: int = 4) -> Top:
    """The decoder top for so many cores."""
    if cores == 1:
        return DecoderTop(config, stream_bytes=stream_bytes)
    return DecoderCores(config, cores=cores, stream_bytes=stream_bytes)


class _Alone(wiring.Component):
    """``core`` with the ports that are not ``constants``."""

    def __init__(self, core: wiring.Component, constants: dict[str, int]) -> None:
        self._core, self._constants = core, constants
        super().__init__({
            name: member for name, member in core.signature.members.items()
            if name not in constants
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = self._core
        m.d.comb += [getattr(core, name).eq(value) for name, value in self._constants.items()]
        for name, member in self.signature.members.items():
            mine, its = getattr(self, name), getattr(core, name)
            if member.is_signature:
                wiring.connect(m, wiring.flipped(mine), its)
            elif member.flow is In:
                m.d.comb += its.eq(mine)
            else:
                m.d.comb += mine.eq(its)
        return m


class _Cores(SeveralCores):
    """What both tops share.

    Parameters
    ----------
    config:
        A core, with the largest image.
    cores, stream_bytes:
        See `lutgen.gateware.core.several.SeveralCores`.
    core_ports:
        Leave the cores out and have their ports instead.
    """

    _core: type[EncoderCore] | type[DecoderCore]
    _core_options: dict
    #: Inputs of a core that never change.
    _core_constants: dict[str, int] = {}

    def __init__(
        self, config: CoreConfig, *, cores: int, stream_bytes: int = 4, core_ports: bool = False
    ) -> None:
        self._config = config
        of_core = self._core.signature_of(band_config(config), **self._core_options)
        super().__init__(
            cores, stream_bytes, self._ports(cores, stream_bytes), of_core if core_ports else None
        )

    @classmethod
    def core(cls, config: CoreConfig) -> wiring.Component:
        """A new core, as each of those behind the ports is."""
        return cls._core(band_config(config), **cls._core_options)

    def _new_core(self) -> wiring.Component:
        return self.core(self._config)

    @classmethod
    def alone(cls, config: CoreConfig) -> wiring.Component:
        """A new core with its constant inputs, to look at it on its own."""
        return _Alone(cls.core(config), cls._core_constants)

    def _waiting(self, m: Module, k: int):
        """Queue of bands before core ``k``."""
        m.submodules[f"bands{k}"] = queue = LutFifo(band_layout(self._config), _WAITING)
        return queue

    def _inside(self, m: Module, begins, ends):
        """Bands between the two."""
        inside = Signal(range(self._cores * 256))
        m.d.sync += inside.eq(inside + begins - ends)
        some = Signal(name="some_inside")
        m.d.comb += some.eq(inside.any())
        return some


class EncoderCores(_Cores):
    """Encoder of several cores with AXI4-Stream ports.

    As many pixels per clock as there are cores, as long as each core finds one of its own per clock
    and the stream takes the bytes that come of them.
    """

    module, _core, _core_options = "lutgen_encoder_core", EncoderCore, {}
    _core_constants = {"images": 1}  # a band is a file of its own

    def _ports(self, cores: int, stream_bytes: int) -> dict:
        c = self._config
        return {
            **beat_ports("s_axis_video", cores, source=False),
            **stream_ports("m_axis_stream", stream_bytes, source=True),
            "width": In(bits_for(c.max_width)),
            "height": In(bits_for(c.max_height)),
            "images": In(32),
            "idle": Out(1),
            "error": Out(len(ENCODER_ERRORS)),
            "clear_error": In(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        c, count = self._config, self._cores
        cores = self._place(m)
        m.submodules.cutter = cutter = BandCutter(c, count)
        m.submodules.files = files = BandFiles(c, count, self._bytes)
        m.submodules.order = order = BlockFifo(order_layout(c), count * _UNDER_WAY)
        beats = self._sink(m, "s_axis_video", beat_layout(count), VIDEO_FIELDS, "slice_in")
        words = self._source(
            m, "m_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_out"
        )
        wiring.connect(m, beats, cutter.beats)
        wiring.connect(m, order.o, files.order)
        wiring.connect(m, files.words, words)
        m.d.comb += [
            cutter.width.eq(self.width),
            cutter.height.eq(self.height),
            cutter.images.eq(self.images),
        ]

        # Bands are dealt out in turn.
        cut = cutter.o.payload
        turn = Signal(count, init=1)
        rooms = Signal(count)
        take = cutter.o.valid & cutter.o.ready
        begins = Signal()
        # Registered before the queues, which have room for that.
        dealt, dealt_band = Signal(cut_layout(count)), Signal(band_layout(c))
        deals, deals_band = Signal(count), Signal(count)
        m.d.comb += cutter.o.ready.eq((rooms & turn).any() & order.room)
        m.d.sync += [
            dealt.eq(cut.cut), dealt_band.eq(cut.band),
            deals.eq(turn & take.replicate(count)),
            deals_band.eq(turn & (take & cut.begins).replicate(count)),
            begins.eq(take & cut.begins),
            order.write.eq(take & cut.begins),
            order.data.first.eq(cut.first),
            order.data.last.eq(cut.last),
            order.data.file.eq(cut.file),
        ]  # fmt: skip
        with m.If(take & cut.cut.eob):
            m.d.sync += turn.eq(turn.rotate_left(1))

        for k, core in enumerate(cores):
            waiting = self._waiting(m, k)
            m.submodules[f"beats{k}"] = queue = BlockFifo(cut_layout(count), beat_depth(c, count))
            m.submodules[f"feeder{k}"] = feeder = BandPixels(c, count)
            m.submodules[f"gather{k}"] = gather = BandRuns(c, self._bytes)
            m.submodules[f"runs{k}"] = runs = BlockFifo(
                run_layout(self._bytes), run_depth(c, self._bytes)
            )
            wiring.connect(m, queue.o, feeder.beats)
            wiring.connect(m, waiting.o, feeder.bands)
            wiring.connect(m, runs.o, files.runs[k])
            wiring.connect(m, feeder.pixels, core.pixels)
            wiring.connect(m, core.bytes, gather.bytes)
            m.d.comb += [
                rooms[k].eq(queue.room & waiting.room),
                queue.write.eq(deals[k]),
                queue.data.eq(dealt),
                waiting.i.valid.eq(deals_band[k]),
                waiting.i.payload.eq(dealt_band),
                core.width.eq(feeder.width),
                core.height.eq(feeder.height),
                *[getattr(core, name).eq(v) for name, v in self._core_constants.items()],
                gather.room.eq(runs.room),
                runs.write.eq(gather.write),
                runs.data.eq(gather.run),
            ]

        inside = self._inside(m, begins, files.band_ends)
        held = beats.valid | cutter.busy | begins | inside | files.busy
        empty = ~(held | self.m_axis_stream_tvalid)
        m.d.sync += self.idle.eq(Cat(core.idle for core in cores).all() & empty)
        # Bands are what the cores expect; only the cutter can be surprised.
        pulses = []
        for name in ENCODER_ERRORS:
            pulse = Signal(name=name)
            m.d.sync += pulse.eq(getattr(cutter, name))
            pulses.append(pulse)
        self._sticky(m, self.error, self.clear_error, pulses)
        return m


class DecoderCores(_Cores):
    """Decoder of several cores with AXI4-Stream ports.

    As many pixels per clock as there are cores, as long as the stream brings the bytes that they
    need, and the cores have the tiles that :class:`lutgen.gateware.core.decoder.DecoderCore` wants.
    """

    module, _core, _core_options = "lutgen_decoder_core", DecoderCore, {"events": True}

    def _ports(self, cores: int, stream_bytes: int) -> dict:
        return {
            **stream_ports("s_axis_stream", stream_bytes, source=False),
            **beat_ports("m_axis_video", cores, source=True),
            **level_port(self._config),
            "idle": Out(1),
            "error": Out(len(DECODER_ERRORS)),
            "clear_error": In(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        c, count = self._config, self._cores
        cores = self._place(m)
        m.submodules.source = source = RunSource(self._bytes)
        m.submodules.packets = packets = BandPackets(c, count, self._bytes)
        m.submodules.raster = raster = BandRaster(count)
        m.submodules.firsts = firsts = BlockFifo(1, count * _UNDER_WAY)
        words, entering = self._packets(m, "s_axis_stream", self._bytes)
        pixels = self._source(
            m, "m_axis_video", raster_layout(count), VIDEO_FIELDS | {"keep": "tkeep"}, "slice_out"
        )
        wiring.connect(m, words, source.i)
        m.submodules.slice_runs = slice_runs = SkidBuffer(run_layout(self._bytes))
        wiring.connect(m, source.o, slice_runs.i)
        wiring.connect(m, slice_runs.o, packets.i)
        wiring.connect(m, firsts.o, raster.firsts)
        wiring.connect(m, raster.o, pixels)
        begins = packets.begins
        m.d.comb += [firsts.write.eq(begins), firsts.data.eq(packets.first)]

        if c.model.levels:
            # After a reset a file may come before the cores have cleared themselves, which wait
            # for it; each of them then takes the level when it is idle.
            level, awake = Signal.like(self.level), Signal()
            m.d.sync += awake.eq(awake | Cat(core.idle for core in cores).all())
            with m.If(self.idle | ~awake):
                m.d.sync += level.eq(self.level)
        for k, core in enumerate(cores):
            waiting = self._waiting(m, k)
            m.submodules[f"runs{k}"] = queue = BlockFifo(
                run_layout(self._bytes), run_depth(c, self._bytes)
            )
            m.submodules[f"feeder{k}"] = feeder = BandBytes(c, self._bytes)
            m.submodules[f"gather{k}"] = gather = BandBeats(count)
            m.submodules[f"beats{k}"] = beats = BlockFifo(
                pixels_layout(count), beat_depth(c, count)
            )
            wiring.connect(m, queue.o, feeder.runs)
            wiring.connect(m, waiting.o, feeder.bands)
            wiring.connect(m, beats.o, raster.beats[k])
            wiring.connect(m, feeder.bytes, core.bytes)
            wiring.connect(m, core.pixels, gather.pixels)
            m.d.comb += [
                packets.room[k].eq(queue.room),
                packets.band_room[k].eq(waiting.room & firsts.room),
                queue.write.eq(packets.write[k]),
                queue.data.eq(packets.run),
                waiting.i.valid.eq(packets.band_begins[k]),
                waiting.i.payload.eq(packets.band),
                gather.eof.eq(core.eof),
                gather.room.eq(beats.room),
                beats.write.eq(gather.write),
                beats.data.eq(gather.beat),
            ]
            if c.model.levels:
                m.d.comb += core.level.eq(level)

        inside = self._inside(m, begins, raster.band_ends)
        held = (
            entering | source.o.valid | slice_runs.o.valid | packets.busy | begins
            | inside | raster.o.valid
        )  # fmt: skip
        m.d.sync += self.idle.eq(
            Cat(core.idle for core in cores).all() & ~(held | self.m_axis_video_tvalid)
        )
        # Headers are checked before the cores, tiles by them, packets by both.
        pulses = []
        for name in DECODER_ERRORS:
            of_cores = Cat(getattr(core, name) for core in cores)
            pulse = Signal(name=name)
            if name == "bad_tile":
                m.d.sync += pulse.eq(of_cores.any())
            elif name == "bad_packet":
                m.d.sync += pulse.eq(packets.bad_packet | of_cores.any())
            else:
                m.d.sync += pulse.eq(getattr(packets, name))
            pulses.append(pulse)
        self._sticky(m, self.error, self.clear_error, pulses)
        return m
