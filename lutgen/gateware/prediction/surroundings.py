"""Median of neighbours, and whether a sample's surroundings are plain.

See :mod:`lutgen.model.predictive.neighbourhood`.
"""

from amaranth.hdl import Cat, Mux

from lutgen.model.predictive.neighbourhood import (
    COUNTED,
    FRACTION_BITS,
    MEDIAN,
    MOST_CHANGES,
    SHARP,
)

from ..fabric.timeline import Timed
from .features import count_bits
from .near import NearTables
from .quantities import Context

__all__ = ["COUNTED_TERMS", "add_changes", "add_median", "add_plain"]

#: Differences whose sizes are added up.
COUNTED_TERMS = tuple(f"{a}-{b}" for a, b in COUNTED)


def add_median(context: Context) -> None:
    """Add the median of W, N and W + N - NW to the quantities, two clocks after these."""
    line, given = context.timeline, context.quantities
    clock = line.ready(*(given[name] for name in ("W", "N", "NW")))
    west, north, corner = (given[name].at(clock) for name in ("W", "N", "NW"))
    value = context.widths.value
    plane = line.register("plane", (west + north - corner)[: value.width], clock, value)
    larger = line.register("west_is_larger", west > north, clock)
    below_west = line.register("corner_below_west", corner < west, clock)
    below_north = line.register("corner_below_north", corner < north, clock)
    clock = plane.clock
    west, north = given["W"].at(clock), given["N"].at(clock)
    high = Mux(larger.now, west, north)
    low = Mux(larger.now, north, west)
    # The corner at or above both leaves the lower one, below or at both the higher.
    neither = ~below_west.now & ~below_north.now
    both = below_west.now & below_north.now
    median = Mux(neither, low, Mux(both, high, plane.now))
    context.add(MEDIAN, line.register("median", median, clock, value))


def add_changes(context: Context) -> Timed:
    """How many of eight differences between neighbours are not zero."""
    line = context.timeline
    differences = [context.difference(term) for term in COUNTED_TERMS]
    clock = line.ready(*differences)
    some = line.register("changed", Cat(d.at(clock).any() for d in differences), clock)
    return line.register("changes", count_bits(some.now), some.clock)


def add_plain(context: Context, changes: Timed, near: NearTables | None = None) -> Timed:
    """Whether the surroundings are plain, which none are of near-lossless samples."""
    line = context.timeline
    # All of these are differences of samples, whose sum leaves out their zero bits.
    total, _ = context.sum_of_sizes(COUNTED_TERMS)
    clock = line.ready(total, changes)
    count = changes.at(clock)
    few = line.register("few_changes", count <= MOST_CHANGES, clock)
    sharp = line.register("sharp", total.at(clock) >= count * (SHARP >> FRACTION_BITS), clock)
    plain = few.now & sharp.now
    if near:
        plain &= near.lossless(few.clock)
    return line.register("plain", plain, few.clock)
