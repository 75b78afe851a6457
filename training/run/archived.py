"""Checkpoints that are archives: those of the trainers that need no torch."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from lutgen.errors import InputError
from lutgen.files.archive import ArchiveError, read_archive

__all__ = ["read_checkpoint"]


def read_checkpoint(
    path: Path, kind: str, version: int, identity: Mapping, trainer: str,
    check: Callable[[dict[str, np.ndarray]], None] = lambda arrays: None,
) -> tuple[dict, dict[str, np.ndarray]]:  # fmt: skip
    """Notes and arrays of a checkpoint.

    Parameters
    ----------
    kind, version:
        Of the archive.
    identity:
        What the run is, json.
    trainer:
        Whose checkpoint it must be, for messages.
    check:
        ValueError, KeyError or TypeError if the arrays are not what the trainer wrote.

    Raises
    ------
    InputError
        If the file is of another run, or no checkpoint.
    OSError
        If it cannot be read.
    """
    try:
        meta, arrays = read_archive(path, kind, version)
        found, notes = meta["identity"], dict(meta["notes"])
        check(arrays)
    except (ArchiveError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} must be a checkpoint of the {trainer} trainer: remove it, or name another "
            f"({error})"
        ) from error
    if found != identity:
        keys = [key for key in identity if found.get(key) != identity[key]]
        raise InputError(
            f"{path} must be of this run, but differs in {', '.join(keys) or 'all'}: remove it, "
            "or train as before"
        )
    return notes, arrays
