"""Attention of integers."""

import torch
from torch import nn

from lutgen.training.loclic.contexts.linear_attention import LinearAttention, split
from lutgen.training.loclic.contexts.window_attention import only
from lutgen.training.loclic.fixed.functions import FunctionTables
from lutgen.training.loclic.fixed.number import FRACTION, bounded, shift_right

__all__ = ["FixedLinearAttention", "FixedWindowAttention"]

#: Bits of weights that add up to one: over channels or a window, and over all cells.
_WEIGHT, _FINE = 15, 28
#: Bits that contexts have more than other numbers.
_MORE = 4
#: Scores are of values within +-32.
_SCORED = 1 << (5 + FRACTION)


class _Softmax(nn.Module):
    """Weights of integers, (…) along a dimension, that add up to about ``2**bits``."""

    exp: torch.Tensor

    def __init__(self, tables: FunctionTables) -> None:
        super().__init__()
        self.register_buffer("exp", torch.as_tensor(tables.exp).long(), persistent=False)

    def forward(
        self, x: torch.Tensor, dim: int, bits: int, of: torch.Tensor | None = None
    ) -> torch.Tensor:
        """
        Parameters
        ----------
        of:
            Which positions of the last dimension count, all by default; it broadcasts.
        """
        if of is not None:
            x = x.masked_fill(~of, -(2.0**52))
        below = x.amax(dim, keepdim=True) - x
        weight = self.exp[below.clamp(max=len(self.exp) - 1).to(torch.int64)]
        total = weight.sum(dim, keepdim=True)
        return (((weight << bits) + total // 2) // total).double()


class FixedLinearAttention(nn.Module):
    """Of a `LinearAttention`."""

    def __init__(self, attention: LinearAttention, tables: FunctionTables) -> None:
        super().__init__()
        self.heads = attention.heads
        self.softmax = _Softmax(tables)

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, keys: torch.Tensor | None = None
    ) -> torch.Tensor:
        q_heads, k_heads, v_heads = (split(bounded(x), self.heads) for x in (q, k, v))
        of = None if keys is None else keys.flatten()
        # 28 + 23 bits: weights add up to one, whatever the number of cells.
        context = torch.bmm(self.softmax(k_heads, 2, _FINE, of), v_heads.transpose(1, 2))
        context = shift_right(context, _FINE - _MORE)
        out = torch.bmm(context.transpose(1, 2), self.softmax(q_heads, 1, _WEIGHT))
        return shift_right(out, _WEIGHT + _MORE).reshape(q.shape)


class FixedWindowAttention(nn.Module):
    """Of a `WindowAttention`."""

    def __init__(self, tables: FunctionTables) -> None:
        super().__init__()
        self.softmax = _Softmax(tables)

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor,
        seen: torch.Tensor,
    ) -> torch.Tensor:  # fmt: skip
        heads, cells, _ = bias.shape
        score = torch.bmm(bounded(q, _SCORED), bounded(k, _SCORED).transpose(1, 2))
        # 2 * 17 bits and those of the channels, and 12 of the root of their number.
        score = shift_right(score * round(q.shape[2] ** -0.5 * (1 << FRACTION)), 2 * FRACTION)
        score = score.reshape(-1, len(seen), heads, cells, cells) + bias
        weight = self.softmax(score, 4, _WEIGHT, seen[:, None, None])
        out = torch.bmm(weight.flatten(0, 2), bounded(v))
        return only(shift_right(out, _WEIGHT), heads, seen)
