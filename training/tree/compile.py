"""Context tree to hardware form: the top becomes a LUT netlist, the rest a walker.

**The netlist** numbers the top leaves from left to right and computes the number, ``index``.
Comparing the index with a constant is easy in a tree: ``index >= m`` follows the one path that
ends between leaves m - 1 and m, and every test on it either decides or goes on.  Such a chain of
d tests is about (d - 1) / 5 LUTs in a row.  The index is found like a number in a sorted list, two
bits at a time, where the chains of a block of leaves need only the tests that can still matter
there.  All blocks of a digit are computed at once and selected by the digits before, earliest
first, so that each digit adds one level.

**The walker** stores two levels of the tree per record.  Equal subtrees are stored once; a leaf
that comes early passes down, and parts of groups that nothing can reach are shared.
"""


import numpy as np

from lutgen.model.netlist import Netlist
from lutgen.model.walker import Walker
from lutgen.training.tree.compile_netlist import compile_netlist
from lutgen.training.tree.compile_walker import compile_walker
from lutgen.training.tree.tree import Tree

__all__ = ["collapse", "compile_tree"]


def collapse(tree: Tree, label: np.ndarray) -> tuple[Tree, np.ndarray]:
    """Remove tests below the top whose two sides end in the same class.

    ``label`` is the class of each leaf, by leaf number; returns the tree and its labels.
    """
    n = tree.feature.size
    value = np.full(n, -1, dtype=np.int64)
    value[tree.leaves] = label
    for node in np.flatnonzero(tree.feature >= 0)[::-1]:
        a, b = value[tree.child[node]]
        if a == b and a >= 0 and not tree.top[node]:
            value[node] = a
    kept = np.zeros(n, dtype=np.bool_)
    kept[0] = True
    for node in np.flatnonzero(value < 0):
        if kept[node]:
            kept[tree.child[node]] = True
    rank = (np.cumsum(kept) - 1).astype(np.int32)
    leaf = value[kept] >= 0
    child = np.where(leaf[:, None], -1, rank[tree.child[kept]])
    smaller = Tree(
        np.where(leaf, -1, tree.feature[kept]).astype(np.int16),
        np.where(leaf, 0, tree.threshold[kept]).astype(np.uint8),
        child.astype(np.int32), tree.top[kept] & ~leaf,
    )
    return smaller, value[kept][leaf]


def compile_tree(
    tree: Tree, label: np.ndarray, *, features: int, stages: int
) -> tuple[Netlist, Walker | None]:
    """Netlist and walker that give the class of every window; no walker if ``stages`` is 0."""
    tree, label = collapse(tree, np.asarray(label))
    if stages == 0:
        return compile_netlist(tree, features, label), None
    return compile_netlist(tree, features), compile_walker(tree, label, stages)
