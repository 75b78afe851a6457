"""The model file of colour images: one model of profile ``predictive`` for each plane.

The first plane is coded like a gray image, the second one knows the first, the third one both
(:mod:`.reference`).  Alpha, a fourth plane, has little to do with colours: the first plane's model
codes it, and the second of two.

A model of colour filter arrays has four planes, those of the array's four places: the greens, red,
blue.  The fourth one knows the third and the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from lutgen.files.archive import canonical_hash, write_archive
from lutgen.model.model import ModelError, load_parts

from .model import PROFILE, PredictiveModel
from .reference import MOST_REFERENCES

__all__ = ["COLOUR_KIND", "ColourModel"]

COLOUR_KIND = "predictive-colour-model"
FORMAT_VERSION = 1
_COLOURS = MOST_REFERENCES + 1


@dataclass(frozen=True, eq=False)
class ColourModel:
    """A codec model of colour images, profile ``predictive``.

    Parameters
    ----------
    planes:
        Models in the order in which planes are coded: the first without reference planes, the
        second with one, the third with two, and of colour filter arrays a fourth with two.
    training:
        Training record, json: data, date, figures, licences.

    Raises
    ------
    ModelError
        If there are others.
    """

    planes: tuple[PredictiveModel, ...]
    training: Mapping = field(default_factory=dict)

    profile = PROFILE

    def __post_init__(self) -> None:
        found = [plane.references for plane in self.planes]
        if found not in ([0, 1, 2], [0, 1, 2, 2]):
            raise ModelError(f"planes must know 0, 1, 2 planes before them, not {found}")
        if not isinstance(self.training, Mapping):
            raise ModelError(
                f"training record must be a mapping, not a {type(self.training).__name__}"
            )

    @property
    def name(self) -> str:
        """Name under which it was trained, or ``predictive``."""
        return str(self.training.get("model", PROFILE))

    @property
    def mosaic(self) -> bool:
        """Whether it codes colour filter arrays, not colour."""
        return len(self.planes) > _COLOURS

    def stats(self) -> dict:
        """Counts for reports, ready for json: those of each plane."""
        return {"planes": [plane.stats() for plane in self.planes]}

    def _parts(self) -> tuple[dict, dict[str, np.ndarray]]:
        parts = [plane.parts() for plane in self.planes]
        arrays = {
            f"{k}.{name}": array for k, (_, own) in enumerate(parts) for name, array in own.items()
        }
        return {"planes": [meta for meta, _ in parts]}, arrays

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, of all that decoding depends on; not of the training record."""
        return canonical_hash(*self._parts())

    def with_training(self, training: Mapping) -> "ColourModel":
        """The same model with another training record."""
        return replace(self, training=training)

    def save(self, path) -> None:
        """Write the model file."""
        meta, arrays = self._parts()
        meta = {"model": meta, "training": dict(self.training)}
        write_archive(path, COLOUR_KIND, FORMAT_VERSION, meta, arrays)

    @classmethod
    def load(cls, path) -> "ColourModel":
        """Read a model file.

        Raises
        ------
        ModelError
            If the file is malformed in any way.
        OSError
            If it cannot be read.
        """
        return load_parts(path, COLOUR_KIND, FORMAT_VERSION, cls._from_parts)

    @classmethod
    def _from_parts(cls, meta: dict, arrays: dict) -> "ColourModel":
        planes = []
        for k, parts in enumerate(meta["model"]["planes"]):
            own = {
                name.removeprefix(f"{k}."): array
                for name, array in arrays.items() if name.startswith(f"{k}.")
            }  # fmt: skip
            planes.append(PredictiveModel.from_parts(parts, own))
        return cls(tuple(planes), meta["training"])
