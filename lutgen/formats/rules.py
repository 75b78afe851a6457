"""What every reader of image files keeps to: its error, limits, and the kinds that it names."""

from dataclasses import dataclass, replace

import numpy as np

from lutgen.errors import InputError
from lutgen.model.header import MAGIC
from lutgen.model.samples import SampleFormat
from lutgen.model.tile import MAX_IMAGE_SIDE

__all__ = [
    "COLOUR_8", "DEEP_COLOUR", "DEEP_GRAY", "GRAY_8", "PICTURE_KINDS", "GrayLimits", "ImageError",
    "channels_of", "check_channels", "check_sides", "check_stack", "foreign_kind", "limits_of",
    "stack_shape",
]  # fmt: skip

_FOREIGN = {
    b"\xff\xd8": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
    b"II+\0": "TIFF", b"MM\0+": "TIFF",
    b"RIFF": "WebP", MAGIC: "lutgen bitstream", b"LUTGEN": "lutgen archive", b"PK": "zip or npz",
    b"P1": "PBM", b"P4": "PBM", b"P3": "PPM", b"P6": "PPM", b"\x93NUMPY": "npy",
    b"\x89PNG": "PNG", b"\0\5\x16\7": "AppleDouble (macOS's notes on another file)",
}  # fmt: skip
#: Kinds above that a converter of pictures reads.
PICTURE_KINDS = ("JPEG", "GIF", "BMP", "TIFF", "WebP", "PBM", "PPM", "PNG")
#: Last axes of an array that are channels of colour or gray to whoever saved it.
_CHANNELS = range(1, 5)
#: What so many samples of a pixel are, and what ImageMagick is told to write them.
_KINDS = {
    1: ("gray", ""), 2: ("gray with alpha", "-define png:color-type=4 "), 3: ("RGB", "PNG24:"),
    4: ("RGBA", "PNG32:"),
}  # fmt: skip


class ImageError(InputError):
    """An image file that is damaged, or of a kind that is not taken."""


@dataclass(frozen=True)
class GrayLimits:
    """Which images a codec takes, and so its readers; all others are refused.

    Parameters
    ----------
    depth:
        Most bits of a sample: 8, of a greatest value of 255 and no other, or 16, of any.
    side:
        Most pixels of a side.
    channels:
        Most samples of a pixel: 1, gray alone, or 4, also gray with alpha, RGB and RGBA.
    fewest:
        Fewest samples of a pixel: 1, or as many as ``channels``, no other kind than that.
    cfas:
        Patterns of colour filter arrays that are taken as samples where a file names its pattern,
        as DNG does; of `lutgen.model.cfa.CFAS`.
    """

    depth: int = 8
    side: int = MAX_IMAGE_SIDE
    channels: int = 1
    fewest: int = 1
    cfas: tuple[str, ...] = ()

    @property
    def dtypes(self) -> tuple[np.dtype, ...]:
        """Types of arrays of samples."""
        return tuple({SampleFormat(depth).dtype: None for depth in (8, self.depth)})

    @property
    def wanted(self) -> str:
        """What a picture must be."""
        kinds = _KINDS[self.channels][0] if self.fewest == self.channels else "gray, RGB or RGBA"
        return f"8-bit {kinds}" if self.depth == 8 else f"{kinds} of 8 or {self.depth} bits"

    def way_out(self, *, deeper: bool = False) -> str:
        """What to do with a picture that is refused; ``deeper``, for its depth alone."""
        if self.channels > 1:
            depth = "-depth 8 " if self.depth == 8 else ""
            kind = _KINDS[self.channels][1]
            return f"convert it first, e.g. with ImageMagick: magick INPUT {depth}{kind}OUTPUT.png"
        take, bits = "", ""
        if self.depth == 8:
            bits = "8-bit "
            if deeper:
                take = f"take a model of profile predictive, which codes up to {_MOST} bits, or "
        depth = "-depth 8 " if bits else ""
        return (
            f"{take}convert it to {bits}gray first, e.g. with ImageMagick: magick INPUT "
            f"-colorspace Gray {depth}-define png:color-type=0 OUTPUT.png"
        )


_MOST = SampleFormat.MAX_DEPTH
#: Of the profiles ``raster-table`` and ``gic-dlc``, and of the latter's trainer.
GRAY_8 = GrayLimits()
COLOUR_8 = GrayLimits(channels=SampleFormat.MAX_CHANNELS)
#: Of the profile ``predictive``, and of its models of colour.
DEEP_GRAY = GrayLimits(_MOST, side=65535)
DEEP_COLOUR = GrayLimits(_MOST, side=65535, channels=SampleFormat.MAX_CHANNELS)


def limits_of(model) -> GrayLimits:
    """Which images the codec of a model takes."""
    from lutgen.model.model import Model  # readers alone need no compiler
    from lutgen.model.predictive.colour import ColourModel

    if isinstance(model, Model):
        return replace(GRAY_8, channels=model.channels, fewest=model.channels)
    return DEEP_COLOUR if isinstance(model, ColourModel) else DEEP_GRAY


def foreign_kind(data: bytes) -> str | None:
    """Name of the kind of a file by its first bytes, None if it is not known."""
    return next((name for magic, name in _FOREIGN.items() if data.startswith(magic)), None)


def check_sides(path, width: int, height: int, most: int = MAX_IMAGE_SIDE) -> None:
    """ImageError unless both sides are 1 to ``most`` pixels."""
    for name, side in (("width", width), ("height", height)):
        if not 1 <= side <= most:
            raise ImageError(f"{path}: image {name} must be 1 to {most} pixels, not {side}")


def check_channels(path, kind: str, channels: int, limits: GrayLimits) -> None:
    """ImageError if pixels of so many samples are not what the limits take."""
    if not limits.fewest <= channels <= limits.channels:
        found = _KINDS[channels][0] if channels in _KINDS else f"of {channels} channels"
        raise ImageError(
            f"{path}: {kind} must be {limits.wanted}, not {found}; {limits.way_out()}"
        )


def check_stack(
    path, kind: str, dtype, shape: tuple[int, ...], limits: GrayLimits = GRAY_8
) -> int:
    """Number of images in an array of this type and shape, see `stack_shape`."""
    return stack_shape(path, kind, dtype, shape, limits)[0]


def channels_of(shape: tuple[int, ...], limits: GrayLimits) -> int:
    """Samples of a pixel of the image or images of an array of this shape.

    With limits that take colour a last axis of 2 to 4 of three or more is that of channels.
    """
    found = shape[-1] if len(shape) in (3, 4) else 1
    return found if 2 <= found <= limits.channels else 1


def stack_shape(
    path, kind: str, dtype, shape: tuple[int, ...], limits: GrayLimits = GRAY_8
) -> tuple[int, ...]:
    """Shape (N, H, W), or (N, H, W, C) of colour, of the images of an array of this type and shape.

    Three dimensions are (N, H, W).  One picture with its channels last, (H, W, 3), has three, too;
    so a last axis of 1 to 4 is never taken for a width: it is refused, or, where limits take
    colour, a last axis of 2 to 4 is that of channels.

    Raises
    ------
    ImageError
        If the array is not uint8, or with limits of 16 bits uint16, of shape (H, W) or (N, H, W),
        or has sides out of range.
    """
    native = dtype.newbyteorder("=")
    if native in limits.dtypes and channels_of(shape, limits) > 1:
        stack = shape if len(shape) == 4 else (1, *shape)
        check_channels(path, kind, shape[-1], limits)
        check_sides(path, stack[2], stack[1], limits.side)
        if stack[0] < 1:
            raise ImageError(f"{path}: {kind} must hold at least one image, not {stack[0]}")
        return stack
    if native not in limits.dtypes or len(shape) not in (2, 3):
        kinds = " or ".join(map(str, limits.dtypes))
        deeper = native == np.uint16 and len(shape) in (2, 3)
        raise ImageError(
            f"{path}: {kind} must hold {kinds} of shape (H, W) or (N, H, W)"
            f"{', or of colour (H, W, C) or (N, H, W, C)' * (limits.channels > 1)}, "
            f"not {native} of shape {shape}"
            + (f"; {limits.way_out(deeper=True)}" if deeper else "")
        )
    check_channels(path, kind, 1, limits)
    if len(shape) == 3 and shape[2] in _CHANNELS:
        raise ImageError(
            f"{path}: {kind} of shape (N, H, W) must have W of at least {_CHANNELS.stop}, not "
            f"{shape}, which reads as one picture of {shape[2]} channels: store gray without a "
            "channel axis, and pictures as narrow as this one by one"
        )
    check_sides(path, shape[-1], shape[-2], limits.side)
    count = shape[0] if len(shape) == 3 else 1
    if count < 1:
        raise ImageError(f"{path}: {kind} must hold at least one image, not {count}")
    return count, *shape[-2:]
