"""Leaves to classes: k-means of leaf histograms under code length.

The distance of a leaf to a class is what coding the leaf's symbols with the class's pmf costs;
up to the leaf's own entropy that is its count times the Kullback-Leibler divergence.
"""

from collections.abc import Callable

import numpy as np

from lutgen.model.head import PROB_BITS, SYMBOLS

__all__ = ["class_counts", "code_bits", "merge_leaves"]


def code_bits(
    counts: np.ndarray, prior: np.ndarray, strength: float, floor: float = 2.0**-PROB_BITS
) -> np.ndarray:
    """Code lengths in bits, shape (C, 256), of pmfs estimated from ``counts`` (C, 256).

    ``strength`` pseudo-counts per class are spread like ``prior`` (256,), a positive pmf.  Every
    symbol keeps a probability of ``floor``, as in the integer tables, so that leaves go to the
    class that will really code them best; 0 is for reports.
    """
    pmf = counts + strength * prior
    pmf /= pmf.sum(axis=1, keepdims=True)
    return -np.log2((1 - SYMBOLS * floor) * pmf + floor)


def _prior(counts: np.ndarray) -> np.ndarray:
    prior = counts.sum(axis=0) + 1.0
    return prior / prior.sum()


def merge_leaves(
    counts: np.ndarray,
    classes: int,
    *,
    seed: int = 0,
    iterations: int = 30,
    strength: float = 1.0,
    start: np.ndarray | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """Class of each leaf.

    Parameters
    ----------
    counts:
        Shape (leaves, 256), symbol counts of each leaf.
    classes:
        Number of classes; at most that many are used.
    seed:
        Of the k-means++ like choice of first classes.
    strength:
        Pseudo-counts added to each class, spread like the whole histogram.
    start:
        Shape (C, 256): counts of first classes to go on from, instead of choosing them.
    progress:
        Called with the share of the work that is done.

    Returns
    -------
    numpy.ndarray
        int32, shape (leaves,), values below ``classes``.
    """
    counts = np.asarray(counts, dtype=np.float64)
    leaves = counts.shape[0]
    if leaves <= classes and start is None:
        return np.arange(leaves, dtype=np.int32)
    prior = _prior(counts)
    total = counts.sum(axis=1)
    pmf = (counts + prior) / (total + 1)[:, None]
    own = -(counts * np.log2(pmf)).sum(axis=1)  # a leaf's cost on its own
    chosen = 0.0
    if start is None:
        rng = np.random.default_rng(seed)
        start = _choose(counts, pmf, own, classes, rng, lambda share: progress(share / 2))
        chosen = 0.5
    bits = code_bits(start, prior, strength)
    label = np.full(leaves, -1, dtype=np.int64)  # none yet
    for k in range(iterations):
        progress(chosen + (1 - chosen) * k / iterations)
        cost = counts @ bits.T
        new = cost.argmin(axis=1)
        paid = cost[np.arange(leaves), new]
        # An empty class goes to the leaf that pays most over its own entropy.
        size = np.bincount(new, minlength=classes)
        empty = np.flatnonzero(size == 0)
        if empty.size:
            excess = np.where(size[new] > 1, paid - own, -np.inf)
            for c, leaf in zip(empty, np.argsort(-excess, kind="stable"), strict=False):
                new[leaf] = c
        if (new == label).all():
            break
        label = new
        bits = code_bits(class_counts(counts, label, classes), prior, strength)
    return label.astype(np.int32)


def class_counts(counts: np.ndarray, label: np.ndarray, classes: int) -> np.ndarray:
    """Sum of the leaf counts of each class, shape (classes, 256)."""
    # Counts are integers, so the order of the sums does not matter.
    out = np.zeros((classes, counts.shape[1]), dtype=np.float64)
    order = np.argsort(label, kind="stable")
    used, first = np.unique(label[order], return_index=True)
    out[used] = np.add.reduceat(np.asarray(counts, dtype=np.float64)[order], first)
    return out


def _choose(
    counts: np.ndarray, pmf: np.ndarray, own: np.ndarray, classes: int, rng: np.random.Generator,
    progress: Callable[[float], None],
) -> np.ndarray:  # fmt: skip
    """First classes: each next one a leaf drawn by what it pays beyond its own entropy."""
    leaves = counts.shape[0]
    first = int(counts.sum(axis=1).argmax())
    chosen = [first]
    excess = np.maximum(-(counts @ np.log2(pmf[first])) - own, 0)
    while len(chosen) < classes:
        progress(len(chosen) / classes)
        weight = excess.sum()
        if weight <= 0:
            chosen.append(int(rng.integers(leaves)))
            continue
        # The best of a few draws, as in greedy k-means++.
        draws = rng.choice(leaves, size=4, p=excess / weight)
        cost = np.maximum(-(counts @ np.log2(pmf[draws]).T) - own[:, None], 0)
        left = np.minimum(excess[:, None], cost)
        k = int(left.sum(axis=0).argmin())
        chosen.append(int(draws[k]))
        excess = left[:, k]
    return counts[chosen]
