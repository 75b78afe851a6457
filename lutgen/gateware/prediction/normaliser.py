"""Values divided by the scale, with as many bits as comparisons look at.

See :mod:`lutgen.model.predictive.features`.  No feature is ever made whole: whether a shifted value
is at least c needs no bits above those of the greatest such c, nor below the lowest one that any
has, and no clamping.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Value

from ..fabric.pipeline import choose
from ..fabric.timeline import Timed, Timeline
from .scale import Logarithm

__all__ = ["Normalised", "Span", "at_least", "normalised"]

_COARSE_BITS = 2
_COARSE = 1 << _COARSE_BITS


def at_least(bits: Value, cut: int) -> Value:
    """Whether an unsigned number is ``cut`` or more: gates without a carry chain."""
    if cut <= 0:
        return Const(1)
    if cut >> len(bits):
        return Const(0)
    result = Const(1)
    for k, bit in enumerate(bits):
        result = bit & result if cut >> k & 1 else bit | result
    return result


@dataclass(frozen=True)
class Span:
    """Which bits of a shifted value tell whether it is at least one of some numbers, the *cuts*.

    Attributes
    ----------
    low:
        Bits below these, which no cut has.
    bits:
        Their number.  What is above ``2 ** bits`` is above all cuts, and what is below
        ``-2 ** bits`` below them.
    """

    low: int
    bits: int

    @classmethod
    def of(cls, cuts: Iterable[int]) -> "Span":
        """The fewest bits; cuts of unsigned values are positive."""
        cuts = [cut for cut in cuts if cut]  # 0 looks at the sign alone
        low = min(((cut & -cut).bit_length() - 1 for cut in cuts), default=0)
        return cls(low, max(((abs(cut) - 1 >> low).bit_length() for cut in cuts), default=0))


@dataclass(frozen=True)
class Normalised:
    """A shifted value as `Span` has it.

    Attributes
    ----------
    part:
        Its bits, when :attr:`beyond` is there; there may be none.
    beyond:
        Whether bits above these are unlike the sign.
    rest:
        Whether anything but zeros has been shifted out.
    sign:
        Of a signed value.
    """

    span: Span
    part: Value
    beyond: Timed
    rest: Timed
    sign: Timed | None

    @property
    def clock(self) -> int:
        """When all of it is there."""
        return self.beyond.clock

    def at_least(self, cut: int) -> Value:
        """Whether the value is ``cut``, one of the span's cuts, or more, in :attr:`clock`."""
        part, beyond, cut = self.part, self.beyond.now, cut >> self.span.low
        if self.sign is None:
            return beyond | at_least(part, cut)
        sign = self.sign.at(self.clock)
        if cut > 0:
            return ~sign & (beyond | at_least(part, cut))
        return ~sign | (~beyond & at_least(part, cut + (1 << self.span.bits)))

    def above(self, number: int) -> Value:
        """Whether an unsigned value was above ``number`` before bits were lost.

        Both ``number`` and the one above it are cuts of the span.
        """
        return self.at_least(number) & (self.rest.now | self.at_least(number + 1))


def normalised(
    line: Timeline, name: str, total: Timed, logarithm: Logarithm, gain: int, span: Span, *,
    begin: int = 0,
) -> Normalised:  # fmt: skip
    """``(total << gain) >> shift``, in ``begin`` at the earliest.

    Two clocks: whole fours of the shift first, of which only so many bits are kept as the rest
    needs, and whether there was anything above or below them; then the rest of the shift.
    """
    clock = max(begin, line.ready(total, logarithm.shift))
    value = total.at(clock)
    sign = value[-1] if value.shape().signed else Const(0)
    value = Cat(Const(0, gain), value)[span.low :]
    shift = logarithm.shift.at(clock)
    kept = span.bits + _COARSE - 1
    highest = logarithm.most >> _COARSE_BITS
    wide = Cat(value, sign.replicate(_COARSE * highest + kept))
    places = [_COARSE * k for k in range(highest + 1)]
    select = shift[_COARSE_BITS:]
    part = line.register(
        f"{name}_part", choose([wide[k : k + kept] for k in places], select), clock
    )
    over = line.register(
        f"{name}_over", choose([_differ(value[k + kept :], sign) for k in places], select), clock
    )
    lost = line.register(f"{name}_lost", choose([value[:k].any() for k in places], select), clock)
    kept_sign = (
        line.given(f"{name}_sign", sign, clock) if total.now.shape().signed else None
    )
    clock = part.clock
    fine = logarithm.shift.at(clock)[:_COARSE_BITS]
    sign = kept_sign.at(clock) if kept_sign is not None else Const(0)
    bits = span.bits
    low = choose([part.now[k : k + bits] for k in range(_COARSE)], fine) if bits else Const(0, 0)
    rest = choose([part.now[:k].any() for k in range(_COARSE)], fine)
    high = choose([_differ(part.now[k + bits :], sign) for k in range(_COARSE)], fine)
    return Normalised(
        span, line.register(f"{name}_low", low, clock).now if bits else low,
        line.register(f"{name}_beyond", high | over.now, clock),
        line.register(f"{name}_rest", rest | lost.now, clock), kept_sign,
    )  # fmt: skip


def _differ(bits: Value, sign: Value) -> Value:
    """Whether any of some bits, if there are any, is not like the sign."""
    return (bits ^ sign.replicate(len(bits))).any() if len(bits) else Const(0)
