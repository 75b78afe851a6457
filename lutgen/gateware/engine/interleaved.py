"""What both sides of the entropy engine know of its stream.

See `lutgen.codec.lossy.interleaved`.
"""

import numpy as np
from amaranth.hdl import Cat, Const, Value
from amaranth.utils import bits_for

from lutgen.codec.lossy.escape import EscapeTables
from lutgen.codec.lossy.interleaved import LANES
from lutgen.errors import InputError

__all__ = ["LANE_BITS", "check_tables", "class_bits", "neighbour"]

#: Bits of a state's number.
LANE_BITS = bits_for(LANES - 1)


def check_tables(tables: EscapeTables) -> None:
    """
    Raises
    ------
    InputError
        If a class leaves symbol 255 without a frequency: no entry of the tables of 14 bits may be
        ``2 ** 14``.
    """
    lacking = np.flatnonzero(tables.cumulative[:, -2] == tables.cumulative[:, -1])
    if lacking.size:
        raise InputError(
            f"symbol 255 must have a frequency in every class, not 0 in class {lacking[0]}"
        )


def class_bits(tables: EscapeTables) -> int:
    """Bits of a class on a stream: whole bytes."""
    return -(-bits_for(tables.classes - 1) // 8) * 8


def neighbour(lane, step: int) -> Value:
    """The state whose turn it is ``step`` symbols later: one LUT per bit, where an adder with a
    comparison needs a chain."""
    after = [(k + step) % LANES for k in range(LANES)]
    bits = [sum((word >> bit & 1) << k for k, word in enumerate(after)) for bit in range(LANE_BITS)]
    return Cat(Const(column, LANES).bit_select(lane, 1) for column in bits)
