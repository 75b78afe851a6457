"""Analysis transform: image to y."""

import torch
from torch import nn

from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.convolution import conv3x3
from lutgen.training.loclic.networks.residual_block import ResidualBlock
from lutgen.training.loclic.networks.residual_down import ResidualDown

__all__ = ["Analysis"]


class Analysis(nn.Module):
    """Hierarchical feature encoder, g_a.

    LoC-LIC, section 3.2, equations 3 and 4: channels N0, N1, N2 grow as the resolution falls.
    With three equal widths it is the analysis transform of MLIC++.

    ::

        (B, 3, H, W)
          RBS(3, N0)  RB(N0)     H/2
          RBS(N0, N1) RB(N1)     H/4
          RBS(N1, N2) RB(N2)     H/8
          conv3x3(N2, M) /2
        (B, M, H/16, W/16)
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        before = 3
        for width in config.widths:
            stages += [ResidualDown(before, width), ResidualBlock(width, width)]
            before = width
        self.stages = nn.Sequential(*stages, conv3x3(before, config.latent, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stages(x)
