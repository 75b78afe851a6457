"""Hard LUT layers on the CPU, forward and backward, compiled by numba.

Arrays are batch-last, (units, B): a unit's batch is one contiguous row, so every loop over the
batch is vectorised, and what a row is compared or multiplied with stays in registers.  Bits are
uint8.  Nodes are plain tables; a node's pins are numbered ``6 n + j``.

All loops share their nodes out to threads in the same way whatever their number: results do not
depend on it.
"""

import numpy as np
from numba import prange

from lutgen.files.compiled import njit

__all__ = ["backward_layer", "backward_source", "lookup"]


@njit(parallel=True)
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


@njit(parallel=True, fastmath=True)
def backward_layer(grad, index, soft, source, chosen, threshold, to_table, to_weights, steps):
    """Gradients of a layer's tables and candidates.

    Parameters: ``grad`` float32 (N, B) of the outputs; ``index`` as `lookup` left it; ``soft``
    float32 (N, 64) values of the entries; ``source`` as in `lookup`; ``chosen`` and ``threshold``
    int64 (S, 6 N): candidates of the pins, bits ``source[chosen] > threshold``.
    Results: ``to_table`` float32 (N, 64) with respect to ``soft``; ``to_weights`` float32
    (S, 6 N) with respect to the candidates' weights; ``steps`` float32 (N, 6, 64), the difference
    that a pin makes at each index.
    """
    for n in prange(len(grad)):
        row = grad[n]
        at = index[n]
        sums = np.zeros(64)
        for b in range(row.size):
            sums[at[b]] += row[b]
        # Of one node at a time: it stays in the cache.
        pin = np.empty(row.size, dtype=np.float32)
        for k in range(64):
            to_table[n, k] = sums[k]
        for j in range(6):
            step = steps[n, j]
            for k in range(64):
                step[k] = soft[n, k | 1 << j] - soft[n, k & ~(1 << j)]
            for b in range(row.size):
                pin[b] = row[b] * step[at[b]]
            p = 6 * n + j
            for s in range(len(chosen)):
                value = source[chosen[s, p]]
                t = np.uint8(threshold[s, p])
                total = np.float32(0)
                for b in range(pin.size):
                    total += pin[b] if value[b] > t else np.float32(0)
                to_weights[s, p] = total


@njit(parallel=True)
def backward_source(grad, index, steps, start, pins, out):
    """Gradient of what a layer reads, float32 (I, B): of each row, from the pins that read it.

    Pins of row i are ``pins[start[i] : start[i + 1]]``; the rest is as in `backward_layer`.
    """
    for i in prange(len(out)):
        total = out[i]
        total[:] = 0
        for k in range(start[i], start[i + 1]):
            n = pins[k] // 6
            step = steps[n, pins[k] % 6]
            row = grad[n]
            at = index[n]
            for b in range(total.size):
                total[b] += row[b] * step[at[b]]
