"""Hard LUT layers on the CPU, forward and backward, compiled by numba.

Arrays are batch-last, (units, B): a unit's batch is one contiguous row, so every loop over the
batch is vectorised, and what a row is compared or multiplied with stays in registers.  Bits are
uint8.  Nodes are plain tables; a node's pins are numbered ``6 n + j``.

All loops share their nodes out to threads in the same way whatever their number: results do not
depend on it.
"""

import numpy as np
from numba import njit, prange

__all__ = ["add_rows", "backward_nodes", "correlate", "correlate_thermometer", "lookup"]


@njit(cache=True, parallel=True)
def lookup(source, row, threshold, table, index, out):
    """Evaluate nodes.

    Parameters: ``source`` uint8 (I, B); ``row`` int64 (6 N,) of ``source`` that each pin reads;
    ``threshold`` int64 (6 N,): a pin is ``source > threshold``; ``table`` uint8 (N, 64).
    Results: ``index`` uint8 (N, B) into the table, ``out`` uint8 (N, B).
    """
    for n in prange(len(out)):
        at = index[n]
        at[:] = 0
        for j in range(6):
            pin = source[row[6 * n + j]]
            t = np.uint8(threshold[6 * n + j])
            shift = np.uint8(j)
            for b in range(at.size):
                at[b] |= np.uint8(pin[b] > t) << shift
        entry = table[n]
        for b in range(at.size):
            out[n, b] = entry[at[b]]


@njit(cache=True, parallel=True)
def backward_nodes(grad, index, soft, to_table, to_pins):
    """Gradients of nodes.

    Parameters: ``grad`` float32 (N, B) of the outputs; ``index`` as `lookup` left it; ``soft``
    float32 (N, 64) values of the entries.  Results: ``to_table`` float32 (N, 64) with respect to
    ``soft``, ``to_pins`` float32 (6 N, B): ``grad`` times the difference between the entries at
    which the pin is 1 and 0.
    """
    for n in prange(len(grad)):
        sums = np.zeros(64)
        steps = np.empty((6, 64), dtype=np.float32)
        for k in range(64):
            for j in range(6):
                steps[j, k] = soft[n, k | 1 << j] - soft[n, k & ~(1 << j)]
        for b in range(grad.shape[1]):
            sums[index[n, b]] += grad[n, b]
        for k in range(64):
            to_table[n, k] = sums[k]
        for j in range(6):
            step = steps[j]
            for b in range(grad.shape[1]):
                to_pins[6 * n + j, b] = grad[n, b] * step[index[n, b]]


@njit(cache=True, parallel=True)
def add_rows(grad, start, pins, out):
    """Sum the rows ``pins[start[i] : start[i + 1]]`` of ``grad`` (P, B) into ``out[i]`` (I, B)."""
    for i in prange(len(out)):
        out[i] = 0
        for k in range(start[i], start[i + 1]):
            out[i] += grad[pins[k]]


@njit(cache=True, parallel=True, fastmath=True)
def correlate(grad, bits, chosen, out):
    """Gradients of candidates: ``out[s, p] = sum(grad[p] * bits[chosen[s, p]])``.

    ``grad`` float32 (P, B), ``bits`` uint8 (I, B), ``chosen`` int64 (S, P), ``out`` (S, P).
    """
    for p in prange(grad.shape[0]):
        row = grad[p]
        for s in range(len(chosen)):
            bit = bits[chosen[s, p]]
            total = np.float32(0)
            for b in range(row.size):
                total += row[b] * np.float32(bit[b])
            out[s, p] = total


@njit(cache=True, parallel=True, fastmath=True)
def correlate_thermometer(grad, source, feature, threshold, out):
    """The same for bits ``source[feature[s, p]] > threshold[s, p]`` of ``source`` uint8 (F, B)."""
    for p in prange(grad.shape[0]):
        row = grad[p]
        for s in range(len(feature)):
            value = source[feature[s, p]]
            t = np.uint8(threshold[s, p])
            total = np.float32(0)
            for b in range(row.size):
                total += row[b] if value[b] > t else np.float32(0)
            out[s, p] = total
