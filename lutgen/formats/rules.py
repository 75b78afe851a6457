"""What every reader of image files keeps to: its error, sizes, and the kinds that it names."""

import numpy as np

from lutgen.errors import InputError
from lutgen.model.header import MAGIC
from lutgen.model.tile import MAX_IMAGE_SIDE

__all__ = ["PICTURE_KINDS", "ImageError", "check_sides", "check_stack", "foreign_kind"]

_FOREIGN = {
    b"\xff\xd8": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
    b"RIFF": "WebP", MAGIC: "lutgen bitstream", b"LUTGEN": "lutgen archive", b"PK": "zip or npz",
    b"P1": "PBM", b"P4": "PBM", b"P3": "PPM", b"P6": "PPM", b"\x93NUMPY": "npy",
    b"\x89PNG": "PNG", b"\0\5\x16\7": "AppleDouble (macOS's notes on another file)",
}  # fmt: skip
#: Kinds above that a converter of pictures reads.
PICTURE_KINDS = ("JPEG", "GIF", "BMP", "TIFF", "WebP", "PBM", "PPM", "PNG")
#: Last axes of an array that are channels of colour or gray to whoever saved it.
_CHANNELS = range(1, 5)


class ImageError(InputError):
    """An image file that is damaged, or of a kind that is not taken."""


def foreign_kind(data: bytes) -> str | None:
    """Name of the kind of a file by its first bytes, None if it is not known."""
    return next((name for magic, name in _FOREIGN.items() if data.startswith(magic)), None)


def check_sides(path, width: int, height: int) -> None:
    """ImageError unless both sides are 1 to 16384 pixels."""
    for name, side in (("width", width), ("height", height)):
        if not 1 <= side <= MAX_IMAGE_SIDE:
            raise ImageError(
                f"{path}: image {name} must be 1 to {MAX_IMAGE_SIDE} pixels, not {side}"
            )


def check_stack(path, kind: str, dtype, shape: tuple[int, ...]) -> int:
    """Number of gray images in an array of this type and shape.

    Three dimensions are (N, H, W).  One picture with its channels last, (H, W, 3), has three, too;
    so a last axis of 1 to 4 is refused.

    Raises
    ------
    ImageError
        If the array is not uint8 of shape (H, W) or (N, H, W), or has sides out of range.
    """
    if dtype != np.uint8 or len(shape) not in (2, 3):
        raise ImageError(
            f"{path}: {kind} must hold uint8 of shape (H, W) or (N, H, W), "
            f"not {dtype} of shape {shape}"
        )
    if len(shape) == 3 and shape[2] in _CHANNELS:
        raise ImageError(
            f"{path}: {kind} of shape (N, H, W) must have W of at least {_CHANNELS.stop}, not "
            f"{shape}, which reads as one picture of {shape[2]} channels: store gray without a "
            "channel axis, and pictures as narrow as this one by one"
        )
    check_sides(path, shape[-1], shape[-2])
    count = shape[0] if len(shape) == 3 else 1
    if count < 1:
        raise ImageError(f"{path}: {kind} must hold at least one image, not {count}")
    return count
