"""Completion: which of the tiles in flight are done, although they finish out of order."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["Completion"]


class Completion(wiring.Component):
    """One bit for each of ``depth`` tiles in flight, by sequence number.

    A tile is done when the bit at its number modulo ``depth`` equals the inverse of the number's
    next bit: the meaning of the bits turns over with each round, so that nothing is ever erased.
    Queries are combinational; a mark is seen from the next clock on.  After reset, ``clear`` must
    be held while ``clear_at`` runs through all numbers below ``depth``.

    Parameters
    ----------
    depth:
        Tiles in flight, a power of two.
    queries:
        Number of queries.

    Members
    -------
    clear : In(1)
        Forget the tile ``clear_at``.
    mark : In(1)
        The tile ``marked`` is done.
    query : In(...) array
        Sequence numbers asked for, one bit longer than ``depth`` needs.
    done : Out(1) array
        Whether they are done.
    """

    def __init__(self, depth: int, *, queries: int = 1) -> None:
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two of at least 2, not {depth!r}")
        self._depth = depth
        bits = depth.bit_length()
        super().__init__({
            "clear": In(1),
            "clear_at": In(bits - 1),
            "mark": In(1),
            "marked": In(bits),
            "query": In(bits).array(queries),
            "done": Out(1).array(queries),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.bits = memory = Memory(shape=1, depth=self._depth, init=[])
        write = memory.write_port()
        m.d.comb += [
            write.en.eq(self.mark | self.clear),
            write.addr.eq(self.marked[:-1]),
            write.data.eq(~self.marked[-1]),
        ]
        with m.If(self.clear):
            m.d.comb += [write.addr.eq(self.clear_at), write.data.eq(0)]
        for query, done in zip(self.query, self.done, strict=True):
            read = memory.read_port(domain="comb")
            m.d.comb += [
                read.addr.eq(query[:-1]),
                done.eq(read.data != query[-1]),
            ]
        return m
