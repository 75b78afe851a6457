"""Table heads."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal

from lutgen.model.head import PROB_BITS

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import delay
from .blocks import HeadBlocks
from .exponents import TableExponents
from .head import HeadDecoder, HeadEncoder

__all__ = ["TABLE", "TableDecoder", "TableEncoder"]


class TableEncoder(HeadEncoder):
    """Interval of a symbol: two reads of one table.

    Latency of three clocks, with registers five; one symbol per clock.  The table is a ROM with two
    ports; a frequency is the difference of two neighbouring entries, modulo 2**14 so that the upper
    end of symbol 255 needs no entry of its own.

    Parameters
    ----------
    head:
        The tables.
    registers:
        Whether the table's addresses and what it reads are registered, see
        `lutgen.gateware.fabric.fabric.Fabric`.

    Members
    -------
    classes : In(...)
        Class.
    symbol : In(8)
        Symbol.
    start, freq : Out(14)
        Interval.
    """

    latency = 3
    more_latency = 2

    def elaborate(self, platform) -> Module:
        m = Module()
        after = Signal(8)
        m.d.comb += after.eq(self.symbol + 1)
        more = int(self._registers)
        addresses = [
            delay(m, Cat(symbol, self.classes), more, name=f"address{port}")
            for port, symbol in enumerate((self.symbol, after))
        ]
        found = add_rom(
            m, "table", self._head.cumulative[:, :-1].ravel().tolist(), PROB_BITS, addresses,
            platform,
        )  # fmt: skip
        start, end = (delay(m, word, more, name=f"word{k}") for k, word in enumerate(found))
        m.d.sync += [self.start.eq(start), self.freq.eq(end - start)]
        return m


class TableDecoder(HeadDecoder):
    """Symbol whose interval holds a slot: a pipelined radix-4 search.

    Step s decides two bits of the symbol with three comparisons against entries of its own memory
    of ``classes * 4**s`` words; the four memories together hold the table once.  Latency of nine
    clocks for the symbol and eleven for its interval, three more with registers; one symbol per
    clock.

    Parameters
    ----------
    head:
        The tables.
    registers:
        Whether each step's comparisons are registered, see `lutgen.gateware.fabric.fabric.Fabric`.

    Members
    -------
    classes : In(...)
        Class.
    slot : In(14)
        Low bits of the ANS state.
    symbol : Out(8)
        Symbol.
    start, freq : Out(14)
        Its interval.
    """

    latency = 9
    #: Clocks from the inputs to ``start`` and ``freq``.
    interval_latency = 11
    more_latency = 3

    def elaborate(self, platform) -> Module:
        m = Module()
        cumulative = self._head.cumulative
        classes, slot, symbol = self.classes, self.slot, Const(0, 0)
        low, high = Const(0, PROB_BITS), Const(0, PROB_BITS)  # high = 0 stands for 2**14
        for step in range(4):
            span = 64 >> (2 * step)
            # words[class, prefix] = the three inner boundaries of the prefix's interval
            bounds = cumulative[:, :-1].reshape(-1, 4**step, 4, span)[:, :, 1:, 0]
            words = [
                a | b << PROB_BITS | c << 2 * PROB_BITS
                for a, b, c in bounds.reshape(-1, 3).tolist()
            ]
            (word,) = add_rom(
                m, f"table{step}", words, 3 * PROB_BITS, [Cat(symbol, classes)], platform
            )
            classes, slot, symbol, low, high = (
                delay(m, v, 2, name=f"{name}{step}")
                for name, v in (
                    ("class", classes), ("slot", slot), ("symbol", symbol), ("low", low),
                    ("high", high),
                )
            )  # fmt: skip
            bound = [word.word_select(k, PROB_BITS) for k in range(3)]
            above = Signal(3, name=f"above{step}")
            m.d.comb += above.eq(Cat(slot >= b for b in bound))
            if self._registers and step < 3:
                above = delay(m, above, 1, name=f"above{step}")
                bound = [delay(m, b, 1, name=f"bound{step}_{k}_1") for k, b in enumerate(bound)]
                classes, slot, symbol, low, high = (
                    delay(m, v, 1, name=f"{name}{step}_3")
                    for name, v in (
                        ("class", classes), ("slot", slot), ("symbol", symbol), ("low", low),
                        ("high", high),
                    )
                )  # fmt: skip
            digit = Signal(2, name=f"digit{step}")
            m.d.comb += digit.eq(Cat(Mux(above[1], above[2], above[0]), above[1]))
            # The interval follows one clock after the digit, which is the next address.
            taken = delay(m, above, 1, name=f"taken{step}")
            bound = [delay(m, b, 1, name=f"bound{step}_{k}") for k, b in enumerate(bound)]
            low, high = (
                Mux(taken[1], Mux(taken[2], bound[2], bound[1]), Mux(taken[0], bound[0], low)),
                Mux(taken[1], Mux(taken[2], high, bound[2]), Mux(taken[0], bound[1], bound[0])),
            )
            before, symbol = symbol, Cat(digit, symbol)
        if self._registers:  # behind the registers of the comparisons, which are there anyway
            before = delay(m, before, 1, name="before")
            last = Cat(Mux(taken[1], taken[2], taken[0]), taken[1])
            m.d.comb += self.symbol.eq(Cat(last, before))
        else:
            self.put_symbol(m, symbol)
        low, high = delay(m, low, 1, name="low"), delay(m, high, 1, name="high")
        self.put_interval(m, low, high - low)
        return m


TABLE = HeadBlocks(TableEncoder, TableDecoder, TableExponents)
