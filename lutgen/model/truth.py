"""Truth tables of up to six pins, held as 64-bit Python integers.

Bit k of a table is the output when pin j carries bit j of k. A table of fewer pins is repeated to
64 bits, so it does not depend on the pins that it lacks, and no function here needs the number of
pins.
"""

from functools import lru_cache

__all__ = ["FULL", "PINS", "cofactors", "depends", "extend", "mux", "remap"]

FULL = (1 << 64) - 1

#: PINS[j] is the table of "output equals pin j".
PINS = (
    0xAAAAAAAAAAAAAAAA,
    0xCCCCCCCCCCCCCCCC,
    0xF0F0F0F0F0F0F0F0,
    0xFF00FF00FF00FF00,
    0xFFFF0000FFFF0000,
    0xFFFFFFFF00000000,
)


def extend(table: int, pins: int) -> int:
    """Repeat a table of 2**pins bits to 64 bits."""
    for pin in range(pins, 6):
        table |= table << (1 << pin)
    return table


def cofactors(table: int, pin: int) -> tuple[int, int]:
    """Return the tables that remain when the pin is 0 and when it is 1."""
    ones, shift = PINS[pin], 1 << pin
    low, high = table & ~ones, table & ones
    return low | low << shift, high | high >> shift


def depends(table: int, pin: int) -> bool:
    """Say whether the output can change with the pin."""
    return bool((table ^ table >> (1 << pin)) & ~PINS[pin] & FULL)


def mux(select: int, low: int, high: int) -> int:
    """Return the table of ``high if select else low``."""
    return low ^ (select & (low ^ high))


def remap(table: int, places: tuple[int, ...]) -> int:
    """Move pin j of a table to pin places[j]; -1 ties it to 0 and -2 ties it to 1.

    Several pins may move to one place. Pins after the last place must not matter.
    """
    result = 0
    for k, source in enumerate(_sources(places)):
        result |= (table >> source & 1) << k
    return extend(result, max((-1, *places)) + 1)


@lru_cache(maxsize=4096)
def _sources(places: tuple[int, ...]) -> tuple[int, ...]:
    """Return the old index of each new index of a moved table."""
    tied = sum(1 << j for j, place in enumerate(places) if place == -2)
    moves = [(j, place) for j, place in enumerate(places) if place >= 0]
    count = 1 << (max((-1, *places)) + 1)
    return tuple(tied | sum((k >> place & 1) << j for j, place in moves) for k in range(count))
