"""Probability heads: class and symbol to interval, class and slot to symbol and interval."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.head import PROB_BITS, SYMBOLS, TableHead
from lutgen.model.head import LaplaceHead as LaplaceParameters

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import delay

__all__ = [
    "LaplaceClassifier",
    "LaplaceDecoder",
    "LaplaceEncoder",
    "TableDecoder",
    "TableEncoder",
    "head_class_bits",
]

_TOTAL = 1 << PROB_BITS


def head_class_bits(head) -> int:
    """Width of a head's class port."""
    return bits_for(head.classes - 1)


class _Encoder(wiring.Component):
    """Ports of a head of the encoder."""

    #: Clocks that registers add.
    more_latency = 0

    def __init__(
        self, head: TableHead | LaplaceParameters, *, registers: bool = False
    ) -> None:
        self._head = head
        self._registers = registers
        self.latency = self.latency_of(head, registers)
        super().__init__({
            "classes": In(head_class_bits(head)),
            "symbol": In(8),
            "start": Out(PROB_BITS),
            "freq": Out(PROB_BITS),
        })

    @classmethod
    def latency_of(
        cls, head: TableHead | LaplaceParameters, registers: bool = False
    ) -> int:
        """Clocks from the inputs to ``start`` and ``freq``."""
        return cls.latency + registers * cls.more_latency


class _Decoder(wiring.Component):
    """Ports of a head of the decoder."""

    #: Clocks that registers add.
    more_latency = 0

    def __init__(
        self, head: TableHead | LaplaceParameters, *, registers: bool = False
    ) -> None:
        self._head = head
        self._registers = registers
        self.latency = self.latency_of(head, registers)
        self.interval_latency = self.interval_latency_of(head, registers)
        super().__init__({
            "classes": In(head_class_bits(head)),
            "slot": In(PROB_BITS),
            "symbol": Out(8),
            "start": Out(PROB_BITS),
            "freq": Out(PROB_BITS),
        })

    @classmethod
    def latency_of(
        cls, head: TableHead | LaplaceParameters, registers: bool = False
    ) -> int:
        """Clocks from the inputs to ``symbol``."""
        return cls.latency + registers * cls.more_latency

    @classmethod
    def interval_latency_of(
        cls, head: TableHead | LaplaceParameters, registers: bool = False
    ) -> int:
        """Clocks from the inputs to ``start`` and ``freq``."""
        return cls.interval_latency + registers * cls.more_latency


class TableEncoder(_Encoder):
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


class TableDecoder(_Decoder):
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
            m.d.sync += self.symbol.eq(symbol)
        low, high = delay(m, low, 1, name="low"), delay(m, high, 1, name="high")
        m.d.sync += [self.start.eq(low), self.freq.eq(high - low)]
        return m


class LaplaceClassifier(wiring.Component):
    """Class of two averages: each count of ones through a small table.

    Latency of two clocks, one class per clock.

    Parameters
    ----------
    head:
        The tables ``mu`` and ``sigma``.

    Members
    -------
    mu, sigma : In(...)
        Numbers of ones in the network's two output groups.
    o : Out(...)
        Class, ``512 * scale + location``.
    """

    latency = 2

    def __init__(self, head: LaplaceParameters) -> None:
        self._head = head
        super().__init__({
            "mu": In(bits_for(head.mu.size - 1)),
            "sigma": In(bits_for(head.sigma.size - 1)),
            "o": Out(head_class_bits(head)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        parts = []
        for name, width in (("mu", 9), ("sigma", max(1, bits_for(self._head.scales - 1)))):
            table = getattr(self._head, name).tolist()
            parts += add_rom(m, f"{name}_table", table, width, [getattr(self, name)], platform)
        m.d.comb += self.o.eq(Cat(parts))
        return m


class LaplaceEncoder(_Encoder):
    """Interval of a symbol from the distribution function of its scale class.

    Latency of four clocks, one symbol per clock.  Ports as in :class:`TableEncoder`.
    """

    latency = 4

    def elaborate(self, platform) -> Module:
        m = Module()
        distance = Signal(10, reset_less=True)  # of the pixel's lower edge
        mu = self.classes[:9]
        m.d.sync += distance.eq(Cat(Const(1, 1), self.symbol) + 510 - mu)
        scale = delay(m, self.classes[9:], 1, name="scale")
        above = Signal(10)
        m.d.comb += above.eq(distance + 2)
        start, end = add_rom(
            m, "cdf", self._head.cdf.ravel().tolist(), PROB_BITS,
            [Cat(distance, scale), Cat(above, scale)], platform,
        )  # fmt: skip
        symbol = delay(m, self.symbol, 3, name="symbol")
        # The tails belong to the symbols at the ends; compared early, for adders stand behind.
        lowest = delay(m, self.symbol == 0, 3, name="lowest")
        highest = delay(m, self.symbol == SYMBOLS - 1, 3, name="highest")
        from_ = Signal(PROB_BITS)
        to = Signal(PROB_BITS)
        m.d.comb += [
            from_.eq(Mux(lowest, 0, start)),
            to.eq(Mux(highest, _TOTAL - SYMBOLS, end)),
        ]
        m.d.sync += [self.start.eq(from_ + symbol), self.freq.eq(to - from_ + 1)]
        return m


class LaplaceDecoder(_Decoder):
    """Symbol whose interval holds a slot: a pipelined binary search.

    Each of eight steps reads the distribution function at one candidate; two steps share the two
    ports of one ROM.  Latency of 18 clocks for the symbol and 20 for its interval, one symbol per
    clock.  Ports as in :class:`TableDecoder`.
    """

    latency = 18
    #: Clocks from the inputs to ``start`` and ``freq``.
    interval_latency = 20

    def elaborate(self, platform) -> Module:
        m = Module()
        table = self._head.cdf.ravel().tolist()
        # distance: of the candidate's lower edge, the candidate being prefix + bit.
        distance = Signal(10, reset_less=True)
        m.d.sync += distance.eq(511 + 256 - self.classes[:9])
        scale = delay(m, self.classes[9:], 1, name="scale")
        rest = delay(m, self.slot, 1, name="rest")  # slot less the prefix
        symbol = Const(0, 0)
        low, high = Const(0, PROB_BITS), Const(_TOTAL - SYMBOLS, PROB_BITS)
        address = distance
        for step in range(8):
            bit = 128 >> step
            if step % 2 == 0:
                # The next step's address is known later; it is filled in then.
                later = Signal(len(address) + len(scale), name=f"address{step + 1}")
                value, value_later = add_rom(
                    m, f"cdf{step}", table, PROB_BITS, [Cat(address, scale), later], platform
                )
            else:
                m.d.comb += later.eq(Cat(address, scale))
                value = value_later
            distance = delay(m, address, 1, name=f"distance{step}")
            # The next candidate is half a step up or down.
            up = Signal(10, name=f"up{step}", reset_less=True)
            down = Signal(10, name=f"down{step}", reset_less=True)
            m.d.sync += [up.eq(distance + bit), down.eq(distance - bit)]
            rest_1 = delay(m, rest, 1, name=f"rest{step}_1")
            rest = delay(m, rest_1, 1, name=f"rest{step}_2")
            less = Signal(PROB_BITS + 1, name=f"less{step}", reset_less=True)
            m.d.sync += less.eq(rest_1 - bit)
            scale, symbol = (
                delay(m, v, 2, name=f"{name}{step}")
                for name, v in (("scale", scale), ("symbol", symbol))
            )
            digit = Signal(name=f"digit{step}")
            m.d.comb += digit.eq(~less[-1] & (less[:-1] >= value))
            address = Mux(digit, up, down)
            rest = Mux(digit, less[:-1], rest)
            taken = delay(m, digit, 1, name=f"taken{step}")
            value = delay(m, value, 1, name=f"value{step}_1")
            if step:
                low = delay(m, low, 2, name=f"low{step}")
                high = delay(m, high, 2, name=f"high{step}")
            low, high = Mux(taken, value, low), Mux(taken, high, value)
            symbol = Cat(digit, symbol)
        m.d.sync += self.symbol.eq(symbol)
        low, high = delay(m, low, 1, name="low"), delay(m, high, 1, name="high")
        after = delay(m, self.symbol, 1, name="symbol_after")
        m.d.sync += [self.start.eq(low + after), self.freq.eq(high - low + 1)]
        return m
