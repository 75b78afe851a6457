"""Growth of the predictor: a tree whose leaves are linear predictors, best split first."""

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.predictive.neighbourhood import TAPS, ZERO
from lutgen.model.predictive.predictor import COEFFICIENT_BITS, Predictor, taps_of_planes
from lutgen.model.predictive.reference import (
    ALL_QUANTITIES,
    REFERENCE_TAPS,
    TAPS_OF_ONE,
    references_of,
)

__all__ = ["JUDGED", "NORTH", "OTHERS", "grow_predictor", "whole_coefficients"]

#: Taps are weighed by their differences to this one; the others have coefficients of their own.
NORTH, _W = TAPS.index("N"), TAPS.index("W")
OTHERS = np.delete(np.arange(len(TAPS)), NORTH)
_BINS = 16
#: Samples are summed up in so many groups, whatever the number of threads, in blocks of a size.
_GROUPS, _BLOCK = 8, 256
_LEAST_SAMPLES = 400
_RIDGE = 1e-4
_MOST = 255
#: Neighbours that splits are judged by: the others make a split hardly better.
_JUDGES = ("MED", "W", "WW", "NW", "NE", "NN", "NEE")
_JUDGES_OF_REFERENCES = ("MED", "W", "NW", "NE", "NN", "aW", "aE", "aeX", "bW", "bE", "beX")
#: Samples of a node that its split is judged by, at most.
JUDGED = 100_000


@njit(nogil=True, parallel=True, fastmath=True)
def _sums(values, bins, chosen, row, column, count):
    """Sums of the products ``row`` times ``column`` of ``values`` of the chosen samples.

    float32 ``values`` (n, m), uint8 ``bins`` (F, n); returns float32 (groups, F, bins, p) and the
    number of samples, (groups, F, bins).  Samples are taken in blocks that a cache holds.
    """
    p = len(row)
    total = np.zeros((_GROUPS, len(bins), count, p), dtype=np.float32)
    number = np.zeros((_GROUPS, len(bins), count), dtype=np.int64)
    for g in numba.prange(_GROUPS):
        product = np.zeros((_BLOCK, p), dtype=np.float32)
        end = len(chosen) * (g + 1) // _GROUPS
        for start in range(len(chosen) * g // _GROUPS, end, _BLOCK):
            size = min(_BLOCK, end - start)
            for i in range(size):
                own = values[chosen[start + i]]
                for k in range(p):
                    product[i, k] = own[row[k]] * own[column[k]]
            for f in range(len(bins)):
                for i in range(size):
                    b = bins[f, chosen[start + i]]
                    number[g, f, b] += 1
                    for k in range(p):
                        total[g, f, b, k] += product[i, k]
    return total, number


def _moments(
    values: np.ndarray, bins: np.ndarray, chosen: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Second moments of ``values`` of the chosen samples in each bin of each feature.

    float32 ``values`` (n, m), uint8 ``bins`` (F, n); returns float64 (F, bins, m, m) and the
    number of samples, (F, bins).
    """
    m = values.shape[1]
    row, column = np.triu_indices(m)
    total, number = _sums(values, bins, chosen, row, column, count)
    total = total.sum(axis=0, dtype=np.float64)
    moment = np.empty((len(bins), count, m, m))
    moment[..., row, column] = total
    moment[..., column, row] = total
    return moment, number.sum(axis=0)


def _fit(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Coefficients of the least squares of the chosen samples."""
    moment = np.zeros((values.shape[1],) * 2)
    for start in range(0, len(chosen), JUDGED):
        part = values[chosen[start : start + JUDGED]].astype(np.float64)
        moment = moment + part.T @ part
    return _solve(moment)[1]


def _solve(moment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Error and coefficients of least squares from moments (..., m, m) whose last row is x's."""
    inner, cross, own = moment[..., :-1, :-1], moment[..., :-1, -1], moment[..., -1, -1]
    size = inner.shape[-1]
    trace = np.trace(inner, axis1=-2, axis2=-1)[..., None, None] / size
    ridged = inner + (trace * _RIDGE + 1e-6) * np.eye(size)
    found = np.linalg.solve(ridged, cross[..., None])[..., 0]
    error = own - 2 * (found * cross).sum(-1) + np.einsum("...i,...ij,...j", found, inner, found)
    return error, found


def taps_of(references: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Taps with so many reference planes.

    Returns
    -------
    (names, others, base):
        All taps, the numbers of those that are weighed, and of each of these the quantity that it
        is weighed by the difference to: N, the reference plane's X, or 0.
    """
    names = [*TAPS, *REFERENCE_TAPS[: references * TAPS_OF_ONE]]
    base = [ZERO] * len(names)
    for taps, first in zip(taps_of_planes(references), ("N", "aX", "bX"), strict=False):
        base[taps] = [first] * (taps.stop - taps.start)
    others = np.array([k for k, name in enumerate(names) if name != base[k]])
    return names, others, np.array([ALL_QUANTITIES[base[k]] for k in others])


def weighed(quantity: np.ndarray, references: int) -> np.ndarray:
    """The differences that linear predictors weigh: int32 (n, m)."""
    names, others, base = taps_of(references)
    at = np.array([ALL_QUANTITIES[name] for name in names])
    return quantity[:, at[others]] - quantity[:, base]


def whole_coefficients(exact: np.ndarray, references: int = 0) -> np.ndarray:
    """Coefficients in 1/128 whose sums are those of `Predictor`: int64, from those of `weighed`."""
    names, others, _ = taps_of(references)
    whole = np.zeros(len(names), dtype=np.int64)
    rounded = np.rint(exact * (1 << COEFFICIENT_BITS))
    whole[others] = np.clip(rounded, -_MOST, _MOST)
    own, *planes = taps_of_planes(references)
    _complete(whole[own], NORTH, _W, 1 << COEFFICIENT_BITS)
    for taps in planes:
        _complete(whole[taps], 0, 1, 0)
    return whole


def _complete(whole: np.ndarray, first: int, second: int, total: int) -> None:
    """Make coefficients add up to ``total`` by the first, and by a second if that cannot do it."""
    wanted = total - (whole.sum() - whole[first])
    whole[first] = min(max(wanted, -_MOST), _MOST)
    whole[second] += wanted - whole[first]


@dataclass(eq=False)
class _Node:
    """A leaf that may be split: its samples, and the best split found."""

    chosen: np.ndarray
    gain: float
    feature: int
    bin: int
    children: "tuple[_Node, _Node] | None" = None


def _edges(features: np.ndarray) -> list[np.ndarray]:
    """Thresholds of each feature, at most 15, between equal shares of the samples."""
    shares = np.linspace(0, 1, _BINS + 1)[1:-1]
    return [np.unique(np.quantile(row[::7], shares, method="nearest")) for row in features]


def _candidate(
    judged: np.ndarray, bins: np.ndarray, edges: list[np.ndarray], chosen: np.ndarray
) -> _Node:
    """A leaf of the chosen samples, with its best split by the ``judged`` values."""
    node = _Node(chosen, 0.0, -1, -1)
    step = -(-len(chosen) // JUDGED)
    moment, number = _moments(judged, bins, chosen[::step], _BINS)
    below = np.cumsum(moment, axis=1)
    n_below = np.cumsum(number, axis=1)
    whole, count = below[0, -1], int(n_below[0, -1])
    error, _ = _solve(whole)
    least = max(1, _LEAST_SAMPLES // step)
    for f, thresholds in enumerate(edges):
        usable = [
            b for b in range(len(thresholds))
            if min(n_below[f, b], count - n_below[f, b]) >= least
        ]  # fmt: skip
        if not usable:
            continue
        left, _ = _solve(below[f, usable])
        right, _ = _solve(whole - below[f, usable])
        gains = (error - left - right) * step
        k = int(np.argmax(gains))
        if gains[k] > node.gain:
            node.gain, node.feature, node.bin = float(gains[k]), f, usable[k]
    return node


def grow_predictor(
    quantity: np.ndarray, value: np.ndarray, weight: np.ndarray, features: np.ndarray,
    leaves: int, tick: Callable[[float], None] = lambda share: None,
) -> Predictor:  # fmt: skip
    """Grow a predictor by weighted least squares.

    Parameters
    ----------
    quantity:
        int32, shape (n, quantities), in 1/8 of a sample.
    value:
        int32, shape (n,): what is predicted, in 1/8 of a sample.
    weight:
        float32, shape (n,): of each squared error.
    features:
        uint8, shape (F, n): what the tree may compare.
    leaves:
        Most leaves.
    tick:
        Told the share of the leaves that are there.
    """
    references = references_of(quantity.shape[1])
    north = quantity[:, NORTH : NORTH + 1]
    values = np.concatenate(
        [weighed(quantity, references), value[:, None] - north], axis=1
    ).astype(np.float32)
    values *= np.sqrt(weight)[:, None]
    edges = _edges(features)
    bins = np.stack([
        np.searchsorted(edge, row, side="left").astype(np.uint8)
        for edge, row in zip(edges, features, strict=True)
    ])  # fmt: skip
    taps, others, _ = taps_of(references)
    names = [taps[k] for k in others]
    judges = [n for n in (_JUDGES_OF_REFERENCES if references else _JUDGES) if n in names]
    judged = np.ascontiguousarray(values[:, [*(names.index(name) for name in judges), -1]])
    root = _candidate(judged, bins, edges, np.arange(len(value)))
    open_ = [root]
    while len(open_) < leaves:
        node = max(open_, key=lambda n: n.gain)
        if node.feature < 0:
            break
        open_.remove(node)
        above = bins[node.feature, node.chosen] > node.bin
        first, second = (
            _candidate(judged, bins, edges, node.chosen[side]) for side in (~above, above)
        )
        node.children = (first, second)
        node.chosen = node.chosen[:0]
        open_ += node.children
        tick(len(open_) / leaves)
    return _pack(root, edges, values, references)


def _pack(
    root: _Node, edges: list[np.ndarray], values: np.ndarray, references: int
) -> Predictor:
    """The tree as arrays, nodes before their children."""
    feature: list[int] = []
    threshold: list[int] = []
    child: list[list[int]] = []
    coefficients: list[np.ndarray] = []

    def place(node: _Node) -> int:
        if node.children is None:
            whole = whole_coefficients(_fit(values, node.chosen), references)
            coefficients.append(whole)
            return -len(coefficients)
        at = len(feature)
        feature.append(node.feature)
        threshold.append(int(edges[node.feature][node.bin]))
        child.append([0, 0])
        for side in (0, 1):
            child[at][side] = place(node.children[side])
        return at

    place(root)
    return Predictor(
        np.array(feature, dtype=np.uint8), np.array(threshold, dtype=np.uint8),
        np.array(child, dtype=np.int16).reshape(-1, 2), np.array(coefficients, dtype=np.int16),
    )  # fmt: skip
