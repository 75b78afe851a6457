"""What the tables of a core must hold, from the model alone.

Keys are the end of a module's path and the name of a table in it, as `.build_tables` finds them in
the Verilog.  How wide a memory is, and into how many a table is cut, does not matter here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from lutgen.codec.coder import RANS, Coder
from lutgen.codec.lossy.escape import EscapeTables
from lutgen.codec.tans import TansTables
from lutgen.gateware.heads.exponents import LaplaceExponents
from lutgen.model.constraint import CANDIDATES, exponents
from lutgen.model.head import PROB_BITS
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.walker import WalkerStage

__all__ = [
    "TABLES_OF_HEADS", "Tables", "codec_tables", "engine_tables", "netlists", "popcount_luts",
    "threshold_lut",
]  # fmt: skip

#: Words by end of the module's path and table.
Tables = Mapping[tuple[str, str], Sequence[int]]

_HEAD = ".head"


def codec_tables(core: str, model: Model, coder: Coder) -> Tables:
    """Tables of an ``encoder`` or ``decoder``."""
    found: dict[tuple[str, str], Sequence[int]] = {}
    if model.walker:
        for number, stage in enumerate(model.walker.stages):
            words = _records(stage, model.window.features)
            found[".network.walker", f"stage{number}"] = words
    if "index" not in model.head.groups:
        for name in model.head.groups:
            table = getattr(model.head, name).tolist()
            found[".network.classifier", f"{name}_table"] = table
    if model.upsampler:
        values = [table.tolist() for table in model.upsampler.values]
        for first in (0, 2):
            shared = values[first] == values[first + 1]
            for number in (first,) if shared else (first, first + 1):
                found[".upsample.network", f"values{number}"] = values[number]
    if coder != RANS:
        found |= _tans(core, TansTables.of_model(model, coder.code))
    else:
        found |= TABLES_OF_HEADS[model.head.kind].tables(core, model.head)
    if model.constraint:
        found |= _exponents(model.head)
    return found


def engine_tables(core: str, tables: EscapeTables) -> Tables:
    """Tables of the entropy engine's ``encoder`` or ``decoder``."""
    return _intervals(core, tables.cumulative)


def _intervals(core: str, cumulative: np.ndarray) -> Tables:
    """Cumulative frequencies as they are; or the inner bounds of four steps of a search."""
    inner = cumulative[:, :-1].astype(np.int64)
    if core == "encoder":
        return {(_HEAD, "table"): inner.ravel().tolist()}
    found = {}
    for step in range(4):
        # Of an interval of 4 * span symbols, where its second, third and fourth quarter begin.
        span = 4 ** (3 - step)
        starts = range(0, 256, 4 * span)
        found[_HEAD, f"table{step}"] = [
            sum(int(row[start + k * span]) << (k - 1) * PROB_BITS for k in (1, 2, 3))
            for row in inner for start in starts
        ]  # fmt: skip
    return found


def _records(stage: WalkerStage, features: int) -> list[int]:
    """Three features, three thresholds and the children of each record, from the low bits up."""
    fields = [
        (stage.feature, max(1, (features - 1).bit_length())),
        (stage.threshold, 8),
        (stage.child, max(1, int(stage.child.max()).bit_length())),
    ]
    words = []
    for record in range(stage.records):
        word = at = 0
        for values, width in fields:
            for value in np.atleast_1d(values[record]).tolist():
                word |= value << at
                at += width
        words.append(word)
    return words


def _tans(core: str, tables: TansTables) -> Tables:
    bits, cumulative = tables.bits, tables.cumulative
    mask = (1 << bits) - 1
    if core == "decoder":
        words = tables.symbols.astype(np.int64) | tables.reduced.astype(np.int64) << 9
        return {(_HEAD, "table"): words.ravel().tolist()}
    # In place of symbol 0's start, which is 0, stands the end of symbol 255.
    starts = np.concatenate((cumulative[:, 256:257], cumulative[:, 1:256]), axis=1)
    return {
        (_HEAD, "table"): (starts & mask).ravel().tolist(),
        (_HEAD, "escape"): (cumulative[:, 256] & mask).tolist(),
        (".coder", "states"): tables.states.ravel().tolist(),
    }


def _exponents(head) -> Tables:
    """Exponents of the last pixels of blocks, by bank."""
    inner, found = TABLES_OF_HEADS[head.kind].exponents(head)
    found |= {f"bank{bank}": inner[..., bank::CANDIDATES] for bank in range(CANDIDATES)}
    return {
        (".head.weights.exponents", name): table.ravel().tolist() for name, table in found.items()
    }


class _TablesOfHead(Protocol):
    """What the Verilog of a kind of head holds."""

    @staticmethod
    def tables(core: str, head) -> Tables:
        """Of the head itself."""

    @staticmethod
    def exponents(head) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Exponents of all banks, the candidates last, and further tables."""


class _Table:
    """What the Verilog of a table head holds."""

    @staticmethod
    def tables(core: str, head) -> Tables:
        return _intervals(core, head.cumulative)

    @staticmethod
    def exponents(head) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return np.roll(exponents(head.cumulative), 2, axis=1), {}


class _Laplace:
    """What the Verilog of a Laplace head holds."""

    @staticmethod
    def tables(core: str, head) -> Tables:
        names = ("cdf",) if core == "encoder" else ("cdf0", "cdf2", "cdf4", "cdf6")
        return {(_HEAD, name): head.cdf.ravel().tolist() for name in names}

    @staticmethod
    def exponents(head) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        # The gateware's own, for no other program has them in this form.
        inner, tails = LaplaceExponents(head).tables()
        return inner, {name: tails[:, side] for side, name in enumerate(("below", "above"))}


#: By the head's kind.
TABLES_OF_HEADS: dict[str, _TablesOfHead] = {"table": _Table(), "laplace": _Laplace()}


def netlists(model: Model) -> dict[str, Netlist]:
    """Networks by end of the module's path."""
    found = {".core.network": model.network, "_core.network": model.network}
    if model.upsampler:
        found[".upsample.network"] = model.upsampler.network
    return found


def threshold_lut(threshold: int) -> int:
    """LUT6 of ``pixel > threshold``: input 0 compares the low three bits, the others are the rest.
    """
    high = threshold >> 3
    return sum(1 << k for k in range(64) if k >> 1 > high or (k >> 1 == high and k & 1))


def popcount_luts() -> frozenset[int]:
    """LUT6 of each bit of the number of ones."""
    ones = [k.bit_count() for k in range(64)]
    return frozenset(sum((n >> bit & 1) << k for k, n in enumerate(ones)) for bit in range(3))

