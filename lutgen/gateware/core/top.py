"""Tops: cores behind AXI4-Stream ports, under the names that block designs expect.

========================  =====================================================================
port                      meaning
========================  =====================================================================
``s_axis_video_*``        pixels in: TDATA of 8 bits, TUSER start of frame, TLAST end of line
``m_axis_video_*``        pixels out, likewise
``s_axis_stream_*``       files in: TDATA, TKEEP, TLAST at the end of the file
``m_axis_stream_*``       files out, likewise
``width``, ``height``     image size in pixels, sampled when a file begins (encoder)
``images``                images of a file (encoder)
``level``                 level to decode, if the model has any: 0 for the images; heeded while
                          the decoder is idle
``idle``                  nothing was inside two clocks ago
``error``                 sticky error bits, see below
``clear_error``           clears them
========================  =====================================================================

Error bits of an encoder: 0 misplaced TUSER or TLAST, 1 impossible size.  Error bits of a decoder:
0 not a file of this format and geometry, 1 another model's, 2 packets damaged or cut short,
3 corrupt tile.  After any error the core goes on with the next frame or file.
"""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.pipeline import delay
from ..files.raster import PIXEL
from ..streams.axi import BYTE, BytesToWords, SkidBuffer, WordsToBytes, word_layout
from .config import CoreConfig
from .decoder import DecoderCore, level_port
from .encoder import EncoderCore
from .ports import STREAM_FIELDS, VIDEO_FIELDS, Top, check_stream_bytes, stream_ports, video_ports

__all__ = ["DECODER_ERRORS", "ENCODER_ERRORS", "CodecTop", "DecoderTop", "EncoderTop"]

ENCODER_ERRORS = ("bad_marker", "bad_size")
DECODER_ERRORS = ("bad_header", "bad_model", "bad_packet", "bad_tile")


class EncoderTop(Top):
    """Encoder with AXI4-Stream ports.

    Parameters
    ----------
    config:
        The core.
    stream_bytes:
        Width of the stream's TDATA in bytes: 1, 2, 4 or 8.
    """

    def __init__(self, config: CoreConfig, *, stream_bytes: int = 4) -> None:
        check_stream_bytes(stream_bytes)
        self._config, self._bytes = config, stream_bytes
        super().__init__({
            **video_ports("s_axis_video", source=False),
            **stream_ports("m_axis_stream", stream_bytes, source=True),
            "width": In(bits_for(config.max_width)),
            "height": In(bits_for(config.max_height)),
            "images": In(32),
            "idle": Out(1),
            "error": Out(len(ENCODER_ERRORS)),
            "clear_error": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = EncoderCore(self._config)
        m.submodules.pack = pack = BytesToWords(self._bytes)
        pixels = self._sink(m, "s_axis_video", PIXEL, VIDEO_FIELDS, "slice_in")
        words = self._source(
            m, "m_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_out"
        )
        wiring.connect(m, pixels, core.pixels)
        bytes_out = core.bytes
        if self._config.cells.registers:
            # The core's queue and the packer each have logic in the way of ``ready``.
            m.submodules.slice_bytes = slice_bytes = SkidBuffer(BYTE)
            wiring.connect(m, core.bytes, slice_bytes.i)
            bytes_out = slice_bytes.o
        wiring.connect(m, bytes_out, pack.i)
        wiring.connect(m, pack.o, words)
        empty = ~(
            self.m_axis_stream_tvalid | pack.o.valid | core.bytes.valid | bytes_out.valid
            | pixels.valid
        )  # fmt: skip
        m.d.comb += [
            core.width.eq(self.width),
            core.height.eq(self.height),
            core.images.eq(self.images),
        ]
        m.d.sync += self.idle.eq(core.idle & empty)
        self._sticky(
            m, self.error, self.clear_error, [getattr(core, name) for name in ENCODER_ERRORS]
        )
        return m


class DecoderTop(Top):
    """Decoder with AXI4-Stream ports.  Parameters as in :class:`EncoderTop`."""

    def __init__(self, config: CoreConfig, *, stream_bytes: int = 4) -> None:
        check_stream_bytes(stream_bytes)
        self._config, self._bytes = config, stream_bytes
        super().__init__({
            **stream_ports("s_axis_stream", stream_bytes, source=False),
            **video_ports("m_axis_video", source=True),
            **level_port(config),
            "idle": Out(1),
            "error": Out(len(DECODER_ERRORS)),
            "clear_error": In(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = DecoderCore(self._config)
        m.submodules.unpack = unpack = WordsToBytes(self._bytes)
        m.submodules.slice_bytes = slice_bytes = SkidBuffer(BYTE)
        words, entering = self._packets(m, "s_axis_stream", self._bytes)
        pixels = self._source(m, "m_axis_video", PIXEL, VIDEO_FIELDS, "slice_out")
        wiring.connect(m, words, unpack.i)
        wiring.connect(m, unpack.o, slice_bytes.i)
        wiring.connect(m, slice_bytes.o, core.bytes)
        wiring.connect(m, core.pixels, pixels)
        if self._config.model.levels:
            m.d.comb += core.level.eq(self.level)
        # The core's own flag is one clock old: nothing may have entered since.
        held = entering | unpack.o.valid | slice_bytes.o.valid | self.m_axis_video_tvalid
        m.d.sync += self.idle.eq(core.idle & ~held)
        pulses = Cat(getattr(core, name) for name in DECODER_ERRORS)
        late = int(self._config.cells.registers)
        pulses = delay(m, pulses, late, name="pulses", reset=True)
        self._sticky(m, self.error, self.clear_error, pulses)
        return m


class CodecTop(wiring.Component):
    """Encoder and decoder side by side; ports as theirs, prefixed ``encoder_`` and ``decoder_``."""

    def __init__(self, config: CoreConfig, *, stream_bytes: int = 4) -> None:
        self.fabric = config.cells
        self._tops = {
            "encoder": EncoderTop(config, stream_bytes=stream_bytes),
            "decoder": DecoderTop(config, stream_bytes=stream_bytes),
        }
        super().__init__({
            f"{name}_{port}": member
            for name, top in self._tops.items()
            for port, member in top.signature.members.items()
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        for name, top in self._tops.items():
            m.submodules[name] = top
            for port, member in top.signature.members.items():
                inner, outer = getattr(top, port), getattr(self, f"{name}_{port}")
                m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
        return m
