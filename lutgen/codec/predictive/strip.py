"""A unit of a strip, a row or a tile, to its payload and back; compiled by numba."""

import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.predictive.neighbourhood import end_row, keep
from lutgen.model.predictive.residual import fold, unfold

from .kernel import begin, predict, scratch, target
from .row_coder import begin as begin_payload
from .row_coder import next_residual, read_bits

__all__ = ["decode_unit", "model_unit"]


@njit(nogil=True)
def model_unit(kernel, rows, y, samples, indices, depth, step, most, folded, table_row):
    """Folded residuals and table rows of a unit whose first row is row ``y`` of its strip.

    Parameters
    ----------
    rows:
        Of the strip or tile, see :mod:`lutgen.model.predictive.neighbourhood`.
    samples, indices:
        int32, shape (h, w): samples as the decoder will have them, and their indices.
    depth, step, most:
        Bits of a sample, samples of an index, greatest index.
    folded, table_row:
        int32, shape (h * w,): receive the result.
    """
    quantity, feature, place = scratch(kernel)
    at = 0
    for k in range(len(samples)):
        begin(rows, y + k, depth, place)
        for x in range(samples.shape[1]):
            first, final, scale, plain = predict(
                kernel, rows, x, depth, quantity, feature, place
            )
            whole, rest, row = target(kernel, final, scale, plain, step, most)
            folded[at] = fold(indices[k, x], whole, rest, most)
            table_row[at] = row
            at += 1
            keep(rows, y + k, x, samples[k, x], first)
        end_row(rows, y + k)


@njit(nogil=True)
def decode_unit(kernel, rows, y, data, start, stop, raw, depth, step, most, samples):
    """Decode a unit from ``data[start:stop]`` into ``samples``, an integer array of shape (h, w).

    ``raw`` is the number of bits of each folded residual of a payload in plain bits, else 0.
    Returns whether all folded residuals were in range; the strip's checksum finds other damage.
    """
    quantity, feature, place = scratch(kernel)
    maximum = (1 << depth) - 1
    end = stop << 3
    state, at = np.int64(0), start << 3
    if not raw:
        state, at = begin_payload(data, start, stop)
    for k in range(len(samples)):
        begin(rows, y + k, depth, place)
        for x in range(samples.shape[1]):
            first, final, scale, plain = predict(
                kernel, rows, x, depth, quantity, feature, place
            )
            whole, rest, row = target(kernel, final, scale, plain, step, most)
            folded = np.int64(0)
            if raw:
                folded = read_bits(data, at, end, raw)
                at += raw
            elif state:
                folded, state, at = next_residual(
                    data, at, end, state, kernel.cumulative, row
                )
            if folded > most:
                return False
            sample = min(unfold(folded, whole, rest, most) * step, maximum)
            samples[k, x] = sample
            keep(rows, y + k, x, sample, first)
        end_row(rows, y + k)
    return True
