"""What a build has to know of a profile: its cores, and how they are described and counted."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import numpy as np

from lutgen.model.shipped import AnyModel
from lutgen.registers.register_map import RegisterMap
from lutgen.targets import Target

from .options import BuildOptions, PredictiveOptions
from .registers import build_maps
from .testbench import Picture

if TYPE_CHECKING:
    from amaranth.lib.wiring import Component

    from lutgen.gateware.core.config import CoreConfig
    from lutgen.gateware.predictive.config import PredictiveConfig

__all__ = ["Blueprint"]

_Model = TypeVar("_Model", bound=AnyModel)
_Options = TypeVar("_Options", bound=BuildOptions | PredictiveOptions)


class Blueprint(ABC, Generic[_Model, _Options]):
    """A model and options from which cores are made.

    Parameters
    ----------
    model:
        Codec model of the profile.
    options:
        Settled options of the profile's builds.

    Raises
    ------
    InputError
        If an option is outside its range for this model.
    """

    #: Class of the options.
    options_kind: ClassVar[type[BuildOptions] | type[PredictiveOptions]]
    #: What memories hold, by the longest path that a module below the top begins with.
    memories: ClassVar[Mapping[str, str]]
    #: Configuration of the cores.
    config: CoreConfig | PredictiveConfig

    def __init__(self, model: _Model, options: _Options) -> None:
        self.model, self.options = model, options

    @property
    def primitive(self) -> str | None:
        """What the Verilog instantiates, or None."""
        return None

    @property
    def cores(self) -> int:
        """Cores behind each pair of ports."""
        return 1

    @property
    @abstractmethod
    def folder(self) -> str:
        """Name of the folder of a build, unless it is told."""

    @abstractmethod
    def rate(self, clock_mhz: float) -> dict:
        """``rate`` of ``build.json``: pixels of a beat, clocks per pixel at least, Mpx/s at most.
        """

    @abstractmethod
    def model_record(self) -> dict:
        """``model`` of ``build.json``."""

    @abstractmethod
    def core_record(self, core: str) -> dict:
        """Figures of ``encoder`` or ``decoder`` in ``build.json``; lanes and buffers among them."""

    @abstractmethod
    def component(self, core: str) -> Component:
        """The component of an encoder or decoder."""

    @abstractmethod
    def estimate(self, core: str, verilog: str, raw: str, target: Target) -> dict:
        """Resources of a core, see `lutgen.synth.estimate`; ``raw`` is its top in the text."""

    @abstractmethod
    def picture(self, path: str | os.PathLike | None) -> Picture:
        """What the testbench sends: a file's image, or a drawn one; see `.testbench.Picture.of`."""

    @abstractmethod
    def encode(self, picture: Picture) -> bytes:
        """The reference's file of a picture."""

    @property
    def settings(self) -> dict[str, int]:
        """What the testbench tells an encoder besides sizes, by port or register."""
        return {}

    def decoded(self, picture: Picture) -> np.ndarray:
        """Samples that a decoder makes of the file of a picture."""
        return picture.samples

    @abstractmethod
    def silence(self, core: str, picture: Picture) -> int:
        """Clocks for which no beat of a core may move while the picture is inside."""

    def maps(self) -> dict[str, RegisterMap]:
        """Registers by core; none without registers."""
        return build_maps(self.options.made, self.config) if self.options.registers else {}

    @staticmethod
    @abstractmethod
    def header(record: Mapping, module: str) -> str:
        """The comment that a Verilog file begins with."""

    @staticmethod
    @abstractmethod
    def table(record: Mapping):
        """A rich table of a build: resources by block, core by core."""

    @staticmethod
    @abstractmethod
    def summary(record: Mapping) -> str:
        """What a build is and what to do with it, a few lines of text."""
