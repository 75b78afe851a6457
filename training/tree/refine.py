"""Alternating optimisation of the tests of a tree whose shape is fixed.

Greedy growth never takes a test back.  Once the whole tree and the classes of its leaves are
known, each test can be chosen again for what its two subtrees, as they are now, make of the
samples (Carreira-Perpinan and Tavallali, "Alternating optimization of decision trees", 2018).
Every step lowers the code length or leaves it; the hardware stays as large as it was.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lutgen.files.compiled import njit
from lutgen.training.data.samples import Samples
from lutgen.training.tree.tree import Tree

__all__ = ["refine"]

#: Times that a sweep tells how far it is.
_PARTS = 50


@njit()
def _class(row, node, feature, threshold, child, value):
    while feature[node] >= 0:
        node = child[node, 1 if row[feature[node]] > threshold[node] else 0]
    return value[node]


@njit()
def _sweep(
    rows, symbols, weights, begin, end, feature, threshold, child, value, cost, first, last
):
    """Choose the tests of nodes ``first`` to ``last`` again, children before parents.

    Changes ``feature`` and ``threshold``.
    """
    features = rows.shape[1]
    joint = np.empty((features, 256))
    changed = 0
    for node in range(last, first - 1, -1):
        if feature[node] < 0 or end[node] == begin[node]:
            continue
        joint[:] = 0
        left, right = child[node, 0], child[node, 1]
        for i in range(begin[node], end[node]):
            row = rows[i]
            a = _class(row, left, feature, threshold, child, value)
            b = _class(row, right, feature, threshold, child, value)
            if a != b:
                # What this sample pays more on the left.
                more = weights[i] * (cost[symbols[i], a] - cost[symbols[i], b])
                for f in range(features):
                    joint[f, row[f]] += more
        paid = 0.0
        for v in range(threshold[node] + 1):
            paid += joint[feature[node], v]
        best, best_feature, best_threshold = paid - 1e-6, -1, 0
        for f in range(features):
            total = 0.0
            for v in range(255):
                total += joint[f, v]
                if total < best:
                    best, best_feature, best_threshold = total, f, v
        if best_feature >= 0:
            feature[node] = best_feature
            threshold[node] = best_threshold
            changed += 1
    return changed


def refine(
    tree: Tree, label: np.ndarray, samples: Samples, bits: np.ndarray,
    progress: Callable[[float], None] = lambda share: None,
) -> Tree:  # fmt: skip
    """The tree after one sweep over all of its tests, from the leaves to the root.

    Parameters
    ----------
    label:
        Class of each leaf, by leaf number.
    bits:
        Shape (C, 256), code lengths of the classes.
    progress:
        Called with the share of the work that is done.
    """
    n = tree.feature.size
    # Leaves from left to right: the samples of every node are then one range.
    order, todo = [], [0]
    while todo:
        node = todo.pop()
        if tree.feature[node] < 0:
            order.append(node)
        else:
            todo.extend((int(tree.child[node, 1]), int(tree.child[node, 0])))
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(len(order))
    rank = place[tree.leaves][tree.leaf(samples.features)]
    sort = np.argsort(rank, kind="stable")
    ends = np.cumsum(np.bincount(rank, minlength=len(order)))
    begin, end = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    end[order] = ends
    begin[order] = np.concatenate([[0], ends[:-1]])
    for node in np.flatnonzero(tree.feature >= 0)[::-1]:
        begin[node] = begin[tree.child[node, 0]]
        end[node] = end[tree.child[node, 1]]
    rows = np.ascontiguousarray(samples.features.T[sort])
    value = np.full(n, -1, dtype=np.int64)
    value[tree.leaves] = label
    feature, threshold = tree.feature.copy(), tree.threshold.copy()
    arrays = rows, samples.symbols[sort], samples.weights[sort], begin, end, feature, threshold
    cost = np.ascontiguousarray(bits.T)
    # Nodes from the last to the first in parts of equal work.
    work = np.cumsum(np.where(tree.feature >= 0, end - begin, 0)[::-1])
    bounds = np.searchsorted(work, work[-1] * np.arange(1, _PARTS) / _PARTS)
    last = n - 1
    for first in np.unique(np.append(n - 1 - bounds, 0))[::-1].tolist():
        _sweep(*arrays, tree.child, value, cost, first, last)
        last = first - 1
        progress(work[n - 1 - first] / max(1, work[-1]))
    return replace(tree, feature=feature, threshold=threshold)
