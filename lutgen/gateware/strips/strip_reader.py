"""Strip reader: from the bytes of a file of version 2 to payloads in the ring.

See :mod:`lutgen.codec.predictive.container` for the format.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from ..fabric.blockmem import add_rom
from ..files.header import BuildHeader, HeaderCheck
from ..streams.axi import word_layout
from .byte_front import ByteFront
from .crc import CRC_RESIDUE, CRC_START, crc32_after
from .payload_queue import payload_layout
from .payload_ring import WORD_BITS
from .strip_files import file_layout, near_table

__all__ = ["StripReader"]

#: States in which single bytes are taken.
_SERIAL = ("header", "length", "checksum", "index", "drop")
_BYTES = WORD_BITS // 8
#: Words of the ring that are kept free: what is written until the room is seen.
_MARGIN = 8
#: Bits of a length are in at most so many bytes of seven.
_LENGTH_BYTES = 5
#: The bytes that hold the first state, its leading one and zeros before it.
_STATE_BYTES = 3


class StripReader(wiring.Component):
    """Reads files: checks headers, lengths and checksums, stores payloads, and queues them.

    A word of the stream per clock within a payload, but a byte at its ends and in beats with null
    bytes; about 50 clocks more for each group of rows.  A file that breaks a rule is reported and
    dropped up to its ``last``.  If that happens behind its header, groups that are missing are
    queued as empty payloads, so that every image that begins is completed.

    A payload lies in the ring from a word of its own on, at its place in its word of the stream, and
    behind it are zeros up to the word's end and two words more.  Reset drops all.

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
        Bits of a word's address in the ring, which must have room for the longest payload.

    Members
    -------
    words : In(stream of `word_layout`)
        The files, without null beats.
    files : Out(stream of `file_layout`)
        Each file, before its payloads.
    payloads : Out(stream of `payload_layout`)
        Payload of each group of rows, in the order of the file, when all of it is in the ring.
    write, address, data : Out(...)
        Word to store in the ring.
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
        least = self.words_of(max_width, depth) + _MARGIN
        if 1 << address_bits < least:
            raise ValueError(f"payload ring must have {least} words, not {1 << address_bits}")
        super().__init__({
            "words": In(stream.Signature(word_layout(stream_bytes))),
            "files": Out(stream.Signature(file_layout(depth, max_width, max_height))),
            "payloads": Out(stream.Signature(payload_layout(address_bits, depth))),
            "write": Out(1),
            "address": Out(address_bits),
            "data": Out(WORD_BITS),
            "free_to": In(address_bits),
            "bad_header": Out(1),
            "bad_packet": Out(1),
            "bad_strip": Out(1),
            "busy": Out(1),
        })

    @staticmethod
    def words_of(width: int, depth: int) -> int:
        """Words of the ring that a payload takes at most."""
        return -(-GROUP * width * depth // WORD_BITS) + 3

    def elaborate(self, platform) -> Module:
        m = Module()
        depth = self._depth
        m.submodules.front = front = ByteFront(self._stream_bytes)
        wiring.connect(m, wiring.flipped(self.words), front.i)
        unit, byte = front.unit, front.data[:8]

        # What the state says of the bytes, in registers: their counters do not wait for it.
        serial, in_payload, covered = Signal(init=1), Signal(), Signal(init=1)
        start_crc, restore_crc = Signal(), Signal()

        def go(state: str) -> None:
            m.next = state
            m.d.sync += [
                serial.eq(int(state in _SERIAL)), in_payload.eq(int(state == "payload")),
                covered.eq(int(state != "drop")),
            ]  # fmt: skip
            if state == "header":
                m.d.comb += start_crc.eq(1)
                m.d.sync += self.busy.eq(0)

        # Bytes that are taken: one, or a word of them.
        room, many = Signal(), Signal()
        lead = Signal(range(_STATE_BYTES + 1))  # bytes of the state that have come
        place = Signal(2)  # in the word of the ring
        step, leap, over, leap_over = Signal(), Signal(), Signal(), Signal()
        leaps = (
            in_payload & front.whole & many & (lead == _STATE_BYTES)
            & ~place[: unit.bit_length() - 1].any()
        ) if unit > 1 else Const(0)  # fmt: skip
        m.d.comb += [
            front.take.eq(serial | (in_payload & room & ~leaps)),
            front.take_whole.eq(leaps & room),
            step.eq(front.valid & front.take),
            leap.eq(front.take_whole),
            over.eq(step & front.last),
            leap_over.eq(leap & front.whole_last),
        ]

        # Header.
        check = HeaderCheck(self._header)
        width, height, strip_height, near, shift = (
            check.fields[name]
            for name in ("image width", "image height", "strip height", "near", "shift")
        )
        at = Signal(range(self._header.size))
        taken, taken_at, taken_byte = Signal(), Signal.like(at), Signal(8, reset_less=True)
        table = near_table(depth)
        words = [int(greatest) | int(bits) << depth for greatest, bits in table]
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
        ]  # fmt: skip

        # Checksum, a clock behind.
        crc, header_crc = Signal(32, init=CRC_START), Signal(32, reset_less=True)
        crc_data = Signal(8 * unit, reset_less=True)
        crc_step, crc_leap, crc_good = Signal(), Signal(), Signal()
        numbering = Signal()
        turn = Signal(2)
        strip = Signal(16)  # number of it
        number_byte = Mux(turn[1], 0, strip.word_select(turn[0], 8))
        m.d.sync += [
            crc_data.eq(front.data), crc_step.eq((step & covered) | numbering), crc_leap.eq(leap),
            crc_good.eq(crc == CRC_RESIDUE),
        ]  # fmt: skip
        with m.If(numbering):
            m.d.sync += crc_data[:8].eq(number_byte)
        with m.If(start_crc):
            m.d.sync += crc.eq(CRC_START)
        with m.Elif(restore_crc):
            m.d.sync += crc.eq(header_crc)
        with m.Elif(crc_leap):
            m.d.sync += crc.eq(crc32_after(crc, crc_data))
        with m.Elif(crc_step):
            m.d.sync += crc.eq(crc32_after(crc, crc_data[:8]))

        # Rows, and what the payload of a group may have.
        samples_bits = bits_for(GROUP * self._max_width)
        total_bits = bits_for(GROUP * self._max_width * depth + 7)
        row_bits, scale_left = Signal(total_bits), Signal(5)  # bits of a row's residuals
        image_left, strip_left = Signal.like(height), Signal.like(height)
        samples, total, row = Signal(samples_bits), Signal(total_bits), Signal(2)
        image_over, strip_over = Signal(), Signal()
        least, most = Signal(max(1, samples_bits - 11)), Signal(total_bits - 3)
        m.d.sync += [
            image_over.eq(image_left == 0), strip_over.eq((strip_left == 0) | (image_left == 0)),
            least.eq(samples >> 11), most.eq((total + 7) >> 3),
        ]  # fmt: skip

        # Length of a payload: a change, seven bits a byte.
        number, sevens = Signal(7 * _LENGTH_BYTES), Signal(range(_LENGTH_BYTES + 1))
        span = len(most)
        length = Signal(span + 2)  # negative ones are above all others
        change = number[1 : span + 2] ^ number[0].replicate(span + 1)
        malformed, impossible, plain = Signal(), Signal(), Signal()
        m.d.sync += [
            impossible.eq(
                malformed | number[span + 2 :].any() | (length < least) | (length > most)
            ),
            plain.eq(length == most),
        ]
        left = Signal(max(span, bits_for(4 * self._max_height + 4)))
        final = left == 1
        m.d.sync += many.eq(left > 2 * unit)
        with m.If(leap):
            m.d.sync += left.eq(left - unit)
        with m.Elif(step):
            m.d.sync += left.eq(left - 1)

        # The ring.
        word, begin, end = (Signal.like(self.address, name=n) for n in ("word", "begin", "end"))
        used = Signal.like(word)
        m.d.sync += [
            used.eq(word - self.free_to), room.eq(used < (1 << len(word)) - _MARGIN),
        ]  # fmt: skip
        blank = Signal()
        held = [Signal(8, name=f"held{k}", reset_less=True) for k in range(_BYTES - 1)]
        lanes = []
        for k in range(_BYTES):
            here = (place == k) | (leap & (place == k - k % unit))
            new = Mux(leap, front.data.word_select(k % unit, 8), byte)
            before = held[k] if k < _BYTES - 1 else Const(0, 8)
            lanes.append(Mux(here & ~blank, new, Mux((place > k) & ~blank, before, 0)))
        m.d.sync += [
            self.write.eq((step & in_payload) | leap | blank), self.address.eq(word),
            self.data.eq(Cat(reversed(lanes))),
        ]  # fmt: skip
        with m.If((step & in_payload) | leap):
            m.d.sync += [h.eq(lane) for h, lane in zip(held, lanes, strict=False)]
            m.d.sync += [
                place.eq(place + Mux(leap, unit, 1)),
                word.eq(word + Mux(leap, place >= _BYTES - unit, place == _BYTES - 1)),
            ]
        with m.If(blank):
            m.d.sync += word.eq(word + 1)

        # The state at a payload's beginning.
        head = Signal(8 * _STATE_BYTES, reset_less=True)
        position = Signal(len(self.payloads.payload.position), reset_less=True)
        empty, voids, truncated = Signal(), Signal(), Signal()
        payload = self.payloads.payload
        m.d.comb += [
            payload.state.eq(head[8:]), payload.position.eq(position), payload.end.eq(end),
            payload.plain.eq(plain & ~empty), payload.empty.eq(empty), payload.bits.eq(bits),
            payload.greatest.eq(greatest),
        ]  # fmt: skip

        def damaged() -> None:
            """The packet breaks a rule; what is missing of the image is empty."""
            m.d.comb += self.bad_packet.eq(1)
            m.d.sync += [voids.eq(1), empty.eq(1)]

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
            for state, following in (
                ("header read", "header settles"), ("header settles", "sizes settle"),
                ("sizes settle", "check"),
            ):  # fmt: skip
                with m.State(state):
                    go(following)
            with m.State("check"):
                check.forget(m)
                m.d.sync += [
                    header_crc.eq(crc), image_left.eq(height), row_bits.eq(0), scale_left.eq(bits),
                    strip.eq(0), voids.eq(0),
                ]  # fmt: skip
                with m.If(check.wrong_header | check.wrong_model | bad_size):
                    m.d.comb += self.bad_header.eq(1)
                    go("stop")
                with m.Else():
                    with m.If(truncated):
                        damaged()
                    go("scale")
            with m.State("scale"):
                m.d.sync += scale_left.eq(scale_left - 1)
                with m.If(scale_left == 0):
                    go("file")
                with m.Else():
                    m.d.sync += row_bits.eq(row_bits + width)
            with m.State("file"):
                m.d.comb += self.files.valid.eq(1)
                with m.If(self.files.ready):
                    go("strip")
            with m.State("strip"):
                m.d.comb += restore_crc.eq(1)
                m.d.sync += [strip_left.eq(strip_height), length.eq(0), turn.eq(0)]
                go("number")
            with m.State("number"):
                m.d.comb += numbering.eq(1)
                m.d.sync += turn.eq(turn + 1)
                with m.If(turn == 3):
                    go("group")
            with m.State("group"):
                m.d.sync += [samples.eq(0), total.eq(0), row.eq(0)]
                go("rows")
            with m.State("rows"):
                m.d.sync += [
                    samples.eq(samples + width), total.eq(total + row_bits), row.eq(row + 1),
                    image_left.eq(image_left - 1), strip_left.eq(strip_left - 1),
                ]  # fmt: skip
                with m.If((row == GROUP - 1) | (image_left == 1) | (strip_left == 1)):
                    go("rows settle")
            with m.State("rows settle"):
                m.d.sync += [sevens.eq(0), malformed.eq(0)]
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
            with m.State("length adds"):
                go("length read")
            with m.State("length read"):
                m.d.sync += [
                    begin.eq(word), place.eq(front.phase), lead.eq(0), left.eq(length),
                    position.eq(Cat(Const(0, 3), front.phase, word)), empty.eq(length == 0),
                ]  # fmt: skip
                with m.If(impossible | (truncated & (length != 0))):
                    damaged()
                    go("queue")
                with m.Elif(length == 0):
                    go("queue")
                with m.Else():
                    go("payload")
            with m.State("payload"):
                with m.If(step & (lead != _STATE_BYTES)):
                    m.d.sync += [head.eq(Cat(byte, head)), lead.eq(lead + 1)]
                    with m.If(lead == 0):
                        m.d.sync += empty.eq((byte == 0) & ~plain)
                with m.If(step & final):
                    m.d.sync += truncated.eq(over)
                    go("payload ends")
                with m.Elif(over | leap_over):
                    m.d.sync += truncated.eq(1)
                    go("payload short")
            with m.State("payload short"):
                damaged()
                m.d.sync += [word.eq(begin), place.eq(0)]
                go("queue")
            with m.State("payload ends"):
                m.d.sync += [word.eq(word + place.any()), place.eq(0)]
                go("blank")
            with m.State("blank"):
                m.d.comb += blank.eq(1)
                m.d.sync += end.eq(word)
                go("blank more")
            with m.State("blank more"):
                m.d.comb += blank.eq(1)
                go("lead")
            with m.State("lead"):
                with m.If(lead != _STATE_BYTES):
                    m.d.sync += [head.eq(head << 8), lead.eq(lead + 1)]
                with m.Elif(empty | plain):
                    go("queue")
                with m.Else():
                    go("leading one")
            with m.State("leading one"):
                m.d.sync += [head.eq(head << 1), position.eq(position + 1)]
                with m.If(head[-1]):
                    go("state")
            with m.State("state"):
                m.d.sync += position[4:].eq(position[4:] + 1)
                go("queue")
            with m.State("queue"):
                m.d.comb += self.payloads.valid.eq(1)
                with m.If(self.payloads.ready):
                    go("group over")
            with m.State("group over"):
                with m.If(truncated & ~voids):
                    damaged()
                with m.If(truncated | voids):
                    with m.If(strip_over):
                        m.d.sync += strip_left.eq(strip_height)
                    with m.If(image_over):
                        go("stop")
                    with m.Else():
                        go("group")
                with m.Elif(strip_over):
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
            for state, following in (
                ("checksum settles", "checksum known"), ("checksum known", "checksum read"),
            ):  # fmt: skip
                with m.State(state):
                    go(following)
            with m.State("checksum read"):
                m.d.comb += [self.bad_strip.eq(~crc_good), restore_crc.eq(1)]
                m.d.sync += left.eq(Cat(Const(0, 2), strip) + 4)
                with m.If(truncated & ~image_over):
                    go("group over")
                with m.Elif(~image_over):
                    go("strip")
                with m.Elif(strip == 1):
                    go("end")
                with m.Elif(truncated):
                    m.d.comb += self.bad_packet.eq(1)
                    go("stop")
                with m.Else():
                    go("index")
            with m.State("index"):
                with m.If(step):
                    m.d.sync += truncated.eq(over)
                    with m.If(over & ~final):
                        m.d.comb += self.bad_packet.eq(1)
                        go("stop")
                    with m.Elif(final):
                        go("index settles")
            for state, following in (
                ("index settles", "index known"), ("index known", "index read"),
            ):  # fmt: skip
                with m.State(state):
                    go(following)
            with m.State("index read"):
                m.d.comb += self.bad_packet.eq(~crc_good)
                go("end")
            with m.State("end"):
                m.d.comb += self.bad_packet.eq(~truncated)
                go("stop")
            with m.State("stop"):
                with m.If(truncated):
                    go("header")
                with m.Else():
                    go("drop")
            with m.State("drop"):
                with m.If(over):
                    go("header")
        m.d.sync += [
            taken.eq(step & fsm.ongoing("header")), taken_at.eq(at), taken_byte.eq(byte),
        ]  # fmt: skip
        with m.If(taken):
            check.take(m, taken_at, taken_byte)
        return m
