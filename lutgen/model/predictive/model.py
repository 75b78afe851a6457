"""The model file of profile ``predictive``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lutgen.model.head import PROB_BITS
from lutgen.model.model import ModelError

from .features import OCTAVE, Feature, Scale, difference, early_features, feature_order, pairs
from .predictor import Predictor
from .reference import quantities_with
from .residual import TOKENS
from .saved import PredictiveFile
from .trees import NEVER, LutTrees, address_words, packed_values

__all__ = [
    "CLASS_BITS", "CORRECTION_BITS", "KIND", "SCALE_STEP", "TABLES", "Kernel", "PredictiveModel",
]  # fmt: skip

KIND = "predictive-model"

#: A correction's unit is 1/64 of the power of two above the spread.
CORRECTION_BITS = 6
#: A class is a quarter of an octave of the scale, whose unit here is 1/32 of an octave.
CLASS_BITS = 3
#: Tables of each scale: for predictions near a whole number, for the others, and for samples whose
#: surroundings are plain.
TABLES = 3
_MOST_CLASSES = 128
_MOST_FEATURES = 64


class Kernel(NamedTuple):
    """A model as compiled loops want it; all arrays are int64 unless told.

    Its F features are numbered in an order of its own, see `feature_order`.
    """

    least: int  #: S without errors
    weight: np.ndarray  #: (m,) of each absolute difference in S
    weighted: np.ndarray  #: uint8 (m, 2) its quantities
    part: np.ndarray  #: (5,) where kinds of features begin
    number: np.ndarray  #: (F,) of each feature in the model
    first: np.ndarray  #: (F + 1,) first difference of each feature
    minuend: np.ndarray  #: uint8 (d,) quantities of all features' differences
    subtrahend: np.ndarray  #: uint8 (d,)
    more: np.ndarray  #: (d,) bool: whether the next difference is of the same feature
    absolute: np.ndarray  #: (F,) -1 where absolute values are added up, else 0
    gain: np.ndarray  #: (F,), -1 of the feature that counts changes
    low: np.ndarray  #: (F,) least value of a feature, before ``added``
    high: np.ndarray  #: (F,) greatest
    added: np.ndarray  #: (F,)
    split_feature: np.ndarray  #: uint8 (n,) predictor's tree
    split_threshold: np.ndarray  #: uint8 (n,)
    split_child: np.ndarray  #: (n, 2)
    coefficients: np.ndarray  #: (leaves, 19 + 10 for each reference plane)
    address_row: np.ndarray  #: uint16 (F, 256), see `address_words`
    address: np.ndarray  #: (rows, words), likewise
    value: np.ndarray  #: int32 (10 * words, 64), see `packed_values`
    origin: int  #: scale of class 0, in 1/32 octave
    classes: int
    cumulative: np.ndarray  #: int32 (3 * classes, tokens + 1)


@dataclass(frozen=True, eq=False)
class PredictiveModel(PredictiveFile):
    """A codec model of profile ``predictive``.

    Parameters
    ----------
    features:
        What trees may compare, those known before the first prediction first; 1 to 64.
    scale:
        The sum S that features are divided by.
    predictor:
        First prediction.
    corrections:
        LUT trees that correct it: their sum, in 1/64 of the power of two above the spread.
    scales:
        LUT trees whose sum, in 1/32 of an octave, is added to the logarithm of S.
    origin:
        That logarithm, corrected, less ``origin``, in quarters of an octave, is the class.
    cumulative:
        int32, shape (3 K, 65), K of 1 to 128 classes: row 3 k + t has the cumulative frequencies
        of the 64 tokens in class k, from 0 to 2**14, for predictions at most 1/8 from a whole
        number (t = 0), for those further away (t = 1), or for samples whose surroundings are plain
        (t = 2); every token has at least 1.
    training:
        Training record, json: data, date, figures, licences.

    Raises
    ------
    ModelError
        If the parts do not fit together.
    """

    features: tuple[Feature, ...]
    scale: Scale
    predictor: Predictor
    corrections: LutTrees
    scales: LutTrees
    origin: int
    cumulative: np.ndarray
    training: Mapping = field(default_factory=dict)

    kind = KIND

    def __post_init__(self) -> None:
        count = len(self.features)
        if not 1 <= count <= _MOST_FEATURES:
            raise ModelError(f"features must be 1 to {_MOST_FEATURES}, not {count}")
        early = len(early_features(self.features))
        if any(f.late for f in self.features[:early]):
            raise ModelError("features known before the prediction must come first")
        if any(f.is_level and f.absolute for f in self.features):
            raise ModelError("absolute must be False of the prediction's level")
        if len(self.predictor.feature) and self.predictor.feature.max() >= early:
            raise ModelError(
                f"predictor must read features below {early}, not {self.predictor.feature.max()}"
            )
        self._check_quantities()
        for name, trees in (("corrections", self.corrections), ("scales", self.scales)):
            if len(trees) and trees.feature.max() >= count:
                raise ModelError(
                    f"{name} must read features below {count}, not {trees.feature.max()}"
                )
        if type(self.origin) is not int or abs(self.origin) >= 1 << 15:
            raise ModelError(f"origin must be a whole number of 16 bits, not {self.origin!r}")
        self._check_tables()
        self._check_training()

    @property
    def references(self) -> int:
        """Number of reference planes, see :mod:`.reference`; 0 of a model of gray images."""
        return self.predictor.references

    def _check_quantities(self) -> None:
        """Only what its reference planes have."""
        most = quantities_with(self.references)
        terms = [t for f in self.features if not f.is_changes for t in f.terms]
        for term in (*terms, *self.scale.weights):
            if max(difference(term)) >= most:
                raise ModelError(
                    f"terms of a model of {self.references} reference planes must be of these, "
                    f"not {term!r}"
                )

    def _check_tables(self) -> None:
        table = self.cumulative
        rows = len(table)
        if table.dtype != np.int32 or table.ndim != 2 or table.shape[1] != TOKENS + 1:
            raise ModelError(
                f"cumulative must be int32 of shape (rows, {TOKENS + 1}), "
                f"not {table.dtype} of shape {table.shape}"
            )
        if rows % TABLES or not TABLES <= rows <= TABLES * _MOST_CLASSES:
            raise ModelError(
                f"rows of cumulative must be a multiple of {TABLES}, up to "
                f"{TABLES * _MOST_CLASSES}, not {rows}"
            )
        if table[:, 0].any() or (table[:, -1] != 1 << PROB_BITS).any():
            raise ModelError(f"cumulative must go from 0 to {1 << PROB_BITS}")
        if (np.diff(table, axis=1) < 1).any():
            raise ModelError("frequencies must be at least 1")

    @property
    def classes(self) -> int:
        """Number of scales that have tables of their own."""
        return len(self.cumulative) // TABLES

    def stats(self) -> dict:
        """Counts for reports, ready for json."""
        trees = (self.corrections, self.scales)
        questions = {
            pair for t in trees
            for pair in zip(t.feature.ravel().tolist(), t.threshold.ravel().tolist(), strict=True)
            if pair[1] < NEVER
        }  # fmt: skip
        return {
            "features": len(self.features),
            "predictors": self.predictor.leaves,
            "predictor_depth": self.predictor.depth,
            "correction_trees": len(self.corrections),
            "scale_trees": len(self.scales),
            "comparisons": len(questions) + len(
                set(zip(self.predictor.feature.tolist(), self.predictor.threshold.tolist(),
                        strict=True))
            ),
            "table_luts": sum(
                network.bits(t) for network in trees for t in range(len(network))
            ),
            "classes": self.classes,
            "table_bits": self.cumulative[:, 1:-1].size * PROB_BITS,
        }  # fmt: skip

    @cached_property
    def kernel(self) -> Kernel:
        """Arrays for compiled loops; only features that something compares."""
        trees = (self.corrections, self.scales)
        used = {*self.predictor.feature.tolist()}
        for network in trees:
            used |= {*network.feature[network.threshold < NEVER].tolist()}
        return self._kernel(used)

    @cached_property
    def training_kernel(self) -> Kernel:
        """The same with all features, for trainers."""
        return self._kernel(range(len(self.features)))

    def _kernel(self, used) -> Kernel:
        order, part = feature_order(self.features, used)
        features = [self.features[k] for k in order]
        terms = [pairs(() if f.is_changes else f.terms) for f in features]
        ends = np.cumsum([0, *map(len, terms)])
        between = np.concatenate([*terms, np.zeros((0, 2), np.int64)])
        weights = {term: w for term, w in self.scale.weights.items() if w}
        rows, words = address_words(self.corrections, self.scales, order)
        wide = lambda array: np.ascontiguousarray(array, dtype=np.int64)  # noqa: E731
        absolute = np.array([f.absolute for f in features], dtype=bool)
        return Kernel(
            least=self.scale.least,
            weight=wide(list(weights.values())),
            weighted=pairs(weights).astype(np.uint8),
            part=part,
            number=wide(order),
            first=wide(ends),
            minuend=between[:, 0].astype(np.uint8),
            subtrahend=between[:, 1].astype(np.uint8),
            more=~np.isin(np.arange(1, len(between) + 1), ends),
            absolute=-absolute.astype(np.int64),
            gain=wide([-1 if f.is_changes else f.gain for f in features]),
            low=wide(np.where(absolute, 0, -128)),
            high=wide(np.where(absolute, 255, 127)),
            added=wide(np.where(absolute, 0, 128)),
            split_feature=np.array(
                [order.index(f) for f in self.predictor.feature.tolist()], dtype=np.uint8
            ),
            split_threshold=np.ascontiguousarray(self.predictor.threshold),
            split_child=wide(self.predictor.child),
            coefficients=wide(self.predictor.coefficients),
            address_row=rows,
            address=words,
            value=packed_values(self.corrections, self.scales),
            origin=self.origin,
            classes=self.classes,
            cumulative=np.ascontiguousarray(self.cumulative),
        )

    def parts(self) -> tuple[dict, dict[str, np.ndarray]]:
        """All that decoding depends on, as a model file has it: json and arrays."""
        meta = {
            "features": [[list(f.terms), f.absolute, f.gain] for f in self.features],
            "weights": dict(self.scale.weights),
            "least": self.scale.least,
            "origin": self.origin,
        }
        arrays = {"cumulative": self.cumulative}
        for name in ("feature", "threshold", "child", "coefficients"):
            arrays[f"predictor.{name}"] = getattr(self.predictor, name)
        for part in ("corrections", "scales"):
            for name in ("feature", "threshold", "values"):
                arrays[f"{part}.{name}"] = getattr(getattr(self, part), name)
        return meta, arrays

    @classmethod
    def _from_file(cls, meta: dict, arrays: dict) -> "PredictiveModel":
        return cls.from_parts(meta["model"], arrays, meta["training"])

    @classmethod
    def from_parts(
        cls, parts: Mapping, arrays: Mapping[str, np.ndarray], training: Mapping | None = None
    ) -> "PredictiveModel":
        """The model of what `parts` gives."""
        return cls(
            features=tuple(Feature(tuple(t), a, g) for t, a, g in parts["features"]),
            scale=Scale(parts["weights"], parts["least"]),
            predictor=Predictor(*(
                arrays[f"predictor.{k}"] for k in ("feature", "threshold", "child", "coefficients")
            )),
            corrections=_trees(arrays, "corrections"),
            scales=_trees(arrays, "scales"),
            origin=parts["origin"],
            cumulative=arrays["cumulative"],
            training={} if training is None else training,
        )  # fmt: skip


def _trees(arrays: Mapping[str, np.ndarray], part: str) -> LutTrees:
    return LutTrees(*(arrays[f"{part}.{name}"] for name in ("feature", "threshold", "values")))


#: The logarithm of S has 16 steps in an octave; sums of scale trees are finer.
SCALE_STEP = 32 // OCTAVE
