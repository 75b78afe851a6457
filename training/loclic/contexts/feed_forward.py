"""Pointwise layers round a depthwise convolution."""

import torch
from torch import nn

from lutgen.training.loclic.networks.convolution import conv1x1, depthwise3x3

__all__ = ["FeedForward"]


class FeedForward(nn.Module):
    """Mixes the channels of a context, of MLIC++.

    ::

        (B, a, h, w) --+-- conv1x1(a, hidden) -- GELU -- dw3x3 -- GELU -- conv1x1(hidden, b) --(+)--
                       +-- identity, or conv1x1 if a != b --------------------------------------^
    """

    def __init__(self, a: int, hidden: int, b: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv1x1(a, hidden), nn.GELU(), depthwise3x3(hidden), nn.GELU(), conv1x1(hidden, b)
        )
        self.skip = nn.Identity() if a == b else conv1x1(a, b)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + self.skip(x)
