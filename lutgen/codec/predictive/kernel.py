"""What encoder, decoder and trainer compute alike for each sample, compiled by numba.

All of it needs the sample's neighbours only.  ``kernel`` is a
:class:`lutgen.model.predictive.model.Kernel`, ``rows`` those of a strip, ``feature``, ``quantity``
and ``answer`` room for one sample's values (:func:`scratch`).
"""

import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.predictive.features import (
    LEAST_EXPONENT,
    LEVEL_NUMBER,
    OCTAVE,
    SCALE_NUMBER,
    log2,
    normalised,
    scale_of,
)
from lutgen.model.predictive.model import CLASS_BITS, FRACTIONS
from lutgen.model.predictive.neighbourhood import FRACTION_BITS, QUANTITIES, gather
from lutgen.model.predictive.predictor import first_prediction, leaf_of
from lutgen.model.predictive.residual import rounded
from lutgen.model.predictive.trees import tree_sum

__all__ = ["features", "near_offset", "predict", "predict_of", "scratch", "target"]

_P = QUANTITIES["P"]
_QUANTITIES = len(QUANTITIES)
#: A correction's unit is 1/64 of the power of two above the spread.
_CORRECTION_BITS = 6
#: Bits of the reciprocal of the step of near-lossless samples.
_RECIPROCAL_BITS = 16


@njit(nogil=True)
def scratch(kernel):
    """Room for a sample's quantities, features and answers."""
    return (
        np.zeros(_QUANTITIES, dtype=np.int64),
        np.zeros(len(kernel.kind), dtype=np.int64),
        np.zeros(len(kernel.question_feature), dtype=np.int64),
    )


@njit(nogil=True, inline="always")
def features(kernel, begin, end, quantity, logarithm, depth, feature):
    """Fill ``feature[begin:end]``."""
    shift = (logarithm >> 4) - LEAST_EXPONENT
    for f in range(begin, end):
        if kernel.kind[f] == SCALE_NUMBER:
            feature[f] = min((logarithm - LEAST_EXPONENT * OCTAVE) >> 1, 255)
        elif kernel.kind[f] == LEVEL_NUMBER:
            feature[f] = (quantity[_P] << 7) >> (depth + FRACTION_BITS)
        else:
            feature[f] = normalised(kernel, f, quantity, shift)


@njit(nogil=True)
def predict_of(kernel, quantity, depth, feature, answer):
    """Corrected prediction and spread of a sample whose first prediction is among its quantities.

    Returned as by `predict`: ``(final, scale)``.
    """
    logarithm = log2(scale_of(kernel, quantity))
    features(kernel, 0, len(feature), quantity, logarithm, depth, feature)
    return _finish(kernel, quantity, logarithm, depth, feature, answer)


@njit(nogil=True, inline="always")
def _finish(kernel, quantity, logarithm, depth, feature, answer):
    """Corrected prediction and spread from all features."""
    for q in range(len(answer)):
        answer[q] = feature[kernel.question_feature[q]] > kernel.question_threshold[q]
    correction = tree_sum(kernel.correction_pin, kernel.correction_value, answer)
    shift = (logarithm >> 4) - LEAST_EXPONENT
    final = quantity[_P] + ((correction << shift) >> _CORRECTION_BITS)
    scale = logarithm + tree_sum(kernel.scale_pin, kernel.scale_value, answer)
    return min(max(final, 0), ((1 << depth) - 1) << FRACTION_BITS), scale


@njit(nogil=True)
def predict(kernel, rows, y, x, depth, room):
    """Predict the sample at ``y`` and ``x`` of a strip.

    Returns
    -------
    (first, final, scale):
        First and corrected prediction in 1/8 of a sample, and the logarithm of the spread in 1/16
        of an octave.
    """
    quantity, feature, answer = room
    maximum = (1 << depth) - 1
    gather(rows, y, x, quantity)
    logarithm = log2(scale_of(kernel, quantity))
    features(kernel, 0, kernel.early, quantity, logarithm, depth, feature)
    first = first_prediction(kernel, leaf_of(kernel, feature), quantity, maximum)
    quantity[_P] = first
    features(kernel, kernel.early, len(feature), quantity, logarithm, depth, feature)
    final, scale = _finish(kernel, quantity, logarithm, depth, feature, answer)
    return first, final, scale


@njit(nogil=True)
def near_offset(step):
    """What the scale of indices is below that of samples, ``step`` of which share an index."""
    return log2(step << 4) - (4 << 4)


@njit(nogil=True, inline="always")
def target(kernel, final, scale, step, most):
    """Where a prediction points among indices 0 to ``most``, each of ``step`` samples.

    Returns
    -------
    (whole, rest, row):
        Nearest index, the rest in 1/8, and the row of the token table.
    """
    if step > 1:
        reciprocal = ((1 << _RECIPROCAL_BITS) + (step >> 1)) // step
        final = (final * reciprocal + (1 << (_RECIPROCAL_BITS - 1))) >> _RECIPROCAL_BITS
        scale -= near_offset(step)
    whole, rest = rounded(final)
    if whole > most:
        whole, rest = most, 0
    row = min(max((scale - kernel.origin) >> CLASS_BITS, 0), kernel.classes - 1) * FRACTIONS
    if rest < -1 or rest > 1:
        row += 1
    return whole, rest, row
