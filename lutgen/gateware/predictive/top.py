"""Tops of profile ``predictive``: the cores behind AXI4-Stream ports.

Ports are those of :mod:`lutgen.gateware.core.top`, without ``images`` and ``level``: each picture
is a file of its own.  TDATA of video has whole bytes, a sample in its low bits, or the components
of a pixel as :mod:`.pixel_order` has them; bits above are not looked at, and come out as zeros.

Where the configuration's ``max_near`` is not 0, the encoder has a port ``near`` besides: the
greatest error of the next picture's samples, which like its size must have been stable for two
clocks when it begins.  The decoder takes that of each file.

An encoder of colour has the port ``order``, that of the planes in the next picture's file, which is
sampled as the size is; of a colour filter array it is the pattern.  A decoder takes what files say.

Error bits of an encoder: 0 misplaced TUSER or TLAST, 1 impossible size, near or order.  Error bits
of a decoder: 0 not a file of this build, 1 packet damaged or cut short, 2 checksum of a strip
wrong.  After any error the core goes on with the next picture or file.
"""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.ports import (
    STREAM_FIELDS,
    VIDEO_FIELDS,
    Top,
    check_stream_bytes,
    stream_ports,
    video_ports,
)
from ..fabric.pipeline import drive
from ..streams.axi import SkidBuffer, word_layout
from .config import PredictiveConfig
from .decoder import PredictiveDecoder
from .encoder import PredictiveEncoder
from .pixel_order import order_bits

__all__ = [
    "DECODER_ERRORS", "ENCODER_ERRORS", "PredictiveDecoderTop", "PredictiveEncoderTop",
    "setting_ports",
]  # fmt: skip

ENCODER_ERRORS = ("bad_marker", "bad_size")
DECODER_ERRORS = ("bad_header", "bad_packet", "bad_strip")


def setting_ports(config: PredictiveConfig) -> dict:
    """Ports of what an encoder is told of a picture, by their names."""
    bits = order_bits(config.planes)
    return {
        "width": In(bits_for(config.max_width)),
        "height": In(bits_for(config.max_height)),
        **({"near": In(bits_for(config.max_near))} if config.max_near else {}),
        **({"order": In(bits)} if bits else {}),
    }


class PredictiveEncoderTop(Top):
    """Encoder with AXI4-Stream ports.

    Parameters
    ----------
    config:
        The core.
    stream_bytes:
        Width of the stream's TDATA in bytes: 1, 2, 4 or 8.
    """

    def __init__(self, config: PredictiveConfig, *, stream_bytes: int = 4) -> None:
        check_stream_bytes(stream_bytes)
        self._config, self._bytes = config, stream_bytes
        super().__init__({
            **video_ports("s_axis_video", source=False, bits=config.pixel_bits),
            **stream_ports("m_axis_stream", stream_bytes, source=True),
            **setting_ports(config),
            "idle": Out(1),
            "error": Out(len(ENCODER_ERRORS)),
            "clear_error": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        m.submodules.core = core = PredictiveEncoder(
            **c.of_encoder, stream_bytes=self._bytes
        )
        pixels = self._sink(m, "s_axis_video", c.pixel, VIDEO_FIELDS, "slice_in")
        words = self._source(
            m, "m_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_out"
        )
        wiring.connect(m, pixels, core.pixels)
        wiring.connect(m, core.words, words)
        m.d.comb += drive(core, self, *setting_ports(c))
        m.d.sync += self.idle.eq(
            core.idle & ~(pixels.valid | core.words.valid | self.m_axis_stream_tvalid)
        )
        self._sticky(
            m, self.error, self.clear_error, [getattr(core, name) for name in ENCODER_ERRORS]
        )
        return m


class PredictiveDecoderTop(Top):
    """Decoder with AXI4-Stream ports.  Parameters as in :class:`PredictiveEncoderTop`."""

    def __init__(self, config: PredictiveConfig, *, stream_bytes: int = 4) -> None:
        check_stream_bytes(stream_bytes)
        self._config, self._bytes = config, stream_bytes
        super().__init__({
            **stream_ports("s_axis_stream", stream_bytes, source=False),
            **video_ports("m_axis_video", source=True, bits=config.pixel_bits),
            "idle": Out(1),
            "error": Out(len(DECODER_ERRORS)),
            "clear_error": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        m.submodules.core = core = PredictiveDecoder(
            **c.of_decoder, stream_bytes=self._bytes
        )
        # What removes null beats and what reads words each have logic in the way of ``ready``.
        m.submodules.slice_words = between = SkidBuffer(word_layout(self._bytes))
        words, entering = self._packets(m, "s_axis_stream", self._bytes)
        pixels = self._source(m, "m_axis_video", c.pixel, VIDEO_FIELDS, "slice_out")
        wiring.connect(m, words, between.i)
        wiring.connect(m, between.o, core.words)
        wiring.connect(m, core.pixels, pixels)
        # The core's own flag is one clock old: nothing may have entered since.
        held = entering | between.o.valid | core.pixels.valid | self.m_axis_video_tvalid
        m.d.sync += self.idle.eq(core.idle & ~held)
        self._sticky(
            m, self.error, self.clear_error, [getattr(core, name) for name in DECODER_ERRORS]
        )
        return m
