"""Planes of an image as the cores see them: how many there are, and which model each has."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from amaranth.hdl import Value

from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel

from ..fabric.fabric import LUT6, Fabric
from ..prediction.near import Near
from ..prediction.plane_models import PlaneModels
from ..strips.strip_files import Channels
from .colour_loop import ColourLoop
from .sample_loop import SampleLoop

__all__ = ["Planes"]

#: A number, or a signal of one.
SideT = TypeVar("SideT", int, Value)


@dataclass(frozen=True)
class Planes:
    """Planes of an image in the order of coding: its rows are those of the planes in turn.

    Parameters
    ----------
    models:
        Model of each: one of a gray image.
    mosaic:
        Whether they are the places of a colour filter array.
    """

    models: tuple[PredictiveModel, ...]
    mosaic: bool = False

    @classmethod
    def of(cls, model: PredictiveModel | ColourModel) -> "Planes":
        """Those of the images of a model: gray, RGB, or a colour filter array."""
        if isinstance(model, ColourModel):
            return cls(model.planes, model.mosaic)
        return cls((model,))

    @property
    def count(self) -> int:
        """Rows of planes of a row of the image, or of squares of a colour filter array."""
        return len(self.models)

    @property
    def components(self) -> int:
        """Samples of a pixel on a stream."""
        return 1 if self.mosaic else self.count

    @cached_property
    def cumulative(self) -> np.ndarray:
        """Token tables, those of all planes one after the other."""
        return np.concatenate([model.cumulative for model in self.models])

    @property
    def channels(self) -> Channels:
        """What files say of them."""
        return Channels.of(self.count, mosaic=self.mosaic)

    @property
    def square(self) -> int:
        """Pixels of a side for each column and line of a plane: 2 of a colour filter array."""
        return 2 if self.mosaic else 1

    def columns(self, width: SideT) -> SideT:
        """Columns of a plane of an image of that width."""
        return width >> 1 if self.mosaic else width

    def lines(self, height: SideT) -> SideT:
        """Rows of a plane of an image of that height."""
        return height >> 1 if self.mosaic else height

    def loop(
        self, depth: int, lanes: int, columns: int, *, sample_after: int | None = None,
        fabric: Fabric = LUT6, near: Near | None = None,
    ) -> SampleLoop:  # fmt: skip
        """Their contexts and predictions, see `SampleLoop`."""
        if self.count == 1:
            return SampleLoop(
                self.models[0], depth, lanes, columns,
                sample_after=sample_after, fabric=fabric, near=near,
            )  # fmt: skip
        return ColourLoop(
            PlaneModels(self.models), depth, lanes, columns,
            sample_after=sample_after, fabric=fabric, near=near,
        )  # fmt: skip
