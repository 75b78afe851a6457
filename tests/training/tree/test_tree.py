from dataclasses import replace

import numpy as np
import pytest

from lutgen.model.window import Window
from lutgen.training.data.samples import Samples, collect, orientations
from lutgen.training.tree.merge import class_counts, code_bits, merge_leaves
from lutgen.training.tree.prune import choose_top, prune
from lutgen.training.tree.refine import refine
from lutgen.training.tree.tree import Grower


def _entropy(counts):
    counts = counts[counts > 0]
    return float((counts * -np.log2(counts / counts.sum())).sum())


def _prior(counts):
    return (counts.sum(axis=0) + 1) / (counts.sum() + 256)


def test_collect_equals_the_codecs_window(images):
    image = np.tile(images[0], (2, 2))[:40, :45]  # four tiles of different sizes
    samples = collect([image], Window(5), 32)
    window, want = Window(5), {}
    for y in range(0, 40, 32):
        for x in range(0, 45, 32):
            part = image[y : y + 32, x : x + 32]
            rows = np.vstack([window.extract(part).reshape(12, -1), part.reshape(1, -1)]).T
            for row in rows:
                want[row.tobytes()] = want.get(row.tobytes(), 0) + 1
    have = {}
    for row, weight in zip(np.vstack([samples.features, samples.symbols]).T, samples.weights,
                           strict=True):
        have[row.tobytes()] = have.get(row.tobytes(), 0) + int(weight)
    assert have == want
    assert samples.pixels == image.size
    assert (samples.features.any(axis=0) | (samples.weights >= 1)).all()


def test_orientations(images):
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    turned = orientations([image], 8)
    assert len({(t.shape, t.tobytes()) for t in turned}) == 8
    assert turned[0] is image
    with pytest.raises(ValueError, match=r"^orientations must be 1, 2, 4 or 8, not 3$"):
        orientations([image], 3)


def test_first_split_is_the_best_of_all(samples):
    grower = Grower(samples)
    grower.grow(2)
    tree = grower.tree()
    whole = np.bincount(samples.symbols, samples.weights, 256)
    best = np.inf
    for f in range(12):
        joint = np.zeros((256, 256))
        np.add.at(joint, (samples.features[f], samples.symbols), samples.weights)
        left = np.cumsum(joint, axis=0)
        for threshold in range(255):
            best = min(best, _entropy(left[threshold]) + _entropy(whole - left[threshold]))
    counts = tree.histograms(samples)
    assert sum(map(_entropy, counts)) == pytest.approx(best)


def test_small_nodes_split_as_large_ones():
    # Many weighted cells against the same samples one by one: both orders of counting.
    rng = np.random.default_rng(0)
    features = rng.integers(0, 256, (3, 50_000)).astype(np.uint8)
    symbols = (features[1] // 64 + rng.integers(0, 3, 50_000)).astype(np.uint8)
    ones = np.ones(50_000, np.int64)
    large = Samples(features, symbols, ones)
    small = Samples(features[:, :20_000], symbols[:20_000], ones[:20_000])
    for samples in (large, small):
        grower = Grower(samples)
        grower.grow(2)
        tree = grower.tree()
        assert tree.feature[0] == 1 and tree.threshold[0] in (63, 127, 191)


def test_tree_is_consistent(grown, samples):
    assert grown.leaves.size == 400
    assert grown.histograms(samples).sum() == samples.pixels
    assert (grown.histograms(samples).sum(axis=1) > 0).all()
    leaf = grown.leaf(samples.features[:, :200])
    for k in range(200):
        node = 0
        while grown.feature[node] >= 0:
            node = grown.child[node, int(samples.features[grown.feature[node], k]
                                         > grown.threshold[node])]
        assert grown.leaves[leaf[k]] == node


def test_more_leaves_code_better_also_what_was_not_seen(samples, fresh):
    paid = []
    grower = Grower(samples)
    for leaves in (1, 8, 64):
        grower.grow(leaves)
        tree = grower.tree()
        counts = tree.histograms(samples)
        bits = code_bits(counts, _prior(counts), 8.0)
        paid.append((tree.histograms(fresh) * bits).sum() / fresh.pixels)
    assert paid[0] > paid[1] + 0.5 and paid[1] > paid[2] + 0.1


def test_growth_is_the_same_again(grown, samples):
    grower = Grower(samples)
    grower.grow(100)
    grower.grow(400)
    again = grower.tree()
    for name in ("feature", "threshold", "child", "top"):
        np.testing.assert_array_equal(getattr(again, name), getattr(grown, name))


def test_top_limits_the_depth_below(grown, samples):
    counts = grown.histograms(samples)
    label = merge_leaves(counts, 16)
    bits = code_bits(class_counts(counts, label, 16), _prior(counts), 1.0)
    top = choose_top(grown, counts, bits, 10, 4)
    assert top.leaves.size == 10
    grower = Grower(samples)
    grower.start(top, 4)
    grower.grow(300)
    tree = grower.tree()
    assert tree.top.sum() == 9 and tree.top_leaves.size == 10
    depth, above = tree.depth, {}
    for node in tree.top_leaves:
        above[int(node)] = depth[node]
    for node in range(tree.feature.size):
        if tree.feature[node] >= 0:
            for child in tree.child[node].tolist():
                above.setdefault(child, above.get(node, -1))
    inner = tree.leaves[[above[int(v)] >= 0 for v in tree.leaves]]
    assert max(depth[v] - above[int(v)] for v in inner) <= 4
    with pytest.raises(ValueError, match=r"^tree must not be grown yet"):
        grower.start(top, 4)


def test_merge_uses_classes_and_beats_chance(grown, samples):
    counts = grown.histograms(samples)
    label = merge_leaves(counts, 20, seed=1)
    assert label.dtype == np.int32 and set(label) == set(range(20))
    np.testing.assert_array_equal(label, merge_leaves(counts, 20, seed=1))

    def paid(label):
        return sum(map(_entropy, class_counts(counts, label, 40)))

    rng = np.random.default_rng(0)
    assert paid(label) < 0.75 * paid(rng.integers(0, 20, label.size))
    assert paid(merge_leaves(counts, 40)) < paid(label)
    np.testing.assert_array_equal(merge_leaves(counts[:5], 8), np.arange(5))


def test_merge_repairs_empty_classes():
    counts = np.zeros((6, 256))
    counts[np.arange(6), [0, 50, 100, 150, 200, 250]] = 100
    start = np.repeat(counts[:1], 3, axis=0)  # three equal classes: two are empty at first
    assert len(set(merge_leaves(counts, 3, start=start))) == 3


def test_prune_takes_the_cheapest(grown, samples):
    counts = grown.histograms(samples)
    label = merge_leaves(counts, 16)
    bits = code_bits(class_counts(counts, label, 16), _prior(counts), 1.0)
    paid = []
    for leaves in (400, 150, 50, 1):
        tree = prune(grown, counts, bits, leaves)
        assert tree.leaves.size <= leaves
        paid.append((tree.histograms(samples) @ bits.T).min(axis=1).sum())
    assert paid == sorted(paid)
    assert paid[0] == pytest.approx((counts @ bits.T).min(axis=1).sum(), rel=1e-9)
    # A smaller tree of the same size by growth alone is worse.
    grower = Grower(samples)
    grower.grow(150)
    assert paid[1] < (grower.tree().histograms(samples) @ bits.T).min(axis=1).sum()


def test_refine_only_lowers_the_code_length(grown, samples, fresh):
    counts = grown.histograms(samples)
    label = merge_leaves(counts, 16)
    bits = code_bits(class_counts(counts, label, 16), _prior(counts), 1.0)
    tree, paid, unseen = grown, [], []
    for _ in range(3):
        paid.append((tree.histograms(samples) * bits[label]).sum())
        unseen.append((tree.histograms(fresh) * bits[label]).sum())
        tree = refine(tree, label, samples, bits)
    assert paid[0] > 1.003 * paid[1] and paid[1] >= paid[2]
    assert unseen[1] < unseen[0]
    for name in ("child", "top"):
        np.testing.assert_array_equal(getattr(tree, name), getattr(grown, name))


def test_refine_repairs_a_spoilt_test(grown, samples):
    counts = grown.histograms(samples)
    bits = code_bits(counts, _prior(counts), 1.0)
    label = np.arange(counts.shape[0])
    spoilt = replace(grown, threshold=grown.threshold.copy())
    spoilt.threshold[0] = 254 - spoilt.threshold[0]
    before = (spoilt.histograms(samples) * bits).sum()
    after = (refine(spoilt, label, samples, bits).histograms(samples) * bits).sum()
    assert after < 0.99 * before
