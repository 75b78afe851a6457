"""The blueprint of each profile."""

from collections.abc import Mapping

from lutgen.model.predictive.profile import PROFILE as PREDICTIVE

from .blueprint import Blueprint
from .predictive_blueprint import PredictiveBlueprint
from .tile_blueprint import TileBlueprint

__all__ = ["blueprint_kind", "summary", "table"]


def blueprint_kind(profile: str) -> type[Blueprint]:
    """The blueprint of a model of that profile."""
    return PredictiveBlueprint if profile == PREDICTIVE else TileBlueprint


def table(record: Mapping):
    """A rich table of a build: resources by block, core by core."""
    return blueprint_kind(record["model"]["profile"]).table(record)


def summary(record: Mapping) -> str:
    """What a build is and what to do with it, a few lines of text."""
    return blueprint_kind(record["model"]["profile"]).summary(record)
