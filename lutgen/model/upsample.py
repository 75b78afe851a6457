"""The upsampling model (UPS): a finer level's pixels guessed from the coarser one's."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lutgen.errors import InputError

from .channels import channel_groups, planes_of, stack_planes
from .netlist import Netlist
from .pyramid import half
from .window import Window

__all__ = ["GROUPS", "Upsampler"]

#: Output groups of the network: top left, top right, bottom left and bottom right pixel.
GROUPS = ("p0", "p1", "p2", "p3")
_MAX_BITS = 4096


@dataclass(frozen=True, eq=False)
class Upsampler:
    """Upsampling model (GIC-DLC, section 3.1).

    For each pixel of a level the network reads the K x K square around it and gives the 2 x 2
    block of the next finer level.  A pixel is the average of its output group's bits, scaled to
    0..255 and rounded, halves upwards.  Pixels outside the tile read as zero.  Of C channels it
    reads the squares of all, and gives the blocks of all at once.

    Parameters
    ----------
    size:
        K, odd, 3 to 7 (the paper uses 5).
    network:
        LUT network with the output groups ``p0`` to ``p3``, of 1 to 4096 bits each; of several
        channels, those of each (`lutgen.model.channels`).
    channels:
        C, samples of a pixel, 1 to 4.

    Raises
    ------
    InputError
        If ``size`` is not 3, 5 or 7, ``channels`` is out of its range, or the network has other
        features or outputs.
    """

    size: int
    network: Netlist
    channels: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or self.size not in (3, 5, 7):
            raise InputError(f"size of the upsampler must be 3, 5 or 7, not {self.size!r}")
        outputs = self.network.outputs
        if self.network.features != self._square.features:
            raise InputError(
                f"network of the upsampler must read {self._square.features} features, "
                f"not {self.network.features}"
            )
        if set(outputs) != set(self.groups):
            raise InputError(
                f"network of the upsampler must have the output groups {self.groups}, "
                f"not {sorted(outputs)}"
            )
        for name in self.groups:
            if len(outputs[name]) > _MAX_BITS:
                raise InputError(
                    f"output {name!r} of the upsampler must have 1 to {_MAX_BITS} bits, "
                    f"not {len(outputs[name])}"
                )

    @property
    def radius(self) -> int:
        """Pixels that the square reaches to each side."""
        return self.size // 2

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """``(dy, dx)`` of each feature of a channel: the square, in raster order."""
        return self._square.offsets

    @property
    def groups(self) -> list[str]:
        """Output groups of the network: four of each channel."""
        return [name for names in channel_groups(GROUPS, self.channels) for name in names]

    @cached_property
    def _square(self) -> Window:
        return Window(self.size, prior=True, channels=self.channels)

    @cached_property
    def values(self) -> tuple[np.ndarray, ...]:
        """Pixel by number of ones of each group of `groups`: uint8, shape (bits + 1,)."""
        values = []
        for name in self.groups:
            bits = len(self.network.outputs[name])
            table = (2 * 255 * np.arange(bits + 1) + bits) // (2 * bits)
            table = table.astype(np.uint8)
            table.setflags(write=False)
            values.append(table)
        return tuple(values)

    def extract(self, low: np.ndarray) -> np.ndarray:
        """Features of every pixel of equally sized tiles.

        Parameters
        ----------
        low:
            uint8, shape (..., h, w), or (..., C, h, w) of several channels.

        Returns
        -------
        numpy.ndarray
            uint8, shape (C * K * K, ..., h, w).
        """
        return self._square.extract(low, low)

    def upsample(self, low: np.ndarray, height: int, width: int) -> np.ndarray:
        """The next finer level of equally sized tiles, as far as it can be guessed.

        Parameters
        ----------
        low:
            uint8, shape (..., h, w), or (..., C, h, w) of several channels.
        height, width:
            Sides of the finer level: twice those of ``low``, or one less.

        Returns
        -------
        numpy.ndarray
            uint8, shape (..., height, width) or (..., C, height, width).

        Raises
        ------
        InputError
            If the sides do not fit those of ``low``.
        """
        low = np.asarray(low, dtype=np.uint8)
        if low.shape[-2:] != (half(height), half(width)):
            raise InputError(
                f"pixels to upsample to {height} x {width} must be {half(height)} x "
                f"{half(width)}, not {low.shape[-2]} x {low.shape[-1]}"
            )
        features = self.extract(low).reshape(self._square.features, -1)
        shape = planes_of(low, self.channels)[0].shape
        planes = []
        for i, (name, table) in enumerate(zip(self.groups, self.values, strict=True)):
            if i % len(GROUPS) == 0:
                planes.append(np.empty((*shape[:-2], 2 * shape[-2], 2 * shape[-1]), dtype=np.uint8))
            pixels = table[self.network.evaluate_count(name, features)]
            planes[-1][..., i // 2 % 2 :: 2, i % 2 :: 2] = pixels.reshape(shape)
        return stack_planes(planes)[..., :height, :width]
