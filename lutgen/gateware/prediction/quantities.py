"""Quantities of a sample's context as signals, and in which range each lies.

See :mod:`lutgen.model.predictive.neighbourhood`, and :mod:`lutgen.model.predictive.reference` of
colour.  Samples, which there are multiples of 8, are held without their three zero bits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Value, signed, unsigned

from lutgen.model.predictive.neighbourhood import (
    ENERGIES,
    ERRORS,
    FRACTION_BITS,
    MEDIAN,
    PREDICTION,
    SAMPLES,
    ZERO,
)
from lutgen.model.predictive.reference import ALL_QUANTITIES, LETTERS
from lutgen.model.predictive.reference import ENERGIES as OTHER_ENERGIES
from lutgen.model.predictive.reference import ERRORS as OTHER_ERRORS
from lutgen.model.predictive.reference import SAMPLES as OTHER_SAMPLES

from ..fabric.timeline import Timed, Timeline
from .sums import shared_sums

__all__ = [
    "ALL_ENERGIES", "ALL_ERRORS", "ALL_SAMPLES", "Context", "DifferenceWidths", "Widths",
    "magnitude", "shifted",
]  # fmt: skip


def _with_others(own: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Names of a sample's own plane, and those of its reference planes."""
    return (*own, *(letter + name for letter in LETTERS for name in others))


#: Names by kind, those of reference planes among them.
ALL_SAMPLES = _with_others(SAMPLES, OTHER_SAMPLES)
ALL_ERRORS = _with_others(ERRORS, OTHER_ERRORS)
ALL_ENERGIES = _with_others(ENERGIES, OTHER_ENERGIES)


@dataclass(frozen=True)
class Widths:
    """Widths of all quantities of samples of ``depth`` bits."""

    depth: int

    @property
    def sample(self):
        """A sample."""
        return unsigned(self.depth)

    @property
    def value(self):
        """What a row holds of a sample."""
        return self.sample

    @property
    def prediction(self):
        """A prediction, in 1/8 of a sample."""
        return unsigned(self.depth + FRACTION_BITS)

    @property
    def error(self):
        """A sample less its first prediction, in 1/8."""
        return signed(self.depth + FRACTION_BITS + 1)

    @property
    def energy(self):
        """At most twice the greatest error, as half of it decays."""
        return unsigned(self.depth + FRACTION_BITS + 1)

    @property
    def greatest(self) -> int:
        """Greatest sample."""
        return (1 << self.depth) - 1

    def most(self, name: str) -> int:
        """Greatest absolute value of a quantity or of a difference ``a-b``, in 1/8."""
        top = self.greatest << FRACTION_BITS
        first, _, second = name.partition("-")
        if second and second != ZERO:
            return max(self.most(first), self.most(second)) * (
                2 if self._is_signed(first) or self._is_signed(second) else 1
            )
        return 2 * top if first in ALL_ENERGIES else top

    def _is_signed(self, name: str) -> bool:
        return name in ALL_ERRORS


@dataclass(frozen=True)
class DifferenceWidths(Widths):
    """Widths where rows hold samples, or differences of samples to those of the first plane."""

    @property
    def value(self):
        """What a row holds of a sample."""
        return signed(self.depth + 1)

    def _is_signed(self, name: str) -> bool:
        return name not in ALL_ENERGIES


class Context:
    """The quantities of one sample, and differences of them, each made once.

    Parameters
    ----------
    timeline:
        Of the pipeline.
    widths:
        Of its samples.
    given:
        Samples, errors and energies by name.
    """

    def __init__(self, timeline: Timeline, widths: Widths, given: Mapping[str, Timed]) -> None:
        self.timeline = timeline
        self.widths = widths
        self.quantities = dict(given)
        self._differences: dict[str, Timed] = {}
        self._sizes: dict[str, Timed] = {}
        self._plans: dict[tuple, list] = {}
        self._parts: dict[tuple, Timed] = {}

    def add_prediction(self, value: Timed, level: Timed | None = None) -> None:
        """Add the first prediction, and that of the sample itself where it is of a difference."""
        self.quantities[PREDICTION] = value
        #: First prediction of the sample, in 1/8.
        self.level = value if level is None else level

    def add(self, name: str, value: Timed) -> None:
        """Add a quantity that comes later."""
        self.quantities[name] = value

    def eighths(self, name: str, clock: int) -> Value:
        """A quantity in 1/8 of a sample."""
        value = self.quantities[name].at(clock)
        return shifted(value, FRACTION_BITS) if _is_sample(name) else value

    def difference(self, text: str) -> Timed:
        """``a-b``, signed, in 1/8; of two samples without the zero bits, see `zeros`."""
        if text not in self._differences:
            a, _, b = text.partition("-")
            if not b or b == ZERO:
                return self.quantities[a]
            clock = self.timeline.ready(self.quantities[a], self.quantities[b])
            if _is_sample(a) and _is_sample(b):
                value = self.quantities[a].at(clock) - self.quantities[b].at(clock)
            else:
                value = self.eighths(a, clock) - self.eighths(b, clock)
            self._differences[text] = self.timeline.register(legal(text), value, clock)
        return self._differences[text]

    def size(self, text: str) -> Timed:
        """``|a-b|``."""
        text = _ordered(text)
        if text not in self._sizes:
            value = self.difference(text)
            if not value.now.shape().signed:
                return value
            self._sizes[text] = self.timeline.register(
                f"{legal(text)}_size", magnitude(value.now), value.clock
            )
        return self._sizes[text]

    def plan_sums(self, sums: Iterable[Sequence[str]]) -> None:
        """Let sums of sizes share parts; those that are asked for by `sum_of_sizes`."""
        keys = [self._key(terms) for terms in dict.fromkeys(tuple(terms) for terms in sums)]
        self._plans = dict(zip(keys, shared_sums(keys), strict=True))

    def sum_of_sizes(self, terms: Sequence[str]) -> tuple[Timed, int]:
        """``|a-b| + |c-d| + ...``, and the zero bits that it leaves out below."""
        key = self._key(terms)
        name = "sum_" + "_".join(legal(text) for text, _ in key)
        parts = [self._part(part) for part in self._plans.get(key, key)]
        return self.timeline.sum(name, parts), min(self.zeros(term) for term in terms)

    def _key(self, terms: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """Each term with the zero bits that a sum of them has below it."""
        zeros = min(self.zeros(term) for term in terms)
        return tuple((_ordered(term), self.zeros(term) - zeros) for term in terms)

    def _part(self, part: tuple) -> Timed:
        """A term of a sum of sizes, or the sum of a pair of them."""
        if part not in self._parts:
            first, second = part
            if isinstance(first, str):
                size = self.size(first)
                self._parts[part] = self.timeline.given(
                    legal(first), shifted(size.now, second), size.clock
                )
            else:
                self._parts[part] = self.timeline.sum(
                    f"pair_{len(self._parts)}", [self._part(first), self._part(second)]
                )
        return self._parts[part]

    @staticmethod
    def zeros(text: str) -> int:
        """Zero bits that `difference` and `size` leave out below."""
        a, _, b = text.partition("-")
        return FRACTION_BITS if _is_sample(a) and (b in ("", ZERO) or _is_sample(b)) else 0


def shifted(value: Value, bits: int) -> Value:
    """A value with zero bits below it; a signed one stays so."""
    if not bits:
        return value
    wide = Cat(Const(0, bits), value)
    return wide.as_signed() if value.shape().signed else wide


def magnitude(value: Value) -> Value:
    """Absolute value of a signed one that is never the least of its width."""
    sign = value[-1]
    return ((value ^ sign.replicate(len(value))).as_unsigned() + sign)[: len(value) - 1]


def _is_sample(name: str) -> bool:
    return name in ALL_SAMPLES or name == MEDIAN


def _ordered(text: str) -> str:
    """The one of ``a-b`` and ``b-a`` whose absolute value stands for both."""
    a, _, b = text.partition("-")
    return f"{b}-{a}" if b and ALL_QUANTITIES[b] < ALL_QUANTITIES[a] else text


def legal(text: str) -> str:
    """What a signal of a difference is called."""
    return "d_" + text.replace("-", "_").replace(PREDICTION, "p")
