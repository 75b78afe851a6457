"""Probability heads: what turns the network's outputs into integer frequencies.

All heads end in the same thing, the cumulative frequencies of the 256 symbols in units of
``2 ** -prob_bits``, computed once at export.  Coding them needs no float.

A head is what `Head` says; another one needs a class and its place in `HEADS`.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from lutgen.errors import InputError

from .netlist import Netlist
from .samples import EIGHT_BIT
from .walker import Walker

__all__ = [
    "HEADS", "PROB_BITS", "SYMBOLS", "Head", "LaplaceHead", "OutputArrays", "TableHead",
    "round_pmf",
]  # fmt: skip

SYMBOLS = EIGHT_BIT.levels
#: Frequencies of one class add up to ``2 ** PROB_BITS``.
PROB_BITS = 14


def _integer(name: str, value, dtype, ndim: int) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or array.ndim != ndim:
        raise InputError(
            f"{name} must be a {ndim}-dimensional integer array, "
            f"not {array.ndim}-dimensional {array.dtype}"
        )
    info = np.iinfo(dtype)
    if array.size and (array.min() < info.min or array.max() > info.max):
        raise InputError(f"{name} must be within {info.min}..{info.max}")
    array = np.ascontiguousarray(array, dtype=dtype)
    array.setflags(write=False)
    return array


def round_pmf(pmf: np.ndarray, total: int) -> np.ndarray:
    """Integer frequencies >= 1 of sum ``total`` with the least code length under ``pmf``.

    Starting below the optimum, units go one by one to the symbol whose code length they shorten
    most; the gain is concave in each frequency, so the greedy choice is optimal.
    """
    weight = pmf / pmf.sum()
    freq = np.maximum(1, np.floor(weight * (total - len(pmf)))).astype(np.int64)
    gain = [(-w * math.log1p(1 / f), i) for i, (w, f) in enumerate(zip(weight, freq, strict=True))]
    heapq.heapify(gain)
    for _ in range(total - int(freq.sum())):
        _, i = gain[0]
        freq[i] += 1
        heapq.heapreplace(gain, (-weight[i] * math.log1p(1 / freq[i]), i))
    return freq


def _code_length(cumulative: np.ndarray, classes: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    symbols = np.asarray(symbols, dtype=np.int64)
    freq = cumulative[classes, symbols + 1] - cumulative[classes, symbols]
    return PROB_BITS - np.log2(freq)


class OutputArrays(NamedTuple):
    """How the outputs of a network make a class: weighted sums of bits, or two looked-up counts.

    Without a ``scale`` the class is the sum of ``weights`` of the bits that are set.  With one it
    is ``scale * scales[second] + locations[first]`` of the two counts.  All are int64.
    """

    bits: np.ndarray  #: (A,): signals of the first group of bits.
    weights: np.ndarray  #: (A,)
    more_bits: np.ndarray  #: (B,): signals of the second group.
    locations: np.ndarray  #: (A + 1,): by the first count.
    scales: np.ndarray  #: (B + 1,): by the second count.
    scale: int


class Head(Protocol):
    """What every head is."""

    #: How model files and `lutgen.gateware` call such heads.
    kind: ClassVar[str]
    #: The head's name in messages.
    title: ClassVar[str]
    #: Its arrays, in the order of its arguments, each an attribute and an array of the model file.
    arrays: ClassVar[tuple[str, ...]]
    #: Output groups of the netlist that it reads.
    groups: ClassVar[tuple[str, ...]]

    @property
    def cumulative(self) -> np.ndarray:
        """Cumulative frequencies of the symbols of each class, int32 of shape (classes, 257)."""

    @property
    def classes(self) -> int:
        """Number of classes."""

    def check(self, network: Netlist, walker: Walker | None) -> None:
        """InputError unless the netlist's outputs, with the walker behind them, name classes."""

    def classes_of(
        self, network: Netlist, walker: Walker | None, features: np.ndarray
    ) -> np.ndarray:
        """Class, int64 (P,), of each pixel from uint8 ``features`` of shape (F, P)."""

    def code_length(self, classes: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Ideal code length in bits of each symbol, float64, for reports only."""

    def readout(self, outputs: Mapping[str, np.ndarray]) -> OutputArrays:
        """What the compiled kernels make a class from."""


@dataclass(frozen=True, eq=False)
class TableHead:
    """Head ``table``: row ``class`` of a learned table.

    Parameters
    ----------
    cumulative:
        int32, shape (classes, 257): strictly increasing from 0 to ``2 ** PROB_BITS``.
    """

    cumulative: np.ndarray

    kind: ClassVar[str] = "table"
    title: ClassVar[str] = "table"
    arrays: ClassVar[tuple[str, ...]] = ("cumulative",)
    groups: ClassVar[tuple[str, ...]] = ("index",)

    def __post_init__(self) -> None:
        array = _integer("cumulative frequencies", self.cumulative, np.int32, 2)
        object.__setattr__(self, "cumulative", array)
        if array.shape[1] != SYMBOLS + 1 or not 1 <= array.shape[0] <= 4096:
            raise InputError(
                f"cumulative frequencies must be of shape (1..4096, {SYMBOLS + 1}), "
                f"not {array.shape!r}"
            )
        # Compared, not subtracted: differences of arbitrary 32-bit numbers wrap around.
        if (
            (array[:, 0] != 0).any()
            or (array[:, -1] != 1 << PROB_BITS).any()
            or (array[:, 1:] <= array[:, :-1]).any()
        ):
            raise InputError(
                "cumulative frequencies must increase strictly from 0 to "
                f"{1 << PROB_BITS} in every class"
            )

    @classmethod
    def from_counts(cls, counts: np.ndarray) -> "TableHead":
        """Integer tables with the least code length for float or integer ``counts`` (C, 256).

        Every symbol keeps a frequency of at least one, so any image can be coded.
        """
        counts = np.asarray(counts, dtype=np.float64)
        if counts.ndim != 2 or counts.shape[1] != SYMBOLS:
            raise InputError(f"counts must be of shape (classes, 256), not {counts.shape!r}")
        if not np.isfinite(counts).all() or (counts < 0).any():
            raise InputError("counts must be finite and not negative")
        counts = np.where(counts.sum(axis=1, keepdims=True) > 0, counts, 1.0)
        freq = np.stack([round_pmf(row, 1 << PROB_BITS) for row in counts])
        return cls(np.pad(np.cumsum(freq, axis=1), ((0, 0), (1, 0))))

    @property
    def classes(self) -> int:
        """Number of tables."""
        return self.cumulative.shape[0]

    def check(self, network: Netlist, walker: Walker | None) -> None:
        """See `Head.check`."""
        bits = len(network.outputs["index"])
        if not 1 <= bits <= 16:
            raise InputError(f"index must have 1 to 16 bits, not {bits}")
        if walker is None:
            # Rows for every number that the index can be, so that none is out of range.
            if self.classes != 1 << bits:
                raise InputError(
                    f"head must have {1 << bits} classes for an index of {bits} bits, "
                    f"not {self.classes}"
                )
            return
        if walker.entries != 1 << bits:
            raise InputError(
                f"walker must begin with {1 << bits} records for an index of {bits} bits, "
                f"not {walker.entries}"
            )
        if walker.features > network.features:
            raise InputError(
                f"walker must read features below {network.features}, not {walker.features - 1}"
            )
        if walker.classes > self.classes:
            raise InputError(
                f"walker must name classes below {self.classes}, not {walker.classes - 1}"
            )

    def classes_of(
        self, network: Netlist, walker: Walker | None, features: np.ndarray
    ) -> np.ndarray:
        """See `Head.classes_of`."""
        index = network.evaluate_index("index", features)
        return index if walker is None else walker.walk(index, features).astype(np.int64)

    def readout(self, outputs: Mapping[str, np.ndarray]) -> OutputArrays:
        """See `Head.readout`: the sum is the index."""
        index, none = outputs["index"].astype(np.int64), np.zeros(0, dtype=np.int64)
        return OutputArrays(
            bits=index, weights=np.int64(1) << np.arange(len(index)), more_bits=none,
            locations=none, scales=none, scale=0,
        )  # fmt: skip

    def code_length(self, classes: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Ideal code length in bits of each symbol, float64, for reports only."""
        return _code_length(self.cumulative, classes, symbols)


@dataclass(frozen=True, eq=False)
class LaplaceHead:
    """Head ``laplace``: the paper's discretised Laplace density (GIC-DLC, section 3.1).

    The netlist's output groups ``mu`` and ``sigma`` are averaged by counting their ones; a small
    table takes each count to a location on a half-pixel grid and to a scale class.  The density's
    integral over ``[x - 0.5, x + 0.5]`` then comes from one table of the distribution function per
    scale class, with the tails folded into symbols 0 and 255.  One unit per symbol is set aside,
    so that every frequency is at least one:
    ``start(x) = cdf[sigma, 2 * x - 1 - mu + 512] + x`` for x >= 1.

    Parameters
    ----------
    mu:
        int32, shape (G + 1,): 0..510, twice the location, by number of ones among G bits.
    sigma:
        int32, shape (H + 1,): scale class by number of ones among H bits.
    cdf:
        int32, shape (scales, 1024): distribution function at half-pixel distances -512..511 from
        the location, in units of ``1 / (2 ** PROB_BITS - 256)``, never decreasing.
    """

    mu: np.ndarray
    sigma: np.ndarray
    cdf: np.ndarray

    kind: ClassVar[str] = "laplace"
    title: ClassVar[str] = "Laplace"
    arrays: ClassVar[tuple[str, ...]] = ("mu", "sigma", "cdf")
    groups: ClassVar[tuple[str, ...]] = ("mu", "sigma")

    def __post_init__(self) -> None:
        for name, ndim in (("mu", 1), ("sigma", 1), ("cdf", 2)):
            object.__setattr__(self, name, _integer(name, getattr(self, name), np.int32, ndim))
        if not 2 <= self.mu.size <= 4097 or self.mu.min() < 0 or self.mu.max() > 510:
            raise InputError("mu must have 2 to 4097 entries within 0..510")
        if self.cdf.shape[1] != 1024 or not 1 <= self.cdf.shape[0] <= 256:
            raise InputError(f"cdf must be of shape (1..256, 1024), not {self.cdf.shape!r}")
        if not 2 <= self.sigma.size <= 4097 or self.sigma.min() < 0 or (
            self.sigma.max() >= self.scales
        ):
            raise InputError(f"sigma must have 2 to 4097 entries within 0..{self.scales - 1}")
        if (
            self.cdf.min() < 0
            or self.cdf.max() > (1 << PROB_BITS) - SYMBOLS
            or (np.diff(self.cdf, axis=1) < 0).any()
        ):
            raise InputError(
                f"cdf must never decrease and lie within 0..{(1 << PROB_BITS) - SYMBOLS}"
            )

    @classmethod
    def from_scales(cls, scales: np.ndarray, mu_bits: int, sigma_bits: int) -> "LaplaceHead":
        """Tables for the given increasing Laplace scales (float, in pixels).

        ``mu`` is the average of ``mu_bits`` bits times 255; ``sigma`` runs through the scale
        classes as the average of ``sigma_bits`` bits goes from 0 to 1.
        """
        scales = np.asarray(scales, dtype=np.float64)
        count = np.arange(mu_bits + 1)
        mu = (count * 510 + mu_bits // 2) // mu_bits
        count = np.arange(sigma_bits + 1)
        sigma = np.minimum(count * len(scales) // (sigma_bits + 1), len(scales) - 1)
        t = (np.arange(1024) - 512)[None, :] / 2 / scales[:, None]
        cdf = np.where(t < 0, 0.5 * np.exp(np.minimum(t, 0)), 1 - 0.5 * np.exp(-np.maximum(t, 0)))
        return cls(mu, sigma, np.rint(cdf * ((1 << PROB_BITS) - SYMBOLS)).astype(np.int32))

    @property
    def scales(self) -> int:
        """Number of scale classes."""
        return self.cdf.shape[0]

    @property
    def classes(self) -> int:
        """Number of distinct distributions: one per scale class and half-pixel location."""
        return self.scales * 512

    def classify(self, mu_count: np.ndarray, sigma_count: np.ndarray) -> np.ndarray:
        """Class ``512 * scale + location`` from the counts of ones."""
        return 512 * self.sigma[sigma_count] + self.mu[mu_count]

    def check(self, network: Netlist, walker: Walker | None) -> None:
        """See `Head.check`."""
        for name in self.groups:
            bits, table = len(network.outputs[name]), getattr(self, name)
            if table.size != bits + 1:
                raise InputError(
                    f"table {name} must have {bits + 1} entries for {bits} output bits, "
                    f"not {table.size}"
                )
        if walker is not None:
            raise InputError("walker must be absent from a model with a Laplace head")

    def classes_of(
        self, network: Netlist, walker: Walker | None, features: np.ndarray
    ) -> np.ndarray:
        """See `Head.classes_of`."""
        counts = (network.evaluate_count(name, features) for name in self.groups)
        return self.classify(*counts).astype(np.int64)

    def readout(self, outputs: Mapping[str, np.ndarray]) -> OutputArrays:
        """See `Head.readout`: both numbers of ones, through their tables."""
        mu, sigma = (outputs[name].astype(np.int64) for name in self.groups)
        return OutputArrays(
            bits=mu, weights=np.ones(len(mu), dtype=np.int64), more_bits=sigma,
            locations=self.mu.astype(np.int64), scales=self.sigma.astype(np.int64), scale=512,
        )  # fmt: skip

    @cached_property
    def cumulative(self) -> np.ndarray:
        """int32, shape (classes, 257): the head written out as a table head's tables.

        Rows of the unused location 511 repeat those of 510.
        """
        mu = np.minimum(np.arange(512), 510)
        x = np.arange(1, SYMBOLS)
        at = 2 * x[None, :] - 1 - mu[:, None] + 512
        table = np.zeros((self.scales, 512, SYMBOLS + 1), dtype=np.int32)
        table[:, :, 1:SYMBOLS] = self.cdf[:, at] + x
        table[:, :, SYMBOLS] = 1 << PROB_BITS
        return table.reshape(-1, SYMBOLS + 1)

    def code_length(self, classes: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """Ideal code length in bits of each symbol, float64, for reports only."""
        return _code_length(self.cumulative, classes, symbols)


#: Heads by kind.
HEADS: dict[str, type[TableHead] | type[LaplaceHead]] = {
    TableHead.kind: TableHead, LaplaceHead.kind: LaplaceHead
}  # fmt: skip
