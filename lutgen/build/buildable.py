"""Models that builds take."""

import os
from pathlib import Path

from lutgen.errors import InputError
from lutgen.model.model import Model
from lutgen.model.shipped import SHIPPED, find_model

__all__ = ["find_buildable"]


def find_buildable(model: Model | str | os.PathLike | None = None) -> Model:
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
    if isinstance(model, Model):
        return model
    name = os.fspath(model)
    if name not in SHIPPED and not Path(name).is_file():
        raise InputError(
            f"model must be a .lutgen file, not {name!r}, which does not exist: "
            "train one with `lutgen train`, or leave it out for the embedded model"
        )
    found = find_model(name)
    if not isinstance(found, Model):
        raise InputError(
            f"model must be of a profile that builds take, not {name!r} of profile "
            f"{found.profile}: its cores are not part of builds yet"
        )
    return found
