"""Entropy encoder: classes and symbols, the last first, to one payload of interleaved states.

See :mod:`lutgen.codec.lossy.interleaved` for the stream.
"""

from types import SimpleNamespace

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from lutgen.codec.lossy.escape import EscapeTables
from lutgen.codec.lossy.interleaved import LANES

from ..coders.rans import RansEncoder
from ..fabric.pipeline import delay
from ..heads.table import TableEncoder
from ..streams.axi import word_layout
from ..streams.bit_joiner import BitJoiner
from ..streams.open_queue import OpenQueue
from .interleaved import LANE_BITS, class_bits, neighbour

__all__ = ["ENCODER_ERRORS", "EntropyEncoder", "coded_layout"]

ENCODER_ERRORS = ("bad_symbol", "bad_class", "bad_lane")


def coded_layout(tables: EscapeTables) -> StructLayout:
    """A symbol, and its class above it; ``lane`` is heeded in the first beat of a sequence."""
    return StructLayout({"data": 8 + class_bits(tables), "lane": LANE_BITS, "last": 1})


class EntropyEncoder(wiring.Component):
    """Payloads of symbols, which come in reverse order.

    One symbol per clock, in a pipeline that never waits: a symbol enters it when the words that
    may come of it find room in a queue.  The word that it completes comes to the queue after
    :attr:`latency` clocks.  Behind the last symbol, states and leading one take 25 clocks, in which
    the next sequence waits.  Reset, at any time, leaves it empty.

    Parameters
    ----------
    tables:
        Frequencies.
    count:
        Bytes of a word: 2, 4 or 8.
    registers:
        Whether there are more registers around memories, see
        `lutgen.gateware.fabric.fabric.Fabric`.

    Members
    -------
    symbols : In(stream of :func:`coded_layout`)
        Symbols, the sequence's last one first; ``lane`` of this first beat is the number of that
        symbol modulo 24.  ``last`` is with the sequence's first symbol.
    words : Out(stream of `lutgen.gateware.streams.axi.word_layout`)
        The payload backwards: its last byte is the low byte of the first word, and ``last`` is with
        its first byte, the highest that ``keep`` has.
    done : Out(1)
        The last word of a payload is in the queue; it may still wait there.
    error : Out(3)
        With ``done``, and up to the next one, what was wrong, and the payload thereby: 0 a symbol
        has no frequency in its class; 1 a class is beyond the tables; 2 the first symbol did not
        come to be of lane 0.
    idle : Out(1)
        Nothing is inside.
    """

    def __init__(self, tables: EscapeTables, *, count: int = 4, registers: bool = False) -> None:
        self._tables, self._count, self._registers = tables, count, registers
        self._bits_at = TableEncoder.latency_of(tables, registers) + RansEncoder.bits_latency
        #: Clocks from a symbol to its word.
        self.latency = self._bits_at + BitJoiner.latency
        super().__init__({
            "symbols": In(stream.Signature(coded_layout(tables))),
            "words": Out(stream.Signature(word_layout(count))),
            "done": Out(1),
            "error": Out(len(ENCODER_ERRORS)),
            "idle": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.head = head = TableEncoder(self._tables, registers=self._registers)
        m.submodules.coder = coder = RansEncoder(LANES)
        m.submodules.joiner = joiner = BitJoiner(self._count)
        now = self._enter(m)
        beat = self.symbols.payload
        m.d.comb += [head.classes.eq(beat.data[8:]), head.symbol.eq(beat.data[:8])]
        coded = self._code(m, head, coder, now)
        self._join(m, coder, joiner, now, coded)
        self._report(m, head, joiner, now, coded)
        return m

    def _enter(self, m: Module) -> SimpleNamespace:
        """Clock 0: what enters the pipeline, one of ``code``, ``flush`` and ``end``."""
        beat = self.symbols.payload
        code, flush, end = Signal(), Signal(), Signal()
        room = Signal()
        lane, lane_after = Signal(LANE_BITS), Signal(LANE_BITS)  # of a symbol that is not the first
        first_lane = Signal(LANE_BITS)
        fresh = Signal(range(LANES + 1))  # states that were not used
        first = Signal()
        with m.FSM() as fsm:
            for state in ("BEGIN", "CODE"):
                with m.State(state):
                    begins = state == "BEGIN"
                    m.d.comb += [
                        self.symbols.ready.eq(room),
                        code.eq(self.symbols.valid & room),
                        lane.eq(beat.lane if begins else lane_after),
                        first.eq(1 if begins else fresh != 0),
                    ]
                    with m.If(code):
                        m.d.sync += fresh.eq(LANES - 1 if begins else fresh - (fresh != 0))
                        if begins:
                            m.d.sync += first_lane.eq(beat.lane)
                        m.next = "CODE"
                    with m.If(code & beat.last):
                        m.next = "FLUSH"
            with m.State("FLUSH"):  # from the last state on; unused ones are as if they were coded
                m.d.comb += [
                    flush.eq(room),
                    lane.eq(lane_after),
                    first.eq((fresh != 0) & (lane_after > first_lane)),
                ]
                with m.If(flush & (lane == 0)):
                    m.next = "END"
            with m.State("END"):
                m.d.comb += end.eq(room)
                with m.If(end):
                    m.next = "BEGIN"
        with m.If(code | flush):
            m.d.sync += lane_after.eq(Mux(code & beat.last, LANES - 1, neighbour(lane, -1)))
        return SimpleNamespace(
            code=code, flush=flush, end=end, room=room, lane=lane, first=first,
            begins=fsm.ongoing("BEGIN"),
        )  # fmt: skip

    def _code(
        self, m: Module, head: TableEncoder, coder: RansEncoder, now: SimpleNamespace
    ) -> SimpleNamespace:
        """The interval, and what meets it at the coder."""
        at = head.latency
        code_h, flush_h, end_h = (
            delay(m, getattr(now, name), at, name=name, reset=True)
            for name in ("code", "flush", "end")
        )
        m.d.comb += [
            coder.lane.eq(delay(m, now.lane, at, name="lane")),
            coder.first.eq(delay(m, now.first, at, name="first")),
            coder.code.eq(code_h),
            coder.flush.eq(flush_h),
            coder.start.eq(head.start),
            coder.freq.eq(head.freq),
        ]
        return SimpleNamespace(code=code_h, flush=flush_h, end=end_h)

    def _join(
        self, m: Module, coder: RansEncoder, joiner: BitJoiner, now: SimpleNamespace,
        coded: SimpleNamespace,
    ) -> None:  # fmt: skip
        """Bits to words: of what was in the coder at a reset nothing comes out."""
        late = coder.bits_latency
        end_n = delay(m, coded.end, late, name="end_late", reset=True)
        any_n = delay(m, coded.code | coded.flush, late, name="any_late", reset=True)
        m.d.comb += [
            joiner.bits.eq((coder.bits & any_n.replicate(len(coder.bits))) | end_n),
            joiner.count.eq((coder.count & any_n.replicate(len(coder.count))) | end_n),
            joiner.end.eq(end_n),
        ]

        m.submodules.queue = queue = OpenQueue(word_layout(self._count), pipeline=self.latency)
        m.d.comb += [
            now.room.eq(queue.room),
            queue.put.eq(joiner.valid),
            queue.data.eq(Cat(joiner.word, joiner.keep, joiner.last)),
        ]
        wiring.connect(m, queue.o, wiring.flipped(self.words))

    def _report(
        self, m: Module, head: TableEncoder, joiner: BitJoiner, now: SimpleNamespace,
        coded: SimpleNamespace,
    ) -> None:  # fmt: skip
        """What was wrong, as far as the interval is known."""
        at, code, lane, beat = head.latency, now.code, now.lane, self.symbols.payload
        bad_class = code & (beat.data[8:] >= self._tables.classes)
        bad_lane = code & ((lane >= LANES) | (beat.last & (lane != 0)))
        seen = Signal(len(ENCODER_ERRORS))
        found = Signal(len(ENCODER_ERRORS))
        m.d.comb += found.eq(Cat(
            coded.code & (head.freq == 0), delay(m, bad_class, at, name="bad_class"),
            delay(m, bad_lane, at, name="bad_lane"),
        ))  # fmt: skip
        result = Signal(len(ENCODER_ERRORS))
        with m.If(coded.end):
            m.d.sync += [result.eq(seen), seen.eq(0)]
        with m.Else():
            m.d.sync += seen.eq(seen | found)
        m.d.sync += self.done.eq(joiner.valid & joiner.last)
        with m.If(joiner.valid & joiner.last):
            m.d.sync += self.error.eq(result)
        inside = Signal()  # a payload whose last word is not in the queue
        with m.If(code):
            m.d.sync += inside.eq(1)
        with m.Elif(joiner.valid & joiner.last):
            m.d.sync += inside.eq(0)
        m.d.comb += self.idle.eq(now.begins & ~inside & ~self.words.valid)
