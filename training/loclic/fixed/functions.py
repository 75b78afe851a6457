"""Tables of the functions that networks need, made once and kept in the model file.

Importable without torch.
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from lutgen.errors import InputError

__all__ = ["EXP_BITS", "FunctionTables"]

_UNIT = 1 << 12
#: Beyond 8, GELU is a line and tanh is one.
_REACH = 8 * _UNIT
#: Beyond 16, exp is zero.
_DECAY = 16 * _UNIT
#: exp(0) is this power of two.
EXP_BITS = 16


@dataclass(frozen=True, eq=False)
class FunctionTables:
    """Functions of fixed-point numbers in units of 2**-12.

    Parameters
    ----------
    gelu:
        int16, (32768,): what GELU takes from the positive part of x, by ``abs(x)``; the last is 0.
    half_tanh:
        int16, (32768,): 0.5 tanh, by ``abs(x)``.
    exp:
        int32, (65536,): 2**16 exp(-x); the last is 0.

    Raises
    ------
    InputError
        If one is of another shape or out of range.
    """

    gelu: np.ndarray
    half_tanh: np.ndarray
    exp: np.ndarray

    def __post_init__(self) -> None:
        for name, size, most in (
            ("gelu", _REACH, _UNIT), ("half_tanh", _REACH, _UNIT // 2),
            ("exp", _DECAY, 1 << EXP_BITS),
        ):  # fmt: skip
            table = getattr(self, name)
            if table.shape != (size,) or table.dtype.kind not in "iu":
                raise InputError(f"table {name} must be of {size} integers, not {table.shape}")
            if table.min() < 0 or table.max() > most:
                raise InputError(f"table {name} must be within 0..{most}")
        if self.gelu[-1] or self.exp[-1] or self.exp[0] < 1:
            raise InputError("tables gelu and exp must end with 0, and exp begin above")

    @classmethod
    def make(cls) -> "FunctionTables":
        """Tables of this machine's functions; all others take them from the file."""
        at = [k / _UNIT for k in range(_REACH)]
        gelu = np.rint([_UNIT * 0.5 * x * math.erfc(x * 2**-0.5) for x in at])
        tanh = np.rint([_UNIT * 0.5 * math.tanh(x) for x in at])
        exp = np.rint([2**EXP_BITS * math.exp(-k / _UNIT) for k in range(_DECAY)])
        gelu[-1] = exp[-1] = 0
        return cls(gelu.astype(np.int16), tanh.astype(np.int16), exp.astype(np.int32))

    def arrays(self) -> dict[str, np.ndarray]:
        """By name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
