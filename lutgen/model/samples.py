"""What the samples of an image are: bits, channels, and how near to them a codec must come.

Cameras of 10, 12 or 14 bits store their samples in words of 16, at the lower end or shifted to the
upper one.  A codec sees samples of `SampleFormat`; `SignificantBits` takes them out of the words,
the *container*, and puts them back.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lutgen.errors import InputError

__all__ = ["EIGHT_BIT", "SampleFormat", "SignificantBits"]


@dataclass(frozen=True)
class SampleFormat:
    """Range of an image's samples, samples per pixel, and the error that a codec may make.

    With ``near`` 0 a codec is lossless.  Otherwise sample x is coded as its index
    ``(x + near) // (2 near + 1)`` and restored as the middle of the samples of that index, at most
    ``near`` away from each of them; the quantiser stands before the codec, in no loop.  It is that
    of JPEG-LS (ITU-T T.87, A.4.4) with the sample itself in place of the prediction error.

    Parameters
    ----------
    depth:
        Significant bits of a sample, 1 to 16.
    channels:
        Samples of a pixel, 1 to 4.
    near:
        Greatest error of a restored sample: 0 to half of ``maximum``, and at most 255.

    Raises
    ------
    InputError
        If a value is outside its range.
    """

    depth: int = 8
    channels: int = 1
    near: int = 0

    MAX_DEPTH: ClassVar[int] = 16
    MAX_CHANNELS: ClassVar[int] = 4
    #: As in JPEG-LS, and one byte of a file.
    MAX_NEAR: ClassVar[int] = 255

    def __post_init__(self) -> None:
        _check("bit depth", self.depth, 1, self.MAX_DEPTH)
        _check("number of channels", self.channels, 1, self.MAX_CHANNELS)
        most = min(self.MAX_NEAR, self.maximum // 2)
        _check(f"near of {self.depth}-bit samples", self.near, 0, most)

    @property
    def maximum(self) -> int:
        """Greatest sample."""
        return (1 << self.depth) - 1

    @property
    def dtype(self) -> np.dtype:
        """Type of an array of samples: uint8 up to 8 bits, uint16 above."""
        return np.dtype(np.uint8 if self.depth <= 8 else np.uint16)

    @property
    def step(self) -> int:
        """Samples that share an index."""
        return 2 * self.near + 1

    @property
    def levels(self) -> int:
        """Number of indices; lossless, of samples."""
        return (self.maximum + self.near) // self.step + 1

    def check(self, samples: np.ndarray) -> None:
        """InputError unless an array has the type of these samples and none above ``maximum``."""
        if samples.dtype != self.dtype:
            raise InputError(
                f"{self.depth}-bit samples must be {self.dtype}, not {samples.dtype}"
            )
        # A depth that fills its type bounds nothing.
        if self.depth < 8 * self.dtype.itemsize and samples.size:
            top = int(samples.max())
            if top > self.maximum:
                raise InputError(
                    f"{self.depth}-bit samples must be 0 to {self.maximum}, not {top}"
                )

    def quantise(self, samples: np.ndarray) -> np.ndarray:
        """Indices of samples: ``dtype``, the same shape, values 0 to ``levels - 1``."""
        self.check(samples)
        if not self.near:
            return samples
        return ((samples.astype(np.uint32) + self.near) // self.step).astype(self.dtype)

    def restore(self, indices: np.ndarray) -> np.ndarray:
        """Samples of indices: ``dtype``, the same shape, each within ``near`` of what it was.

        Raises
        ------
        InputError
            If an index is not one of ``levels``.
        """
        if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < self.levels:
            bad = indices[(indices < 0) | (indices >= self.levels)]
            raise InputError(f"indices must be 0 to {self.levels - 1}, not {int(bad[0])}")
        wide = indices.astype(np.uint32) * self.step
        return np.minimum(wide, self.maximum).astype(self.dtype)


@dataclass(frozen=True)
class SignificantBits:
    """Where the significant bits of an array's samples lie.

    Parameters
    ----------
    depth:
        Significant bits of a sample, 1 to 16.
    shift:
        Zero bits below them; ``depth + shift`` is 1 to 16.

    Raises
    ------
    InputError
        If a value is outside its range.
    """

    depth: int
    shift: int = 0

    def __post_init__(self) -> None:
        most = SampleFormat.MAX_DEPTH
        _check("bit depth", self.depth, 1, most)
        _check(f"shift of {self.depth}-bit samples", self.shift, 0, most - self.depth)

    @classmethod
    def of(cls, array: np.ndarray, declared: int | None = None) -> "SignificantBits":
        """Bits that the samples of an array use.

        Of uint8 they are the declared ones.  Of uint16 the highest is that of the greatest sample,
        unless fewer than 16 bits are declared, and those at the lower end that all samples have as
        zero are not significant; but no depth is below 8, and all is said of a container above 8.

        Parameters
        ----------
        array:
            uint8 or uint16, of any shape.
        declared:
            Bits that the file says its samples have, all of the container unless given; not
            8 or fewer of uint16.
        """
        container = 8 * array.dtype.itemsize
        declared = container if declared is None else declared
        if container == 8:
            return cls(declared)
        used = int(np.bitwise_or.reduce(array, axis=None))
        top = declared if declared < container else max(9, used.bit_length())
        zeros = (used & -used).bit_length() - 1 if used else 0
        shift = min(zeros, top - 8)
        return cls(top - shift, shift)

    @property
    def top(self) -> int:
        """Bits of a container that hold the samples: PGM calls ``2 ** top - 1`` its maxval."""
        return self.depth + self.shift

    @property
    def dtype(self) -> np.dtype:
        """Type of the container: uint8 for ``top`` up to 8, uint16 above."""
        return SampleFormat(self.top).dtype

    def extract(self, array: np.ndarray) -> np.ndarray:
        """Samples of a container: type of ``SampleFormat(depth)``, the same shape."""
        return (array >> self.shift).astype(SampleFormat(self.depth).dtype, copy=False)

    def place(self, samples: np.ndarray) -> np.ndarray:
        """The container, of type ``dtype``, that `extract` gave these samples of."""
        return samples.astype(self.dtype, copy=False) << self.shift


def _check(name: str, value: int, least: int, most: int) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        raise InputError(f"{name} must be {least} to {most}, not {value!r}")


#: Samples of the profiles ``raster-table`` and ``gic-dlc``.
EIGHT_BIT = SampleFormat()
