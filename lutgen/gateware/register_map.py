"""Registers of a build of the IP."""

from .. import __version__
from ..register_map import RegisterMap, stored_map
from .config import CoreConfig

__all__ = ["build_values", "register_map"]


def register_map(name: str, config: CoreConfig | None = None) -> RegisterMap:
    """Registers of the ``encoder`` or the ``decoder``.

    Parameters
    ----------
    name:
        One of `lutgen.register_map.MAPS`.
    config:
        The core whose values are put in; without it the map is the one of all builds.
    """
    found = stored_map(name)
    return found if config is None else found.of_build(build_values(config))


def build_values(config: CoreConfig) -> dict[str, int]:
    """Values of a build that the registers show."""
    major, minor, patch = (int(number) for number in __version__.split(".")[:3])
    digest = config.model_hash.hex()
    return {
        "version_major": major,
        "version_minor": minor,
        "version_patch": patch,
        "model_hash_0": int(digest[:8], 16),
        "model_hash_1": int(digest[8:], 16),
        "max_width": config.max_width,
        "max_height": config.max_height,
        "max_level": config.model.levels,
    }
