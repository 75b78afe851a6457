"""Rounding of residuals that weighs their bits.

An encoder's choice, of which decoders know nothing: a residual goes one step towards zero where
that saves more bits than the error is worth, as video encoders do.
"""

import math

import numpy as np

from lutgen.codec.lossy.residuals import GREATEST, ResidualTables

__all__ = ["THRIFT", "residual_bits", "thrifty_residuals"]

#: Chosen on training images; 1 would be the slope of rate and error at high rates.
THRIFT = 1.0
#: dD/dR of uniform steps at high rates, D = 1/12 of the square of a step.
_SLOPE = 2 * math.log(2) / 12


def residual_bits(tables: ResidualTables) -> np.ndarray:
    """What residuals cost: float32 bits, (classes, 255) of -127..127, escapes at their price."""
    freq = np.diff(tables.tables.cumulative, axis=1).astype(np.float64)
    with np.errstate(divide="ignore"):
        bits = 14 - np.log2(freq)
    direct, escape = bits[:, :-1], bits[:, -1:]
    return np.where(np.isfinite(direct), direct, escape + direct[tables.far]).astype(np.float32)


def thrifty_residuals(
    exact: np.ndarray, classes: np.ndarray, bits: np.ndarray, thrift: float
) -> np.ndarray:
    """Integers for residuals.

    Parameters
    ----------
    exact:
        Residuals in steps, float, (n,).
    classes:
        Class of each, int64, (n,).
    bits:
        Of `residual_bits`.
    thrift:
        Weight of bits; 0 rounds to the nearest, halves up.

    Returns
    -------
    np.ndarray
        int64, (n,), within the greatest that can be coded.
    """
    nearest = np.clip(np.floor(exact + 0.5), -GREATEST, GREATEST)
    lower = nearest - np.sign(nearest)
    most = bits.shape[1] // 2

    def cost(residuals):
        column = np.clip(residuals, -most, most).astype(np.int64) + most
        return (exact - residuals) ** 2 + thrift * _SLOPE * bits[classes, column]

    return np.where(cost(lower) < cost(nearest), lower, nearest).astype(np.int64)
