"""The sheet of each profile."""

from collections.abc import Mapping

from lutgen.model.predictive.profile import PROFILE as PREDICTIVE

from .predictive_sheet import PredictiveSheet
from .sheet import Sheet
from .tile_sheet import TileSheet

__all__ = ["sheet_of"]


def sheet_of(record: Mapping) -> Sheet:
    """The sheet of a build, as `lutgen.build.codec.load_build` gives it."""
    kind = PredictiveSheet if record["model"]["profile"] == PREDICTIVE else TileSheet
    return kind(record)
