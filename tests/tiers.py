"""Which run has which cases of a test: the first of a kind stands for the others.

The quick run has what is not marked. `slow` tests run on each change, too; of the `exhaustive`
ones, which take longest, each change has one share, and a release all of them.
"""

import re
from collections.abc import Iterable, Sequence

import pytest

__all__ = ["all_exhaustive", "all_slow", "exhaustive_but_first", "group_of", "parse_share",
           "slow_but_first", "split_share"]  # fmt: skip


def all_slow(values: Iterable, *, several: bool = False) -> list:
    """Values of one argument, or tuples of those of several, for slow runs alone."""
    return _marked(values, pytest.mark.slow, several)


def slow_but_first(values: Iterable, *, several: bool = False) -> list:
    """Values of one argument, or of several: the first in all runs, the others in slow runs
    alone.
    """
    first, *others = values
    return [first, *all_slow(others, several=several)]


def all_exhaustive(values: Iterable, *, several: bool = False) -> list:
    """Values of one argument, or tuples of those of several, for exhaustive runs alone."""
    return _marked(values, pytest.mark.exhaustive, several)


def exhaustive_but_first(values: Iterable, *, several: bool = False) -> list:
    """Values of one argument, or of several: the first in all runs that have the test, the others
    in exhaustive runs alone.
    """
    first, *others = values
    return [first, *all_exhaustive(others, several=several)]


def _marked(values: Iterable, mark: pytest.MarkDecorator, several: bool) -> list:
    # Processes that share the tests must collect them in one order, and sets have one of their own
    # in each process.
    if isinstance(values, set | frozenset):
        raise TypeError("values must have an order, which a set has not")
    return [pytest.param(*(value if several else (value,)), marks=mark) for value in values]


def parse_share(text: str) -> tuple[int, int]:
    """``K/N``, the K-th of N shares, as two numbers; raise ValueError if it is none."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if found is None or int(found[1]) > int(found[2]):
        raise ValueError(f"a share is K/N with K from 1 to N, e.g. 3/8, not {text!r}")
    return int(found[1]), int(found[2])


def split_share(groups: Sequence[str], share: tuple[int, int]) -> set[str]:
    """Groups of tests that belong to a share: dealt out in turn, as groups of one file, which
    follow each other, take alike long.
    """
    number, shares = share
    return set(list(dict.fromkeys(groups))[number - 1 :: shares])


def group_of(item: pytest.Item) -> str:
    """The group of a test: tests of one file and one ``name``, or one ``program``, stay together,
    as they share what has it, a core or a program in C that is compiled once.
    """
    given = item.callspec.params if hasattr(item, "callspec") else {}
    name = given.get("name") or given.get("program")
    return f"{item.path}::{name}" if name else item.nodeid
