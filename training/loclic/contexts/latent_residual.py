"""Latent residual prediction."""

from itertools import pairwise

import torch
from torch import nn

from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.convolution import conv3x3
from lutgen.training.loclic.networks.half_tanh import HalfTanh

__all__ = ["LatentResidual"]


class LatentResidual(nn.Module):
    """What rounding took away, guessed from what is decoded.

    Minnen and Singh, "Channel-wise Autoregressive Entropy Models for Learned Image Compression",
    ICIP 2020, section 3.3; widths as in MLIC++.

    ::

        (B, M + (i + 1) c, h, w) -- conv3x3 224 -- GELU -- conv3x3 128 -- GELU -- conv3x3
        -- 0.5 tanh -- (B, c, h, w)
    """

    def __init__(self, config: CodecConfig, index: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for a, b in pairwise(config.residual_widths(index)):
            stages += [conv3x3(a, b), nn.GELU()]
        self.stages = nn.Sequential(*stages[:-1], HalfTanh())
        # A guess of nothing is better than a random one.
        nn.init.zeros_(stages[-2].weight)
        nn.init.zeros_(stages[-2].bias)

    def forward(self, decoded: torch.Tensor) -> torch.Tensor:
        return self.stages(decoded)
