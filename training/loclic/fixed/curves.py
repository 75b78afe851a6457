"""GELU and tanh of integers, by table."""

import numpy as np
import torch
from torch import nn

from lutgen.training.loclic.fixed.functions import FunctionTables

__all__ = ["FixedGelu", "FixedHalfTanh"]


class _Curve(nn.Module):
    table: torch.Tensor

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("table", torch.as_tensor(table).double(), persistent=False)

    def _look_up(self, x: torch.Tensor) -> torch.Tensor:
        at = x.abs().clamp(max=len(self.table) - 1).to(torch.int64)
        return self.table[at]


class FixedGelu(_Curve):
    """GELU: x or zero, less a bump round zero."""

    def __init__(self, tables: FunctionTables) -> None:
        super().__init__(tables.gelu)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(min=0) - self._look_up(x)


class FixedHalfTanh(_Curve):
    """0.5 tanh."""

    def __init__(self, tables: FunctionTables) -> None:
        super().__init__(tables.half_tanh)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sign(x) * self._look_up(x)
