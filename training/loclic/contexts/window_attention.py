"""Attention within windows of the checkerboard."""

import torch
from torch import nn

__all__ = ["WindowAttention", "only"]


class WindowAttention(nn.Module):
    """Anchors of a window look at each other.

    MLIC++, section 3.2: no pair of cells counts that are not both anchors of the image.
    """

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor,
        seen: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        """What each cell of a window sees.

        Parameters
        ----------
        q, k, v:
            Windows of a batch of images times heads, cells of a window and channels of a head:
            (B n heads, K^2, d).
        bias:
            Added to scores of pairs of cells: (heads, K^2, K^2).
        seen:
            Which cells of each window of an image are anchors: bool, (n, K^2).

        Returns
        -------
        torch.Tensor
            (B n heads, K^2, d), zero but for anchors.
        """
        heads, cells, _ = bias.shape
        score = torch.bmm(q, k.transpose(1, 2)) * q.shape[2] ** -0.5
        score = score.reshape(-1, len(seen), heads, cells, cells) + bias
        # Not minus infinity: a window without an anchor must not give NaN.
        score = score.masked_fill(~seen[:, None, None], torch.finfo(score.dtype).min)
        out = torch.bmm(score.softmax(4).flatten(0, 2), v)
        return only(out, heads, seen)


def only(out: torch.Tensor, heads: int, seen: torch.Tensor) -> torch.Tensor:
    """What attention gave, (B n heads, K^2, d), with zero where a cell is no anchor."""
    parts = out.reshape(-1, len(seen), heads, *out.shape[1:])
    return (parts * seen[:, None, :, None]).reshape(out.shape)
