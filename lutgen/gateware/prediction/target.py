"""From the first prediction to where it points: corrected, rounded, and its row of token tables.

See :mod:`lutgen.codec.predictive.kernel`.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Mux, signed, unsigned
from amaranth.utils import bits_for

from lutgen.model.predictive.features import LEAST_SCALE, OCTAVE
from lutgen.model.predictive.model import CLASS_BITS, CORRECTION_BITS, SCALE_STEP, TABLES
from lutgen.model.predictive.neighbourhood import FRACTION_BITS

from ..fabric.pipeline import choose, clamped
from ..fabric.timeline import Timed
from .near import NearTables
from .quantities import Context
from .scale import Logarithm

__all__ = ["LEAST_LOGARITHM", "Target", "add_corrected", "add_row", "add_target"]

#: The logarithm of the least S.
LEAST_LOGARITHM = OCTAVE * (bits_for(LEAST_SCALE) - 1)


@dataclass(frozen=True)
class Target:
    """What a residual is coded with.

    Attributes
    ----------
    whole:
        Nearest whole number of the corrected prediction.
    below:
        Whether the prediction is below it.
    row:
        Row of the token tables.
    """

    whole: Timed
    below: Timed
    row: Timed


def add_corrected(
    context: Context, correction: Timed, logarithm: Logarithm, plain: Timed
) -> Timed:
    """The corrected prediction, in 1/8: the correction is in 1/64 of the power of two below S."""
    line, widths = context.timeline, context.widths
    first = context.level
    clock = line.ready(correction, logarithm.shift)
    value, shift = correction.at(clock), logarithm.shift.at(clock)
    # By fours first, then the rest, and the six bits below go.
    highest = logarithm.most >> 2
    width = len(value) + 4 * highest
    coarse = line.register(
        "correction_part",
        choose([_wide(value << 4 * k, width) for k in range(highest + 1)], shift[2:]),
        clock, signed(width),
    )  # fmt: skip
    fine = logarithm.shift.at(coarse.clock)[:2]
    width += 3
    both = choose([_wide(coarse.now << k, width) for k in range(4)], fine)
    moved = line.register(
        "correction_moved", both[CORRECTION_BITS:], coarse.clock, signed(width - CORRECTION_BITS)
    )
    clock = line.ready(moved, first)
    total = line.register(
        "corrected_sum", first.at(clock) + Mux(plain.at(clock), 0, moved.at(clock)), clock
    )
    top = widths.greatest << FRACTION_BITS
    return line.register("corrected", clamped(total.now, top), total.clock, widths.prediction)


def _wide(value, width: int):
    """A signed value in ``width`` bits."""
    return Cat(value, value[-1].replicate(width - len(value))) if width > len(value) else value[
        :width
    ]


def add_row(
    context: Context, scales: Timed, logarithm: Logarithm, origin: int, classes: int,
    near: NearTables | None = None,
) -> Timed:  # fmt: skip
    """First of the three rows of a class: the corrected scale in quarters of an octave."""
    line = context.timeline
    clock = line.ready(scales, logarithm.shift, logarithm.mantissa)
    constant = SCALE_STEP * LEAST_LOGARITHM - origin
    if near:
        constant = near.less_offset(constant, clock - 1)
        level = logarithm.above_least(clock - 1)
        level = line.register(
            "level", Cat(Const(0, bits_for(SCALE_STEP) - 1), level) + constant.now, clock - 1
        )
        total = scales.at(clock) + level.now
    else:
        level = logarithm.above_least(clock)
        total = scales.at(clock) + Cat(Const(0, bits_for(SCALE_STEP) - 1), level) + constant
    total = line.register("spread", total, clock)
    number = line.register("class", clamped(total.now >> CLASS_BITS, classes - 1), total.clock)
    return line.register(
        "class_row", number.now * TABLES, number.clock, unsigned(bits_for(TABLES * classes - 1))
    )


def add_target(
    context: Context, corrected: Timed, row: Timed, plain: Timed, near: NearTables | None = None
) -> Target:
    """Round the corrected prediction, and choose among the rows of the class."""
    line = context.timeline
    whole, rest = near.add_nearest(corrected) if near else _add_rounded(context, corrected)
    clock = line.ready(row, rest)
    far = (rest.at(clock) < -1) | (rest.at(clock) > 1)
    kind = Mux(plain.at(clock), 2, far)
    chosen = line.register("row", (row.at(clock) + kind)[: len(row)], clock)
    below = line.given("below", rest.now[-1], rest.clock)
    return Target(whole, below, chosen)


def _add_rounded(context: Context, corrected: Timed) -> tuple[Timed, Timed]:
    """Nearest whole number of a prediction, and the rest in 1/8."""
    line, widths = context.timeline, context.widths
    half = 1 << (FRACTION_BITS - 1)
    value = corrected.now
    shifted = (value + half)[: widths.depth + FRACTION_BITS]
    # The sum of the greatest prediction and a half does not overflow: its fraction is 0.
    whole = line.register("whole", shifted[FRACTION_BITS:], corrected.clock, widths.sample)
    rest = line.register(
        "rest", value[:FRACTION_BITS].as_signed(), corrected.clock, signed(FRACTION_BITS)
    )
    return whole, rest
