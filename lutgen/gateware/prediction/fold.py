"""Residuals, folded and unfolded, see :mod:`lutgen.model.predictive.residual`."""

from amaranth.hdl import Cat, Const, Mux

from ..fabric.timeline import Timed, Timeline
from .quantities import Widths, magnitude

__all__ = ["FOLD_LATENCY", "UNFOLD_LATENCY", "add_fold", "add_unfold"]

#: Clocks that each takes.
FOLD_LATENCY = 3
UNFOLD_LATENCY = 3


def _room(
    line: Timeline, widths: Widths, whole: Timed, greatest: Timed | None
) -> tuple[Timed, Timed]:  # fmt: skip
    """How far the nearer end of the range is, and whether that is its lower one.

    A clock after ``whole``, and a clock later if the range has a ``greatest`` number of its own.
    """
    value, clock = whole.now, whole.clock
    if greatest is not None:
        most = greatest.at(clock)
        lower = line.register("lower_is_nearer", value <= most[1:], clock)
        other = line.register("other_room", most - value, clock, widths.sample)
        room = Mux(lower.now, whole.at(clock + 1), other.now)
        return line.register("room", room, clock + 1, widths.sample), lower
    # The greatest sample is all ones: what is left to it are the complement's bits.
    lower = line.register("lower_is_nearer", ~value[-1], clock)
    room = line.register("room", Mux(value[-1], ~value, value), clock, widths.sample)
    return room, lower


def add_fold(
    line: Timeline, widths: Widths, whole: Timed, below: Timed, sample: Timed,
    greatest: Timed | None = None,
) -> Timed:  # fmt: skip
    """The folded residual, `FOLD_LATENCY` clocks after the later of ``whole`` and ``sample``.

    Both are at most ``greatest``, which is there with them; by default it is the greatest sample.
    """
    clock = line.ready(whole, below, sample)
    whole = line.given("fold_whole", whole.at(clock), clock)
    room, _ = _room(line, widths, whole, greatest)
    residual = line.register("residual", sample.at(clock) - whole.now, clock)
    sign = residual.now[-1]
    size = line.register("size", magnitude(residual.now), residual.clock)
    # The likelier sign, that of the fraction, comes second: 2 |r| against 2 |r| - 1.
    odd = line.register(
        "odd", (sign == below.at(residual.clock)) & residual.now.any(), residual.clock
    )
    room_2 = room.at(size.clock)
    twice = Cat(Const(0, 1), size.now) - odd.now
    folded = Mux(size.now > room_2, room_2 + size.now, twice)
    return line.register("folded", folded[: widths.depth], size.clock, widths.sample)


def add_unfold(
    line: Timeline, widths: Widths, whole: Timed, below: Timed, folded: Timed,
    greatest: Timed | None = None,
) -> Timed:
    """The sample, `UNFOLD_LATENCY` clocks after ``folded``, which comes after the others.

    The others, ``greatest`` as in `add_fold`, come a clock before it or earlier; with ``greatest``,
    two clocks.
    """
    clock = folded.clock
    before = clock - (1 if greatest is None else 2)
    room, lower = _room(
        line, widths, line.given("unfold_whole", whole.at(before), before), greatest
    )
    value = folded.now
    outside = line.register("outside", value > Cat(Const(0, 1), room.now), clock)
    far = line.register("far", value - room.now, clock, widths.sample)
    near = line.register("near", (value + 1)[1:], clock, widths.sample)
    up = line.register("up", value[0] ^ below.at(clock), clock)
    at = clock + 1
    size = line.register("unfold_size", Mux(outside.now, far.now, near.now), at, widths.sample)
    rises = line.register("rises", Mux(outside.now, lower.at(at), up.now), at)
    base = whole.at(at + 1)
    change = size.now ^ (~rises.now).replicate(widths.depth)
    return line.register(
        "unfolded", (base + change + ~rises.now)[: widths.depth], at + 1, widths.sample
    )
