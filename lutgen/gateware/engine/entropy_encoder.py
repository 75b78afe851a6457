"""Entropy encoder: classes and symbols, the last first, to one payload of interleaved states.

See :mod:`lutgen.codec.lossy.interleaved` for the stream.
"""

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
        beat = self.symbols.payload
        symbol, classes = beat.data[:8], beat.data[8:]

        # 0: what enters the pipeline.
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
        m.d.comb += [head.classes.eq(classes), head.symbol.eq(symbol)]

        # The interval.
        at = head.latency

        def later(value, clocks: int, name: str):
            return delay(m, value, clocks, name=name, reset=True)

        code_h, flush_h, end_h = (
            later(value, at, name)
            for value, name in ((code, "code"), (flush, "flush"), (end, "end"))
        )
        m.d.comb += [
            coder.lane.eq(delay(m, lane, at, name="lane")),
            coder.first.eq(delay(m, first, at, name="first")),
            coder.code.eq(code_h),
            coder.flush.eq(flush_h),
            coder.start.eq(head.start),
            coder.freq.eq(head.freq),
        ]
        # Bits: of what was in the coder at a reset nothing comes out.
        end_n = later(end_h, coder.bits_latency, "end_late")
        any_n = later(code_h | flush_h, coder.bits_latency, "any_late")
        m.d.comb += [
            joiner.bits.eq((coder.bits & any_n.replicate(len(coder.bits))) | end_n),
            joiner.count.eq((coder.count & any_n.replicate(len(coder.count))) | end_n),
            joiner.end.eq(end_n),
        ]

        m.submodules.queue = queue = OpenQueue(word_layout(self._count), pipeline=self.latency)
        m.d.comb += [
            room.eq(queue.room),
            queue.put.eq(joiner.valid),
            queue.data.eq(Cat(joiner.word, joiner.keep, joiner.last)),
        ]
        wiring.connect(m, queue.o, wiring.flipped(self.words))

        # What was wrong, as far as the interval is known.
        bad_class = code & (classes >= self._tables.classes)
        bad_lane = code & ((lane >= LANES) | (beat.last & (lane != 0)))
        seen = Signal(len(ENCODER_ERRORS))
        found = Signal(len(ENCODER_ERRORS))
        m.d.comb += found.eq(Cat(
            code_h & (head.freq == 0), delay(m, bad_class, at, name="bad_class"),
            delay(m, bad_lane, at, name="bad_lane"),
        ))  # fmt: skip
        result = Signal(len(ENCODER_ERRORS))
        with m.If(end_h):
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
        m.d.comb += self.idle.eq(fsm.ongoing("BEGIN") & ~inside & ~self.words.valid)
        return m
