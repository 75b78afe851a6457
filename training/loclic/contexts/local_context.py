"""Local context from the same slice."""

import torch
from torch import nn
from torch.nn import functional

from lutgen.training.loclic.contexts.checkerboard import windows
from lutgen.training.loclic.contexts.window_attention import WindowAttention

__all__ = ["LocalContext"]


class LocalContext(nn.Module):
    """What non-anchors can expect from the anchors round them.

    MLIC++, section 3.2, overlapped checkerboard window attention: two heads, relative positions,
    and no pair of cells counts that are not both anchors.  Windows reach beyond the image, where
    there are none.

    ::

        (B, c, h, w) -- LayerNorm -- linear(c, 3c): q, k, v -- K x K windows round each cell
           -- K^2 x K^2 attention -- KxK convolution of the window (c, 2c) -- linear --+
                                                                                       |
        (B, 2c, h, w) --(+)-- linear(4c, 2c) -- GELU -- linear(2c, 4c) -- LayerNorm ---+
                         ^-------------------------------------------------------------+
    """

    HEADS = 2

    index: torch.Tensor

    def __init__(self, c: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm = nn.LayerNorm(c)
        self.project = nn.Linear(c, 3 * c)
        self.bias = nn.Parameter(torch.zeros(self.HEADS, (2 * window - 1) ** 2))
        nn.init.trunc_normal_(self.bias, std=0.02)
        self.fuse = nn.Conv2d(c, 2 * c, window)
        self.merge = nn.Linear(2 * c, 2 * c)
        self.mix_norm = nn.LayerNorm(2 * c)
        self.mix = nn.Sequential(nn.Linear(2 * c, 4 * c), nn.GELU(), nn.Linear(4 * c, 2 * c))
        steps = torch.arange(window)
        cells = torch.cartesian_prod(steps, steps)
        apart = cells[:, None] - cells[None] + window - 1
        index = apart[..., 0] * (2 * window - 1) + apart[..., 1]
        self.register_buffer("index", index.flatten(), persistent=False)
        self.attend = WindowAttention()

    def forward(self, anchors: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Context of each cell, (B, 2c, h, w), of use for non-anchors.

        Parameters
        ----------
        anchors:
            The slice, zero but for anchors, (B, c, h, w).
        mask:
            Which cells are anchors, bool, (h, w).
        """
        batch, c, height, width = anchors.shape
        cells, k, heads = height * width, self.window, self.HEADS
        x = self.project(self.norm(anchors.flatten(2).transpose(1, 2)))  # (B, cells, 3c)
        x = x.transpose(1, 2).reshape(batch, 3 * c, height, width)
        x = functional.unfold(x, k, padding=k // 2)  # (B, 3c k^2, cells)
        x = x.reshape(batch, 3, heads, c // heads, k * k, cells).permute(1, 0, 5, 2, 4, 3)
        q, key, v = x.reshape(3, batch * cells * heads, k * k, c // heads)
        bias = self.bias[:, self.index].reshape(heads, k * k, k * k)
        out = self.attend(q, key, v, bias, windows(mask, k))  # (B cells heads, k^2, c / heads)
        out = out.transpose(1, 2).reshape(batch * cells, c, k, k)
        out = self.merge(self.fuse(out).reshape(batch, cells, 2 * c))
        out = out + self.mix(self.mix_norm(out))
        # Contiguous for the reason that `Codec.forward` gives.
        return out.transpose(1, 2).contiguous().reshape(batch, 2 * c, height, width)
