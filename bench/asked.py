"""How a benchmark was called, for its record."""

import shlex
import sys

__all__ = ["command_of"]


def command_of(module: str) -> str:
    """The command that runs a module of this package as it is run now."""
    return shlex.join(["python", "-m", module, *sys.argv[1:]])
