"""Models of the planes of a colour image as one: what they ask for together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Value
from amaranth.utils import bits_for

from lutgen.model.predictive.features import Feature
from lutgen.model.predictive.model import PredictiveModel

from ..fabric.pipeline import choose
from ..fabric.timeline import Timed
from .features import early_questions, questions

__all__ = ["PlaneModels"]


@dataclass(frozen=True)
class PlaneModels:
    """Models of which each sample has one.

    Their features are numbered through: those that several models have are one.

    Parameters
    ----------
    models:
        In the order of their numbers.
    """

    models: tuple[PredictiveModel, ...]

    @property
    def bits(self) -> int:
        """Bits of a model's number."""
        return bits_for(len(self.models) - 1)

    @property
    def references(self) -> int:
        """Reference planes at most."""
        return max(model.references for model in self.models)

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """Features of all models."""
        return tuple(dict.fromkeys(f for model in self.models for f in model.features))

    @cached_property
    def _numbers(self) -> dict[Feature, int]:
        return {feature: k for k, feature in enumerate(self.features)}

    def number(self, model: int, feature: int) -> int:
        """Number of a model's feature."""
        return self._numbers[self.models[model].features[feature]]

    @cached_property
    def questions(self) -> dict[int, set[int]]:
        """Thresholds that features are compared with by any model."""
        asked: dict[int, set[int]] = defaultdict(set)
        for k, model in enumerate(self.models):
            for feature, thresholds in questions(model).items():
                asked[self.number(k, feature)] |= thresholds
        return dict(asked)

    @cached_property
    def early_questions(self) -> set[tuple[int, int]]:
        """Features and thresholds that first predictions ask for."""
        return {
            (self.number(k, feature), threshold)
            for k, model in enumerate(self.models)
            for feature, threshold in early_questions(model)
        }

    @staticmethod
    def of(number: Timed, values: Sequence, clock: int) -> Value:
        """The value of the sample's model, one of each; ``number`` is that of the model."""
        if all(isinstance(value, int) and value == values[0] for value in values):
            return Value.cast(values[0])
        return choose([Value.cast(value) for value in values], number.at(clock))
