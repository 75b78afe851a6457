"""What stands between a core of a slab and the raster: beats to pixels, and pixels to beats."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..predictive.config import PredictiveConfig
from ..streams.axi import SkidBuffer
from ..strips.slabs import slab_bits, slab_columns
from .layouts import part_layout, picture_layout

__all__ = ["SlabFeeder", "SlabGather"]


class SlabFeeder(wiring.Component):
    """Beats of a slab to the pixels that an encoder core takes.

    One pixel per clock, and ten clocks between pictures, in which the core sees its new size;
    latency of two clocks.  Reset forgets the picture.

    Parameters
    ----------
    config:
        The cores.
    slab:
        Number of the slab.

    Members
    -------
    pictures : In(stream of `.layouts.picture_layout`)
        Each picture, before its first beat or later.
    parts : In(stream of `.layouts.part_layout`)
        Their beats.
    pixels : Out(stream of `lutgen.gateware.files.raster.pixel_layout`)
        Pixels for the core, ...
    width, height, image_width, (near), (order) : Out(...)
        ... and what it is told of the picture.
    busy : Out(1)
        A picture is incomplete.
    """

    _SETTLING = 7  # clocks, of two that are counted and two that the core needs

    def __init__(self, config: PredictiveConfig, slab: int) -> None:
        self._config, self._slab = config, slab
        picture = picture_layout(config).members
        super().__init__({
            "pictures": In(stream.Signature(picture_layout(config))),
            "parts": In(stream.Signature(part_layout(config))),
            "pixels": Out(stream.Signature(config.pixel)),
            "width": Out(bits_for(config.slab_width)),
            "image_width": Out(16),
            **{name: Out(bits) for name, bits in picture.items() if name != "width"},
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        c, part, given = self._config, self.parts.payload, self.pictures.payload
        m.submodules.slice = pixels = SkidBuffer(self.pixels.payload.shape())
        wiring.connect(m, pixels.o, wiring.flipped(self.pixels))
        picture = Signal(given.shape())
        columns = slab_columns(
            m, c.planes.columns(picture.width), Const(self._slab, slab_bits(c.cores)), c.cores
        )
        m.d.sync += self.width.eq(columns << (c.planes.square - 1))
        m.d.comb += [
            self.image_width.eq(picture.width),
            *(getattr(self, name).eq(getattr(picture, name))
              for name in given.shape().members if name != "width"),
        ]  # fmt: skip

        data = Signal(len(part.data), reset_less=True)
        left = Signal.like(part.top)  # pixels of the beat behind this one
        held, final, eol = Signal(), Signal(), Signal()  # final: none
        rows = Signal.like(picture.height)  # rows behind this one
        last_row, first = Signal(), Signal(init=1)
        step = held & pixels.i.ready
        settling = Signal(range(self._SETTLING + 1))
        m.d.comb += [
            pixels.i.valid.eq(held), pixels.i.payload.data.eq(data[: c.packed_bits]),
            pixels.i.payload.sof.eq(first), pixels.i.payload.eol.eq(eol & final),
        ]  # fmt: skip
        with m.If(step):
            m.d.sync += [
                data.eq(data >> c.packed_bits), left.eq(left - 1), final.eq(left == 1),
                held.eq(~final), first.eq(0),
            ]  # fmt: skip
        with m.If(self.parts.valid & self.parts.ready):
            m.d.sync += [
                data.eq(part.data), left.eq(part.top), final.eq(part.top == 0), eol.eq(part.eol),
                held.eq(1),
            ]  # fmt: skip
        with m.FSM(name="picture") as fsm:
            with m.State("none"):
                m.d.comb += self.pictures.ready.eq(1)
                with m.If(self.pictures.valid):
                    m.d.sync += [picture.eq(given), settling.eq(0)]
                    m.next = "settle"
            with m.State("settle"):
                m.d.sync += [
                    settling.eq(settling + 1), rows.eq(picture.height - 1), first.eq(1),
                    last_row.eq(picture.height == 1),
                ]  # fmt: skip
                with m.If(settling == self._SETTLING):
                    m.next = "row"
            with m.State("row"):
                m.d.comb += self.parts.ready.eq(~held | (step & final))
                with m.If(self.parts.valid & self.parts.ready & part.eol):
                    # A row of one pixel takes one clock: the next one must find it counted.
                    m.d.sync += [rows.eq(rows - 1), last_row.eq(rows == 1)]
                    with m.If(last_row):
                        m.next = "last"
            with m.State("last"):  # the beat that is held, and what the slice holds
                with m.If(~held & ~pixels.o.valid):
                    m.next = "none"
        m.d.sync += self.busy.eq(
            ~fsm.ongoing("none") | self.pictures.valid | self.parts.valid | pixels.o.valid
        )
        return m


class SlabGather(wiring.Component):
    """Pixels of a decoder core to beats of its slab.

    One pixel per clock; latency of one clock.  Reset forgets the beat.

    Parameters
    ----------
    config:
        The cores.
    eof:
        Whether to tell a picture's last beat.

    Members
    -------
    pixels : In(stream of `lutgen.gateware.files.raster.pixel_layout`)
        Pixels of the core.
    (eof) : In(1)
        With ``eof``, and a pixel: it is its picture's last.
    room : In(1)
        Two more beats may be written from the moment it falls.
    write, part : Out(1), Out(`.layouts.part_layout`)
        Append a beat.
    """

    def __init__(self, config: PredictiveConfig, *, eof: bool = False) -> None:
        self._config, self._eof = config, eof
        super().__init__({
            "pixels": In(stream.Signature(config.pixel)), "room": In(1), "write": Out(1),
            "part": Out(part_layout(config, eof=eof)), **({"eof": In(1)} if eof else {}),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        size, part, pixel = self._config.packed_bits, self.part, self.pixels.payload
        take = self.pixels.valid & self.room
        fill = Signal.like(part.top)
        full = pixel.eol | fill.all()
        m.d.comb += self.pixels.ready.eq(self.room)
        m.d.sync += self.write.eq(take & full)
        with m.If(take):
            m.d.sync += [
                fill.eq(Mux(full, 0, fill + 1)), part.top.eq(fill), part.eol.eq(pixel.eol),
            ]  # fmt: skip
            if self._eof:
                m.d.sync += part.eof.eq(self.eof)
            with m.If(fill == 0):
                m.d.sync += [part.data.eq(0), part.sof.eq(pixel.sof)]
            for k in range(self._config.cores):
                with m.If(fill == k):
                    m.d.sync += part.data.word_select(k, size).eq(pixel.data)
        return m
