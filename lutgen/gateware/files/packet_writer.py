"""Packet writer: from finished payloads to the bytes of a file.

See :mod:`lutgen.codec.container` for the format.
"""

from typing import NamedTuple

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.coder import Coder

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import delay
from ..streams.axi import BYTE
from ..streams.lut_fifo import step
from .header import BuildHeader
from .raster import file_layout

__all__ = ["PacketWriter"]


def _word_address_bits(coder: Coder, symbols: int) -> int:
    """Address bits of the 16-bit words of one tile's longest payload."""
    return bits_for((coder.max_payload_bytes(symbols) + 1) // 2 - 1)


class _Byte(NamedTuple):
    """What the state machine gives with each byte that it emits."""

    literal: Signal  # the byte itself, of a header or length
    from_memory: Signal  # it is one of the word's
    high: Signal  # ... the upper one
    last: Signal  # of the file
    emit: Signal


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
        self, *, header: BuildHeader, tile_symbols: int, max_width: int, max_height: int,
        buffers: int, sequence_bits: int, coder: Coder, registers: bool = False,
    ) -> None:  # fmt: skip
        self._header, self._registers, self._buffers = header, registers, buffers
        self._index_bits = _word_address_bits(coder, tile_symbols)
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
        tile = Signal(len(self.query))
        ends = self._ends(m, tile)
        file = self.files.payload
        header = Array(self._header.bytes({
            "image width": file.width, "image height": file.height, "images": file.images,
        }))  # fmt: skip

        now = Signal.like(ends)  # of the tile being written
        # A word takes two clocks, its first byte of a payload apart: these are always up to date.
        index_before = delay(m, (now.index - 1)[: len(now.index)], 1, name="index_before")
        lowest = delay(m, now.index == 0, 1, name="lowest")
        length = Signal(self._index_bits + 2)
        # Used two clocks after ``now`` is loaded, and not when its index counts down.
        m.d.sync += length.eq((now.index << 1) + now.both + 1)
        byte = _Byte(
            Signal(8, name="literal"), Signal(name="from_memory"), Signal(name="high_byte"),
            Signal(name="last"), Signal(name="emit"),
        )  # fmt: skip
        may = Signal()
        at = Signal(range(self._header.size))
        with m.FSM() as fsm:
            with m.State("wait"):
                m.d.sync += now.eq(ends)
                with m.If(self.done):
                    m.next = "begin"
            with m.State("begin"):
                with m.If(~now.first):
                    m.next = "length"
                with m.Elif(self.files.valid):
                    m.next = "header"
            with m.State("header"):
                m.d.comb += byte.emit.eq(may)
                if not self._registers:
                    m.d.comb += byte.literal.eq(header[at])
                with m.If(may & (at == self._header.size - 1)):
                    m.next = "header done"
            with m.State("header done"):
                m.next = "length"
            with m.State("length"):
                more = length[7:].any()
                m.d.comb += [byte.literal.eq(Cat(length[:7], more)), byte.emit.eq(may)]
                m.d.sync += byte.high.eq(now.both)
                with m.If(may):
                    with m.If(more):
                        m.next = "length more"
                    with m.Else():
                        m.next = "payload"
            with m.State("length more"):
                m.d.comb += [byte.literal.eq(length[7:]), byte.emit.eq(may)]
                with m.If(may):
                    m.next = "payload"
            with m.State("payload"):
                m.d.comb += [byte.from_memory.eq(1), byte.emit.eq(may)]
                with m.If(may):
                    m.d.sync += byte.high.eq(~byte.high)
                    with m.If(~byte.high):
                        m.d.sync += now.index.eq(index_before)
                        with m.If(lowest):
                            m.d.comb += byte.last.eq(now.last)
                            m.d.sync += tile.eq(tile + 1)
                            m.next = "next"
            with m.State("next"):
                m.next = "wait"

        m.d.sync += [
            at.eq(Mux(fsm.ongoing("header"), at + may, 0)),
            self.files.ready.eq(fsm.ongoing("header done")),
        ]
        word = add_ram(
            m, "words", 1 << (self._index_bits + slot_bits), 16, write=self.write,
            write_address=Cat(self.write_index, self.write_tile[:slot_bits]), data=self.write_word,
            address=Cat(now.index, tile[:slot_bits]), fabric=platform,
        )  # fmt: skip
        in_header = fsm.ongoing("header") if self._registers else None
        self._emit(m, byte, word, header[at], in_header, may)
        return m

    def _ends(self, m: Module, tile: Signal) -> data.View:
        """Where the payload of ``tile`` ends, which is kept of each tile until it is written."""
        slot_bits = bits_for(self._buffers - 1)
        ends = StructLayout({"index": self._index_bits, "both": 1, "first": 1, "last": 1})
        info = Memory(shape=ends, depth=self._buffers, init=[])
        m.submodules.info = info
        info_write, info_read = info.write_port(), info.read_port(domain="comb")
        m.d.comb += [
            info_write.addr.eq(self.write_tile[:slot_bits]),
            info_write.data.eq(Cat(self.write_index, self.both, self.ends)),
            info_write.en.eq(self.final),
            self.query.eq(tile),
            info_read.addr.eq(tile[:slot_bits]),
        ]
        return info_read.data

    def _emit(
        self, m: Module, byte: _Byte, word: Value, of_header: Value, in_header: Value | None,
        may: Signal,
    ) -> None:  # fmt: skip
        """Emit bytes two clocks later, when the word is there; ``may`` says that one may begin.

        ``of_header`` is the header's byte, which comes a clock late where there is ``in_header``.
        """
        credits_ = Signal(range(self._CREDITS + 1), init=self._CREDITS)
        m.submodules.out = out = fifo.SyncFIFOBuffered(width=BYTE.size, depth=self._CREDITS)
        given = self.bytes.valid & self.bytes.ready
        m.d.comb += self.busy.eq(credits_ != self._CREDITS)
        m.d.sync += [
            credits_.eq(step(credits_, given, byte.emit)),
            may.eq(credits_ > 1),  # registered: one may be spent before it is seen
        ]
        beside = Cat(byte.literal, byte.from_memory, byte.high, byte.last)
        if in_header is not None:
            beside = delay(m, beside, 1, name="beside_now")
            in_header = delay(m, in_header, 1, name="in_header")
            literal = Mux(in_header, delay(m, of_header, 1, name="header_byte"), beside[:8])
            beside = delay(m, Cat(literal, beside[8:]), 1, name="beside")
        else:
            beside = delay(m, beside, 2, name="beside")
        m.d.comb += [
            out.w_en.eq(delay(m, byte.emit, 2, name="emitted", reset=True)),
            out.w_data.eq(Cat(
                Mux(beside[8], Mux(beside[9], word[8:], word[:8]), beside[:8]), beside[10]
            )),
        ]  # fmt: skip
        wiring.connect(m, wiring.flipped(self.bytes), out.r_stream)
