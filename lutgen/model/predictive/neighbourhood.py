"""The quantities that a sample's context is made of, and what stands for them at borders.

Three planes are looked at around the sample being coded: the samples themselves, the errors of the
first prediction, and an energy, which remembers how large errors were.  All quantities are whole
numbers in 1/8 of a sample, so that errors of predictions with a fraction are exact.

Names are compass points as in JPEG-LS: ``N`` is the sample above, ``NEE`` two to its right.
``MED`` is the median of W, N and W + N - NW, JPEG-LS's prediction.

A sample's surroundings are *plain* if at most five of eight differences between neighbours are not
zero, and these are eight and more on average: so it is in pages, screens and dark backgrounds,
where the next sample is most likely one of its neighbours exactly.

Borders: columns beyond the sides are those of the side, but for the left side of the row being
coded, where the first value of the row above stands.  Rows above the strip are its first row.  In
the first row every value of a row above is that of W, and left of its first sample stand the middle
of the range, error 0 and energy 0.

Rows of an image of C channels are those of its planes in turn: row y of the first plane, of the
second, and so on.  Rows above are those C, 2 C and 3 C before; the first row is that of each plane.
Left of a row stands the first value of the row above, also once the row is known.  What a sample
knows of planes that stand before its own is in :mod:`.reference`.
"""

import numpy as np

from lutgen.files.compiled import njit

__all__ = [
    "COUNTED", "ENERGIES", "ERRORS", "FRACTION_BITS", "MEDIAN", "MOST_CHANGES", "NEIGHBOURS", "PAD",
    "PREDICTION", "QUANTITIES", "SAMPLES", "SHARP", "TAPS", "ZERO", "Rows", "begin_row", "changes",
    "end_row", "gather", "is_plain", "keep", "locate", "new_rows",
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
MEDIAN, ZERO, PREDICTION = "MED", "0", "P"
#: What linear predictors weigh.
TAPS = (MEDIAN, *SAMPLES)
#: Number of each quantity, taps first; the last is known only after the first prediction.
QUANTITIES = {
    name: k for k, name in enumerate((*TAPS, *ERRORS, *ENERGIES, ZERO, PREDICTION))
}

#: Differences that are counted; how many may not be zero where surroundings are plain, and what
#: those are on average at least, in 1/8.
COUNTED = (
    ("W", "WW"), ("W", "NW"), ("N", "NW"), ("N", "NE"), ("NE", "NEE"), ("N", "NN"), ("NW", "NNW"),
    ("NE", "NNE"),
)  # fmt: skip
MOST_CHANGES, SHARP = 5, 8 << FRACTION_BITS
_COUNTED_AT = np.array([[QUANTITIES[name] for name in pair] for pair in COUNTED], dtype=np.uint8)

#: Columns on either side of a row that hold what stands beyond its ends.
PAD = 4
#: Rows that are kept, powers of two: up to four that are being coded, and three above, of one plane
#: or up to four.
_ROWS, _ROWS_OF_COLOUR = 8, 16

#: Plane, row and column of each quantity but zero and the prediction.
_AT = np.array(
    [(p, *at) for p, plane in enumerate((SAMPLES, ERRORS, ENERGIES)) for at in plane.values()],
    dtype=np.int64,
)
#: Quantities that are read from rows: those behind the median.
NEIGHBOURS = len(_AT)
_MEDIAN, _W, _N, _NW = (QUANTITIES[name] for name in (MEDIAN, "W", "N", "NW"))
_FIRST = _MEDIAN + 1

#: The rows of one strip, int32 of shape (3, 8, width + 8), of several channels (3, 16, width + 8):
#: samples, errors, energies.
Rows = np.ndarray


def new_rows(width: int, channels: int = 1) -> Rows:
    """Rows of a strip before its first one."""
    rows = _ROWS if channels == 1 else _ROWS_OF_COLOUR
    return np.zeros((3, rows, width + 2 * PAD), dtype=np.int32)


@njit(nogil=True, forceinline=True)
def begin_row(rows, y, middle, channels=1):
    """Put what stands left of row ``y`` of a strip, and of the row above, whose first is known.

    ``middle`` is the middle of the range.
    """
    mask = rows.shape[1] - 1
    now, above = y & mask, (y - channels) & mask
    for p in range(3):
        plane = rows[p]
        edge = plane[above, PAD]
        if y < channels:
            edge = middle << FRACTION_BITS if p == 0 else 0
        for k in range(PAD):
            plane[now, k] = edge
            if y >= channels:
                plane[above, k] = edge


@njit(nogil=True, forceinline=True)
def end_row(rows, y):
    """Put what stands right of row ``y``, now that its last is known."""
    now = y & (rows.shape[1] - 1)
    for p in range(3):
        plane = rows[p]
        last = plane.shape[1] - PAD - 1
        for k in range(PAD):
            plane[now, last + 1 + k] = plane[now, last]


@njit(nogil=True, forceinline=True)
def locate(rows, y, place, channels=1):
    """Fill ``place``, int64: where the neighbours of the first sample of row ``y`` stand in rows.

    Places count through all of ``rows``; those of a sample further right are as much further.
    """
    kept, stride = rows.shape[1], rows.shape[2]
    for k in range(NEIGHBOURS):
        plane, row, column = _AT[k, 0], _AT[k, 1], _AT[k, 2]
        if y < channels and row < 0:
            row, column = 0, -1
        above = max(y + row * channels, y % channels)
        place[k] = (plane * kept + (above & (kept - 1))) * stride + PAD + column


@njit(nogil=True, forceinline=True)
def gather(rows, place, x, quantity):
    """Fill ``quantity``, int64, but for the prediction, for the sample in column ``x``."""
    flat = rows.reshape(-1)
    for k in range(NEIGHBOURS):
        quantity[_FIRST + k] = flat[np.uint64(place[k] + x)]
    west, north, corner = quantity[_W], quantity[_N], quantity[_NW]
    low, high = min(west, north), max(west, north)
    quantity[_MEDIAN] = min(max(west + north - corner, low), high)


@njit(nogil=True, forceinline=True)
def changes(quantity):
    """How many of eight differences between neighbours are not zero."""
    count = 0
    for k in range(len(_COUNTED_AT)):
        count += quantity[_COUNTED_AT[k, 0]] != quantity[_COUNTED_AT[k, 1]]
    return count


@njit(nogil=True, forceinline=True)
def is_plain(quantity):
    """Whether a sample's surroundings are plain."""
    count, total = 0, 0
    for k in range(len(_COUNTED_AT)):
        size = abs(quantity[_COUNTED_AT[k, 0]] - quantity[_COUNTED_AT[k, 1]])
        count += size != 0
        total += size
    return count <= MOST_CHANGES and total >= SHARP * count


@njit(nogil=True, forceinline=True)
def keep(rows, y, x, sample, prediction, channels=1, level=0):
    """Keep a sample less ``level``, which is in 1/8, once it is known, with its error and energy.

    The energy is the mean, rounded down, of that of W and of half of 2 |error| plus the greater of
    those of NEE and NEEE.
    """
    samples, errors, energies = rows[0], rows[1], rows[2]
    mask = rows.shape[1] - 1
    row, at, above = y & mask, PAD + x, (y - channels) & mask
    value = (sample << FRACTION_BITS) - level
    error = value - prediction
    west = energies[row, at - 1]
    north = max(energies[above, at + 2], energies[above, at + 3]) if y >= channels else west
    samples[row, at] = value
    errors[row, at] = error
    energies[row, at] = (west + ((2 * abs(error) + north) >> 1)) >> 1
