"""Fixed-point numbers: integers in units of 2**-12, in float64 tensors."""

import torch

__all__ = ["FRACTION", "LIMIT", "UNIT", "bounded", "shift_right", "to_fixed"]

#: Bits behind the point.
FRACTION = 12
UNIT = 1 << FRACTION
#: Values are bounded by this, +-2048, before they are multiplied.
LIMIT = 1 << (11 + FRACTION)


def to_fixed(x: torch.Tensor) -> torch.Tensor:
    """Nearest fixed-point numbers of floats: float64, same shape."""
    return torch.floor(x.double() * UNIT + 0.5)


def bounded(x: torch.Tensor, limit: int = LIMIT) -> torch.Tensor:
    """x within +-limit."""
    return x.clamp(-limit, limit)


def shift_right(x: torch.Tensor, bits: int) -> torch.Tensor:
    """x / 2**bits, rounded, halves up; a product with a power of two is exact."""
    return torch.floor(x * 2.0**-bits + 0.5)
