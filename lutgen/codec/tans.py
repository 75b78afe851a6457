"""tANS: the coder whose step is a table, with ``2 ** L`` states for each class.

The state x lies in [2**L, 2**(L+1)), for all classes alike, so that every symbol may come from
another class (Duda, arXiv 1311.2540).  To code a symbol of frequency f, the low bits of x are
emitted until x lies in [f, 2 f); a table then gives the next state.  The decoder's table gives for
each state the symbol and that number in [f, 2 f), whose leading zeros are the bits to read.

Tables are made from those of a table head with integers only, by rules that are part of the
format:

- The head sets one unit aside for every symbol; 1/64 of it is left: ``w = 64 (p - 1) + 1``.
- Symbols that deserve at least a third of a state are kept, the others share an **escape**; if
  there are too many, the rarest give way.  After an escape follow the eight bits of the symbol.
- States are dealt out by Webster's method, each to the largest ``w / (f + 1/2)``, which is the
  greatest gain in code length but for third-order terms.  Every kept symbol gets one at least, the
  escape ``2 ** (L - 7)``: no symbol takes more than 15 bits.  Among tokens the escape gets one at
  least: where it stands for those alone that no sample of 8 bits has, more would be lost.
- The i-th state of a symbol is due at ``(2 i + 1) / 2 f`` of the way; states are in this order, the
  smaller symbol first and the escape last where two are due at once.

Tables of profile ``predictive`` are made in the same way of its 64 tokens, an escaped one has six
bits; :mod:`.predictive.tans_coder` has their payloads.

The payload of a tile is that of :mod:`.rans` but for a state of L bits; the eight bits of an
escaped symbol come before those that its state wants.  The check state has L bits, too: a decoder
of damaged bits falls into step again more often than that of rANS: with 9 bits one single changed
byte in some hundreds is missed where the model fits (``python -m bench.damage``, docs/results.md).
"""

import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lutgen.errors import InputError
from lutgen.files.compiled import njit
from lutgen.model.head import SYMBOLS, TableHead
from lutgen.model.samples import EIGHT_BIT

from .coder import Coder, tans
from .payload import drain, finish

__all__ = ["ESCAPE", "RAW_BITS", "TansTables", "pop", "push", "write_payload"]

#: Number of the escape among the symbols of a class.
ESCAPE = SYMBOLS
#: Bits of a symbol after its escape.
RAW_BITS = EIGHT_BIT.depth
_FLOOR_SHARE = 64  # what is left of the head's unit for every symbol
_KEPT = 3  # symbols that deserve the third part of a state are kept


def _frequencies(weights: list[int], bits: int, least: int) -> np.ndarray:
    """States of the symbols and the escape of one class: int64, sum ``2 ** bits``.

    ``least`` is how many states an escape has at least.
    """
    states, escape = 1 << bits, len(weights)
    total = sum(weights)
    order = sorted(range(escape), key=lambda s: (-weights[s], s))
    kept = sum(_KEPT * w * states >= total for w in weights)
    if kept < escape:
        kept = min(kept, states - least)
    symbols = sorted(order[:kept])
    rare = sum(weights[s] for s in order[kept:])
    freq = np.zeros(escape + 1, dtype=np.int64)
    if rare:
        symbols.append(escape)
        freq[escape] = least
    weight = dict(zip(symbols, [*(weights[s] for s in symbols if s != escape), rare], strict=False))
    share = states - len(symbols) - (least if rare else 0)
    for s in symbols:
        freq[s] = max(freq[s], 1, weight[s] * share // total)
    # A heap of exact fractions: w / (2 f + 1), compared crosswise.
    heap = [_Claim(weight[s], int(freq[s]), s) for s in symbols]
    heapq.heapify(heap)
    for _ in range(states - int(freq.sum())):
        claim = heap[0]
        claim.freq += 1
        freq[claim.symbol] += 1
        heapq.heapreplace(heap, claim)
    return freq


class _Claim:
    """A symbol's claim to one more state; the greatest is least."""

    __slots__ = ("freq", "symbol", "weight")

    def __init__(self, weight: int, freq: int, symbol: int) -> None:
        self.weight, self.freq, self.symbol = weight, freq, symbol

    def __lt__(self, other: "_Claim") -> bool:
        own = self.weight * (2 * other.freq + 1)
        others = other.weight * (2 * self.freq + 1)
        return (-own, self.symbol) < (-others, other.symbol)


@dataclass(frozen=True, eq=False)
class TansTables:
    """tANS tables of all classes of a head, or of all rows of a predictive model's tables.

    Parameters
    ----------
    cumulative:
        int32, shape (classes, S + 2): the states of symbol s, and of the escape S, are as many as
        ``cumulative[:, s + 1] - cumulative[:, s]``; 0 for symbols that are escaped.  S is 256 of
        pixels, 64 of tokens.
    """

    cumulative: np.ndarray

    @classmethod
    def of_model(cls, model, bits: int) -> "TansTables":
        """Tables for a `Model`.

        Raises
        ------
        InputError
            If ``bits`` is outside 8..12, or the model's symbols do not come from its tables.
        """
        if model.constraint:
            raise InputError(
                "coder tans must have a model without the pooling constraint, whose symbols come "
                "from no table: choose coder rans"
            )
        return cls.from_head(model.head, bits)

    @classmethod
    def from_head(cls, head: TableHead, bits: int) -> "TansTables":
        """Tables with ``2 ** bits`` states for the classes of a head.

        Raises
        ------
        InputError
            If ``bits`` is outside 8..12, or the head has no tables of its own.
        """
        tans(bits)
        if not isinstance(head, TableHead):
            raise InputError(
                "coder tans must have a model with a table head, not a Laplace head, which would "
                "need a table for every location: choose coder rans"
            )
        return cls._of(head.cumulative, bits, 1 << (bits - 7))

    @classmethod
    def of_tokens(cls, cumulative: np.ndarray, bits: int) -> "TansTables":
        """Tables with ``2 ** bits`` states for each row of a predictive model's token tables.

        Parameters
        ----------
        cumulative:
            Integers, shape (rows, 65), see :class:`lutgen.model.predictive.model.PredictiveModel`.

        Raises
        ------
        InputError
            If ``bits`` is outside 8..12.
        """
        tans(bits)
        return cls._of(cumulative, bits, 1)

    @classmethod
    def _of(cls, cumulative: np.ndarray, bits: int, least: int) -> "TansTables":
        weights = _FLOOR_SHARE * (np.diff(cumulative.astype(np.int64), axis=1) - 1) + 1
        freq = np.stack([_frequencies(row, bits, least) for row in weights.tolist()])
        return cls(np.pad(np.cumsum(freq, axis=1), ((0, 0), (1, 0))).astype(np.int32))

    @property
    def escape(self) -> int:
        """Number of the escape, one above the last symbol."""
        return self.cumulative.shape[1] - 2

    @property
    def raw_bits(self) -> int:
        """Bits of a symbol after its escape."""
        return (self.escape - 1).bit_length()

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.cumulative.shape[0]

    @property
    def bits(self) -> int:
        """Logarithm of the number of states."""
        return int(self.cumulative[0, -1]).bit_length() - 1

    @property
    def coder(self) -> Coder:
        """The coder by its numbers."""
        return tans(self.bits)

    @cached_property
    def _order(self) -> np.ndarray:
        """Symbol of each state: int64, shape (classes, 2 ** bits)."""
        freq = np.diff(self.cumulative.astype(np.int64), axis=1)
        order = []
        for row in freq:
            symbol = np.repeat(np.arange(self.escape + 1), row)
            number = np.arange(len(symbol)) - np.repeat(np.cumsum(row) - row, row)
            # Fractions of a common denominator would not fit: 40 bits tell any two apart, as
            # f < 2 ** 12 makes unequal ones differ by 2 ** -26 at least.
            due = ((2 * number + 1) << 40) // (2 * row[symbol])
            order.append(symbol[np.lexsort((symbol, due))])
        return np.stack(order)

    @cached_property
    def symbols(self) -> np.ndarray:
        """Symbol that each state decodes to: uint16, shape (classes, 2 ** bits), or the escape."""
        return self._order.astype(np.uint16)

    @cached_property
    def reduced(self) -> np.ndarray:
        """What is left of each state behind its symbol: uint16, same shape, in [f, 2 f)."""
        found = np.empty(self._order.shape, dtype=np.uint16)
        found[np.arange(self.classes)[:, None], self._by_symbol] = (
            self._numbers + self._frequencies_by_slot
        )
        return found

    @cached_property
    def states(self) -> np.ndarray:
        """Next state below its leading one: uint16, shape (classes, 2 ** bits).

        Of symbol s, ``cumulative[:, s] + x - f`` is the place of x in [f, 2 f).
        """
        return self._by_symbol.astype(np.uint16)

    @cached_property
    def _by_symbol(self) -> np.ndarray:
        """States in the order of their symbols, then of the states."""
        return np.argsort(self._order, axis=1, kind="stable")

    @property
    def _frequencies_by_slot(self) -> np.ndarray:
        freq = np.diff(self.cumulative.astype(np.int64), axis=1)
        return np.stack([np.repeat(row, row) for row in freq])

    @property
    def _numbers(self) -> np.ndarray:
        """Number of each slot among its symbol's."""
        slots = np.arange(1 << self.bits)
        freq = np.diff(self.cumulative.astype(np.int64), axis=1)
        return np.stack(
            [
                slots - np.repeat(first[:-1], row)
                for first, row in zip(self.cumulative, freq, strict=True)
            ]
        )

    def code_length(self, classes: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Ideal code length in bits of each symbol, float64, for reports only."""
        symbols = np.asarray(symbols, dtype=np.int64)
        return self.interval_length(classes, np.diff(self.cumulative, axis=1)[classes, symbols])

    def interval_length(self, classes: np.ndarray, freq: np.ndarray) -> np.ndarray:
        """The same of symbols whose frequency is known; 0 for those that are escaped."""
        escape = (1 << self.bits) - self.cumulative[classes, self.escape]
        used = np.where(freq, freq, escape)
        return self.bits - np.log2(used) + np.where(freq, 0, self.raw_bits)


@njit(forceinline=True)
def push(state, freq):
    """Renormalise for a symbol.

    Returns
    -------
    (reduced, bits, count):
        The state in [f, 2 f), and the ``count`` low bits to emit.
    """
    count = 0
    while (state >> count) >= (freq << 1):
        count += 1
    return state >> count, state & ((1 << count) - 1), count


@njit(forceinline=True)
def pop(reduced, bits):
    """Number of bits that bring a decoded state back to [2 ** bits, 2 ** (bits + 1))."""
    count = 0
    while reduced >> (bits - count) == 0:
        count += 1
    return count


@njit(nogil=True)
def write_payload(classes, start, freq, bits, cumulative, states, payload):
    """Code the symbols of a tile into the end of ``payload`` (uint8).

    Parameters
    ----------
    classes, start, freq:
        int32, shape (n,): class of each symbol, and its states; where ``freq`` is 0 the symbol
        ``start`` is escaped.
    bits, cumulative, states:
        See `TansTables`.

    Returns
    -------
    int
        Position of the first byte.
    """
    at = len(payload)
    state = 1 << bits
    held = 0  # bits below the next whole byte
    count = 0
    for i in range(len(classes) - 1, -1, -1):
        row = classes[i]
        first, f = np.int64(start[i]), np.int64(freq[i])
        if f == 0:
            first, f = cumulative[row, ESCAPE], states.shape[1] - cumulative[row, ESCAPE]
        reduced, emitted, n = push(state, f)
        if freq[i] == 0:
            emitted |= np.int64(start[i]) << n
            n += RAW_BITS
        state = (1 << bits) + np.int64(states[row, first + reduced - f])
        held |= emitted << count
        count += n
        at, held, count = drain(payload, at, held, count)
    return finish(payload, at, held | state << count, count + bits + 1)
