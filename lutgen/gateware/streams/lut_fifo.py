"""A short queue in LUT memory."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .axi import SkidBuffer

__all__ = ["LutFifo", "step"]


def step(counter, up, down):
    """The counter one up or down, as logic: one LUT6 a bit up to four bits, and no carry chain."""
    bits = []
    for k, bit in enumerate(counter):
        ones, zeros = (counter[:k].all(), ~counter[:k].any()) if k else (1, 1)
        bits.append(bit ^ ((up & ~down & ones) | (down & ~up & zeros)))
    return Cat(bits)


class LutFifo(wiring.Component):
    """Queue of at least ``depth`` words in LUT memory, which cuts every path through it.

    One word per clock in and out; a word can leave four clocks after it has come.  Payload, valid
    and ready leave from registers, and what counts the words waits for registers alone, unlike in
    `amaranth.lib.fifo.SyncFIFOBuffered`, where the reader's ready goes through the counter.  Reset
    empties it.

    Parameters
    ----------
    shape:
        Word.
    depth:
        Words that it takes at least.

    Members
    -------
    i, o : In(stream), Out(stream)
        The words in order.
    room : Out(1)
        Three more words may come in this clock and the next ones, from the moment it falls.  For
        writers that heed no ready; needs a depth of eight.
    busy : Out(1)
        A word has come a clock ago or before, and not left.

    Raises
    ------
    ValueError
        If the depth is not positive.
    """

    def __init__(self, shape, depth: int) -> None:
        if depth < 1:
            raise ValueError(f"depth must be positive, not {depth!r}")
        self._bits = max(2, (depth - 1).bit_length())
        super().__init__({
            "i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape)), "room": Out(1),
            "busy": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        bits, data = self._bits, Value.cast(self.i.payload)
        m.submodules.words = words = Memory(shape=len(data), depth=1 << bits, init=[])
        store, load = words.write_port(), words.read_port(domain="comb")
        m.submodules.slice = out = SkidBuffer(self.o.payload.shape())
        wiring.connect(m, out.o, wiring.flipped(self.o))
        write = self.i.valid & self.i.ready
        issue = out.i.valid & out.i.ready
        used = Signal(bits + 1)
        # What these say is a clock old, in which one word may have been written or read.
        some, more, full = Signal(), Signal(), Signal()
        wrote, issued = Signal(), Signal()
        m.d.comb += [
            store.en.eq(write),
            store.data.eq(data),
            out.i.valid.eq(Mux(issued, more, some)),
            Value.cast(out.i.payload).eq(load.data),
            self.i.ready.eq(~full),
            self.busy.eq(wrote | some | out.o.valid),
        ]
        m.d.sync += [
            store.addr.eq(store.addr + write),
            load.addr.eq(load.addr + issue),
            used.eq(step(used, write, issue)),
            some.eq(used.any()),
            more.eq(used[1:].any()),
            # The next word may take the last row.
            full.eq(used[bits] | (write & used[:bits].all())),
            self.room.eq(~used[bits] & ~used[2:bits].all()),
            wrote.eq(write),
            issued.eq(issue),
        ]
        return m
