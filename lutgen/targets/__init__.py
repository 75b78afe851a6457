"""Devices that designs are built for: one file each in ``constraints``."""

import tomllib
from typing import Any

from lutgen.constraints import read
from lutgen.errors import InputError

from .target import Target

__all__ = ["Target", "all_targets", "get_target"]

#: Names of the devices, which are names of files, the main one first.
_NAMES = (
    "zynq7045",
    "zynq7020",
    "kintex7",
    "artix7-100t",
    "zu7ev",
    "ecp5-45k",
    "ecp5-85k",
    "generic",
)
#: What a file leaves out where nothing limits a device, or it has none of the kind.
_OPTIONAL = ("luts", "ffs", "bram36", "dsps", "lut_primitive", "yosys_family")


def _load(name: str) -> Target:
    data: dict[str, Any] = {key: None for key in _OPTIONAL}
    data |= tomllib.loads(read(f"{name}.toml"))
    return Target(**data | {"name": name, "tools": tuple(data["tools"])})


_TARGETS = {name: _load(name) for name in _NAMES}


def all_targets() -> tuple[Target, ...]:
    """Every known target, the main one first."""
    return tuple(_TARGETS.values())


def get_target(name: str) -> Target:
    """The target called ``name``; InputError for an unknown name, listing the known ones."""
    try:
        return _TARGETS[name]
    except KeyError:
        raise InputError(f"target must be one of {', '.join(_TARGETS)}, not {name!r}") from None
