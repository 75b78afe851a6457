"""Sums of LUT trees: the packed form that the loops read, and the definition."""

import numpy as np
import pytest

from lutgen.model.predictive.trees import NEVER, PINS, LutTrees, address_words, packed_values

RNG = np.random.default_rng(0)


def trees(count: int, features: int) -> LutTrees:
    """Random trees, some of whose pins are not used."""
    threshold = RNG.integers(0, 256, (count, PINS), dtype=np.uint8)
    return LutTrees(
        RNG.integers(0, features, (count, PINS), dtype=np.uint8), threshold,
        RNG.integers(-128, 128, (count, 64), dtype=np.int8),
    )  # fmt: skip


def addresses(network: LutTrees, value: np.ndarray) -> np.ndarray:
    """Address of each tree's table by the definition."""
    answers = value[network.feature] > network.threshold
    return (answers << np.arange(PINS)).sum(axis=1)


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (3, 9), (30, 31)])
def test_addresses_of_all_trees(counts):
    features = 7
    order = RNG.permutation(features).tolist()
    corrections, scales = (trees(count, features) for count in counts)
    row, words = address_words(corrections, scales, order)
    value = packed_values(corrections, scales)
    assert row.shape == (features, NEVER + 1) and len(words) <= features + PINS * sum(counts)
    assert len(value) == 10 * words.shape[1]
    for _ in range(50):
        found = RNG.integers(0, 256, features)
        packed = np.bitwise_or.reduce([words[row[k, found[order[k]]]] for k in range(features)])
        apart = (packed.view(np.uint64)[:, None] >> np.arange(0, 60, PINS, dtype=np.uint64)) & 63
        wanted = [addresses(network, found) for network in (corrections, scales)]
        np.testing.assert_array_equal(apart.ravel()[: sum(counts)], np.concatenate(wanted))
