"""Models that builds take."""

import os
from pathlib import Path

from lutgen.errors import InputError
from lutgen.model.model import Model
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.shipped import SHIPPED, find_model
from lutgen.targets import Target

from .blueprint import Blueprint
from .blueprints import blueprint_kind

__all__ = ["find_buildable", "find_plan"]


def find_plan(model: Model | PredictiveModel, options, target: Target) -> Blueprint:
    """The blueprint of a model's cores for a device; ``options`` None are the defaults.

    Raises
    ------
    InputError
        If the options are those of another profile, or outside their range for the model.
    """
    kind = blueprint_kind(model.profile)
    options = kind.options_kind() if options is None else options
    if not isinstance(options, kind.options_kind):
        raise InputError(
            f"options must be {kind.options_kind.__name__} for a model of profile {model.profile}, "
            f"not {type(options).__name__}"
        )
    return kind(model, options.settle(model, target))


def find_buildable(
    model: Model | PredictiveModel | str | os.PathLike | None = None
) -> Model | PredictiveModel:
    """A model by its file or shipped name, by default the embedded one, for a build.

    Raises
    ------
    InputError
        If there is none of this name, or builds do not take its profile.
    lutgen.model.model.ModelError
        If the file is no model.
    """
    if model is None:
        return Model.default()
    if isinstance(model, Model | PredictiveModel):
        return model
    name = os.fspath(model)
    if name not in SHIPPED and not Path(name).is_file():
        raise InputError(
            f"model must be a .lutgen file, not {name!r}, which does not exist: "
            "train one with `lutgen train`, or leave it out for the embedded model"
        )
    found = find_model(name)
    if not isinstance(found, Model | PredictiveModel):
        raise InputError(
            f"model must be of gray images, not {name!r} of colour or filter arrays: their cores "
            "are not part of builds yet"
        )
    return found
