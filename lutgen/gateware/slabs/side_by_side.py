"""Cores of slabs side by side, and what stands between their streams and those of the whole.

Tops (:mod:`.multi`) have ports around it, IPs (:mod:`lutgen.gateware.ip.slabs`) registers.
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.several import SeveralCores, queue_depth
from ..fabric.pipeline import drive
from ..predictive.config import PredictiveConfig
from ..predictive.decoder import PredictiveDecoder
from ..predictive.encoder import PredictiveEncoder
from ..predictive.top import DECODER_ERRORS, setting_ports
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

__all__ = ["DecoderSlabs", "EncoderSlabs"]

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


class _Slabs(SeveralCores):
    """What encoders and decoders share.

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
        of_core = self.core_signature(config, stream_bytes)
        super().__init__(
            config.cores, stream_bytes, self._ports(stream_bytes), of_core if core_ports else None
        )

    def _ports(self, stream_bytes: int) -> dict:
        """Ports of the whole."""
        raise NotImplementedError

    @classmethod
    def core_signature(cls, config: PredictiveConfig, stream_bytes: int) -> wiring.Signature:
        """What is used of a core's ports."""
        return wiring.Signature(cls._core_ports(config, stream_bytes) | {
            "slab": In(slab_bits(config.cores)), "idle": Out(1),
        })  # fmt: skip

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


class EncoderSlabs(_Slabs):
    """Encoders side by side.

    Throughput is that of the tops, see `.multi.PredictiveEncoderCores`.  Reset forgets all
    pictures.
    """

    module = "lutgen_encoder_core"

    @staticmethod
    def core(config: PredictiveConfig, stream_bytes: int) -> PredictiveEncoder:
        """A new core, as each of them is."""
        return PredictiveEncoder(**config.of_encoder, stream_bytes=stream_bytes)

    @staticmethod
    def _core_ports(config: PredictiveConfig, stream_bytes: int) -> dict:
        return {
            "pixels": In(stream.Signature(config.pixel)),
            "words": Out(stream.Signature(word_layout(stream_bytes))),
            "image_width": In(16),
            **setting_ports(config),
            "width": In(bits_for(config.slab_width)),
        }

    def _share(self, m: Module, cores: list, beats, words, *, events: bool = False):
        """Parts from the raster, ``beats``, to the cores, and from these to the files, ``words``.

        Returns the cutter, and whether anything is inside.
        """
        c = self._config
        settings = setting_ports(c)
        m.submodules.cutter = cutter = SlabCutter(c, events=events)
        m.submodules.files = files = SlabFiles(c, self._bytes)
        m.submodules.pictures = pictures = LutFifo(picture_layout(c), _UNDER_WAY)
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
        return cutter, cutter.busy | Cat(held).any() | pictures.busy | files.busy


class DecoderSlabs(_Slabs):
    """Decoders side by side.

    Throughput is that of the tops, see `.multi.PredictiveDecoderCores`.  Reset forgets all files.
    """

    module = "lutgen_decoder_core"

    @staticmethod
    def core(config: PredictiveConfig, stream_bytes: int) -> PredictiveDecoder:
        """A new core, as each of them is."""
        return PredictiveDecoder(**config.of_decoder, stream_bytes=stream_bytes)

    @staticmethod
    def _core_ports(config: PredictiveConfig, stream_bytes: int) -> dict:
        return {
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "pixels": Out(stream.Signature(config.pixel)),
            "eof": Out(1),
            **dict.fromkeys(DECODER_ERRORS, Out(1)),
        }

    def _share(self, m: Module, cores: list, words, pixels, *, eof=None):
        """Parts from the files, ``words``, to the cores, and from these to the raster, ``pixels``.

        ``eof`` is set with the last beat of each image.  Returns what is told of errors by name, a
        clock late, and whether anything is inside.
        """
        c = self._config
        marked = eof is not None
        m.submodules.source = source = RunSource(self._bytes)
        m.submodules.slice_runs = slice_runs = SkidBuffer(run_layout(self._bytes))
        m.submodules.packets = packets = SlabPackets(c, self._bytes)
        m.submodules.raster = raster = SlabRaster(c, eof=marked)
        wiring.connect(m, words, source.i)
        wiring.connect(m, source.o, slice_runs.i)
        wiring.connect(m, slice_runs.o, packets.runs)
        wiring.connect(m, raster.o, pixels)
        if marked:
            m.d.comb += eof.eq(raster.eof)
        held = []
        for k, core in enumerate(cores):
            m.submodules[f"strips{k}"] = strips = BlockFifo(
                word_layout(self._bytes), strip_depth(c, self._bytes)
            )
            m.submodules[f"gather{k}"] = gather = SlabGather(c, eof=marked)
            m.submodules[f"parts{k}"] = parts = BlockFifo(
                part_layout(c, eof=marked), row_depth(c)
            )
            if marked:
                m.d.comb += gather.eof.eq(core.eof)
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
        pulses = {}
        for name in DECODER_ERRORS:
            pulses[name] = pulse = Signal(name=name)
            m.d.sync += pulse.eq(Cat(getattr(core, name) for core in cores).any())
        return pulses, source.o.valid | slice_runs.o.valid | packets.busy | Cat(held).any()
