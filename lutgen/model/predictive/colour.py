"""The model file of colour images: one model of profile ``predictive`` for each plane.

The first plane is coded like a gray image, the second one knows the first, the third one both
(:mod:`.reference`).  Alpha, a fourth plane, has little to do with colours: the first plane's model
codes it, and the second of two.

A model of colour filter arrays has four planes, those of the array's four places: the greens, red,
blue.  The fourth one knows the third and the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lutgen.model.model import ModelError

from .model import PredictiveModel
from .reference import MOST_REFERENCES
from .saved import PredictiveFile

__all__ = ["COLOUR_KIND", "ColourModel"]

COLOUR_KIND = "predictive-colour-model"
_COLOURS = MOST_REFERENCES + 1


@dataclass(frozen=True, eq=False)
class ColourModel(PredictiveFile):
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

    kind = COLOUR_KIND

    def __post_init__(self) -> None:
        found = [plane.references for plane in self.planes]
        if found not in ([0, 1, 2], [0, 1, 2, 2]):
            raise ModelError(f"planes must know 0, 1, 2 planes before them, not {found}")
        self._check_training()

    @property
    def mosaic(self) -> bool:
        """Whether it codes colour filter arrays, not colour."""
        return len(self.planes) > _COLOURS

    def stats(self) -> dict:
        """Counts for reports, ready for json: those of each plane."""
        return {"planes": [plane.stats() for plane in self.planes]}

    def parts(self) -> tuple[dict, dict[str, np.ndarray]]:
        """See `PredictiveFile.parts`."""
        parts = [plane.parts() for plane in self.planes]
        arrays = {
            f"{k}.{name}": array for k, (_, own) in enumerate(parts) for name, array in own.items()
        }
        return {"planes": [meta for meta, _ in parts]}, arrays

    @classmethod
    def _from_file(cls, meta: dict, arrays: dict) -> "ColourModel":
        planes = []
        for k, parts in enumerate(meta["model"]["planes"]):
            own = {
                name.removeprefix(f"{k}."): array
                for name, array in arrays.items() if name.startswith(f"{k}.")
            }  # fmt: skip
            planes.append(PredictiveModel.from_parts(parts, own))
        return cls(tuple(planes), meta["training"])
