"""Devices that designs are built for, one file each."""

from .artix7_100t import ARTIX7_100T
from .ecp5_45k import ECP5_45K
from .generic import GENERIC
from .kintex7 import KINTEX7
from .target import Target
from .zu7ev import ZU7EV
from .zynq7020 import ZYNQ7020
from .zynq7045 import ZYNQ7045

__all__ = ["Target", "all_targets", "get_target"]

_TARGETS = {
    target.name: target
    for target in (ZYNQ7045, ZYNQ7020, KINTEX7, ARTIX7_100T, ZU7EV, ECP5_45K, GENERIC)
}


def all_targets() -> tuple[Target, ...]:
    """Every known target, the main one first."""
    return tuple(_TARGETS.values())


def get_target(name: str) -> Target:
    """The target called ``name``; ValueError for an unknown name, listing the known ones."""
    try:
        return _TARGETS[name]
    except KeyError:
        raise ValueError(f"target must be one of {', '.join(_TARGETS)}, not {name!r}") from None
