"""Models that builds take, and with which options."""

import os
from pathlib import Path
from typing import TypeVar

from lutgen.errors import InputError
from lutgen.model.model import Model
from lutgen.model.shipped import SHIPPED, AnyModel, find_model
from lutgen.targets import Target

from .options import BuildOptions, PredictiveOptions
from .predictive_blueprint import PredictiveBlueprint
from .tile_blueprint import TileBlueprint

__all__ = ["find_buildable", "find_plan"]

_Options = TypeVar("_Options", BuildOptions, PredictiveOptions)


def find_plan(
    model: AnyModel | str | os.PathLike | None,
    options: BuildOptions | PredictiveOptions | None,
    target: Target,
) -> TileBlueprint | PredictiveBlueprint:
    """The blueprint of a model's cores for a device.

    Without a model it is the default one of the profile that the options are of; without options
    they are the defaults of the model's profile.

    Raises
    ------
    InputError
        If there is no such model, or the options are those of another profile or outside their
        range for the model.
    lutgen.model.model.ModelError
        If the file is no model.
    """
    if model is None and isinstance(options, BuildOptions):
        model = Model.default()
    found = find_buildable(model, options.depth if isinstance(options, PredictiveOptions) else 8)
    if isinstance(found, Model):
        tiles = _checked(options, BuildOptions, found)
        return TileBlueprint(found, tiles.settle(found, target))
    rows = _checked(options, PredictiveOptions, found)
    return PredictiveBlueprint(found, rows.settle(found, target))


def _checked(
    options: BuildOptions | PredictiveOptions | None, kind: type[_Options], model: AnyModel
) -> _Options:
    """Options of a kind, its defaults if there are none; InputError if they are of another."""
    if options is None:
        return kind()
    if not isinstance(options, kind):
        raise InputError(
            f"options must be {kind.__name__} for a model of profile {model.profile}, "
            f"not {type(options).__name__}"
        )
    return options


def find_buildable(
    model: AnyModel | str | os.PathLike | None = None, depth: int = 8
) -> AnyModel:
    """A model by its file or shipped name, by default the one for samples of so many bits.

    Raises
    ------
    InputError
        If there is none of this name, or it codes tiles of several channels, which no core does.
    lutgen.model.model.ModelError
        If the file is no model.
    """
    if isinstance(model, AnyModel):
        return _buildable(model, "model")
    name = None if model is None else os.fspath(model)
    if name is not None and name not in SHIPPED and not Path(name).is_file():
        raise InputError(
            f"model must be a .lutgen file, not {name!r}, which does not exist: "
            "train one with `lutgen train`, or leave it out for a shipped model"
        )
    return _buildable(find_model(name, depth=depth), f"model {name}")


def _buildable(model: AnyModel, title: str) -> AnyModel:
    if isinstance(model, Model) and model.channels > 1:
        raise InputError(
            f"{title} must have one channel to be built, not {model.channels} of profile "
            f"{model.profile}: `lutgen encode` and `lutgen decode` code it, and models of profile "
            "predictive, such as photo-rgb, are built for colour"
        )
    return model
