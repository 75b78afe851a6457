"""The pooling constraint: heads that code a block's last pixel among what its average leaves.

See :mod:`lutgen.model.constraint` for the arithmetic.  The candidates' frequencies come from a
small memory of exponents beside the head; both ways take the same time.

Symbols x are numbered y = x + 2 here, because the first candidate is then y = 4 p - known, and the
four candidates lie in four banks by y mod 4 (or by the distance from the location mod 4).
"""

from itertools import combinations

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.model.constraint import CANDIDATES, exponents
from lutgen.model.head import PROB_BITS, SYMBOLS, LaplaceHead, TableHead

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import choose, delay
from .head import LaplaceDecoder, LaplaceEncoder, TableDecoder, TableEncoder, head_class_bits

__all__ = [
    "CandidateWeights",
    "ConstrainedDecoder",
    "ConstrainedEncoder",
    "LaplaceExponents",
    "TableExponents",
]

_EXPONENT_BITS = 4
#: Bit of the heaviest candidate's weight.
_TOP = 11
#: Three weights of at most ``2 ** _TOP`` added up.
_SUM_BITS = _TOP + 2
#: Frequencies and bounds, up to ``2 ** PROB_BITS``.
_BOUND_BITS = PROB_BITS + 1


def _to_banks(values, turn) -> Value:
    """Bits of the candidates as bits of the banks, the first candidate being in bank ``turn``."""
    return Cat(
        choose([values[(bank - t) % CANDIDATES] for t in range(CANDIDATES)], turn)
        for bank in range(CANDIDATES)
    )


def _words(m: Module, name: str, table: np.ndarray, address: Value, fabric) -> Value:
    (word,) = add_rom(m, name, table.ravel().tolist(), _EXPONENT_BITS, [address], fabric)
    return word


class _Exponents(wiring.Component):
    """Ports of both sorts of exponents, and what they have in common."""

    latency: int

    def __init__(self, head: TableHead | LaplaceHead) -> None:
        self._head = head
        super().__init__({
            "classes": In(head_class_bits(head)),
            "parent": In(8),
            "known": In(10),
            "exponents": Out(CANDIDATES * _EXPONENT_BITS),
            "inside": Out(CANDIDATES),
            "turn": Out(2),
            "base": Out(signed(9)),
        })

    def _add_first(self, m: Module) -> tuple[Signal, Value]:
        """The first candidate's y after one clock, and which candidates are symbols then."""
        first = Signal(signed(11), reset_less=True)
        m.d.sync += first.eq((self.parent << 2) - self.known)
        # One of damaged data is not clamped here: its nearest candidate counts as a symbol, and
        # being the only one it needs no exponent.  Written out, comparisons are a level deeper.
        below, above, some = first[-1], first[8:], first[:8].any()
        valid = Cat(
            ~below & first[1:].any(),  # 2 or more
            Mux(some, above == 0, above == 1),  # 1 to 256
            above == 0,  # 0 to 255
            below | (above == 0) & ~first[:8].all(),  # 254 or less
        )
        base = Signal(signed(9), reset_less=True)
        m.d.sync += base.eq(Mux(first < -1, -3, Mux(first > 257, 255, first - 2)))
        m.d.comb += self.base.eq(delay(m, base, self.latency - 2, name="base"))
        return first, valid


class TableExponents(_Exponents):
    """Exponents of a block's last candidates, from the rows of a table head.

    Latency of two clocks, one block per clock; no reset.  Two levels of logic stand between the
    inputs and the address of the memory.

    Parameters
    ----------
    head:
        The tables.

    Members
    -------
    classes : In(...)
        Class.
    parent : In(8)
        Average of the block.
    known : In(10)
        Sum of its other three pixels.
    exponents : Out(16)
        Four bits for each bank.
    inside : Out(4)
        Banks whose candidate is a symbol.
    turn : Out(2)
        Bank of the first candidate; the others follow, around the end.
    base : Out(signed(9))
        First candidate, clamped to those with a symbol among the four.
    """

    latency = 2

    def elaborate(self, platform) -> Module:
        m = Module()
        first, valid = self._add_first(m)
        table = np.roll(exponents(self._head.cumulative), 2, axis=1)  # by y mod 256
        words = []
        for bank in range(CANDIDATES):
            # The first row at which the bank has a y from 4 p - known on.
            row = (Cat(Const(CANDIDATES - 1 - bank, 2), self.parent) - self.known)[2:8]
            address = Cat(row, self.classes)
            words.append(_words(m, f"bank{bank}", table[:, bank::CANDIDATES], address, platform))
        m.d.comb += [
            self.exponents.eq(Cat(words)),
            self.inside.eq(delay(m, _to_banks(valid, first[:2]), 1, name="inside")),
            self.turn.eq(delay(m, first[:2], 1, name="turn")),
        ]
        return m


class LaplaceExponents(_Exponents):
    """Exponents of a block's last candidates, of a Laplace head.

    A frequency depends on the scale class and the distance of the symbol from the location,
    except for the symbols 0 and 255, of which a block has one at most: they have the tails.
    Latency of five clocks, one block per clock; no reset.  Ports as in :class:`TableExponents`.
    """

    latency = 5

    def _tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Exponents by (scale, parity, y - location mod 512) and by (scale, side, location)."""
        cdf = self._head.cdf.astype(np.int64)
        inner = np.ones((len(cdf), 2, 512), dtype=np.int64)
        for parity in range(2):
            far = SYMBOLS - 2  # symbols 1..254, locations 0..255
            pixels = np.arange(-far, far + 1)
            at = 512 + 2 * pixels + parity
            inner[:, parity, (pixels + 2) % 512] = cdf[:, at + 1] - cdf[:, at - 1] + 1
        mu = np.minimum(np.arange(512), 510)
        below = cdf[:, 513 - mu] + 1
        above = (1 << PROB_BITS) - cdf[:, 512 + 2 * (SYMBOLS - 1) - 1 - mu] - (SYMBOLS - 1)
        tails = np.stack((below, above), axis=1)
        return tuple(
            exponents(np.stack((0 * f, f), axis=-1).reshape(-1, 2)).reshape(f.shape)
            for f in (inner, tails)
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        first, valid = self._add_first(m)
        inner, tails = self._tables()
        # 1: the location on whole pixels, rounded up; 511 is as 510.
        mu = Signal(9, reset_less=True)
        m.d.sync += mu.eq(Cat(self.classes[0] & ~self.classes[1:9].all(), self.classes[1:9]))
        scale = delay(m, self.classes[9:], 1, name="scale")
        below, above = (
            _words(m, name, tails[:, side], Cat(mu, scale), platform)
            for side, name in enumerate(("below", "above"))
        )
        # 2: distance of the first candidate.
        distance = Signal(9, reset_less=True)
        m.d.sync += distance.eq(first - mu[1:] - mu[0])
        which = delay(m, Cat(mu[0], scale), 1, name="which")
        at_tail = Cat((first == 2 - k) | (first == 257 - k) for k in range(CANDIDATES))
        at_tail = delay(m, at_tail, 1, name="at_tail")
        valid = delay(m, valid, 1, name="valid")
        turn = distance[:2]
        words = [
            _words(
                m, f"bank{bank}", inner[:, :, bank::CANDIDATES],
                Cat((distance[2:] + (turn > bank))[:7], which), platform,
            )
            for bank in range(CANDIDATES)
        ]  # fmt: skip
        # 3: the tail; 4: the banks; 5: merged.
        side = delay(m, ~first[-1] & (first[7] | first[8]), 2, name="side")
        tail = delay(m, Mux(side, above, below), 1, name="tail")
        at_tail = delay(m, _to_banks(at_tail, turn), 2, name="tail_bank")
        merged = Signal(CANDIDATES * _EXPONENT_BITS, reset_less=True)
        m.d.sync += merged.eq(Cat(
            Mux(at_tail[bank], tail, word) for bank, word in enumerate(words)
        ))
        m.d.comb += [
            self.exponents.eq(merged),
            self.inside.eq(delay(m, _to_banks(valid, turn), 3, name="inside")),
            self.turn.eq(delay(m, turn, 3, name="turn")),
        ]
        return m


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
        The head, a table or Laplace.
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

    def __init__(self, head: TableHead | LaplaceHead, *, wait: int = 0) -> None:
        self._wait = wait
        laplace = isinstance(head, LaplaceHead)
        self._exponents = LaplaceExponents(head) if laplace else TableExponents(head)
        #: Clocks from the inputs to the outputs.
        self.latency = self.latency_of(head) + wait
        super().__init__({
            "classes": In(head_class_bits(head)),
            "parent": In(8),
            "known": In(10),
            "sums": Out((CANDIDATES - 1) * _SUM_BITS),
            "last": Out(_TOP + 1),
            "once": Out(1),
            "twice": Out(1),
            "base": Out(signed(9)),
        })

    @staticmethod
    def latency_of(head: TableHead | LaplaceHead) -> int:
        """Latency without ``wait``."""
        block = LaplaceExponents if isinstance(head, LaplaceHead) else TableExponents
        return block.latency + 3

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.exponents = block = self._exponents
        m.d.comb += [
            block.classes.eq(self.classes),
            block.parent.eq(self.parent),
            block.known.eq(self.known),
        ]
        found = delay(m, block.exponents, self._wait, name="exponents")
        banks = [found.word_select(b, _EXPONENT_BITS) for b in range(CANDIDATES)]
        inside = delay(m, block.inside, self._wait, name="inside")
        turn = delay(m, block.turn, self._wait, name="turn")
        # 1: the greatest, while the others are brought into the order of the candidates.
        greatest = Signal(_EXPONENT_BITS, reset_less=True)
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
            less = Signal(_EXPONENT_BITS, name=f"less{k}")
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
                self.sums.word_select(k, _SUM_BITS).eq(sum_)
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
        return [self.sums.word_select(k, _SUM_BITS) for k in range(CANDIDATES - 1)]


def _add_bounds(m: Module, weights: CandidateWeights, counts: dict[str, Value]) -> list[Signal]:
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
        count = Signal(_BOUND_BITS, name=f"{name}_count", reset_less=True)
        bound = Signal(_BOUND_BITS, name=f"{name}_bound", reset_less=True)
        m.d.sync += [
            count.eq(shifted(value)),
            # Not count + min(count, lack): the adder need not wait for the comparison.
            bound.eq(Mux(count < lack, count << 1, count + lack)),
        ]
        bounds.append(bound)
    return bounds


class _ReplacedDecoder:
    """A head of the decoder with a symbol and an interval that may take the place of its own.

    ``replace_symbol`` and ``other_symbol``, and ``replace_interval``, ``other_start`` and
    ``other_freq``, are those of the clock before the result.
    """

    def __init__(self, head: TableHead | LaplaceHead) -> None:
        self._head = head
        self._registers = False
        wiring.Component.__init__(self, {
            "classes": In(head_class_bits(head)),
            "slot": In(PROB_BITS),
            "symbol": Out(8),
            "start": Out(PROB_BITS),
            "freq": Out(_BOUND_BITS),
            "replace_symbol": In(1),
            "other_symbol": In(8),
            "replace_interval": In(1),
            "other_start": In(PROB_BITS),
            "other_freq": In(_BOUND_BITS),
        })  # fmt: skip

    def elaborate(self, platform) -> Module:
        m = super().elaborate(platform)
        m.d.sync += self.freq[-1].eq(0)  # heads subtract modulo 2 ** PROB_BITS
        with m.If(self.replace_symbol):
            m.d.sync += self.symbol.eq(self.other_symbol)
        with m.If(self.replace_interval):
            m.d.sync += [self.start.eq(self.other_start), self.freq.eq(self.other_freq)]
        return m


class _TableDecoder(_ReplacedDecoder, TableDecoder):
    pass


class _LaplaceDecoder(_ReplacedDecoder, LaplaceDecoder):
    pass


class ConstrainedEncoder(wiring.Component):
    """Interval of a symbol, among a block's last candidates where the pixel is constrained.

    Latency of eight clocks with a table head, eleven with a Laplace head; one symbol per clock; no
    reset.  ``parent`` and ``known`` should come from registers: with a table head two levels of
    logic follow.

    Parameters
    ----------
    head:
        The head, a table or Laplace.

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

    def __init__(self, head: TableHead | LaplaceHead) -> None:
        self._weights = CandidateWeights(head)
        laplace = isinstance(head, LaplaceHead)
        self._head = LaplaceEncoder(head) if laplace else TableEncoder(head)
        #: Clocks from the inputs to ``start`` and ``freq``.
        self.latency = self.latency_of(head)
        super().__init__({
            "classes": In(head_class_bits(head)),
            "symbol": In(8),
            "constrained": In(1),
            "parent": In(8),
            "known": In(10),
            "start": Out(PROB_BITS),
            "freq": Out(_BOUND_BITS),
        })

    @staticmethod
    def latency_of(head: TableHead | LaplaceHead) -> int:
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
        start, end = _add_bounds(m, weights, {
            "start": choose([Const(0, _SUM_BITS), *sums], number),
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
        The head, a table or Laplace.

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

    def __init__(self, head: TableHead | LaplaceHead) -> None:
        laplace = isinstance(head, LaplaceHead)
        self._head = _LaplaceDecoder(head) if laplace else _TableDecoder(head)
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
            "freq": Out(_BOUND_BITS),
        })

    @staticmethod
    def latency_of(head: TableHead | LaplaceHead) -> int:
        """Latency of ``symbol`` with this head."""
        return (LaplaceDecoder if isinstance(head, LaplaceHead) else TableDecoder).latency

    @staticmethod
    def interval_latency_of(head: TableHead | LaplaceHead) -> int:
        """Latency of ``start`` and ``freq`` with this head."""
        block = LaplaceDecoder if isinstance(head, LaplaceHead) else TableDecoder
        return block.interval_latency

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
        bounds = _add_bounds(
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
        high = Signal(_BOUND_BITS, reset_less=True)
        freq = Signal(_BOUND_BITS, reset_less=True)
        m.d.sync += [
            low.eq(choose([Const(0, _BOUND_BITS), *bounds], number)),
            high.eq(choose([*bounds, Const(1 << PROB_BITS, _BOUND_BITS)], number)),
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
