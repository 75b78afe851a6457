"""Band raster: puts the beats of bands together to a raster."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..core.several import raster_layout
from ..fabric.pipeline import choose
from ..streams.axi import SkidBuffer
from .bands import pixels_layout

__all__ = ["BandRaster"]


class BandRaster(wiring.Component):
    """Gives out the beats of the bands, which come from the cores in turn.

    One beat per clock, also from band to band; latency of one clock.

    Parameters
    ----------
    cores:
        Cores that give bands, and pixels of a beat.

    Members
    -------
    firsts : In(stream of 1)
        For each band in order, whether it is its image's first; long before its first beat.
    beats : In(stream of `.bands.pixels_layout`) array
        Each core's beats.
    o : Out(stream of `lutgen.gateware.core.several.raster_layout`)
        Images.  A line's last beat may be filled in part, with the line's last pixels in the low
        bytes; the other ones are zero and not kept.
    band_ends : Out(1)
        Pulse: a band has been given out.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        super().__init__({
            "firsts": In(stream.Signature(1)),
            "beats": In(stream.Signature(pixels_layout(cores))).array(cores),
            "o": Out(stream.Signature(raster_layout(cores))),
            "band_ends": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.slice = out = SkidBuffer(raster_layout(self._cores))
        # A band's first beat has "sof" in the slice, and keeps it if the band is an image's first.
        given, payload = out.o.valid & self.o.ready, out.o.payload
        m.d.comb += [
            self.o.valid.eq(out.o.valid),
            out.o.ready.eq(self.o.ready),
            self.o.payload.eq(payload),
            self.o.payload.sof.eq(payload.sof & self.firsts.payload),
            self.firsts.ready.eq(given & payload.sof),
        ]
        turn = Signal(self._cores, init=1)  # whose band it is, one bit a core
        at = Signal(range(self._cores))
        begins = Signal(init=1)  # the next beat is a band's first
        beat = Signal(pixels_layout(self._cores))
        open_ = out.i.ready
        valid = (Cat(b.valid for b in self.beats) & turn).any()
        # Not by way of ``beat``, whose multiplexers are deep.
        eobs = Cat(b.valid & b.payload.eob for b in self.beats)
        ends = open_ & (eobs & turn).any()
        m.d.comb += [
            beat.eq(choose([Cat(b.payload) for b in self.beats], at)),
            *[b.ready.eq(open_ & turn[k]) for k, b in enumerate(self.beats)],
            out.i.valid.eq(valid),
            out.i.payload.sof.eq(begins),
            out.i.payload.data.eq(beat.data),
            out.i.payload.eol.eq(beat.eol),
        ]
        for j in range(self._cores):
            m.d.comb += out.i.payload.keep[j].eq(beat.top >= j)
        with m.If(valid & open_):
            m.d.sync += begins.eq(0)
        with m.If(ends):
            m.d.sync += [turn.eq(turn.rotate_left(1)), at.eq(at + 1), begins.eq(1)]
        m.d.sync += self.band_ends.eq(ends)
        return m
