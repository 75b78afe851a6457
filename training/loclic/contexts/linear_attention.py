"""Attention whose cost is linear in the number of cells."""

import torch
from torch import nn

__all__ = ["LinearAttention"]


class LinearAttention(nn.Module):
    """Global context of each cell.

    MLIC++, section 3.3, after Shen et al., "Efficient Attention: Attention with Linear
    Complexities", WACV 2021: softmax of queries over the channels of a head and of keys over the
    cells; keys and values meet first, in a matrix of channels x channels.

    Parameters
    ----------
    heads:
        Parts of the channels that are apart.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, keys: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(B, C, h, w) of three of them.

        ``keys``, bool (h, w), are the cells that are looked at, all by default.
        """
        q_heads, k_heads, v_heads = (split(x, self.heads) for x in (q, k, v))
        if keys is not None:
            # Not minus infinity: without a key, nothing may become NaN.
            k_heads = k_heads.masked_fill(~keys.flatten(), torch.finfo(k.dtype).min)
        context = torch.bmm(k_heads.softmax(2), v_heads.transpose(1, 2))
        out = torch.bmm(context.transpose(1, 2), q_heads.softmax(1))
        return out.reshape(q.shape)


def split(x: torch.Tensor, heads: int) -> torch.Tensor:
    """(B, C, h, w) -> (B * heads, C / heads, h * w)."""
    batch, channels, height, width = x.shape
    return x.reshape(batch * heads, channels // heads, height * width)
