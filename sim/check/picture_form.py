"""What a picture of a build is: gray, RGB, or a colour filter array; and how its file is coded.

Pictures are arrays (H, W) of what the beats of a stream hold: a sample each, or of RGB the packed
components of a pixel (`lutgen.gateware.streams.beats.packed_pixels`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from math import gcd
from typing import NamedTuple

import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import least_columns
from lutgen.errors import InputError
from lutgen.gateware.predictive.pixel_order import orders
from lutgen.gateware.predictive.planes import Planes
from lutgen.gateware.streams.beats import components_of, packed_pixels
from lutgen.model.cfa import CFAS
from lutgen.model.samples import SampleFormat

__all__ = ["Coding", "PictureForm"]


class Coding(NamedTuple):
    """How a picture is coded.

    Members
    -------
    near : greatest error of its samples
    order : number of the order of its planes, or of a colour filter array's pattern; 0 of gray
    """

    near: int = 0
    order: int = 0


@dataclass(frozen=True)
class PictureForm:
    """The pictures that a build is for.

    Parameters
    ----------
    planes :
        Planes of a picture.
    depth :
        Bits of a sample.
    slabs :
        Slabs that it is cut into.
    """

    planes: Planes
    depth: int
    slabs: int = 1

    @property
    def components(self) -> int:
        """Samples of a pixel."""
        return self.planes.components

    @property
    def square(self) -> int:
        """Pixels of a side that belong together: sides are multiples of it."""
        return self.planes.square

    @property
    def orders(self) -> int:
        """Orders of planes, or patterns; 1 of gray."""
        return orders(self.planes) if self.planes.count > 1 else 1

    @property
    def sample_dtype(self) -> np.dtype:
        """Type of samples."""
        return np.dtype(SampleFormat(self.depth).dtype)

    @property
    def dtype(self) -> np.dtype:
        """Type of pictures."""
        return self.sample_dtype if self.components == 1 else np.dtype(np.int64)

    def packed(self, samples: np.ndarray) -> np.ndarray:
        """Pictures of samples: (..., 3) of RGB, otherwise pictures already."""
        return samples if self.components == 1 else packed_pixels(samples, self.depth)

    def samples(self, picture: np.ndarray) -> np.ndarray:
        """The samples of pictures, the inverse of `packed`."""
        if self.components == 1:
            return picture
        return components_of(picture, self.depth).astype(self.sample_dtype)

    def taken(self, name: str, image: np.ndarray) -> np.ndarray:
        """An image that a user gives as a picture; RGB of shape (H, W, 3), or packed.

        Raises
        ------
        InputError
            If it is no such image.
        """
        if self.square > 1 and any(side % self.square for side in image.shape):
            raise InputError(
                f"image {name!r} must have even sides, as a colour filter array has, "
                f"not {' x '.join(map(str, image.shape[1::-1]))}"
            )
        if self.components == 1 or (image.dtype == self.dtype and image.ndim == 2):
            return image
        if image.dtype != self.sample_dtype or image.shape[2:] != (self.components,):
            raise InputError(
                f"image {name!r} must be RGB, {self.sample_dtype} of shape (H, W, 3), "
                f"not {image.dtype} of shape {image.shape}"
            )
        return self.packed(image)

    # Sides.

    def whole(self, side: int) -> int:
        """A side, or the next one that is allowed."""
        return -(-side // self.square) * self.square

    @property
    def least_width(self) -> int:
        """Columns of a picture at least: none of its slabs is empty."""
        return self.square * least_columns(self.slabs)

    def whole_width(self, side: int) -> int:
        """A width, or the next one that is allowed."""
        return max(self.whole(side), self.least_width)

    def even_width(self, side: int, most: int) -> int:
        """The next width, up to the most if there is one, of which no slab is wider than the first.
        """
        first, last = (n // self.square for n in (self.whole_width(side), most))
        columns = (*range(first, last + 1), *range(first, 0, -1))
        return self.square * next(n for n in columns if -(-n // self.slabs) % self.slabs == 0)

    def rows(self, height: int) -> int:
        """Rows of planes of so many rows of pixels."""
        return self.planes.lines(height) * self.planes.count

    def height_of(self, rows: int) -> int:
        """Rows of pixels that so many rows of planes are of, the last ones perhaps in part."""
        return -(-rows // self.planes.count) * self.square

    def row_of(self, row: int) -> int:
        """First row of pixels that a row of planes is of."""
        return row // self.planes.count * self.square

    # Files.

    def file(
        self, codec: PredictiveCodec, picture: np.ndarray, strip_height: int,
        coding: Coding, shift: int = 0,
    ) -> bytes:  # fmt: skip
        """The reference's file; the near is of samples without the zero bits below them."""
        samples = self.samples(picture)
        if shift:
            samples = samples.astype(np.uint16) << shift
        return codec.encode(
            samples, depth=self.depth, shift=shift, near=coding.near << shift, tile_width=0,
            strip_height=strip_height, slabs=self.slabs, **self.options(coding.order),
        )  # fmt: skip

    def options(self, order: int) -> dict:
        """What `PredictiveCodec.encode` is told of the planes."""
        if self.planes.mosaic:
            return {"cfa": CFAS[order]}
        if self.components > 1:
            return {"order": order, "channels": self.components}
        return {}

    def decoded(self, picture: np.ndarray, near: int) -> np.ndarray:
        """A picture as it comes out of its file: no sample is further off than the near."""
        form = SampleFormat(self.depth, near=near)
        return self.packed(form.restore(form.quantise(self.samples(picture))))

    def order_of(self, shape: tuple[int, ...]) -> int:
        """An order for pictures of a size: sizes have them in turns."""
        height, width = (side // self.square for side in shape[-2:])
        return (height + width) % self.orders

    def codings(self, nears: tuple[int, ...]) -> Iterator[Coding]:
        """Codings in turn, without an end: each one has another near, and another order."""
        both = len(nears) * self.orders
        often = gcd(len(nears), self.orders)
        return cycle([
            Coding(nears[k % len(nears)], (k + k * often // both) % self.orders)
            for k in range(both)
        ])
