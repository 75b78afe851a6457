"""Sums of small look-up tables: each reads six comparisons of features, as one LUT6 per bit does.

A *LUT tree* asks the same up to six questions of every sample ("is feature f above t?"), and their
answers are the address of a table of 64 small numbers: a decision tree all of whose nodes of a
level are alike (oblivious, as in CatBoost).  In hardware a table is one LUT6 for each bit of its
numbers, in software one look-up.  A sum of such tables is the form of the GIC-DLC paper's networks
(section 3.2): LUTs on thermometer bits, whose outputs are added.
"""

from dataclasses import dataclass

import numpy as np

from lutgen.files.compiled import njit

__all__ = ["PINS", "LutTrees", "tree_sum"]

#: Questions that a table asks.
PINS = 6
_ENTRIES = 1 << PINS
_MOST_TREES = 256


@dataclass(frozen=True, eq=False)
class LutTrees:
    """Many LUT trees whose numbers are added up.

    Parameters
    ----------
    feature, threshold:
        uint8, shape (n, 6): question p of tree t is ``feature[t, p] > threshold[t, p]``, whose
        answer is bit p of the address.  A pin that is not used asks ``> 255``.
    values:
        int8, shape (n, 64).

    Raises
    ------
    ValueError
        If an array has another shape or type, or there are more than 256 trees.
    """

    feature: np.ndarray
    threshold: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.values)
        for name, shape, kind in (
            ("feature", (n, PINS), "u1"), ("threshold", (n, PINS), "u1"),
            ("values", (n, _ENTRIES), "i1"),
        ):  # fmt: skip
            array = getattr(self, name)
            if array.dtype != kind or array.shape != shape:
                raise ValueError(
                    f"{name} of LUT trees must be {np.dtype(kind)} of shape {shape}, "
                    f"not {array.dtype} of shape {array.shape}"
                )
        if n > _MOST_TREES:
            raise ValueError(f"LUT trees must be at most {_MOST_TREES}, not {n}")

    def __len__(self) -> int:
        return len(self.values)

    def bits(self, tree: int) -> int:
        """Bits of a tree's numbers in two's complement: so many LUT6 it costs."""
        values = self.values[tree].astype(int)
        return max(int(max(v, -1 - v)).bit_length() for v in values) + 1

    @classmethod
    def none(cls) -> "LutTrees":
        """No trees: their sum is 0."""
        empty = np.zeros((0, PINS), dtype=np.uint8)
        return cls(empty, empty, np.zeros((0, _ENTRIES), dtype=np.int8))


@njit(nogil=True, inline="always")
def tree_sum(pin, values, answer):
    """Sum of all trees: ``pin`` (n, 6) numbers the questions, ``answer`` has 0 or 1 for each."""
    total = 0
    for t in range(len(pin)):
        address = 0
        for p in range(PINS):
            address |= answer[pin[t, p]] << p
        total += values[t, address]
    return total
