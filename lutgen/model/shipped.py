"""Models that come with the package, by name."""

import os
from collections.abc import Callable
from functools import cache

from .model import Model

__all__ = ["DEFAULT", "SHIPPED", "find_model", "name_of", "shipped"]

#: What loads each of them.
SHIPPED: dict[str, Callable[[], Model]] = {"digits": Model.default}
#: What is used unless told otherwise.
DEFAULT = "digits"


@cache
def shipped(name: str) -> Model:
    """The model of a name of `SHIPPED`, read once."""
    return SHIPPED[name]()


def find_model(model: Model | str | os.PathLike | None = None) -> Model:
    """A model by its name or file; a model is given back as it is, None is the default.

    A file that is called as a shipped model is named with its folder, ``./digits``.

    Raises
    ------
    lutgen.model.model.ModelError
        If the file is no model.
    OSError
        If it cannot be read.
    """
    if isinstance(model, Model):
        return model
    if model is None or model in SHIPPED:
        return shipped(model or DEFAULT)
    return Model.load(model)


def name_of(model_hash: bytes) -> str | None:
    """Name of the shipped model whose hash begins so, None if there is none."""
    prefix = model_hash.hex()
    return next((name for name in SHIPPED if shipped(name).hash.startswith(prefix)), None)
