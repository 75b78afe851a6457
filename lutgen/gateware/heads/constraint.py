"""The pooling constraint: heads that code a block's last pixel among what its average leaves.

See :mod:`lutgen.model.constraint` for the arithmetic.  The candidates' frequencies come from a
small memory of exponents beside the head; both ways take the same time.

Symbols x are numbered y = x + 2 here, because the first candidate is then y = 4 p - known, and the
four candidates lie in four banks by y mod 4 (or by the distance from the location mod 4).
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.constraint import CANDIDATES
from lutgen.model.head import PROB_BITS, Head

from ..fabric.pipeline import choose, delay
from .candidates import SUM_BITS, CandidateWeights, add_bounds
from .head import BOUND_BITS, head_class_bits
from .kinds import blocks_of

__all__ = ["ConstrainedDecoder", "ConstrainedEncoder"]


class ConstrainedEncoder(wiring.Component):
    """Interval of a symbol, among a block's last candidates where the pixel is constrained.

    Latency of eight clocks with a table head, eleven with a Laplace head; one symbol per clock; no
    reset.  ``parent`` and ``known`` should come from registers: with a table head two levels of
    logic follow.

    Parameters
    ----------
    head:
        The head.

    Members
    -------
    classes : In(...)
        Class.
    symbol : In(8)
        Symbol; where constrained, one of the candidates.
    constrained : In(1)
        The pixel is the last of a whole block.
    parent : In(8)
        Average of the block, if constrained.
    known : In(10)
        Sum of its other three pixels, if constrained.
    start : Out(14)
        Start of the interval.
    freq : Out(15)
        Its frequency, ``2 ** 14`` for a single candidate.
    """

    def __init__(self, head: Head) -> None:
        self._weights = CandidateWeights(head)
        self._head = blocks_of(head).encoder(head)
        #: Clocks from the inputs to ``start`` and ``freq``.
        self.latency = self.latency_of(head)
        super().__init__({
            "classes": In(head_class_bits(head)),
            "symbol": In(8),
            "constrained": In(1),
            "parent": In(8),
            "known": In(10),
            "start": Out(PROB_BITS),
            "freq": Out(BOUND_BITS),
        })

    @staticmethod
    def latency_of(head: Head) -> int:
        """Latency of the block with this head."""
        return CandidateWeights.latency_of(head) + 3

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.weights, m.submodules.head = weights, head = self._weights, self._head
        wait = self.latency - 1 - head.latency
        m.d.comb += [
            weights.classes.eq(self.classes),
            weights.parent.eq(self.parent),
            weights.known.eq(self.known),
            head.classes.eq(delay(m, self.classes, wait, name="classes")),
            head.symbol.eq(delay(m, self.symbol, wait, name="symbol")),
        ]
        sums = weights.split()
        number = Signal(2)
        low_bits = delay(m, self.symbol[:2], weights.latency, name="low_bits")
        m.d.comb += number.eq(low_bits - weights.base[:2])
        start, end = add_bounds(m, weights, {
            "start": choose([Const(0, SUM_BITS), *sums], number),
            "end": choose(sums, number),
        })  # fmt: skip
        last = delay(m, number == CANDIDATES - 1, 2, name="last")
        end = Mux(last, 1 << PROB_BITS, end)
        constrained = delay(m, self.constrained, self.latency - 1, name="constrained")
        m.d.sync += [
            self.start.eq(Mux(constrained, start, head.start)),
            self.freq.eq(Mux(constrained, end - start, head.freq)),
        ]
        return m


class ConstrainedDecoder(wiring.Component):
    """Symbol whose interval holds a slot, among a block's last candidates where constrained.

    Latency as of the head without the constraint, for constrained pixels and others: nine clocks
    for the symbol and eleven for its interval with a table head, 18 and 20 with a Laplace head.
    One symbol per clock; no reset.  ``parent`` and ``known`` should come from registers: with a
    table head two levels of logic follow.

    Parameters
    ----------
    head:
        The head.

    Members
    -------
    classes : In(...)
        Class.
    slot : In(14)
        Low bits of the ANS state.
    constrained : In(1)
        The pixel is the last of a whole block.
    parent : In(8)
        Average of the block, if constrained.
    known : In(10)
        Sum of its other three pixels, if constrained.
    symbol : Out(8)
        Symbol.
    start : Out(14)
        Start of its interval.
    freq : Out(15)
        Its frequency, ``2 ** 14`` for a single candidate.
    """

    def __init__(self, head: Head) -> None:
        self._head = blocks_of(head).decoder(head, override=True)
        #: Clocks from the inputs to ``symbol``.
        self.latency = self._head.latency
        #: Clocks from the inputs to ``start`` and ``freq``.
        self.interval_latency = self._head.interval_latency
        # Four clocks from the weights to the symbol; the candidates are quick and wait.
        wait = self.latency - 4 - CandidateWeights.latency_of(head)
        self._weights = CandidateWeights(head, wait=wait)
        super().__init__({
            "classes": In(head_class_bits(head)),
            "slot": In(PROB_BITS),
            "constrained": In(1),
            "parent": In(8),
            "known": In(10),
            "symbol": Out(8),
            "start": Out(PROB_BITS),
            "freq": Out(BOUND_BITS),
        })

    @staticmethod
    def latency_of(head: Head) -> int:
        """Latency of ``symbol`` with this head."""
        return blocks_of(head).decoder.latency_of(head)

    @staticmethod
    def interval_latency_of(head: Head) -> int:
        """Latency of ``start`` and ``freq`` with this head."""
        return blocks_of(head).decoder.interval_latency_of(head)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.weights, m.submodules.head = weights, head = self._weights, self._head
        replace = delay(m, self.constrained, self.latency - 1, name="constrained")
        m.d.comb += [
            weights.classes.eq(self.classes),
            weights.parent.eq(self.parent),
            weights.known.eq(self.known),
            head.classes.eq(self.classes),
            head.slot.eq(self.slot),
            head.replace_symbol.eq(replace),
            head.replace_interval.eq(delay(
                m, replace, self.interval_latency - self.latency, name="constrained_late"
            )),
        ]  # fmt: skip
        # Two clocks before the result: bounds; one before: which of them the slot has reached.
        bounds = add_bounds(
            m, weights, {f"b{k}": value for k, value in enumerate(weights.split(), 1)}
        )
        slot = delay(m, self.slot, self.latency - 2, name="slot")
        reached = Signal(CANDIDATES - 1, reset_less=True)
        m.d.sync += reached.eq(Cat(slot >= bound for bound in bounds))
        bounds = [delay(m, b, 1, name=f"b{k}_late") for k, b in enumerate(bounds, 1)]
        number = Signal(2)
        base = delay(m, weights.base, 3, name="base")
        m.d.comb += [
            number.eq(Cat(Mux(reached[1], reached[2], reached[0]), reached[1])),
            head.other_symbol.eq(base + number),
        ]
        # The interval of the candidate, beside the symbol and a clock after it.
        low = Signal(PROB_BITS, reset_less=True)
        high = Signal(BOUND_BITS, reset_less=True)
        freq = Signal(BOUND_BITS, reset_less=True)
        m.d.sync += [
            low.eq(choose([Const(0, BOUND_BITS), *bounds], number)),
            high.eq(choose([*bounds, Const(1 << PROB_BITS, BOUND_BITS)], number)),
            freq.eq(high - low),
        ]
        m.d.comb += [
            head.other_start.eq(delay(m, low, 1, name="low")),
            head.other_freq.eq(freq),
            self.symbol.eq(head.symbol),
            self.start.eq(head.start),
            self.freq.eq(head.freq),
        ]
        return m
