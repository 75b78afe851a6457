"""Factorized prior of z."""

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from lutgen.training.loclic.networks.bound import lower_bound
from lutgen.training.loclic.networks.gaussian import LEAST_LIKELIHOOD

__all__ = ["FactorizedPrior"]

#: As in CompressAI, one layer more than in the paper.
_HIDDEN = (3, 3, 3, 3)
#: Scale of the logistic distribution at first: its deviation, 1.81 of these, is that of z with
#: noise, which begins with unit variance (`lutgen.training.loclic.initial`).  One of 10, as in
#: CompressAI, costs 3 bits more for each value.
_SCALE = 0.575
#: Probability beyond the outer quantiles.
_TAILS = 1e-9


class FactorizedPrior(nn.Module):
    """A learned distribution for each channel, the same in all cells.

    Ballé et al., "Variational image compression with a scale hyperprior", ICLR 2018, appendix 6.1.

    ::

        value -- (matrix, bias, gate) x 4 -- matrix, bias -- logit of the cumulative probability

    Parameters
    ----------
    width:
        Channels of z, (B, width, h, w).
    """

    _targets: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        sizes = (1, *_HIDDEN, 1)
        shrink = _SCALE ** (1 / (len(sizes) - 1))
        self.matrices, self.biases, self.gates = (nn.ParameterList() for _ in range(3))
        for a, b in pairwise(sizes):
            first = math.log(math.expm1(1 / shrink / b))
            self.matrices.append(torch.full((width, b, a), first))
            self.biases.append(torch.rand(width, b, 1) - 0.5)
        for b in _HIDDEN:
            self.gates.append(torch.zeros(width, b, 1))
        #: Lower tail, median and upper tail of each channel, followed by the auxiliary loss.
        self.quantiles = nn.Parameter(_SCALE * _targets().repeat(width, 1))
        self.register_buffer("_targets", _targets(), persistent=False)
        with torch.no_grad():  # random biases had moved the median
            self.biases[-1] -= self.logits(torch.zeros(width, 1))[..., None]

    def logits(self, values: torch.Tensor, *, fixed: bool = False) -> torch.Tensor:
        """Logits of cumulative probabilities.

        Parameters
        ----------
        values:
            (width, n).
        fixed:
            Let no gradient through to the distribution.

        Returns
        -------
        torch.Tensor
            (width, n).
        """

        def own(parameter: torch.Tensor) -> torch.Tensor:
            return parameter.detach() if fixed else parameter

        x = values[:, None]
        for k, (matrix, bias) in enumerate(zip(self.matrices, self.biases, strict=True)):
            x = torch.bmm(functional.softplus(own(matrix)), x) + own(bias)
            if k < len(self.gates):
                x = x + torch.tanh(own(self.gates[k])) * torch.tanh(x)
        return x[:, 0]

    @property
    def medians(self) -> torch.Tensor:
        """(width, 1, 1)."""
        return self.quantiles[:, 1, None, None].detach()

    def probability(self, values: torch.Tensor) -> torch.Tensor:
        """Probability of the unit interval round each value, (width, n); it may be zero."""
        lower, upper = self.logits(values - 0.5), self.logits(values + 0.5)
        # Both on the side where sigmoids are small; in the middle, where their sum is none, either.
        sign = torch.where(lower + upper > 0, -1.0, 1.0).to(values.dtype)
        return (torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower)).abs()

    def likelihood(self, z: torch.Tensor) -> torch.Tensor:
        """Probability of the unit interval round each value of z, (B, width, h, w), bounded."""
        found = self.probability(z.transpose(0, 1).flatten(1))
        found = lower_bound(found, LEAST_LIKELIHOOD)
        return found.reshape(z.transpose(0, 1).shape).transpose(0, 1)

    def loss(self) -> torch.Tensor:
        """Auxiliary loss: how far the quantiles are from where they belong, a sum."""
        return (self.logits(self.quantiles, fixed=True) - self._targets).abs().sum()


def _targets() -> torch.Tensor:
    """Logits at the quantiles."""
    tail = math.log(2 / _TAILS - 1)
    return torch.tensor([-tail, 0.0, tail])
