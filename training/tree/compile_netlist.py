"""A tree as a netlist of the class index."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from lutgen.errors import InputError
from lutgen.model.netlist import Netlist
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.optimise import optimise
from lutgen.training.tree.top_order import top_order
from lutgen.training.tree.tree import Tree

__all__ = ["compile_netlist"]

#: Signal, value, result: if the signal has the value, the result is known.
_Step = tuple[int, bool, bool]
#: Steps until one decides, or what is known without any.
_Chain = list[_Step] | bool


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

    def _chain(self, m: int, first: int, last: int) -> _Chain:
        """``index >= m`` for an index known to be in first..last-1.

        A list of (signal, value, result): the first signal that has its value gives the result;
        the result after the last is the opposite of the last result.
        """
        if m <= first or m >= last:
            return m <= first
        tree, node = self._tree, 0
        steps: list[tuple[int, bool, bool, int]] = []
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

    def _weakest(self, steps: Iterable[tuple[int, bool, bool, int]]) -> list[_Step]:
        """Steps without those that a neighbour of the same result and feature implies.

        The last of each is the node of the tree that it is made from.
        """
        out: list[tuple[int, bool, bool, int]] = []
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

    def _lut(self, ids: Sequence[int], function: Callable[[Mapping[int, bool]], bool]) -> int:
        """A node of ``function(values)``, values being those of ``ids``."""
        table = 0
        for k in range(1 << len(ids)):
            if function({i: bool(k >> p & 1) for p, i in enumerate(ids)}):
                table |= 1 << k
        return self._builder.node(ids, table)

    def _signal(self, chain: _Chain) -> int:
        """One signal of a chain: from its end, six tests and then five more per LUT."""
        if isinstance(chain, bool):
            return int(chain)
        chain = list(chain)
        while len(chain) > 6:
            tail = self._signal(chain[-6:])
            chain[-6:] = [(tail, True, True)]
        ids = sorted({signal for signal, _, _ in chain})
        return self._lut(ids, lambda value: _follow(chain, value))

    def _support(self, chain: _Chain) -> set[int]:
        return set() if isinstance(chain, bool) else {signal for signal, _, _ in chain}

    def _pair(self, first: int, last: int, quarter: int) -> tuple[int, int]:
        """Two bits that say which quarter of first..last-1 holds the index, high bit first."""
        middle = first + 2 * quarter
        upper = self._chain(middle, first, last)
        low = self._chain(first + quarter, first, min(middle, last))
        high = middle < last and self._chain(middle + quarter, middle, last)
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

    def _select(self, digits: Sequence[tuple[int, ...]], options: Sequence[int | None]) -> int:
        """The option that the digits (most significant first) name; None is never named."""
        for digit in digits:
            # The earliest digit is the most significant: its options are furthest apart.
            ways = 1 << len(digit)
            step = len(options) // ways
            options = [self._mux(digit, options[k::step]) for k in range(step)]
        (named,) = (option for option in options if option is not None)
        return named

    def _mux(self, digit: tuple[int, ...], options: Sequence[int | None]) -> int | None:
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
        whole = [o for o in filled if o is not None]  # all are there now
        ids = [*dict.fromkeys([*whole, *digit])]

        def function(value: Mapping[int, bool]) -> bool:
            at = 0
            for bit in digit:
                at = 2 * at + value[bit]
            return value[whole[at]]

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
            roms: list[int | None] = []
            for at in range(0, 1 << len(bits), 64):
                part = column[at : at + (1 << len(low))]
                if not part.size:
                    roms.append(None)
                    continue
                table = sum(int(v) << k for k, v in enumerate(part))
                roms.append(self._builder.node(low, table))
            out.append(self._select(high, roms))
        return out


def _follow(chain: _Chain, value: Mapping[int, bool]) -> bool:
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
            raise InputError("tree must be all top to be compiled without a walker")
        values = np.asarray(label, dtype=np.int64)[rank[index.order]]
        bits = index.table(bits, values, max(1, int(values.max()).bit_length()))
    builder.output("index", bits)
    return optimise(builder.build())
