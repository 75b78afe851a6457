"""Features of a sample as signals, and the comparisons that trees ask for.

See :mod:`lutgen.model.predictive.features`.
"""

from collections.abc import Iterable, Sequence

from amaranth.hdl import Cat, Const, Mux, Value
from amaranth.utils import bits_for

from lutgen.model.predictive.features import FEATURE_BITS, OCTAVE, Feature
from lutgen.model.predictive.neighbourhood import FRACTION_BITS, PREDICTION

from ..fabric.pipeline import choose
from ..fabric.timeline import Timed
from .quantities import Context
from .scale import Logarithm

__all__ = ["Comparisons", "normalised"]

_COARSE_BITS = 2
_COARSE = 1 << _COARSE_BITS
_LEVEL_BITS = 7


def normalised(
    context: Context, name: str, total: Timed, logarithm: Logarithm, gain: int
) -> Timed:
    """``(total << gain) >> shift`` clamped to a byte; a signed one has 128 added.

    Three clocks: whole fours of the shift first, of which only so many bits are kept as the rest
    needs, and whether there was anything above them; then the rest of the shift; then the limit.
    """
    line = context.timeline
    is_signed = total.now.shape().signed
    clock = line.ready(total, logarithm.shift)
    value = total.at(clock)
    value = Cat(Const(0, gain), value)
    sign = value[-1] if is_signed else Const(0)
    shift = logarithm.shift.at(clock)
    kept = FEATURE_BITS + _COARSE - 1
    highest = logarithm.most >> _COARSE_BITS
    wide = Cat(value, sign.replicate(_COARSE * highest + kept))
    parts, above = [], []
    for k in range(highest + 1):
        parts.append(wide[_COARSE * k : _COARSE * k + kept])
        rest = value[_COARSE * k + kept :]
        above.append(_differ(rest, sign))
    select = shift[_COARSE_BITS:]
    part = line.register(f"{name}_part", choose(parts, select), clock)
    over = line.register(f"{name}_above", choose(above, select), clock)
    sign_1 = line.register(f"{name}_sign", sign, clock)
    fine = logarithm.shift.at(part.clock)[:_COARSE_BITS]
    value, sign = part.now, sign_1.now
    # A signed byte has its sign in its own top bit; an unsigned one has none.
    bits = FEATURE_BITS - 1 if is_signed else FEATURE_BITS
    byte = choose([value[k : k + FEATURE_BITS] for k in range(_COARSE)], fine)
    high = choose([
        _differ(value[k + bits :], sign) for k in range(_COARSE)
    ], fine)  # fmt: skip
    low = line.register(f"{name}_low", byte[:bits], part.clock)
    high = line.register(f"{name}_high", high | over.now, part.clock)
    if is_signed:
        sign = line.register(f"{name}_not_sign", ~sign, part.clock).now
        limited = Cat(Mux(high.now, sign.replicate(bits), low.now), sign)
    else:
        limited = low.now | high.now.replicate(bits)
    return line.register(f"{name}_byte", limited, low.clock)


class Comparisons:
    """Features above thresholds, each made once.

    Parameters
    ----------
    context:
        Quantities; the prediction is added to it later.
    features:
        Those of the model.
    logarithm:
        Of S.
    changes:
        Number of differences between neighbours that are not zero.
    """

    def __init__(
        self, context: Context, features: Sequence[Feature], logarithm: Logarithm, changes: Timed
    ) -> None:
        self._context = context
        self._features = features
        self._logarithm = logarithm
        self._changes = changes
        self._bytes: dict[int, Timed] = {}
        self._above: dict[tuple[int, int], Timed] = {}

    def late(self, number: int) -> bool:
        """Whether a feature needs the first prediction."""
        return self._features[number].late

    def above(self, number: int, threshold: int) -> Timed:
        """Whether feature ``number`` is above ``threshold``, less than 255."""
        key = (number, threshold)
        if key not in self._above:
            value = self.feature(number)
            self._above[key] = self._context.timeline.register(
                f"f{number}_above_{threshold}", value.now > threshold, value.clock
            )
        return self._above[key]

    def feature(self, number: int) -> Timed:
        """A feature, a byte."""
        if number not in self._bytes:
            self._bytes[number] = self._feature(self._features[number], f"f{number}")
        return self._bytes[number]

    def _feature(self, feature: Feature, name: str) -> Timed:
        line, context = self._context.timeline, self._context
        if feature.is_changes:
            return self._changes
        if feature.is_level:
            level = context.quantities[PREDICTION]
            return line.given(name, level.now[context.widths.depth + FRACTION_BITS - _LEVEL_BITS :],
                              level.clock)  # fmt: skip
        if not feature.terms:
            clock = self._logarithm.clock
            half = self._logarithm.above_least(clock)[1:]
            most = ((self._logarithm.most + 1) * OCTAVE - 1) >> 1
            limit = (1 << FEATURE_BITS) - 1
            if most > limit:
                half = Mux(half > limit, limit, half)
            return line.given(name, half, clock)
        get = context.size if feature.absolute else context.difference
        zeros = min(context.zeros(term) for term in feature.terms)
        terms = [
            line.given(name, _shifted(get(term).now, context.zeros(term) - zeros), get(term).clock)
            for term in feature.terms
        ]  # fmt: skip
        total = line.sum(name, terms)
        return normalised(context, name, total, self._logarithm, feature.gain + zeros)


def _differ(bits: Value, sign: Value) -> Value:
    """Whether any of some bits, if there are any, is not like the sign."""
    return (bits ^ sign.replicate(len(bits))).any() if len(bits) else Const(0)


def _shifted(value: Value, bits: int) -> Value:
    if not bits:
        return value
    wide = Cat(Const(0, bits), value)
    return wide.as_signed() if value.shape().signed else wide


def count_bits(values: Iterable[Value]) -> Value:
    """How many of some bits are set."""
    values = list(values)
    total = Const(0, 1)
    for value in values:
        total = total + value
    return total[: bits_for(len(values))]
