"""Tables of residuals: what is far from zero escapes.

A residual r is the symbol ``r + 127``; 255 is the escape, of residuals beyond -127..127 and of
those that a class leaves without a frequency (:mod:`.residuals` says what follows).  So even the
narrowest class spends almost nothing on what never happens, and a decoder in hardware knows no
escapes: all it sees are classes.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lutgen.errors import InputError
from lutgen.model.head import PROB_BITS, SYMBOLS

__all__ = ["ESCAPE", "MOST", "EscapeTables", "gaussian_pmf", "residual_frequencies"]

#: The greatest residual that is a symbol.
MOST = 127
#: The symbol of all others.
ESCAPE = 255
_TOTAL = 1 << PROB_BITS


def gaussian_pmf(scale: float, offset: float = 0.0) -> np.ndarray:
    """Probabilities of the residuals -127..127 under a normal distribution: float64, (255,).

    What they lack to one is the escape's.
    """
    edges = (np.arange(-MOST, MOST + 2) - 0.5 - offset) / (scale * math.sqrt(2))
    tail = np.array([0.5 * math.erfc(abs(x)) for x in edges.tolist()])
    # Differences of the smaller tails: what is near one would drown them.
    upper = edges > 0
    both = upper[:-1] != upper[1:]
    return np.where(both, 1 - tail[1:] - tail[:-1], np.abs(tail[1:] - tail[:-1]))


def residual_frequencies(pmf: np.ndarray) -> np.ndarray:
    """Integer frequencies of the 255 residuals and the escape: int64, (256,), sum ``2 ** 14``.

    Residuals that deserve less than half a unit are left to the escape, which has one at least.
    """
    pmf = np.asarray(pmf, dtype=np.float64)
    if pmf.shape != (2 * MOST + 1,) or not np.isfinite(pmf).all() or (pmf < 0).any():
        raise InputError("pmf must be 255 probabilities, finite and not negative")
    scaled = pmf * _TOTAL
    freq = np.where(scaled >= 0.5, np.maximum(np.rint(scaled), 1), 0).astype(np.int64)
    rest = max(1.0 - float(pmf[freq > 0].sum()), 0.0)
    escape = max(1, round(rest * _TOTAL))
    # What rounding leaves over or lacks goes to the likeliest, which feel it least.
    order = np.argsort(-freq, kind="stable")
    spare = _TOTAL - escape - int(freq.sum())
    if not freq.any():
        return np.append(freq, _TOTAL)
    for at in np.resize(order[: max(1, np.count_nonzero(freq > 1))], abs(spare)):
        freq[at] += 1 if spare > 0 else -1
    return np.append(freq, escape)


@dataclass(frozen=True, eq=False)
class EscapeTables:
    """Cumulative frequencies in which a symbol may have none.

    Parameters
    ----------
    cumulative:
        int32, shape (classes, 257): never decreasing from 0 to ``2 ** 14``; no symbol has all of
        it.

    Raises
    ------
    InputError
        If it is anything else.
    """

    cumulative: np.ndarray

    def __post_init__(self) -> None:
        array = np.asarray(self.cumulative)
        if array.dtype.kind not in "iu" or array.ndim != 2 or array.shape[1] != SYMBOLS + 1:
            raise InputError(
                f"cumulative frequencies must be integers of shape (classes, {SYMBOLS + 1}), not "
                f"{array.dtype} of shape {array.shape}"
            )
        if not 1 <= array.shape[0] <= 4096:
            raise InputError(f"classes must be 1 to 4096, not {array.shape[0]}")
        wide = array.astype(np.int64)
        freq = np.diff(wide, axis=1)
        if (
            (wide[:, 0] != 0).any() or (wide[:, -1] != _TOTAL).any()
            or (freq < 0).any() or (freq == _TOTAL).any()
        ):  # fmt: skip
            raise InputError(
                f"cumulative frequencies must never decrease from 0 to {_TOTAL}, of more than one "
                "symbol in every class"
            )
        array = np.ascontiguousarray(wide, dtype=np.int32)
        array.setflags(write=False)
        object.__setattr__(self, "cumulative", array)

    @classmethod
    def from_frequencies(cls, freq: np.ndarray) -> "EscapeTables":
        """Tables of frequencies, integers of shape (classes, 256)."""
        return cls(np.pad(np.cumsum(freq, axis=1), ((0, 0), (1, 0))))

    @property
    def classes(self) -> int:
        """Number of tables."""
        return self.cumulative.shape[0]

    @cached_property
    def slots(self) -> np.ndarray:
        """Symbol of each of the ``2 ** 14`` units: uint8, shape (classes, 16384)."""
        freq = np.diff(self.cumulative, axis=1)
        symbols = np.tile(np.arange(SYMBOLS, dtype=np.uint8), self.classes)
        return np.repeat(symbols, freq.ravel()).reshape(self.classes, _TOTAL)

    def check_classes(self, classes: np.ndarray) -> None:
        """
        Raises
        ------
        InputError
            If an integer of ``classes`` is no class.
        """
        if classes.size and (classes.min() < 0 or classes.max() >= self.classes):
            raise InputError(
                f"classes must be 0 to {self.classes - 1}, not {classes.min()} to {classes.max()}"
            )

    def code_length(self, classes: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Ideal code length in bits of each symbol, float64, for reports only."""
        symbols = np.asarray(symbols, dtype=np.int64)
        freq = self.cumulative[classes, symbols + 1] - self.cumulative[classes, symbols]
        return PROB_BITS - np.log2(freq)
