"""Payload pool: words of payloads in blocks, which lanes take as they need them."""

from fractions import Fraction
from math import ceil

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.block_pool import BlockPool
from ..fabric.blockmem import add_ram, ram_cost
from ..fabric.fabric import LUT6
from ..fabric.pipeline import choose, delay

__all__ = ["PayloadPool", "pool_blocks"]

#: Words of a block.
_WORDS = tuple(1 << k for k in range(4, 10))


def pool_blocks(
    lanes: int, words: int, of_block: int, read: Fraction, growth: Fraction = Fraction(1),
    each: int = 1,
) -> int:
    """Blocks for payloads of so many words at most, one of each lane and one that is read.

    Groups become complete evenly, lane after lane.  So at the moment when one has been read, which
    takes a share ``read`` of the time from one to the next, those of eight lanes have gone that
    share of an eighth, an eighth more, two eighths more ... of their way.  Payloads may grow faster
    than that by a factor ``growth``, up to their words.  Beside these are as many blocks as
    `PayloadPool` keeps back, and as many for lanes that are not quite even.
    """
    whole = -(-words // of_block)
    read = min(read, Fraction(1))
    growing = sum(min(whole, ceil((k + read) * growth * whole / lanes)) for k in range(lanes))
    return growing + whole + 2 * (each * lanes + PayloadPool.spare)


class PayloadPool(wiring.Component):
    """Keeps the words of payloads, two of each lane, from their first one until they are forgotten.

    A payload grows word by word and is read from any.  It takes a block when the first of its words
    comes, from a pool that all lanes share; its blocks are free again when it is forgotten.  If few
    are free, ``low`` holds all lanes but that of the payload that is wanted next: those that are
    free and those that it has are always as many as the longest payload takes, so it is completed,
    read and forgotten whatever the others have; and then there are as many for the next one.
    Reset forgets all payloads.

    Parameters
    ----------
    lanes:
        Lanes.
    words:
        Words of a payload at most.
    bits:
        Bits of a word.
    read:
        Time in which a payload is read, as a share of that from one group to the next.
    growth:
        See `pool_blocks`: where payloads grow faster for long, lanes are held now and then.
    each:
        Blocks that a lane may take before it heeds ``low``.

    Members
    -------
    write, lane, side, number, word : In(...)
        A word of a lane's payload on a side, numbers from 0 up; a lane's payloads have sides in
        turn.
    wanted, index : In(...)
        Lane above side of the payload that is wanted next, and a number in it ...
    found : Out(bits)
        ... of this word, :attr:`latency` clocks later.
    frees, at : In(...)
        The block of this number of the wanted payload is free, if it has one; not in the first
        clock in which the payload is wanted.
    forget : In(1)
        It has none.
    low : Out(1)
        Lanes of other payloads must be held: they may still take ``each`` blocks.
    """

    #: Clocks from an index to its word.
    latency = 4
    #: Blocks kept back beside those of the lanes and of the payload that is wanted, as takes are
    #: known some clocks later.
    spare = 4

    def __init__(
        self, lanes: int, words: int, bits: int, *, read: Fraction = Fraction(1),
        growth: Fraction = Fraction(1), each: int = 1,
    ) -> None:  # fmt: skip
        self._lanes, self._bits, self._each = lanes, bits, each

        def planned(words_of: int):
            count = pool_blocks(lanes, words, words_of, read, growth, each)
            number = bits_for(count - 1)
            whole = -(-words // words_of)
            table = 2 * lanes << bits_for(whole - 1)
            return (
                ram_cost(count * words_of, bits, LUT6) + ram_cost(table, number, LUT6)
                + ram_cost(1 << number, number, LUT6), -words_of, count, whole,
            )  # fmt: skip

        #: Halves of block memories of `LUT6`; blocks of all payloads and of the longest.
        self.cost, words_of, self._blocks, self.whole = min(map(planned, _WORDS))
        self._low = (-words_of - 1).bit_length()
        lane_bits, index_bits = bits_for(lanes - 1), bits_for(words)
        super().__init__({
            "write": In(1), "lane": In(lane_bits), "side": In(1), "number": In(index_bits),
            "word": In(bits), "wanted": In(lane_bits + 1), "index": In(index_bits),
            "found": Out(bits), "frees": In(1), "at": In(bits_for(self.whole - 1)),
            "forget": In(1), "low": Out(1),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.pool = pool = BlockPool(self._blocks)
        low, late = self._low, pool.latency
        begins = Signal()
        m.d.comb += [begins.eq(self.write & ~self.number[:low].any()), pool.take.eq(begins)]
        write, began = (
            delay(m, s, late, name=n, reset=True)
            for n, s in (("write", self.write), ("began", begins))
        )
        lane, side, number, word = (
            delay(m, getattr(self, n), late, name=n) for n in ("lane", "side", "number", "word")
        )
        place = Cat(side, lane)
        # Block of each lane.
        m.submodules.latest = latest = Memory(shape=len(pool.number), depth=self._lanes, init=[])
        note, known = latest.write_port(), latest.read_port(domain="comb")
        m.d.comb += [
            note.en.eq(began), note.addr.eq(lane), note.data.eq(pool.number), known.addr.eq(lane),
        ]  # fmt: skip
        # Its number in the payload, which is short where there is only one.
        count = bits_for(self.whole - 1)
        of_word, of_index = (Cat(n[low:], Const(0, count))[:count] for n in (number, self.index))
        has, last = self._count(m, began, place, of_word)
        # Known a clock before blocks become free: payloads are wanted for longer than that.
        had, had_last = delay(m, has, 1, name="had"), delay(m, last, 1, name="had_last")
        asked = Mux(self.frees, self.at, of_index)
        block = add_ram(
            m, "blocks", 2 << len(self.lane) + count, len(pool.number),
            write=began, write_address=Cat(of_word, place), data=pool.number,
            address=Cat(asked, self.wanted), fabric=platform,
        )  # fmt: skip
        m.d.comb += [
            pool.give.eq(
                delay(m, self.frees & had & (self.at <= had_last), 2, name="gives", reset=True)
            ),
            pool.given.eq(block), self.low.eq(pool.low),
            self.found.eq(add_ram(
                m, "words", self._blocks << low, self._bits,
                write=delay(m, write, 1, name="stores", reset=True),
                write_address=delay(
                    m, Cat(number[:low], Mux(began, pool.number, known.data)), 1, name="place"
                ),
                data=delay(m, word, 1, name="stored"),
                address=Cat(delay(m, self.index[:low], 2, name="index"), block),
                fabric=platform,
            )),
        ]  # fmt: skip
        # What the wanted payload lacks, and a block of each lane, which may be on its way to it.
        # Of a payload that is read, blocks that become free are the pool's, and no more its own.
        filled, freeing = Signal(bits_for(self.whole), reset_less=True), Signal()
        m.d.sync += [
            freeing.eq((freeing | self.frees) & ~self.forget),
            pool.least.eq(self.whole + self._each * self._lanes + self.spare - filled),
        ]
        with m.If(self.frees):
            m.d.sync += filled.eq(filled - filled.any())
        with m.Elif(~freeing):
            m.d.sync += filled.eq(Mux(has, last + 1, 0))
        return m

    def _count(self, m: Module, began, place, number) -> tuple[Value, Value]:
        """Whether the wanted payload has blocks, and the number of its last one."""
        m.submodules.counts = counts = Memory(
            shape=bits_for(self.whole - 1), depth=2 << len(self.lane), init=[]
        )
        note, known = counts.write_port(), counts.read_port(domain="comb")
        has = Signal(2 << len(self.lane))
        m.d.comb += [
            note.en.eq(began), note.addr.eq(place), note.data.eq(number),
            known.addr.eq(self.wanted),
        ]  # fmt: skip
        for k in range(len(has)):
            with m.If(began & (place == k)):
                m.d.sync += has[k].eq(1)
            with m.Elif(self.forget & (self.wanted == k)):
                m.d.sync += has[k].eq(0)
        return choose(list(has), self.wanted), known.data
