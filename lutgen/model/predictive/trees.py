"""Sums of small look-up tables: each reads six comparisons of features, as one LUT6 per bit does.

A *LUT tree* asks the same up to six questions of every sample ("is feature f above t?"), and their
answers are the address of a table of 64 small numbers: a decision tree all of whose nodes of a
level are alike (oblivious, as in CatBoost).  In hardware a table is one LUT6 for each bit of its
numbers, in software one look-up.  A sum of such tables is the form of the GIC-DLC paper's networks
(section 3.2): LUTs on thermometer bits, whose outputs are added.
"""

from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError
from lutgen.files.compiled import njit

__all__ = ["NEVER", "PINS", "LutTrees", "address_words", "packed_values", "tree_sums"]

#: Questions that a table asks.
PINS = 6
_ENTRIES = 1 << PINS
_MOST_TREES = 256
#: Threshold of a pin that is not used: no byte is above it.
NEVER = 255


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
    InputError
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
                raise InputError(
                    f"{name} of LUT trees must be {np.dtype(kind)} of shape {shape}, "
                    f"not {array.dtype} of shape {array.shape}"
                )
        if n > _MOST_TREES:
            raise InputError(f"LUT trees must be at most {_MOST_TREES}, not {n}")

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


#: Trees whose addresses share a word of 64 bits.
_PACKED = 10
#: Words that are made at once.
_AT_ONCE = 5
#: A scale tree's numbers are added up above so many bits, those of correction trees below.
_HIGH = 16


def _words(trees: int) -> int:
    return -(-trees // (_PACKED * _AT_ONCE)) * _AT_ONCE


def address_words(
    corrections: LutTrees, scales: LutTrees, order: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """What values of features add to the addresses of all trees, corrections first.

    A feature's values between two of its thresholds are alike, so they share a row: all of it stays
    in a processor's nearest cache.

    Returns
    -------
    (row, words):
        ``row``, uint16, shape (features, 256): of each value of feature ``order[k]`` its row of
        ``words``.  ``words``, int64, shape (rows, words): a word has the addresses of ten trees,
        six bits each, once the rows of all features are put together.
    """
    feature = np.concatenate([corrections.feature, scales.feature])
    threshold = np.concatenate([corrections.threshold, scales.threshold])
    words = _words(len(feature))
    wide = np.zeros((len(order), NEVER + 1, words), dtype=np.int64)
    for (t, pin), value in np.ndenumerate(threshold):
        if value < NEVER:
            bit = 1 << (PINS * (t % _PACKED) + pin)
            wide[order.index(int(feature[t, pin])), int(value) + 1 :, t // _PACKED] |= bit
    flat = wide.reshape(len(order) * (NEVER + 1), words)
    begins = np.ones(len(flat), dtype=bool)
    begins[1:] = np.any(flat[1:] != flat[:-1], axis=1)
    begins[:: NEVER + 1] = True  # each feature has rows of its own
    row = np.cumsum(begins) - 1
    return row.reshape(wide.shape[:2]).astype(np.uint16), flat[begins]


def packed_values(corrections: LutTrees, scales: LutTrees) -> np.ndarray:
    """Tables of all trees, int32 (10 * words, 64), in which both kinds are summed up at once."""
    values = np.concatenate([
        corrections.values.astype(np.int32), scales.values.astype(np.int32) << _HIGH
    ])  # fmt: skip
    return np.pad(values, ((0, _words(len(values)) * _PACKED - len(values)), (0, 0)))


@njit(nogil=True, forceinline=True)
def _ten(value, t, word):
    """Sum of the ten trees from ``t`` on, whose addresses are in ``word``."""
    total = 0
    flat = value.reshape(-1)
    at = np.uint64(t) << np.uint64(PINS)
    bits = np.uint64(word)
    for _ in range(_PACKED):
        total += flat[at + (bits & np.uint64(_ENTRIES - 1))]
        bits >>= np.uint64(PINS)
        at += np.uint64(_ENTRIES)
    return total


@njit(nogil=True, forceinline=True)
def tree_sums(kernel, feature):
    """Sum of all correction trees, and of all scale trees, from all features."""
    total = 0
    address, rows = kernel.address.reshape(-1), kernel.address_row.reshape(-1)
    words = kernel.address.shape[1]
    for w in range(0, words, _AT_ONCE):
        a = b = c = d = e = 0
        first = np.uint64(0)
        for k in range(kernel.address_row.shape[0]):
            row = np.uint64(rows[first + np.uint64(feature[k])]) * np.uint64(words) + np.uint64(w)
            a |= address[row]
            b |= address[row + np.uint64(1)]
            c |= address[row + np.uint64(2)]
            d |= address[row + np.uint64(3)]
            e |= address[row + np.uint64(4)]
            first += np.uint64(NEVER + 1)
        tree = _PACKED * w
        total += _ten(kernel.value, tree, a)
        total += _ten(kernel.value, tree + _PACKED, b)
        total += _ten(kernel.value, tree + 2 * _PACKED, c)
        total += _ten(kernel.value, tree + 3 * _PACKED, d)
        total += _ten(kernel.value, tree + 4 * _PACKED, e)
    correction = ((total & ((1 << _HIGH) - 1)) ^ (1 << (_HIGH - 1))) - (1 << (_HIGH - 1))
    return correction, (total - correction) >> _HIGH
