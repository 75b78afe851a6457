"""IPs of several cores of profile ``predictive``: see :mod:`.ip` for ports, registers and resets.

Beats of video are those of :mod:`lutgen.gateware.slabs.multi`.  ``PIXELS`` counts pixels, whatever
a beat holds; a late start of frame is counted for each beat that is dropped.
"""

from amaranth.hdl import Cat, DomainRenamer, Module
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from ..core.ports import VIDEO_FIELDS
from ..core.several import beat_layout, beat_ports, raster_layout
from ..predictive.config import PredictiveConfig
from ..predictive.top import DECODER_ERRORS, setting_ports
from ..slabs.side_by_side import DecoderSlabs, EncoderSlabs
from ..slabs.slab_cutter import slab_events
from ..streams.axi import SkidBuffer, word_layout
from .ip import Ip
from .predictive import PredictiveDecoderIp, PredictiveEncoderIp

__all__ = ["SlabDecoderIp", "SlabEncoderIp"]


class SlabEncoder(EncoderSlabs):
    """Encoders side by side between streams; parameters as in `EncoderSlabs`.

    Members
    -------
    pixels : In(stream of `lutgen.gateware.core.several.beat_layout`)
        Raster.
    width, height, (near), (order), (events), bad_size
        See `lutgen.gateware.slabs.slab_cutter.SlabCutter`.
    words : Out(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files, a packet each.
    idle : Out(1)
        Nothing was inside a clock ago.
    """

    def _ports(self, stream_bytes: int) -> dict:
        c = self._config
        return {
            "pixels": In(stream.Signature(beat_layout(c.cores, c.pixel_bits))),
            "words": Out(stream.Signature(word_layout(stream_bytes))),
            **setting_ports(c), **slab_events(c), "bad_size": Out(1), "idle": Out(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        beats, words = wiring.flipped(self.pixels), wiring.flipped(self.words)
        cutter, busy = self._share(m, self._place(m), beats, words, events=True)
        self._tell_idle(m, beats.valid | busy | words.valid)
        m.d.comb += [
            getattr(self, name).eq(getattr(cutter, name))
            for name in (*slab_events(self._config), "bad_size")
        ]
        return m


class SlabDecoder(DecoderSlabs):
    """Decoders side by side between streams; parameters as in `DecoderSlabs`.

    Members
    -------
    words : In(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files, without null beats.
    pixels : Out(stream of `lutgen.gateware.core.several.raster_layout`)
        Their images.
    eof : Out(1)
        With a beat: it is its image's last.
    bad_header, bad_packet, bad_strip : Out(1)
        Pulses, of any core.
    idle : Out(1)
        Nothing was inside a clock ago.
    """

    def _ports(self, stream_bytes: int) -> dict:
        c = self._config
        return {
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "pixels": Out(stream.Signature(raster_layout(c.cores, c.pixel_bits))),
            **dict.fromkeys(("eof", *DECODER_ERRORS, "idle"), Out(1)),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        words, pixels = wiring.flipped(self.words), wiring.flipped(self.pixels)
        pulses, busy = self._share(m, self._place(m), words, pixels, eof=self.eof)
        self._tell_idle(m, words.valid | busy | pixels.valid)
        m.d.comb += [getattr(self, name).eq(pulse) for name, pulse in pulses.items()]
        return m


class _SlabIp(Ip):
    """What both IPs differ in from those of a core.

    Parameters
    ----------
    config, stream_bytes:
        See `lutgen.gateware.ip.ip.BaseEncoderIp`; of 2, 4 or 8 cores.
    core_ports:
        See `lutgen.gateware.core.several.SeveralCores`.

    Attributes
    ----------
    separate
        Verilog modules that are not part of this one's text, by name.
    """

    _config: PredictiveConfig
    _slabs: type[SlabEncoder | SlabDecoder]

    def __init__(
        self, config: PredictiveConfig, *, stream_bytes: int = 4, core_ports: bool = False
    ) -> None:
        self._inner = self._slabs(config, stream_bytes=stream_bytes, core_ports=core_ports)
        self.separate = self._inner.separate
        self._outside = range(config.cores if core_ports else 0)
        of_core = self._slabs.core_signature(config, stream_bytes)
        super().__init__(
            config, stream_bytes=stream_bytes,
            further={f"core{k}": In(of_core) for k in self._outside},
        )

    def _video_ports(self, prefix: str, source: bool) -> dict:
        c = self._config
        return beat_ports(prefix, c.cores, source, bits=c.pixel_bits)

    def _beat(self, source: bool) -> StructLayout:
        layout = raster_layout if source else beat_layout
        return layout(self._config.cores, self._config.pixel_bits)

    def _placed(self, m: Module) -> SlabEncoder | SlabDecoder:
        """The cores and what stands around them, in their domain."""
        m.submodules.core = DomainRenamer("core")(self._inner)
        for k in self._outside:
            inner = getattr(self._inner, f"core{k}")
            wiring.connect(m, wiring.flipped(getattr(self, f"core{k}")), inner)
        return self._inner


class SlabEncoderIp(_SlabIp, PredictiveEncoderIp):
    """Encoder of several cores with registers.

    Throughput is that of `lutgen.gateware.slabs.multi.PredictiveEncoderCores`, and latency a clock
    more.
    """

    _slabs = SlabEncoder

    def _core(self, m: Module) -> tuple:
        core = self._placed(m)
        return core, core.words


class SlabDecoderIp(_SlabIp, PredictiveDecoderIp):
    """Decoder of several cores with registers.

    Throughput is that of `lutgen.gateware.slabs.multi.PredictiveDecoderCores`, and latency a clock
    more.
    """

    _slabs = SlabDecoder
    _given_fields = VIDEO_FIELDS | {"keep": "tkeep"}

    def _core(self, m: Module, words) -> tuple:
        core = self._placed(m)
        # What removes null beats and what reads words each have logic in the way of ``ready``.
        m.submodules.slice_between = between = DomainRenamer("core")(
            SkidBuffer(word_layout(self._bytes))
        )
        wiring.connect(m, words, between.i)
        wiring.connect(m, between.o, core.words)
        return core, between.o.valid

    def _pixels(self, given):
        pixel_bytes = self._config.pixel_bits // 8
        kept = Cat(bit & given for bit in self.m_axis_video_tkeep[::pixel_bytes])
        return sum(kept[k] for k in range(self._config.cores))
