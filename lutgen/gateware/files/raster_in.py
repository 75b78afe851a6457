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
from ..fabric.countdown import LESSENED_LATENCY, countdown, lessened
from ..fabric.pipeline import delay
from ..lanes.lanes import backward_tile
from ..lanes.window import row_banks
from ..streams.lut_fifo import LutFifo
from .raster import PIXEL, file_layout, has_one_left

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
        bank_bits = bits_for(self._banks - 1)
        slot_bits = bits_for(self._buffers - 1)
        x = Signal(range(self._max_width))
        y = Signal(range(self._max_height))
        band = Signal(len(self.tile))  # number of the band's first tile
        tile = Signal(len(self.tile))  # number of this pixel's tile
        in_frame, in_file = Signal(), Signal()
        last_x, last_y = Signal.like(x), Signal.like(y)
        size_ok = Signal()
        images, count = Signal(32), Signal(32)
        sizes = [
            delay(m, value, 1, name=f"size{i}")
            for i, value in enumerate((self.width, self.height, self.images))
        ]
        less = [lessened(m, value, name=f"less{i}") for i, value in enumerate(sizes)]
        # Zero less one is too large as well.
        checks = [
            less[0] < self._max_width, less[1] < self._max_height, less[2] != (1 << 32) - 1,
        ]  # fmt: skip
        checks = [delay(m, check, 1, name=f"check{i}") for i, check in enumerate(checks)]
        with m.If(~in_file):
            # Held at the last value before the file began.
            m.d.sync += [
                last_x.eq(less[0]), last_y.eq(less[1]), images.eq(less[2]),
                count.eq(delay(m, sizes[2], LESSENED_LATENCY, name="count")),
                size_ok.eq(Cat(checks).all()),
            ]  # fmt: skip

        # Flags of the coming pixel, so that nothing has to be compared when it comes.
        row_end, frame_end, tile_end, band_end = Signal(), Signal(), Signal(), Signal()
        take = Signal()  # a pixel that counts
        before_x, before_y = Signal.like(x), Signal.like(y)  # last but one column and row
        one_column, one_row = Signal(), Signal()
        m.d.sync += [
            before_x.eq(last_x - 1), before_y.eq(last_y - 1),
            one_column.eq(last_x == 0), one_row.eq(last_y == 0),
        ]  # fmt: skip
        row_end_next = Mux(row_end, one_column, x == before_x)
        frame_end_next = Mux(frame_end, one_row, y == before_y)
        with m.If(take):
            m.d.sync += [
                row_end.eq(row_end_next),
                tile_end.eq(row_end_next | (~row_end & has_one_left(x, column_bits))),
            ]
            with m.If(row_end):
                m.d.sync += [
                    frame_end.eq(frame_end_next),
                    band_end.eq(frame_end_next | (~frame_end & has_one_left(y, row_bits))),
                ]
        with m.Elif(~in_file):
            m.d.sync += [
                row_end.eq(one_column), tile_end.eq(one_column),
                frame_end.eq(one_row), band_end.eq(one_row),
            ]  # fmt: skip

        pixel = self.pixels.payload
        begins = ~in_frame & pixel.sof
        file_begins = begins & ~in_file
        described = Signal(backward_tile(self._tile_width, self._tile_height))
        # Never full: each of its tiles has a buffer.
        m.submodules.queue = queue = LutFifo(described.shape(), self._buffers)
        wiring.connect(m, wiring.flipped(self.tiles), queue.o)
        room = Signal()
        m.d.comb += [
            self.file.width.eq(last_x + 1),
            self.file.height.eq(last_y + 1),
            self.file.images.eq(count),
            self.bad_size.eq(self.pixels.valid & file_begins & ~size_ok),
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
        with m.If(~in_frame & (~pixel.sof | (~in_file & ~size_ok))):
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
        last_image, image_ends = Signal(), take & row_end & frame_end
        # Images of this file still to come after this one.
        m.d.comb += last_image.eq(countdown(
            m, images, reload=Mux(image_ends, last_image, ~in_file & ~take),
            step=image_ends & ~last_image, name="image",
        ))  # fmt: skip
        with m.If(take):
            m.d.sync += in_frame.eq(~(row_end & frame_end))
            with m.If(file_begins):
                m.d.sync += in_file.eq(1)
            m.d.sync += x.eq(Mux(row_end, 0, x + 1))
            with m.If(tile_end):
                m.d.sync += tile.eq(Mux(row_end & ~band_end, band, tile + 1))
            with m.If(row_end):
                m.d.sync += y.eq(Mux(frame_end, 0, y + 1))
                with m.If(band_end):
                    m.d.sync += band.eq(tile + 1)
                with m.If(frame_end):
                    with m.If(last_image):
                        m.d.sync += in_file.eq(0)
        undescribed = Signal()  # no tile of this file has been described yet
        describe = take & tile_end & band_end
        with m.If(describe):
            m.d.sync += undescribed.eq(0)
        with m.Elif(take & file_begins):
            m.d.sync += undescribed.eq(1)
        m.d.sync += [
            described.width.eq(x[:column_bits]),
            described.height.eq(y[:row_bits]),
            described.first.eq(undescribed | file_begins),
            described.last.eq(row_end & frame_end & last_image),
            queue.i.valid.eq(describe),
        ]
        m.d.comb += [
            queue.i.payload.eq(described),
            self.busy.eq(in_frame | in_file | queue.i.valid | queue.busy),
        ]

        if self._events:
            m.d.comb += self.in_file.eq(in_file)
            m.d.sync += [
                self.pixel_taken.eq(take),
                self.frame_taken.eq(take & row_end & frame_end),
                self.sof_early.eq(take & pixel.sof & in_frame),
                self.sof_late.eq(self.pixels.valid & ~pixel.sof & ~in_frame),
                self.eol_early.eq(take & pixel.eol & ~row_end),
                self.eol_late.eq(take & ~pixel.eol & row_end),
            ]

        # Row r of a tile is row r // banks of memory r % banks.
        store = delay(m, take, 1, name="store", reset=True)
        data = delay(m, pixel.data, 1, name="data")
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
                self.stored.row_end.eq(row_end),
                self.stored.last_row.eq(frame_end),
                self.stored.tile_last.eq(tile_end & band_end),
            ]
        return m
