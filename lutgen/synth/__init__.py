"""Resource and logic-level estimates from Yosys, split by block of the hierarchy."""

from .estimate import estimate
from .yosys import SynthError

__all__ = ["SynthError", "estimate"]
