"""Layer normalisation of integers."""

import torch
from torch import nn

from lutgen.errors import InputError
from lutgen.training.loclic.fixed.number import FRACTION, UNIT, bounded, shift_right, to_fixed

__all__ = ["FixedLayerNorm", "integer_root"]

#: Channels at most, and of how many on a bit more is dropped before squaring, so that sums of
#: squares stay below 2**62: they are at most the cube of the channels times the square of a value.
_MOST, _MANY = 128, 64


def integer_root(x: torch.Tensor) -> torch.Tensor:
    """Floor of the square root of int64 numbers of 0 to 2**62, exactly."""
    root = torch.sqrt(x.double()).to(torch.int64)
    root = root - (root * root > x).to(torch.int64)
    return root + ((root + 1) * (root + 1) <= x).to(torch.int64)


class FixedLayerNorm(nn.Module):
    """Of an nn.LayerNorm over c channels, the last dimension; at most 128 channels."""

    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        (self._channels,) = norm.normalized_shape
        if self._channels > _MOST:
            raise InputError(f"channels must be at most {_MOST}, not {self._channels}")
        self._dropped = 2 if self._channels <= _MANY else 3
        # What keeps roots of nothing from zero, in the units of the square.
        unit = UNIT >> self._dropped
        self._least = max(1, round(norm.eps * unit**2 * self._channels**2))
        self.register_buffer("weight", to_fixed(norm.weight.detach()))
        self.register_buffer("bias", to_fixed(norm.bias.detach()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = shift_right(bounded(x), self._dropped).to(torch.int64)
        # All times the number of channels, which makes the mean an integer.
        away = self._channels * x - x.sum(-1, keepdim=True)
        square = (away * away).sum(-1, keepdim=True) // self._channels + self._least
        root = integer_root(square)
        normal = (away * UNIT + root // 2) // root  # halves up
        return shift_right(normal.double() * self.weight, FRACTION) + self.bias
