"""Fit of the scale S: how much each neighbour's error tells about the next one."""

from collections.abc import Callable

import numpy as np

from lutgen.model.predictive.features import LEAST_SCALE, STANDARD_TERMS, Scale, pairs

from .draw import Drawn
from .likelihood import bits

__all__ = ["SUBSAMPLE", "fit_scale", "log_spread"]

#: Samples that it is fitted to, at most.
SUBSAMPLE = 120_000
#: S is this many times the spread in 1/8 of a sample.
_UNITS = 256 * 8
_FIRST_STEP, _LAST_STEP = 0.8, 0.05
#: Sweeps after which half of the work is done, about.
_SWEEPS = 6


def log_spread(logarithm: np.ndarray) -> np.ndarray:
    """Natural logarithm of the spread in samples, from that of S in 1/16 of an octave."""
    return (logarithm * (np.log(2) / 16) - np.log(_UNITS)).astype(np.float32)


def fit_scale(
    drawn: Drawn, before: Scale, seed: int, tick: Callable[[float], None] = lambda share: None
) -> Scale:
    """Weights that make the code length of the first predictions' errors least.

    Coordinate search over the logarithms of the weights, from those of ``before``.  ``tick`` is
    told the share that is done, by a guess at the sweeps that are left.
    """
    rng = np.random.default_rng(seed)
    n = len(drawn.sample)
    chosen = rng.choice(n, min(n, SUBSAMPLE), replace=False)
    quantity = drawn.quantity[chosen].astype(np.float32)
    a, b = pairs(STANDARD_TERMS).T
    size = np.abs(quantity[:, a] - quantity[:, b])
    residual = drawn.error[chosen]
    weight = np.array([max(before.weights.get(t, 0), 0.3) for t in STANDARD_TERMS] + [before.least])

    def cost(weight):
        total = size @ weight[:-1].astype(np.float32) + np.float32(weight[-1])
        return bits(residual, np.log(total) - np.float32(np.log(_UNITS)))

    best, step, sweeps = cost(weight), _FIRST_STEP, 0
    while step > _LAST_STEP:
        moved = False
        tick(sweeps / (sweeps + _SWEEPS))
        sweeps += 1
        for k in range(len(weight)):
            for factor in (np.exp(step), np.exp(-step)):
                trial = weight.copy()
                trial[k] *= factor
                found = cost(trial)
                if found < best - 1e-6:
                    best, weight, moved = found, trial, True
        if not moved:
            step /= 2
    whole = np.rint(weight).astype(int)
    return Scale(
        {t: int(min(w, 255)) for t, w in zip(STANDARD_TERMS, whole, strict=False) if w},
        int(min(max(whole[-1], LEAST_SCALE), 65535)),
    )
