"""Latent residual prediction."""

from itertools import pairwise

import torch
from torch import nn

from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.convolution import conv1x1, conv3x3
from lutgen.training.loclic.networks.half_tanh import HalfTanh
from lutgen.training.run.modules import bias_of

__all__ = ["LatentResidual"]


class LatentResidual(nn.Module):
    """What rounding took away, guessed from what is decoded.

    Minnen and Singh, "Channel-wise Autoregressive Entropy Models for Learned Image Compression",
    ICIP 2020, section 3.3; widths as in MLIC++.

    ::

        (B, M + (i + 1) c, h, w) -- conv3x3 224 -- GELU -- conv3x3 128 -- GELU -- conv3x3
        -- 0.5 tanh -- (B, c, h, w)

    More than a third of what LoC-LIC multiplies is here, most of it in the first layer, so the
    smallest codecs have a narrower one there that sees single cells (``residual`` of the
    configuration).
    """

    def __init__(self, config: CodecConfig, index: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        widths, sides = config.residual_widths(index), config.residual_sides
        for (a, b), side in zip(pairwise(widths), sides, strict=True):
            last = conv1x1(a, b) if side == 1 else conv3x3(a, b)
            stages += [last, nn.GELU()]
        self.stages = nn.Sequential(*stages[:-1], HalfTanh())
        # A guess of nothing is better than a random one.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(bias_of(last))

    def forward(self, decoded: torch.Tensor) -> torch.Tensor:
        return self.stages(decoded)
