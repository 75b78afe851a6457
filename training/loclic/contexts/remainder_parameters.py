"""Scales and means of the remainder."""

import torch
from torch import nn

from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.convolution import conv1x1, conv3x3

__all__ = ["RemainderParameters"]

_WIDTHS = (128, 96)


class RemainderParameters(nn.Module):
    """Of all cells at once, from y and what the hyper-synthesis says of it.

    ::

        (B, 3M, h, w) -- conv1x1 128 -- conv3x3 96 -- conv1x1 -- (B, 2r, h, w): scales, means;
                                                                 GELU between
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        a, b = _WIDTHS
        self.stages = nn.Sequential(
            conv1x1(3 * config.latent, a), nn.GELU(), conv3x3(a, b), nn.GELU(),
            conv1x1(b, 2 * config.remainder),
        )  # fmt: skip

    def forward(
        self, scales: torch.Tensor, means: torch.Tensor, y_hat: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scales, means = self.stages(torch.cat([scales, means, y_hat], 1)).chunk(2, 1)
        return scales, means
