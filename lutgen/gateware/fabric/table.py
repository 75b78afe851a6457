"""Tables of any size, each where it takes least."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Value

from .blockmem import add_rom
from .fabric import Fabric
from .pipeline import choose, delay

__all__ = ["add_table"]

#: Rows that a LUT6 for each bit tells apart.
_ROWS_OF_LUT = 64


def add_table(
    m: Module, name: str, words: Sequence[int], width: int, address: Value,
    fabric: Fabric | None = None,
) -> Value:  # fmt: skip
    """Add a table; returns what the address reads, two clocks later.

    Tables of up to 64 rows are LUTs, deeper ones block memories.

    Parameters
    ----------
    m:
        Module to add it to.
    name:
        Name of the registers or submodules.
    words, width:
        Contents, at least one, and their bits.  A row beyond them gives any of them.
    address:
        Row.
    fabric:
        Whose block memories to use.
    """
    if len(words) > _ROWS_OF_LUT:
        return add_rom(m, name, words, width, [address], fabric)[0]
    return delay(m, choose([Const(word, width) for word in words], address), 2, name=name)
