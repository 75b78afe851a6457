"""Sums that share parts."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import combinations

__all__ = ["shared_sums"]


def shared_sums(sums: Iterable[Sequence[Hashable]]) -> list[list[Hashable]]:
    """The terms of sums, pairs of which that occur in more than one sum are a term of their own.

    Such a pair is a tuple of two terms; they are found greedily, the most frequent one first.  No
    term occurs twice in a sum.
    """
    found = [list(terms) for terms in sums]
    while True:
        pairs = Counter(
            pair for terms in found for pair in combinations(sorted(terms, key=repr), 2)
        )
        if not pairs:
            return found
        pair, times = max(pairs.items(), key=lambda item: item[1])
        if times < 2:
            return found
        for terms in found:
            if set(pair) <= set(terms):
                terms[:] = [term for term in terms if term not in pair] + [pair]
