"""Raster to tiles and back: the pixel ports' side of the tile memories.

Tiles in flight live in a ring of buffers, taken and given back in the order of their sequence
numbers.  A band is the row of tiles that one raster row runs through.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..codec.window import Window
from .lanes import backward_tile
from .pipeline import delay
from .window import row_banks

__all__ = ["PIXEL", "RasterToTiles", "TilesToRaster", "file_layout", "frame_layout"]

#: A pixel on a stream: TUSER[0] of AXI4-Stream video is ``sof``, TLAST is ``eol``.
PIXEL = StructLayout({"data": 8, "sof": 1, "eol": 1})


def frame_layout(max_width: int, max_height: int) -> StructLayout:
    """Size of an image: its last column and row."""
    return StructLayout({"width": bits_for(max_width - 1), "height": bits_for(max_height - 1)})


def file_layout(max_width: int, max_height: int) -> StructLayout:
    """Size and number of a file's images, in pixels and images."""
    return StructLayout({
        "width": bits_for(max_width), "height": bits_for(max_height), "images": 32,
    })  # fmt: skip


class RasterToTiles(wiring.Component):
    """Writes a raster of pixels into tile buffers, whose columns the encoder then reads.

    One pixel per clock, unless the next band has no free buffer.  Geometry is counted, not taken
    from the markers: a pixel without ``sof`` where a frame should begin is dropped, and a marker
    in a wrong place is reported and otherwise ignored.  Size and number of images are sampled
    when a file begins; one that is zero or too large is reported and its pixels are dropped.

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
    files : Out(stream)
        Each file when it begins, see :func:`file_layout`.
    tiles : Out(stream)
        Each tile when it is complete, see :func:`.lanes.backward_tile`.
    tile, column, row : In(...)
        Column to read: of the tile with this number, down to this row.
    banks : Out(8) array
        Two clocks later, the column's pixel in the last row of each memory that is not below
        ``row``.
    bad_marker, bad_size : Out(1)
        Pulses: a misplaced marker, an impossible size.
    busy : Out(1)
        A frame or file is incomplete.
    """

    def __init__(
        self, window: Window, *, tile_width: int, tile_height: int, max_width: int,
        max_height: int, buffers: int, sequence_bits: int,
    ) -> None:  # fmt: skip
        self._tile_width, self._tile_height = tile_width, tile_height
        self._max_width, self._max_height = max_width, max_height
        self._buffers = buffers
        self._banks = row_banks(window)
        super().__init__({
            "pixels": In(stream.Signature(PIXEL)),
            "width": In(bits_for(max_width)),
            "height": In(bits_for(max_height)),
            "images": In(32),
            "oldest": In(sequence_bits),
            "files": Out(stream.Signature(file_layout(max_width, max_height))),
            "tiles": Out(stream.Signature(backward_tile(tile_width, tile_height))),
            "tile": In(sequence_bits),
            "column": In(bits_for(tile_width - 1)),
            "row": In(bits_for(tile_height - 1)),
            "banks": Out(8).array(self._banks),
            "bad_marker": Out(1),
            "bad_size": Out(1),
            "busy": Out(1),
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
        image = Signal(32)  # images of this file still to come after this one
        last_x, last_y = Signal.like(x), Signal.like(y)
        size_ok = Signal()
        images = Signal(32)
        with m.If(~in_file):
            # Held at the last value before the file began.
            m.d.sync += [
                last_x.eq(self.width - 1),
                last_y.eq(self.height - 1),
                images.eq(self.images),
                size_ok.eq(
                    (self.width != 0) & (self.width <= self._max_width) & (self.height != 0)
                    & (self.height <= self._max_height) & (self.images != 0)
                ),
            ]  # fmt: skip

        pixel = self.pixels.payload
        begins = ~in_frame & pixel.sof
        row_end, frame_end = x == last_x, y == last_y
        tile_end = row_end | x[:column_bits].all()
        band_end = frame_end | y[:row_bits].all()
        file_begins = begins & ~in_file
        m.submodules.queue = queue = fifo.SyncFIFOBuffered(
            width=backward_tile(self._tile_width, self._tile_height).size, depth=self._buffers
        )
        wiring.connect(m, wiring.flipped(self.tiles), queue.r_stream)
        described = Signal(backward_tile(self._tile_width, self._tile_height))
        room = Signal()
        take = Signal()  # a pixel that counts
        m.d.comb += [
            room.eq((tile - self.oldest)[: len(tile)] < self._buffers),
            self.files.payload.width.eq(last_x + 1),
            self.files.payload.height.eq(last_y + 1),
            self.files.payload.images.eq(images),
            self.bad_size.eq(self.pixels.valid & file_begins & ~size_ok),
        ]
        with m.If(~in_frame & (~pixel.sof | (~in_file & ~size_ok))):
            m.d.comb += self.pixels.ready.eq(1)  # dropped
            m.d.comb += self.bad_marker.eq(self.pixels.valid & ~pixel.sof)
        with m.Else():
            m.d.comb += [
                self.pixels.ready.eq(room & (self.files.ready | ~file_begins)),
                take.eq(self.pixels.valid & self.pixels.ready),
                self.files.valid.eq(self.pixels.valid & room & file_begins),
                self.bad_marker.eq(
                    take & ((pixel.sof & in_frame) | (pixel.eol != row_end))
                ),
            ]
        last_image = Mux(in_file, image, images - 1) == 0
        with m.If(take):
            m.d.sync += in_frame.eq(1)
            with m.If(file_begins):
                m.d.sync += [in_file.eq(1), image.eq(images - 1)]
            m.d.sync += x.eq(Mux(row_end, 0, x + 1))
            with m.If(tile_end):
                m.d.sync += tile.eq(tile + 1)
            with m.If(row_end):
                m.d.sync += y.eq(Mux(frame_end, 0, y + 1))
                with m.If(band_end):
                    m.d.sync += band.eq(tile + 1)
                with m.Else():
                    m.d.sync += tile.eq(band)
                with m.If(frame_end):
                    m.d.sync += [in_frame.eq(0), image.eq(image - 1)]
                    with m.If(last_image):
                        m.d.sync += in_file.eq(0)
        whole_first = Signal()  # no tile of this file has been described yet
        with m.If(take & file_begins):
            m.d.sync += whole_first.eq(1)
        with m.If(queue.w_en):
            m.d.sync += whole_first.eq(0)
        m.d.comb += [
            described.width.eq(x[:column_bits]),
            described.height.eq(y[:row_bits]),
            described.first.eq(whole_first | file_begins),
            described.last.eq(row_end & frame_end & last_image),
            queue.w_data.eq(described),
            queue.w_en.eq(take & tile_end & band_end),
            self.busy.eq(in_frame | in_file | queue.r_rdy),
        ]

        # Row r of a tile is row r // banks of memory r % banks.
        store = delay(m, take, 1, name="store", reset=True)
        data = delay(m, pixel.data, 1, name="data")
        bank = delay(m, y[:bank_bits], 1, name="bank")
        write_at = delay(
            m, Cat(x[:column_bits], y[bank_bits:row_bits], tile[:slot_bits]), 1, name="write_at"
        )
        for b in range(self._banks):
            memory = Memory(shape=8, depth=1 << len(write_at), init=[])
            m.submodules[f"bank{b}"] = memory
            write, read = memory.write_port(), memory.read_port()
            above = self.row[bank_bits:] - (self.row[:bank_bits] < b)
            m.d.comb += [
                write.addr.eq(write_at),
                write.data.eq(data),
                write.en.eq(store & (bank == b)),
                read.addr.eq(Cat(
                    self.column, above[: row_bits - bank_bits], self.tile[:slot_bits]
                )),
            ]  # fmt: skip
            pixel_out = Signal(8, name=f"bank_out{b}", reset_less=True)
            m.d.sync += pixel_out.eq(read.data)
            m.d.comb += self.banks[b].eq(pixel_out)
        return m


class TilesToRaster(wiring.Component):
    """Reads finished tile buffers back as a raster.

    One pixel per clock as long as tiles are done and the output is ready; four clocks from a
    tile's completion to its first pixel.

    Members
    -------
    frames : In(stream)
        Size of each image, see :func:`frame_layout`.
    query : Out(...)
        Tile that is wanted.
    done : In(1)
        It is done.
    oldest : Out(...)
        Sequence number of the oldest tile whose buffer is in use.
    write : In(1)
        Write ``write_pixel`` into the buffer of tile ``write_tile`` at ``write_x, write_y``.
    pixels : Out(stream of PIXEL)
        Raster.
    busy : Out(1)
        An image is incomplete.
    """

    _CREDITS = 8

    def __init__(
        self, *, tile_width: int, tile_height: int, max_width: int, max_height: int,
        buffers: int, sequence_bits: int,
    ) -> None:  # fmt: skip
        self._buffers = buffers
        self._tile_width, self._tile_height = tile_width, tile_height
        super().__init__({
            "frames": In(stream.Signature(frame_layout(max_width, max_height))),
            "query": Out(sequence_bits),
            "done": In(1),
            "oldest": Out(sequence_bits),
            "write": In(1),
            "write_tile": In(sequence_bits),
            "write_x": In(bits_for(tile_width - 1)),
            "write_y": In(bits_for(tile_height - 1)),
            "write_pixel": In(8),
            "pixels": Out(stream.Signature(PIXEL)),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        frame = self.frames.payload
        column_bits = bits_for(self._tile_width - 1)
        row_bits = bits_for(self._tile_height - 1)
        slot_bits = bits_for(self._buffers - 1)
        x, y = Signal.like(frame.width), Signal.like(frame.height)
        band, tile = Signal(len(self.query)), Signal(len(self.query))
        row_end, frame_end = x == frame.width, y == frame.height
        tile_end = row_end | x[:column_bits].all()
        band_end = frame_end | y[:row_bits].all()

        credits_ = Signal(range(self._CREDITS + 1), init=self._CREDITS)
        issue = Signal()
        given = self.pixels.valid & self.pixels.ready
        m.d.comb += [
            self.query.eq(tile),
            issue.eq(self.frames.valid & self.done & (credits_ != 0)),
            self.frames.ready.eq(issue & row_end & frame_end),
            self.oldest.eq(band),
        ]
        m.d.sync += credits_.eq(credits_ - issue + given)
        with m.If(issue):
            m.d.sync += x.eq(Mux(row_end, 0, x + 1))
            with m.If(tile_end):
                m.d.sync += tile.eq(tile + 1)
            with m.If(row_end):
                m.d.sync += y.eq(Mux(frame_end, 0, y + 1))
                with m.If(~band_end):
                    m.d.sync += tile.eq(band)
            # In the band's last row each tile's buffer is given back when it has been read.
            with m.If(tile_end & band_end):
                m.d.sync += band.eq(tile + 1)

        m.submodules.buffers = memory = Memory(
            shape=8, depth=1 << (column_bits + row_bits + slot_bits), init=[]
        )
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.addr.eq(Cat(self.write_x, self.write_y, self.write_tile[:slot_bits])),
            write.data.eq(self.write_pixel),
            write.en.eq(self.write),
            read.addr.eq(Cat(x[:column_bits], y[:row_bits], tile[:slot_bits])),
        ]
        m.submodules.out = out = fifo.SyncFIFOBuffered(width=PIXEL.size, depth=self._CREDITS)
        marks = delay(m, Cat((x == 0) & (y == 0), row_end), 2, name="marks")
        m.d.comb += [
            out.w_data.eq(Cat(delay(m, read.data, 1, name="pixel"), marks)),
            out.w_en.eq(delay(m, issue, 2, name="issued", reset=True)),
            self.busy.eq((credits_ != self._CREDITS) | self.frames.valid),
        ]
        wiring.connect(m, wiring.flipped(self.pixels), out.r_stream)
        return m
