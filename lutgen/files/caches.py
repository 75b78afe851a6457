"""Folders for what can be made again: compiled kernels, simulations, downloads.

Every one of them may be missing: no home, a home that cannot be written, a package that another
user has installed.  Nothing but time depends on them, so a private temporary folder will do.
"""

import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["cache_folder", "give_tools_a_cache"]


def cache_folder() -> Path:
    """``$LUTGEN_CACHE``, or ``lutgen`` in the user's cache folder, or a private temporary one."""
    chosen = os.environ.get("LUTGEN_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = _user_cache()
    if home is not None and _writable(home / "lutgen"):
        return home / "lutgen"
    return _temporary()


def give_tools_a_cache() -> None:
    """Let tools of WebAssembly, in processes started later, compile themselves but once.

    Amaranth's and YoWASP's tools fail where their caches in the user's home cannot be written.
    """
    home = _user_cache()
    if home is None or not all(_writable(home / name) for name in ("wasmtime", "YoWASP")):
        os.environ["XDG_CACHE_HOME"] = str(_temporary())


def _user_cache() -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:  # a user without an entry, as in some containers
        home = None
    if sys.platform == "darwin":
        return home and home / "Library" / "Caches"
    chosen = os.environ.get("XDG_CACHE_HOME")
    return Path(chosen) if chosen else home and home / ".cache"


@cache
def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@cache
def _temporary() -> Path:
    """One that no other user can have put code into."""
    folder = Path(tempfile.gettempdir(), f"lutgen-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        if own and not stat.S_IMODE(found.st_mode) & 0o077 and _writable(folder):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="lutgen-cache-"))
