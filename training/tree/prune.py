"""Pruning a grown tree to a number of leaves, given the classes its leaves may have.

Greedy growth spends leaves where histograms differ; after merging only differences between
classes count.  Weakest-link pruning (Breiman et al., CART, section 3.3; Chou, Lookabaugh and Gray,
"Optimal pruning with applications to tree-structured source coding", 1989) takes away whole
subtrees in order of code length lost per leaf saved.
"""

import heapq
from dataclasses import replace

import numpy as np

from lutgen.training.tree.tree import Tree

__all__ = ["choose_top", "prune"]


def prune(tree: Tree, counts: np.ndarray, bits: np.ndarray, leaves: int) -> Tree:
    """The tree with at most ``leaves`` leaves and none that costs nothing to take away.

    The top of the tree stays as it is, except below top leaves.

    Parameters
    ----------
    counts:
        Shape (leaves of tree, 256), symbol counts by leaf number.
    bits:
        Shape (C, 256), code lengths of the classes.
    """
    n, child = tree.feature.size, tree.child
    alone, below = _costs(tree, counts, bits)
    inner = np.flatnonzero(tree.feature >= 0)
    parent = np.full(n, -1, dtype=np.int64)
    size = np.ones(n, dtype=np.int64)
    for node in inner[::-1]:
        parent[child[node]] = node
        size[node] = size[child[node]].sum()
    cut = np.zeros(n, dtype=np.bool_)
    gone = np.zeros(n, dtype=np.bool_)
    link = lambda node: (alone[node] - below[node]) / (size[node] - 1)  # noqa: E731
    heap = [(link(v), int(v)) for v in inner if not tree.top[v]]
    heapq.heapify(heap)
    total = int(size[0])
    while heap:
        weight, node = heap[0]
        if total <= leaves and weight > 1e-6:
            break
        heapq.heappop(heap)
        if gone[node] or cut[node] or size[node] == 1 or weight != link(node):
            continue  # taken away already, or an entry from before something below was
        up = parent[node]
        cut[node] = True
        _bury(node, child, gone)
        saved, lost = size[node] - 1, alone[node] - below[node]
        total -= saved
        size[node], below[node] = 1, alone[node]
        while up >= 0:
            size[up] -= saved
            below[up] += lost
            if not tree.top[up] and size[up] > 1:
                heapq.heappush(heap, (link(up), int(up)))
            up = parent[up]
    return _keep(tree, cut)


def choose_top(
    tree: Tree, counts: np.ndarray, bits: np.ndarray, top_leaves: int, depth: int
) -> Tree:
    """The top of a tree such that subtrees of limited depth below it lose least.

    From the root, the node is decided by the netlist next whose subtree loses most code length if
    it is cut to ``depth`` tests.  (Ordering by the gain of the split itself, as a tree grows,
    spends top leaves where the walker would do as well.)

    Returns
    -------
    Tree
        The top alone, with up to ``top_leaves`` leaves.
    """
    alone, below = _costs(tree, counts, bits)
    inner = np.flatnonzero(tree.feature >= 0)
    first, second = tree.child[inner].T
    short = alone.copy()
    for _ in range(depth):
        part = short[first] + short[second]
        short = alone.copy()
        short[inner] = np.minimum(alone[inner], part)
    loss = short - below
    top = np.zeros(tree.feature.size, dtype=np.bool_)
    heap = [(-loss[0], 0)]
    leaves = 1
    while heap and leaves < top_leaves:
        _, node = heapq.heappop(heap)
        if tree.feature[node] < 0:
            continue
        top[node] = True
        leaves += 1
        for child in tree.child[node]:
            heapq.heappush(heap, (-loss[child], int(child)))
    return _keep(replace(tree, top=top), ~top)


def _costs(tree: Tree, counts: np.ndarray, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Code length of each node as one leaf of the best class, and that of the leaves below it."""
    cost = np.zeros((tree.feature.size, bits.shape[0]))
    cost[tree.leaves] = counts @ bits.T
    inner = np.flatnonzero(tree.feature >= 0)[::-1]
    for node in inner:
        cost[node] = cost[tree.child[node]].sum(axis=0)
    alone = cost.min(axis=1)
    below = alone.copy()
    for node in inner:
        below[node] = below[tree.child[node]].sum()
    return alone, below


def _bury(node: int, child: np.ndarray, gone: np.ndarray) -> None:
    below = [int(c) for c in child[node] if c >= 0]
    while below:
        at = below.pop()
        if not gone[at]:
            gone[at] = True
            below.extend(int(c) for c in child[at] if c >= 0)


def _keep(tree: Tree, cut: np.ndarray) -> Tree:
    """The tree without everything below the nodes that ``cut`` marks."""
    kept = np.zeros(cut.size, dtype=np.bool_)
    kept[0] = True
    for node in np.flatnonzero(tree.feature >= 0):
        if kept[node] and not cut[node]:
            kept[tree.child[node]] = True
    rank = (np.cumsum(kept) - 1).astype(np.int32)
    leaf = (cut | (tree.feature < 0))[kept]
    child = rank[tree.child[kept]]
    child[leaf] = -1
    return Tree(
        np.where(leaf, -1, tree.feature[kept]).astype(np.int16),
        np.where(leaf, 0, tree.threshold[kept]).astype(np.uint8),
        child, tree.top[kept] & ~leaf,
    )
