"""Folders in which built simulations, and what else takes long to compile, are kept."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["digest", "kept", "locked", "remove_unused"]

_UNUSED_DAYS = 30


def digest(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``, so that parallel test workers build a design once."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kept(folder: Path, name: str, of, make: Callable[[Path], None]) -> tuple[Path, bool]:
    """The file that is made of ``of``, which json can write, and whether it was made now; it has
    the name, and the suffix, with a key between them.

    ``make`` is given its path, and must put the whole file there at once.  Processes that want the
    same file wait for the one that makes it.
    """
    key = digest(of)[:24]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{Path(name).stem}-{key}{Path(name).suffix}"
    with locked(folder / f".{key}.lock"):
        if path.exists():
            os.utime(path)
            return path, False
        make(path)
        remove_unused(folder)
        return path, True


def remove_unused(folder: Path) -> None:
    """Remove simulations that were not used for a month."""
    limit = time.time() - _UNUSED_DAYS * 86400
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mtime < limit:
                path.unlink()
