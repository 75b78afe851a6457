"""A deep queue in block memory."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from .blockmem import add_ram
from .pipeline import delay

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

    _CREDITS = 8

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
        written, read = Signal(bits + 1), Signal(bits + 1)
        credits_ = Signal(range(self._CREDITS + 1), init=self._CREDITS)
        # Registered twice, during which two more are written; four more may be.
        used = delay(m, (written - read)[: bits + 1], 1, name="used", reset=True)
        m.d.sync += self.room.eq(~used[bits] & ~used[3:bits].all())
        issue = (written != read) & (credits_ != 0)
        given = self.o.valid & self.o.ready
        m.d.sync += [
            written.eq(written + self.write),
            read.eq(read + issue),
            credits_.eq(credits_ - issue + given),
        ]
        word = add_ram(
            m, "words", self._depth, len(data), write=self.write, write_address=written[:bits],
            data=data, address=read[:bits],
        )  # fmt: skip
        m.submodules.out = out = fifo.SyncFIFOBuffered(width=len(data), depth=self._CREDITS)
        m.d.comb += [
            out.w_data.eq(word),
            out.w_en.eq(delay(m, issue, 2, name="issued", reset=True)),
            self.o.payload.eq(out.r_data),
            self.o.valid.eq(out.r_rdy),
            out.r_en.eq(self.o.ready),
        ]
        return m
