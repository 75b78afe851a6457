"""Convolutions and linear layers of integers."""

import torch
from torch import nn
from torch.nn import functional

from lutgen.errors import InputError
from lutgen.training.loclic.fixed.number import FRACTION, LIMIT, bounded

__all__ = ["FixedConv", "FixedLinear"]

#: Bits behind the point of weights, at most.
_MOST_SHIFT = 26


class _Affine(nn.Module):
    """Integer weights, each output with its own power of two.

    ``out = round((weight . x + bias) / 2**shift)``; buffers are ``weight``, integers of
    ``bits``, ``bias`` and ``shift``, one for each output.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    shift: torch.Tensor

    def __init__(self, shape: torch.Size) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("bias", torch.zeros(shape[0], dtype=torch.float64))
        self.register_buffer("shift", torch.zeros(shape[0], dtype=torch.float64))

    @torch.no_grad()
    def take(self, weight: torch.Tensor, bias: torch.Tensor, bits: int) -> None:
        """Round float weights.

        Raises
        ------
        InputError
            If a weight is too large.
        """
        rows = weight.double().flatten(1)
        # |w| < 2**exponent, exactly.
        exponent = torch.frexp(rows.abs().amax(1)).exponent
        shift = (bits - 1 - exponent).clamp(max=_MOST_SHIFT).double()
        if (shift < 0).any():
            raise InputError(f"weights must be below {1 << (bits - 1)}, not {rows.abs().max()}")
        most = (1 << (bits - 1)) - 1
        scale = torch.exp2(shift)
        rows = torch.floor(rows * scale[:, None] + 0.5).clamp(-most, most)
        self.weight.copy_(rows.reshape(weight.shape))
        self.bias.copy_(torch.floor(bias.double() * scale * 2**FRACTION + 0.5))
        self.shift.copy_(shift)
        self.check()

    def check(self) -> None:
        """
        Raises
        ------
        InputError
            If a sum could exceed 2**53, or a shift is none.
        """
        most = self.weight.flatten(1).abs().sum(1) * LIMIT + self.bias.abs()
        if not (most < 2**52).all():
            raise InputError("weights must keep sums below 2**52")
        if not ((self.shift >= 0) & (self.shift <= _MOST_SHIFT)).all():
            raise InputError(f"shifts must be within 0..{_MOST_SHIFT}")

    def _scaled(self, total: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        # Powers of two times integers, and their halves, are exact.
        scale = torch.exp2(-self.shift).reshape(shape)
        return torch.floor((total + self.bias.reshape(shape)) * scale + 0.5)


class FixedConv(_Affine):
    """Of an nn.Conv2d of any stride, padding and groups."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv.weight.shape)
        self._stride, self._padding, self._groups = conv.stride, conv.padding, conv.groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = functional.conv2d(
            bounded(x), self.weight, stride=self._stride, padding=self._padding,
            groups=self._groups,
        )  # fmt: skip
        return self._scaled(total, (1, -1, 1, 1))


class FixedLinear(_Affine):
    """Of an nn.Linear."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__(linear.weight.shape)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._scaled(bounded(x) @ self.weight.T, (-1,))
