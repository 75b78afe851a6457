"""What a build calls its modules, and all that is called after them.

Every name begins with the build's: modules, tables, the IP, C functions and macros.  So builds of
different names stand side by side in one design and in one program.
"""

import re
from collections.abc import Mapping

from lutgen.errors import InputError

__all__ = ["DEFAULT_NAME", "build_name", "build_of", "module_name", "raw_name", "top_module"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}[A-Za-z0-9]|[A-Za-z]")
#: What the gateware itself calls its modules, and what builds without a model are called.
DEFAULT_NAME = "lutgen"


def build_name(name: str | None, digest: str | None) -> str:
    """The name of a build: ``name``, or by default one of the model's hash.

    Parameters
    ----------
    name:
        What the user wants, or None.
    digest:
        Hash of the model in hexadecimal, or None where there is no model.

    Raises
    ------
    InputError
        If ``name`` cannot begin the names of Verilog modules and C functions.
    """
    if name is None:
        return f"{DEFAULT_NAME}_{digest[:8]}" if digest else DEFAULT_NAME
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            "name must be 1 to 64 letters, digits and '_', the first a letter and the last no "
            f"'_', not {name!r}"
        )
    return name


def build_of(record: Mapping) -> str:
    """What a build is called; those of the first versions have no name of their own."""
    return record["parameters"].get("name", DEFAULT_NAME)


def module_name(name: str, part: str) -> str:
    """Verilog module of a core ("encoder") or a top ("entropy-engine") of a build."""
    return f"{name}_{part.replace('-', '_')}"


def raw_name(part: str) -> str:
    """What the gateware calls such a module, before a build gives it its own name."""
    return module_name(DEFAULT_NAME, part)


def top_module(record: Mapping) -> str:
    """Verilog module of a build that holds all its cores."""
    return module_name(build_of(record), record["parameters"]["top"])
