"""The sheet of each profile."""

from collections.abc import Mapping

from .sheet import Sheet
from .tile_sheet import TileSheet

__all__ = ["sheet_of"]


def sheet_of(record: Mapping) -> Sheet:
    """The sheet of a build, as `lutgen.build.codec.load_build` gives it."""
    return TileSheet(record)
