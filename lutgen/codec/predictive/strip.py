"""A strip of samples to row payloads and back, compiled by numba."""

import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.predictive.neighbourhood import begin_row, end_row, keep
from lutgen.model.predictive.residual import fold, unfold

from .kernel import predict, scratch, target
from .row_coder import START, begin, next_raw, next_token

__all__ = ["decode_row", "model_row"]


@njit(nogil=True)
def model_row(kernel, rows, y, samples, indices, depth, step, most, folded, table_row):
    """Folded residuals and table rows of row ``y`` of a strip.

    Parameters
    ----------
    samples, indices:
        int32, shape (width,): samples as the decoder will have them, and their indices.
    folded, table_row:
        int32, shape (width,): receive the result.
    """
    room = scratch(kernel)
    begin_row(rows, y, 1 << (depth - 1))
    for x in range(len(samples)):
        first, final, scale = predict(kernel, rows, y, x, depth, room)
        whole, rest, row = target(kernel, final, scale, step, most)
        folded[x] = fold(indices[x], whole, rest, most)
        table_row[x] = row
        keep(rows, y, x, samples[x], first)
    end_row(rows, y)


@njit(nogil=True)
def decode_row(kernel, rows, y, data, start, stop, depth, step, most, samples):
    """Decode row ``y`` of a strip from ``data[start:stop]`` into ``samples`` (int32).

    Returns whether the payload was sound.
    """
    room = scratch(kernel)
    maximum = (1 << depth) - 1
    end = stop << 3
    state, at = begin(data, start, stop)
    if state == 0:
        return False
    begin_row(rows, y, 1 << (depth - 1))
    for x in range(len(samples)):
        first, final, scale = predict(kernel, rows, y, x, depth, room)
        whole, rest, row = target(kernel, final, scale, step, most)
        token, state = next_token(state, kernel.cumulative, row)
        u, state, at = next_raw(data, at, end, state, token)
        if u > most or state == 0:
            return False
        sample = min(unfold(u, whole, rest, most) * step, maximum)
        samples[x] = sample
        keep(rows, y, x, sample, first)
    end_row(rows, y)
    return state == START and at == end
