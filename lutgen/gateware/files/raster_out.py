"""Tiles to raster: the pixel output's side of the tile memories.

Tiles in flight live in a ring of buffers, as in `.raster_in`.
"""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose, delay
from ..streams.axi import SkidBuffer
from .raster import PIXEL, frame_layout, has_one_left
from .raster_walk import Edges, RasterWalk

__all__ = ["TilesToRaster"]


class TilesToRaster(wiring.Component):
    """Reads finished tile buffers back as a raster, or a level of theirs as a smaller one.

    One pixel per clock as long as tiles are done and the output is ready; four clocks from a
    tile's completion to its first pixel, five with registers.

    Members
    -------
    frames : In(stream)
        Size of each image, see :func:`frame_layout`.
    done_to : In(...)
        Sequence number below which all tiles are done.
    oldest : Out(...)
        Sequence number of the oldest tile whose buffer is in use.
    write : In(1)
        Write ``write_pixel`` into the buffer of tile ``write_tile`` at ``write_x, write_y``.
    level : In(...)
        With levels: the level that is written; must not change while ``busy``.
    pixels : Out(stream of PIXEL)
        Raster.
    eof : Out(1)
        With ``events`` and ``pixels``: the image's last pixel.
    busy : Out(1)
        An image is incomplete.
    """

    _CREDITS = 16

    def __init__(
        self, *, tile_width: int, tile_height: int, max_width: int, max_height: int,
        buffers: int, sequence_bits: int, levels: int = 0, events: bool = False,
        registers: bool = False,
    ) -> None:  # fmt: skip
        self._events = events
        self._registers = registers
        self._buffers = buffers
        self._tile_width, self._tile_height = tile_width, tile_height
        self._levels = levels
        super().__init__({
            **({"level": In(bits_for(levels))} if levels else {}),
            "frames": In(stream.Signature(frame_layout(max_width, max_height))),
            "done_to": In(sequence_bits),
            "oldest": Out(sequence_bits),
            "write": In(1),
            "write_tile": In(sequence_bits),
            "write_x": In(bits_for(tile_width - 1)),
            "write_y": In(bits_for(tile_height - 1)),
            "write_pixel": In(8),
            "pixels": Out(stream.Signature(PIXEL)),
            **({"eof": Out(1)} if events else {}),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        frame = self.frames.payload
        column_bits = bits_for(self._tile_width - 1)
        row_bits = bits_for(self._tile_height - 1)
        slot_bits = bits_for(self._buffers - 1)
        some = range(self._levels + 1)
        level = delay(m, self.level, 1, name="level") if self._levels else Const(0, 0)
        last_x = choose([frame.width >> k for k in some], level)
        last_y = choose([frame.height >> k for k in some], level)

        def inside(at, bits: int):
            """Column or row within its tile."""
            return choose([at[: bits - k] for k in some], level)

        def one_left(at, bits: int):
            """Whether a tile ends behind the next column or row."""
            return choose([has_one_left(at, bits - k) for k in some], level)

        # Addresses in raster order, one step ahead of the reads.
        step = StructLayout({
            "x": column_bits, "y": row_bits, "tile": len(self.done_to), "sof": 1, "eol": 1,
            "frees": 1, **({"eof": 1} if self._events else {}),
        })  # fmt: skip
        m.submodules.steps = steps = SkidBuffer(step)
        walk = RasterWalk(m, frame.width.shape(), frame.height.shape())
        x, y, row_end, frame_end = walk.x, walk.y, walk.row_end, walk.frame_end
        tile_end, band_end = walk.tile_end, walk.band_end
        band = Signal(len(self.done_to))
        tile = Signal(len(self.done_to))
        # The next frame's are ready before it begins.
        edges = Edges(frame.width.shape(), frame.height.shape(), prefix="next_")
        m.d.sync += edges.follow(last_x, last_y)
        in_frame = Signal()
        loadable = Signal()
        taken = Signal()
        go = in_frame & steps.i.ready
        ends = go & row_end & frame_end
        load = (~in_frame | ends) & loadable
        at = steps.i.payload
        m.d.comb += [
            steps.i.valid.eq(in_frame),
            at.x.eq(inside(x, column_bits)),
            at.y.eq(inside(y, row_bits)),
            at.tile.eq(tile),
            at.eol.eq(row_end),
            # In the band's last row each tile's buffer is given back when it has been read.
            at.frees.eq(tile_end & band_end),
            self.frames.ready.eq(taken),
        ]
        m.d.sync += [
            taken.eq(load),
            loadable.eq(self.frames.valid & ~loadable & ~taken),  # the flags above have settled
        ]
        with m.If(go):
            m.d.sync += at.sof.eq(0)
            with walk.go_on((tile, band)):
                pass  # the next frame is loaded below
            walk.look_ahead(tile_next=one_left(x, column_bits), band_next=one_left(y, row_bits))
        with m.If(load):
            m.d.sync += [at.sof.eq(1), in_frame.eq(1), *walk.edges.take_over(edges)]
            walk.begin(edges)
        with m.Elif(ends):
            m.d.sync += in_frame.eq(0)

        read_at, issue, under_way = self._issue(m, steps)
        pixel = add_ram(
            m, "buffers", 1 << (column_bits + row_bits + slot_bits), 8, write=self.write,
            write_address=Cat(self.write_x, self.write_y, self.write_tile[:slot_bits]),
            data=self.write_pixel, address=Cat(read_at.x, read_at.y, read_at.tile[:slot_bits]),
            fabric=platform,
        )  # fmt: skip
        if self._events:
            m.d.comb += at.eof.eq(row_end & frame_end)
        m.d.comb += self.busy.eq(under_way | self.frames.valid | in_frame | steps.o.valid)
        self._show(m, pixel, read_at, issue)
        return m

    def _issue(self, m: Module, steps: SkidBuffer):
        """Read a pixel when its tile is done and the queue has room for it.

        Tiles are done in the order of their numbers, so those below ``done_to`` can be read.
        Returns the step, whether it is read, and whether pixels are on their way.
        """
        read_at = steps.o.payload
        credits_ = Signal(range(self._CREDITS + 1), init=self._CREDITS)
        credit = Signal()
        issue = Signal()
        given = self.pixels.valid & self.pixels.ready
        m.d.comb += [
            issue.eq(steps.o.valid & credit & (read_at.tile != self.done_to)),
            steps.o.ready.eq(credit & (read_at.tile != self.done_to)),
        ]
        m.d.sync += [
            credits_.eq(credits_ - issue + given),
            credit.eq(credits_ > 1),  # registered: one may be spent before it is seen
        ]
        with m.If(issue & read_at.frees):
            m.d.sync += self.oldest.eq(read_at.tile + 1)
        return read_at, issue, credits_ != self._CREDITS

    def _show(self, m: Module, pixel, read_at, issue) -> None:
        """Queue pixels with their marks for the output."""
        m.submodules.out = out = fifo.SyncFIFOBuffered(
            width=PIXEL.size + self._events, depth=self._CREDITS
        )
        marks = Cat(read_at.sof, read_at.eol)
        if self._events:
            marks = Cat(marks, read_at.eof)
        marks = delay(m, marks, 2 + self._registers, name="marks")
        pixel = delay(m, pixel, int(self._registers), name="pixel")
        m.d.comb += [
            out.w_data.eq(Cat(pixel, marks)),
            out.w_en.eq(delay(m, issue, 2 + self._registers, name="issued", reset=True)),
        ]
        if self._events:  # the queue's payload is wider than the port's
            m.d.comb += [
                self.pixels.payload.eq(out.r_data), self.pixels.valid.eq(out.r_rdy),
                out.r_en.eq(self.pixels.ready), self.eof.eq(out.r_data[PIXEL.size]),
            ]  # fmt: skip
        else:
            wiring.connect(m, wiring.flipped(self.pixels), out.r_stream)
        return m
