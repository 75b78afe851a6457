"""Synthesis transform: decoded y to image."""

import torch
from torch import nn

from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.convolution import subpixel3x3
from lutgen.training.loclic.networks.residual_block import ResidualBlock
from lutgen.training.loclic.networks.residual_up import ResidualUp

__all__ = ["Synthesis"]


class Synthesis(nn.Module):
    """Hierarchical feature decoder, g_s.

    LoC-LIC, section 3.2.  With three equal widths it is the synthesis transform of MLIC++: F = M
    in its code as it is now, F = N2 in its first version.

    ::

        (B, M, H/16, W/16)
          RB(M, F)   RBU(F, N2)      H/8
          RB(N2, N1) RBU(N1, N1)     H/4
          RB(N1, N0) RBU(N0, N0)     H/2
          RB(N0)     subpixel3x3(N0, 3) x2
        (B, 3, H, W)
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        n0, n1, n2 = config.widths
        first = config.synthesis_width
        self.stages = nn.Sequential(
            ResidualBlock(config.latent, first), ResidualUp(first, n2),
            ResidualBlock(n2, n1), ResidualUp(n1, n1),
            ResidualBlock(n1, n0), ResidualUp(n0, n0),
            ResidualBlock(n0, n0), subpixel3x3(n0, 3),
        )  # fmt: skip

    def forward(self, y: torch.Tensor) -> torch.Tensor:
        return self.stages(y)
