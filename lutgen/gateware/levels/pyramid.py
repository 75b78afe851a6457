"""Average-pool pyramid of an encoder: coarser levels out of a raster, as it passes by."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.pyramid import MAX_LEVELS

from ..streams.axi import SkidBuffer

__all__ = ["Pool", "PyramidBuilder", "level_pixel"]


def level_pixel(level: int, *, tile_height: int, max_width: int, slots: int) -> StructLayout:
    """A pixel of a level, in raster order of the image.

    Its column in the image, its row in the tile, the tile's slot, whether it is in the image's
    last column or last row, and whether it is its tile's last.
    """
    return StructLayout({
        "pixel": 8,
        # Never of no bits, which Verilog lacks.
        "x": max(1, bits_for(max_width - 1) - level),
        "y": max(1, bits_for(tile_height - 1) - level),
        "tile": bits_for(slots - 1),
        "row_end": 1,
        "last_row": 1,
        "tile_last": 1,
    })  # fmt: skip


class Pool(wiring.Component):
    """One level's pixels into the next coarser one's, see :func:`..codec.pyramid.pool`.

    A pixel leaves three clocks after the last one of its 2 x 2 block has come.  One pixel per
    clock, as long as outputs are taken in the clock in which they are offered; images one pixel
    wide take two clocks for a pixel in every other row.  Neither ``i.ready`` nor ``o`` depends on
    ``o.ready`` within a clock.  Images may follow each other without a gap, of any sizes.  Reset
    drops what is under way; an image must begin after it.

    Parameters
    ----------
    layout:
        Layout of the finer level, see :func:`level_pixel`.

    Members
    -------
    i : In(stream)
        Finer level.
    o : Out(stream)
        Coarser level.
    """

    def __init__(self, layout: StructLayout) -> None:
        widths = {name: field.width for name, field in layout}
        coarser = widths | {name: max(1, widths[name] - 1) for name in ("x", "y")}
        super().__init__({
            "i": In(stream.Signature(layout)),
            "o": Out(stream.Signature(StructLayout(coarser))),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        given, result = self.i.payload, self.o.payload
        # Sums of two pixels, plus one: two such sums make the rounded sum of the four.
        pair = StructLayout({
            "sum": 9, "x": len(result.x), "y": len(given.y), "tile": len(given.tile),
            "row_end": 1, "last_row": 1, "tile_last": 1,
        })  # fmt: skip
        lower, late = Signal(pair, reset_less=True), Signal(pair, reset_less=True)
        stores = Signal(reset_less=True)  # ``lower`` is the upper half of a block with two halves
        lower_valid, late_valid = Signal(), Signal()
        left = Signal(8, reset_less=True)

        completes = given.x[0] | given.row_end
        upper = ~given.y[0] & ~given.last_row
        # A sum that is being stored can be read in the next clock only.
        hazard = lower_valid & stores & ~upper
        free = ~lower_valid | stores | ~late_valid | ~self.o.valid
        take = Signal()
        m.d.comb += [
            self.i.ready.eq(~completes | (free & ~hazard)),
            take.eq(self.i.valid & self.i.ready & completes),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += left.eq(given.pixel)

        # Left to the synthesiser: a line of a small image fits a few LUTs.
        m.submodules.line = line = Memory(shape=9, depth=max(2, 1 << len(result.x)), init=[])
        read, write = line.read_port(), line.write_port()
        other = Mux(given.x[0], left, given.pixel)
        one = Const(1, 1)
        m.d.comb += [
            read.addr.eq(given.x[1:]),
            read.en.eq(take),
            write.addr.eq(lower.x),
            write.data.eq(lower.sum),
            write.en.eq(lower_valid & stores),
        ]
        advance = ~late_valid | ~self.o.valid  # ``late`` can be overwritten
        with m.If(take):
            m.d.sync += [
                lower.sum.eq((Cat(one, given.pixel) + Cat(one, other))[1:]),
                lower.x.eq(given.x[1:]),
                lower.y.eq(given.y),
                lower.tile.eq(given.tile),
                lower.row_end.eq(given.row_end),
                lower.last_row.eq(given.last_row),
                lower.tile_last.eq(given.tile_last),
                stores.eq(upper),
                lower_valid.eq(1),
            ]
        with m.Elif(stores | advance):
            m.d.sync += lower_valid.eq(0)

        above = Signal(9, reset_less=True)
        with m.If(advance):
            m.d.sync += [late.eq(lower), above.eq(read.data), late_valid.eq(lower_valid & ~stores)]

        total = late.sum + Mux(late.y[0], above, late.sum)
        with m.If(~self.o.valid):
            m.d.sync += [
                self.o.valid.eq(late_valid),
                result.pixel.eq(total[2:]),
                result.x.eq(late.x),
                result.y.eq(late.y[1:]),
                result.tile.eq(late.tile),
                result.row_end.eq(late.row_end),
                result.last_row.eq(late.last_row),
                result.tile_last.eq(late.tile_last),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m


class PyramidBuilder(wiring.Component):
    """Coarser levels of the tiles of a raster, each pixel written as soon as it is known.

    One level-0 pixel per clock.  A level's pixel is written four clocks after the last pixel of
    its block has come out of the next finer level, level 0 being one clock later than ``pixels``;
    where levels compete, a clock or a few later.  ``pixels.ready`` is a register; it never falls
    in images of even sides, and for a clock at a time where a side is odd: in each other row of
    images one pixel wide, in wider ones hardly ever.  Reset drops what is under way; an image must
    begin after it.

    Parameters
    ----------
    levels:
        Levels above the image, 1 to 3.
    tile_width, tile_height:
        Whole tile in pixels, powers of two of at least 8.
    max_width:
        Widest image in pixels, at least a tile.
    slots:
        Tiles that the memory behind holds.

    Members
    -------
    pixels : In(stream)
        Level 0, see :func:`level_pixel`.
    write : Out(1)
        Write ``write_pixel`` ...
    write_level, write_tile : Out(...)
        ... into this level, 1 or more, of the tile in this slot, ...
    write_x, write_y : Out(...)
        ... at this column and row of the tile on that level.
    complete : Out(1)
        Pulse, a clock after the last write of the oldest tile that was incomplete.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    def __init__(
        self, levels: int, *, tile_width: int, tile_height: int, max_width: int, slots: int
    ) -> None:
        if not 1 <= levels <= MAX_LEVELS:
            raise ValueError(f"levels must be 1 to {MAX_LEVELS}, not {levels!r}")
        for name, side in (("width", tile_width), ("height", tile_height)):
            if side < 8 or side & (side - 1):
                raise ValueError(
                    f"tile {name} must be a power of two of at least 8, not {side!r}"
                )
        if max_width < tile_width:
            raise ValueError(f"max_width must be at least {tile_width}, not {max_width!r}")
        self._levels = levels
        self._layouts = [
            level_pixel(level, tile_height=tile_height, max_width=max_width, slots=slots)
            for level in range(levels)
        ]
        self._word = StructLayout({
            "level": bits_for(levels), "tile": bits_for(slots - 1),
            "x": bits_for(tile_width // 2 - 1), "y": bits_for(tile_height // 2 - 1), "pixel": 8,
        })  # fmt: skip
        super().__init__({
            "pixels": In(stream.Signature(self._layouts[0])),
            "write": Out(1),
            **{f"write_{name}": Out(field.shape) for name, field in self._word},
            "complete": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.input = entry = SkidBuffer(self._layouts[0])
        wiring.connect(m, wiring.flipped(self.pixels), entry.i)
        pools = [Pool(layout) for layout in self._layouts]
        for level, pool in enumerate(pools, start=1):
            m.submodules[f"level{level}"] = pool
        wiring.connect(m, entry.o, pools[0].i)

        # A pixel is written and passed on in the same clock, so that a tile's last pixel of the
        # coarsest level is behind all of its other pixels.  The finest level goes first, which
        # keeps the raster flowing.  It cannot starve the others: one that is not served fills up
        # and refuses its input, then the finer one does not ask; and the coarsest, whose pixels
        # nobody refuses, frees the way for all.
        words = []
        written = Const(0, 1)
        for level, pool in enumerate(pools, start=1):
            at = pool.o.payload
            ask = Signal(name=f"ask{level}")
            grant = ask & ~written
            m.d.comb += [ask.eq(pool.o.valid), pool.o.ready.eq(grant)]
            if level < self._levels:
                following = pools[level].i
                m.d.comb += [
                    ask.eq(pool.o.valid & following.ready),
                    following.valid.eq(grant),
                    following.payload.eq(at),
                ]
            word = Signal(self._word, name=f"word{level}")
            m.d.comb += [
                word.level.eq(level),
                word.tile.eq(at.tile),
                word.x.eq(at.x[: len(word.x) + 1 - level]),  # column of the tile
                word.y.eq(at.y),
                word.pixel.eq(at.pixel),
            ]
            words.append((ask, word))
            written = written | ask
        _, word = words[-1]
        for ask, other in words[-2::-1]:
            word = Mux(ask, other, word)
        register = Signal(self._word, reset_less=True)
        done = Signal()
        last = pools[-1].o
        m.d.sync += [
            self.write.eq(written),
            register.eq(word),
            done.eq(last.valid & last.ready & last.payload.tile_last),
            self.complete.eq(done),
        ]
        m.d.comb += [
            self.write_level.eq(register.level),
            self.write_tile.eq(register.tile),
            self.write_x.eq(register.x),
            self.write_y.eq(register.y),
            self.write_pixel.eq(register.pixel),
        ]
        return m
