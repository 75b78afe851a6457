"""Slab raster: puts the beats of slabs together to a raster."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..core.several import raster_layout
from ..fabric.pipeline import choose
from ..predictive.config import PredictiveConfig
from ..streams.axi import SkidBuffer
from .layouts import part_layout

__all__ = ["SlabRaster"]


class SlabRaster(wiring.Component):
    """Gives out each row's parts, from the left to the right.

    One beat per clock; latency of one clock.  Reset begins with a picture.

    Parameters
    ----------
    config:
        The cores.

    Members
    -------
    parts : In(stream of `.layouts.part_layout`) array
        Each slab's beats.
    o : Out(stream of `lutgen.gateware.core.several.raster_layout`)
        Images.  A line's last beat may be filled in part: the other pixels are zero and not kept.
    """

    def __init__(self, config: PredictiveConfig) -> None:
        self._config = config
        super().__init__({
            "parts": In(stream.Signature(part_layout(config))).array(config.cores),
            "o": Out(stream.Signature(raster_layout(config.cores, config.pixel_bits))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        m.submodules.slice = out = SkidBuffer(raster_layout(c.cores, c.pixel_bits))
        wiring.connect(m, out.o, wiring.flipped(self.o))
        turn, at = Signal(c.cores, init=1), Signal(range(c.cores))
        part = Signal(part_layout(c))
        valid = (Cat(p.valid for p in self.parts) & turn).any()
        # Not by way of ``part``, whose multiplexers are deep.
        ends = (Cat(p.valid & p.payload.eol for p in self.parts) & turn).any() & out.i.ready
        size, used = c.pixel_bits, c.packed_bits
        m.d.comb += [
            part.eq(choose([Cat(p.payload) for p in self.parts], at)),
            *[p.ready.eq(out.i.ready & turn[k]) for k, p in enumerate(self.parts)],
            out.i.valid.eq(valid),
            out.i.payload.sof.eq(part.sof & turn[0]),
            out.i.payload.eol.eq(part.eol & turn[-1]),
            out.i.payload.data.eq(Cat(
                Cat(part.data.word_select(k, used), Const(0, size - used))
                for k in range(c.cores)
            )),
            out.i.payload.keep.eq(Cat(
                (part.top >= k).replicate(size // 8) for k in range(c.cores)
            )),
        ]  # fmt: skip
        with m.If(ends):
            m.d.sync += [turn.eq(turn.rotate_left(1)), at.eq(at + 1)]
        return m
