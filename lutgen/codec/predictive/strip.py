"""A unit of a strip, a group of rows or a tile, to its payload and back; compiled by numba.

Rows of a unit are walked side by side, each ``lag`` columns behind the one above: at step t row k
is at column ``t - lag k``.  With a lag as wide as the unit this is raster order.
"""

import numpy as np

from lutgen.files.compiled import UNCOUNTED, njit
from lutgen.model.predictive.neighbourhood import NEIGHBOURS, end_row, keep
from lutgen.model.predictive.reference import PLACES
from lutgen.model.predictive.residual import fold, unfold

from .kernel import begin, predict, scratch, target
from .row_coder import begin as begin_payload
from .row_coder import next_residual, read_bits
from .tans_coder import next_tans_residual

__all__ = ["SIDE_BY_SIDE", "active", "decode_unit", "model_unit"]

#: Rows that are walked side by side at most.
SIDE_BY_SIDE = 4


@njit(nogil=True, forceinline=True)
def active(t, lag, height, width):
    """The first row that is within the unit at step ``t``, and the one behind the last."""
    return max(0, (t - width) // lag + 1), min(height, t // lag + 1)


@njit(nogil=True)
def _scratch(features):
    """Room for a sample's quantities, for so many features, and for places of each row."""
    quantity, feature, _ = scratch(features)
    return quantity, feature, np.zeros((SIDE_BY_SIDE, NEIGHBOURS + PLACES), dtype=np.int64)


@njit(nogil=True)
def model_unit(kernel, rows, y, samples, indices, lag, depth, step, most, folded, table_row):
    """Folded residuals and table rows of a unit whose first row is row ``y`` of its strip.

    Parameters
    ----------
    rows:
        Of the strip or tile, see :mod:`lutgen.model.predictive.neighbourhood`.
    samples, indices:
        int32, shape (h, w): samples as the decoder will have them, and their indices.
    lag:
        See the module; at least 4 with four rows at most, or at least w.
    depth, step, most:
        Bits of a sample, samples of an index, greatest index.
    folded, table_row:
        int32, shape (h * w,): receive the result, in the order of the walk.
    """
    _model(
        kernel, *_scratch(len(kernel.gain)), rows, y, samples, indices, lag, depth, step,
        most, folded, table_row,
    )


@njit(nogil=True, **UNCOUNTED)
def _model(kernel, quantity, feature, places, rows, y, samples, indices, lag, depth, step, most,
           folded, table_row):  # fmt: skip
    height, width = samples.shape
    at = 0
    for t in range(width + lag * (height - 1)):
        first_row, end = active(t, lag, height, width)
        for k in range(first_row, end):
            x = t - lag * k
            place = places[k & (SIDE_BY_SIDE - 1)]
            if x == 0:
                begin(rows, y + k, depth, place)
            first, final, scale, plain = predict(
                kernel, rows, x, depth, step, quantity, feature, place
            )
            whole, rest, row = target(kernel, final, scale, plain, step, most)
            folded[at] = fold(indices[k, x], whole, rest, most)
            table_row[at] = row
            at += 1
            keep(rows, y + k, x, samples[k, x], first)
            if x == width - 1:
                end_row(rows, y + k)


@njit(nogil=True)
def decode_unit(
    kernel, rows, y, data, start, stop, raw, lag, depth, step, most, samples, entries
):  # fmt: skip
    """Decode a unit from ``data[start:stop]`` into ``samples``, an integer array of shape (h, w).

    ``raw`` is the number of bits of each folded residual of a payload in plain bits, else 0;
    ``entries`` are those of tANS (:func:`.tans_coder.entries`), of rANS
    :data:`.row_coder.RANS_ENTRIES`; the other parameters are those of `model_unit`.  Returns
    whether all folded residuals were in range; the strip's checksum finds other damage.
    """
    return _decode(
        kernel, *_scratch(len(kernel.gain)), rows, y, data, start, stop, raw, lag, depth, step,
        most, samples, entries,
    )


@njit(nogil=True, **UNCOUNTED)
def _decode(kernel, quantity, feature, places, rows, y, data, start, stop, raw, lag, depth, step,
            most, samples, entries):  # fmt: skip
    height, width = samples.shape
    maximum = (1 << depth) - 1
    end_bit = stop << 3
    state, at = np.int64(0), start << 3
    if not raw:  # without a state, as that of an empty payload, all residuals are 0
        state, at = begin_payload(data, start, stop, entries.shape[1])
    for t in range(width + lag * (height - 1)):
        first_row, end = active(t, lag, height, width)
        for k in range(first_row, end):
            x = t - lag * k
            place = places[k & (SIDE_BY_SIDE - 1)]
            if x == 0:
                begin(rows, y + k, depth, place)
            first, final, scale, plain = predict(
                kernel, rows, x, depth, step, quantity, feature, place
            )
            whole, rest, row = target(kernel, final, scale, plain, step, most)
            folded = np.int64(0)
            if raw:
                folded = read_bits(data, at, end_bit, raw)
                at += raw
            elif state and len(entries):
                folded, state, at = next_tans_residual(data, at, end_bit, state, entries, row)
            elif state:
                folded, state, at = next_residual(
                    data, at, end_bit, state, kernel.cumulative, row
                )
            if folded > most:
                return False
            sample = min(unfold(folded, whole, rest, most) * step, maximum)
            samples[k, x] = sample
            keep(rows, y + k, x, sample, first)
            if x == width - 1:
                end_row(rows, y + k)
    return True
