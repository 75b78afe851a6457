"""Hyper-analysis transform: y to z."""

import torch
from torch import nn

from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.convolution import conv3x3

__all__ = ["HyperAnalysis"]


class HyperAnalysis(nn.Module):
    """What the side information is made by, h_a, of MLIC++ (after Cheng et al. 2020).

    ::

        (B, M, h, w) -- conv3x3(M, N) -- conv3x3 -- conv3x3 /2 -- conv3x3 -- conv3x3 /2
        -- (B, N, h/4, w/4), GELU between
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        n = config.hyper_width
        self.stages = nn.Sequential(
            conv3x3(config.latent, n), nn.GELU(),
            conv3x3(n, n), nn.GELU(),
            conv3x3(n, n, 2), nn.GELU(),
            conv3x3(n, n), nn.GELU(),
            conv3x3(n, n, 2),
        )  # fmt: skip

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return self.stages(y)
