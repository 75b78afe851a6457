"""LUT trees, one by one: each takes what those before it have left of the code length.

Gradient boosting of oblivious trees: the six questions of a tree are chosen one at a time, each by
the gain that it has in all leaves at once; the leaves' values are one Newton step.  Values are
rounded when a tree is made, so that later ones see the whole numbers that the codec will use.
"""

from collections.abc import Callable, Sequence

import numba
import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.predictive.features import LEAST_EXPONENT
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.trees import NEVER, PINS, LutTrees

from .config import PredictiveConfig
from .draw import Drawn, features_of, logarithm_of
from .likelihood import bits, slopes
from .scale import log_spread
from .steps import Steps

__all__ = [
    "SCALE_UNIT", "addresses", "binned", "boost", "correction_unit", "order", "slopes_of_kind",
]  # fmt: skip

#: Of each pin, in order: feature and threshold.
_Questions = list[tuple[int, int]]

_BINS = 64
#: Of all samples, a leaf is drawn towards 0 as if it had this share more.
_SHRINK = 1e-5
#: Nats in a unit of scale trees.
SCALE_UNIT = np.log(2) / 32
#: Fewer samples are not halved.
_HALVED = 20_000
#: Scale trees before the first correction.
_LEAD = 2


@njit(nogil=True, parallel=True, fastmath=True)
def _histograms(bins, leaf, slope, curve, leaves):
    """Sums of slope and curvature: float32, shape (features, leaves, bins, 2)."""
    out = np.zeros((len(bins), leaves, _BINS, 2), dtype=np.float32)
    for f in numba.prange(len(bins)):
        into = out[f]
        row = bins[f]
        for i in range(len(slope)):
            into[leaf[i], row[i], 0] += slope[i]
            into[leaf[i], row[i], 1] += curve[i]
    return out


@njit(nogil=True, parallel=True)
def _descend(leaf, row, threshold, pin):
    for i in numba.prange(len(leaf)):
        if row[i] > threshold:
            leaf[i] |= 1 << pin


def _edges(features: np.ndarray) -> list[np.ndarray]:
    shares = np.linspace(0, 1, _BINS + 1)[1:-1]
    found = [np.unique(np.quantile(row[::5], shares, method="nearest")) for row in features]
    # A comparison with 255 is never true.
    return [edge[edge < NEVER] for edge in found]


def binned(features: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Features as numbers of bins, uint8 (features, n), and the thresholds between these.

    Bin b of feature f is above the first b of its thresholds; they are 63 at most.
    """
    edges = _edges(features)
    bins = np.stack([
        np.searchsorted(edge, row, side="left").astype(np.uint8)
        for edge, row in zip(edges, features, strict=True)
    ])  # fmt: skip
    return bins, edges


class _Grower:
    """Grows trees over the same samples."""

    def __init__(self, features: np.ndarray, config: PredictiveConfig) -> None:
        self._bins, self._edges = binned(features)
        self._used: set[tuple[int, int]] = set()
        self._thrift = config.thrift
        self._rate = config.rate
        # Half of the samples, every second one, decide on questions: twice as fast.
        halves = 2 if features.shape[1] >= _HALVED else 1
        self._parts = [slice(k, None, halves) for k in (0, halves - 1)]
        self._half = [np.ascontiguousarray(self._bins[:, part]) for part in self._parts]

    def tree(
        self, slope: np.ndarray, curve: np.ndarray, parity: int, unit: float
    ) -> tuple[_Questions, np.ndarray]:
        """Questions (feature, threshold) and values, in ``unit``, of one more tree."""
        bins = self._half[parity]
        part = self._parts[parity]
        g, h = slope[part], curve[part]
        leaf = np.zeros(len(g), dtype=np.uint8)
        questions: _Questions = []
        for pin in range(PINS):
            f, b = self._question(_histograms(bins, leaf, g, h, 1 << pin), h)
            if f < 0:
                break
            questions.append((f, int(self._edges[f][b])))
            _descend(leaf, bins[f], b, pin)
        self.use(questions)
        shrink = len(h) * _SHRINK * float(h.mean()) + 1e-9
        top = np.bincount(leaf, g, 1 << PINS)
        values = -top / (np.bincount(leaf, h, 1 << PINS) + shrink) * self._rate
        return questions, np.clip(np.rint(values / unit), -128, 127).astype(np.int8)

    def _question(self, histogram: np.ndarray, curve: np.ndarray) -> tuple[int, int]:
        below = np.cumsum(histogram.astype(np.float64), axis=2)
        whole = below[:, :, -1:]
        shrink = len(curve) * _SHRINK * float(curve.mean()) + 1e-9

        def worth(part: np.ndarray) -> np.ndarray:
            return part[..., 0] ** 2 / (part[..., 1] + shrink)

        gain = (worth(below) + worth(whole - below) - worth(whole)).sum(axis=1)
        for f, edge in enumerate(self._edges):
            gain[f, len(edge) :] = 0
            for b in range(len(edge)):
                if (f, b) not in self._used:
                    gain[f, b] *= 1 - self._thrift
        feature, bin_ = (int(k) for k in np.unravel_index(np.argmax(gain), gain.shape))
        return (feature, bin_) if gain[feature, bin_] > 0 else (-1, -1)

    def use(self, questions: _Questions) -> None:
        """Comparisons of a tree are cheaper for those that follow."""
        self._used |= {(f, int(np.searchsorted(self._edges[f], t))) for f, t in questions}


def addresses(
    features: np.ndarray, questions: np.ndarray, thresholds: np.ndarray
) -> np.ndarray:
    """Address that each sample gives a tree of these questions: uint8, shape (n,)."""
    leaf = np.zeros(features.shape[1], dtype=np.uint8)
    for pin, (f, threshold) in enumerate(zip(questions, thresholds, strict=True)):
        if threshold < NEVER:
            _descend(leaf, features[f], threshold, pin)
    return leaf


def correction_unit(drawn: Drawn, logarithm: np.ndarray) -> np.ndarray:
    """Samples in a unit of correction trees: float32, shape (n,).

    It is 0 where the surroundings are plain, as corrections do nothing there.
    """
    unit = np.ldexp(np.float32(1), (logarithm >> 4) - LEAST_EXPONENT - 9)
    unit[drawn.plain] = 0
    return unit


def slopes_of_kind(
    residual: np.ndarray, spread: np.ndarray, of_scale: bool, unit: np.ndarray, slope: np.ndarray,
    curve: np.ndarray,
) -> None:  # fmt: skip
    """`slopes` of scale trees, or by units of correction trees."""
    slopes(residual, spread, of_scale, slope, curve)
    if not of_scale:
        ratio = unit / np.exp(spread)
        slope *= ratio
        curve *= ratio * ratio


def order(corrections: int, scales: int) -> list[bool]:
    """For each tree whether it is one of the scale; both kinds are spread evenly."""
    lead = min(_LEAD, scales)
    at = [(k / max(1, scales - lead), True) for k in range(scales - lead)]
    at += [((k + 0.5) / max(1, corrections), False) for k in range(corrections)]
    return [True] * lead + [of_scale for _, of_scale in sorted(at)]


def _pack(trees: Sequence[tuple[_Questions, np.ndarray]]) -> LutTrees:
    if not trees:
        return LutTrees.none()
    feature = np.zeros((len(trees), PINS), dtype=np.uint8)
    threshold = np.full((len(trees), PINS), NEVER, dtype=np.uint8)
    for t, (questions, _) in enumerate(trees):
        for pin, (f, value) in enumerate(questions):
            feature[t, pin], threshold[t, pin] = f, value
    return LutTrees(feature, threshold, np.stack([values for _, values in trees]))


def boost(
    model: PredictiveModel, drawn: Drawn, config: PredictiveConfig,
    tick: Callable[[float], None] = lambda bits: None, steps: Steps | None = None,
) -> tuple[LutTrees, LutTrees]:  # fmt: skip
    """Correction trees and scale trees.

    ``tick`` is told the mean bits before each tree; ``steps`` has trees that need not be grown
    again, and receives the others.
    """
    steps = Steps() if steps is None else steps
    logarithm = logarithm_of(model.kernel, drawn.quantity)
    features = features_of(model, drawn)
    grower = _Grower(features, config)
    residual = drawn.error
    spread = log_spread(logarithm)
    unit = correction_unit(drawn, logarithm)
    slope, curve = np.empty_like(residual), np.empty_like(residual)
    made: dict[bool, list[tuple[_Questions, np.ndarray]]] = {True: [], False: []}
    for k, of_scale in enumerate(order(config.corrections, config.scales)):
        tick(bits(residual, spread))
        if kept := steps.arrays(f"tree-{k}"):
            questions, values = kept["questions"].tolist(), kept["values"]
            grower.use(questions)
        else:
            slopes_of_kind(residual, spread, of_scale, unit, slope, curve)
            questions, values = grower.tree(slope, curve, k & 1, SCALE_UNIT if of_scale else 1.0)
            kept = {"questions": np.array(questions, np.uint8).reshape(-1, 2), "values": values}
            steps.put(f"tree-{k}", {}, kept)
        made[of_scale].append((questions, values))
        found = np.array(questions, dtype=np.int64).reshape(-1, 2)
        step = values[addresses(features, found[:, 0], found[:, 1])].astype(np.float32)
        if of_scale:
            spread += step * np.float32(SCALE_UNIT)
        else:
            residual = residual - step * unit
    return _pack(made[False]), _pack(made[True])
