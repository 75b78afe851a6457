"""Models of an image's planes, as what codes a unit of its rows needs them."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import Kernel, PredictiveModel

from .colour_strip import decode_colour_unit, model_colour_unit
from .strip import decode_unit, model_unit

__all__ = ["UnitModels"]


@dataclass(frozen=True)
class UnitModels:
    """Kernels of one plane, or of four.

    Parameters
    ----------
    kernels:
        In the order of coding.
    last:
        Reference planes of the last one of four.
    """

    kernels: tuple[Kernel, ...]
    last: int = 0

    @classmethod
    def of(cls, model: PredictiveModel | ColourModel) -> Self:
        """Those of a model."""
        if isinstance(model, PredictiveModel):
            return cls((model.kernel,))
        planes = model.planes
        if model.mosaic:
            return cls(tuple(plane.kernel for plane in planes), planes[-1].references)
        # Alpha, the fourth plane of colour, has the first one's model, and no reference planes.
        return cls(tuple(plane.kernel for plane in (*planes, planes[0])))

    def model(self, channels: int, *unit) -> None:
        """`strip.model_unit` of rows of so many planes; ``unit`` is what follows its kernel."""
        if channels == 1:
            model_unit(self.kernels[0], *unit)
        else:
            model_colour_unit(*self.kernels, self.last, channels, *unit)

    def decode(self, channels: int, *unit, samples: np.ndarray, entries: np.ndarray) -> bool:
        """`strip.decode_unit`, likewise; what is not decoded of ``samples`` becomes 0."""
        # Of one type and without gaps: all of decoding is compiled for each kind of array.
        found = np.zeros(samples.shape, dtype=np.uint16)
        if channels == 1:
            good = decode_unit(self.kernels[0], *unit, found, entries)
        else:
            good = decode_colour_unit(
                *self.kernels, self.last, channels, *unit, found, entries
            )
        samples[:] = found
        return good
