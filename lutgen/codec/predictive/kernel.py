"""What encoder, decoder and trainer compute alike for each sample, compiled by numba.

All of it needs the sample's neighbours only.  ``kernel`` is a
:class:`lutgen.model.predictive.model.Kernel`, ``rows`` those of a strip; ``quantity``, ``feature``
and ``place`` are what `scratch` gives.  They are passed one by one, as taking them out of a tuple
for each sample counts references and takes as long as the prediction.
"""

import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.predictive.features import LEAST_EXPONENT, fill_features, log2, scale_of
from lutgen.model.predictive.model import CLASS_BITS, CORRECTION_BITS, SCALE_STEP, TABLES
from lutgen.model.predictive.neighbourhood import (
    FRACTION_BITS,
    NEIGHBOURS,
    QUANTITIES,
    begin_row,
    gather,
    is_plain,
    locate,
)
from lutgen.model.predictive.predictor import first_prediction, leaf_of
from lutgen.model.predictive.reference import (
    MOST_REFERENCES,
    PLACES,
    gather_references,
    level_of,
    locate_references,
    quantities_with,
)
from lutgen.model.predictive.residual import rounded
from lutgen.model.predictive.trees import tree_sums

__all__ = [
    "RECIPROCAL_BITS", "begin", "near_offset", "predict", "predict_first", "predict_of",
    "reciprocal_of", "scratch", "target",
]  # fmt: skip

_P, _MEDIAN = QUANTITIES["P"], QUANTITIES["MED"]
_QUANTITIES = quantities_with(MOST_REFERENCES)
#: Bits of the reciprocal of the step of near-lossless samples.
RECIPROCAL_BITS = 16


@njit(nogil=True)
def scratch(features):
    """Room for a sample's quantities, for so many features, and for its neighbours' places."""
    return (
        np.zeros(_QUANTITIES, dtype=np.int64),
        np.zeros(features, dtype=np.uint8),
        np.zeros(NEIGHBOURS + PLACES, dtype=np.int64),
    )


@njit(nogil=True, forceinline=True)
def begin(rows, y, depth, place, channels=1, references=0):
    """Begin row ``y`` of a strip: fill in where its first sample's neighbours stand."""
    begin_row(rows, y, 0 if references else 1 << (depth - 1), channels)
    locate(rows, y, place, channels)
    locate_references(rows, y, place, channels, references)


@njit(nogil=True, forceinline=True)
def _first(kernel, quantity, plain, depth, feature, references):
    """First prediction, and the logarithm of S, from the quantities around a sample."""
    logarithm = log2(scale_of(kernel, quantity))
    fill_features(kernel, False, quantity, logarithm, depth, feature, references)
    maximum = (1 << depth) - 1
    if plain and references:  # the median of differences need not be one of this sample
        level = level_of(quantity, references)
        most = (maximum << FRACTION_BITS) - level
        return min(max(quantity[_MEDIAN], -level), most), logarithm
    if plain:
        return quantity[_MEDIAN], logarithm
    leaf = leaf_of(kernel, feature)
    return first_prediction(kernel, leaf, quantity, maximum, references), logarithm


@njit(nogil=True, forceinline=True)
def _finish(kernel, quantity, plain, logarithm, depth, feature, references):
    """Corrected prediction of the sample, and spread, from the first and early features."""
    fill_features(kernel, True, quantity, logarithm, depth, feature, references)
    correction, scale = tree_sums(kernel, feature)
    scale += SCALE_STEP * logarithm
    final = quantity[_P]
    if references:
        final += level_of(quantity, references)
    elif plain:
        return final, scale
    if not plain:
        final += (correction << ((logarithm >> 4) - LEAST_EXPONENT)) >> CORRECTION_BITS
    return min(max(final, 0), ((1 << depth) - 1) << FRACTION_BITS), scale


@njit(nogil=True, forceinline=True)
def predict_first(kernel, rows, x, depth, quantity, feature, place, references=0):
    """First prediction of the sample in column ``x`` of the row that has been begun."""
    gather(rows, place, x, quantity)
    if references:
        gather_references(rows, place, x, quantity, references)
    return _first(kernel, quantity, is_plain(quantity), depth, feature, references)[0]


@njit(nogil=True, forceinline=True)
def predict_of(kernel, quantity, depth, feature, references=0):
    """Corrected prediction and spread of a sample whose first prediction is among its quantities.

    Returned as by `predict`: ``(final, scale, plain)``.
    """
    logarithm = log2(scale_of(kernel, quantity))
    fill_features(kernel, False, quantity, logarithm, depth, feature, references)
    plain = is_plain(quantity)
    final, scale = _finish(kernel, quantity, plain, logarithm, depth, feature, references)
    return final, scale, plain


@njit(nogil=True, forceinline=True)
def predict(kernel, rows, x, depth, step, quantity, feature, place, references=0):
    """Predict the sample in column ``x`` of the row that has been begun.

    Near-lossless, where ``step`` samples share an index, no surroundings are plain: neighbours are
    alike because they were quantised.

    Returns
    -------
    (first, final, scale, plain):
        First prediction, of a difference if there are reference planes, and the corrected one of
        the sample in 1/8 of a sample, the logarithm of the spread in 1/32 of
        an octave, and whether the surroundings are plain: then the median is the prediction.
    """
    gather(rows, place, x, quantity)
    if references:  # not asked of gray, though nothing is gathered: arrays count references
        gather_references(rows, place, x, quantity, references)
    plain = step == 1 and is_plain(quantity)
    first, logarithm = _first(kernel, quantity, plain, depth, feature, references)
    quantity[_P] = first
    final, scale = _finish(kernel, quantity, plain, logarithm, depth, feature, references)
    return first, final, scale, plain


@njit(nogil=True, forceinline=True)
def reciprocal_of(step):
    """What brings predictions to indices, each of ``step`` samples: 2^16 over the step, rounded."""
    return ((1 << RECIPROCAL_BITS) + (step >> 1)) // step


@njit(nogil=True)
def near_offset(step):
    """What the scale of indices is below that of samples, ``step`` of which share an index."""
    return SCALE_STEP * (log2(step << 4) - (4 << 4))


@njit(nogil=True, forceinline=True)
def target(kernel, final, scale, plain, step, most):
    """Where a prediction points among indices 0 to ``most``, each of ``step`` samples.

    Returns
    -------
    (whole, rest, row):
        Nearest index, the rest in 1/8, and the row of the token table.
    """
    if step > 1:
        final = (final * reciprocal_of(step) + (1 << (RECIPROCAL_BITS - 1))) >> RECIPROCAL_BITS
        scale -= near_offset(step)
    whole, rest = rounded(final)
    if whole > most:
        whole, rest = most, 0
    row = min(max((scale - kernel.origin) >> CLASS_BITS, 0), kernel.classes - 1) * TABLES
    if plain:
        row += 2
    elif rest < -1 or rest > 1:
        row += 1
    return whole, rest, row
