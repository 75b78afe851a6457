"""Fit of the scale S: how much each neighbour's error tells about the next one."""

from collections.abc import Callable

import numpy as np

from lutgen.model.predictive.features import LEAST_SCALE, Scale, pairs, standard_terms

from .draw import Drawn
from .likelihood import bits, slopes

__all__ = ["SUBSAMPLE", "fit_scale", "log_spread"]

#: Samples that it is fitted to, at most.
SUBSAMPLE = 120_000
#: S is this many times the spread in 1/8 of a sample.
_UNITS = 256 * 8
#: A weight below this is nearly none; greatest weight, and greatest S without errors.
_SMALL, _MOST, _MOST_LEAST = 0.3, 255, 65535
#: Share of the curvature by which steps are shortened: at first, and when no step helps.
_DAMPING, _STOP = 1e-3, 1e4
#: Most steps, those after which half of the work is done, about, and the least gain of one in bits.
_STEPS, _USUAL, _GAIN = 60, 6, 2e-6


def log_spread(logarithm: np.ndarray) -> np.ndarray:
    """Natural logarithm of the spread in samples, from that of S in 1/16 of an octave."""
    return (logarithm * (np.log(2) / 16) - np.log(_UNITS)).astype(np.float32)


def fit_scale(
    drawn: Drawn, before: Scale, seed: int, tick: Callable[[float], None] = lambda share: None
) -> Scale:
    """Weights that make the code length of the first predictions' errors least.

    Damped Newton steps, with the expected curvature, over the logarithms of the weights, from those
    of ``before``.  ``tick`` is told the share that is done, by a guess at the steps that are left.
    """
    rng = np.random.default_rng(seed)
    n = len(drawn.sample)
    chosen = rng.choice(n, min(n, SUBSAMPLE), replace=False)
    quantity = drawn.quantity[chosen].astype(np.float32)
    terms = standard_terms(drawn.references)
    a, b = pairs(terms).T
    size = np.abs(quantity[:, a] - quantity[:, b])
    size = np.concatenate([size, np.ones((len(size), 1), dtype=np.float32)], axis=1)
    residual = drawn.error[chosen]
    slope, curve = np.empty_like(residual), np.empty_like(residual)
    first = [max(before.weights.get(t, 0), _SMALL) for t in terms] + [before.least]
    place = np.log(np.array(first, dtype=np.float64))
    low = np.log([_SMALL] * len(terms) + [LEAST_SCALE])
    high = np.log([_MOST] * len(terms) + [_MOST_LEAST])

    def spread(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = size @ np.exp(place).astype(np.float32)
        return total, np.log(total) - np.float32(np.log(_UNITS))

    total, now = spread(place)
    best, damping = bits(residual, now), _DAMPING
    for k in range(_STEPS):
        tick(k / (k + _USUAL))
        slopes(residual, now, True, slope, curve)
        share = size * (np.exp(place).astype(np.float32) / total[:, None])
        bend = (share.T @ (share * curve[:, None])).astype(np.float64)
        push = (share.T @ slope).astype(np.float64)
        before_ = best
        while damping < _STOP:
            stiff = bend + np.diag(damping * np.diag(bend) + 1e-9 * n)
            trial = np.clip(place - np.clip(np.linalg.solve(stiff, push), -1, 1), low, high)
            trial_total, trial_now = spread(trial)
            found = bits(residual, trial_now)
            if found < best:
                place, total, now, best = trial, trial_total, trial_now, found
                damping /= 3
                break
            damping *= 4
        if before_ - best < _GAIN:
            break
    whole = np.rint(np.exp(place)).astype(int).tolist()
    weights = {t: w for t, w in zip(terms, whole[:-1], strict=True) if w}
    return Scale(weights, min(max(whole[-1], LEAST_SCALE), _MOST_LEAST))
