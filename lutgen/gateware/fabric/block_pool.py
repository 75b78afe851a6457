"""Pool of the blocks of a memory: taken and given back one by one."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from .blockmem import BLOCK
from .pipeline import delay

__all__ = ["BlockPool"]


class BlockPool(wiring.Component):
    """Numbers of the blocks that are free.

    One is taken and one is given back per clock.  The first ones are taken in the order of their
    numbers, the others in the order in which they have come back, out of a ring in block memory.
    Whoever takes must know from ``low`` that there are some.  Reset makes all of them free.

    Parameters
    ----------
    blocks:
        How many there are, at least 2.

    Members
    -------
    take : In(1)
        Take a block.
    number : Out(...)
        Its number, :attr:`latency` clocks later.
    give : In(1)
        A block is free again.
    given : In(...)
        Its number.
    least : In(...)
        How many must be free ...
    low : Out(1)
        ... or it says so, but for what the last three clocks took and gave.
    """

    #: Clocks from a ``take`` to the number.
    latency = 3

    def __init__(self, blocks: int) -> None:
        if blocks < 2:
            raise ValueError(f"blocks must be at least 2, not {blocks!r}")
        self._blocks = blocks
        bits = bits_for(blocks - 1)
        super().__init__({
            "take": In(1), "number": Out(bits), "give": In(1), "given": In(bits),
            "least": In(bits_for(blocks)), "low": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.ring = ring = Memory(
            shape=len(self.number), depth=1 << len(self.number), init=[], attrs=BLOCK
        )
        write, read = ring.write_port(), ring.read_port()
        free = Signal(range(self._blocks + 1), init=self._blocks)
        fresh, last = Signal(len(self.number)), Signal()
        used = Signal()  # all of them have been taken once
        take = Signal()
        m.d.comb += [write.en.eq(self.give), write.data.eq(self.given)]
        m.d.sync += [
            take.eq(self.take),
            write.addr.eq(write.addr + self.give),
            read.addr.eq(read.addr + (take & used)),
            fresh.eq(fresh + take),
            last.eq(fresh + take == self._blocks - 1),
            used.eq(used | (take & last)),
            free.eq(free + self.give - take),
            self.low.eq(free < self.least),
            self.number.eq(Mux(
                delay(m, used, 1, name="used"), read.data, delay(m, fresh, 1, name="fresh")
            )),
        ]  # fmt: skip
        return m
