"""Generalised divisive normalisation."""

import torch
from torch import nn
from torch.nn import functional

from lutgen.training.loclic.networks.bound import lower_bound

__all__ = ["GDN"]

_BETA_LEAST = 1e-6
_GAMMA_FIRST = 0.1
#: Parameters are stored as square roots of themselves and this, so that steps shrink near zero.
_PEDESTAL = 2.0**-36


class GDN(nn.Module):
    """Generalised divisive normalisation, and its approximate inverse.

    J. Ballé, V. Laparra, E. Simoncelli, "Density modeling of images using a generalized
    normalization transformation", ICLR 2016; parameters as in Ballé et al. 2018, section 6.

    ::

        x --+------------------------------> / --> y       y_i = x_i / sqrt(beta_i +
            +-- square -- gamma, beta -- sqrt ^                  sum_j gamma_ij x_j^2)

    Parameters
    ----------
    width:
        Channels of x, shape (B, width, H, W), and of y.
    inverse:
        Multiply where it would divide.
    """

    def __init__(self, width: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.sqrt(torch.ones(width) + _PEDESTAL))
        self.gamma = nn.Parameter(torch.sqrt(_GAMMA_FIRST * torch.eye(width) + _PEDESTAL))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        beta = lower_bound(self.beta, (_BETA_LEAST + _PEDESTAL) ** 0.5) ** 2 - _PEDESTAL
        gamma = lower_bound(self.gamma, _PEDESTAL**0.5) ** 2 - _PEDESTAL
        norm = functional.conv2d(x * x, gamma[:, :, None, None], beta)
        return x * (torch.sqrt(norm) if self.inverse else torch.rsqrt(norm))
