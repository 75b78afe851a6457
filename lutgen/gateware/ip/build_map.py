"""Registers of a build: the stored map with the values of its core put in."""

from dataclasses import replace

from amaranth.utils import bits_for

from lutgen import __version__
from lutgen.registers.register_map import RegisterMap, stored_map

from ..core.config import CoreConfig
from ..predictive.config import PredictiveConfig

__all__ = ["build_map", "build_values"]


def build_map(name: str, config: CoreConfig | PredictiveConfig) -> RegisterMap:
    """Registers of the ``encoder`` or the ``decoder`` of a configuration.

    See `lutgen.registers.register_map.stored_map` for those of all builds.
    """
    found = stored_map(name).of_build(build_values(config))
    if isinstance(config, PredictiveConfig) and config.cores > 1:
        return _counting(found, "pixels", bits_for(config.cores))
    return found


def _counting(registers: RegisterMap, name: str, increment: int) -> RegisterMap:
    """The map with a counter to which numbers of so many bits are added."""
    return replace(registers, registers=tuple(
        replace(register, fields=tuple(replace(f, increment=increment) for f in register.fields))
        if register.name == name else register
        for register in registers
    ))  # fmt: skip


def build_values(config: CoreConfig | PredictiveConfig) -> dict[str, int]:
    """Values of a build that the registers show."""
    major, minor, patch = (int(number) for number in __version__.split(".")[:3])
    digest = config.model_hash.hex()
    planes = config.planes if isinstance(config, PredictiveConfig) else None
    several = planes if planes is not None and planes.count > 1 else None
    return {
        "version_major": major,
        "version_minor": minor,
        "version_patch": patch,
        "model_hash_0": int(digest[:8], 16),
        "model_hash_1": int(digest[8:], 16),
        "max_width": config.max_width,
        "max_height": config.max_height,
        "max_level": config.levels,
        "max_near": config.max_near,
        "max_order": config.max_order if several else 0,
        "depth": config.depth,
        "planes": several.count if several else 0,
        "mosaic": int(several is not None and several.mosaic),
        "tiles": int(not config.strips),
        "strips": int(config.strips),
    }
