"""Slab raster: puts the beats of slabs together to a raster."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
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
    eof:
        Whether to tell a picture's last beat.

    Members
    -------
    parts : In(stream of `.layouts.part_layout`) array
        Each slab's beats.
    o : Out(stream of `lutgen.gateware.core.several.raster_layout`)
        Images.  A line's last beat may be filled in part: the other pixels are zero and not kept.
    (eof) : Out(1)
        With ``eof``, and a beat of ``o``: it is its picture's last.
    """

    def __init__(self, config: PredictiveConfig, *, eof: bool = False) -> None:
        self._config, self._eof = config, eof
        super().__init__({
            "parts": In(stream.Signature(part_layout(config, eof=eof))).array(config.cores),
            "o": Out(stream.Signature(raster_layout(config.cores, config.pixel_bits))),
            **({"eof": Out(1)} if eof else {}),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c = self._config
        beat = raster_layout(c.cores, c.pixel_bits)
        last = {"eof": 1} if self._eof else {}
        m.submodules.slice = out = SkidBuffer(StructLayout({**beat.members, **last}))
        m.d.comb += [
            self.o.valid.eq(out.o.valid), out.o.ready.eq(self.o.ready),
            *(getattr(self.o.payload, name).eq(getattr(out.o.payload, name))
              for name in beat.members),
        ]  # fmt: skip
        turn, at = Signal(c.cores, init=1), Signal(range(c.cores))
        part = Signal(part_layout(c, eof=self._eof))
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
        if self._eof:
            m.d.comb += [
                out.i.payload.eof.eq(part.eof & turn[-1]), self.eof.eq(out.o.payload.eof),
            ]
        with m.If(ends):
            m.d.sync += [turn.eq(turn.rotate_left(1)), at.eq(at + 1)]
        return m
