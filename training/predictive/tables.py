"""Token tables: how often each token came in each class, smoothed."""

import numpy as np

from lutgen.codec.predictive.kernel import predict_of, scratch, target
from lutgen.files.compiled import njit
from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.model import CLASS_BITS, TABLES, PredictiveModel
from lutgen.model.predictive.residual import TOKENS, fold, token_of

from .draw import Drawn

__all__ = ["count_tokens", "scales_of", "tables"]

#: Samples that the density counts for in each row.
_PRIOR = 40.0
#: Share of the density's prior that has four times the spread.
_TAIL = 0.1
_TOTAL = 1 << PROB_BITS


@njit(nogil=True)
def _scales(kernel, quantity, depth, references, out):
    now = np.zeros(quantity.shape[1], dtype=np.int64)
    _, feature, _ = scratch(len(kernel.gain))
    for i in range(len(quantity)):
        now[:] = quantity[i]
        _, out[i], _ = predict_of(kernel, now, depth[i], feature, references)


def scales_of(model: PredictiveModel, drawn: Drawn) -> np.ndarray:
    """Logarithm of the spread of drawn samples, in 1/32 of an octave: int32, shape (n,)."""
    out = np.empty(len(drawn.sample), dtype=np.int32)
    _scales(model.kernel, drawn.quantity, drawn.depth, drawn.references, out)
    return out


@njit(nogil=True)
def _count(kernel, quantity, sample, depth, references, count):
    now = np.zeros(quantity.shape[1], dtype=np.int64)
    _, feature, _ = scratch(len(kernel.gain))
    for i in range(len(quantity)):
        now[:] = quantity[i]
        final, scale, plain = predict_of(kernel, now, depth[i], feature, references)
        most = (1 << depth[i]) - 1
        whole, rest, row = target(kernel, final, scale, plain, 1, most)
        count[row, token_of(fold(sample[i], whole, rest, most))[0]] += 1


def count_tokens(model: PredictiveModel, drawn: Drawn) -> np.ndarray:
    """How often each token came in each row of the model's table: int64, shape (3 K, 64)."""
    count = np.zeros((TABLES * model.classes, TOKENS), dtype=np.int64)
    _count(
        model.kernel, drawn.quantity, drawn.sample, drawn.depth, drawn.references, count
    )
    return count


def _densities(model: PredictiveModel) -> np.ndarray:
    """Probability of each token in each class by the logistic density: shape (K, 64)."""
    folded = np.concatenate([np.arange(1 << 12), np.geomspace(1 << 12, (1 << 16) - 1, 1 << 11)])
    width = np.diff(folded, append=1 << 16)
    token = np.array([token_of(int(u))[0] for u in folded])
    octave = (model.origin + (np.arange(model.classes) + 0.5) * (1 << CLASS_BITS)) / 32
    result = np.zeros((model.classes, TOKENS))
    for share, factor in ((1 - _TAIL, 1), (_TAIL, 4)):
        spread = factor * 2.0 ** (octave - 11)[:, None]
        mass = width / spread / (1 + np.exp(-folded / 2 / spread)) ** 2
        mass *= np.exp(-folded / 2 / spread)
        sums = np.stack([np.bincount(token, row, TOKENS) for row in mass])
        result = result + share * sums / sums.sum(axis=1, keepdims=True)
    return result


def _whole(share: np.ndarray) -> np.ndarray:
    """Frequencies of at least 1 that add up to 2**14, next to the shares of each row."""
    result = np.maximum(1, np.floor(share * (_TOTAL - TOKENS)).astype(np.int64) + 1)
    rows = np.arange(len(result))
    result[rows, share.argmax(axis=1)] += _TOTAL - result.sum(axis=1)
    return result


def tables(
    model: PredictiveModel, count: np.ndarray, prior: np.ndarray | None = None
) -> np.ndarray:
    """Cumulative frequencies from counts, int32, shape (3 K, 65).

    ``prior`` are counts of each token in each row that are added; those of a density unless given.
    """
    if prior is None:
        prior = _PRIOR * _densities(model).repeat(TABLES, axis=0)
    share = count + prior
    share = share / share.sum(axis=1, keepdims=True)
    freq = _whole(share)
    return np.concatenate(
        [np.zeros((len(freq), 1), np.int64), freq.cumsum(axis=1)], axis=1
    ).astype(np.int32)
