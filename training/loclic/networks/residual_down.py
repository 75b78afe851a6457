"""Residual block that halves the resolution."""

import torch
from torch import nn

from lutgen.training.loclic.networks.convolution import conv1x1, conv3x3
from lutgen.training.loclic.networks.gdn import GDN

__all__ = ["ResidualDown"]


class ResidualDown(nn.Module):
    """A strided convolution, a second one and GDN beside a strided skip connection: RBS.

    Cheng et al. 2020, figure 4, with GELU as in MLIC++.

    ::

        (B, a, H, W) --+-- conv3x3 /2 -- GELU -- conv3x3 -- GDN --(+)-- (B, b, H/2, W/2)
                       +-- conv1x1 /2 -----------------------------^
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv3x3(a, b, 2), nn.GELU(), conv3x3(b, b), GDN(b))
        self.skip = conv1x1(a, b, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + self.skip(x)
