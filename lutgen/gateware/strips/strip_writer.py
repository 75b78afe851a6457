"""Strip writer: the payloads of groups become the bytes of a file."""


from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.coder import RANS
from lutgen.model.header import VERSION_2

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose, delay
from ..files.header import BuildHeader
from ..streams.axi import SkidBuffer, word_layout
from ..streams.open_queue import OpenQueue
from .narrower import Narrower
from .pair_crc import PairCrc32
from .pair_joiner import PAIR, PairJoiner
from .payload_rings import PayloadRings, payload_layout, ring_words

__all__ = ["FILE", "StripWriter", "group_layout"]

#: What may differ from file to file.
FILE = StructLayout({"width": 16, "height": 16, "strip_height": 16, "shift": 4, "near": 8})

#: Clocks from the look at the queue's room to the queue.
_UNDER_WAY = PayloadRings.read_latency + 2
#: Clocks in which bytes reach the checksum, and in which the next group's payload is found.
_SETTLE = 7
#: Sources of bytes; two of them are followed by their upper halves.
_NUMBER, _HEADER, _LENGTH, _PART, _CRC, _, _SIZE, _ = range(8)


def group_layout(lanes: int) -> StructLayout:
    """A group: its lane, the direction in which it grows, and what ends with it."""
    return StructLayout({
        "lane": bits_for(lanes - 1), "side": 1, "strip_last": 1, "file_last": 1,
    })  # fmt: skip


class StripWriter(wiring.Component):
    """Writes files: header, strips of groups' payloads with checksums, and the index.

    See :mod:`lutgen.codec.predictive.container`.  Two bytes of a payload per clock, and some 30
    clocks for each group, 60 for each strip, 60 for each file.  Reset forgets everything.

    Parameters
    ----------
    model_hash:
        First 8 bytes of the model's hash.
    lanes, symbols, depth:
        See `.payload_rings.PayloadRings`.
    count:
        Bytes of a word of the stream: 1, 2, 4 or 8.
    max_strips:
        Strips of a file at most, a power of two.

    Members
    -------
    begin, file : In(...)
        A file begins, which has these values in its header.  At most as many files as groups are
        inside.
    put, group : In(...)
        A group begins, see `group_layout`.
    ready : Out(1)
        Two more groups may begin from the moment it falls.
    wanted, wanted_side, done, payload, reads, forget, index, half, pair : Out(...), In(...)
        See `.payload_rings.PayloadRings`.
    o : Out(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files, a packet each.
    busy : Out(1)
        Something is inside.
    """

    def __init__(
        self, *, model_hash: bytes, lanes: int, symbols: int, depth: int, count: int = 4,
        max_strips: int = 1024,
    ) -> None:  # fmt: skip
        if count not in (1, 2, 4, 8):
            raise ValueError(f"bytes of a word must be 1, 2, 4 or 8, not {count!r}")
        if max_strips < 2 or max_strips & (max_strips - 1):
            raise ValueError(
                f"strips of a file must be a power of two of at least 2, not {max_strips!r}"
            )
        self._header = BuildHeader(VERSION_2, {
            "model hash": model_hash, "bit depth": depth, "channels": 1, "coder": RANS.code,
            "strip height": 0, "tile width": 0,
        })  # fmt: skip
        self._lanes, self._count, self._strips = lanes, count, max_strips
        self._layout = payload_layout(symbols, depth)
        index_bits = bits_for(ring_words(symbols, depth) - 1)
        super().__init__({
            "begin": In(1), "file": In(FILE), "put": In(1), "group": In(group_layout(lanes)),
            "ready": Out(1),
            "wanted": Out(bits_for(lanes - 1)), "wanted_side": Out(1), "done": In(1),
            "payload": In(self._layout), "reads": Out(1), "forget": Out(1),
            "index": Out(index_bits), "half": Out(1), "pair": In(16),
            "o": Out(stream.Signature(word_layout(count))), "busy": Out(1),
        })  # fmt: skip

    def _queue(self, m: Module, name: str, put, value, get):
        """Front of a queue; whether there is one, and room for two more, both a clock later."""
        depth = 1 << (4 * self._lanes - 1).bit_length()
        m.submodules[name] = memory = Memory(shape=value.shape(), depth=depth, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [write.en.eq(put), write.data.eq(value)]
        some, room = Signal(name=f"{name}_some"), Signal(name=f"{name}_room")
        inside = Signal(range(depth), name=f"{name}_inside")
        m.d.comb += inside.eq(write.addr - read.addr)
        m.d.sync += [
            write.addr.eq(write.addr + put), read.addr.eq(read.addr + get),
            some.eq(write.addr != read.addr), room.eq(inside < depth - 3),
        ]  # fmt: skip
        return read.data, some, room

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = queue = OpenQueue(PAIR, pipeline=_UNDER_WAY)
        m.submodules.slice = slice_ = SkidBuffer(PAIR)
        m.submodules.joiner = joiner = PairJoiner(max(self._count, 2))
        m.submodules.narrower = narrower = Narrower(max(self._count, 2), self._count)
        m.submodules.crc = crc = PairCrc32()
        wiring.connect(m, queue.o, slice_.i)
        wiring.connect(m, slice_.o, joiner.i)
        wiring.connect(m, joiner.o, narrower.i)
        wiring.connect(m, narrower.o, wiring.flipped(self.o))
        next_group, next_file = Signal(), Signal()
        front, waits, room = self._queue(m, "groups", self.put, self.group, next_group)
        file, *_ = self._queue(m, "files", self.begin, self.file, next_file)
        group = Signal(self.group.shape())
        m.d.sync += group.eq(front)
        m.d.comb += [
            self.wanted.eq(group.lane), self.wanted_side.eq(group.side), self.ready.eq(room),
        ]  # fmt: skip

        # What states say, 0: one or two bytes of a source, or two that the rings are asked for.
        source = Signal(3)
        byte, pair, asks, hidden, unchecked, ends, clear = (Signal(name=n) for n in (
            "byte", "pair_", "asks", "hidden", "unchecked", "ends", "clear"))  # fmt: skip
        number = Signal(range(self._strips))
        at, part = Signal(range(self._header.size)), Signal(2)
        strip, entry = Signal.like(number), Signal.like(number)
        length_bits = self._layout["bytes"].width
        rest = Signal(-(-(length_bits + 1) // 7) * 7, reset_less=True)
        more = rest[7:].any()
        # 1: the sources, which stay as they are for a clock; 2: the bytes.
        header = Array(self._header.bytes({
            "image width": file.width, "image height": file.height, "shift": file.shift,
            "near": file.near, "strip height": file.strip_height, "images": Const(1, 32),
        }))  # fmt: skip
        at_1, number_1, leb_1, second_1, source_1 = (
            delay(m, value, 1, name=f"{name}_a") for name, value in (
                ("at", at), ("number", number), ("leb", Cat(rest[:7], more)),
                ("second", part == 2), ("source", source),
            )
        )  # fmt: skip
        write_size = Signal()
        low, high = Signal(8), Signal(24)
        size = add_ram(
            m, "sizes", self._strips, 32, write=write_size, write_address=strip,
            data=Cat(low, high), address=entry, fabric=platform,
        )  # fmt: skip
        part_1 = Mux(second_1, self.pair[8:], self.pair[:8])
        literal = delay(m, choose([
            number_1, header[at_1], leb_1, part_1, crc.value[:16], crc.value[16:], size[:16],
            size[16:],
        ], source_1)[:16], 1, name="literal")  # fmt: skip
        byte_2, pair_2 = (
            delay(m, s, 2, name=n, reset=True) for s, n in ((byte, "byte_of"), (pair, "pair_of"))
        )
        hidden_2, unchecked_2, ends_2, clear_2 = (
            delay(m, s, 2, name=n) for s, n in (
                (hidden, "hidden_of"), (unchecked, "unchecked_of"), (ends, "ends_of"),
                (clear, "clear_of"),
            )
        )  # fmt: skip
        # 3: the bytes leave; those of rings come a clock later, and nothing is near them.
        read = delay(m, asks, PayloadRings.read_latency, name="read", reset=True)
        run = Signal(PAIR, reset_less=True)
        sent, check_pair, check_byte, clears = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            run.data.eq(Mux(read, Cat(self.pair[8:], self.pair[:8]), literal)),
            run.two.eq(~byte_2), run.last.eq(ends_2),
            sent.eq(read | ((pair_2 | byte_2) & ~hidden_2)),
            check_pair.eq(read | (pair_2 & ~unchecked_2)), check_byte.eq(byte_2),
            clears.eq(clear_2),
        ]  # fmt: skip
        m.d.comb += [
            crc.data.eq(run.data), crc.pair.eq(check_pair), crc.byte.eq(check_byte),
            queue.put.eq(sent), queue.data.eq(run),
        ]  # fmt: skip
        # Bytes of the strip, in two steps.
        carry = Signal()
        grown = low + Cat(sent & ~run.two, sent & run.two)
        m.d.sync += [low.eq(grown), carry.eq(grown[8]), high.eq(high + carry)]
        with m.If(clears):
            m.d.sync += [low.eq(0), carry.eq(0), high.eq(0)]

        # States go on when there is room, and some time after one that `settle` went to.
        wait, go, again = Signal(3), Signal(), Signal()
        m.d.sync += [
            wait.eq(Mux(again, _SETTLE, wait - wait.any())),
            go.eq(queue.room & (wait[1:] == 0) & ~again),
        ]
        begins_file, begins_strip, for_index = Signal(init=1), Signal(init=1), Signal()
        file_ends, lone, some_left, reads = Signal(), Signal(), Signal(), Signal()
        zeros = Signal.like(self.payload.zeros)
        index, half = self.index, self.half
        length = Signal(length_bits, reset_less=True)
        before = Signal.like(length)
        change = Signal(length_bits + 1, reset_less=True)
        sign = change[-1]
        m.d.sync += lone.eq(strip == 0)
        m.d.comb += self.reads.eq(reads)

        # What states say of the words, in registers: their counters shall not wait for it.
        in_group, in_words, forget = Signal(init=1), Signal(), Signal()

        def enter(state: str) -> None:
            m.d.sync += [in_group.eq(int(state == "group")), in_words.eq(int(state == "words"))]
            m.next = state

        def settle(state: str) -> None:
            m.d.comb += again.eq(1)
            enter(state)

        def give(what: int, *flags: Signal) -> None:
            m.d.comb += [source.eq(what), *(flag.eq(1) for flag in flags)]

        with m.FSM():
            with m.State("group"):
                m.d.sync += at.eq(0)
                with m.If(go & waits & self.done):
                    m.d.sync += reads.eq(1)
                    enter("length")
                    with m.If(begins_strip):
                        m.d.comb += crc.restart.eq(1)
                        enter("header")
            with m.State("header"):  # of later strips and the index for the checksum alone
                m.d.comb += hidden.eq(~begins_file)
                with m.If(go):
                    give(_HEADER, byte)
                    m.d.sync += at.eq(at + 1)
                    with m.If(at == self._header.size - 1):
                        enter("number")
                        with m.If(for_index):
                            settle("index")
            with m.State("number"):
                m.d.comb += number.eq(strip)
                m.d.sync += [begins_file.eq(0), begins_strip.eq(0), before.eq(0)]
                with m.If(go):
                    give(_NUMBER, pair, hidden, clear)
                    enter("number above")
            with m.State("number above"):
                with m.If(go):
                    give(_NUMBER, pair, hidden)
                    enter("length")
            with m.State("length"):
                m.d.sync += change.eq(length - before)
                enter("zigzag")
            with m.State("zigzag"):
                folded = change[:-1] ^ sign.replicate(length_bits)
                m.d.sync += [before.eq(length), rest.eq(Cat(sign, folded))]
                enter("length byte")
            with m.State("length byte"):
                with m.If(go):
                    give(_LENGTH, byte)
                    m.d.sync += rest.eq(rest >> 7)
                    with m.If(~more):
                        settle("first word")
            with m.State("first word"):
                m.d.sync += [some_left.eq(index.any()), half.eq(part != 3)]
                with m.If(go):
                    enter("part")
            with m.State("part"):
                # The third byte is in the word's upper half, the others are in the lower one.
                with m.If(~part.any()):
                    m.d.sync += [index.eq(index - 1), half.eq(0)]
                    enter("words")
                with m.Elif(go):
                    give(_PART, byte)
                    m.d.sync += [part.eq(part - 1), half.eq(1)]
                    with m.If(part == 3):
                        settle("first word")
            with m.State("words"):
                with m.If(~some_left):
                    settle("zeros")
            with m.State("zeros"):
                m.d.sync += [entry.eq(0), file_ends.eq(group.file_last)]
                with m.If(go & zeros.any()):
                    give(_NUMBER, byte)
                    m.d.sync += zeros.eq(zeros - 1)
                with m.Elif(go):
                    m.d.comb += forget.eq(1)
                    m.d.sync += reads.eq(0)
                    settle("group")
                    with m.If(group.strip_last):
                        settle("checksum")
            with m.State("checksum"):
                m.d.sync += begins_strip.eq(1)
                with m.If(go):
                    give(_CRC, pair, unchecked)
                    enter("checksum above")
            with m.State("checksum above"):
                m.d.comb += ends.eq(file_ends & lone)
                with m.If(go):
                    give(_CRC + 1, pair, unchecked)
                    settle("strip")
            with m.State("strip"):
                m.d.sync += at.eq(0)
                with m.If(go):
                    m.d.comb += [write_size.eq(1), crc.restart.eq(1)]
                    with m.If(~file_ends):
                        m.d.sync += strip.eq(strip + 1)
                        enter("group")
                    with m.Elif(lone):
                        enter("file")
                    with m.Else():
                        m.d.sync += for_index.eq(1)
                        enter("header")
            with m.State("index"):
                with m.If(go):
                    give(_SIZE, pair)
                    enter("index above")
            with m.State("index above"):
                with m.If(go):
                    give(_SIZE + 1, pair)
                    m.d.sync += entry.eq(entry + 1)
                    settle("index")
                    with m.If(entry == strip):
                        settle("index checksum")
            with m.State("index checksum"):
                with m.If(go):
                    give(_CRC, pair, unchecked)
                    enter("index checksum above")
            with m.State("index checksum above"):
                with m.If(go):
                    give(_CRC + 1, pair, unchecked, ends)
                    enter("file")
            with m.State("file"):
                m.d.comb += next_file.eq(1)
                m.d.sync += [strip.eq(0), begins_file.eq(1), for_index.eq(0)]
                settle("group")
        m.d.comb += [
            asks.eq(in_words & some_left & go), self.forget.eq(next_group),
        ]
        m.d.sync += next_group.eq(forget)
        in_bytes = self.payload.bytes
        with m.If(in_group):
            m.d.sync += [
                part.eq(in_bytes[:2]), index.eq(in_bytes[2:]), zeros.eq(self.payload.zeros),
                length.eq(in_bytes + self.payload.zeros),
            ]  # fmt: skip
        with m.If(asks):
            m.d.sync += half.eq(~half)
            with m.If(half):
                m.d.sync += [index.eq(index - 1), some_left.eq(index.any())]
        m.d.sync += self.busy.eq(
            waits | ~in_group | wait.any() | queue.o.valid | slice_.o.valid
            | joiner.busy | self.o.valid
        )  # fmt: skip
        return m
