"""Residual block that keeps the resolution."""

import torch
from torch import nn

from lutgen.training.loclic.networks.convolution import conv1x1, conv3x3

__all__ = ["ResidualBlock"]


class ResidualBlock(nn.Module):
    """Two convolutions beside a skip connection: RB.

    Cheng et al. 2020, figure 4, with GELU as in MLIC++.

    ::

        (B, a, H, W) --+-- conv3x3 -- GELU -- conv3x3 -- GELU --(+)-- (B, b, H, W)
                       +-- identity, or conv1x1 if a != b -------^
    """

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv3x3(a, b), nn.GELU(), conv3x3(b, b), nn.GELU())
        self.skip = nn.Identity() if a == b else conv1x1(a, b)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + self.skip(x)
