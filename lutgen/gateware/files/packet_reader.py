"""Packet reader: from the bytes of a file to payloads, tiles and frames.

See :mod:`lutgen.codec.container` for the format.
"""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.coder import Coder

from ..fabric.countdown import lessened
from ..fabric.pipeline import delay
from ..lanes.lanes import forward_tile
from ..streams.axi import BYTE
from .header import BuildHeader
from .packet_grammar import PacketGrammar
from .raster import frame_layout

__all__ = ["PacketReader"]

#: States in which bytes are read.
_READING = ("header", "length", "length more", "payload", "drop")


class _Place:
    """Where the parser is among an image's tiles, in the reader's module.

    Attributes
    ----------
    last_x, last_y:
        Registers: the image's last column and row.
    width, height:
        Size of the tile at hand, less one.
    image_ends, last_image:
        Registers, a clock after `advance`: the tile is its image's last, and no image follows.
    """

    def __init__(
        self, m: Module, frame, images: Signal, tile_width: int, tile_height: int
    ) -> None:
        self._tile_width, self._tile_height = tile_width, tile_height
        self._images = images
        column_bits, row_bits = bits_for(tile_width - 1), bits_for(tile_height - 1)
        x, y = Signal.like(frame.width), Signal.like(frame.height)  # of the tile's corner
        self.last_x, self.last_y = Signal.like(x, name="last_x"), Signal.like(y, name="last_y")
        self._x, self._y = x, y
        # Registered: what they depend on changes in "advance", a clock before they are used.
        at_right, at_bottom = Signal(), Signal()
        self.image_ends = Signal()
        self._fewer = lessened(m, images, name="fewer")  # an image takes longer
        self.last_image = Signal()
        same_column = x[column_bits:] == self.last_x[column_bits:]
        same_row = y[row_bits:] == self.last_y[row_bits:]
        m.d.sync += [
            at_right.eq(same_column), at_bottom.eq(same_row),
            self.image_ends.eq(same_column & same_row), self.last_image.eq(images == 1),
        ]  # fmt: skip
        self._at_right, self._at_bottom = at_right, at_bottom
        self.width = Mux(at_right, self.last_x[:column_bits], tile_width - 1)
        self.height = Mux(at_bottom, self.last_y[:row_bits], tile_height - 1)

    def begin(self, m: Module, width: Value, height: Value) -> None:
        """A file begins, of images of this size."""
        m.d.sync += [
            self._x.eq(0), self._y.eq(0), self.last_x.eq(width - 1), self.last_y.eq(height - 1),
        ]  # fmt: skip

    def advance(self, m: Module) -> None:
        """On to the next tile, and behind the last one to the next image."""
        m.d.sync += self._x.eq(Mux(self._at_right, 0, self._x + self._tile_width))
        with m.If(self._at_right):
            m.d.sync += self._y.eq(Mux(self._at_bottom, 0, self._y + self._tile_height))
        with m.If(self.image_ends):
            m.d.sync += self._images.eq(self._fewer)


class PacketReader(wiring.Component):
    """Reads the file: checks the header, stores payloads, and queues tiles and frames.

    One byte per clock while there is room; four clocks more for each tile.  A stream that breaks a
    rule is reported and dropped up to its ``last``; if that happens inside an image, the image's
    missing tiles are queued as void, so that every frame that begins is completed.

    Members
    -------
    bytes : In(stream of BYTE)
        The file.
    write, address, data : Out(...)
        Payload byte to store.
    free_to : In(...)
        Byte address up to which payloads have been used, with one more bit than ``address``.
    tiles : Out(stream)
        Tiles, see :func:`lutgen.gateware.lanes.lanes.forward_tile`.
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
        self, *, header: BuildHeader, tile_symbols: int, tile_width: int, tile_height: int,
        max_width: int, max_height: int, address_bits: int, coder: Coder,
    ) -> None:  # fmt: skip
        self._header, self._coder = header, coder
        self._tile_width, self._tile_height = tile_width, tile_height
        self._max_width, self._max_height = max_width, max_height
        self._tile_symbols = tile_symbols
        longest = coder.max_payload_bytes(tile_symbols)
        if 1 << address_bits <= longest:
            raise ValueError(
                f"payload memory must hold more than {longest} bytes, "
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
        frame, tile = self.frames.payload, self.tiles.payload

        grammar = PacketGrammar(
            m, self._header, coder=self._coder, tile_symbols=self._tile_symbols,
            max_width=self._max_width, max_height=self._max_height,
        )  # fmt: skip
        place = _Place(m, frame, grammar.images, self._tile_width, self._tile_height)
        m.d.comb += [
            frame.width.eq(place.last_x),
            frame.height.eq(place.last_y),
            tile.width.eq(place.width),
            tile.height.eq(place.height),
        ]
        # What the state says of the bytes, in registers: neither they nor their counters shall wait
        # for it.
        reads, in_payload = Signal(init=1), Signal()
        take, final, first_byte = self._store(m, reads, in_payload, grammar.length)

        def go(state: str) -> None:
            m.next = state
            m.d.sync += [
                reads.eq(int(state in _READING)), in_payload.eq(int(state == "payload")),
            ]  # fmt: skip
            if state == "header":
                m.d.sync += self.busy.eq(0)

        voids = Signal()
        with m.FSM() as fsm:
            grammar.header_states(
                m, go, valid=self.bytes.valid, last=last, settle=["header read"], good="frame",
                bad_header=self.bad_header, bad_model=self.bad_model, bad_packet=self.bad_packet,
            )  # fmt: skip
            with m.State("frame"):
                m.d.comb += self.frames.valid.eq(1)
                with m.If(self.frames.ready):
                    go("length")
            grammar.length_states(m, go, valid=self.bytes.valid, byte=byte, last=last)
            with m.State("length read"):
                m.d.sync += [first_byte.eq(1), final.eq(0)]
                with m.If(grammar.impossible):
                    m.d.comb += self.bad_packet.eq(1)
                    m.d.sync += voids.eq(1)
                    go("tile")
                with m.Else():
                    go("payload")
            with m.State("payload"):
                with m.If(take):
                    m.d.sync += grammar.truncated.eq(last)
                    with m.If(final):
                        go("tile")
                    with m.Elif(last):
                        m.d.comb += self.bad_packet.eq(1)
                        m.d.sync += voids.eq(1)
                        go("tile")
            with m.State("tile"):
                m.d.comb += [self.tiles.valid.eq(1), tile.void.eq(voids)]
                with m.If(self.tiles.ready):
                    go("advance")
            with m.State("advance"):
                self._advance(m, go, place, grammar.truncated, voids)
            with m.State("void settles"):
                go("tile")
            with m.State("stop"):
                with m.If(grammar.truncated):
                    go("header")
                with m.Else():
                    go("drop")
            with m.State("drop"):
                with m.If(self.bytes.valid & last):
                    go("header")
        in_header = fsm.ongoing("header")
        at = grammar.count(m, in_header, self.bytes.valid)
        grammar.take(m, in_header & self.bytes.valid, at, byte)
        with m.If(in_header & self.bytes.valid):
            m.d.sync += self.busy.eq(1)
        with m.If(fsm.ongoing("check")):
            place.begin(m, grammar.width, grammar.height)
        return m

    def _store(
        self, m: Module, reads: Value, in_payload: Value, length: Value
    ) -> tuple[Signal, Signal, Signal]:
        """Store a payload's bytes, and find where its bits begin and end.

        Bytes are taken while ``reads``, and those of a payload of ``length`` bytes stored.

        Returns
        -------
        tuple
            A byte of the payload is taken; registers: only one byte is still to come, and the
            first one is.
        """
        byte, tile = self.bytes.payload.data, self.tiles.payload
        left = Signal(14)  # bytes still to come
        final = Signal()  # ... only this one
        pointer = Signal(len(self.free_to))
        room = Signal()
        first_byte, take = Signal(name="first_byte"), Signal(name="take")
        begin = Signal.like(pointer)  # of the payload
        zeros = Signal(4)  # before the leading one
        m.d.comb += [
            tile.position.eq(Cat(Const(0, 3), begin) + zeros + 1),
            # A payload that begins with a zero byte is corrupt: no tile can end between two bytes.
            tile.end.eq(Cat(zeros[3], Const(0, 2), pointer)),
            self.ends_at.eq(pointer),
            self.address.eq(pointer),
            self.data.eq(byte),
        ]
        # Registered twice: the pointer advances twice more before it is seen.
        used = delay(m, (pointer - self.free_to)[: len(pointer)], 1, name="used")
        m.d.sync += room.eq(used < (1 << len(self.address)) - 4)
        m.d.comb += [
            self.bytes.ready.eq(reads & (room | ~in_payload)),
            take.eq(self.bytes.valid & room & in_payload),
            self.write.eq(take),
        ]
        with m.If(take):
            m.d.sync += [
                pointer.eq(pointer + 1), left.eq(left - 1), final.eq(left == 2), first_byte.eq(0),
            ]  # fmt: skip
        with m.Elif(~in_payload):
            m.d.sync += left.eq(length)
        # Not only when it is taken: the pointer waits for it.
        with m.If(in_payload & first_byte):
            m.d.sync += [begin.eq(pointer), zeros.eq(8)]
            for i in range(8):
                with m.If(byte[i]):
                    m.d.sync += zeros.eq(7 - i)
        return take, final, first_byte

    def _advance(
        self, m: Module, go: Callable[[str], None], place: _Place, truncated: Value, voids: Value
    ) -> None:
        """What follows a tile: the next one, the next image, or the file's end, soon or late."""
        ends = place.image_ends
        place.advance(m)
        with m.If(voids & ~ends):
            go("void settles")
        with m.Elif(voids):
            m.d.sync += voids.eq(0)
            go("stop")
        with m.Elif(ends & place.last_image):
            m.d.comb += self.bad_packet.eq(~truncated)
            go("stop")
        with m.Elif(truncated):
            m.d.comb += self.bad_packet.eq(1)
            m.d.sync += voids.eq(1)
            with m.If(ends):
                m.d.sync += voids.eq(0)
                go("stop")
            with m.Else():
                go("void settles")
        with m.Elif(ends):
            go("frame")
        with m.Else():
            go("length")
