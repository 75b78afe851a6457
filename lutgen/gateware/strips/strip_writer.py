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
from ..fabric.pipeline import delay
from ..files.header import BuildHeader
from ..streams.axi import word_layout
from ..streams.open_queue import OpenQueue
from .crc import Crc32
from .narrower import Narrower
from .pair_joiner import PAIR, PairJoiner
from .payload_rings import PayloadRings, payload_layout, ring_words

__all__ = ["FILE", "StripWriter", "group_layout"]

#: What may differ from file to file.
FILE = StructLayout({"width": 16, "height": 16, "strip_height": 16, "shift": 4, "near": 8})

#: Clocks from the look at the queue's room to the queue.
_UNDER_WAY = PayloadRings.read_latency + 1
#: Clocks in which a run reaches the checksum, and in which the next group's payload is found.
_SETTLE = 7


def group_layout(lanes: int) -> StructLayout:
    """A group: its lane, the direction in which it grows, and what ends with it."""
    return StructLayout({
        "lane": bits_for(lanes - 1), "side": 1, "strip_last": 1, "file_last": 1,
    })  # fmt: skip


class StripWriter(wiring.Component):
    """Writes files: header, strips of groups' payloads with checksums, and the index.

    See :mod:`lutgen.codec.predictive.container`.  Two bytes of a payload per clock, and some 30
    clocks for each group, 30 for each strip, 60 for each file.  Reset forgets everything.

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
        A group begins, see `group_layout`.  At most four of each lane are inside.
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
            "wanted": Out(bits_for(lanes - 1)), "wanted_side": Out(1), "done": In(1),
            "payload": In(self._layout), "reads": Out(1), "forget": Out(1),
            "index": Out(index_bits), "half": Out(1), "pair": In(16),
            "o": Out(stream.Signature(word_layout(count))), "busy": Out(1),
        })  # fmt: skip

    def _queue(self, m: Module, name: str, put, value, get):
        """Front of a queue that never overflows, a clock later, and whether there is one."""
        depth = 1 << (4 * self._lanes - 1).bit_length()
        m.submodules[name] = memory = Memory(shape=value.shape(), depth=depth, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [write.en.eq(put), write.data.eq(value)]
        front, some = Signal(value.shape(), name=f"{name}_front"), Signal(name=f"{name}_some")
        m.d.sync += [
            write.addr.eq(write.addr + put), read.addr.eq(read.addr + get),
            front.eq(read.data), some.eq(write.addr != read.addr),
        ]  # fmt: skip
        return front, some

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.queue = queue = OpenQueue(PAIR, pipeline=_UNDER_WAY)
        m.submodules.joiner = joiner = PairJoiner(max(self._count, 2))
        m.submodules.narrower = narrower = Narrower(max(self._count, 2), self._count)
        m.submodules.crc = crc = Crc32()
        wiring.connect(m, queue.o, joiner.i)
        wiring.connect(m, joiner.o, narrower.i)
        wiring.connect(m, narrower.o, wiring.flipped(self.o))
        next_group, next_file = Signal(), Signal()
        group, waits = self._queue(m, "groups", self.put, self.group, next_group)
        file, _ = self._queue(m, "files", self.begin, self.file, next_file)

        # What is given: one or two bytes of a literal, or two that the rings are asked for.
        value, literal = Signal(16), Signal(16, reset_less=True)
        byte, pair, asks, hidden, unchecked, ends = (Signal(name=n) for n in (
            "byte", "pair_", "asks", "hidden", "unchecked", "ends"))  # fmt: skip
        m.d.sync += literal.eq(value)
        given_byte = delay(m, byte, 1, name="given_byte", reset=True)
        given_pair = delay(m, pair, 1, name="given_pair", reset=True)
        not_sent, not_checked, ends_1 = (
            delay(m, s, 1, name=n)
            for s, n in ((hidden, "not_sent"), (unchecked, "not_checked"), (ends, "ends_a"))
        )
        read = delay(m, asks, PayloadRings.read_latency, name="read", reset=True)
        run = Signal(PAIR, reset_less=True)
        sent, check_pair, check_byte = Signal(), Signal(), Signal()
        first_byte_high = Cat(self.pair[8:], self.pair[:8])
        m.d.sync += [
            run.data.eq(Mux(read, first_byte_high, literal)), run.two.eq(~given_byte),
            run.last.eq(ends_1), sent.eq(read | ((given_pair | given_byte) & ~not_sent)),
            check_pair.eq(read | (given_pair & ~not_checked)), check_byte.eq(given_byte),
        ]  # fmt: skip
        m.d.comb += [
            crc.data.eq(run.data), crc.pair.eq(check_pair), crc.byte.eq(check_byte),
            queue.put.eq(sent), queue.data.eq(run),
        ]  # fmt: skip

        # Bytes of the strip, in two steps.
        low, carry = Signal(8), Signal()
        high = Signal(24)
        clear_size = Signal()
        grown = low + Cat(sent & ~run.two, sent & run.two)
        m.d.sync += [
            low.eq(Mux(clear_size, 0, grown[:8])), carry.eq(grown[8] & ~clear_size),
            high.eq(Mux(clear_size, 0, high + carry)),
        ]  # fmt: skip

        header = Array(self._header.bytes({
            "image width": file.width, "image height": file.height, "shift": file.shift,
            "near": file.near, "strip height": file.strip_height, "images": Const(1, 32),
        }))  # fmt: skip
        at = Signal(range(self._header.size))
        header_crc = Signal(32, reset_less=True)
        begins_file, begins_strip = Signal(init=1), Signal(init=1)
        strip, entry = Signal(range(self._strips)), Signal(range(self._strips))
        write_size, file_ends, lone = Signal(), Signal(), Signal()
        size = add_ram(
            m, "sizes", self._strips, 32, write=write_size, write_address=strip,
            data=Cat(low, high), address=entry, fabric=platform,
        )  # fmt: skip

        part, zeros = Signal(2, reset_less=True), Signal.like(self.payload.zeros)
        index, half, some_left = self.index, self.half, Signal()
        length = Signal(self._layout["bytes"].width, reset_less=True)
        before = Signal.like(length)
        change = Signal(len(length) + 1, reset_less=True)
        rest = Signal(-(-(len(change)) // 7) * 7, reset_less=True)
        more = rest[7:].any()

        m.d.comb += [
            self.wanted.eq(group.lane), self.wanted_side.eq(group.side), crc.seed.eq(header_crc),
        ]
        wait = Signal(3)
        settled = Signal()
        with m.If(wait.any()):
            m.d.sync += wait.eq(wait - 1)
        m.d.sync += settled.eq(wait[1:] == 0)
        may = queue.room

        def settle(state: str) -> None:
            m.d.sync += [wait.eq(_SETTLE), settled.eq(0)]
            m.next = state

        with m.FSM() as fsm:
            with m.State("group"):
                bytes_ = self.payload.bytes
                m.d.sync += [
                    part.eq(bytes_[:2]), index.eq(bytes_[2:]), zeros.eq(self.payload.zeros),
                    length.eq(bytes_ + self.payload.zeros), at.eq(0),
                ]  # fmt: skip
                with m.If(settled & waits & self.done):
                    with m.If(begins_file):
                        m.d.sync += header_crc.eq(0)
                        m.next = "load header"
                    with m.Elif(begins_strip):
                        m.next = "load strip"
                    with m.Else():
                        m.next = "length"
            with m.State("load header"):
                m.d.comb += crc.load.eq(1)
                m.next = "header"
            with m.State("header"):
                m.d.comb += [value[:8].eq(header[at]), byte.eq(may)]
                with m.If(may):
                    m.d.sync += at.eq(at + 1)
                    with m.If(at == self._header.size - 1):
                        settle("header settles")
            with m.State("header settles"):
                m.d.sync += header_crc.eq(crc.value)
                with m.If(settled):
                    m.next = "load strip"
            with m.State("load strip"):
                m.d.comb += [crc.load.eq(1), clear_size.eq(1)]
                m.d.sync += [begins_file.eq(0), begins_strip.eq(0), before.eq(0)]
                m.next = "number"
            with m.State("number"):
                m.d.comb += [value.eq(strip), pair.eq(1), hidden.eq(1)]
                m.next = "number above"
            with m.State("number above"):
                m.d.comb += [value.eq(0), pair.eq(1), hidden.eq(1)]
                m.next = "length"
            with m.State("length"):
                m.d.sync += [change.eq(length - before), before.eq(length)]
                m.next = "zigzag"
            with m.State("zigzag"):
                sign = change[-1]
                m.d.sync += rest.eq(Cat(sign, change[:-1] ^ sign.replicate(len(length))))
                m.next = "length byte"
            with m.State("length byte"):
                m.d.comb += [value[:8].eq(Cat(rest[:7], more)), byte.eq(may)]
                with m.If(may):
                    m.d.sync += rest.eq(rest >> 7)
                    with m.If(~more):
                        settle("first word")
            with m.State("first word"):
                m.d.sync += [some_left.eq(index.any()), half.eq(part != 3)]
                with m.If(settled):
                    m.next = "part"
            with m.State("part"):
                # Its third byte is in the upper half, the others are in the lower one.
                m.d.comb += [
                    value[:8].eq(Mux(part == 2, self.pair[8:], self.pair[:8])),
                    byte.eq(may & part.any()),
                ]
                with m.If(~part.any()):
                    m.d.sync += [index.eq(index - 1), half.eq(0)]
                    m.next = "words"
                with m.Elif(may):
                    m.d.sync += [part.eq(part - 1), half.eq(1)]
                    with m.If(part == 3):
                        settle("first word")
            with m.State("words"):
                with m.If(some_left & may):
                    m.d.comb += asks.eq(1)
                    m.d.sync += half.eq(~half)
                    with m.If(half):
                        m.d.sync += [index.eq(index - 1), some_left.eq(index.any())]
                with m.If(~some_left):
                    settle("words settle")
            with m.State("words settle"):
                with m.If(settled):
                    m.next = "zeros"
            with m.State("zeros"):
                m.d.comb += [value.eq(0), byte.eq(may & zeros.any())]
                with m.If(~zeros.any()):
                    m.d.comb += [self.forget.eq(1), next_group.eq(1)]
                    m.d.sync += [entry.eq(0), file_ends.eq(group.file_last)]
                    with m.If(group.strip_last):
                        settle("strip settles")
                    with m.Else():
                        settle("group")
                with m.Elif(may):
                    m.d.sync += zeros.eq(zeros - 1)
            with m.State("strip settles"):
                m.d.sync += [begins_strip.eq(1), lone.eq(strip == 0)]
                with m.If(settled):
                    m.next = "checksum"
            with m.State("checksum"):
                m.d.comb += [value.eq(crc.value[:16]), pair.eq(may), unchecked.eq(1)]
                with m.If(may):
                    m.next = "checksum above"
            with m.State("checksum above"):
                m.d.comb += [
                    value.eq(crc.value[16:]), pair.eq(may), unchecked.eq(1),
                    ends.eq(file_ends & lone),
                ]  # fmt: skip
                with m.If(may):
                    settle("size settles")
            with m.State("size settles"):
                with m.If(settled):
                    m.d.comb += write_size.eq(1)
                    with m.If(~file_ends):
                        m.d.sync += strip.eq(strip + 1)
                        settle("group")
                    with m.Elif(lone):
                        m.next = "file ends"
                    with m.Else():
                        m.next = "load index"
            with m.State("load index"):
                m.d.comb += crc.load.eq(1)
                settle("index")
            with m.State("index"):
                m.d.comb += [value.eq(size[:16]), pair.eq(settled & may)]
                with m.If(settled & may):
                    m.next = "index above"
            with m.State("index above"):
                m.d.comb += [value.eq(size[16:]), pair.eq(may)]
                with m.If(may):
                    m.d.sync += entry.eq(entry + 1)
                    with m.If(entry == strip):
                        settle("index settles")
                    with m.Else():
                        settle("index")
            with m.State("index settles"):
                with m.If(settled):
                    m.next = "index checksum"
            with m.State("index checksum"):
                m.d.comb += [value.eq(crc.value[:16]), pair.eq(may), unchecked.eq(1)]
                with m.If(may):
                    m.next = "index checksum above"
            with m.State("index checksum above"):
                m.d.comb += [
                    value.eq(crc.value[16:]), pair.eq(may), unchecked.eq(1), ends.eq(1),
                ]  # fmt: skip
                with m.If(may):
                    m.next = "file ends"
            with m.State("file ends"):
                m.d.comb += next_file.eq(1)
                m.d.sync += [strip.eq(0), begins_file.eq(1)]
                settle("group")
        m.d.comb += [
            self.reads.eq(~fsm.ongoing("group")),
        ]
        m.d.sync += self.busy.eq(
            waits | ~fsm.ongoing("group") | ~settled | queue.o.valid | joiner.busy | self.o.valid
        )
        return m
