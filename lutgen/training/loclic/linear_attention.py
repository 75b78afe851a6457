"""Attention whose cost is linear in the number of cells."""

import torch

__all__ = ["linear_attention"]


def linear_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int) -> torch.Tensor:
    """Global context of each cell.

    MLIC++, section 3.3, after Shen et al., "Efficient Attention: Attention with Linear
    Complexities", WACV 2021: softmax of queries over the channels of a head and of keys over the
    cells; keys and values meet first, in a matrix of channels x channels.

    Parameters
    ----------
    q, k, v:
        Each (B, C, h, w).
    heads:
        Parts of C that are apart.

    Returns
    -------
    torch.Tensor
        (B, C, h, w).
    """
    batch, channels, height, width = q.shape
    q, k, v = (x.reshape(batch * heads, channels // heads, height * width) for x in (q, k, v))
    context = torch.bmm(k.softmax(2), v.transpose(1, 2))
    out = torch.bmm(context.transpose(1, 2), q.softmax(1))
    return out.reshape(batch, channels, height, width)
