"""The prediction of a sample of one plane of several, as a graph, written from its plane's model.

A core has the models of all planes, and an input says which one a sample has.  For each of them the
core is compared with one graph: that of a core which never gets samples of other planes.

Behind the first plane, what stands for a sample is its difference to the sample of the first plane
at the same place, the *level* (`lutgen.model.predictive.reference`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property

from lutgen.model.predictive import reference
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import ENERGIES, ERRORS, FRACTION_BITS, SAMPLES, TAPS
from lutgen.model.predictive.reference import LETTERS, REFERENCE_TAPS, TAPS_OF_ONE
from lutgen.sim.proof.aig import Aig
from lutgen.sim.proof.gold import CUT, Port
from lutgen.sim.proof.gold_prediction import COEFFICIENT_WIDTH, GoldPrediction
from lutgen.sim.proof.integers import Integer, Integers

__all__ = ["GoldPlane"]


class GoldPlane(GoldPrediction):
    """See `.gold_prediction.GoldPrediction`.

    Parameters
    ----------
    models, number :
        Those of all planes, and the number of the sample's.
    depth :
        Bits of a sample.
    design :
        The module, which says how wide the logarithm of S is: as wide as any plane needs it.
    max_near :
        Greatest near of a sample.
    """

    _shares = 8

    def __init__(
        self, models: Sequence[PredictiveModel], number: int, depth: int, design: Mapping,
        max_near: int = 0,
    ) -> None:  # fmt: skip
        self._models, self._number = models, number
        self._shift_width = len(design["netnames"]["shift"]["bits"])
        super().__init__(models[number], depth, max_near)

    # --- what a core of several planes has otherwise

    def _all_ranges(self) -> dict[str, tuple[int, int]]:
        top, letters = self._top, LETTERS[: self._model.references]
        sample, difference = (0, top), (-top, top)
        found = {
            **dict.fromkeys(SAMPLES, difference if letters else sample),
            **dict.fromkeys(ERRORS, (-top, top)), **dict.fromkeys(ENERGIES, (0, 2 * top)),
        }  # fmt: skip
        for letter in letters:
            first = letter == letters[-1]
            found |= {
                letter + name: ends
                for names, ends in (
                    (reference.SAMPLES, sample if first else difference),
                    (reference.ERRORS, (-top, top)), (reference.ENERGIES, (0, 2 * top)),
                )
                for name in names
            }  # fmt: skip
        return found

    @property
    def _sample_bits(self) -> int:
        return self._depth + 1

    @property
    def _shift_bits(self) -> int:
        return self._shift_width

    @property
    def _taps(self) -> Sequence[str]:
        return _taps_with(self._model.references)

    def _coefficient_of(self, tap: int) -> str:
        return f"coefficient_{self._taps[tap]}"

    @cached_property
    def _features(self) -> dict:
        """Numbers of the features of all models; those that are alike are one."""
        features = dict.fromkeys(f for model in self._models for f in model.features)
        return {feature: k for k, feature in enumerate(features)}

    def _question(self, feature: int, threshold: int) -> str:
        return super()._question(self._features[self._model.features[feature]], threshold)

    @property
    def _first_row(self) -> int:
        return sum(len(model.cumulative) for model in self._models[: self._number])

    @property
    def _rows(self) -> int:
        return sum(len(model.cumulative) for model in self._models)

    @staticmethod
    def _together(term: str, weight: int) -> Hashable:
        return term

    # --- its ports

    def _lacking(self) -> Iterator[str]:
        """Coefficients of taps that other models have."""
        taps = _taps_with(max(model.references for model in self._models))
        yield from (f"coefficient_{name}" for name in taps[len(self._taps) :])

    def _all_ports(self) -> list[Port]:
        return [
            *super()._all_ports(),
            *(Port(name + CUT, COEFFICIENT_WIDTH, 0, 0) for name in self._lacking()),
            Port("number", (len(self._models) - 1).bit_length()),
            Port("level", self._depth),
        ]

    def numbers(self, do: Integers) -> dict[str, Integer]:
        """See `.gold.Gold`: the sample is of this plane, and its level one of its quantities."""
        found = super().numbers(do)
        found["number"] = do.constant(self._number)
        letters = LETTERS[: self._model.references]
        found["level"] = found[f"{letters[-1]}X"] if letters else do.constant(0)
        return found

    def build(self, aig: Aig, ports: Mapping[str, Integer]) -> None:
        """See `.gold.Gold`."""
        super().build(aig, ports)
        for name in self._lacking():
            self.out("predictor", name, Integers(aig).constant(0), COEFFICIENT_WIDTH)

    def _level_of_sample(self) -> Integer:
        return self._do.left(self._ports["level"], FRACTION_BITS)

    def _level_terms(self, places: int) -> list[Integer]:
        return [self._do.left(self._level, places)] if self._model.references else []


def _taps_with(references: int) -> tuple[str, ...]:
    """What the coefficients of a model of so many reference planes weigh."""
    return (*TAPS, *REFERENCE_TAPS[: references * TAPS_OF_ONE])
