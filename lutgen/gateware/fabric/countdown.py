"""Counting down in segments, so that no carry chain is long.

A decrement of 32 bits is a LUT and eight CARRY4 behind each other; here none is longer than four.
"""

from amaranth.hdl import Cat, Module, Signal, Value

from .pipeline import delay

__all__ = ["LESSENED_LATENCY", "countdown", "lessened"]

#: Bits of the segments of a counter, from the lowest; a borrow has as many clocks to pass the upper
#: ones as the lowest counts steps.
_SEGMENTS = (8, 12, 12)

#: Clocks from a value to that of `lessened`.
LESSENED_LATENCY = 2


def lessened(m: Module, value: Value, *, name: str) -> Value:
    """``value - 1`` modulo its range, `LESSENED_LATENCY` clocks later; a new one in each clock."""
    half = -(-len(value) // 2)
    low = Signal(half, name=f"{name}_low")
    borrow = Signal(name=f"{name}_borrow")
    high = delay(m, value[half:], 1, name=f"{name}_high")
    result = Signal(len(value), name=name)
    m.d.sync += [
        low.eq(value[:half] - 1),
        borrow.eq(value[:half] == 0),
        result.eq(Cat(low, (high - borrow)[: len(high)])),
    ]
    return result


def countdown(m: Module, start: Value, *, reload: Value, step: Value, name: str) -> Value:
    """Whether a counter of 32 bits is at zero.

    One step per clock at most; ``step`` must not come at zero.  A reload or a step is seen in the
    next clock.  After reset the counter is at zero.

    Parameters
    ----------
    m :
        Module to add it to.
    start :
        First value, 32 bits, which must have been stable for a clock when it is loaded.
    reload :
        Set the counter to ``start``.
    step :
        Count down by one; without ``reload``.
    name :
        Beginning of the signals' names.
    """
    if len(start) != sum(_SEGMENTS):
        raise ValueError(f"start must have {sum(_SEGMENTS)} bits, not {len(start)}")
    zeros, first = [], 0
    borrow = step
    for k, bits in enumerate(_SEGMENTS):
        part = start[first : first + bits]
        first += bits
        value = Signal(bits, name=f"{name}_{k}")
        zero = Signal(init=1, name=f"{name}_zero{k}")
        starts_at_zero = delay(m, part == 0, 1, name=f"{name}_starts{k}")
        borrows = Signal(name=f"{name}_borrow{k}")
        with m.If(reload):
            m.d.sync += [value.eq(part), zero.eq(starts_at_zero), borrows.eq(0)]
        with m.Else():
            with m.If(borrow):
                m.d.sync += value.eq(value - 1)
            m.d.sync += borrows.eq(borrow & zero)
            if k:  # a clock late, which is early enough
                m.d.sync += zero.eq(value == 0)
            else:
                with m.If(step):
                    m.d.sync += zero.eq(value == 1)
        zeros.append(zero)
        borrow = borrows
    return Cat(zeros).all()
