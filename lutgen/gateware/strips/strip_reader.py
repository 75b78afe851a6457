"""Strip reader: from the bytes of a file of version 2 to payloads in the ring.

See :mod:`lutgen.codec.predictive.container` for the format.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from ..fabric.pipeline import choose, drive
from ..files.header import BuildHeader
from ..streams.axi import word_layout
from ..streams.lut_fifo import step as counted
from .byte_front import ByteFront
from .crc import Crc32
from .file_header import FileHeader
from .group_walk import GroupWalk
from .length_reader import LengthReader
from .payload_head import PayloadHead
from .payload_queue import payload_layout
from .payload_ring import WORD_BITS
from .payload_store import PayloadStore
from .slabs import slab_bits, widest_slab
from .strip_files import GRAY, Channels, file_layout

__all__ = ["StripReader"]

#: States in which single bytes are taken, and those that count what is left.
_SERIAL = ("header", "length", "checksum", "index", "drop")
_COUNTING = ("payload", "index")
#: States in which missing groups are completed.
_WALKING = ("group", "rows", "group known", "queue", "group over")
#: Clocks of the states that only wait.
_PAUSES = {
    "header read": FileHeader.latency, "image begins": GroupWalk.image_latency,
    "rows": GroupWalk.latency, "checksum settles": 2, "index settles": 2,
}  # fmt: skip


class _Flow:
    """What the states of a reader share: where it is, in registers, and what happens to bytes."""

    def __init__(self, m: Module, reader: "StripReader", left_bits: int) -> None:
        self.m, self._reader = m, reader
        # Of the state: what happens to a byte does not wait for its decoding.
        self.serial = Signal(init=1)
        self.in_payload = Signal()
        self.counting = Signal()
        self.covered = Signal(init=1)  # by a checksum
        self.filing = Signal()
        self.walking = Signal()
        self.queueing = Signal()
        self._pause = Signal(range(max(_PAUSES.values())))
        self.idle = Signal()  # a header comes next
        # A byte is taken, or a word of them, and whether it has the packet's last.
        self.drains = Signal()  # it is not wanted
        self.step = Signal()
        self.leap = Signal()
        self.over = Signal()
        self.leap_over = Signal()
        # Bytes to come, and whether the next one is the last of them.
        self.left = Signal(left_bits)
        self.final = Signal()
        #: The stream is over with the last byte of what was read.
        self.truncated = Signal()
        #: What is missing of the image is empty, and so is this payload.
        self.voids = Signal()
        self.empty = Signal()
        self.strip = Signal(bits_for(reader.max_height + 1))  # strips that have been read
        self.strips = Signal.like(self.strip)  # one more, a clock later
        m.d.sync += self.strips.eq(self.strip + 1)
        self.turn = Signal(2)  # byte of a number

    def go(self, state: str) -> None:
        """Go to a state."""
        m = self.m
        m.next = state
        m.d.sync += [
            self.serial.eq(int(state in _SERIAL)), self.in_payload.eq(int(state == "payload")),
            self.counting.eq(int(state in _COUNTING)), self.covered.eq(int(state != "drop")),
            self.filing.eq(int(state == "file")), self.queueing.eq(int(state == "queue")),
            *([self.walking.eq(int(state in _WALKING))] if self._reader.slabs > 1 else []),
        ]  # fmt: skip
        if state in _PAUSES:
            m.d.sync += self._pause.eq(_PAUSES[state] - 1)
        if state == "header":
            m.d.comb += self.idle.eq(1)
            m.d.sync += self._reader.busy.eq(0)

    def waits(self, state: str, following: str) -> None:
        """A state that only waits."""
        with self.m.State(state):
            self.m.d.sync += self._pause.eq(counted(self._pause, 0, 1))
            with self.m.If(self._pause == 0):
                self.go(following)

    def damaged(self) -> None:
        """The packet breaks a rule."""
        self.m.d.comb += self._reader.bad_packet.eq(1)
        self.m.d.sync += [self.voids.eq(1), self.empty.eq(1)]


class StripReader(wiring.Component):
    """Reads files: checks headers, lengths and checksums, stores payloads, and queues them.

    Two bytes per clock within a payload, but one at its ends and in beats with null bytes; about 40
    clocks more for each group of rows.  A file that breaks a rule is reported and dropped up to its
    ``last``.  If that happens behind its header, groups that are missing are queued as empty
    payloads, so that every image that begins is completed.  Reset drops all.

    Parameters
    ----------
    header:
        The header that its files must have, see `strip_header`.
    depth:
        Bits of a sample, 8 to 16.
    max_width, max_height:
        Largest image.
    stream_bytes:
        Bytes of a beat: 1, 2, 4 or 8.
    address_bits:
        Bits of a word's address in the ring, see `PayloadStore`; it must have room for the longest
        payload.
    max_near:
        Greatest near of a file; those of greater ones have a bad header.
    channels:
        Those that files have.
    slabs:
        Slabs of an image.  Of more than one, ``words`` has of each file the header, the strips of
        one slab, and of the first one the index; what follows damage is drained while groups are
        completed, so that nobody has to wait who serves other slabs.
    max_strip_height:
        See `FileHeader`.

    Members
    -------
    slab : In(...)
        With ``slabs``: number of the slab.
    words : In(stream of `word_layout`)
        The files, without null beats.
    files : Out(stream of `file_layout`)
        Each file, before its payloads.
    payloads : Out(stream of `payload_layout`)
        Payload of each group of rows, in the order of the file, when all of it is in the ring.
    write, address, word : Out(...)
        Word to store in the ring, its first byte in the top.
    free_to : In(address_bits)
        Word behind the payloads that have been used.
    bad_header : Out(1)
        Pulse: not a file of this build.
    bad_packet : Out(1)
        Pulse: cut short, followed by something, with a length that no payload has, or an index
        whose checksum is wrong.
    bad_strip : Out(1)
        Pulse: checksum of a strip is wrong.
    busy : Out(1)
        A file is incomplete.
    """

    def __init__(
        self, *, header: BuildHeader, depth: int, max_width: int, max_height: int,
        stream_bytes: int, address_bits: int, max_near: int = 0, channels: Channels = GRAY,
        slabs: int = 1, max_strip_height: int | None = None,
    ) -> None:  # fmt: skip
        self._max_near, self._channels = max_near, channels
        self._header, self._depth, self._stream_bytes = header, depth, stream_bytes
        self._max_width, self.max_height = max_width, max_height
        self.slabs, self._max_strip = slabs, max_strip_height
        self._columns = columns = widest_slab(max_width, slabs)
        least = self.words_of(columns, depth) + PayloadStore.margin
        if 1 << address_bits < least:
            raise ValueError(f"payload ring must have {least} words, not {1 << address_bits}")
        super().__init__({
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "files": Out(stream.Signature(file_layout(depth, columns, max_height, channels))),
            **({"slab": In(slab_bits(slabs))} if slabs > 1 else {}),
            "payloads": Out(stream.Signature(
                payload_layout(address_bits, depth, lossless=not max_near)
            )),
            "write": Out(1),
            "address": Out(address_bits),
            "word": Out(WORD_BITS),
            "free_to": In(address_bits),
            "bad_header": Out(1),
            "bad_packet": Out(1),
            "bad_strip": Out(1),
            "busy": Out(1),
        })

    @staticmethod
    def words_of(width: int, depth: int) -> int:
        """Words of the ring that a payload takes at most."""
        return -(-GROUP * width * depth // WORD_BITS) + PayloadStore.extra_words

    def elaborate(self, platform) -> Module:
        m = Module()
        address_bits = len(self.address)
        m.submodules.front = front = ByteFront(self._stream_bytes)
        unit, byte = front.unit, front.data[:8]
        m.submodules.header = header = FileHeader(
            self._header, depth=self._depth, max_width=self._max_width, max_height=self.max_height,
            max_near=self._max_near, channels=self._channels, slabs=self.slabs,
            max_strip_height=self._max_strip,
        )  # fmt: skip
        if self.slabs > 1:
            m.d.comb += header.slab.eq(self.slab)
        m.submodules.crc = crc = Crc32(unit)
        planes = self._channels.count
        m.submodules.walk = walk = GroupWalk(self._depth, self._columns, planes * self.max_height)
        m.submodules.lengths = lengths = LengthReader(len(walk.least), len(walk.most))
        m.submodules.store = store = PayloadStore(unit, address_bits)
        m.submodules.head = head = PayloadHead(address_bits)
        wiring.connect(m, wiring.flipped(self.words), front.i)
        f = _Flow(m, self, max(len(walk.most), 2 + bits_for(self.slabs * (self.max_height + 1))))

        # A word is never a payload's last, whose bytes are seen one by one.
        may_leap = Signal()
        if unit > 1:
            m.d.sync += may_leap.eq(f.in_payload & ~head.wants & (f.left > 2 * unit + 1))
            m.d.comb += f.leap.eq(
                f.in_payload & may_leap & store.room & store.aligned & front.whole
            )
        take = f.serial | (f.in_payload & store.room & ~f.leap)
        m.d.comb += [
            front.take.eq(take | f.drains if self.slabs > 1 else take),
            front.take_whole.eq(f.leap),
            f.step.eq(front.valid & front.take),
            f.over.eq(f.step & front.last),
            f.leap_over.eq(f.leap & front.whole_last),
        ]
        with m.If(f.leap):
            m.d.sync += f.left.eq(f.left - unit)
        with m.Elif(f.step & f.counting):
            m.d.sync += [f.left.eq(f.left - 1), f.final.eq(f.left == 2)]

        payload = self.payloads.payload
        in_payload = f.step & f.in_payload
        m.d.comb += [
            header.byte.eq(byte),
            self.files.payload.eq(header.file),
            self.files.valid.eq(f.filing),
            crc.data.eq(front.data), crc.step.eq(f.step & f.covered), crc.leap.eq(f.leap),
            crc.start.eq(f.idle),
            walk.width.eq(header.file.width),
            *[getattr(walk, name).eq(self._rows(m, name, getattr(header.file, name)))
              for name in ("height", "strip_height")],
            walk.bits.eq(header.bits),
            lengths.byte.eq(byte), lengths.least.eq(walk.least), lengths.most.eq(walk.most),
            lengths.forget.eq(walk.begin_strip), lengths.begin.eq(walk.step),
            *drive(self, store, "write", "address", "word"),
            store.free_to.eq(self.free_to), store.data.eq(front.data), store.step.eq(in_payload),
            store.leap.eq(f.leap), store.phase.eq(front.phase),
            head.open.eq(store.open), head.begin.eq(store.begin), head.phase.eq(front.phase),
            head.byte.eq(byte), head.step.eq(in_payload), head.plain.eq(lengths.plain),
            head.close.eq(store.close),
            *drive(payload, head, "state", "position"),
            payload.end.eq(store.end), payload.plain.eq(lengths.plain & ~f.empty),
            payload.empty.eq(f.empty),
            *([
                payload.bits.eq(header.bits), payload.greatest.eq(header.file.greatest),
            ] if self._max_near else []),
            self.payloads.valid.eq(f.queueing),
        ]  # fmt: skip
        if self.slabs > 1:
            m.d.comb += f.drains.eq(f.walking & f.voids & ~f.truncated)
            with m.If(f.drains & f.over):
                m.d.sync += f.truncated.eq(1)
        with m.FSM():
            self._header_states(f, header, crc, walk)
            self._strip_states(f, crc, walk, lengths)
            self._payload_states(f, walk, lengths, store, head)
            self._end_states(f, crc, walk)
        return m

    def _rows(self, m: Module, name: str, lines: Value) -> Value:
        """Rows of planes of so many rows of an image; a clock later, which is soon enough."""
        planes = self._channels.count
        if planes == 1:
            return lines
        # Bits that are 0 whatever the number of lines are no registers: Yosys takes no such ones
        # without a value to begin with.
        zeros = (planes & -planes).bit_length() - 1
        odd = planes >> zeros
        rows = Signal(range(odd * self.max_height + 1), name=f"rows_of_{name}", reset_less=True)
        m.d.sync += rows.eq(lines * odd)
        return Cat(Const(0, zeros), rows)

    def _header_states(self, f: _Flow, header, crc, walk) -> None:
        """From the first byte of a file to its image."""
        m = f.m
        with m.State("header"):
            m.d.comb += header.step.eq(f.step)
            with m.If(f.step):
                m.d.sync += [f.truncated.eq(f.over), self.busy.eq(1)]
                with m.If(header.whole):
                    f.go("header read")
                with m.Elif(f.over):
                    f.go("header short")
        with m.State("header short"):
            m.d.comb += self.bad_header.eq(1)
            f.go("header forgotten")
        with m.State("header forgotten"):
            m.d.comb += header.forget.eq(1)
            f.go("header")
        f.waits("header read", "check")
        with m.State("check"):
            m.d.comb += [header.forget.eq(1), crc.keep.eq(1), walk.begin_image.eq(1)]
            m.d.sync += [f.strip.eq(0), f.voids.eq(0)]
            with m.If(header.wrong):
                m.d.comb += self.bad_header.eq(1)
                f.go("stop")
            with m.Else():
                with m.If(f.truncated):
                    f.damaged()
                f.go("image begins")
        f.waits("image begins", "file")
        with m.State("file"):
            with m.If(self.files.ready):
                f.go("strip")

    def _strip_states(self, f: _Flow, crc, walk, lengths) -> None:
        """From a strip to the length of a payload, and the strip's checksum."""
        m = f.m
        with m.State("strip"):
            m.d.comb += [crc.restore.eq(1), walk.begin_strip.eq(1)]
            m.d.sync += f.turn.eq(0)
            f.go("number")
        with m.State("number"):
            number = Mux(f.turn[1], 0, Mux(f.turn[0], f.strip[8:], f.strip[:8]))
            if self.slabs > 1:
                whole = Cat(self.slab, f.strip, Const(0, 32))
                number = choose([whole.word_select(k, 8) for k in range(4)], f.turn)
            m.d.comb += [crc.step.eq(1), crc.data.eq(number)]
            m.d.sync += f.turn.eq(f.turn + 1)
            with m.If(f.turn == 3):
                f.go("group")
        with m.State("group"):
            m.d.comb += walk.step.eq(1)
            f.go("rows")
        f.waits("rows", "group known")
        with m.State("group known"):
            f.go("length")
            with m.If(f.voids):
                f.go("queue")
        with m.State("length"):
            m.d.comb += lengths.step.eq(f.step)
            with m.If(f.step):
                m.d.sync += f.truncated.eq(f.over)
                with m.If(lengths.ends):
                    f.go("length known")
                with m.Elif(f.over):
                    f.go("length short")
        with m.State("length short"):
            f.damaged()
            f.go("queue")
        with m.State("checksum"):
            with m.If(f.step):
                m.d.sync += [f.turn.eq(f.turn + 1), f.truncated.eq(f.over)]
                with m.If(f.turn == 3):
                    m.d.sync += f.strip.eq(f.strips)
                    f.go("checksum settles")
                with m.Elif(f.over):
                    f.go("group over")
        f.waits("checksum settles", "checksum known")
        with m.State("checksum known"):
            m.d.comb += [self.bad_strip.eq(~crc.good), crc.restore.eq(1)]
            # Four bytes for each strip, of all slabs, and four for the index's checksum.
            parts = f.strips
            if self.slabs > 1:
                parts = Cat(Const(1, slab_bits(self.slabs)), f.strip)
            m.d.sync += [f.left.eq(Cat(Const(0, 2), parts)), f.final.eq(0)]
            with m.If(~walk.image_over):
                f.go("strip")
                with m.If(f.truncated):
                    f.go("group over")
            with m.Elif(self.slab != 0 if self.slabs > 1 else f.strip == 1):
                f.go("end")
            with m.Else():
                f.go("index")
                with m.If(f.truncated):
                    m.d.comb += self.bad_packet.eq(1)
                    f.go("stop")

    def _payload_states(self, f: _Flow, walk, lengths, store, head) -> None:
        """From the length of a payload to what follows it."""
        m = f.m
        with m.State("length known"):
            m.d.sync += [
                f.left.eq(lengths.length), f.final.eq(lengths.length == 1),
                f.empty.eq(lengths.nothing),
            ]  # fmt: skip
            with m.If(lengths.done):
                with m.If(lengths.impossible | (f.truncated & ~lengths.nothing)):
                    f.damaged()
                    f.go("queue")
                with m.Elif(lengths.nothing):
                    f.go("queue")
                with m.Else():
                    m.d.comb += store.open.eq(1)
                    f.go("payload")
        with m.State("payload"):
            with m.If(f.over | f.leap_over):
                m.d.sync += f.truncated.eq(1)
            with m.If(f.step & f.final):
                f.go("payload ends")
            with m.Elif(f.over | f.leap_over):
                f.go("payload short")
        with m.State("payload short"):
            f.damaged()
            m.d.comb += store.undo.eq(1)
            f.go("queue")
        with m.State("payload ends"):
            m.d.comb += store.close.eq(1)
            f.go("payload known")
        with m.State("payload known"):
            m.d.sync += f.empty.eq(head.nothing & ~lengths.plain)
            with m.If(head.done):
                f.go("queue")
        with m.State("queue"):
            with m.If(self.payloads.ready):
                f.go("group over")
        with m.State("group over"):
            with m.If(f.truncated & ~f.voids):
                f.damaged()
            with m.If(f.truncated | f.voids):
                m.d.comb += walk.begin_strip.eq(walk.strip_over)
                f.go("group")
                with m.If(walk.image_over):
                    f.go("stop")
            with m.Elif(walk.strip_over):
                m.d.sync += f.turn.eq(0)
                f.go("checksum")
            with m.Else():
                f.go("group")

    def _end_states(self, f: _Flow, crc, walk) -> None:
        """From an image's last strip to the next file."""
        m = f.m
        with m.State("index"):
            with m.If(f.step):
                m.d.sync += f.truncated.eq(f.over)
                with m.If(f.final):
                    f.go("index settles")
                with m.Elif(f.over):
                    m.d.comb += self.bad_packet.eq(1)
                    f.go("stop")
        f.waits("index settles", "index known")
        with m.State("index known"):
            m.d.comb += self.bad_packet.eq(~crc.good)
            f.go("end")
        with m.State("end"):
            m.d.comb += self.bad_packet.eq(~f.truncated)
            f.go("stop")
        with m.State("stop"):
            f.go("drop")
            with m.If(f.truncated):
                f.go("header")
        with m.State("drop"):
            with m.If(f.over):
                f.go("header")
