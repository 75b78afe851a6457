"""Files that are either written whole or not at all."""

import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_file"]


def write_file(path, data: bytes) -> None:
    """Write ``data`` to ``path``; after a failure the path holds what it held before.

    The bytes go to a file beside it, which then takes its name.  Devices and pipes are written
    directly, links are followed.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        regular = stat.S_ISREG(target.stat().st_mode)
    except FileNotFoundError:
        regular = True
    if not regular:
        target.write_bytes(data)  # a folder is an error here
        return
    # The file's own name may be as long as names can be, so this one is not made from it.
    beside = target.with_name(f".lutgen-{secrets.token_hex(8)}.tmp")
    try:
        with open(beside, "xb") as file:
            file.write(data)
        if target.exists():
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        # The user knows the name asked for, not the one beside it.
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from None
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
