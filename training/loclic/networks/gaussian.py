"""Gaussian model of y."""

import math

import torch

from lutgen.training.loclic.networks.bound import lower_bound

__all__ = ["LEAST_LIKELIHOOD", "LEAST_SCALE", "likelihood", "scale_table"]

LEAST_SCALE = 0.11
#: Keeps the rate of what the model holds for impossible finite.
LEAST_LIKELIHOOD = 1e-9


def scale_table(count: int = 64, greatest: float = 256.0) -> torch.Tensor:
    """Scales that tables are made for, evenly spaced in the logarithm: float64, (count,)."""
    low, high = math.log(LEAST_SCALE), math.log(greatest)
    return torch.exp(torch.linspace(low, high, count, dtype=torch.float64))


def likelihood(y: torch.Tensor, scales: torch.Tensor, means: torch.Tensor) -> torch.Tensor:
    """Probability of the unit interval round y under normal distributions; any equal shapes.

    Ballé et al. 2018, section 4; scales are at least `LEAST_SCALE`.
    """
    scales = lower_bound(scales, LEAST_SCALE)
    # In the lower tail, differences do not drown in numbers near one.
    away = -(y - means).abs()
    upper, lower = (_cumulative((away + half) / scales) for half in (0.5, -0.5))
    return lower_bound(upper - lower, LEAST_LIKELIHOOD)


def _cumulative(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * torch.erfc(-(2**-0.5) * x)
