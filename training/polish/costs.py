"""What a window pays, by the numbers of ones that a network gives: code length, or squared error.

Two tables say it for one output of a network: ``cost[second, place[first, x]]`` is what a window
pays with the counts ``first`` and ``second`` if the value x follows.
"""

from dataclasses import dataclass

import numpy as np

from lutgen.model.head import PROB_BITS, SYMBOLS, LaplaceHead

__all__ = ["Costs", "laplace_costs", "square_costs"]

_LAST = SYMBOLS - 1
#: Distances of a value from a location, in half pixels, and locations.
_DISTANCES = np.arange(-2 * _LAST, 2 * _LAST + 1)
_LOCATIONS = np.arange(2 * _LAST + 1)


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs of an output.

    Parameters
    ----------
    place:
        int32, shape (G + 1, 256): column of ``cost``, by first count, of G bits, and value.
    cost:
        float32, shape (H + 1, columns), by second count, of H bits; H is 0 if there is none.
    """

    place: np.ndarray
    cost: np.ndarray


def laplace_costs(head: LaplaceHead) -> Costs:
    """Code length in bits by a head's integer tables, by its counts of ``mu`` and of ``sigma``.

    Most steps of the second count leave the scale class as it is.  Between the middles of the runs
    of one class code lengths are interpolated, so that every step says where it leads.
    """
    cdf = head.cdf.astype(np.int64)

    def until(edge: np.ndarray) -> np.ndarray:
        return cdf[:, (edge + 512).clip(0, 1023)]

    frequency = np.concatenate(
        [
            until(_DISTANCES + 1) - until(_DISTANCES - 1) + 1,
            # The ends have the tails.
            until(1 - _LOCATIONS) + 1,
            (1 << PROB_BITS) - _LAST - until(2 * _LAST - 1 - _LOCATIONS),
        ],
        axis=1,
    )
    length = PROB_BITS - np.log2(frequency)
    location, x = head.mu[:, None], np.arange(SYMBOLS)
    place = 2 * x - location + 2 * _LAST
    place = np.where(x == 0, len(_DISTANCES) + location, place)
    place = np.where(x == _LAST, len(_DISTANCES) + len(_LOCATIONS) + location, place)
    return Costs(place.astype(np.int32), _between(length, head.sigma).astype(np.float32))


def _between(length: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Rows of ``length`` by count, interpolated between the middles of runs of equal ``scale``."""
    begin = np.flatnonzero(np.diff(scale, prepend=-1))
    end = np.append(begin[1:], len(scale)) - 1
    middle = (begin + end) / 2
    count = np.arange(len(scale)).clip(middle[0], middle[-1])
    left = np.searchsorted(middle, count, side="right").clip(1, max(1, len(middle) - 1)) - 1
    right = np.minimum(left + 1, len(middle) - 1)
    part = (count - middle[left]) / np.maximum(middle[right] - middle[left], 1)
    rows = length[scale[begin]]
    return (1 - part)[:, None] * rows[left] + part[:, None] * rows[right]


def square_costs(bits: int) -> Costs:
    """Squared error of a pixel that is 255 times the average of ``bits`` bits."""
    place = np.arange((bits + 1) * SYMBOLS, dtype=np.int32).reshape(bits + 1, SYMBOLS)
    error = _LAST * np.arange(bits + 1)[:, None] / bits - np.arange(SYMBOLS)
    return Costs(place, (error.reshape(1, -1) ** 2).astype(np.float32))
