"""Byte aligner: puts runs of bytes together without a gap."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from ..fabric.pipeline import choose
from .axi import word_layout
from .run import run_layout

__all__ = ["ByteAligner"]


class ByteAligner(wiring.Component):
    """Full words of runs of one to ``count`` bytes, the low byte first.

    One run per clock; a word leaves five clocks after the run that completes it.  Only the last
    word of a file has null bytes, which are zero.

    Parameters
    ----------
    count:
        Bytes of a word, a power of two.

    Members
    -------
    take, run : In(...)
        A run, see :func:`lutgen.gateware.streams.run.run_layout`.  In the clock after a ``last``
        one there must be none.
    room : Out(1)
        Two more runs may come from the moment it falls.
    words : Out(stream of `.axi.word_layout`)
        The file.
    busy : Out(1)
        A word waits to be taken, or is to come from a run that is inside.
    """

    _DEPTH = 16

    def __init__(self, count: int) -> None:
        self._count = count
        super().__init__({
            "take": In(1), "run": In(run_layout(count)), "room": Out(1),
            "words": Out(stream.Signature(word_layout(count))), "busy": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        count, run = self._count, self.run
        bits = len(run.top)
        # Where the run begins in the word, and where its last byte comes to lie.
        first = Signal(bits)
        end = Signal(bits + 1)
        m.d.comb += end.eq(first + run.top)
        with m.If(self.take):
            m.d.sync += first.eq(Mux(run.last, 0, end + 1))

        # 1: the run and its place; "rest": this clock gives the bytes beyond the last full word.
        data, at, top = Signal(8 * count, reset_less=True), Signal(bits), Signal(bits)
        taken, full, over, last = Signal(), Signal(), Signal(), Signal()
        rest = Signal()
        m.d.sync += [
            data.eq(run.data), at.eq(first), top.eq(end[:bits]), taken.eq(self.take),
            full.eq(self.take & (end >= count - 1)), over.eq(self.take & run.last & end[bits]),
            last.eq(self.take & run.last), rest.eq(over),
        ]  # fmt: skip

        # 2: its bytes at their place.
        turned = Signal(8 * count, reset_less=True)
        old = Signal(count)  # bytes that have come before
        new = Signal(count)  # bytes that count
        held_next, gives, gives_last = Signal(), Signal(), Signal()
        for j in range(count):
            source = [data.word_select((j - r) % count, 8) for r in range(count)]
            m.d.sync += [
                turned.word_select(j, 8).eq(choose(source, at)),
                old[j].eq(rest | (at > j)),
            ]
        now_top = Signal(bits)  # "rest" comes a clock after its run
        m.d.comb += now_top.eq(top)
        rest_top = Signal(bits)
        m.d.sync += rest_top.eq(top)
        ends_now = (last & ~over) | rest
        m.d.sync += [
            new.eq(Cat(
                ~ends_now | (Mux(rest, rest_top, now_top) >= j) for j in range(count)
            )),
            gives.eq(full | last | rest),
            gives_last.eq(ends_now),
            held_next.eq(taken),
        ]  # fmt: skip
        wraps = Signal()
        m.d.sync += wraps.eq(full)

        # 3: the word.
        held = Signal(8 * count, reset_less=True)
        word, keep = Signal(8 * count, reset_less=True), Signal(count)
        out_last, emit, emitted = Signal(), Signal(), Signal()
        for j in range(count):
            before, now = held.word_select(j, 8), turned.word_select(j, 8)
            byte = Mux(old[j], before, now)
            m.d.sync += word.word_select(j, 8).eq(Mux(new[j], byte, Const(0, 8)))
            with m.If(held_next & (wraps | ~old[j])):
                m.d.sync += held.word_select(j, 8).eq(now)
        m.d.sync += [keep.eq(new), out_last.eq(gives_last), emit.eq(gives), emitted.eq(emit)]

        m.submodules.out = out = fifo.SyncFIFOBuffered(
            width=word_layout(count).size, depth=self._DEPTH
        )
        m.d.comb += [
            out.w_data.eq(Cat(word, keep, out_last)),
            out.w_en.eq(emit),
            self.words.payload.eq(out.r_data),
            self.words.valid.eq(out.r_rdy),
            out.r_en.eq(self.words.ready),
            # The queue shows a word two clocks after it has come.
            self.busy.eq(taken | rest | gives | emit | emitted | out.r_rdy),
        ]
        # Six may be on their way, and the register is a clock late.
        m.d.sync += self.room.eq(out.w_level < self._DEPTH - 8)
        return m
