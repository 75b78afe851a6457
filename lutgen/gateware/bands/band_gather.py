"""What stands behind a core of bands: gathers its bytes or pixels into words."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.config import CoreConfig
from ..files.header import BuildHeader
from ..files.raster import PIXEL
from ..streams.axi import BYTE, SkidBuffer
from ..streams.run import run_layout
from .bands import pixels_layout

__all__ = ["BandBeats", "BandRuns", "Gather"]


class Gather(wiring.Component):
    """Words of bytes, the first in the low byte.

    One byte per clock; a word is there one clock after its last byte, for one clock.

    Members
    -------
    take, byte, ends : In(...)
        A byte, and whether the word ends with it although there is room for more.
    write : Out(1)
        There is a word, ...
    data, top : Out(...)
        ... its bytes, and the number of the last one; what is above is zero.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__({
            "take": In(1), "byte": In(8), "ends": In(1), "write": Out(1), "data": Out(8 * count),
            "top": Out(bits_for(count - 1)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        fill = Signal.like(self.top)
        completes = self.ends | (fill == self._count - 1)
        m.d.sync += [self.write.eq(self.take & completes), self.top.eq(fill)]
        with m.If(self.take & completes):
            m.d.sync += fill.eq(0)
        with m.Elif(self.take):
            m.d.sync += fill.eq(fill + 1)
        with m.If(self.take & (fill == 0)):
            m.d.sync += self.data.eq(0)
        for k in range(self._count):
            with m.If(self.take & (fill == k)):
                m.d.sync += self.data.word_select(k, 8).eq(self.byte)
        return m


class BandRuns(wiring.Component):
    """An encoder core's files to the packets of their bands.

    One byte per clock; latency of two clocks.

    Parameters
    ----------
    config:
        The core, with the largest image.
    count:
        Bytes of a run at most.

    Members
    -------
    bytes : In(stream of BYTE)
        Files, whose headers are left out.
    room : In(1)
        Two more runs may be written from the moment it falls.
    write, run : Out(...)
        Append a run (:func:`lutgen.gateware.streams.run.run_layout`); ``last`` is the band's last.
    """

    def __init__(self, config: CoreConfig, count: int) -> None:
        self._header, self._count = BuildHeader.of(config), count
        super().__init__({
            "bytes": In(stream.Signature(BYTE)), "room": In(1), "write": Out(1),
            "run": Out(run_layout(count)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.slice = byte = SkidBuffer(BYTE)
        m.submodules.gather = gather = Gather(self._count)
        wiring.connect(m, wiring.flipped(self.bytes), byte.i)
        at = Signal(range(self._header.size + 1))
        behind = at == self._header.size  # the header
        taken = byte.o.valid & self.room
        m.d.comb += [
            byte.o.ready.eq(self.room),
            gather.take.eq(taken & behind),
            gather.byte.eq(byte.o.payload.data),
            gather.ends.eq(byte.o.payload.last),
            self.write.eq(gather.write),
            self.run.data.eq(gather.data),
            self.run.top.eq(gather.top),
        ]
        m.d.sync += self.run.last.eq(byte.o.payload.last)
        with m.If(taken & behind & byte.o.payload.last):
            m.d.sync += at.eq(0)
        with m.Elif(taken & ~behind):
            m.d.sync += at.eq(at + 1)
        return m


class BandBeats(wiring.Component):
    """A decoder core's pixels to beats of bands.

    One pixel per clock; latency of one clock.

    Parameters
    ----------
    cores:
        Pixels of a beat.

    Members
    -------
    pixels : In(stream of PIXEL)
        Images of the core, ...
    eof : In(1)
        ... with ``pixels``: the image's last one.
    room : In(1)
        Two more beats may be written from the moment it falls.
    write, beat : Out(...)
        Append a beat, see :func:`.bands.pixels_layout`.
    """

    def __init__(self, cores: int) -> None:
        self._cores = cores
        super().__init__({
            "pixels": In(stream.Signature(PIXEL)), "eof": In(1), "room": In(1), "write": Out(1),
            "beat": Out(pixels_layout(cores)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.gather = gather = Gather(self._cores)
        pixel = self.pixels.payload
        m.d.comb += [
            self.pixels.ready.eq(self.room),
            gather.take.eq(self.pixels.valid & self.room),
            gather.byte.eq(pixel.data),
            gather.ends.eq(pixel.eol),
            self.write.eq(gather.write),
            self.beat.data.eq(gather.data),
            self.beat.top.eq(gather.top),
        ]
        m.d.sync += [self.beat.eol.eq(pixel.eol), self.beat.eob.eq(self.eof)]
        return m
