"""Attention within windows of the checkerboard."""

import torch
from torch import nn

from lutgen.training.loclic.contexts.checkerboard import window_anchors

__all__ = ["WindowAttention"]


class WindowAttention(nn.Module):
    """Anchors of a window look at each other.

    MLIC++, section 3.2: no pair of cells counts that are not both anchors.

    Parameters
    ----------
    window:
        Side of a window.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.register_buffer("anchors", window_anchors(window), persistent=False)

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        """What each cell of a window sees.

        Parameters
        ----------
        q, k, v:
            Windows times heads, cells of a window and channels of a head: (n heads, K^2, d).
        bias:
            Added to scores of pairs of cells: (heads, K^2, K^2).

        Returns
        -------
        torch.Tensor
            (n heads, K^2, d), zero but for anchors.
        """
        heads, cells, _ = bias.shape
        score = torch.bmm(q, k.transpose(1, 2)) * q.shape[2] ** -0.5
        score = (score.reshape(-1, heads, cells, cells) + bias).flatten(0, 1)
        weight = score.masked_fill(~self.anchors, -torch.inf).softmax(2)
        return torch.bmm(weight * self.anchors[:, None], v)
