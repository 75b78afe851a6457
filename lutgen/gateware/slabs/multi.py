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

from amaranth.hdl import Module
from amaranth.lib.wiring import In, Out

from ..core.ports import STREAM_FIELDS, VIDEO_FIELDS, stream_ports
from ..core.several import beat_layout, beat_ports, raster_layout
from ..predictive.top import DECODER_ERRORS, ENCODER_ERRORS, setting_ports
from ..streams.axi import word_layout
from .side_by_side import DecoderSlabs, EncoderSlabs

__all__ = ["PredictiveDecoderCores", "PredictiveEncoderCores"]


class PredictiveEncoderCores(EncoderSlabs):
    """Encoder of several cores with AXI4-Stream ports.

    As many samples per clock as there are cores, of RGB a third as many pixels, but for what each
    core needs besides, see `lutgen.gateware.predictive.encoder.PredictiveEncoder`, as long as
    the stream takes the bytes.
    """

    def _ports(self, stream_bytes: int) -> dict:
        c = self._config
        return {
            **beat_ports("s_axis_video", c.cores, source=False, bits=c.pixel_bits),
            **stream_ports("m_axis_stream", stream_bytes, source=True),
            **setting_ports(c),
            "idle": Out(1),
            "error": Out(len(ENCODER_ERRORS)),
            "clear_error": In(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        cores = self._place(m)
        beats = self._sink(
            m, "s_axis_video", beat_layout(c.cores, c.pixel_bits), VIDEO_FIELDS, "slice_in"
        )
        words = self._source(
            m, "m_axis_stream", word_layout(self._bytes), STREAM_FIELDS, "slice_out"
        )
        cutter, busy = self._share(m, cores, beats, words)
        self._tell_idle(m, beats.valid | busy | words.valid | self.m_axis_stream_tvalid)
        self._sticky(
            m, self.error, self.clear_error, [getattr(cutter, name) for name in ENCODER_ERRORS]
        )
        return m


class PredictiveDecoderCores(DecoderSlabs):
    """Decoder of several cores with AXI4-Stream ports.

    As many samples per clock as there are cores, of RGB a third as many pixels, but for what each
    core needs besides, see `lutgen.gateware.predictive.decoder.PredictiveDecoder`, as long as
    the stream brings the bytes.
    """

    def _ports(self, stream_bytes: int) -> dict:
        c = self._config
        return {
            **stream_ports("s_axis_stream", stream_bytes, source=False),
            **beat_ports("m_axis_video", c.cores, source=True, bits=c.pixel_bits),
            "idle": Out(1),
            "error": Out(len(DECODER_ERRORS)),
            "clear_error": In(1),
        }

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        cores = self._place(m)
        words, entering = self._packets(m, "s_axis_stream", self._bytes)
        pixels = self._source(
            m, "m_axis_video", raster_layout(c.cores, c.pixel_bits),
            VIDEO_FIELDS | {"keep": "tkeep"}, "slice_out",
        )  # fmt: skip
        pulses, busy = self._share(m, cores, words, pixels)
        self._tell_idle(m, entering | busy | pixels.valid | self.m_axis_video_tvalid)
        self._sticky(m, self.error, self.clear_error, pulses.values())
        return m
