"""Bjøntegaard differences of two rate-distortion curves.

G. Bjøntegaard, "Calculation of average PSNR differences between RD-curves", ITU-T VCEG-M33, 2001:
a cubic through the points of each curve, over the logarithm of the rate, and the mean difference
where both curves are.  Importable without torch.
"""

import numpy as np

from lutgen.errors import InputError

__all__ = ["bd_quality", "bd_rate"]

_DEGREE = 3


def bd_rate(reference, test) -> float:
    """Mean difference in rate at equal quality, in percent; negative where ``test`` needs less.

    Parameters
    ----------
    reference, test:
        Curves: bits per pixel, and PSNR in dB or any other quality, of each point.  At least four
        points, in any order.

    Raises
    ------
    InputError
        If there are fewer, a rate is not above zero, or the curves share no quality.
    """
    (r0, q0), (r1, q1) = _curve(reference), _curve(test)
    return float(100 * np.expm1(_mean_difference(q0, r0, q1, r1, "quality")))


def bd_quality(reference, test) -> float:
    """Mean difference in quality at equal rate (BD-PSNR); see `bd_rate`."""
    (r0, q0), (r1, q1) = _curve(reference), _curve(test)
    return float(_mean_difference(r0, q0, r1, q1, "rate"))


def _curve(points) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of rates, and qualities."""
    rates, qualities = (np.asarray(values, np.float64) for values in points)
    if rates.ndim != 1 or rates.shape != qualities.shape or rates.size <= _DEGREE:
        raise InputError(
            f"curve must have at least {_DEGREE + 1} points of rate and quality, not "
            f"{rates.size} and {qualities.size}"
        )
    if not (np.isfinite(rates).all() and np.isfinite(qualities).all() and (rates > 0).all()):
        raise InputError("rates must be above zero and qualities finite numbers")
    return np.log(rates), qualities


def _mean_difference(x0, y0, x1, y1, what: str) -> float:
    low, high = max(x0.min(), x1.min()), min(x0.max(), x1.max())
    if low >= high:
        raise InputError(f"curves must share a range of {what}, not end where the other begins")
    areas = []
    for x, y in ((x0, y0), (x1, y1)):
        # Fitted round zero, or powers of 40 dB cost digits.
        integral = np.polynomial.Polynomial.fit(x, y, _DEGREE).integ()
        areas.append(integral(high) - integral(low))
    return (areas[1] - areas[0]) / (high - low)
