"""Features of a sample as signals, and the comparisons that trees ask for.

See :mod:`lutgen.model.predictive.features`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from amaranth.hdl import Const, Value
from amaranth.utils import bits_for

from lutgen.model.predictive.features import FEATURE_BITS, Feature
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import FRACTION_BITS, PREDICTION
from lutgen.model.predictive.trees import NEVER

from ..fabric.timeline import Timed
from .normaliser import Normalised, Span, at_least, normalised
from .quantities import ALL_ERRORS, Context, shifted
from .scale import Logarithm

__all__ = ["Comparisons", "count_bits", "early_questions", "questions", "twins"]

_LEVEL_BITS = 7
#: What a signed feature has added.
_MIDDLE = 1 << (FEATURE_BITS - 1)


def questions(model: PredictiveModel) -> dict[int, set[int]]:
    """Thresholds that the model compares each of its features with."""
    asked = defaultdict(set)
    for nodes in (model.predictor, model.corrections, model.scales):
        for feature, threshold in zip(
            nodes.feature.ravel().tolist(), nodes.threshold.ravel().tolist(), strict=True
        ):
            if threshold != NEVER:
                asked[feature].add(threshold)
    return dict(asked)


def early_questions(model: PredictiveModel) -> set[tuple[int, int]]:
    """Features and thresholds that the model's first prediction asks for."""
    predictor = model.predictor
    return set(zip(predictor.feature.tolist(), predictor.threshold.tolist(), strict=True))


def twins(features: Sequence[Feature], asked: Iterable[int]) -> dict[int, int]:
    """Errors of which the size is a feature, too: both numbers.  A sign tells them apart."""
    of_one = [
        k for k in asked if len(features[k].terms) == 1 and features[k].terms[0] in ALL_ERRORS
    ]
    sizes = {(features[k].terms, features[k].gain): k for k in of_one if features[k].absolute}
    pairs = {
        k: sizes.get((features[k].terms, features[k].gain))
        for k in of_one if not features[k].absolute
    }  # fmt: skip
    return {k: twin for k, twin in pairs.items() if twin is not None}


class Comparisons:
    """Features above thresholds, each made once.

    Those that the first prediction asks for come as early as they can.  The others come with those
    that need the first prediction: while they wait their sums are delayed, which has been done once
    for all comparisons.

    Parameters
    ----------
    context:
        Quantities; the prediction is added to it later.
    features:
        Those of a model, or of several.
    asked:
        Thresholds that each is compared with, see `questions`.
    early:
        Features and thresholds that the first prediction asks for, see `early_questions`.
    logarithm:
        Of S.
    changes:
        Number of differences between neighbours that are not zero.
    """

    def __init__(
        self, context: Context, features: Sequence[Feature], asked: Mapping[int, set[int]],
        early: Iterable[tuple[int, int]], logarithm: Logarithm, changes: Timed,
    ) -> None:  # fmt: skip
        self._context = context
        self._features = features
        self._questions = asked
        self._logarithm = logarithm
        self._changes = changes
        self._early = set(early)
        self._early_features = {feature for feature, _ in self._early}
        self._twins = twins(features, self._questions)
        self._normalised: dict[int, Normalised] = {}
        self._above: dict[tuple[int, int], Timed] = {}

    def above(self, number: int, threshold: int) -> Timed:
        """Whether feature ``number`` is above ``threshold``, one of the model's questions."""
        key = (number, threshold)
        if threshold == NEVER:
            return self._context.timeline.given("never", Const(0, 1))
        if key not in self._above:
            feature, cut = self._features[number], threshold + 1
            name = f"f{number}_above_{threshold}"
            self._above[key] = (
                self._of_special(name, feature, cut, self._begin(key in self._early))
                if feature.special
                else self._of_sum(name, number, cut if feature.absolute else cut - _MIDDLE)
            )  # fmt: skip
        return self._above[key]

    def _begin(self, early: bool) -> int:
        """When it begins: with the first difference of the first prediction, unless it is early."""
        return 0 if early else self._context.quantities[PREDICTION].clock + 1

    def _of_special(self, name: str, feature: Feature, cut: int, begin: int) -> Timed:
        """Whether a feature that is no sum is ``cut`` or more."""
        line, context = self._context.timeline, self._context
        if feature.is_changes:
            clock = max(begin, self._changes.clock)
            value = self._changes.at(clock)
        elif feature.is_level:
            level = context.level
            clock = max(begin, level.clock)
            value = level.at(clock)[context.widths.depth + FRACTION_BITS - _LEVEL_BITS :]
        else:
            clock = max(begin, self._logarithm.clock)
            value = self._logarithm.above_least(clock)[1:]
        return line.register(name, at_least(value, cut), clock)

    def _of_sum(self, name: str, number: int, cut: int) -> Timed:
        """Whether a feature that is a sum is ``cut`` or more."""
        line, twin = self._context.timeline, self._twins.get(number)
        value = self._shifted(number if twin is None else twin)
        if twin is None:
            return line.register(name, value.at_least(cut), value.clock)
        (term,) = self._features[number].terms
        difference = self._context.difference(term)
        sign = line.given(f"{name}_sign", difference.now[-1], difference.clock).at(value.clock)
        if cut > 0:
            answer = ~sign & value.at_least(cut)
        else:  # what is shifted out makes a negative one less
            answer = ~sign if cut == 0 else ~sign | ~value.above(-cut)
        return line.register(name, answer, value.clock)

    def _cuts(self, number: int) -> set[int]:
        """What a shifted sum is looked at for: whether it is so much or more."""
        added = 0 if self._features[number].absolute else _MIDDLE
        cuts = {threshold + 1 - added for threshold in self._questions[number]}
        for other, twin in self._twins.items():
            if twin == number:
                for cut in self._cuts(other):
                    cuts |= {cut} if cut > 0 else {-cut, 1 - cut} if cut else set()
        return cuts

    def _shifted(self, number: int) -> Normalised:
        """A sum divided by the scale."""
        if number not in self._normalised:
            feature = self._features[number]
            total, zeros = self._total(f"f{number}", feature)
            users = {number, *(other for other, twin in self._twins.items() if twin == number)}
            self._normalised[number] = normalised(
                self._context.timeline, f"f{number}", total, self._logarithm,
                feature.gain + zeros, Span.of(self._cuts(number)),
                begin=self._begin(not users.isdisjoint(self._early_features)),
            )  # fmt: skip
        return self._normalised[number]

    def _total(self, name: str, feature: Feature) -> tuple[Timed, int]:
        """A feature's sum, and the zero bits that it leaves out below."""
        line, context = self._context.timeline, self._context
        if feature.absolute:
            return context.sum_of_sizes(feature.terms)
        zeros = min(context.zeros(term) for term in feature.terms)
        terms = []
        for term in feature.terms:
            value = context.difference(term)
            more = context.zeros(term) - zeros
            terms.append(line.given(name, shifted(value.now, more), value.clock))
        return line.sum(name, terms), zeros


def count_bits(values: Iterable[Value]) -> Value:
    """How many of some bits are set."""
    values = list(values)
    total = Const(0, 1)
    for value in values:
        total = total + value
    return total[: bits_for(len(values))]
