"""Residual block that doubles the resolution."""

import torch
from torch import nn

from lutgen.training.loclic.networks.convolution import conv3x3, subpixel3x3
from lutgen.training.loclic.networks.gdn import GDN

__all__ = ["ResidualUp"]


class ResidualUp(nn.Module):
    """A subpixel convolution, a second one and inverse GDN beside a subpixel skip: RBU.

    Cheng et al. 2020, figure 4, with GELU as in MLIC++.

    ::

        (B, a, H, W) --+-- subpixel3x3 x2 -- GELU -- conv3x3 -- IGDN --(+)-- (B, b, 2H, 2W)
                       +-- subpixel3x3 x2 ------------------------------^
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.body = nn.Sequential(subpixel3x3(a, b), nn.GELU(), conv3x3(b, b), GDN(b, inverse=True))
        self.skip = subpixel3x3(a, b)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + self.skip(x)
