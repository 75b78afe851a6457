"""The container in hardware: from finished payloads to a byte stream and back.

See :mod:`lutgen.codec.container` for the format.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..codec.container import HEADER_BYTES, MIN_PAYLOAD_BYTES, VERSION
from ..codec.rans import max_payload_bytes
from .axi import BYTE
from .blockmem import add_ram
from .lanes import forward_tile
from .pipeline import delay
from .raster import file_layout, frame_layout

__all__ = ["PacketReader", "PacketWriter", "PayloadMemory", "word_address_bits"]

def word_address_bits(tile_width: int, tile_height: int) -> int:
    """Address bits of the 16-bit words of one tile's longest payload."""
    return bits_for((max_payload_bytes(tile_width * tile_height) + 1) // 2 - 1)


class PacketWriter(wiring.Component):
    """Collects the words of tiles in flight and writes the file: header, lengths, payloads.

    Words of a tile arrive last byte first and are read back from the other end.  One byte per
    clock, and five clocks between two tiles.

    Members
    -------
    files : In(stream)
        Each file, see :func:`.raster.file_layout`, before its first tile is marked.
    write : In(1)
        A word of a tile's payload, ...
    write_tile, write_index, write_word : In(...)
        ... its tile, its number counted from the payload's end, and its bits.
    final : In(1)
        The word is the tile's last, ...
    both, ends : In(...)
        ... it has two significant bytes; the tile begins or ends a file.
    query : Out(...)
        Tile that is wanted next; older ones have been read.
    done : In(1)
        The tile that ``query`` named a clock ago is done.
    bytes : Out(stream of BYTE)
        The file.
    busy : Out(1)
        Bytes of tiles that were read wait to be taken.
    """

    _CREDITS = 8

    def __init__(
        self, *, model_hash: bytes, tile_width: int, tile_height: int, max_width: int,
        max_height: int, buffers: int, sequence_bits: int,
    ) -> None:  # fmt: skip
        self._hash = model_hash
        self._tile_width, self._tile_height = tile_width, tile_height
        self._buffers = buffers
        self._index_bits = word_address_bits(tile_width, tile_height)
        super().__init__({
            "files": In(stream.Signature(file_layout(max_width, max_height))),
            "write": In(1),
            "write_tile": In(sequence_bits),
            "write_index": In(self._index_bits),
            "write_word": In(16),
            "final": In(1),
            "both": In(1),
            "ends": In(2),
            "query": Out(sequence_bits),
            "done": In(1),
            "bytes": Out(stream.Signature(BYTE)),
            "busy": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        slot_bits = bits_for(self._buffers - 1)

        ends = StructLayout({"index": self._index_bits, "both": 1, "first": 1, "last": 1})
        info = Memory(shape=ends, depth=self._buffers, init=[])
        m.submodules.info = info
        info_write, info_read = info.write_port(), info.read_port(domain="comb")
        slot = self.write_tile[:slot_bits]
        m.d.comb += [
            info_write.addr.eq(slot),
            info_write.data.eq(Cat(self.write_index, self.both, self.ends)),
            info_write.en.eq(self.final),
        ]

        file = self.files.payload
        header = Array(
            Const(byte, 8) if isinstance(byte, int) else byte
            for byte in [
                *b"LGC", VERSION, *self._hash[:8], *_bytes(file.width, 2), *_bytes(file.height, 2),
                self._tile_width, self._tile_height, 0, 0, *_bytes(file.images, 4),
            ]
        )  # fmt: skip

        tile = Signal(len(self.query))
        now = Signal(ends)  # the tile being written
        length = Signal(self._index_bits + 2)
        high_byte = Signal()
        literal = Signal(8)
        from_memory, emit, last = Signal(), Signal(), Signal()
        credits_ = Signal(range(self._CREDITS + 1), init=self._CREDITS)
        may = credits_ != 0
        at = Signal(range(HEADER_BYTES))
        m.d.comb += [
            self.query.eq(tile),
            info_read.addr.eq(tile[:slot_bits]),
            length.eq((now.index << 1) + now.both + 1),
            self.busy.eq(credits_ != self._CREDITS),
        ]
        with m.FSM() as fsm:
            with m.State("wait"):
                m.d.sync += now.eq(info_read.data)
                with m.If(self.done):
                    m.next = "begin"
            with m.State("begin"):
                with m.If(~now.first):
                    m.next = "length"
                with m.Elif(self.files.valid):
                    m.next = "header"
            with m.State("header"):
                m.d.comb += [literal.eq(header[at]), emit.eq(may)]
                with m.If(may & (at == HEADER_BYTES - 1)):
                    m.next = "header done"
            with m.State("header done"):
                m.next = "length"
            with m.State("length"):
                more = length[7:].any()
                m.d.comb += [literal.eq(Cat(length[:7], more)), emit.eq(may)]
                m.d.sync += high_byte.eq(now.both)
                with m.If(may):
                    with m.If(more):
                        m.next = "length more"
                    with m.Else():
                        m.next = "payload"
            with m.State("length more"):
                m.d.comb += [literal.eq(length[7:]), emit.eq(may)]
                with m.If(may):
                    m.next = "payload"
            with m.State("payload"):
                m.d.comb += [from_memory.eq(1), emit.eq(may)]
                with m.If(may):
                    m.d.sync += high_byte.eq(~high_byte)
                    with m.If(~high_byte):
                        m.d.sync += now.index.eq(now.index - 1)
                        with m.If(now.index == 0):
                            m.d.comb += last.eq(now.last)
                            m.d.sync += tile.eq(tile + 1)
                            m.next = "next"
            with m.State("next"):
                m.next = "wait"

        m.d.sync += [
            at.eq(Mux(fsm.ongoing("header"), at + may, 0)),
            self.files.ready.eq(fsm.ongoing("header done")),
        ]
        m.submodules.out = out = fifo.SyncFIFOBuffered(width=BYTE.size, depth=self._CREDITS)
        given = self.bytes.valid & self.bytes.ready
        m.d.sync += credits_.eq(credits_ - emit + given)
        word = add_ram(
            m, "words", 1 << (self._index_bits + slot_bits), 16, write=self.write,
            write_address=Cat(self.write_index, slot), data=self.write_word,
            address=Cat(now.index, tile[:slot_bits]),
        )  # fmt: skip
        beside = delay(m, Cat(literal, from_memory, high_byte, last), 2, name="beside")
        m.d.comb += [
            out.w_en.eq(delay(m, emit, 2, name="emitted", reset=True)),
            out.w_data.eq(Cat(
                Mux(beside[8], Mux(beside[9], word[8:], word[:8]), beside[:8]), beside[10]
            )),
        ]  # fmt: skip
        wiring.connect(m, wiring.flipped(self.bytes), out.r_stream)
        return m


def _bytes(value, count: int) -> list:
    """Little-endian bytes of a signal."""
    wide = Cat(value, Const(0, 8 * count))[: 8 * count]
    return [wide.word_select(i, 8) for i in range(count)]


class PayloadMemory(wiring.Component):
    """Ring of payload bytes: one written, any 16 consecutive bits read, each clock.

    Members
    -------
    write, address, data : In(...)
        Byte to write.
    fetch : In(...)
        Bit address.
    word : Out(16)
        The 16 bits from there on, four clocks later, the first one in the top.
    """

    latency = 4

    def __init__(self, address_bits: int) -> None:
        if address_bits < 4:
            raise ValueError(f"address bits must be at least 4, not {address_bits!r}")
        super().__init__({
            "write": In(1),
            "address": In(address_bits),
            "data": In(8),
            "fetch": In(address_bits + 3),
            "word": Out(16),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        # Byte a is in memory a % 4; three bytes in a row are in three memories.
        row_bits = len(self.address) - 2
        byte = self.fetch[3:]
        row = Signal(row_bits, reset_less=True)
        row_after = Signal(row_bits, reset_less=True)
        first = Signal(2, reset_less=True)
        m.d.sync += [row.eq(byte[2:]), row_after.eq(byte[2:] + 1), first.eq(byte[:2])]
        bank_out = []
        write = delay(m, self.write, 1, name="write", reset=True)
        address = delay(m, self.address, 1, name="address")
        data = delay(m, self.data, 1, name="data")
        for b in range(4):
            bank_out.append(add_ram(
                m, f"bank{b}", 1 << row_bits, 8, write=write & (address[:2] == b),
                write_address=address[2:], data=data, address=Mux(first > b, row_after, row),
            ))  # fmt: skip
        first = delay(m, first, 2, name="first")
        shift = delay(m, self.fetch[:3], 3, name="shift")
        turned = Array(Cat(bank_out[(i + k) % 4] for k in (2, 1, 0)) for i in range(4))
        three = Signal(24)
        m.d.comb += three.eq(turned[first])
        m.d.sync += self.word.eq((three << shift)[8:24])
        return m


class PacketReader(wiring.Component):
    """Reads the file: checks the header, stores payloads, and queues tiles and frames.

    One byte per clock while there is room.  A stream that breaks a rule is reported and dropped up
    to its ``last``; if that happens inside an image, the image's missing tiles are queued as void,
    so that every frame that begins is completed.

    Members
    -------
    bytes : In(stream of BYTE)
        The file.
    write, address, data : Out(...)
        Payload byte to store.
    free_to : In(...)
        Byte address up to which payloads have been used, with one more bit than ``address``.
    tiles : Out(stream)
        Tiles, see :func:`.lanes.forward_tile`.
    ends_at : Out(...)
        With ``tiles``: byte address behind the payload, with one more bit than ``address``.
    frames : Out(stream)
        Size of each image when it begins, see :func:`.raster.frame_layout`.
    bad_header, bad_model, bad_packet : Out(1)
        Pulses: not a file of this format and geometry; another model's; packets cut short,
        of impossible length, or followed by something.
    busy : Out(1)
        A file is incomplete.
    """

    def __init__(
        self, *, model_hash: bytes, tile_width: int, tile_height: int, max_width: int,
        max_height: int, address_bits: int,
    ) -> None:  # fmt: skip
        self._hash = model_hash
        self._tile_width, self._tile_height = tile_width, tile_height
        self._max_width, self._max_height = max_width, max_height
        self._max_payload = max_payload_bytes(tile_width * tile_height)
        if 1 << address_bits <= self._max_payload:
            raise ValueError(
                f"payload memory must hold more than {self._max_payload} bytes, "
                f"not {1 << address_bits}"
            )
        super().__init__({
            "bytes": In(stream.Signature(BYTE)),
            "write": Out(1),
            "address": Out(address_bits),
            "data": Out(8),
            "free_to": In(address_bits + 1),
            "tiles": Out(stream.Signature(
                forward_tile(tile_width, tile_height, address_bits + 3))),
            "ends_at": Out(address_bits + 1),
            "frames": Out(stream.Signature(frame_layout(max_width, max_height))),
            "bad_header": Out(1),
            "bad_model": Out(1),
            "bad_packet": Out(1),
            "busy": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        byte, last = self.bytes.payload.data, self.bytes.payload.last
        column_bits = bits_for(self._tile_width - 1)
        row_bits = bits_for(self._tile_height - 1)
        frame = self.frames.payload

        at = Signal(range(HEADER_BYTES))
        width, height, images = Signal(16), Signal(16), Signal(32)
        expected = Array(
            Const(v, 8)
            for v in [*b"LGC", VERSION, *self._hash[:8], 0, 0, 0, 0,
                      self._tile_width, self._tile_height, 0, 0, 0, 0, 0, 0]
        )  # fmt: skip
        wrong_header, wrong_model = Signal(), Signal()
        right = byte == expected[at]
        # Tiles of the image: last column and row, and where the parser is among them.
        x, y = Signal.like(frame.width), Signal.like(frame.height)  # of the tile's corner
        last_x, last_y = Signal.like(x), Signal.like(y)
        tile = self.tiles.payload
        # Registered: what they depend on changes in "advance", a clock before they are used.
        at_right, at_bottom, image_ends = Signal(), Signal(), Signal()
        last_image, bad_size = Signal(), Signal()
        m.d.sync += [
            at_right.eq(x[column_bits:] == last_x[column_bits:]),
            at_bottom.eq(y[row_bits:] == last_y[row_bits:]),
            image_ends.eq(
                (x[column_bits:] == last_x[column_bits:]) & (y[row_bits:] == last_y[row_bits:])
            ),
            last_image.eq(images == 1),
            bad_size.eq(
                (width == 0) | (height == 0) | (images == 0)
                | (width > self._max_width) | (height > self._max_height)
            ),
        ]  # fmt: skip
        length = Signal(14)
        malformed = Signal()
        left = Signal(14)  # bytes still to come
        final = Signal()  # ... only this one
        pointer = Signal(len(self.free_to))
        room = Signal()
        truncated = Signal()  # the stream is over, or dropped up to its end
        first_byte, take, voids = Signal(), Signal(), Signal()
        begin = Signal.like(pointer)  # of the payload
        zeros = Signal(4)  # before the leading one

        m.d.comb += [
            frame.width.eq(last_x),
            frame.height.eq(last_y),
            tile.width.eq(Mux(at_right, last_x[:column_bits], self._tile_width - 1)),
            tile.height.eq(Mux(at_bottom, last_y[:row_bits], self._tile_height - 1)),
            tile.position.eq(Cat(Const(0, 3), begin) + zeros + 1),
            tile.end.eq(pointer << 3),
            self.ends_at.eq(pointer),
            self.address.eq(pointer),
            self.data.eq(byte),
        ]
        # Registered twice: the pointer advances twice more before it is seen.
        used = delay(m, (pointer - self.free_to)[: len(pointer)], 1, name="used")
        m.d.sync += room.eq(used < (1 << len(self.address)) - 4)

        with m.FSM() as fsm:
            with m.State("header"):
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(self.bytes.valid):
                    m.d.sync += self.busy.eq(1)
                    for i, field in ((12, width), (14, height), (20, images)):
                        count = len(field) // 8
                        for k in range(count):
                            with m.If(at == i + k):
                                m.d.sync += field.word_select(k, 8).eq(byte)
                    with m.If((at < 4) | ((at >= 16) & (at < 20))):
                        m.d.sync += wrong_header.eq(wrong_header | ~right)
                    with m.If((at >= 4) & (at < 12)):
                        m.d.sync += wrong_model.eq(wrong_model | ~right)
                    with m.If(at == HEADER_BYTES - 1):
                        m.d.sync += truncated.eq(last)
                        m.next = "header read"
                    with m.Elif(last):
                        m.next = "header short"
            with m.State("header short"):
                m.d.comb += self.bad_header.eq(1)
                m.d.sync += [wrong_header.eq(0), wrong_model.eq(0), self.busy.eq(0)]
                m.next = "header"
            with m.State("header read"):
                m.next = "check"
            with m.State("check"):
                m.d.sync += [
                    wrong_header.eq(0), wrong_model.eq(0), x.eq(0), y.eq(0),
                    last_x.eq(width - 1), last_y.eq(height - 1),
                ]  # fmt: skip
                m.d.comb += [
                    self.bad_header.eq(wrong_header | (~wrong_model & bad_size)),
                    self.bad_model.eq(~wrong_header & wrong_model),
                    self.bad_packet.eq(truncated & ~wrong_header & ~wrong_model & ~bad_size),
                ]
                with m.If(truncated):
                    m.d.sync += self.busy.eq(0)
                    m.next = "header"
                with m.Elif(wrong_header | wrong_model | bad_size):
                    m.next = "drop"
                with m.Else():
                    m.next = "frame"
            with m.State("frame"):
                m.d.comb += self.frames.valid.eq(1)
                with m.If(self.frames.ready):
                    m.next = "length"
            with m.State("length"):
                m.d.comb += self.bytes.ready.eq(1)
                m.d.sync += [
                    length.eq(byte[:7]), malformed.eq(0), truncated.eq(last), first_byte.eq(1),
                    final.eq(0),
                ]  # fmt: skip
                with m.If(self.bytes.valid):
                    with m.If(byte[7] & ~last):
                        m.next = "length more"
                    with m.Else():
                        m.next = "length read"
            with m.State("length more"):
                m.d.comb += self.bytes.ready.eq(1)
                m.d.sync += [
                    length[7:].eq(byte), malformed.eq(byte[7] | (byte == 0)), truncated.eq(last),
                ]  # fmt: skip
                with m.If(self.bytes.valid):
                    m.next = "length read"
            with m.State("length read"):
                m.d.sync += left.eq(length)
                with m.If(
                    truncated | malformed
                    | (length < MIN_PAYLOAD_BYTES) | (length > self._max_payload)
                ):  # fmt: skip
                    m.d.comb += self.bad_packet.eq(1)
                    m.d.sync += voids.eq(1)
                    m.next = "tile"
                with m.Else():
                    m.next = "payload"
            with m.State("payload"):
                m.d.comb += [
                    self.bytes.ready.eq(room),
                    take.eq(self.bytes.valid & room),
                    self.write.eq(take),
                ]
                with m.If(take):
                    m.d.sync += [
                        pointer.eq(pointer + 1), left.eq(left - 1), final.eq(left == 2),
                        first_byte.eq(0), truncated.eq(last),
                    ]  # fmt: skip
                    with m.If(first_byte):
                        m.d.sync += [begin.eq(pointer), zeros.eq(8)]
                        for i in range(8):
                            with m.If(byte[i]):
                                m.d.sync += zeros.eq(7 - i)
                    with m.If(final):
                        m.next = "tile"
                    with m.Elif(last):
                        m.d.comb += self.bad_packet.eq(1)
                        m.d.sync += voids.eq(1)
                        m.next = "tile"
            with m.State("tile"):
                m.d.comb += [self.tiles.valid.eq(1), tile.void.eq(voids)]
                with m.If(self.tiles.ready):
                    m.next = "advance"
            with m.State("advance"):
                m.d.sync += x.eq(Mux(at_right, 0, x + self._tile_width))
                with m.If(at_right):
                    m.d.sync += y.eq(Mux(at_bottom, 0, y + self._tile_height))
                with m.If(image_ends):
                    m.d.sync += images.eq(images - 1)
                with m.If(voids & ~image_ends):
                    m.next = "void settles"
                with m.Elif(voids):
                    m.d.sync += voids.eq(0)
                    m.next = "stop"
                with m.Elif(image_ends & last_image):
                    m.d.comb += self.bad_packet.eq(~truncated)
                    m.next = "stop"
                with m.Elif(truncated):
                    m.d.comb += self.bad_packet.eq(1)
                    m.d.sync += voids.eq(1)
                    with m.If(image_ends):
                        m.d.sync += voids.eq(0)
                        m.next = "stop"
                    with m.Else():
                        m.next = "void settles"
                with m.Elif(image_ends):
                    m.next = "frame"
                with m.Else():
                    m.next = "length"
            with m.State("void settles"):
                m.next = "tile"
            with m.State("stop"):
                with m.If(truncated):
                    m.d.sync += self.busy.eq(0)
                    m.next = "header"
                with m.Else():
                    m.next = "drop"
            with m.State("drop"):
                m.d.comb += self.bytes.ready.eq(1)
                with m.If(self.bytes.valid & last):
                    m.d.sync += self.busy.eq(0)
                    m.next = "header"
        m.d.sync += at.eq(Mux(fsm.ongoing("header"), at + self.bytes.valid, 0))
        return m
