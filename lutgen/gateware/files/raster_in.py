"""Raster to tiles: the pixel input's side of the tile memories.

Tiles in flight live in a ring of buffers, taken and given back in the order of their sequence
numbers.  A band is the row of tiles that one raster row runs through.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.window import Window

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import delay
from ..lanes.lanes import backward_tile
from ..lanes.window import row_banks
from ..streams.lut_fifo import LutFifo
from .raster import PIXEL, file_layout, has_one_left
from .raster_walk import FileSizes, RasterWalk, last_image

__all__ = ["RASTER_EVENTS", "RasterToTiles"]

#: What a register file counts of the encoder's input.
RASTER_EVENTS = ("pixel_taken", "frame_taken", "sof_early", "sof_late", "eol_early", "eol_late")


class RasterToTiles(wiring.Component):
    """Writes a raster of pixels into tile buffers, whose columns the encoder then reads.

    One pixel per clock, unless the next band has no free buffer.  Geometry is counted, not taken
    from the markers: a pixel without ``sof`` where a frame should begin is dropped, and a marker
    in a wrong place is reported and otherwise ignored.  Size and number of images are sampled
    when a file begins and must have been stable for six clocks; one that is zero or too large is
    reported and its pixels are dropped.

    Members
    -------
    pixels : In(stream of PIXEL)
        Raster.
    width, height : In(...)
        Image size in pixels.
    images : In(32)
        Images of a file.
    oldest : In(...)
        Sequence number of the oldest tile whose buffer is in use.
    file, file_begins : Out(...)
        A file has begun, see :func:`file_layout`; its tiles follow.
    tiles : Out(stream)
        Each tile when it is complete, see :func:`lutgen.gateware.lanes.lanes.backward_tile`.
    tile, column, row : In(...)
        Column to read: of the tile with this number, down to this row.
    banks : Out(8) array
        Two clocks later, the column's pixel in the last row of each memory that is not below
        ``row``.
    store, stored : Out(...)
        With ``pooled``: a pixel has been taken, see
        :func:`lutgen.gateware.levels.pyramid.level_pixel`.
    hold : In(1)
        With ``pooled``: take no more; up to four pixels may still follow.
    bad_marker, bad_size : Out(1)
        Pulses: a misplaced marker, an impossible size.
    busy : Out(1)
        A frame or file is incomplete.
    in_file : Out(1)
        With ``events``: a file has begun, and not all of its pixels have been taken.
    (`RASTER_EVENTS`) : Out(1)
        With ``events``: pulses, a clock after a pixel that counts, its being a frame's last, and
        markers that come where none belongs or not where one does; a pixel with a late start of
        frame is one that is dropped.
    """

    def __init__(
        self, window: Window, *, tile_width: int, tile_height: int, max_width: int,
        max_height: int, buffers: int, sequence_bits: int, pooled: StructLayout | None = None,
        events: bool = False,
    ) -> None:  # fmt: skip
        self._tile_width, self._tile_height = tile_width, tile_height
        self._max_width, self._max_height = max_width, max_height
        self._buffers = buffers
        self._banks = row_banks(window)
        self._pooled = pooled
        self._events = events
        super().__init__({
            "pixels": In(stream.Signature(PIXEL)),
            "width": In(bits_for(max_width)),
            "height": In(bits_for(max_height)),
            "images": In(32),
            "oldest": In(sequence_bits),
            "file": Out(file_layout(max_width, max_height)),
            "file_begins": Out(1),
            "tiles": Out(stream.Signature(backward_tile(tile_width, tile_height))),
            "tile": In(sequence_bits),
            "column": In(bits_for(tile_width - 1)),
            "row": In(bits_for(tile_height - 1)),
            "banks": Out(8).array(self._banks),
            "bad_marker": Out(1),
            "bad_size": Out(1),
            "busy": Out(1),
            **({"store": Out(1), "stored": Out(pooled), "hold": In(1)} if pooled else {}),
            **(dict.fromkeys(("in_file", *RASTER_EVENTS), Out(1)) if events else {}),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        column_bits = bits_for(self._tile_width - 1)
        row_bits = bits_for(self._tile_height - 1)
        walk = RasterWalk(m, range(self._max_width), range(self._max_height))
        x, y, row_end, frame_end = walk.x, walk.y, walk.row_end, walk.frame_end
        tile_end, band_end = walk.tile_end, walk.band_end
        band = Signal(len(self.tile))  # number of the band's first tile
        tile = Signal(len(self.tile))  # number of this pixel's tile
        in_frame = Signal()
        in_file = Signal()
        sizes = FileSizes(
            m, self.width, self.height, self.images, in_file=in_file,
            max_width=self._max_width, max_height=self._max_height,
        )  # fmt: skip
        take = Signal()  # a pixel that counts
        m.d.sync += walk.edges.follow(sizes.last_x, sizes.last_y)
        with m.If(take):
            walk.look_ahead(
                tile_next=has_one_left(x, column_bits), band_next=has_one_left(y, row_bits)
            )
        with m.Elif(~in_file):
            walk.begin(walk.edges)

        pixel = self.pixels.payload
        begins = ~in_frame & pixel.sof
        file_begins = begins & ~in_file
        described = Signal(backward_tile(self._tile_width, self._tile_height))
        # Never full: each of its tiles has a buffer.
        m.submodules.queue = queue = LutFifo(described.shape(), self._buffers)
        wiring.connect(m, wiring.flipped(self.tiles), queue.o)
        room = Signal()
        m.d.comb += [
            self.file.width.eq(sizes.last_x + 1),
            self.file.height.eq(sizes.last_y + 1),
            self.file.images.eq(sizes.count),
            self.bad_size.eq(self.pixels.valid & file_begins & ~sizes.ok),
        ]
        # Whether the coming pixel's tile has a buffer; in a band's further rows it always has one.
        used = Signal(len(tile))
        back = row_end & ~band_end
        m.d.comb += used.eq(tile - self.oldest)
        m.d.sync += room.eq(
            Mux(take & tile_end, back | (used < self._buffers - 1), used < self._buffers)
        )
        if self._pooled:
            # A statement of its own becomes the register's reset, not one more level of logic.
            with m.If(delay(m, self.hold, 1, name="hold")):
                m.d.sync += room.eq(0)
        with m.If(~in_frame & (~pixel.sof | (~in_file & ~sizes.ok))):
            m.d.comb += self.pixels.ready.eq(1)  # dropped
            m.d.comb += self.bad_marker.eq(self.pixels.valid & ~pixel.sof)
        with m.Else():
            m.d.comb += [
                self.pixels.ready.eq(room),
                take.eq(self.pixels.valid & room),
                self.bad_marker.eq(
                    take & ((pixel.sof & in_frame) | (pixel.eol != row_end))
                ),
            ]
        m.d.sync += self.file_begins.eq(take & file_begins)
        last = last_image(
            m, sizes.images, take=take, ends=take & row_end & frame_end, in_file=in_file
        )
        with m.If(take):
            m.d.sync += in_frame.eq(~(row_end & frame_end))
            with m.If(file_begins):
                m.d.sync += in_file.eq(1)
            with walk.go_on((tile, band)), m.If(last):
                m.d.sync += in_file.eq(0)
        self._describe(m, walk, queue, described, take, file_begins, last)
        m.d.comb += self.busy.eq(in_frame | in_file | queue.i.valid | queue.busy)
        if self._events:
            self._tell(m, walk, take, in_frame, in_file)
        self._store(m, walk, tile, take, platform)
        return m

    def _describe(self, m: Module, walk, queue, described, take, file_begins, last) -> None:
        """Queue each tile when its last pixel is taken."""
        x, y, row_end, frame_end = walk.x, walk.y, walk.row_end, walk.frame_end
        column_bits = bits_for(self._tile_width - 1)
        row_bits = bits_for(self._tile_height - 1)
        undescribed = Signal()  # no tile of this file has been described yet
        describe = take & walk.tile_end & walk.band_end
        with m.If(describe):
            m.d.sync += undescribed.eq(0)
        with m.Elif(take & file_begins):
            m.d.sync += undescribed.eq(1)
        m.d.sync += [
            described.width.eq(x[:column_bits]),
            described.height.eq(y[:row_bits]),
            described.first.eq(undescribed | file_begins),
            described.last.eq(row_end & frame_end & last),
            queue.i.valid.eq(describe),
        ]
        m.d.comb += queue.i.payload.eq(described)

    def _tell(self, m: Module, walk, take, in_frame, in_file) -> None:
        """`RASTER_EVENTS`."""
        pixel, row_end = self.pixels.payload, walk.row_end
        m.d.comb += self.in_file.eq(in_file)
        m.d.sync += [
            self.pixel_taken.eq(take),
            self.frame_taken.eq(take & row_end & walk.frame_end),
            self.sof_early.eq(take & pixel.sof & in_frame),
            self.sof_late.eq(self.pixels.valid & ~pixel.sof & ~in_frame),
            self.eol_early.eq(take & pixel.eol & ~row_end),
            self.eol_late.eq(take & ~pixel.eol & row_end),
        ]

    def _store(self, m: Module, walk, tile, take, platform) -> None:
        """Tile buffers: row r of a tile is row r // banks of memory r % banks."""
        x, y = walk.x, walk.y
        column_bits = bits_for(self._tile_width - 1)
        row_bits = bits_for(self._tile_height - 1)
        bank_bits = bits_for(self._banks - 1)
        slot_bits = bits_for(self._buffers - 1)
        store = delay(m, take, 1, name="store", reset=True)
        data = delay(m, self.pixels.payload.data, 1, name="data")
        bank = delay(m, y[:bank_bits], 1, name="bank")
        write_at = delay(
            m, Cat(x[:column_bits], y[bank_bits:row_bits], tile[:slot_bits]), 1, name="write_at"
        )
        for b in range(self._banks):
            above = self.row[bank_bits:] - (self.row[:bank_bits] < b)
            m.d.comb += self.banks[b].eq(add_ram(
                m, f"bank{b}", 1 << len(write_at), 8, write=store & (bank == b),
                write_address=write_at, data=data,
                address=Cat(self.column, above[: row_bits - bank_bits], self.tile[:slot_bits]),
                fabric=platform,
            ))  # fmt: skip
        if self._pooled:
            m.d.comb += [self.store.eq(store), self.stored.pixel.eq(data)]
            m.d.sync += [
                self.stored.x.eq(x),
                self.stored.y.eq(y),
                self.stored.tile.eq(tile),
                self.stored.row_end.eq(walk.row_end),
                self.stored.last_row.eq(walk.frame_end),
                self.stored.tile_last.eq(walk.tile_end & walk.band_end),
            ]
