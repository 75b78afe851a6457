"""The quantities that a sample's context is made of, and what stands for them at borders.

Three planes are looked at around the sample being coded: the samples themselves, the errors of the
first prediction, and an energy, which remembers how large errors were.  All quantities are whole
numbers in 1/8 of a sample, so that errors of predictions with a fraction are exact.

Names are compass points as in JPEG-LS: ``N`` is the sample above, ``NEE`` two to its right.

Borders: columns beyond the sides are those of the side, but for the left side of the row being
coded, where the first value of the row above stands.  Rows above the strip are its first row.  In
the first row every value of a row above is that of W, and left of its first sample stand the middle
of the range, error 0 and energy 0.
"""

import numpy as np

from lutgen.files.compiled import njit

__all__ = [
    "ENERGIES", "ERRORS", "FRACTION_BITS", "PAD", "PREDICTION", "QUANTITIES", "SAMPLES", "ZERO",
    "Rows", "begin_row", "end_row", "gather", "keep", "new_rows",
]  # fmt: skip

#: Bits of a prediction below the sample's.
FRACTION_BITS = 3

#: Row and column of each neighbour, counted from the sample.
SAMPLES = {
    "W": (0, -1), "WW": (0, -2), "WWW": (0, -3),
    "N": (-1, 0), "NW": (-1, -1), "NWW": (-1, -2), "NWWW": (-1, -3),
    "NE": (-1, 1), "NEE": (-1, 2), "NEEE": (-1, 3),
    "NN": (-2, 0), "NNW": (-2, -1), "NNWW": (-2, -2), "NNE": (-2, 1), "NNEE": (-2, 2),
    "NNN": (-3, 0), "NNNW": (-3, -1), "NNNE": (-3, 1),
}  # fmt: skip
#: Where errors of the first prediction are looked at.
ERRORS = {
    "eW": (0, -1), "eWW": (0, -2), "eN": (-1, 0), "eNW": (-1, -1), "eNE": (-1, 1),
    "eNEE": (-1, 2), "eNN": (-2, 0),
}  # fmt: skip
#: Where energies are looked at.
ENERGIES = {"EW": (0, -1), "ENE": (-1, 1), "ENEEE": (-1, 3)}
ZERO, PREDICTION = "0", "P"
#: Number of each quantity; the last is known only after the first prediction.
QUANTITIES = {
    name: k for k, name in enumerate((*SAMPLES, *ERRORS, *ENERGIES, ZERO, PREDICTION))
}

#: Columns on either side of a row that hold what stands beyond its ends.
PAD = 4
#: Rows that are kept: the one being coded and three above.
_ROWS = 4

_SAMPLE_AT = np.array(list(SAMPLES.values()), dtype=np.int64)
_ERROR_AT = np.array(list(ERRORS.values()), dtype=np.int64)
_ENERGY_AT = np.array(list(ENERGIES.values()), dtype=np.int64)
_N_SAMPLES, _N_ERRORS = len(SAMPLES), len(ERRORS)

#: The rows of one strip: samples, errors and energies, each int32 of shape (4, width + 8).
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def new_rows(width: int) -> Rows:
    """Rows of a strip before its first one."""
    return tuple(np.zeros((_ROWS, width + 2 * PAD), dtype=np.int32) for _ in range(3))


@njit(nogil=True, inline="always")
def begin_row(rows, y, middle):
    """Put what stands left of row ``y`` of a strip; ``middle`` is the middle of the range."""
    samples, errors, energies = rows
    now, above = y & 3, (y - 1) & 3
    for k in range(PAD):
        samples[now, k] = samples[above, PAD] if y else middle << FRACTION_BITS
        errors[now, k] = errors[above, PAD] if y else 0
        energies[now, k] = energies[above, PAD] if y else 0


@njit(nogil=True, inline="always")
def end_row(rows, y):
    """Put what stands beyond both ends of row ``y``, now that it is known."""
    now = y & 3
    for plane in rows:
        last = plane.shape[1] - PAD - 1
        for k in range(PAD):
            plane[now, k] = plane[now, PAD]
            plane[now, last + 1 + k] = plane[now, last]


@njit(nogil=True, inline="always")
def gather(rows, y, x, quantity):
    """Fill ``quantity``, int64, but for the prediction, for the sample at ``y`` and ``x``."""
    samples, errors, energies = rows
    if y == 0:
        now = PAD + x
        for k in range(_N_SAMPLES):
            at = _SAMPLE_AT[k, 1] if _SAMPLE_AT[k, 0] == 0 else -1
            quantity[k] = samples[0, now + at]
        for k in range(_N_ERRORS):
            at = _ERROR_AT[k, 1] if _ERROR_AT[k, 0] == 0 else -1
            quantity[_N_SAMPLES + k] = errors[0, now + at]
        for k in range(len(_ENERGY_AT)):
            quantity[_N_SAMPLES + _N_ERRORS + k] = energies[0, now - 1]
        return
    for k in range(_N_SAMPLES):
        row = max(y + _SAMPLE_AT[k, 0], 0) & 3
        quantity[k] = samples[row, PAD + x + _SAMPLE_AT[k, 1]]
    for k in range(_N_ERRORS):
        row = max(y + _ERROR_AT[k, 0], 0) & 3
        quantity[_N_SAMPLES + k] = errors[row, PAD + x + _ERROR_AT[k, 1]]
    for k in range(len(_ENERGY_AT)):
        row = (y + _ENERGY_AT[k, 0]) & 3
        quantity[_N_SAMPLES + _N_ERRORS + k] = energies[row, PAD + x + _ENERGY_AT[k, 1]]


@njit(nogil=True, inline="always")
def keep(rows, y, x, sample, prediction):
    """Keep a sample, once it is known, with its error and energy.

    The energy is the mean, rounded down, of that of W and of half of 2 |error| plus the greater of
    those of NEE and NEEE.
    """
    samples, errors, energies = rows
    row, at, above = y & 3, PAD + x, (y - 1) & 3
    value = sample << FRACTION_BITS
    error = value - prediction
    west = energies[row, at - 1]
    north = max(energies[above, at + 2], energies[above, at + 3]) if y else west
    samples[row, at] = value
    errors[row, at] = error
    energies[row, at] = (west + ((2 * abs(error) + north) >> 1)) >> 1
