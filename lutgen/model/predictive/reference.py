"""What a sample knows of the planes of its image that are coded before its own.

The planes of a colour image are coded row by row in turn, each row four samples behind the one
above like all rows.  So the rows of the planes before a sample's own, its *reference planes*, are
known at its place and up to three samples to the right: a sample of red sees green at its own place
X and at E.  What stands there goes the same way as neighbours do: into linear predictors, scale S
and features.  Names begin with ``a`` for the plane before the sample's own and with ``b`` for the
first plane, where that is another one.

A plane with reference planes is a plane of *differences*: its rows hold the sample less that of the
first plane at the same place, as transforms such as G, R - G, B - G do, and its predictions are of
this difference.  Only the last step, from a prediction to the sample, adds the first plane's sample
again, so the residual has no more bits than a sample, and a near-lossless sample no greater error.

Borders are those of :mod:`.neighbourhood`; in the first row of a plane every value of a row above
is that of the same row at W, and left of the first difference stands 0.
"""

import numpy as np

from lutgen.files.compiled import njit

from .neighbourhood import NEIGHBOURS, PAD, QUANTITIES

__all__ = [
    "ALL_QUANTITIES", "LETTERS", "LEVELS_OF_ONE", "MOST_REFERENCES", "OF_ONE", "PLACES",
    "REFERENCE_TAPS", "TAPS_OF_ONE", "gather_references", "level_of", "locate_references",
    "quantities_with", "references_of",
]  # fmt: skip

#: Row, in rows of the plane, and column of each value, counted from the sample's place.
SAMPLES = {
    "X": (0, 0), "W": (0, -1), "E": (0, 1), "N": (-1, 0), "NW": (-1, -1), "NE": (-1, 1),
    "WW": (0, -2), "EE": (0, 2), "NN": (-2, 0),
}  # fmt: skip
ERRORS = {"eX": (0, 0), "eW": (0, -1), "eE": (0, 1), "eN": (-1, 0), "eEE": (0, 2)}
ENERGIES = {"EX": (0, 0), "EEE": (0, 2)}
#: Letters of the reference planes, the nearest first.
LETTERS = "ab"
MOST_REFERENCES = len(LETTERS)
_QUANTITIES = (*SAMPLES, *ERRORS, *ENERGIES)
_TAPS = _QUANTITIES[: len(SAMPLES) + 1]
#: Quantities of a reference plane, and how many of them, the first, are taps of linear predictors:
#: its samples, and its error at the place, which tells more than any difference of samples.
OF_ONE, TAPS_OF_ONE = len(_QUANTITIES), len(_TAPS)
#: How many of these taps are samples.
LEVELS_OF_ONE = len(SAMPLES)
#: The taps by name, plane by plane.
REFERENCE_TAPS = tuple(letter + name for letter in LETTERS for name in _TAPS)
#: Number of each quantity, those of :mod:`.neighbourhood` first.
ALL_QUANTITIES = QUANTITIES | {
    letter + name: len(QUANTITIES) + k
    for k, (letter, name) in enumerate((c, n) for c in LETTERS for n in _QUANTITIES)
}
#: Places that `locate_references` fills in, behind those of `neighbourhood.locate`.
PLACES = MOST_REFERENCES * OF_ONE

_AT = np.array(
    [(p, *at) for p, plane in enumerate((SAMPLES, ERRORS, ENERGIES)) for at in plane.values()],
    dtype=np.int64,
)
_BASE = len(QUANTITIES)
_X = _TAPS.index("X")


def quantities_with(references: int) -> int:
    """Number of quantities of a sample with so many reference planes."""
    return len(QUANTITIES) + references * OF_ONE


def references_of(quantities: int) -> int:
    """Number of reference planes of samples with so many quantities."""
    return (quantities - len(QUANTITIES)) // OF_ONE


@njit(nogil=True, forceinline=True)
def level_of(quantity, references):
    """What a plane's samples are above the values that its rows hold, in 1/8.

    That is the first plane's sample at the place, 0 of the first plane itself.
    """
    return quantity[_BASE + (references - 1) * OF_ONE + _X] if references else 0


@njit(nogil=True, forceinline=True)
def locate_references(rows, y, place, channels, references):
    """Fill in where the values of reference planes stand, see `neighbourhood.locate`."""
    kept, stride = rows.shape[1], rows.shape[2]
    at = NEIGHBOURS
    for r in range(references):
        own = y - y % channels if r else y - 1
        for k in range(len(_AT)):
            plane, row, column = _AT[k, 0], _AT[k, 1], _AT[k, 2]
            if y < channels and row < 0:
                row, column = 0, -1
            above = max(own + row * channels, own % channels)
            place[at] = (plane * kept + (above & (kept - 1))) * stride + PAD + column
            at += 1


@njit(nogil=True, forceinline=True)
def gather_references(rows, place, x, quantity, references):
    """Fill in what is known of reference planes."""
    flat = rows.reshape(-1)
    for k in range(references * OF_ONE):
        quantity[_BASE + k] = flat[np.uint64(place[NEIGHBOURS + k] + x)]
