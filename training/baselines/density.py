"""Discretised densities: probabilities of grey values, with a floor as in integer tables."""

import math

import torch
from torch import Tensor

from lutgen.model.head import PROB_BITS

__all__ = ["FLOOR", "code_length", "laplace_cdf", "logistic_mixture_cdf"]

#: Least probability of a possible value: one unit of an integer table.
FLOOR = 2.0**-PROB_BITS


def laplace_cdf(x: Tensor, mu: Tensor, log_scale: Tensor) -> Tensor:
    """Distribution function of the Laplace density; shapes broadcast."""
    t = (x - mu) * torch.exp(-log_scale)
    tail = 0.5 * torch.exp(-t.abs())
    return torch.where(t < 0, tail, 1 - tail)


def logistic_mixture_cdf(x: Tensor, weights: Tensor, mu: Tensor, log_scale: Tensor) -> Tensor:
    """Distribution function of a mixture of logistics, components in the last dimension.

    ``x`` has no such dimension; the others broadcast.  ``weights`` sum to one.
    """
    t = (x[..., None] - mu) * torch.exp(-log_scale)
    return (weights * torch.sigmoid(t)).sum(dim=-1)


def code_length(x: Tensor, cdf, low: Tensor | float = 0.0, high: Tensor | float = 255.0) -> Tensor:
    """Ideal code length in bits of values whose density has the distribution function ``cdf``.

    The probability of a value is the integral over ``[x - 0.5, x + 0.5]`` (GIC-DLC, section 3.1);
    the tails below ``low`` and above ``high`` are folded into these.  Each of the values in
    between gets `FLOOR`, the density shares the rest.

    Parameters
    ----------
    x:
        float, whole numbers within ``low`` .. ``high``.
    cdf:
        Function of a tensor of the shape of ``x``.
    low, high:
        Least and greatest possible value; shapes broadcast with ``x``.
    """
    above = torch.where(x >= high, 1.0, cdf(x + 0.5))
    below = torch.where(x <= low, 0.0, cdf(x - 0.5))
    mass = (1 - FLOOR * (high - low + 1)) * (above - below) + FLOOR
    return torch.log(mass) * (-1 / math.log(2))
