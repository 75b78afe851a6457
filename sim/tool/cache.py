"""The folder in which built simulations are kept."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["digest", "locked", "remove_unused"]

_UNUSED_DAYS = 30


def digest(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``, so that parallel test workers build a design once."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_unused(folder: Path) -> None:
    """Remove simulations that were not used for a month."""
    limit = time.time() - _UNUSED_DAYS * 86400
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_mtime < limit:
                path.unlink()
