"""Entropy decoder: classes and one payload of interleaved states to symbols.

See :mod:`lutgen.codec.lossy.interleaved` for the stream.
"""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from lutgen.codec.lossy.escape import EscapeTables
from lutgen.codec.lossy.interleaved import LANES
from lutgen.codec.rans import STATE_BITS
from lutgen.errors import InputError

from ..coders.rans_step import pop_step
from ..fabric.pipeline import delay
from ..heads.table import TableDecoder
from ..streams.axi import BYTE, word_layout
from ..streams.bit_window import MOST_TAKEN, BitWindow
from ..streams.open_queue import OpenQueue
from .interleaved import LANE_BITS, class_bits, neighbour

__all__ = ["DECODER_ERRORS", "EntropyDecoder"]

DECODER_ERRORS = ("bad_payload", "bad_length", "bad_class")


class EntropyDecoder(wiring.Component):
    """Symbols of classes, one payload after the other.

    One symbol per clock, in a pipeline that never waits: a symbol enters it when its class, room
    for it in a queue, and all bits that it may want are there.  It leaves ten clocks later, with
    registers thirteen, and the two of the queue; its state is written back after :attr:`latency`
    clocks, which are no more than there are states.  Of a payload, loading
    takes 26 clocks from its first word on, and checking :attr:`check_clocks` from its last symbol
    on, in which the next one waits.  Reset, at any time, leaves it empty.

    Whatever the bytes are, each class gives a symbol and each packet ends: behind the end of a
    short one zeros are read, and the rest of a long one is dropped.

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
    classes : In(stream of data, last)
        Class of each symbol, at least one.
    words : In(stream of `lutgen.gateware.streams.axi.word_layout`)
        The payload of as many symbols.
    symbols : Out(stream of `lutgen.gateware.streams.axi.BYTE`)
        Symbols, ``last`` as among the classes.
    done : Out(1)
        Symbols up to a last one were decoded and the payload was taken; the symbols may still wait.
    error : Out(3)
        With ``done``, and up to the next one, what was wrong: 0 there is no leading one, or states
        do not end as they were started; 1 bytes are missing or left over; 2 a class beyond the
        tables, whose symbol is any.
    idle : Out(1)
        Nothing is inside.
    """

    def __init__(self, tables: EscapeTables, *, count: int = 4, registers: bool = False) -> None:
        self._tables, self._count, self._registers = tables, count, registers
        count_at = 1 + TableDecoder.interval_latency_of(tables, registers) + 3
        #: Clocks from a class to the stored state.
        self.latency = count_at + BitWindow.latency + 1
        if self.latency > LANES:
            raise InputError(f"latency must be at most {LANES} clocks, not {self.latency}")
        #: Clocks from the last symbol's class to ``done``, if the payload ends with it.
        self.check_clocks = 32 + LANES + 3
        super().__init__({
            "classes": In(stream.Signature(StructLayout({"data": class_bits(tables), "last": 1}))),
            "words": In(stream.Signature(word_layout(count))),
            "symbols": Out(stream.Signature(BYTE)),
            "done": Out(1),
            "error": Out(len(DECODER_ERRORS)),
            "idle": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.head = head = TableDecoder(self._tables, registers=self._registers)
        window = BitWindow(self._count)
        clear = Signal()
        m.submodules.window = ResetInserter(clear)(window)
        wiring.connect(m, wiring.flipped(self.words), window.words)
        now = self._enter(m, window, clear)
        states = self._states(m, head, now)
        at = self._control(m, now.seek, now.load, now.code)
        self._symbol(m, head, now, at)
        shift = self._interval(m, head, window, states, at)
        self._store(m, window, now, states, shift, at)
        self._report(m, window, now, states, clear, at)
        return m

    def _enter(self, m: Module, window: BitWindow, clear: Signal) -> SimpleNamespace:
        """Clock 0: what enters the pipeline, one of ``seek``, ``load``, ``code`` and ``check``."""
        seek, load, code, check = Signal(), Signal(), Signal(), Signal()
        lane = Signal(LANE_BITS)
        room = Signal()
        last = self.classes.payload.last
        waits = Signal(5)
        with m.FSM() as fsm:
            with m.State("BEGIN"):  # leaves out the zeros and the leading one
                m.d.comb += seek.eq(window.enough & window.begun)
                with m.If(seek):
                    m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += load.eq(window.enough)
                with m.If(load & (lane == LANES - 1)):
                    m.next = "CODE"
            with m.State("CODE"):
                m.d.comb += [
                    self.classes.ready.eq(window.enough & room),
                    code.eq(self.classes.valid & window.enough & room),
                ]
                with m.If(code & last):
                    m.next = "DRAIN"
            with m.State("DRAIN"):  # until all states are stored
                m.d.comb += window.discard.eq(1)
                m.d.sync += lane.eq(0)
                with m.If(waits.all()):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += [window.discard.eq(1), check.eq(1)]
                with m.If(lane == LANES - 1):
                    m.next = "END"
            with m.State("END"):
                m.d.comb += window.discard.eq(1)
                with m.If(window.ended):
                    m.next = "REPORT"
            with m.State("REPORT"):
                m.d.comb += clear.eq(1)
                m.next = "BEGIN"
        with m.If(load | code | check):
            m.d.sync += lane.eq(neighbour(lane, 1))
        # Counts in every clock and is held at zero: no logic stands behind the sum.
        m.d.sync += waits.eq(waits + 1)
        with m.If(~fsm.ongoing("DRAIN")):
            m.d.sync += waits.eq(0)
        m.d.comb += window.reserve.eq(seek | load | code)
        return SimpleNamespace(
            seek=seek, load=load, code=code, check=check, lane=lane, room=room, last=last,
            begins=fsm.ongoing("BEGIN"),
        )  # fmt: skip

    def _states(self, m: Module, head: TableDecoder, now: SimpleNamespace) -> SimpleNamespace:
        """Clock 1: the slot."""
        m.submodules.states = states = Memory(shape=STATE_BITS, depth=LANES, init=[])
        read, write = states.read_port(domain="comb"), states.write_port()
        m.d.comb += read.addr.eq(now.lane)
        state_1 = delay(m, read.data, 1, name="state")
        class_1 = delay(m, self.classes.payload.data, 1, name="class")
        m.d.comb += [head.slot.eq(state_1), head.classes.eq(class_1)]
        return SimpleNamespace(state=state_1, classes=class_1, write=write)

    def _symbol(self, m: Module, head: TableDecoder, now: SimpleNamespace, at: dict) -> None:
        symbol_at = 1 + head.latency
        m.submodules.queue = queue = OpenQueue(BYTE, pipeline=symbol_at)
        m.d.comb += [
            now.room.eq(queue.room),
            queue.put.eq(at["code"][symbol_at]),
            queue.data.eq(Cat(head.symbol, delay(m, now.last, symbol_at, name="last"))),
        ]
        wiring.connect(m, queue.o, wiring.flipped(self.symbols))

    def _interval(
        self, m: Module, head: TableDecoder, window: BitWindow, states: SimpleNamespace, at: dict
    ) -> SimpleNamespace:
        """The symbol's interval, and the number of bits that it wants."""
        step_at = 1 + head.interval_latency
        state_h = delay(m, states.state, head.interval_latency, name="slot")
        product, lesser, fewer, more = pop_step(
            m, state_h, head.start, head.freq, code=at["code"][step_at]
        )
        fixed = Mux(at["load"][step_at + 2], MOST_TAKEN, 0)
        fixed |= Mux(at["seek"][step_at + 2], window.lead, 0)
        count = Signal(5)
        taken = Signal()
        m.d.sync += [
            count.eq(Mux(lesser, more, fewer) | fixed),
            taken.eq(at["code"][step_at + 2] | at["load"][step_at + 2] | at["seek"][step_at + 2]),
        ]
        m.d.comb += [window.count.eq(count), window.taken.eq(taken)]
        return SimpleNamespace(product=product, bits=count)

    def _store(
        self, m: Module, window: BitWindow, now: SimpleNamespace, states: SimpleNamespace,
        shift: SimpleNamespace, at: dict,
    ) -> None:  # fmt: skip
        """Shift the bits in: room is made, by multiples of four first, before they are there."""
        count, product, write = shift.bits, shift.product, states.write
        rest = delay(m, count[:2], 1, name="rest")
        coarse, fine = (Signal(STATE_BITS, name=f"shifted{k}", reset_less=True) for k in range(2))
        m.d.sync += [coarse.eq(product << Cat(Const(0, 2), count[2:])), fine.eq(coarse << rest)]
        mask = Signal(STATE_BITS, reset_less=True)
        late = delay(m, count, window.latency - 1, name="count_late")
        m.d.sync += mask.eq(Cat(late > k for k in range(STATE_BITS)))
        stored_at = self.latency - 1
        m.d.comb += [
            write.addr.eq(delay(m, now.lane, stored_at, name="lane")),
            write.data.eq(
                delay(m, fine, window.latency - 2, name="shifted") | (window.bits & mask)
            ),
            write.en.eq(at["code"][stored_at] | at["load"][stored_at]),
        ]

    def _report(
        self, m: Module, window: BitWindow, now: SimpleNamespace, states: SimpleNamespace,
        clear: Signal, at: dict,
    ) -> None:  # fmt: skip
        """What was wrong."""
        state_1, class_1 = states.state, states.classes
        checked_1 = delay(m, now.check, 1, name="check", reset=True)
        bad_payload, bad_class = Signal(), Signal()
        with m.If(clear):
            m.d.sync += [bad_payload.eq(0), bad_class.eq(0)]
        with m.Else():
            with m.If((checked_1 & state_1.any()) | (window.begun & (window.lead == 9))):
                m.d.sync += bad_payload.eq(1)
            with m.If(at["code"][1] & (class_1 >= self._tables.classes)):
                m.d.sync += bad_class.eq(1)
        m.d.sync += self.done.eq(clear)
        with m.If(clear):
            m.d.sync += self.error.eq(Cat(bad_payload, ~window.exact, bad_class))
        m.d.comb += self.idle.eq(
            now.begins & ~window.begun & ~window.ended & ~self.symbols.valid
        )

    def _control(self, m: Module, seek, load, code) -> dict[str, list]:
        """What is at each stage of the pipeline."""
        at = {"seek": [seek], "load": [load], "code": [code]}
        for name, stages in at.items():
            for k in range(self.latency):
                stages.append(delay(m, stages[-1], 1, name=f"{name}{k}", reset=True))
        return at
