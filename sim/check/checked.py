"""A build that is checked: what each profile has to say of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lutgen.build.options import BuildOptions, PredictiveOptions
from lutgen.errors import InputError
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.predictive.config import PredictiveConfig
from lutgen.model.shipped import AnyModel, find_model
from lutgen.sim.check.build_tables import CompareLuts
from lutgen.sim.check.expected_tables import Tables
from lutgen.sim.check.judge_core import CoreJudge
from lutgen.sim.tool.design import Design

__all__ = ["BadFiles", "CheckedBuild", "Groups", "model_beside", "smallest"]

#: Names and images of each size.
Groups = Sequence[tuple[list[str], np.ndarray]]


@dataclass(frozen=True)
class BadFiles:
    """A damaged file, one of another model, and a good one.

    Members
    -------
    image : what the good one is made of; the damaged one gives a picture, too
    files : all three, in this order
    errors : the error bit of each bad one, and what it is
    """

    image: np.ndarray
    files: tuple[bytes, bytes, bytes]
    errors: tuple[tuple[str, str], tuple[str, str]]


def model_beside(record: Mapping) -> AnyModel:
    """The model in a build's folder; InputError if it is not the build's own."""
    model = find_model(Path(record["folder"], record["model"]["file"]))
    if model.hash != record["model"]["hash"]:
        raise InputError(
            f"model of the build must have the hash {record['model']['hash'][:16]}, not "
            f"{model.hash[:16]}: build again"
        )
    return model


class CheckedBuild(ABC):
    """A build and its reference.

    Parameters
    ----------
    record :
        ``build.json``, with ``folder``.

    Members
    -------
    model, options, config : what the build was made of
    largest : greatest width and height of an image
    dtype : of its samples

    Raises
    ------
    InputError
        If the model beside the build is not its own.
    """

    model: AnyModel
    options: BuildOptions | PredictiveOptions
    config: CoreConfig | PredictiveConfig
    largest: tuple[int, int]
    dtype: np.dtype

    def __init__(self, record: Mapping) -> None:
        """What a profile's own class begins with; model, options and configuration are there."""
        self.record, self._folder = record, Path(record["folder"])
        self.largest = self.options.max_width, self.options.max_height

    def design(self, core: str) -> Design:
        """The core's Verilog."""
        module = self.record["cores"][core]["module"]
        return Design.of(self._folder / f"{module}.v", module)

    @property
    def depth(self) -> int:
        """Bits of a sample."""
        return 8

    @property
    def near(self) -> int:
        """The largest error of a sample that the build can be told to allow."""
        return 0

    def groups(self, images: Iterable[tuple[str, np.ndarray]]) -> Groups:
        """Images by size, in order of appearance.

        Raises
        ------
        InputError
            If there are none, or one is not of the build's samples or size.
        """
        widest, highest = self.largest
        groups: dict[tuple[int, int], tuple[list[str], list[np.ndarray]]] = {}
        for name, image in images:
            image = np.asarray(image)
            self._check_samples(name, image)
            height, width = image.shape
            if width > widest or height > highest:
                raise InputError(
                    f"image {name!r} must be at most {widest} x {highest} pixels, "
                    f"not {width} x {height}: build with --max-width and --max-height"
                )
            names, arrays = groups.setdefault((width, height), ([], []))
            names.append(str(name))
            arrays.append(image)
        if not groups:
            raise InputError("images must be at least one, not none")
        return [(names, np.stack(arrays)) for names, arrays in groups.values()]

    def _check_samples(self, name: str, image: np.ndarray) -> None:
        bits = 8 * self.dtype.itemsize
        if image.dtype != self.dtype or image.ndim != 2 or not image.size:
            other = "" if bits == 8 else f" for samples of {self.depth} bits"
            raise InputError(
                f"image {name!r} must be {bits}-bit grayscale of shape (H, W){other}, "
                f"not {image.dtype} of shape {image.shape}"
            )
        if int(image.max()) >> self.depth:
            raise InputError(
                f"image {name!r} must have samples of {self.depth} bits, not {image.max()}: "
                f"build with --depth {int(image.max()).bit_length()}"
            )

    @abstractmethod
    def images(self, count: int | None, seed: int) -> list[tuple[str, np.ndarray]]:
        """Named images where the user has none."""

    @abstractmethod
    def files(self, images: np.ndarray) -> list[bytes]:
        """The files that images of one size become."""

    @abstractmethod
    def bad_files(self, groups: Groups, seed: int) -> BadFiles:
        """Files that the decoder must refuse, of one of the images."""

    @abstractmethod
    def tables(self, core: str) -> Tables:
        """What the tables of a core hold."""

    @property
    @abstractmethod
    def luts(self) -> CompareLuts:
        """Compares LUTs."""

    @abstractmethod
    def simulator(self, core: str) -> Callable:
        """The core as a function of images, or of files."""

    @abstractmethod
    def pictures(self, seed: int):
        """Pictures for the phases."""

    @abstractmethod
    def judge(
        self, core: str, pictures, *, share: float, seed: int, design: Design | None = None
    ) -> CoreJudge:
        """The judge of a core, or of another design in its place."""


def smallest(groups: Groups) -> np.ndarray:
    """The smallest image with bits enough to damage: short files simulate quickly."""
    images = [images[0] for _, images in groups]
    return min((i for i in images if i.size >= 12), key=lambda i: i.size, default=images[0])
