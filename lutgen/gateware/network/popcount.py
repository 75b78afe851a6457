"""Popcount: the sum of many bits, which is what the paper's averages are made of."""

from collections.abc import Callable

from amaranth.hdl import Cat, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..fabric.pipeline import delay

__all__ = ["Popcount"]

#: Compressor levels (one LUT each) between registers.
_LEVELS_PER_STAGE = 3

_Columns = list[list]


def _compress(columns: _Columns, counter: Callable[[list], list]) -> _Columns:
    """One level: every six bits of a column become a number of three bits."""
    after: _Columns = [[] for _ in range(len(columns) + 2)]
    for weight, column in enumerate(columns):
        for first in range(0, len(column), 6):
            group = column[first : first + 6]
            for bit, value in enumerate(counter(group) if len(group) > 2 else []):
                after[weight + bit].append(value)
            if len(group) <= 2:
                after[weight] += group
    while not after[-1]:
        after.pop()
    return after


class Popcount(wiring.Component):
    """Number of ones among ``width`` bits.

    Counters of six bits to three compress the columns of equal weight until two rows are left,
    which one adder sums; registers stand behind every three levels and behind the adder.  Latency
    :attr:`latency`, one sum per clock.

    Parameters
    ----------
    width:
        Number of bits.
    primitive:
        ``"LUT6"`` to instantiate Xilinx primitives, or None for plain logic, which synthesis may
        map to more levels than one for each counter.

    Members
    -------
    i : In(width)
        Bits.
    o : Out(...)
        Their sum.
    """

    def __init__(self, width: int, *, primitive: str | None = None) -> None:
        if width < 1:
            raise ValueError(f"popcount width must be at least 1, not {width!r}")
        self._compressions = self._levels_of(width)
        self._primitive = primitive
        self.latency = self.latency_of(width)
        super().__init__({"i": In(width), "o": Out(bits_for(width))})

    @staticmethod
    def _levels_of(width: int) -> int:
        columns: _Columns = [[None] * width]
        levels = 0
        while max(map(len, columns)) > 2:
            columns = _compress(columns, lambda group: [None] * bits_for(len(group)))
            levels += 1
        return levels

    @classmethod
    def latency_of(cls, width: int) -> int:
        """Latency in clocks of a popcount."""
        return 1 + cls._levels_of(width) // _LEVELS_PER_STAGE

    def elaborate(self, platform) -> Module:
        m = Module()

        def counter(group: list) -> list:
            # Truth tables, which tools read much quicker than a multiplexer of constants.
            total = Signal(bits_for(len(group)))
            pins = Cat(group, Const(0, 6 - len(group)))
            for bit, sum_bit in enumerate(total):
                table = sum((n.bit_count() >> bit & 1) << n for n in range(64))
                if self._primitive == "LUT6":
                    m.submodules += Instance(
                        "LUT6", ("p", "INIT", Const(table, 64)),
                        *[("i", f"I{k}", pin) for k, pin in enumerate(pins)], ("o", "O", sum_bit),
                    )  # fmt: skip
                else:
                    short = Const(table & ((1 << (1 << len(group))) - 1), 1 << len(group))
                    m.d.comb += sum_bit.eq(short.bit_select(Cat(group), 1))
            return list(total)

        columns: _Columns = [list(self.i)]
        for level in range(1, self._compressions + 1):
            columns = _compress(columns, counter)
            if level % _LEVELS_PER_STAGE == 0:
                for weight, column in enumerate(columns):
                    columns[weight] = list(delay(m, Cat(column), 1, name=f"sum{level}_{weight}"))
        rows = [
            Cat(column[row] if row < len(column) else Const(0, 1) for column in columns)
            for row in range(2)
        ]
        m.d.sync += self.o.eq(rows[0] + rows[1])
        return m
