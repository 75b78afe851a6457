"""The lower part of a tree as a walker."""

from collections.abc import Sequence

import numpy as np

from lutgen.errors import InputError
from lutgen.model.walker import Walker, WalkerStage
from lutgen.training.tree.top_order import top_order
from lutgen.training.tree.tree import Tree

__all__ = ["compile_walker"]

#: A feature and its threshold.
_Test = tuple[int, int]
#: What stands in the four places of a group; None where nothing gets.
_Pattern = tuple[int | None, ...]
#: Three tests, and where to go on: a group, or in the last stage four classes.
_Record = tuple[tuple[_Test, ...], int | tuple[int, ...]]

_NEVER = (0, 255)  # feature > 255 is never true


class _Stages:
    """Records of the walker, made from the last stage to the first, equal ones once."""

    def __init__(self, tree: Tree, label: np.ndarray, stages: int) -> None:
        self._tree = tree
        self._class = np.full(tree.feature.size, -1, dtype=np.int64)
        self._class[tree.leaves] = label
        self._count = stages
        height = np.zeros(tree.feature.size, dtype=np.int64)
        for node in np.flatnonzero(tree.feature >= 0)[::-1]:
            height[node] = 1 + height[tree.child[node]].max()
        self._height = height

    def _split(self, node: int) -> tuple[tuple[_Test, ...], list[int | None]]:
        """Tests and the four children of a node's record; None cannot be reached."""
        tree = self._tree
        test = lambda v: (int(tree.feature[v]), int(tree.threshold[v]))  # noqa: E731
        if tree.feature[node] < 0:
            return (_NEVER, _NEVER, _NEVER), [node, None, None, None]
        sides = [int(c) for c in tree.child[node]]
        tests = [test(node)]
        children: list[int | None] = []
        for side in sides:
            if tree.feature[side] < 0:
                tests.append(_NEVER)
                children += [side, None]
            else:
                tests.append(test(side))
                children += [int(c) for c in tree.child[side]]
        return tuple(tests), children

    def build(self, roots: Sequence[int]) -> Walker:
        """Stages for these top leaves, in the order of their index."""
        for root in roots:
            if self._height[root] > 2 * self._count:
                raise InputError(
                    f"subtrees must be at most {2 * self._count} tests deep, "
                    f"not {self._height[root]}"
                )
        # Nodes at the start of each stage; a leaf is there again in every later stage.
        fronts = [list(dict.fromkeys(roots))]
        for _ in range(self._count):
            after = []
            for node in fronts[-1]:
                after += [c for c in self._split(node)[1] if c is not None]
            fronts.append(list(dict.fromkeys(after)))
        # What a node is, seen from a stage: equal values are equal functions of the window.
        value = {node: int(self._class[node]) for node in fronts[-1]}
        below: list[_Record] = []  # of the stage below, by their values
        stages: list[WalkerStage] = []
        for stage in range(self._count - 1, -1, -1):
            last = stage == self._count - 1
            wanted: dict[int, tuple[tuple[_Test, ...], _Pattern]] = {}
            for node in fronts[stage]:
                tests, children = self._split(node)
                pattern = tuple(None if c is None else value[c] for c in children)
                wanted[node] = (tests, pattern)
            records: dict[int, _Record]
            if last:
                records = {
                    node: (tests, _fill(pattern)) for node, (tests, pattern) in wanted.items()
                }
            else:
                groups = _pack({pattern for _, pattern in wanted.values()})
                stages.append(_stage([r for group in groups.rows for r in group], below))
                records = {
                    node: (tests, groups.place[pattern])
                    for node, (tests, pattern) in wanted.items()
                }
            names: dict[_Record, int] = {}
            value = {node: names.setdefault(record, len(names)) for node, record in records.items()}
            below = list(names)
        # The index can be any number of its bits; what no leaf has is never read.
        entries = max(2, 1 << (len(roots) - 1).bit_length())
        first = [value[root] for root in roots]
        stages.append(_stage(first + first[:1] * (entries - len(first)), below))
        return Walker(tuple(stages[::-1]))


def _there(*values: int | None) -> int:
    """The first of them that is not None."""
    return next(value for value in values if value is not None)


def _fill(pattern: _Pattern) -> tuple[int, ...]:
    return tuple(_there(v, pattern[k & 2], pattern[0]) for k, v in enumerate(pattern))


def _stage(records: list[int], known: list[_Record]) -> WalkerStage:
    rows = [known[r] for r in records]
    return WalkerStage(
        np.array([[t[0] for t in tests] for tests, _ in rows], dtype=np.int64),
        np.array([[t[1] for t in tests] for tests, _ in rows], dtype=np.int64),
        np.array([child for _, child in rows], dtype=np.int64),
    )


class _pack:  # noqa: N801
    """Patterns of four records, None where nothing gets, packed into few groups."""

    def __init__(self, patterns: set[_Pattern]) -> None:
        self.rows: list[list[int]] = []
        self.place: dict[_Pattern, int] = {}
        holders: dict[tuple[int, int | None], list[int]] = {}
        full = lambda p: (-sum(v is not None for v in p), [-1 if v is None else v for v in p])  # noqa: E731
        free: list[list[int | None]] = []
        for pattern in sorted(patterns, key=full):
            # A group that holds every wanted record, or has room for it.
            options = holders.get((0, pattern[0]), [])
            for group in options:
                row = free[group]
                if all(v is None or row[k] is None or row[k] == v for k, v in enumerate(pattern)):
                    break
            else:
                group = len(free)
                free.append([None] * 4)
            for k, v in enumerate(pattern):
                if v is not None and free[group][k] is None:
                    free[group][k] = v
                    holders.setdefault((k, v), []).append(group)
            self.place[pattern] = group
        self.rows = [[_there(v, row[0]) for v in row] for row in free]


def compile_walker(tree: Tree, label: np.ndarray, stages: int) -> Walker:
    """Walker of everything below the top of a tree.

    Parameters
    ----------
    label:
        Class of each leaf by leaf number.
    stages:
        Number of radix-4 stages; no leaf may be deeper than twice that below its top leaf.
    """
    return _Stages(tree, label, stages).build(top_order(tree))
