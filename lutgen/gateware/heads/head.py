"""Probability heads: class and symbol to interval, class and slot to symbol and interval."""

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.head import PROB_BITS, TableHead
from lutgen.model.head import LaplaceHead as LaplaceParameters

__all__ = ["HeadDecoder", "HeadEncoder", "head_class_bits"]


def head_class_bits(head) -> int:
    """Width of a head's class port."""
    return bits_for(head.classes - 1)


class HeadEncoder(wiring.Component):
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


class HeadDecoder(wiring.Component):
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
