"""Parameters of the cores of profile ``predictive``."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from amaranth.lib.data import StructLayout

from lutgen.codec.predictive.container import GROUP, MAX_SIDE, SLABS, least_columns
from lutgen.errors import InputError
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.samples import SampleFormat

from ..fabric.fabric import FABRICS, Fabric
from ..files.raster import pixel_layout
from ..strips.slabs import widest_slab
from .pixel_order import orders
from .planes import Planes
from .walk import PRIMING

__all__ = ["PredictiveConfig"]

_MOST_WIDTH = 16384
_MOST_LANES = 32
#: Rows of a strip of several slabs unless told, and strips whose numbers cores count.
_STRIP_OF_SLABS, _MOST_STRIPS = 64, 1 << 16
#: Bits of a beat of samples at most.
_MOST_VIDEO_BITS = 64
#: Periods from the beginning of a group of rows to that of the next in its strip, at least.
_STAGGER = 17


@dataclass(frozen=True)
class PredictiveConfig:
    """An encoder or decoder core of profile ``predictive``.

    Parameters
    ----------
    model:
        The codec model: of gray images, of colour, which makes cores for RGB, or of colour filter
        arrays.
    depth:
        Bits of a sample, 8 to 16.
    max_width, max_height:
        Largest picture in pixels: widths of 8 to 16,384, heights of 8 to 65,535; even ones of
        colour filter arrays.
    strip_height:
        Rows of a strip that the encoder writes: a multiple of four; None makes one strip of a
        picture.  The decoder takes what a file has.
    lanes, encoder_lanes:
        Groups of rows that the decoder and the encoder have under way: 15 and 8 at least, 32 at
        most.
    fabric:
        What the core will be mapped to, a name in `fabric.FABRICS`.
    max_near:
        Greatest near of a file, the error of its samples: 0, where all are lossless, to 255 and to
        half of the greatest sample.
    cores:
        Cores side by side, each for a slab of every image: 1, 2, 4 or 8.  Several have strips of
        64 rows unless told, of which they hold one for each slab, and decode files of strips that
        are no higher.

    Raises
    ------
    InputError
        If a parameter is outside its range.
    """

    #: Levels, which models of this profile do not have.
    levels: ClassVar[int] = 0
    #: Whether files have strips, and not tiles.
    strips: ClassVar[bool] = True

    model: PredictiveModel | ColourModel = field(repr=False)
    depth: int = 8
    max_width: int = 1920
    max_height: int = 1080
    strip_height: int | None = None
    lanes: int = 16
    encoder_lanes: int = 8
    fabric: str = "lut6"
    max_near: int = 0
    cores: int = 1

    def __post_init__(self) -> None:
        if self.fabric not in FABRICS:
            raise InputError(f"fabric must be one of {', '.join(FABRICS)}, not {self.fabric!r}")
        if isinstance(self.model, PredictiveModel) and self.model.references:
            raise InputError(
                "model must be of gray images, not of a plane that knows others before it"
            )
        for name, value, least, most in (
            ("bit depth", self.depth, 8, 16),
            ("max width", self.max_width, 8, _MOST_WIDTH),
            ("max height", self.max_height, 8, MAX_SIDE),
            ("lanes", self.lanes, 15, _MOST_LANES),
            ("encoder lanes", self.encoder_lanes, 8, _MOST_LANES),
            ("near", self.max_near, 0, SampleFormat.MAX_NEAR),
        ):
            if type(value) is not int or not least <= value <= most:
                raise InputError(f"{name} must be {least} to {most}, not {value!r}")
        SampleFormat(self.depth, near=self.max_near)
        strip = self.strip_height
        if strip is not None and (type(strip) is not int or strip < 1 or strip % GROUP):
            raise InputError(f"strip height must be a multiple of {GROUP}, not {strip!r}")
        odd = [f"{name} must be even of a colour filter array, not {value}" for name, value in (
            ("max width", self.max_width), ("max height", self.max_height),
        ) if self.planes.mosaic and value % 2]  # fmt: skip
        if odd:
            raise InputError(odd[0])
        self._check_cores()

    def _check_cores(self) -> None:
        if self.cores not in SLABS:
            raise InputError(f"cores must be 1, 2, 4 or 8, not {self.cores!r}")
        if self.cores == 1:
            return
        if self.cores * self.pixel_bits > _MOST_VIDEO_BITS:
            what = "RGB" if self.planes.components > 1 else "samples"
            raise InputError(
                f"cores must be at most {_MOST_VIDEO_BITS // self.pixel_bits} for {what} of "
                f"{self.depth} bits, not {self.cores}: beats have {_MOST_VIDEO_BITS} bits at most"
            )
        if self.max_width < self.least_width:
            raise InputError(
                f"max width must be at least {self.least_width} for {self.cores} cores, "
                f"not {self.max_width}"
            )
        if self.strip_height is None:
            object.__setattr__(self, "strip_height", _STRIP_OF_SLABS)
        least = -(-self.max_height * self.cores // (GROUP * _MOST_STRIPS)) * GROUP
        if self.rows_of_strip < least:
            raise InputError(
                f"strip height must be at least {least} for {self.cores} cores and images of "
                f"{self.max_height} rows, not {self.strip_height}"
            )

    @cached_property
    def planes(self) -> Planes:
        """Planes of an image."""
        return Planes.of(self.model)

    @property
    def max_order(self) -> int:
        """Greatest number of an order of planes; 0 of gray, which has none."""
        return orders(self.planes) - 1 if self.planes.count > 1 else 0

    @property
    def cells(self) -> Fabric:
        """The cells of the fabric."""
        return FABRICS[self.fabric]

    @property
    def model_hash(self) -> bytes:
        """The model's hash as files carry it."""
        return bytes.fromhex(self.model.hash)[:8]

    @property
    def pixel_bits(self) -> int:
        """Bits of a pixel on a stream: whole bytes, as AMD's UG934 wants them.

        Components of colour are packed without gaps; zeros above them make whole bytes.
        """
        return -(-self.packed_bits // 8) * 8

    @property
    def packed_bits(self) -> int:
        """Bits of a pixel's components, without zeros above them."""
        return self.depth * self.planes.components

    @property
    def pixel_dtype(self) -> np.dtype:
        """Type of arrays of pixels, those of colour packed as on a stream."""
        if self.planes.components > 1:
            return np.dtype(np.int64)
        return SampleFormat(self.depth).dtype

    @property
    def pixel(self) -> StructLayout:
        """A pixel on a stream within the core."""
        return pixel_layout(self.packed_bits)

    @property
    def least_width(self) -> int:
        """Columns that an image must have at least, so that no slab is empty."""
        return self.planes.square * least_columns(self.cores)

    @property
    def slab_columns(self) -> int:
        """Columns of a plane of the widest slab; of one core those of an image."""
        return widest_slab(self.planes.columns(self.max_width), self.cores)

    @property
    def slab_width(self) -> int:
        """Pixels of a row of the widest slab."""
        return self.planes.square * self.slab_columns

    @property
    def strip_groups(self) -> int:
        """Groups of rows of planes that a strip has at most."""
        lines = self.planes.lines(self.rows_of_strip)
        return -(-lines * self.planes.count // GROUP)

    @property
    def rows_of_strip(self) -> int:
        """Rows of a strip that is not the last one; without a strip height those of an image."""
        return self.strip_height or self.max_height

    @property
    def strip_bytes(self) -> int:
        """Bytes that a strip of the widest slab has at most, without its lengths."""
        return self.strip_groups * -(-GROUP * self.slab_columns * self.depth // 8)

    @property
    def of_encoder(self) -> dict:
        """Parameters of a `PredictiveEncoder`, but for its ports."""
        return self._shared | {
            "lanes": self.encoder_lanes, "strip_height": self.strip_height,
            "max_width": self.slab_width,
        }  # fmt: skip

    @property
    def of_decoder(self) -> dict:
        """Parameters of a `PredictiveDecoder`, but for its ports."""
        strips = {"max_strip_height": self.strip_height} if self.cores > 1 else {}
        return self._shared | {"lanes": self.lanes, **strips}

    @property
    def _shared(self) -> dict:
        return {
            "model": self.model, "depth": self.depth, "max_width": self.max_width,
            "max_height": self.max_height, "fabric": self.cells, "max_near": self.max_near,
            **({"slabs": self.cores} if self.cores > 1 else {}),
        }  # fmt: skip

    @staticmethod
    def period(lanes: int) -> int:
        """Clocks in which each row of so many lanes has its turn."""
        return GROUP * lanes

    def clocks_per_sample(self, width: int, lanes: int) -> float:
        """Clocks that a sample takes in a stream of pictures of that width."""
        columns = self.planes.columns(width)
        slab = widest_slab(columns, self.cores)
        return max(_STAGGER * lanes, slab + PRIMING) / columns

    def narrowest(self, lanes: int) -> int:
        """Width in columns from which on all lanes are busy."""
        return self.cores * (_STAGGER * lanes - PRIMING)
