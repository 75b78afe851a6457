"""What learned baselines have in common: code lengths of images, and a file."""

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

from lutgen.errors import InputError
from lutgen.files.whole import write_file
from lutgen.formats.imageio import by_shape
from lutgen.model.pyramid import pyramid
from lutgen.training.data.datasets import check_images

__all__ = ["Baseline", "BaselineError", "Phase"]

#: Pixels that are evaluated at a time, so that large sets need little memory.
_CHUNK = 1 << 17


class BaselineError(InputError):
    """A weight file that cannot be used."""


@dataclass(frozen=True, eq=False)
class Phase:
    """One part of a training.

    Parameters
    ----------
    name:
        For the log.
    share:
        Of the time, where that is limited.
    network:
        What is trained.
    loss:
        Of a stack of images, uint8 of shape (N, H, W): the sum over its pixels.
    unit:
        What the mean of the loss over all pixels of level 0 is.
    """

    name: str
    share: float
    network: nn.Module
    loss: Callable[[np.ndarray], Tensor]
    unit: str


class Baseline(nn.Module):
    """A learned codec without a bitstream: only its ideal code lengths are computed.

    Parameters
    ----------
    config:
        Frozen dataclass of the kind's module; it has a field ``levels``.
    """

    #: Name in weight files and on the command line.
    kind: ClassVar[str]
    #: Of Adam, that suits it.
    rate: ClassVar[float]

    def __init__(self, config) -> None:
        super().__init__()
        self.config = config
        #: How it was trained; saved with it.
        self.record: dict = {}

    @property
    def parameter_count(self) -> int:
        """Numbers that are trained."""
        return sum(parameter.numel() for parameter in self.parameters())

    def phases(self) -> list[Phase]:
        """Parts of the training, first to last."""
        raise NotImplementedError

    def pmfs(self, planes: list[np.ndarray]) -> list[np.ndarray]:
        """Probabilities of all grey values of all pixels: a check of what is coded.

        Parameters
        ----------
        planes:
            The pyramid of a stack: uint8, shape (N, h, w) each, level 0 first.

        Returns
        -------
        list of numpy.ndarray
            float32, shape (N, h, w, 256), of each level.
        """
        raise NotImplementedError

    def code_lengths(self, planes: list[np.ndarray]) -> list[np.ndarray]:
        """Ideal code length of each pixel in bits.

        Parameters
        ----------
        planes:
            The pyramid of a stack: uint8, shape (N, h, w) each, level 0 first.

        Returns
        -------
        list of numpy.ndarray
            float32, shape (N, h, w), of each level.
        """
        raise NotImplementedError

    def bits(self, images) -> dict[int, float]:
        """Ideal code length in bits of images, by level.

        Images are coded whole, without tiles; nothing but pixels is counted.

        Parameters
        ----------
        images:
            uint8 arrays of shape (H, W), sizes may differ, or one array of shape (N, H, W).

        Returns
        -------
        dict
            Sum over all images of the bits of each level, 0 (the finest) first; their sum over
            the number of pixels of level 0 is the bpp.

        Raises
        ------
        DatasetError
            If the images are not what they must be.
        """
        total = dict.fromkeys(range(self.config.levels + 1), 0.0)
        for stack in by_shape(check_images(images)):
            size = max(1, _CHUNK // stack[0].size)
            for start in range(0, len(stack), size):
                planes = pyramid(stack[start : start + size], self.config.levels)
                for level, plane in enumerate(self.code_lengths(planes)):
                    total[level] += float(plane.sum(dtype=np.float64))
        return total

    def save(self, path) -> None:
        """Write weights, configuration and record to an npz file.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        header = {"kind": self.kind, "config": asdict(self.config), "record": self.record}
        file = io.BytesIO()
        arrays = {name: tensor.numpy() for name, tensor in self.state_dict().items()}
        np.savez_compressed(file, header=np.array(json.dumps(header)), **arrays)
        write_file(path, file.getvalue())
