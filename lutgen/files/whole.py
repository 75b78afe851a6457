"""Files that are read whole, and written whole or not at all; ``-`` is standard input or output."""

import contextlib
import os
import re
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lutgen.errors import InputError

__all__ = [
    "STANDARD", "OutputError", "check_folder", "check_output", "errors_name", "files_below",
    "is_stream", "read_file", "scratch_folder", "stays_below", "write_file",
]  # fmt: skip

#: The name of standard input and standard output.
STANDARD = "-"


class OutputError(InputError):
    """An output that could not be written."""


def files_below(folder: Path) -> list[str]:
    """Names of all files in a folder and in those in it, sorted; with ``/`` between their parts."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def stays_below(name: str) -> bool:
    """Whether a name that a record has is one that `files_below` could give, of any folder."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") and Path(part).name == part for part in parts)


def read_file(path) -> bytes:
    """All bytes of a file, pipe or device; OSError if it cannot be read."""
    if os.fspath(path) == STANDARD:
        return sys.stdin.buffer.read()
    with errors_name(path):
        return Path(path).read_bytes()


def write_file(path, data: bytes) -> None:
    """Write ``data`` to ``path``; after a failure the path holds what it held before.

    The bytes go to a file beside it, which then takes its name.  Standard output, devices and pipes
    are written directly, links are followed.

    Raises
    ------
    OSError
        If the file cannot be written; it names ``path``.
    """
    data = bytes(memoryview(data))  # a str is refused before anything is opened
    with errors_name(path):
        if _write_stream(path, data):
            return
        # The file's own name may be as long as names can be, so this one is not made from it.
        target = Path(os.path.realpath(path))
        beside = target.with_name(f".lutgen-{secrets.token_hex(8)}.tmp")
        try:
            with open(beside, "xb") as file:
                file.write(data)
            if target.exists():
                beside.chmod(stat.S_IMODE(target.stat().st_mode))
            beside.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise


def check_output(path) -> None:
    """Find out now, before hours of work, whether `write_file` can write to ``path``.

    Nothing is left behind, and what the path holds stays.

    Raises
    ------
    OutputError
        If it could not.
    """
    path = os.fspath(path)
    if path == STANDARD:
        if sys.stdout.isatty():
            raise OutputError("standard output must be a file or a pipe here, not a terminal")
        return
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise OutputError(f"{path}: output must be writable, not: {error.strerror}") from None
    if path.endswith("/") or (mode is not None and stat.S_ISDIR(mode)):
        raise OutputError(f"{path}: output must be a file, not a folder")
    if mode is not None and not os.access(path, os.W_OK):
        raise OutputError(f"{path}: output must be writable, which it is not")
    if is_stream(path):
        return
    check_folder(path, os.path.dirname(os.path.realpath(path)))


def check_folder(path, folder: str) -> None:
    """OutputError unless files can be made in ``folder``, to which the output ``path`` goes."""
    shown = os.path.dirname(path.rstrip("/")) or "."
    if os.path.isfile(folder):
        raise OutputError(f"{path}: folder of an output must be a folder, not a file")
    if not os.path.isdir(folder):
        raise OutputError(f"{path}: folder of an output must exist, which {shown!r} does not")
    try:
        # Asking the file system knows more than permissions do: read-only mounts, quotas.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OutputError(
            f"{path}: folder of an output must be writable, not {shown!r}: {error.strerror}"
        ) from None


@contextlib.contextmanager
def scratch_folder(prefix: str, parent=None, *, name=None) -> Iterator[Path]:
    """A folder that is removed at the end; a full disk and the like name what the user knows.

    Parameters
    ----------
    prefix:
        Of its name.
    parent:
        Folder that it is made in, the system's temporary one by default.
    name:
        What errors name: ``parent`` by default, and never a file in the folder.
    """
    parent = os.fspath(parent or tempfile.gettempdir())
    try:
        with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        own = error.filename is None or os.fspath(error.filename).startswith(
            os.path.join(parent, prefix)
        )
        if not own or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(name or parent)) from None


@contextlib.contextmanager
def errors_name(path) -> Iterator[None]:
    """Errors of the file system inside name ``path``, which the user knows, and no other file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None


def is_stream(path) -> bool:
    """Whether ``path`` is standard input or output, a device, a pipe or an open descriptor."""
    if os.fspath(path) == STANDARD:
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or _descriptor(path) is not None


def _write_stream(path, data: bytes) -> bool:
    """Write to what is no regular file; False if ``path`` is or would be one."""
    if os.fspath(path) == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return True
    if not is_stream(path):
        return False
    number = _descriptor(path)
    # A descriptor of ours goes on where it is: opening its name anew would write over a file.
    with open(os.dup(number), "wb") if number is not None else open(path, "wb") as file:
        file.write(data)
    return True


def _descriptor(path) -> int | None:
    """Number of the open descriptor of this process that ``path`` is a name of: /dev/stdout, ..."""
    path = os.path.abspath(path)
    for _ in range(40):  # as many links as Linux follows
        folder = os.path.realpath(os.path.dirname(path))
        name = os.path.basename(path)
        own = rf"/proc/{os.getpid()}(/task/\d+)?/fd|/dev/fd"
        if re.fullmatch(own, folder) and name.isdigit():
            return int(name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None
