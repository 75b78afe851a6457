"""What one node of a hard network costs, counted over all windows, compiled by numba.

Arrays are batch-last, (units, W): a node's windows are one contiguous row.  A node's index in a
window is a byte, bit j of which is its pin j.

All that a node can become is judged by one sum over the windows.  Let ``d`` be what a window pays
more if the node gives 1 there rather than 0.  A truth table should then give 1 at the indices whose
windows' ``d`` add up to less than 0; and with the sums for each index *and* each value of a further
signal, the best table for any pin that reads this signal instead is known, too.
"""

import numpy as np

from lutgen.files.compiled import njit

__all__ = [
    "FANIN", "best_signal", "best_threshold", "change_pin", "evaluate_nodes", "hidden_stakes",
    "output_stakes", "saving", "signal_sums", "sums", "threshold_sums", "update_hidden",
    "update_output",
]  # fmt: skip

FANIN = 6
_ENTRIES = 1 << FANIN


@njit()
def evaluate_nodes(source, row, threshold, table, index, out):
    """Indices and bits, uint8 (N, W), of nodes whose pins are ``source[row] > threshold``.

    ``source`` is uint8 (I, W), ``row`` int32 and ``threshold`` uint8 (N, 6), ``table`` uint8
    (N, 64).
    """
    for n in range(len(out)):
        at = index[n]
        at[:] = 0
        for j in range(FANIN):
            pin = source[row[n, j]]
            t = threshold[n, j]
            shift = np.uint8(j)
            for w in range(at.size):
                at[w] |= np.uint8(pin[w] > t) << shift
        entry = table[n]
        for w in range(at.size):
            out[n, w] = entry[at[w]]


@njit()
def output_stakes(index, table, role, counts, targets, weights, place, cost, stakes):
    """``d`` of a node whose bit is counted in ``counts[role]``: float32 (W,).

    ``cost[counts[1], place[counts[0], target]]`` is what a window pays (`lutgen.training.polish.
    costs`).
    """
    first, second = counts[0], counts[1]
    for w in range(stakes.size):
        bit = table[index[w]]
        x = targets[w]
        if role == 0:
            row = cost[second[w]]
            below = first[w] - bit
            d = row[place[below + 1, x]] - row[place[below, x]]
        else:
            at = place[first[w], x]
            below = second[w] - bit
            d = cost[below + 1, at] - cost[below, at]
        stakes[w] = d * weights[w]


@njit()
def hidden_stakes(
    bits, readers, masks, index, tables, outputs, roles, counts, targets, weights, place, cost,
    moved, stakes,
):
    """``d`` of a node that others read: float32 (W,).

    ``readers`` are the output nodes that read it, ``masks`` which of their pins; ``index`` and
    ``tables`` are those of the output nodes, and their bits are counted in ``counts[outputs]
    [roles]``.  ``moved``, int16 of the shape of ``counts``, is zero before and after.
    """
    step = np.empty(_ENTRIES, dtype=np.int16)
    for k in range(readers.size):
        m = readers[k]
        for at in range(_ENTRIES):
            step[at] = np.int16(tables[m, at ^ masks[k]]) - np.int16(tables[m, at])
        row, total = index[m], moved[outputs[m], roles[m]]
        for w in range(stakes.size):
            total[w] += step[row[w]]
    stakes[:] = 0
    for h in range(len(counts)):
        first, second, more, further = counts[h, 0], counts[h, 1], moved[h, 0], moved[h, 1]
        for w in range(stakes.size):
            if more[w] or further[w]:
                x = targets[h, w]
                now = cost[second[w], place[first[w], x]]
                then = cost[second[w] + further[w], place[first[w] + more[w], x]]
                d = (then - now) * weights[h, w]
                stakes[w] += -d if bits[w] else d
                more[w] = further[w] = 0


# Windows that follow each other often have the same index, and an addition has to wait for the one
# before it: sums in several places do not.


@njit()
def sums(index, stakes):
    """Sum of the stakes of each index, and of their squares: float64 (2, 64)."""
    out = np.zeros((2, 2, _ENTRIES))
    for w in range(index.size):
        stake = stakes[w]
        out[w & 1, 0, index[w]] += stake
        out[w & 1, 1, index[w]] += stake * stake
    return out[0] + out[1]


@njit()
def saving(index, table, later, new, stakes):
    """What windows save if ``new`` at index ``later`` replaces ``table``, and its variance.

    The variance is that of a sum over as many other windows: the sum of the squares of what
    changes.
    """
    saved, squares = 0.0, 0.0
    for w in range(index.size):
        step = np.int64(new[later[w]]) - np.int64(table[index[w]])
        if step:
            stake = stakes[w]
            saved -= step * stake
            squares += stake * stake
    return saved, squares


@njit()
def signal_sums(index, bits, stakes):
    """Sums of the stakes of each value of a signal and each index: float64 (2, 64)."""
    out = np.zeros((4, 2 * _ENTRIES))
    for w in range(index.size):
        out[w & 3, np.int64(bits[w]) << FANIN | index[w]] += stakes[w]
    return (out[0] + out[1] + (out[2] + out[3])).reshape(2, _ENTRIES)


@njit()
def threshold_sums(index, values, stakes):
    """Sums of the stakes of windows whose value is at most t, and each index: float64 (256, 64)."""
    # Single precision: half of it stays in the cache.
    parts = np.zeros((2, 256 * _ENTRIES), dtype=np.float32)
    for w in range(index.size):
        parts[w & 1, np.int64(values[w]) << FANIN | index[w]] += stakes[w]
    out = np.zeros((256, _ENTRIES))
    for v in range(256):
        for k in range(_ENTRIES):
            at = v << FANIN | k
            out[v, k] = np.float64(parts[0, at]) + np.float64(parts[1, at])
            if v:
                out[v, k] += out[v - 1, k]
    return out


@njit()
def change_pin(index, pin, values, threshold):
    """Let a pin read ``values > threshold``: the index follows."""
    others = np.uint8(255 ^ 1 << pin)
    shift = np.uint8(pin)
    for w in range(index.size):
        index[w] = index[w] & others | np.uint8(values[w] > threshold) << shift


@njit()
def update_output(index, table, later, new, count):
    """Put ``new`` at index ``later`` in a table's place: ``count``, int16 (W,), follows."""
    for w in range(index.size):
        count[w] += np.int16(new[later[w]]) - np.int16(table[index[w]])
        index[w] = later[w]


@njit()
def update_hidden(bits, table, own, readers, masks, index, tables, outputs, roles, counts):
    """Give a node with the indices ``own`` a table; bits, and what follows of them, follow."""
    for w in range(bits.size):
        bit = table[own[w]]
        if bits[w] == bit:
            continue
        bits[w] = bit
        for k in range(readers.size):
            m = readers[k]
            at = index[m, w]
            then = at ^ masks[k]
            index[m, w] = then
            step = np.int16(tables[m, then]) - np.int16(tables[m, at])
            counts[outputs[m], roles[m], w] += step


@njit()
def best_threshold(totals, allowed):
    """Best bit ``value > t`` for each pin, of `threshold_sums`, t among those that are allowed.

    Returns the least sum of the stakes at which a table can give 1, int64 (6,) thresholds and
    float64 (6,) sums.
    """
    least = np.full(FANIN, np.inf)
    where = np.zeros(FANIN, dtype=np.int64)
    every = totals[255]
    for j in range(FANIN):
        step = 1 << j
        for t in range(255):
            if not allowed[t]:
                continue
            value = 0.0
            for k in range(_ENTRIES):
                if k & step:
                    continue
                low = totals[t, k] + totals[t, k | step]
                high = every[k] + every[k | step] - low
                value += min(low, 0.0) + min(high, 0.0)
            if value < least[j]:
                least[j] = value
                where[j] = t
    return where, least


@njit()
def best_signal(totals):
    """The same of `signal_sums`, for a signal: float64 (6,)."""
    least = np.zeros(FANIN)
    for j in range(FANIN):
        step = 1 << j
        for k in range(_ENTRIES):
            if k & step:
                continue
            least[j] += min(totals[0, k] + totals[0, k | step], 0.0)
            least[j] += min(totals[1, k] + totals[1, k | step], 0.0)
    return least
