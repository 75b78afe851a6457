"""Band feeders: what stands before a core of bands, and gives it one band after the other."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..core.config import CoreConfig
from ..files.header import BuildHeader, little_endian
from ..files.raster import PIXEL
from ..streams.axi import BYTE, SkidBuffer
from ..streams.run import run_layout
from .bands import band_layout, cut_layout

__all__ = ["BandBytes", "BandPixels"]


class BandPixels(wiring.Component):
    """Beats of bands to an encoder core's pixels.

    One pixel per clock, also from band to band if their sizes are equal; otherwise a dozen clocks
    pass, in which the core sees its new size.  Latency of two clocks.

    Parameters
    ----------
    config:
        The core, with the largest image.
    cores:
        Pixels of a beat.

    Members
    -------
    bands : In(stream of `.bands.band_layout`)
        Size of each band, before its first beat or later.
    beats : In(stream of `.bands.cut_layout`)
        Their beats.
    pixels : Out(stream of PIXEL)
        Images for the core, ...
    width, height : Out(...)
        ... and their size.
    """

    _SETTLING = 8  # clocks, of six that the core needs

    def __init__(self, config: CoreConfig, cores: int) -> None:
        self._cores = cores
        super().__init__({
            "bands": In(stream.Signature(band_layout(config))),
            "beats": In(stream.Signature(cut_layout(cores))),
            "pixels": Out(stream.Signature(PIXEL)),
            "width": Out(bits_for(config.max_width)),
            "height": Out(bits_for(config.tile_height)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        band, beat = self.bands.payload, self.beats.payload
        lane_bits = bits_for(self._cores - 1)
        m.submodules.slice = pixels = SkidBuffer(PIXEL)
        wiring.connect(m, pixels.o, wiring.flipped(self.pixels))

        size = Signal.like(band)
        m.d.sync += [self.width.eq(size.width + 1), self.height.eq(size.height + 1)]
        open_ = Signal()  # the core knows the size of the band whose beats come
        following = Signal()  # the next band is known, and of the same size
        data = Signal(8 * self._cores, reset_less=True)
        left = Signal(lane_bits)  # pixels of the beat behind this one
        busy, eol, eob = Signal(), Signal(), Signal()
        begins = Signal(init=1)  # the next pixel is a band's first
        final = Signal()  # none
        step = busy & pixels.i.ready
        settled = Signal(range(self._SETTLING))
        load, pop = Signal(), Signal()
        m.d.sync += self.bands.ready.eq(pop)
        m.d.comb += [
            pixels.i.valid.eq(busy),
            pixels.i.payload.data.eq(data[:8]),
            pixels.i.payload.sof.eq(begins),
            pixels.i.payload.eol.eq(eol & final),
            self.beats.ready.eq(open_ & (~busy | (step & final))),
            load.eq(self.beats.valid & self.beats.ready),
        ]
        with m.If(step):
            m.d.sync += [
                data.eq(data >> 8), left.eq(left - 1), busy.eq(~final), begins.eq(eob & final),
                final.eq(left == 1),
            ]  # fmt: skip
        with m.If(load):
            m.d.sync += [
                data.eq(beat.data), busy.eq(1), eol.eq(beat.eol), eob.eq(beat.eob),
                left.eq(Mux(beat.eol, size.width[:lane_bits], self._cores - 1)),
                final.eq(beat.eol & (size.width[:lane_bits] == 0)),
            ]  # fmt: skip
        # What the queue shows is old for two clocks more.
        fresh = Signal(2)
        m.d.sync += [
            fresh.eq(Mux(pop, 3, fresh >> 1)),
            following.eq(
                self.bands.valid & ~pop & ~fresh.any() & (Cat(band) == Cat(size))
            ),
        ]
        with m.If(load & beat.eob):
            m.d.comb += pop.eq(following)
            m.d.sync += [open_.eq(following), settled.eq(0)]
        with m.Elif(~open_ & ~busy & ~pixels.o.valid & self.bands.valid & ~fresh.any()):
            m.d.sync += [size.eq(band), settled.eq(settled + 1)]
            with m.If(settled == self._SETTLING - 1):
                m.d.comb += pop.eq(1)
                m.d.sync += open_.eq(1)
        return m


class BandBytes(wiring.Component):
    """Runs of bytes of bands to a decoder core's files.

    One byte per clock; the header before each band, and two clocks between bands.

    Parameters
    ----------
    config:
        The core, with the largest image.
    count:
        Bytes of a run at most.

    Members
    -------
    bands : In(stream of `.bands.band_layout`)
        Size of each band.
    runs : In(stream of `lutgen.gateware.streams.run.run_layout`)
        Packets of the bands; each ends with ``last``.
    bytes : Out(stream of BYTE)
        Files for the core.
    """

    def __init__(self, config: CoreConfig, count: int) -> None:
        self._header, self._count = BuildHeader.of(config), count
        super().__init__({
            "bands": In(stream.Signature(band_layout(config))),
            "runs": In(stream.Signature(run_layout(count))),
            "bytes": Out(stream.Signature(BYTE)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        band, run = self.bands.payload, self.runs.payload
        m.submodules.slice = out = SkidBuffer(BYTE)
        wiring.connect(m, out.o, wiring.flipped(self.bytes))
        width, height = Signal(16), Signal(8)
        m.d.sync += [width.eq(band.width + 1), height.eq(band.height + 1)]
        table = self._header.table
        at = Signal(range(table.size))
        # The bytes of the size apart: shallower than a table with variables in it.
        header = Array(self._header.bytes({"images": 1}))[at]
        for name, value in (("image width", width), ("image height", height)):
            for k, byte in enumerate(little_endian(value, len(value) // 8)):
                header = header | Mux(at == table[name].offset + k, byte, 0)
        ahead = Signal(8)  # header byte to come
        data = Signal(8 * self._count, reset_less=True)
        left = Signal.like(run.top)  # bytes of the run behind this one
        busy, last, final = Signal(), Signal(), Signal()
        pop = Signal()
        m.d.sync += self.bands.ready.eq(pop)
        step = busy & out.i.ready
        ends = step & final & last
        m.d.comb += [
            out.i.payload.data.eq(data[:8]),
            out.i.payload.last.eq(last & final),
        ]
        with m.FSM():
            with m.State("wait"):
                m.d.sync += at.eq(0)
                with m.If(self.bands.valid):
                    m.next = "first"
            with m.State("first"):
                m.d.sync += [ahead.eq(header), at.eq(1)]
                m.next = "header"
            with m.State("header"):
                m.d.comb += [out.i.valid.eq(1), out.i.payload.data.eq(ahead)]
                m.d.comb += out.i.payload.last.eq(0)
                with m.If(out.i.ready):
                    m.d.sync += [ahead.eq(header), at.eq(at + 1)]
                    with m.If(at == 0):
                        m.d.comb += pop.eq(1)
                        m.next = "body"
                    with m.Elif(at == table.size - 1):
                        m.d.sync += at.eq(0)
            with m.State("body"):
                m.d.comb += [
                    out.i.valid.eq(busy),
                    self.runs.ready.eq(~busy | (step & final & ~last)),
                ]
                with m.If(step):
                    m.d.sync += [
                        data.eq(data >> 8), left.eq(left - 1), busy.eq(~final), final.eq(left == 1),
                    ]  # fmt: skip
                with m.If(self.runs.valid & self.runs.ready):
                    m.d.sync += [
                        data.eq(run.data), left.eq(run.top), last.eq(run.last), busy.eq(1),
                        final.eq(run.top == 0),
                    ]  # fmt: skip
                with m.If(ends):
                    m.next = "wait"
        return m
