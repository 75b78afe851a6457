"""One hash of many files."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["digest", "proven_files"]


def digest(folder: str | os.PathLike, names: Iterable[str]) -> str:
    """Hash of files of a folder, by their names and contents; those that are missing have none."""
    total = hashlib.sha256()
    for name in sorted(names):
        path = Path(folder, name)
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        total.update(f"{name} {found}\n".encode())
    return total.hexdigest()


def proven_files(names: Iterable[str]) -> list[str]:
    """Those files of a build that ``lutgen prove`` reads: Verilog and contents of memories."""
    return [name for name in names if name.endswith((".v", ".mem"))]
