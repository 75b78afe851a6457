"""A deep queue in block memory."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import delay
from .lut_fifo import step

__all__ = ["BlockFifo"]


class BlockFifo(wiring.Component):
    """Queue of ``depth`` words in block memory, read through its output registers.

    One word per clock in and out; a word can leave six clocks after it has come.  Reset empties
    it.

    Parameters
    ----------
    shape:
        Word.
    depth:
        Words, a power of two of at least 16.

    Members
    -------
    write, data : In(...)
        Append a word.
    room : Out(1)
        Four more words may be written in this clock and the next ones, from the moment it falls.
    o : Out(stream)
        The words in order.

    Raises
    ------
    ValueError
        If the depth is not such a power of two.
    """

    _CREDITS = 15

    def __init__(self, shape, depth: int) -> None:
        if depth < 16 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two of at least 16, not {depth!r}")
        self._depth = depth
        super().__init__({
            "write": In(1), "data": In(shape), "room": Out(1), "o": Out(stream.Signature(shape)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = self._depth.bit_length() - 1
        data = Value.cast(self.data)
        written, read = Signal(bits), Signal(bits)
        used = Signal(bits + 1)
        credits_ = Signal(range(self._CREDITS + 1), init=self._CREDITS)
        # Flags are a clock old, in which one word may have been written or read.
        m.d.sync += self.room.eq(~used[bits] & ~used[3:bits].all())
        some, more, credit = Signal(), Signal(), Signal()
        issue, issued = Signal(), Signal()
        m.d.sync += [
            some.eq(used.any()), more.eq(used[1:].any()), credit.eq(credits_ > 1),
            issued.eq(issue),
        ]  # fmt: skip
        m.d.comb += issue.eq(credit & Mux(issued, more, some))
        given = self.o.valid & self.o.ready
        m.d.sync += [
            written.eq(written + self.write),
            read.eq(read + issue),
            credits_.eq(step(credits_, given, issue)),
        ]
        with m.If(self.write & ~issue):
            m.d.sync += used.eq(used + 1)
        with m.Elif(issue & ~self.write):
            m.d.sync += used.eq(used - 1)
        word = add_ram(
            m, "words", self._depth, len(data), write=self.write, write_address=written,
            data=data, address=read,
        )  # fmt: skip
        # What comes of it: never more than there are credits, and a register behind them.
        m.submodules.out = out = Memory(shape=len(data), depth=self._CREDITS + 1, init=[])
        store, load = out.write_port(), out.read_port(domain="comb")
        held, fetch = Signal.like(credits_, init=0), Signal()
        produce, consume = Signal.like(held), Signal.like(held)
        m.d.comb += [
            store.en.eq(delay(m, issued, 1, name="issued", reset=True)),
            store.addr.eq(produce),
            store.data.eq(word),
            load.addr.eq(consume),
            fetch.eq(held.any() & (self.o.ready | ~self.o.valid)),
        ]
        m.d.sync += [
            held.eq(step(held, store.en, fetch)),
            produce.eq(step(produce, store.en, Const(0, 1))),
            consume.eq(step(consume, fetch, Const(0, 1))),
            self.o.valid.eq(fetch | (self.o.valid & ~self.o.ready)),
        ]
        with m.If(fetch):
            m.d.sync += self.o.payload.eq(load.data)
        return m
