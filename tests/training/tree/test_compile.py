import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.training.tree.compile import collapse, compile_tree
from lutgen.training.tree.compile_netlist import compile_netlist
from lutgen.training.tree.top_order import top_order
from lutgen.training.tree.tree import Tree


def random_tree(rng, top_leaves, leaves, depth_below, features=12):
    """A tree of random shape; tests may repeat on a path, which growing never does."""
    feature, threshold, child, top = [-1], [0], [(-1, -1)], [False]
    below, count = [0], 1
    while count < leaves:
        is_top = count < top_leaves
        options = [v for v, f in enumerate(feature) if f < 0 and (is_top or below[v] < depth_below)]
        if not options:
            break
        v = int(rng.choice(options))
        feature[v], threshold[v] = int(rng.integers(features)), int(rng.integers(255))
        top[v] = is_top
        child[v] = (len(feature), len(feature) + 1)
        for _ in range(2):
            feature.append(-1)
            threshold.append(0)
            child.append((-1, -1))
            top.append(False)
            below.append(0 if is_top else below[v] + 1)
        count += 1
    return Tree(
        np.array(feature, np.int16), np.array(threshold, np.uint8), np.array(child, np.int32),
        np.array(top),
    )


def windows(rng, count=4000, features=12):
    random = rng.integers(0, 256, (features, count))
    return np.where(rng.random((features, count)) < 0.7, random, 0).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 100), st.integers(0, 200), st.integers(1, 3),
       st.integers(1, 40))
def test_netlist_and_walker_equal_the_tree(seed, top_leaves, more, stages, classes):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, top_leaves, top_leaves + more, 2 * stages)
    label = rng.integers(0, classes, tree.leaves.size)
    network, walker = compile_tree(tree, label, features=12, stages=stages)
    pixels = windows(rng)
    index = network.evaluate_index("index", pixels)
    np.testing.assert_array_equal(walker.walk(index, pixels), label[tree.leaf(pixels)])
    assert walker.entries == 1 << len(network.outputs["index"])
    assert [stage.records % 4 for stage in walker.stages[1:]] == [0] * (stages - 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(1, 200))
def test_netlist_alone_equals_the_tree(seed, leaves, classes):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, leaves, leaves, 0)
    label = rng.integers(0, classes, tree.leaves.size)
    network, walker = compile_tree(tree, label, features=12, stages=0)
    pixels = windows(rng)
    assert walker is None
    np.testing.assert_array_equal(
        network.evaluate_index("index", pixels), label[tree.leaf(pixels)]
    )


@pytest.mark.parametrize("leaves", [2, 3, 5, 64, 65, 100, 256])
def test_index_is_the_place_from_left_to_right(leaves):
    rng = np.random.default_rng(leaves)
    tree = random_tree(rng, leaves, leaves, 0)
    network = compile_netlist(tree, 12)
    pixels = windows(rng)
    order = np.array(top_order(tree))
    index = network.evaluate_index("index", pixels)
    np.testing.assert_array_equal(order[index], tree.leaves[tree.leaf(pixels)])


def test_worst_shape_is_small():
    # Every test hangs from the one before: the deepest tree of 64 leaves.
    n = 63
    feature = np.full(2 * n + 1, -1, np.int16)
    threshold = np.zeros(2 * n + 1, np.uint8)
    child = np.full((2 * n + 1, 2), -1, np.int32)
    rng = np.random.default_rng(0)
    for k in range(n):
        feature[2 * k] = rng.integers(12)
        threshold[2 * k] = rng.integers(255)
        child[2 * k] = (2 * k + 1, 2 * k + 2)
    tree = Tree(feature, threshold, child, feature >= 0)
    network = compile_netlist(tree, 12)
    assert network.n_nodes <= 1.6 * 64
    assert network.depth <= 14


def test_grown_top_is_cheap(grown):
    tree = Tree(grown.feature, grown.threshold, grown.child, grown.feature >= 0)
    network = compile_netlist(tree, 12)
    assert network.n_nodes <= 1.2 * 400
    assert network.depth <= 9


def test_walker_shares(samples):
    rng = np.random.default_rng(0)
    tree = random_tree(rng, 16, 120, 6)
    _, one = compile_tree(tree, np.zeros(tree.leaves.size, int), features=12, stages=3)
    assert [stage.records for stage in one.stages] == [16, 4, 4]  # a single chain
    _, some = compile_tree(
        tree, rng.integers(0, 2, tree.leaves.size), features=12, stages=3)
    assert all(a.records <= 16 * 4**k for k, a in enumerate(some.stages))


def test_collapse_keeps_classes_and_the_top():
    rng = np.random.default_rng(5)
    tree = random_tree(rng, 8, 60, 6)
    label = rng.integers(0, 3, 60)
    smaller, renamed = collapse(tree, label)
    pixels = windows(rng)
    np.testing.assert_array_equal(renamed[smaller.leaf(pixels)], label[tree.leaf(pixels)])
    assert smaller.leaves.size < 60 and smaller.top.sum() == 7
    same, _ = collapse(smaller, renamed)
    assert same.leaves.size == smaller.leaves.size


def test_too_deep_is_refused():
    tree = random_tree(np.random.default_rng(1), 2, 60, 6)
    with pytest.raises(ValueError, match=r"^subtrees must be at most 4 tests deep, not 6$"):
        compile_tree(tree, np.arange(60), features=12, stages=2)
    with pytest.raises(ValueError, match=r"^tree must be all top to be compiled without a walker$"):
        compile_tree(tree, np.arange(60), features=12, stages=0)
