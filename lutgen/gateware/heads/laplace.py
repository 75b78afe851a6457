"""Laplace heads."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.head import PROB_BITS, SYMBOLS
from lutgen.model.head import LaplaceHead as LaplaceParameters

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import delay
from .blocks import HeadBlocks
from .exponents import LaplaceExponents
from .head import HeadDecoder, HeadEncoder, head_class_bits

__all__ = ["LAPLACE", "LaplaceClassifier", "LaplaceDecoder", "LaplaceEncoder"]

_TOTAL = 1 << PROB_BITS


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


class LaplaceEncoder(HeadEncoder):
    """Interval of a symbol from the distribution function of its scale class.

    Latency of four clocks, one symbol per clock.  Ports as in :class:`TableEncoder`.
    """

    latency = 4
    _head: LaplaceParameters

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


class LaplaceDecoder(HeadDecoder):
    """Symbol whose interval holds a slot: a pipelined binary search.

    Each of eight steps reads the distribution function at one candidate; two steps share the two
    ports of one ROM.  Latency of 18 clocks for the symbol and 20 for its interval, one symbol per
    clock.  Ports as in :class:`TableDecoder`.
    """

    latency = 18
    #: Clocks from the inputs to ``start`` and ``freq``.
    interval_latency = 20
    _head: LaplaceParameters

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
        self.put_symbol(m, symbol)
        low, high = delay(m, low, 1, name="low"), delay(m, high, 1, name="high")
        after = delay(m, self.symbol, 1, name="symbol_after")
        self.put_interval(m, low + after, high - low + 1)
        return m


LAPLACE = HeadBlocks(LaplaceEncoder, LaplaceDecoder, LaplaceExponents)
