"""Entropy parameters."""

import torch
from torch import nn

from lutgen.training.loclic.networks.convolution import conv1x1

__all__ = ["EntropyParameters"]


class EntropyParameters(nn.Module):
    """Scales and means of one half of a slice from all contexts, of MLIC++, cell by cell.

    ::

        (B, width, h, w) -- conv1x1 320 -- 256 -- 128 -- (B, 2c, h, w): scales, means; GELU between
    """

    def __init__(self, width: int, c: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(
            conv1x1(width, 320), nn.GELU(),
            conv1x1(320, 256), nn.GELU(),
            conv1x1(256, 128), nn.GELU(),
            conv1x1(128, 2 * c),
        )  # fmt: skip

    def forward(self, contexts: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Scales and means, each (B, c, h, w)."""
        scales, means = self.stages(torch.cat(contexts, 1)).chunk(2, 1)
        return scales, means
