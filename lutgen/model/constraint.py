"""The pooling constraint: the last pixel of a block whose average is known.

A pixel of level l + 1 is ``(a + b + c + x + 2) >> 2`` of its 2 x 2 block.  When the decoder comes
to x, bottom right, it knows the other three and the average p, which leaves four values at most:
``base .. base + 3`` with ``base = 4 p - 2 - (a + b + c)``, as far as they lie within 0..255.  With
the constraint x is coded among these, one symbol as ever.  Blocks that an odd side cuts have no
fourth pixel and are left alone.

How likely the candidates are comes from the row of the probability table that the model chose.  To
take the four intervals of the row and stretch them to a sum of ``2 ** PROB_BITS`` would need a
division, and both coders would have to read five neighbouring entries of memories that give them
two (the encoder) or those on a path of a binary search (the decoder).  So the candidates have a
small memory of their own, made from the same tables, and no division:

1. Of each symbol's frequency only the nearest power of two is kept: four bits, 256 of them for a
   class.  In four banks by the symbol's two low bits, the four candidates are one read.
2. Candidate k weighs ``2 ** (11 - d)``, where d is by how much its exponent is below the greatest
   of the four, 11 at most; values outside 0..255 weigh nothing.
3. The sum of the weights is shifted into (2 ** 13, 2 ** 14].  What it then lacks of 2 ** 14 is
   filled by counting the first units twice: ``c + min(c, lack)`` takes the cumulative weight c to
   the cumulative frequency (the mapping of Stuiver and Moffat, 1998; also in the Daala codec).

All of it is a function of the class and of pixels that both sides know, every candidate keeps a
frequency of at least two, and so it is exact and invertible.  In hardware it is the memory (8
block memories of 36 kbit for 256 classes), four 4-bit exponents to compare and subtract, three
adders, a shift by up to three places, and a comparison and an adder for each of three bounds; the
encoder picks two of them, the decoder compares its slot with all three instead of searching.  The
path of all other pixels stays as it is.  With a Laplace head the memory is one of scale class and
distance from the location, and two small ones for the symbols 0 and 255, which have the tails.

For 7-series it takes 440 to 490 LUTs and 8 block memories with a table head of 256 classes, 530 to
580 LUTs and 16 block memories with a Laplace head of 64 scales, and no clock of the decoder's loop
(:mod:`lutgen.gateware.heads.constraint`).  What it saves is in `lutgen eval` of a model with it and
one without: once, with a context tree of 256 classes, two levels, and 1,000 EMNIST digits not
trained on, 2.401 ideal bits per pixel became 2.037; an exact division would have made it 2.032.
"""

import numpy as np

from lutgen.files.compiled import njit

from .head import PROB_BITS, SYMBOLS

__all__ = ["CANDIDATES", "candidate_base", "candidate_bounds", "exponents"]

CANDIDATES = 4
#: Exponent of the heaviest candidate's weight: the others are at least one.
_TOP = 11
_SUM = 1 << PROB_BITS


def exponents(cumulative: np.ndarray) -> np.ndarray:
    """Exponent of the power of two that is nearest to each frequency.

    Parameters
    ----------
    cumulative:
        int32, shape (classes, 257): a head's cumulative frequencies.

    Returns
    -------
    numpy.ndarray
        uint8, shape (classes, 256), values 0..14.  Halfway, at three times a power of two, the
        greater one is nearest.
    """
    freq = np.diff(np.asarray(cumulative, dtype=np.int64), axis=1)
    result = np.zeros(freq.shape, dtype=np.uint8)
    for exponent in range(1, PROB_BITS + 1):
        result[4 * freq >= 3 << exponent] = exponent  # from 3/4 of the power on
    return result


@njit(forceinline=True)
def candidate_base(parent, known):
    """First candidate of a block's last pixel, given its average and the sum of its other three.

    Candidates of damaged data may lie outside 0..255 altogether: then the nearest base with one
    inside is taken, so that there is always something to decode.
    """
    base = 4 * parent - 2 - known
    return min(max(base, 1 - CANDIDATES), SYMBOLS - 1)


@njit(nogil=True)
def candidate_bounds(exponent, base, bounds):
    """Cumulative frequencies of the candidates ``base .. base + 3``.

    ``exponent`` is the class's row of :func:`exponents`; ``bounds`` (int64, 5 entries) receives 0,
    the bounds between the candidates, and ``2 ** PROB_BITS``.
    """
    greatest = 0
    for k in range(CANDIDATES):
        if 0 <= base + k < SYMBOLS:
            greatest = max(greatest, np.int64(exponent[base + k]))
    total = 0
    bounds[0] = 0
    for k in range(CANDIDATES):
        if 0 <= base + k < SYMBOLS:
            total += 1 << (_TOP - min(_TOP, greatest - np.int64(exponent[base + k])))
        bounds[k + 1] = total
    shift = 0
    while total << shift <= _SUM >> 1:
        shift += 1
    lack = _SUM - (total << shift)
    for k in range(1, CANDIDATES + 1):
        count = bounds[k] << shift
        bounds[k] = count + min(count, lack)
