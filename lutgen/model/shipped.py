"""Models that come with the package, by name, and models of any profile by their files."""

import os
from collections.abc import Callable
from functools import cache, partial

from lutgen.files.archive import ArchiveError, archive_kind

from .default import COLOUR, DEEP, DEFAULT, MOSAIC
from .model import KIND as TILE_KIND
from .model import Model, ModelError
from .packaged import is_packaged, packaged
from .predictive.colour import COLOUR_KIND, ColourModel
from .predictive.model import KIND as PREDICTIVE_KIND
from .predictive.model import PredictiveModel

__all__ = [
    "COLOUR", "DEEP", "DEFAULT", "MOSAIC", "SHIPPED", "AnyModel", "find_model", "name_of",
    "shipped",
]  # fmt: skip

#: A model of any profile.
AnyModel = Model | PredictiveModel | ColourModel


def _packaged(kind: type[PredictiveModel] | type[ColourModel], name: str) -> AnyModel:
    with packaged(f"{name}.lutgen") as path:
        return kind.load(path)


#: What loads each of them; a file that an installation has left out is none.
SHIPPED: dict[str, Callable[[], AnyModel]] = {
    "digits": Model.default,
    **{
        name: partial(_packaged, kind, name)
        for name, kind in (("photo", PredictiveModel), ("photo-16", PredictiveModel),
                           ("photo-rgb", ColourModel), ("photo-bayer", ColourModel))
        if is_packaged(f"{name}.lutgen")
    },
}  # fmt: skip

_CLASSES: dict[str, type[Model] | type[PredictiveModel] | type[ColourModel]] = {
    TILE_KIND: Model, PREDICTIVE_KIND: PredictiveModel, COLOUR_KIND: ColourModel,
}


@cache
def shipped(name: str) -> AnyModel:
    """The model of a name of `SHIPPED`, read once."""
    return SHIPPED[name]()


def find_model(
    model: AnyModel | str | os.PathLike | None = None, *, depth: int = 8, channels: int = 1,
    mosaic: bool = False,
) -> AnyModel:
    """A model of any profile by its name or file; a model is given back as it is.

    None is the default for samples of so many significant bits and pixels of so many samples, or
    for colour filter arrays, ``mosaic``.  A file that is called as a shipped model is named with
    its folder, ``./digits``.

    Raises
    ------
    lutgen.model.model.ModelError
        If the file is no model.
    OSError
        If it cannot be read.
    """
    if isinstance(model, AnyModel):
        return model
    if model is None:
        other = MOSAIC if mosaic else COLOUR if channels > 1 else DEEP if depth > 8 else {}
        model = other.get(DEFAULT, DEFAULT)
        if model not in SHIPPED:
            model = DEFAULT
    if model in SHIPPED:
        return shipped(model)
    try:
        kind = archive_kind(model)
    except ArchiveError as error:
        raise ModelError(str(error)) from None  # it names the file
    if kind not in _CLASSES:
        raise ModelError(f"{model}: kind must be {' or '.join(_CLASSES)}, not {kind!r:.64}")
    return _CLASSES[kind].load(model)


def name_of(model_hash: bytes) -> str | None:
    """Name of the shipped model whose hash begins so, None if there is none."""
    prefix = model_hash.hex()
    return next((name for name in SHIPPED if shipped(name).hash.startswith(prefix)), None)
