"""Hyper-synthesis transform: decoded z to a first guess of the scales and means of y."""

import torch
from torch import nn

from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.convolution import conv3x3, subpixel3x3

__all__ = ["HyperSynthesis"]


class HyperSynthesis(nn.Module):
    """Reading of the side information, h_s, of MLIC++ (after Cheng et al. 2020).

    ::

        (B, N, h, w) -- conv3x3(N, M) -- subpixel3x3(M) x2 -- conv3x3(M, 3M/2)
        -- subpixel3x3(3M/2) x2 -- conv3x3(3M/2, 2M) -- (B, 2M, 4h, 4w), GELU between
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        m = config.latent
        wide = 3 * m // 2
        self.stages = nn.Sequential(
            conv3x3(config.hyper_width, m), nn.GELU(),
            subpixel3x3(m, m), nn.GELU(),
            conv3x3(m, wide), nn.GELU(),
            subpixel3x3(wide, wide), nn.GELU(),
            conv3x3(wide, 2 * m),
        )  # fmt: skip

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scales and means, each (B, M, 4h, 4w)."""
        scales, means = self.stages(z).chunk(2, 1)
        return scales, means
