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

from collections.abc import Sequence

import numpy as np

from lutgen.model.netlist import Netlist, NetlistBuilder
from lutgen.model.walker import Walker, WalkerStage
from lutgen.training.tree.tree import Tree

__all__ = ["collapse", "compile_netlist", "compile_tree", "compile_walker", "top_order"]

_NEVER = (0, 255)  # feature > 255 is never true


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


def top_order(tree: Tree) -> list[int]:
    """Nodes of the top leaves in the order of their index."""
    order, todo = [], [0]
    while todo:
        node = todo.pop()
        if tree.top[node]:
            todo.extend((int(tree.child[node, 1]), int(tree.child[node, 0])))
        else:
            order.append(node)
    return order


class _Index:
    """Builds the bits of the index of one tree's top leaf."""

    def __init__(self, tree: Tree, builder: NetlistBuilder) -> None:
        self._tree = tree
        self._builder = builder
        self.order = top_order(tree)
        # First and one past the last index below each node of the top.
        self._span = {node: (i, i + 1) for i, node in enumerate(self.order)}
        for node in np.flatnonzero(tree.top)[::-1]:
            a, b = tree.child[node]
            self._span[int(node)] = (self._span[int(a)][0], self._span[int(b)][1])

    def _chain(self, m: int, first: int, last: int) -> list[tuple[int, bool, bool]] | bool:
        """``index >= m`` for an index known to be in first..last-1.

        A list of (signal, value, result): the first signal that has its value gives the result;
        the result after the last is the opposite of the last result.
        """
        if m <= first or m >= last:
            return m <= first
        tree, node, steps = self._tree, 0, []
        while True:
            a, b = (int(c) for c in tree.child[node])
            middle = self._span[a][1]
            if middle >= last or middle <= first:  # only one side can hold the index
                node = a if middle >= last else b
                continue
            signal = self._builder.input(int(tree.feature[node]), int(tree.threshold[node]))
            if middle == m:
                return [*self._weakest(steps), (signal, True, True)]
            if middle > m:  # true ends right of m
                steps.append((signal, True, True, node))
                node = a
            else:
                steps.append((signal, False, False, node))
                node = b

    def _weakest(self, steps):
        """Steps without those that a neighbour of the same result and feature implies."""
        out = []
        for signal, value, result, node in steps:
            feature, threshold = self._tree.feature[node], self._tree.threshold[node]
            for at in range(len(out) - 1, -1, -1):
                if out[at][1] != value:
                    at = -1
                    break
                other = out[at][3]
                if self._tree.feature[other] == feature:
                    # On one path later tests of a feature are stricter about what they leave, so
                    # the later one decides for all that the earlier one does.
                    stronger = threshold < self._tree.threshold[other] if value else (
                        threshold > self._tree.threshold[other])
                    if stronger:
                        out[at] = (signal, value, result, node)
                    break
            else:
                at = -1
            if at < 0:
                out.append((signal, value, result, node))
        return [step[:3] for step in out]

    def _lut(self, ids: Sequence[int], function) -> int:
        """A node of ``function(values)``, values being those of ``ids``."""
        table = 0
        for k in range(1 << len(ids)):
            if function({i: bool(k >> p & 1) for p, i in enumerate(ids)}):
                table |= 1 << k
        return self._builder.node(ids, table)

    def _signal(self, chain) -> int:
        """One signal of a chain: from its end, six tests and then five more per LUT."""
        if isinstance(chain, bool):
            return int(chain)
        chain = list(chain)
        while len(chain) > 6:
            tail = self._signal(chain[-6:])
            chain[-6:] = [(tail, True, True)]
        ids = sorted({signal for signal, _, _ in chain})
        return self._lut(ids, lambda value: _follow(chain, value))

    def _support(self, chain) -> set[int]:
        return set() if isinstance(chain, bool) else {signal for signal, _, _ in chain}

    def _pair(self, first: int, last: int, quarter: int) -> tuple[int, int]:
        """Two bits that say which quarter of first..last-1 holds the index, high bit first."""
        middle = first + 2 * quarter
        upper = self._chain(middle, first, last)
        low = self._chain(first + quarter, first, min(middle, last))
        high = self._chain(middle + quarter, middle, last) if middle < last else False
        hi = self._signal(upper)
        if hi == 0 and upper is False:
            return hi, self._signal(low)
        # One LUT from the tests themselves where they fit, from parts of them where not.
        options = [upper, low, high]
        if len(set().union(*map(self._support, options))) <= 6:
            ids = sorted(set().union(*map(self._support, options)))
            return hi, self._lut(ids, lambda v: _follow(high if _follow(upper, v) else low, v))
        parts = [low, high]
        for which in sorted((0, 1), key=lambda k: -len(self._support(parts[k]))):
            if len({hi}.union(*map(self._support, parts))) > 6:
                parts[which] = [(self._signal(parts[which]), True, True)]
        ids = sorted({hi}.union(*map(self._support, parts)))
        return hi, self._lut(ids, lambda v: _follow(parts[1] if v[hi] else parts[0], v))

    def _select(self, digits: list[tuple[int, ...]], options: list[int | None]) -> int:
        """The option that the digits (most significant first) name; None is never named."""
        for digit in digits:
            # The earliest digit is the most significant: its options are furthest apart.
            ways = 1 << len(digit)
            step = len(options) // ways
            options = [self._mux(digit, options[k::step]) for k in range(step)]
        return options[0]

    def _mux(self, digit: tuple[int, ...], options: list[int | None]) -> int | None:
        """One LUT: the option that up to two bits (high first) name."""
        known = [o for o in options if o is not None]
        if not known:
            return None
        if len(set(known)) == 1:
            return known[0]
        filled = list(options)
        for k, option in enumerate(filled):
            if option is None:  # copy the neighbour that differs in one bit, so that it cancels
                near = [filled[k ^ 1]] + [filled[k ^ j] for j in range(2, len(filled))]
                filled[k] = next((o for o in near if o is not None), known[0])
        ids = [*dict.fromkeys([*filled, *digit])]

        def function(value):
            at = 0
            for bit in digit:
                at = 2 * at + value[bit]
            return value[filled[at]]

        return self._lut(ids, function)

    def bits(self) -> list[int]:
        """Signals of the index, least significant first."""
        leaves = len(self.order)
        width = max(1, (leaves - 1).bit_length())
        size = 1 << width
        digits: list[tuple[int, ...]] = []
        if width % 2:
            size //= 2
            digits.append((self._signal(self._chain(size, 0, leaves)),))
        while size > 1:
            pairs = [
                self._pair(first, min(first + size, leaves), size // 4)
                if first < leaves else (None, None)
                for first in range(0, 1 << width, size)
            ]
            digits.append(tuple(
                self._select(digits, [pair[bit] for pair in pairs]) for bit in (0, 1)
            ))
            size //= 4
        return [bit for digit in digits for bit in digit][::-1]

    def table(self, bits: list[int], values: np.ndarray, width: int) -> list[int]:
        """Signals of ``values[index]``, least significant first, as a read-only memory of LUTs."""
        low = bits[:6]
        high = [tuple(bits[k : k + 2][::-1]) for k in range(6, len(bits), 2)][::-1]
        out = []
        for bit in range(width):
            column = values >> bit & 1
            roms = []
            for at in range(0, 1 << len(bits), 64):
                part = column[at : at + (1 << len(low))]
                if not part.size:
                    roms.append(None)
                    continue
                table = sum(int(v) << k for k, v in enumerate(part))
                roms.append(self._builder.node(low, table))
            out.append(self._select(high, roms))
        return out


def _follow(chain, value) -> bool:
    if isinstance(chain, bool):
        return chain
    for signal, wanted, result in chain:
        if value[signal] == wanted:
            return result
    return not chain[-1][2]


def compile_netlist(tree: Tree, features: int, label: np.ndarray | None = None) -> Netlist:
    """Netlist of the top of a tree, with one output group ``index``.

    Parameters
    ----------
    features:
        Number of window features.
    label:
        Without a walker: the class of each leaf by leaf number; the whole tree must then be top,
        and the output is the class.
    """
    builder = NetlistBuilder(features)
    index = _Index(tree, builder)
    bits = index.bits()
    if label is not None:
        rank = np.cumsum(tree.feature < 0) - 1
        if (tree.feature[index.order] >= 0).any():
            raise ValueError("tree must be all top to be compiled without a walker")
        values = np.asarray(label, dtype=np.int64)[rank[index.order]]
        bits = index.table(bits, values, max(1, int(values.max()).bit_length()))
    builder.output("index", bits)
    return builder.build().optimise()


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

    def _split(self, node: int) -> tuple[tuple, list[int | None]]:
        """Tests and the four children of a node's record; None cannot be reached."""
        tree = self._tree
        test = lambda v: (int(tree.feature[v]), int(tree.threshold[v]))  # noqa: E731
        if tree.feature[node] < 0:
            return (_NEVER, _NEVER, _NEVER), [node, None, None, None]
        sides = [int(c) for c in tree.child[node]]
        tests, children = [test(node)], []
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
                raise ValueError(
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
        below = None  # place of each record value of the stage below: {group pattern: group}
        stages: list[WalkerStage] = []
        for stage in range(self._count - 1, -1, -1):
            last = stage == self._count - 1
            wanted = {}
            for node in fronts[stage]:
                tests, children = self._split(node)
                pattern = tuple(None if c is None else value[c] for c in children)
                wanted[node] = (tests, pattern)
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
            names = {}
            value = {node: names.setdefault(record, len(names)) for node, record in records.items()}
            below = (list(names), last)
        # The index can be any number of its bits; what no leaf has is never read.
        entries = max(2, 1 << (len(roots) - 1).bit_length())
        first = [value[root] for root in roots]
        stages.append(_stage(first + first[:1] * (entries - len(first)), below))
        return Walker(tuple(stages[::-1]))


def _fill(pattern) -> tuple[int, ...]:
    return tuple(pattern[k & 2] if v is None and pattern[k & 2] is not None else
                 pattern[0] if v is None else v for k, v in enumerate(pattern))


def _stage(records: list[int], named) -> WalkerStage:
    known, _ = named
    rows = [known[r] for r in records]
    return WalkerStage(
        np.array([[t[0] for t in tests] for tests, _ in rows], dtype=np.int64),
        np.array([[t[1] for t in tests] for tests, _ in rows], dtype=np.int64),
        np.array([child for _, child in rows], dtype=np.int64),
    )


class _pack:  # noqa: N801
    """Patterns of four records, None where nothing gets, packed into few groups."""

    def __init__(self, patterns: set[tuple]) -> None:
        self.rows: list[list[int]] = []
        self.place: dict[tuple, int] = {}
        holders: dict[tuple[int, int], list[int]] = {}
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
        self.rows = [[row[0] if v is None else v for v in row] for row in free]


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


def compile_tree(
    tree: Tree, label: np.ndarray, *, features: int, stages: int
) -> tuple[Netlist, Walker | None]:
    """Netlist and walker that give the class of every window; no walker if ``stages`` is 0."""
    tree, label = collapse(tree, np.asarray(label))
    if stages == 0:
        return compile_netlist(tree, features, label), None
    return compile_netlist(tree, features), compile_walker(tree, label, stages)
