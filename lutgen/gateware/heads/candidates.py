"""Weights of the candidates of a constrained head, and the bounds of their intervals."""

from itertools import combinations

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.constraint import CANDIDATES
from lutgen.model.head import PROB_BITS, Head

from ..fabric.pipeline import choose, delay
from .exponents import EXPONENT_BITS
from .head import BOUND_BITS, head_class_bits
from .kinds import blocks_of

__all__ = ["SUM_BITS", "CandidateWeights", "add_bounds"]

#: Bit of the heaviest candidate's weight.
_TOP = 11
#: Three weights of at most ``2 ** _TOP`` added up.
SUM_BITS = _TOP + 2


def _greatest(values, inside) -> Value:
    """The greatest of four of those inside.  All pairs are compared at once: a tree is deeper."""

    def beats(i, j):
        return inside[i] & (~inside[j] | (values[i] >= values[j]))

    left, right = beats(0, 1), beats(2, 3)
    take_left = Mux(
        left, Mux(right, beats(0, 2), beats(0, 3)), Mux(right, beats(1, 2), beats(1, 3))
    )
    return choose(values[::-1], Cat(Mux(take_left, left, right), take_left))


def _at_least(count: int, flags) -> Value:
    """Of these flags so many are set."""
    return Cat(Cat(chosen).all() for chosen in combinations(flags, count)).any()


class CandidateWeights(wiring.Component):
    """Cumulative weights of a block's last candidates.

    Latency of three clocks more than the exponents' (:attr:`latency`), one block per clock; no
    reset.

    Parameters
    ----------
    head:
        The head.
    wait:
        Clocks by which the results are to come later.

    Members
    -------
    classes, parent, known : In
        As in :class:`TableExponents`.
    sums : Out(39)
        13 bits for each of the first three candidates: its weight and those before it.
    last : Out(12)
        Weight of the fourth.
    once, twice : Out(1)
        All four add up to more than a quarter of ``2 ** 14``; to more than an eighth.
    base : Out(signed(9))
        As in :class:`TableExponents`.
    """

    def __init__(self, head: Head, *, wait: int = 0) -> None:
        self._wait = wait
        self._exponents = blocks_of(head).exponents(head)
        #: Clocks from the inputs to the outputs.
        self.latency = self.latency_of(head) + wait
        super().__init__({
            "classes": In(head_class_bits(head)),
            "parent": In(8),
            "known": In(10),
            "sums": Out((CANDIDATES - 1) * SUM_BITS),
            "last": Out(_TOP + 1),
            "once": Out(1),
            "twice": Out(1),
            "base": Out(signed(9)),
        })

    @staticmethod
    def latency_of(head: Head) -> int:
        """Latency without ``wait``."""
        return blocks_of(head).exponents.latency + 3

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.exponents = block = self._exponents
        m.d.comb += [
            block.classes.eq(self.classes),
            block.parent.eq(self.parent),
            block.known.eq(self.known),
        ]
        found = delay(m, block.exponents, self._wait, name="exponents")
        banks = [found.word_select(b, EXPONENT_BITS) for b in range(CANDIDATES)]
        inside = delay(m, block.inside, self._wait, name="inside")
        turn = delay(m, block.turn, self._wait, name="turn")
        # 1: the greatest, while the others are brought into the order of the candidates.
        greatest = Signal(EXPONENT_BITS, reset_less=True)
        m.d.sync += greatest.eq(_greatest(banks, inside))
        ordered = []
        for k in range(CANDIDATES):
            choices = [Cat(banks[b % CANDIDATES], inside[b % CANDIDATES])
                       for b in range(k, k + CANDIDATES)]  # fmt: skip
            ordered.append(delay(m, choose(choices, turn), 1, name=f"ordered{k}"))
        # 2: weights.
        valid = delay(m, Cat(value[-1] for value in ordered), 1, name="valid")
        weights = []
        for k in range(CANDIDATES):
            less = Signal(EXPONENT_BITS, name=f"less{k}")
            weight = Signal(_TOP + 1, name=f"weight{k}", reset_less=True)
            m.d.comb += less.eq(greatest - ordered[k][:-1])
            m.d.sync += weight.eq(Cat(
                ordered[k][-1] & (less >= _TOP if bit == 0 else less == _TOP - bit)
                for bit in range(_TOP + 1)
            ))
            weights.append(weight)
        # 3: added up, but for the last, which would be too deep.  Whether the sum is above a power
        # of two shows in the number of the greatest weights, of the halves of them, and of all.
        a, b, c, d = weights
        top = [weight[_TOP] for weight in weights]
        half = [weight[_TOP - 1] for weight in weights]
        m.d.sync += [
            *(
                self.sums.word_select(k, SUM_BITS).eq(sum_)
                for k, sum_ in enumerate((a, a + b, a + b + c))
            ),
            self.last.eq(d),
            self.once.eq(
                _at_least(3, top) | _at_least(2, top) & _at_least(3, valid)
                | _at_least(2, half) & _at_least(4, valid)
            ),
            self.twice.eq(_at_least(2, valid)),
        ]  # fmt: skip
        m.d.comb += self.base.eq(delay(m, block.base, self._wait + 3, name="base"))
        return m

    def split(self) -> list[Value]:
        """The sums as a list."""
        return [self.sums.word_select(k, SUM_BITS) for k in range(CANDIDATES - 1)]


def add_bounds(m: Module, weights: CandidateWeights, counts: dict[str, Value]) -> list[Signal]:
    """Frequencies up to cumulative weights, two clocks later.

    The weights are shifted so that their sum comes as near to ``2 ** PROB_BITS`` as it can; of the
    first counts so many count twice as it then lacks.
    """

    def shifted(value):
        return Mux(weights.once, value << 1, Mux(weights.twice, value << 2, value << 3))

    lack = Signal(PROB_BITS - 1, reset_less=True)  # less than half
    m.d.sync += lack.eq(shifted(-(weights.split()[-1] + weights.last)))
    bounds = []
    for name, value in counts.items():
        count = Signal(BOUND_BITS, name=f"{name}_count", reset_less=True)
        bound = Signal(BOUND_BITS, name=f"{name}_bound", reset_less=True)
        m.d.sync += [
            count.eq(shifted(value)),
            # Not count + min(count, lack): the adder need not wait for the comparison.
            bound.eq(Mux(count < lack, count << 1, count + lack)),
        ]
        bounds.append(bound)
    return bounds
