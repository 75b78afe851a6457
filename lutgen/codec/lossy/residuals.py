"""Residuals of a lossy codec as symbols, batch by batch, with their escapes behind each batch.

See :mod:`.escape` for the symbols.  A batch is what a decoder can ask for at once: all residuals
whose classes are known.  Behind its symbols come those that escaped, in order: first one symbol
each of the far class, which expects any residual; then, for those that escaped again, their 16
bits of two's complement, low byte first, as two symbols of the raw class.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lutgen.errors import InputError

from .escape import ESCAPE, MOST, EscapeTables
from .interleaved import InterleavedDecoder, encode_interleaved

__all__ = ["GREATEST", "ResidualReader", "ResidualTables", "ResidualWriter"]

#: The greatest residual that the raw class can tell; writers clip.
GREATEST = (1 << 15) - 1


@dataclass(frozen=True, eq=False)
class ResidualTables:
    """Tables and the two classes that escapes go to.

    Parameters
    ----------
    tables:
        Frequencies.
    far:
        Class of residuals that escaped; every symbol has a frequency.
    raw:
        Class of bytes.

    Raises
    ------
    InputError
        If a class is none of the tables, or lacks a symbol.
    """

    tables: EscapeTables
    far: int
    raw: int

    def __post_init__(self) -> None:
        for name in ("far", "raw"):
            row = getattr(self, name)
            if not 0 <= row < self.tables.classes or not self.known[row].all():
                raise InputError(f"class {name} must have all symbols, unlike {row!r}")

    @cached_property
    def known(self) -> np.ndarray:
        """Which symbols have a frequency: bool, shape (classes, 256)."""
        return np.diff(self.tables.cumulative, axis=1) > 0

    def symbols(self, classes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Symbol of each residual, the escape for those that have none."""
        near = np.abs(residuals) <= MOST
        symbols = np.where(near, residuals + MOST, ESCAPE)
        return np.where(self.known[classes, symbols], symbols, ESCAPE)


class ResidualWriter:
    """Collects batches.

    Parameters
    ----------
    tables:
        Frequencies and classes.
    """

    def __init__(self, tables: ResidualTables) -> None:
        self._tables = tables
        self._classes: list[np.ndarray] = []
        self._symbols: list[np.ndarray] = []

    def code(self, classes: np.ndarray, residuals: np.ndarray) -> None:
        """Add a batch: two integer arrays, shape (n,); residuals within `GREATEST`."""
        far, raw = self._tables.far, self._tables.raw
        symbols = self._add(classes, residuals)
        residuals = residuals[symbols == ESCAPE]
        symbols = self._add(np.full(residuals.shape, far), residuals)
        data = residuals[symbols == ESCAPE].astype("<i2").view(np.uint8)
        self._classes.append(np.full(data.shape, raw))
        self._symbols.append(data)

    def _add(self, classes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        symbols = self._tables.symbols(classes, residuals)
        self._classes.append(classes)
        self._symbols.append(symbols)
        return symbols

    def sequence(self) -> tuple[np.ndarray, np.ndarray]:
        """Classes and symbols of all batches, each int64, shape (n,)."""
        none = np.zeros(0, dtype=np.int64)
        classes, symbols = (
            np.concatenate([none, *parts]).astype(np.int64)
            for parts in (self._classes, self._symbols)
        )
        return classes, symbols

    def payload(self) -> bytes:
        """All batches coded."""
        return encode_interleaved(self._tables.tables, *self.sequence())


class ResidualReader:
    """Reads batches.

    Parameters
    ----------
    tables:
        As of the writer.
    payload:
        What the writer gave.

    Raises
    ------
    CorruptStreamError
        If the payload is too short.
    """

    def __init__(self, tables: ResidualTables, payload: bytes) -> None:
        self._tables = tables
        self._decoder = InterleavedDecoder(tables.tables, payload)

    def code(self, classes: np.ndarray) -> np.ndarray:
        """The residuals of the next batch, of these classes: int64, shape (n,)."""
        residuals, escaped = self._read(classes)
        far, again = self._read(np.full(np.count_nonzero(escaped), self._tables.far))
        data = self._decoder.decode(np.full(2 * np.count_nonzero(again), self._tables.raw))
        far[again] = data.view("<i2")
        residuals[escaped] = far
        return residuals

    def _read(self, classes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        symbols = self._decoder.decode(classes)
        return symbols.astype(np.int64) - MOST, symbols == ESCAPE

    def finish(self) -> None:
        """
        Raises
        ------
        CorruptStreamError
            If the payload does not end here, rightly.
        """
        self._decoder.finish()
