"""Strip reader: from the bytes of a file of version 2 to payloads in the ring.

See :mod:`lutgen.codec.predictive.container` for the format.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import drive
from ..files.header import BuildHeader, HeaderCheck
from ..streams.axi import word_layout
from ..streams.lut_fifo import step as count_step
from .byte_front import ByteFront
from .crc import Crc32
from .group_walk import GroupWalk
from .payload_head import PayloadHead
from .payload_queue import payload_layout
from .payload_ring import WORD_BITS
from .payload_store import PayloadStore
from .strip_files import file_layout, near_table

__all__ = ["StripReader"]

#: States in which single bytes are taken, and those whose bytes are counted.
_SERIAL = ("header", "length", "checksum", "index", "drop")
_COUNTED = ("payload", "index")
#: Clocks of the states that only wait.
_PAUSES = {
    "header read": 3, "image begins": GroupWalk.image_latency, "rows": GroupWalk.latency,
    "length adds": 1, "checksum settles": 2, "index settles": 2,
}  # fmt: skip
#: Bits of a length are in at most so many bytes of seven.
_LENGTH_BYTES = 5


class StripReader(wiring.Component):
    """Reads files: checks headers, lengths and checksums, stores payloads, and queues them.

    Two bytes per clock within a payload, but one at its ends and in beats with null bytes; about 40
    clocks more for each group of rows.  A file that breaks a rule is reported and
    dropped up to its ``last``.  If that happens behind its header, groups that are missing are
    queued as empty payloads, so that every image that begins is completed.

    Reset drops all.

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

    Members
    -------
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
        stream_bytes: int, address_bits: int,
    ) -> None:  # fmt: skip
        self._header, self._depth, self._stream_bytes = header, depth, stream_bytes
        self._max_width, self._max_height = max_width, max_height
        least = self.words_of(max_width, depth) + PayloadStore.margin
        if 1 << address_bits < least:
            raise ValueError(f"payload ring must have {least} words, not {1 << address_bits}")
        super().__init__({
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "files": Out(stream.Signature(file_layout(depth, max_width, max_height))),
            "payloads": Out(stream.Signature(payload_layout(address_bits, depth))),
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
        depth = self._depth
        m.submodules.front = front = ByteFront(self._stream_bytes)
        unit, byte = front.unit, front.data[:8]
        m.submodules.crc = crc = Crc32(unit)
        m.submodules.walk = walk = GroupWalk(
            depth, self._max_width, self._max_height
        )
        m.submodules.store = store = PayloadStore(unit, len(self.address))
        m.submodules.head = head = PayloadHead(len(self.address))
        wiring.connect(m, wiring.flipped(self.words), front.i)

        # What the state says, in registers: what happens to a byte does not wait for its decoding.
        serial, in_payload, counted = Signal(init=1), Signal(), Signal()
        covered = Signal(init=1)  # by a checksum
        filing, queueing = Signal(), Signal()
        pause = Signal(range(max(_PAUSES.values())))

        def go(state: str) -> None:
            m.next = state
            m.d.sync += [
                serial.eq(int(state in _SERIAL)), in_payload.eq(int(state == "payload")),
                counted.eq(int(state in _COUNTED)), covered.eq(int(state != "drop")),
                filing.eq(int(state == "file")), queueing.eq(int(state == "queue")),
            ]  # fmt: skip
            if state in _PAUSES:
                m.d.sync += pause.eq(_PAUSES[state] - 1)
            if state == "header":
                m.d.comb += crc.start.eq(1)
                m.d.sync += self.busy.eq(0)

        # Bytes that are taken: one, or a word of them, which is never a payload's last.
        left = Signal(max(len(walk.most), bits_for(4 * self._max_height + 4)))
        final, may_leap = Signal(), Signal()
        step, leap, over, leap_over = (
            Signal(name=n) for n in ("step", "leap", "over", "leap_over")
        )
        if unit > 1:
            m.d.sync += may_leap.eq(in_payload & ~head.wants & (left > 2 * unit + 1))
            m.d.comb += leap.eq(
                in_payload & may_leap & store.room & store.aligned & front.whole
            )
        m.d.comb += [
            front.take.eq(serial | (in_payload & store.room & ~leap)),
            front.take_whole.eq(leap),
            step.eq(front.valid & front.take),
            over.eq(step & front.last),
            leap_over.eq(leap & front.whole_last),
        ]
        with m.If(leap):
            m.d.sync += left.eq(left - unit)
        with m.Elif(step & counted):
            m.d.sync += [left.eq(left - 1), final.eq(left == 2)]

        # Header.
        check = HeaderCheck(self._header)
        width, height, strip_height, near, shift = (
            check.fields[name]
            for name in ("image width", "image height", "strip height", "near", "shift")
        )
        words = [int(most) | int(bits) << depth for most, bits in near_table(depth)]
        (about_near,) = add_rom(m, "near", words, depth + 5, [near], platform)
        greatest, bits = about_near[:depth], about_near[depth:]
        wrongs = [
            width == 0, width > self._max_width, height == 0, height > self._max_height,
            strip_height == 0, strip_height > height, shift > 16 - depth, bits == 0,
        ]  # fmt: skip
        wrong, bad_size = Signal(len(wrongs)), Signal()
        m.d.sync += [wrong.eq(Cat(wrongs)), bad_size.eq(wrong.any())]
        image = self.files.payload
        m.d.comb += [
            image.width.eq(width), image.height.eq(height), image.strip_height.eq(strip_height),
            image.near.eq(near), image.shift.eq(shift), image.greatest.eq(greatest),
            self.files.valid.eq(filing),
            walk.width.eq(width), walk.height.eq(height), walk.strip_height.eq(strip_height),
            walk.bits.eq(bits),
        ]  # fmt: skip

        # Checksum: of the header, and on from there, of a strip's number and its bytes.
        numbering = Signal()
        turn = Signal(2)
        strip = Signal(bits_for(self._max_height))
        m.d.comb += [
            crc.data.eq(front.data), crc.step.eq((step & covered) | numbering), crc.leap.eq(leap),
        ]  # fmt: skip
        with m.If(numbering):
            m.d.comb += crc.data[:8].eq(Mux(turn[1], 0, Mux(turn[0], strip[8:], strip[:8])))

        # Length of a payload: a change, seven bits a byte.
        number, sevens = Signal(7 * _LENGTH_BYTES), Signal(range(_LENGTH_BYTES + 1))
        span = len(walk.most)
        length = Signal(span + 2)  # negative ones are above all others
        change = number[1 : span + 2] ^ number[0].replicate(span + 1)
        malformed, impossible, plain, none = Signal(), Signal(), Signal(), Signal()
        m.d.sync += [
            impossible.eq(
                malformed | number[span + 2 :].any()
                | (length < walk.least) | (length > walk.most)
            ),
            plain.eq(length == walk.most),
            none.eq(length == 0),
        ]  # fmt: skip

        # Payload.
        empty, voids, truncated = Signal(), Signal(), Signal()
        payload = self.payloads.payload
        opens = Signal()
        m.d.comb += [
            *drive(self, store, "write", "address", "word"),
            store.free_to.eq(self.free_to),
            store.data.eq(front.data), store.step.eq(step & in_payload), store.leap.eq(leap),
            store.open.eq(opens), store.phase.eq(front.phase), head.open.eq(opens),
            head.begin.eq(store.begin), head.phase.eq(front.phase), head.byte.eq(byte),
            head.step.eq(step & in_payload), head.plain.eq(plain), head.close.eq(store.close),
            payload.state.eq(head.state), payload.position.eq(head.position),
            payload.end.eq(store.end), payload.plain.eq(plain & ~empty), payload.empty.eq(empty),
            payload.bits.eq(bits), payload.greatest.eq(greatest),
            self.payloads.valid.eq(queueing),
        ]  # fmt: skip

        def damaged() -> None:
            """The packet breaks a rule; what is missing of the image is empty."""
            m.d.comb += self.bad_packet.eq(1)
            m.d.sync += [voids.eq(1), empty.eq(1)]

        def waits(state: str, following: str) -> None:
            """A state that lasts for some clocks."""
            with m.State(state):
                m.d.sync += pause.eq(count_step(pause, 0, 1))
                with m.If(pause == 0):
                    go(following)

        at = Signal(range(self._header.size))
        with m.FSM() as fsm:
            with m.State("header"):
                with m.If(step):
                    m.d.sync += [at.eq(at + 1), self.busy.eq(1)]
                    with m.If(at == self._header.size - 1):
                        m.d.sync += [truncated.eq(over), at.eq(0)]
                        go("header read")
                    with m.Elif(over):
                        m.d.sync += at.eq(0)
                        go("header short")
            with m.State("header short"):
                m.d.comb += self.bad_header.eq(1)
                go("header forgotten")
            with m.State("header forgotten"):  # its last byte has been looked at
                check.forget(m)
                go("header")
            waits("header read", "check")
            with m.State("check"):
                check.forget(m)
                m.d.comb += [crc.keep.eq(1), walk.begin_image.eq(1)]
                m.d.sync += [strip.eq(0), voids.eq(0)]
                with m.If(check.wrong_header | check.wrong_model | bad_size):
                    m.d.comb += self.bad_header.eq(1)
                    go("stop")
                with m.Else():
                    with m.If(truncated):
                        damaged()
                    go("image begins")
            waits("image begins", "file")
            with m.State("file"):
                with m.If(self.files.ready):
                    go("strip")
            with m.State("strip"):
                m.d.comb += [crc.restore.eq(1), walk.begin_strip.eq(1)]
                m.d.sync += [length.eq(0), turn.eq(0)]
                go("number")
            with m.State("number"):
                m.d.comb += numbering.eq(1)
                m.d.sync += turn.eq(turn + 1)
                with m.If(turn == 3):
                    go("group")
            with m.State("group"):
                m.d.comb += walk.step.eq(1)
                go("rows")
            waits("rows", "group known")
            with m.State("group known"):
                m.d.sync += sevens.eq(0)
                with m.If(voids):
                    go("queue")
                with m.Else():
                    go("length")
            with m.State("length"):
                with m.If(step):
                    m.d.sync += [
                        number.eq(Cat(number[7:], byte[:7])), sevens.eq(sevens + 1),
                        truncated.eq(over), malformed.eq(byte[7]),
                    ]  # fmt: skip
                    with m.If(~byte[7] | over | (sevens == _LENGTH_BYTES - 1)):
                        go("length whole")
            with m.State("length whole"):
                with m.If(sevens == _LENGTH_BYTES):
                    m.d.sync += length.eq(length + Cat(change, change[-1]))
                    go("length adds")
                with m.Else():
                    m.d.sync += [number.eq(number[7:]), sevens.eq(sevens + 1)]
            waits("length adds", "length read")
            with m.State("length read"):
                m.d.sync += [left.eq(length), final.eq(length == 1), empty.eq(none)]
                with m.If(impossible | (truncated & ~none)):
                    damaged()
                    go("queue")
                with m.Elif(none):
                    go("queue")
                with m.Else():
                    m.d.comb += opens.eq(1)
                    go("payload")
            with m.State("payload"):
                with m.If(over | leap_over):
                    m.d.sync += truncated.eq(1)
                with m.If(step & final):
                    go("payload ends")
                with m.Elif(over | leap_over):
                    go("payload short")
            with m.State("payload short"):
                damaged()
                m.d.comb += store.undo.eq(1)
                go("queue")
            with m.State("payload ends"):
                m.d.comb += store.close.eq(1)
                go("payload settles")
            with m.State("payload settles"):
                m.d.sync += empty.eq(head.nothing & ~plain)
                with m.If(head.done):
                    go("queue")
            with m.State("queue"):
                with m.If(self.payloads.ready):
                    go("group over")
            with m.State("group over"):
                with m.If(truncated & ~voids):
                    damaged()
                with m.If(truncated | voids):
                    m.d.comb += walk.begin_strip.eq(walk.strip_over)
                    with m.If(walk.image_over):
                        go("stop")
                    with m.Else():
                        go("group")
                with m.Elif(walk.strip_over):
                    m.d.sync += turn.eq(0)
                    go("checksum")
                with m.Else():
                    go("group")
            with m.State("checksum"):
                with m.If(step):
                    m.d.sync += [turn.eq(turn + 1), truncated.eq(over)]
                    with m.If(turn == 3):
                        m.d.sync += strip.eq(strip + 1)
                        go("checksum settles")
                    with m.Elif(over):
                        go("group over")
            waits("checksum settles", "checksum read")
            with m.State("checksum read"):
                m.d.comb += [self.bad_strip.eq(~crc.good), crc.restore.eq(1)]
                m.d.sync += [left.eq(Cat(Const(0, 2), strip) + 4), final.eq(0)]
                with m.If(~walk.image_over):
                    go("strip")
                    with m.If(truncated):
                        go("group over")
                with m.Elif(strip == 1):
                    go("end")
                with m.Else():
                    go("index")
                    with m.If(truncated):
                        m.d.comb += self.bad_packet.eq(1)
                        go("stop")
            with m.State("index"):
                with m.If(step):
                    m.d.sync += truncated.eq(over)
                    with m.If(final):
                        go("index settles")
                    with m.Elif(over):
                        m.d.comb += self.bad_packet.eq(1)
                        go("stop")
            waits("index settles", "index read")
            with m.State("index read"):
                m.d.comb += self.bad_packet.eq(~crc.good)
                go("end")
            with m.State("end"):
                with m.If(~truncated):
                    m.d.comb += self.bad_packet.eq(1)
                go("stop")
            with m.State("stop"):
                go("drop")
                with m.If(truncated):
                    go("header")
            with m.State("drop"):
                with m.If(over):
                    go("header")
        taken, taken_at, taken_byte = Signal(), Signal.like(at), Signal(8, reset_less=True)
        m.d.sync += [
            taken.eq(step & fsm.ongoing("header")), taken_at.eq(at), taken_byte.eq(byte),
        ]  # fmt: skip
        with m.If(taken):
            check.take(m, taken_at, taken_byte)
        return m
