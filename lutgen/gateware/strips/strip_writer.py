"""Strip writer: the payloads of groups become the bytes of a file."""


from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.header import VERSION_2

from ..fabric.blockmem import add_wide_ram
from ..fabric.pipeline import choose, delay
from ..files.header import BuildHeader
from ..streams.axi import SkidBuffer, word_layout
from ..streams.lut_fifo import step
from ..streams.open_queue import OpenQueue
from .narrower import Narrower
from .pair_crc import PairCrc32
from .pair_joiner import PAIR, PairJoiner
from .payload_forms import PayloadForms, most_words, payload_layout
from .slabs import slab_bits
from .strip_files import GRAY, Channels, coder_field

__all__ = ["FILE", "StripWriter", "file_of", "group_layout"]

#: What may differ from file to file.
FILE = StructLayout({"width": 16, "height": 16, "strip_height": 16, "shift": 4, "near": 8})


def file_of(channels: Channels) -> StructLayout:
    """The same of files of these channels: with the order of planes, if there are several."""
    bits = channels.order_bits
    return StructLayout({**FILE.members, "order": bits}) if bits else FILE


#: Clocks from the look at the queue's room to the queue.
_UNDER_WAY = PayloadForms.read_latency + 2
#: Clocks in which bytes reach the checksum, and in which the next group's payload is found.
_SETTLE = 7
#: Sources of bytes; two of them are followed by their upper halves.
_NUMBER, _HEADER, _LENGTH, _PART, _CRC, _, _SIZE, _ = range(8)
#: States that give bytes: their source, and what is said of these.
_GIVES = {
    "header": (_HEADER, "byte"),
    "number": (_NUMBER, "pair", "hidden", "clear"),
    "number above": (_NUMBER, "pair", "hidden"),
    "length byte": (_LENGTH, "byte"),
    "part": (_PART, "byte"),
    "zeros": (_NUMBER, "byte"),
    "checksum": (_CRC, "pair", "unchecked"),
    "checksum above": (_CRC + 1, "pair", "unchecked", "ends_lone"),
    "index": (_SIZE, "pair"),
    "index above": (_SIZE + 1, "pair"),
    "index checksum": (_CRC, "pair", "unchecked"),
    "index checksum above": (_CRC + 1, "pair", "unchecked", "ends"),
}
#: States that begin when what was given before has reached its end.
_LATER = ("group", "first word", "zeros", "checksum", "strip", "index", "index checksum")


def group_layout(lanes: int) -> StructLayout:
    """A group: the coder's lane and the side that its payload has, and what ends with it."""
    return StructLayout({
        "lane": bits_for(lanes - 1), "side": 1, "strip_last": 1, "file_last": 1,
    })  # fmt: skip


class _Flow:
    """What the states of a writer share: where it is, and what is given, in registers.

    Whatever a state says of its bytes is a register beside the state: neither counters nor bytes
    wait for its decoding.
    """

    def __init__(self, m: Module, writer: "StripWriter", strips: int, header_size: int) -> None:
        self.m = m
        length_bits = len(writer.payload.bytes)
        # Of the state.
        self.source = Signal(3)
        self.flags = {
            name: Signal(name=f"gives_{name}", init=0)
            for name in ("byte", "pair", "hidden", "unchecked", "clear", "ends", "ends_lone")
        }
        self.in_group = Signal(init=1)
        self.in_part, self.in_words, self.in_zeros = Signal(), Signal(), Signal()
        # States go on when there is room, and later ones some clocks after they were entered.
        self.wait, self.fresh, self.may_go, self.go = Signal(3), Signal(), Signal(), Signal()
        m.d.comb += self.go.eq(self.may_go & ~self.fresh)
        # Where it is in a file ...
        self.begins_file, self.begins_strip = Signal(init=1), Signal(init=1)
        self.for_index, self.file_ends, self.lone = Signal(), Signal(), Signal()
        self.at = Signal(range(header_size))
        self.strip, self.entry = Signal(range(strips)), Signal(range(strips))
        # ... and in a payload.
        self.part = Signal(2)
        self.zeros = Signal.like(writer.payload.zeros)
        self.some_left = Signal()
        self.length = Signal(length_bits, reset_less=True)
        self.before = Signal(length_bits)
        self.change = Signal(length_bits + 1, reset_less=True)
        self.rest = Signal(-(-(length_bits + 1) // 7) * 7, reset_less=True)
        # Registers, as what they decide is deep: more of ``rest`` follows, and this entry is last.
        self.more, self.last_entry = Signal(reset_less=True), Signal(reset_less=True)
        m.d.sync += self.last_entry.eq(self.entry == self.strip)
        # What happens once, a clock later.
        self.restart, self.next_file = Signal(), Signal()
        self.next_group, self.write_size = Signal(), Signal()
        m.d.sync += [
            once.eq(0) for once in (
                self.fresh, self.restart, self.next_file, self.next_group, self.write_size,
            )
        ]  # fmt: skip

    def enter(self, state: str) -> None:
        """Go to a state."""
        source, *said = _GIVES.get(state, (_NUMBER,))
        self.m.next = state
        self.m.d.sync += [
            self.source.eq(source), self.fresh.eq(int(state in _LATER)),
            *(flag.eq(int(name in said)) for name, flag in self.flags.items()),
            self.in_group.eq(int(state == "group")), self.in_part.eq(int(state == "part")),
            self.in_words.eq(int(state == "words")), self.in_zeros.eq(int(state == "zeros")),
        ]  # fmt: skip

    def gives(self, state: str, following: str) -> None:
        """A state that gives what it has to, and goes on."""
        with self.m.State(state), self.m.If(self.go):
            self.enter(following)


class StripWriter(wiring.Component):
    """Writes files: header, strips of groups' payloads with checksums, and the index.

    See :mod:`lutgen.codec.predictive.container`.  Two bytes of a payload per clock, and some 30
    clocks for each group, 60 for each strip, 60 for each file.  Reset forgets everything.

    Parameters
    ----------
    model_hash:
        First 8 bytes of the model's hash.
    lanes:
        Of the coder.
    groups:
        Groups that have begun and not been written, at most.
    symbols, depth:
        See `.payload_forms.PayloadForms`.
    count:
        Bytes of a word of the stream: 1, 2, 4 or 8.
    max_strips:
        Strips of a file at most, a power of two.
    channels:
        Those that files have.
    slabs:
        Slabs of an image.  Of more than one, strips of one slab are written, a packet each, without
        header and index, which are not one slab's.

    Members
    -------
    slab : In(...)
        With ``slabs``: number of the slab.
    begin, file : In(...)
        A file begins, which has these values in its header.  At most as many files as groups are
        inside.
    put, group : In(...)
        A group begins, see `group_layout`.
    ready : Out(1)
        Two more groups may begin from the moment it falls.
    wanted, wanted_side, done, payload, forget, index, half, pair : Out(...), In(...)
        See `.payload_forms.PayloadForms`.
    o : Out(stream of `lutgen.gateware.streams.axi.word_layout`)
        Files, a packet each.
    busy : Out(1)
        Something is inside.
    """

    def __init__(
        self, *, model_hash: bytes, lanes: int, groups: int, symbols: int, depth: int,
        count: int = 4,
        max_strips: int = 1024, channels: Channels = GRAY, slabs: int = 1,
    ) -> None:  # fmt: skip
        if count not in (1, 2, 4, 8):
            raise ValueError(f"bytes of a word must be 1, 2, 4 or 8, not {count!r}")
        if max_strips < 2 or max_strips & (max_strips - 1):
            raise ValueError(
                f"strips of a file must be a power of two of at least 2, not {max_strips!r}"
            )
        self._header = BuildHeader(VERSION_2, {
            "model hash": model_hash, "bit depth": depth, "channels": channels.count,
            "coder": coder_field(slabs), "strip height": 0, "tile width": 0,
        })  # fmt: skip
        self._channels, self._slabs = channels, slabs
        self._groups, self._count, self._strips = groups, count, max_strips
        self._layout = payload_layout(symbols, depth)
        index_bits = bits_for(most_words(symbols, depth))
        super().__init__({
            "begin": In(1), "file": In(file_of(channels)), "put": In(1),
            "group": In(group_layout(lanes)), "ready": Out(1),
            "wanted": Out(bits_for(lanes - 1)), "wanted_side": Out(1), "done": In(1),
            "payload": In(self._layout), "forget": Out(1),
            "index": Out(index_bits), "half": Out(1), "pair": In(16),
            "o": Out(stream.Signature(word_layout(count))), "busy": Out(1),
            **({"slab": In(slab_bits(slabs))} if slabs > 1 else {}),
        })  # fmt: skip

    def _queue(self, m: Module, name: str, put, value, get):
        """Front of a queue; whether there is one, and room for two more, both a clock later."""
        depth = 1 << (self._groups + 3).bit_length()
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
        f = _Flow(m, self, self._strips, self._header.size)
        front, waits, room = self._queue(m, "groups", self.put, self.group, f.next_group)
        file, *_ = self._queue(m, "files", self.begin, self.file, f.next_file)
        group = Signal(self.group.shape())
        m.d.sync += [
            group.eq(front), f.lone.eq(f.strip == 0),
            f.may_go.eq(queue.room & (f.wait[1:] == 0) & ~f.fresh),
            f.wait.eq(Mux(f.fresh, _SETTLE - 1, f.wait - f.wait.any())),
        ]  # fmt: skip
        m.d.comb += [
            self.wanted.eq(group.lane), self.wanted_side.eq(group.side),
            self.forget.eq(f.next_group), crc.restart.eq(f.restart), self.ready.eq(room),
        ]  # fmt: skip
        self._give(m, f, file, crc, queue, platform)
        self._count_words(m, f)
        # The first state that enters one of `_LATER` has number 0: numbers that the mapper had to
        # count from another one on would stand behind a carry chain.
        with m.FSM(init="group"):
            self._begin_states(f, waits)
            self._payload_states(f, group)
            self._end_states(f, group)
        m.d.sync += self.busy.eq(
            waits | ~f.in_group | f.fresh | f.wait.any() | queue.o.valid | slice_.o.valid
            | joiner.busy | self.o.valid
        )  # fmt: skip
        return m

    def _give(self, m: Module, f: _Flow, file, crc: PairCrc32, queue, platform) -> None:
        """Bytes of the states, and of payloads, on their way to the queue."""
        # 0: one or two bytes of a source, or two of the payload.
        gives = f.flags
        byte, asks = Signal(), f.in_words & f.some_left & f.go
        m.d.comb += byte.eq(
            gives["byte"] & f.go & ~(f.in_part & ~f.part.any()) & ~(f.in_zeros & ~f.zeros.any())
        )
        in_header, number = f.source == _HEADER, f.strip
        hidden = gives["hidden"] | (in_header & ~f.begins_file)
        ends = gives["ends"] | (gives["ends_lone"] & f.file_ends & f.lone)
        if self._slabs > 1:
            hidden, ends = gives["hidden"] | in_header, gives["ends_lone"]
            number = Cat(self.slab, f.strip)
        number &= gives["clear"].replicate(len(number))
        # 1: the sources, which stay as they are for a clock; 2: the bytes.
        channels = self._channels
        planes = {"channels": channels.field(file.order)} if channels.order_bits else {}
        header = choose(self._header.bytes({
            "image width": file.width, "image height": file.height, "shift": file.shift,
            "near": file.near, "strip height": file.strip_height, "images": Const(1, 32), **planes,
        }), f.at)  # fmt: skip
        header_1, number_1, leb_1, second_1, source_1 = (
            delay(m, value, 1, name=f"{name}_a") for name, value in (
                ("header", header[:8]), ("number", number), ("leb", Cat(f.rest[:7], f.more)),
                ("second", f.part == 2), ("source", f.source),
            )
        )  # fmt: skip
        low, high = Signal(8), Signal(24)
        size = Const(0, 32) if self._slabs > 1 else add_wide_ram(
            m, "sizes", self._strips, 32, write=f.write_size,
            write_address=delay(m, f.strip, 1, name="strip"), data=Cat(low, high),
            address=f.entry, fabric=platform,
        )  # fmt: skip
        part_1 = Mux(second_1, self.pair[8:], self.pair[:8])
        literal = delay(m, choose([
            number_1, header_1, leb_1, part_1, crc.value[:16], crc.value[16:], size[:16],
            size[16:],
        ], source_1)[:16], 1, name="literal")  # fmt: skip
        byte_2, pair_2 = (
            delay(m, s, 2, name=n, reset=True)
            for s, n in ((byte, "byte_of"), (gives["pair"] & f.go, "pair_of"))
        )
        hidden_2, unchecked_2, ends_2, clear_2 = (
            delay(m, s, 2, name=n) for s, n in (
                (hidden, "hidden_of"), (gives["unchecked"], "unchecked_of"), (ends, "ends_of"),
                (gives["clear"], "clear_of"),
            )
        )  # fmt: skip
        # 3: the bytes leave; those of payloads come two clocks later, and nothing is near them.
        read = delay(m, asks, PayloadForms.read_latency, name="read", reset=True)
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

    def _count_words(self, m: Module, f: _Flow) -> None:
        """Which word of the payload is wanted: the bytes of an incomplete one, then pairs."""
        index, half, in_bytes = self.index, self.half, self.payload.bytes
        asks = f.in_words & f.some_left & f.go
        whole = f.in_part & ~f.part.any()
        with m.If(whole | (asks & half)):
            m.d.sync += index.eq(index - 1)
        with m.If(f.in_part & f.part.any() & f.go):
            m.d.sync += [f.part.eq(f.part - 1), half.eq(1)]
        with m.Elif(whole):
            m.d.sync += half.eq(0)
        with m.Elif(asks):
            m.d.sync += half.eq(~half)
            with m.If(half):
                m.d.sync += f.some_left.eq(index.any())
        with m.If(f.in_group):
            m.d.sync += [
                f.part.eq(in_bytes[:2]), index.eq(in_bytes[2:]), f.zeros.eq(self.payload.zeros),
                f.length.eq(in_bytes + self.payload.zeros),
            ]  # fmt: skip

    def _begin_states(self, f: _Flow, waits) -> None:
        """From a group that waits to the length of its payload."""
        m, go = f.m, f.go
        with m.State("header"):  # of later strips and the index for the checksum alone
            with m.If(go):
                m.d.sync += f.at.eq(step(f.at, 1, 0))
                with m.If(f.at == self._header.size - 1):
                    f.enter("number")
                    if self._slabs == 1:
                        with m.If(f.for_index):
                            f.enter("index")
        with m.State("group"):
            m.d.sync += f.at.eq(0)
            with m.If(go & waits & self.done):
                f.enter("length")
                with m.If(f.begins_strip):
                    m.d.sync += f.restart.eq(1)
                    f.enter("header")
        with m.State("number"):
            m.d.sync += [f.begins_file.eq(0), f.begins_strip.eq(0), f.before.eq(0)]
            with m.If(go):
                f.enter("number above")
        f.gives("number above", "length")

    def _payload_states(self, f: _Flow, group) -> None:
        """The length of a payload, as the difference to the one before, and the payload."""
        m, go = f.m, f.go
        sign, size = f.change[-1], len(f.length)
        with m.State("length"):
            m.d.sync += f.change.eq(f.length - f.before)
            f.enter("zigzag")
        with m.State("zigzag"):
            folded = Cat(sign, f.change[:-1] ^ sign.replicate(size))
            m.d.sync += [f.before.eq(f.length), f.rest.eq(folded), f.more.eq(folded[7:].any())]
            f.enter("length byte")
        with m.State("length byte"):
            with m.If(go):
                m.d.sync += [f.rest.eq(f.rest >> 7), f.more.eq(f.rest[14:].any())]
                with m.If(~f.more):
                    f.enter("first word")
        with m.State("first word"):
            # The third byte is in the word's upper half, the others are in the lower one.
            m.d.sync += [f.some_left.eq(self.index.any()), self.half.eq(f.part != 3)]
            with m.If(go):
                f.enter("part")
        with m.State("part"):
            with m.If(~f.part.any()):
                f.enter("words")
            with m.Elif(go & (f.part == 3)):
                f.enter("first word")
        with m.State("words"):
            with m.If(~f.some_left):
                f.enter("zeros")
        with m.State("zeros"):
            m.d.sync += [f.entry.eq(0), f.file_ends.eq(group.file_last)]
            with m.If(go & f.zeros.any()):
                m.d.sync += f.zeros.eq(f.zeros - 1)
            with m.Elif(go):
                m.d.sync += f.next_group.eq(1)
                f.enter("group")
                with m.If(group.strip_last):
                    f.enter("checksum")

    def _end_states(self, f: _Flow, group) -> None:
        """From the end of a strip to the next one, or to the next file."""
        m, go = f.m, f.go
        with m.State("checksum"):
            m.d.sync += f.begins_strip.eq(1)
            with m.If(go):
                f.enter("checksum above")
        f.gives("checksum above", "strip")
        with m.State("strip"):
            m.d.sync += f.at.eq(0)
            with m.If(go):
                m.d.sync += [f.write_size.eq(1), f.restart.eq(1)]
                with m.If(~f.file_ends):
                    m.d.sync += f.strip.eq(f.strip + 1)
                    f.enter("group")
                with m.Elif(f.lone if self._slabs == 1 else 1):
                    f.enter("file")
                if self._slabs == 1:
                    with m.Else():
                        m.d.sync += f.for_index.eq(1)
                        f.enter("header")
        if self._slabs == 1:
            self._index_states(f)
        with m.State("file"):
            m.d.sync += [
                f.next_file.eq(1), f.strip.eq(0), f.begins_file.eq(1), f.for_index.eq(0),
            ]
            f.enter("group")

    @staticmethod
    def _index_states(f: _Flow) -> None:
        """The bytes of each strip, and a checksum."""
        m = f.m
        f.gives("index", "index above")
        with m.State("index above"):
            with m.If(f.go):
                m.d.sync += f.entry.eq(f.entry + 1)
                f.enter("index")
                with m.If(f.last_entry):
                    f.enter("index checksum")
        f.gives("index checksum", "index checksum above")
        f.gives("index checksum above", "file")
