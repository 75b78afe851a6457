"""Which cases of a test the quick run has: the first of a kind stands for the others."""

from collections.abc import Iterable

import pytest

__all__ = ["all_slow", "slow_but_first"]


def all_slow(values: Iterable, *, several: bool = False) -> list:
    """Values of one argument, or tuples of those of several, for the full run alone."""
    # Processes that share the tests must collect them in one order, and sets have one of their own
    # in each process.
    if isinstance(values, set | frozenset):
        raise TypeError("values must have an order, which a set has not")
    return [
        pytest.param(*(value if several else (value,)), marks=pytest.mark.slow) for value in values
    ]


def slow_but_first(values: Iterable, *, several: bool = False) -> list:
    """Values of one argument, or of several: the first in all runs, the others in the full run
    alone.
    """
    first, *others = values
    return [first, *all_slow(others, several=several)]
