"""Code length of residuals under a logistic density, which trees and scales are trained by.

A sample x has the probability that the density of location mu and spread s gives to the interval
[x - 1/2, x + 1/2].  Real residuals have heavier or lighter tails, which the token tables learn; as
a yardstick for locations and scales the density is good enough, and it is smooth.
"""

import math

import numba
import numpy as np

from lutgen.files.compiled import njit

__all__ = ["bits", "slopes"]

_LEAST = 1e-12
_CHUNK = 1 << 12


@njit(nogil=True, forceinline=True)
def _at(residual, log_spread):
    """Probability, and the densities at both ends of the interval times the spread."""
    s = math.exp(log_spread)
    a = (abs(residual) - 0.5) / s
    b = (abs(residual) + 0.5) / s
    tail_a = 1 / (1 + math.exp(a)) if a < 30 else math.exp(-a)
    tail_b = 1 / (1 + math.exp(b)) if b < 30 else math.exp(-b)
    p = max(tail_a - tail_b, _LEAST)
    return p, a, b, tail_a * (1 - tail_a), tail_b * (1 - tail_b), s


@njit(nogil=True, parallel=True, fastmath=True)
def _bits(residual, log_spread, out):
    for k in numba.prange(len(out)):
        total = 0.0
        for i in range(k * _CHUNK, min((k + 1) * _CHUNK, len(residual))):
            total -= math.log2(_at(residual[i], log_spread[i])[0])
        out[k] = total


def bits(residual: np.ndarray, log_spread: np.ndarray) -> float:
    """Mean bits of a sample; float32 arrays of shape (n,), residuals ``x - mu``.

    Added up in an order that no number of threads changes.
    """
    out = np.empty(-(-len(residual) // _CHUNK))
    _bits(residual, log_spread, out)
    return float(out.sum()) / max(1, len(residual))


@njit(nogil=True, parallel=True, fastmath=True)
def slopes(residual, log_spread, of_scale, slope, curve):
    """Slope and curvature of the code length, in nats, for each sample.

    By the logarithm of the spread if ``of_scale``, else by the location in units of the spread.
    The curvature is the expected one, so that it is never negative.
    """
    for i in numba.prange(len(residual)):
        p, a, b, at_a, at_b, _ = _at(residual[i], log_spread[i])
        if of_scale:
            slope[i] = (b * at_b - a * at_a) / p
            curve[i] = 1.43 * (1 - p * p) + 0.02
        else:
            slope[i] = np.sign(residual[i]) * (at_b - at_a) / p
            curve[i] = (1 - p) / 3 + 1e-4
