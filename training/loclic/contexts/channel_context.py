"""Channel context."""

import torch
from torch import nn

from lutgen.training.loclic.networks.convolution import conv3x3

__all__ = ["ChannelContext"]


class ChannelContext(nn.Module):
    """What a slice can expect from the slices that are decoded, near the same cell.

    MLIC++, after Minnen and Singh, "Channel-wise Autoregressive Entropy Models for Learned Image
    Compression", ICIP 2020.

    ::

        (B, i c, h, w) -- conv3x3 192 -- GELU -- conv3x3 128 -- GELU -- conv3x3 -- (B, 4c, h, w)
    """

    def __init__(self, known: int, c: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            conv3x3(known, 192), nn.GELU(), conv3x3(192, 128), nn.GELU(), conv3x3(128, 4 * c)
        )

    def forward(self, decoded: torch.Tensor) -> torch.Tensor:
        return self.stages(decoded)
