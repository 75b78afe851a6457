"""Probability heads: class and symbol to interval, class and slot to symbol and interval."""

from typing import Protocol

import numpy as np
from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.head import PROB_BITS

__all__ = ["BOUND_BITS", "HeadDecoder", "HeadEncoder", "HeadTables", "head_class_bits"]

#: Frequencies and bounds, up to ``2 ** PROB_BITS``.
BOUND_BITS = PROB_BITS + 1


class HeadTables(Protocol):
    """What all blocks read of a head: `lutgen.model.head.Head` has it, and so have tables alone."""

    @property
    def cumulative(self) -> np.ndarray:
        """Cumulative frequencies of the symbols of each class, (classes, 257)."""

    @property
    def classes(self) -> int:
        """Number of classes."""


def head_class_bits(head: HeadTables) -> int:
    """Width of a head's class port."""
    return bits_for(head.classes - 1)


class HeadEncoder(wiring.Component):
    """Ports of a head of the encoder.

    Parameters
    ----------
    head:
        The head's tables.
    registers:
        Whether there are registers for slow fabrics, of heads that have such.
    """

    #: Clocks from the inputs to ``start`` and ``freq``, without registers.
    latency: int
    #: Clocks that registers add.
    more_latency = 0

    def __init__(self, head: HeadTables, *, registers: bool = False) -> None:
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
    def latency_of(cls, head: HeadTables, registers: bool = False) -> int:
        """Clocks from the inputs to ``start`` and ``freq``."""
        return cls.latency + registers * cls.more_latency


class HeadDecoder(wiring.Component):
    """Ports of a head of the decoder.

    Parameters
    ----------
    head, registers:
        As of `HeadEncoder`.
    override:
        Whether another symbol and interval may take the place of those found: there are the ports
        ``replace_symbol``, ``other_symbol`` and ``replace_interval``, ``other_start``,
        ``other_freq``, each heeded in the clock before the result, and ``freq`` is a bit wider, for
        the frequency of a single symbol.

    Raises
    ------
    ValueError
        If there are both registers and an override.
    """

    #: Clocks from the inputs to ``symbol``, without registers.
    latency: int
    #: Clocks from the inputs to ``start`` and ``freq``, without registers.
    interval_latency: int
    #: Clocks that registers add.
    more_latency = 0

    def __init__(
        self, head: HeadTables, *, registers: bool = False, override: bool = False
    ) -> None:
        if registers and override:
            raise ValueError("registers must be False for a head with an override, not True")
        self._head = head
        self._registers = registers
        self._override = override
        self.latency = self.latency_of(head, registers)
        self.interval_latency = self.interval_latency_of(head, registers)
        ports = {
            "classes": In(head_class_bits(head)),
            "slot": In(PROB_BITS),
            "symbol": Out(8),
            "start": Out(PROB_BITS),
            "freq": Out(BOUND_BITS if override else PROB_BITS),
        }
        if override:
            ports |= {
                "replace_symbol": In(1),
                "other_symbol": In(8),
                "replace_interval": In(1),
                "other_start": In(PROB_BITS),
                "other_freq": In(BOUND_BITS),
            }
        super().__init__(ports)

    @classmethod
    def latency_of(cls, head: HeadTables, registers: bool = False) -> int:
        """Clocks from the inputs to ``symbol``."""
        return cls.latency + registers * cls.more_latency

    @classmethod
    def interval_latency_of(cls, head: HeadTables, registers: bool = False) -> int:
        """Clocks from the inputs to ``start`` and ``freq``."""
        return cls.interval_latency + registers * cls.more_latency

    def put_symbol(self, m: Module, symbol: Value) -> None:
        """Show the symbol that was found, or the one in its place, in the next clock."""
        m.d.sync += self.symbol.eq(symbol)
        if self._override:
            with m.If(self.replace_symbol):
                m.d.sync += self.symbol.eq(self.other_symbol)

    def put_interval(self, m: Module, start: Value, freq: Value) -> None:
        """Show the interval that was found, or the one in its place, in the next clock.

        ``freq`` may be modulo ``2 ** PROB_BITS``.
        """
        m.d.sync += [self.start.eq(start), self.freq.eq(freq)]
        if self._override:
            m.d.sync += self.freq[PROB_BITS].eq(0)
            with m.If(self.replace_interval):
                m.d.sync += [self.start.eq(self.other_start), self.freq.eq(self.other_freq)]
