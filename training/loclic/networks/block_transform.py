"""Linear transforms of blocks, of what the synthesis leaves of an image."""

import torch
from torch import nn

from lutgen.training.loclic.networks.convolution import conv1x1

__all__ = ["BLOCK", "BlockAnalysis", "BlockSynthesis"]

#: Side of a block in pixels: a cell of y.
BLOCK = 16


class BlockAnalysis(nn.Module):
    """Each block by itself to r numbers: (B, 3, H, W) to (B, r, H/16, W/16)."""

    def __init__(self, r: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(nn.PixelUnshuffle(BLOCK), conv1x1(3 * BLOCK**2, r))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stages(x)


class BlockSynthesis(nn.Module):
    """And back: (B, r, H/16, W/16) to (B, 3, H, W)."""

    def __init__(self, r: int) -> None:
        super().__init__()
        self.stages = nn.Sequential(conv1x1(r, 3 * BLOCK**2), nn.PixelShuffle(BLOCK))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.stages(values)
