"""The file of a lossy codec as it is used, ``.loclic``, and the tables of its entropy coder.

Importable without torch: hardware is made from the tables alone.  Classes of the entropy coder are
the 64 scales of y, the raw and the far class of escapes, and one class for each channel of z.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError
from lutgen.files.archive import Limits, canonical_hash, read_archive, write_archive
from lutgen.model.default import LOSSY
from lutgen.model.head import PROB_BITS, SYMBOLS, TableHead
from lutgen.model.packaged import packaged

from .escape import MOST, EscapeTables, gaussian_pmf, residual_frequencies

__all__ = [
    "FAR_CLASS", "PRIOR_CLASS", "RAW_CLASS", "SCALES", "LossyModelFile", "far_pmf",
    "format_tables", "load_tables", "residual_tables", "scale_table", "scale_thresholds",
]  # fmt: skip

#: Classes of y.
SCALES = 64
#: Classes of escapes, see `lutgen.codec.lossy.residuals`; those of z come behind them.
RAW_CLASS, FAR_CLASS = SCALES, SCALES + 1
PRIOR_CLASS = FAR_CLASS + 1
_LEAST, _MOST = 0.11, 256.0
#: Version 1 had other networks under the same names: no second normalisation in the local context,
#: and attention that looked beyond the image and at cells that are no anchors.
_KIND, _VERSION = "loclic", 2
_LIMITS = Limits(size=1 << 30, json=1 << 20, arrays=1 << 14)


def scale_table() -> np.ndarray:
    """Standard deviations of the classes of y, evenly spaced in the logarithm: float64, (64,).

    Minnen et al. 2018, as in CompressAI.
    """
    return np.exp(np.linspace(math.log(_LEAST), math.log(_MOST), SCALES))


def scale_thresholds(unit: int) -> np.ndarray:
    """Scales from which the next class is nearer, in units of ``1 / unit``: int32, (63,)."""
    table = scale_table()
    return np.rint(np.sqrt(table[1:] * table[:-1]) * unit).astype(np.int32)


def format_tables() -> EscapeTables:
    """Tables of a codec of which nothing is known: normal distributions, no classes of z."""
    pmfs = np.stack([gaussian_pmf(scale) for scale in scale_table()])
    return residual_tables(pmfs, far_pmf(), np.zeros((0, 2 * MOST + 1)))


def far_pmf() -> np.ndarray:
    """A guess of the probabilities of residuals that escape: float64, (255,)."""
    return 1 / (1 + np.abs(np.arange(-MOST, MOST + 1.0))) ** 2


def residual_tables(scales: np.ndarray, far: np.ndarray, prior: np.ndarray) -> EscapeTables:
    """Tables of probabilities.

    Parameters
    ----------
    scales:
        Of the residuals -127..127 in each class of y: float64, (64, 255); what a row lacks to one
        is the escape's.
    far:
        Weights of residuals that escape, (255,).
    prior:
        As ``scales`` for each channel of z, (channels, 255).
    """
    rows = [residual_frequencies(pmf) for pmf in scales]
    rows.append(np.full(SYMBOLS, (1 << PROB_BITS) // SYMBOLS))
    head = TableHead.from_counts(np.append(far, far.sum() / 1000)[None])  # all get a frequency
    rows.append(np.diff(head.cumulative[0]))
    rows += [residual_frequencies(pmf) for pmf in prior]
    return EscapeTables.from_frequencies(np.stack(rows))


@dataclass(frozen=True, eq=False)
class LossyModelFile:
    """Content of a file: all integers, but for the weights of the transforms.

    Parameters
    ----------
    meta:
        Json object: configuration and the record of training.
    arrays:
        Integer arrays by name; weights of the transforms as the bits of float32, or the upper half
        of these.
    """

    meta: Mapping
    arrays: Mapping[str, np.ndarray]

    @property
    def hash(self) -> str:
        """SHA-256 of the content, in hex."""
        return canonical_hash(dict(self.meta), self.arrays, _LIMITS)

    @property
    def tables(self) -> EscapeTables:
        """
        Raises
        ------
        InputError
            If they are not such tables.
        """
        tables = EscapeTables(self.arrays["tables.cumulative"])
        if tables.classes < PRIOR_CLASS:
            raise InputError(f"tables must be at least {PRIOR_CLASS}, not {tables.classes}")
        return tables

    def write(self, path) -> None:
        """Write the file, whole or not at all."""
        write_archive(path, _KIND, _VERSION, dict(self.meta), self.arrays, _LIMITS)

    @classmethod
    def read(cls, path) -> "LossyModelFile":
        """Read a file, or the shipped codec by its name; a file called so is ``./loc-lic-mini``.

        Raises
        ------
        ArchiveError
            If it is no such file, of an earlier version, or damaged.
        OSError
            If it cannot be read.
        """
        if path == LOSSY:
            with packaged(f"{LOSSY}.loclic") as file:
                return cls.read(file)
        return cls(*read_archive(path, _KIND, _VERSION, _LIMITS, oldest=_VERSION))


def load_tables(path) -> tuple[EscapeTables, str]:
    """Tables and hash of a file; errors as of `LossyModelFile.read` and its tables."""
    file = LossyModelFile.read(path)
    return file.tables, file.hash
