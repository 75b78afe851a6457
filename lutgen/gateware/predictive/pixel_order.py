"""Where the samples of planes stand in pixels and in squares of colour filter arrays.

Pixels of RGB on a stream are packed as AMD's UG934 has them: green in the lowest bits, blue above
it, red on top, each of as many bits as a sample has; zeros above make whole bytes.  A colour filter
array has one sample in each beat.
"""

from amaranth.hdl import Cat, Const, Value
from amaranth.utils import bits_for

from lutgen.codec.predictive.planes import ORDERS, places_of
from lutgen.model.cfa import CFAS

from ..fabric.pipeline import choose
from ..streams.beats import RGB_PLACES
from .planes import Planes

__all__ = ["component_number", "order_bits", "orders", "plane_at"]

_SQUARE = 2


def orders(planes: Planes) -> int:
    """How many orders of planes there are: patterns, of colour filter arrays."""
    return len(CFAS) if planes.mosaic else len(ORDERS)


def order_bits(planes: Planes) -> int:
    """Bits of an order's number; none of gray."""
    return bits_for(orders(planes) - 1) if planes.count > 1 else 0


def plane_at(pattern: Value, row: Value, column: Value) -> Value:
    """Plane of a place of a colour filter array."""
    table = [
        Const(places_of(cfa).index((y, x)), 2)
        for cfa in CFAS for y in range(_SQUARE) for x in range(_SQUARE)
    ]
    return choose(table, Cat(column, row, pattern))


def component_number(order: Value, plane: Value) -> Value:
    """Component of a pixel that is coded as a plane; of no order and no plane, any."""
    table = [
        Const(RGB_PLACES[channels[min(k, len(channels) - 1)]], 2)
        for channels in (*ORDERS, *ORDERS[: (1 << len(order)) - len(ORDERS)])
        for k in range(1 << len(plane))
    ]
    return choose(table, Cat(plane, order))
