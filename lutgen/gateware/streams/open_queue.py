"""Open queue: the end of a pipeline that cannot wait."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["OpenQueue"]

_DEPTH = 32


class OpenQueue(wiring.Component):
    """Queue that is always open, and says in time when it fills.

    One beat per clock; latency of two clocks.  Reset empties it.

    Parameters
    ----------
    shape:
        Payload.
    pipeline:
        Clocks from what looks at ``room`` to ``put``, at most 24.

    Members
    -------
    put : In(1)
        ``data`` is put into it.
    data : In(shape)
        What is.
    room : Out(1)
        There is room for what is in the pipeline and one beat more.
    o : Out(stream of shape)
        Other end.
    """

    def __init__(self, shape, *, pipeline: int) -> None:
        if not 0 <= pipeline <= 24:
            raise ValueError(f"pipeline must be of 0 to 24 clocks, not {pipeline!r}")
        self._shape, self._pipeline = shape, pipeline
        super().__init__({
            "put": In(1), "data": In(shape), "room": Out(1), "o": Out(stream.Signature(shape)),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=self._shape, depth=_DEPTH, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        level = Signal(range(_DEPTH + 1))
        get = Signal()
        m.d.comb += [
            write.en.eq(self.put),
            write.data.eq(self.data),
            get.eq((level != 0) & (self.o.ready | ~self.o.valid)),
        ]
        m.d.sync += [
            write.addr.eq(write.addr + self.put),
            read.addr.eq(read.addr + get),
            # Two more come until what was put is counted and seen.
            self.room.eq(level < _DEPTH - self._pipeline - 2),
        ]
        with m.If(self.put & ~get):
            m.d.sync += level.eq(level + 1)
        with m.If(get & ~self.put):
            m.d.sync += level.eq(level - 1)
        with m.If(self.o.ready | ~self.o.valid):
            m.d.sync += [self.o.valid.eq(level != 0), self.o.payload.eq(read.data)]
        return m
