"""The scale S of a sample and its logarithm, see :mod:`lutgen.model.predictive.features`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const
from amaranth.utils import bits_for

from lutgen.model.predictive.features import LEAST_SCALE, OCTAVE, Scale

from ..fabric.pipeline import one_hot_select
from ..fabric.timeline import Timed, Timeline
from .quantities import Context

__all__ = ["Logarithm", "add_logarithm", "add_scale", "digits", "times"]

_LEAST_EXPONENT = bits_for(LEAST_SCALE) - 1
_MANTISSA_BITS = bits_for(OCTAVE) - 1
#: Most weights that have a multiplier.
_MULTIPLIERS = 5


@dataclass(frozen=True)
class Logarithm:
    """16 times the logarithm of S, linear between powers of two.

    Attributes
    ----------
    shift:
        Exponent less its least value, 7: by so many bits features are shifted.
    mantissa:
        The four bits below the leading one.
    most:
        Greatest ``shift``.
    """

    shift: Timed
    mantissa: Timed
    most: int

    @property
    def clock(self) -> int:
        """When both are there."""
        return max(self.shift.clock, self.mantissa.clock)

    def above_least(self, clock: int):
        """The logarithm less that of the least S."""
        return Cat(self.mantissa.at(clock), self.shift.at(clock))


def digits(constant: int) -> list[tuple[int, bool]]:
    """Shifts of the powers of two, added or (True) subtracted, that make a positive constant.

    The canonical form: no two neighbours, so the fewest.
    """
    found = []
    shift = 0
    while constant:
        if constant & 1:
            negative = constant & 3 == 3
            found.append((shift, negative))
            constant += 1 if negative else -1
        constant >>= 1
        shift += 1
    return found


def times(timeline: Timeline, name: str, value: Timed, constant: int) -> Timed:
    """A value times a positive constant, a register behind every addition."""
    first, *rest = sorted(digits(constant), key=lambda digit: digit[1])
    total = timeline.given(name, value.now << first[0], value.clock)
    for k, (shift, negative) in enumerate(rest):
        more = value.at(total.clock) << shift
        result = total.now - more if negative else total.now + more
        bits = bits_for(((1 << len(value)) - 1) * constant)
        wide = max(bits, len(total) + 1) if k < len(rest) - 1 else bits
        total = timeline.register(f"{name}_{k}", result[:wide], total.clock)
    return total


def _chain(line: Timeline, name: str, terms: Sequence[tuple[Timed, int]], start: int) -> Timed:
    """A constant and values times constants, in multipliers with an adder behind each."""
    total = line.given(f"{name}_start", Const(start))
    for k, (value, weight) in enumerate(sorted(terms, key=lambda term: term[0].clock)):
        clock = max(value.clock, total.clock - 1)
        factor = line.register(f"{name}_factor{k}", value.at(clock), clock)
        total = line.register(
            f"{name}_{k}", factor.now * weight + total.at(factor.clock), factor.clock
        )
    return total


def _cost(term: tuple[int, Sequence[Timed]]) -> tuple[bool, int]:
    """By how much a term's weight is cheaper with a multiplier, which may have odd ones."""
    weight, _ = term
    return weight % 2 == 1, len(digits(weight))


def add_scale(context: Context, scale: Scale) -> Logarithm:
    """Add S and its logarithm: one result per clock.

    Values of the same weight are added first.  Weights of most digits are multiplied, the others
    are shifts and additions.
    """
    line = context.timeline
    alike, most = defaultdict(list), scale.least
    for text, weight in scale.weights.items():
        if weight:
            alike[weight << context.zeros(text)].append(context.size(text))
            most += weight * context.widths.most(text)
    terms = [
        (line.sum(f"s_alike{weight}", sizes), weight)
        for weight, sizes in sorted(alike.items(), key=_cost, reverse=True)
    ]
    width = bits_for(most)
    # Those of even products, whose lowest bits are zeros, tools would add outside of multipliers.
    dear = [
        (value, weight) for value, weight in terms[:_MULTIPLIERS]
        if weight % 2 and len(digits(weight)) > 1
    ]
    # Both chains begin with a share of the least scale, as those of the first prediction do.
    parts = [
        _chain(line, f"s_chain{k}", dear[k::2], (scale.least + k) // 2) for k in range(2)
    ]
    parts += [
        times(line, f"s_{weight}", value, weight) for value, weight in terms[len(dear) :]
    ]
    return add_logarithm(line, line.sum("scale", parts), width)


def add_logarithm(line: Timeline, total: Timed, width: int) -> Logarithm:
    """Add the logarithm of S, a number of ``width`` bits: two clocks."""
    total = line.given("scale_s", total.now[:width], total.clock)
    # The leading one, alone.
    s = total.now
    leads = Cat(
        *(s[k] & ~s[k + 1 :].any() for k in range(_LEAST_EXPONENT, width - 1)), s[width - 1]
    )
    lead = line.register("leading_one", leads, total.clock)
    s, lead_1 = total.at(lead.clock), lead.now
    top = width - 1 - _LEAST_EXPONENT
    shift = one_hot_select(range(top + 1), lead_1) if top else Const(0)
    mantissa = Cat(
        Cat(
            lead_1[k] & s[k + _LEAST_EXPONENT - _MANTISSA_BITS + bit] for k in range(top + 1)
        ).any()
        for bit in range(_MANTISSA_BITS)
    )
    # With a reset, which shift-register LUTs have not: they would give it a nanosecond late.
    return Logarithm(
        line.register("shift", shift, lead.clock, reset=True),
        line.register("mantissa", mantissa, lead.clock, reset=True), top,
    )  # fmt: skip
