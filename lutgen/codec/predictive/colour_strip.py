"""A unit of a strip of several planes to its payload and back, as :mod:`.strip` does with one.

A unit's rows are those of the planes in turn, and each plane has a model.  What is done for a
sample is a function that is called here, not inlined: it would be there three times, and compiling
it takes as long as all else.  Planes and their reference planes are told by numbers that are
variables there, so it is compiled once for all of them.
"""

import numpy as np

from lutgen.files.compiled import UNCOUNTED, njit
from lutgen.model.predictive.neighbourhood import NEIGHBOURS, end_row, keep
from lutgen.model.predictive.reference import PLACES, level_of
from lutgen.model.predictive.residual import fold, unfold

from .kernel import begin, predict, scratch, target
from .row_coder import begin as begin_payload
from .row_coder import next_residual, read_bits
from .strip import SIDE_BY_SIDE, active
from .tans_coder import next_tans_residual

__all__ = ["decode_colour_unit", "model_colour_unit"]


@njit(nogil=True, forceinline=True)
def _plane(y, channels):
    """Which kernel a row has: of two channels both have the first."""
    return y % channels if channels > 2 else 0


@njit(nogil=True, **UNCOUNTED)
def _model(kernel, references, channels, rows, y, x, sample, index, depth, step, most, quantity,
           feature, place):  # fmt: skip
    """Folded residual and table row of a sample, which then is a neighbour of others."""
    first, final, scale, plain = predict(
        kernel, rows, x, depth, step, quantity, feature, place, references
    )
    whole, rest, row = target(kernel, final, scale, plain, step, most)
    keep(rows, y, x, sample, first, channels, level_of(quantity, references))
    return fold(index, whole, rest, most), row


@njit(nogil=True, **UNCOUNTED)
def _decode(kernel, references, channels, rows, y, x, data, at, end, state, raw, depth, step, most,
            quantity, feature, place, entries, before):  # fmt: skip
    """A sample from bit ``at`` on, -1 if its folded residual is out of range; state and next bit.

    ``raw`` and ``entries`` are those of `decode_colour_unit`, the rows of the latter begin with
    ``before`` ones of other planes; ``end`` is the bit behind the payload.
    """
    first, final, scale, plain = predict(
        kernel, rows, x, depth, step, quantity, feature, place, references
    )
    whole, rest, row = target(kernel, final, scale, plain, step, most)
    folded = np.int64(0)
    if raw:
        folded = read_bits(data, at, end, raw)
        at += raw
    elif state and len(entries):
        folded, state, at = next_tans_residual(data, at, end, state, entries, before + row)
    elif state:
        folded, state, at = next_residual(data, at, end, state, kernel.cumulative, row)
    sample = np.int64(-1)
    if folded <= most:
        sample = min(unfold(folded, whole, rest, most) * step, (1 << depth) - 1)
        keep(rows, y, x, sample, first, channels, level_of(quantity, references))
    return sample, state, at


@njit(nogil=True)
def _scratch(first, second, third, fourth):
    """Room for a sample's quantities, for features of each model, and places of each row."""
    quantity, feature, _ = scratch(first)
    places = np.zeros((SIDE_BY_SIDE, NEIGHBOURS + PLACES), dtype=np.int64)
    return (
        quantity, feature, scratch(second)[1], scratch(third)[1], scratch(fourth)[1], places
    )


@njit(nogil=True)
def _before(first, second, third):
    """Table rows before those of each of four kernels; the first three have so many."""
    rows = np.zeros(4, dtype=np.int64)
    rows[1] = first
    rows[2] = first + second
    rows[3] = first + second + third
    return rows


@njit(nogil=True)
def model_colour_unit(
    first, second, third, fourth, last, channels, rows, y, samples, indices, lag, depth, step,
    most, folded, table_row,
):  # fmt: skip
    """See :func:`.strip.model_unit`; here are the kernels of four planes, how many reference planes
    the ``last`` of them has, and how many planes there are.  ``y`` and the arrays count rows of
    planes, table rows those of all kernels.
    """
    quantity, feature, feature_2, feature_3, feature_4, places = _scratch(
        len(first.gain), len(second.gain), len(third.gain), len(fourth.gain)
    )
    known = np.zeros(SIDE_BY_SIDE, dtype=np.int64)
    before = _before(len(first.cumulative), len(second.cumulative), len(third.cumulative))
    height, width = samples.shape
    at = 0
    for t in range(width + lag * (height - 1)):
        first_row, end = active(t, lag, height, width)
        for k in range(first_row, end):
            x = t - lag * k
            lane = k & (SIDE_BY_SIDE - 1)
            place = places[lane]
            if x == 0:
                known[lane] = _plane(y + k, channels)
            plane = known[lane]
            # Below not as numbers 0 to 2: numba would compile a function for each of them.
            references = last if plane == 3 else plane
            if x == 0:
                begin(rows, y + k, depth, place, channels, references)
            sample, index = samples[k, x], indices[k, x]
            if plane == 0:
                residual, row = _model(
                    first, references, channels, rows, y + k, x, sample, index, depth, step, most,
                    quantity, feature, place,
                )  # fmt: skip
            elif plane == 1:
                residual, row = _model(
                    second, references, channels, rows, y + k, x, sample, index, depth, step, most,
                    quantity, feature_2, place,
                )  # fmt: skip
            elif plane == 2:
                residual, row = _model(
                    third, references, channels, rows, y + k, x, sample, index, depth, step, most,
                    quantity, feature_3, place,
                )  # fmt: skip
            else:
                residual, row = _model(
                    fourth, references, channels, rows, y + k, x, sample, index, depth, step, most,
                    quantity, feature_4, place,
                )  # fmt: skip
            folded[at], table_row[at] = residual, before[plane] + row
            at += 1
            if x == width - 1:
                end_row(rows, y + k)


@njit(nogil=True)
def decode_colour_unit(
    first, second, third, fourth, last, channels, rows, y, data, start, stop, raw, lag, depth, step,
    most, samples, entries,
):  # fmt: skip
    """See :func:`.strip.decode_unit` and `model_colour_unit`; rows of ``entries`` are those of all
    kernels.
    """
    quantity, feature, feature_2, feature_3, feature_4, places = _scratch(
        len(first.gain), len(second.gain), len(third.gain), len(fourth.gain)
    )
    known = np.zeros(SIDE_BY_SIDE, dtype=np.int64)
    before = _before(len(first.cumulative), len(second.cumulative), len(third.cumulative))
    height, width = samples.shape
    end_bit = stop << 3
    state, at = np.int64(0), start << 3
    if not raw:  # without a state, as that of an empty payload, all residuals are 0
        state, at = begin_payload(data, start, stop, entries.shape[1])
    for t in range(width + lag * (height - 1)):
        first_row, end = active(t, lag, height, width)
        for k in range(first_row, end):
            x = t - lag * k
            lane = k & (SIDE_BY_SIDE - 1)
            place = places[lane]
            if x == 0:
                known[lane] = _plane(y + k, channels)
            plane = known[lane]
            # Below not as numbers 0 to 2: numba would compile a function for each of them.
            references = last if plane == 3 else plane
            if x == 0:
                begin(rows, y + k, depth, place, channels, references)
            if plane == 0:
                sample, state, at = _decode(
                    first, references, channels, rows, y + k, x, data, at, end_bit, state, raw,
                    depth, step, most, quantity, feature, place, entries, before[plane],
                )  # fmt: skip
            elif plane == 1:
                sample, state, at = _decode(
                    second, references, channels, rows, y + k, x, data, at, end_bit, state, raw,
                    depth, step, most, quantity, feature_2, place, entries, before[plane],
                )  # fmt: skip
            elif plane == 2:
                sample, state, at = _decode(
                    third, references, channels, rows, y + k, x, data, at, end_bit, state, raw,
                    depth, step, most, quantity, feature_3, place, entries, before[plane],
                )  # fmt: skip
            else:
                sample, state, at = _decode(
                    fourth, references, channels, rows, y + k, x, data, at, end_bit, state, raw,
                    depth, step, most, quantity, feature_4, place, entries, before[plane],
                )  # fmt: skip
            if sample < 0:
                return False
            samples[k, x] = sample
            if x == width - 1:
                end_row(rows, y + k)
    return True
