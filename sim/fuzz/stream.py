"""What the two kinds of files have in common for whoever damages them and judges decoders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lutgen.sim.check.checked import CheckedBuild
from lutgen.sim.check.judge_pictures import parts_of

__all__ = ["Expected", "Files", "Frame", "GoodFile", "Span"]

#: First byte and the one behind the last.
Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class GoodFile:
    """A file that must decode.

    Members
    -------
    data : its bytes
    images : what it decodes to, shape (N, H, W)
    fields : spans of the header's fields that a file may have otherwise, and of the others
    lengths, payloads, checks : spans of lengths, of payloads, of checksums and the index
    units : spans of what can be exchanged: strips or packets
    """

    data: bytes
    images: np.ndarray
    fields: tuple[Span, ...]
    lengths: tuple[Span, ...]
    payloads: tuple[Span, ...]
    checks: tuple[Span, ...]
    units: tuple[Span, ...]


@dataclass(eq=False)
class Frame:
    """A frame that must come: its samples (H, W), and which of them are known."""

    samples: np.ndarray
    known: np.ndarray


@dataclass(eq=False)
class Expected:
    """What must become of a stream of bytes.

    Members
    -------
    frames : in their order
    errors : names of the error bits that must be set, and how often at least
    perhaps : of those that may be, as what they stand for lies behind other damage
    sound : strips or tiles, of which a damaged file has some, that are right nevertheless
    """

    frames: list[Frame] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    perhaps: set[str] = field(default_factory=set)
    sound: int = 0


class Files(ABC):
    """Files of one build's decoder, good ones, and what it must make of bad ones.

    Parameters
    ----------
    build :
        The build.
    seed :
        Of the pictures.
    """

    #: Names of the decoder's error bits.
    errors: Sequence[str]
    #: Kinds of damage.
    kinds: Sequence[str]

    def __init__(self, build: CheckedBuild, seed: int) -> None:
        self.build, self.rng = build, np.random.default_rng(seed)
        self._images = [image for _, image in build.images(None, seed)]

    def picture(self, width: int, height: int, count: int = 1) -> np.ndarray:
        """Parts of what looks like the model's pictures, some of noise: (count, height, width)."""
        if self.rng.random() < 0.2:
            return self.noise(width, height, count)
        return parts_of(self._images, self.rng, width, height, count)

    def noise(self, width: int, height: int, count: int = 1) -> np.ndarray:
        """Any samples, or only the least and the greatest ones: (count, height, width)."""
        shape, levels = (count, height, width), 1 << self.build.depth
        if self.rng.random() < 0.3:
            return self.rng.integers(2, size=shape, dtype=self.build.dtype) * (levels - 1)
        return self.rng.integers(levels, size=shape, dtype=self.build.dtype)

    @property
    @abstractmethod
    def patience(self) -> int:
        """Clocks without a beat after which a decoder hangs."""

    @abstractmethod
    def good(self, width: int, highest: int) -> GoodFile:
        """A file of pictures of a width and some height up to this."""

    @abstractmethod
    def longest(self, width: int, height: int) -> GoodFile:
        """A file of noise."""

    @abstractmethod
    def encode(self, images: np.ndarray, near: int = 0) -> bytes:
        """The file that the build's encoder makes of images (N, H, W), with errors up to near."""

    @abstractmethod
    def read(self, data: bytes) -> Expected:
        """What the decoder must make of bytes, in the order in which they come."""

    @abstractmethod
    def software(self, data: bytes) -> np.ndarray | None:
        """What the codec makes of bytes, (N, H, W); None if it refuses them."""

    @abstractmethod
    def resealed(self, data: bytes, good: GoodFile) -> bytes:
        """The bytes with right checksums, of a file whose parts stand where they stood."""
