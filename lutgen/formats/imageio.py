"""Gray images in and out: PNG, PGM, npy, npz and IDX, 8 bits per pixel.

The codec is lossless for 8-bit gray and for nothing else, so every other image is refused with the
reason and the way out, never converted.  All commands read by these functions.  The format of a
file is told by its content when it is read, by its ending when it is written; ``-`` is standard
input or output.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lutgen.files.pictures import GRAY_ENDINGS, picture_files
from lutgen.files.whole import STANDARD, read_file, write_file
from lutgen.formats import netpbm
from lutgen.formats.arrays import NPY_MAGIC, npy_bytes, read_npy
from lutgen.formats.png import MAGIC as PNG_MAGIC
from lutgen.formats.png import header_of, png_bytes, read_png
from lutgen.formats.rules import PICTURE_KINDS, ImageError, foreign_kind

__all__ = [
    "ENDINGS", "ImageError", "by_shape", "image_format", "png_bytes",
    "read_image", "read_images", "read_stack", "write_image",
]  # fmt: skip

#: Format of each file name ending that is written.
ENDINGS = {".png": "png", ".pgm": "pgm", ".npy": "npy"}

_CONVERT = (
    "convert it to 8-bit gray first, e.g. with ImageMagick: "
    "magick INPUT -colorspace Gray -depth 8 -define png:color-type=0 OUTPUT.png"
)
_GRAY = (0,)


def image_format(path) -> str:
    """Format ``png``, ``pgm`` or ``npy`` by the ending of a file name.

    Raises
    ------
    ImageError
        If the name has another ending.
    """
    try:
        return ENDINGS[Path(path).suffix.lower()]
    except KeyError:
        raise ImageError(
            f"{path}: image file name must end in {', '.join(ENDINGS)}, "
            f"not in {Path(path).suffix!r}"
        ) from None


def read_image(path) -> np.ndarray:
    """Read one image.

    Returns
    -------
    numpy.ndarray
        uint8, shape (H, W), sides of 1 to 16384 pixels.

    Raises
    ------
    ImageError
        If the file is damaged, not 8-bit gray, or holds several images.
    OSError
        If it cannot be read.
    """
    images = _read(path)
    if len(images) != 1:
        raise ImageError(f"{path}: file must hold one image here, not {len(images)}")
    return images[0]


def read_images(path) -> list[np.ndarray]:
    """Read all images of a file or folder, each uint8 of shape (H, W); sizes may differ.

    A folder gives its PNG and PGM files sorted by name, hidden ones left out; an npy file of shape
    (N, H, W) gives N images.

    Raises
    ------
    ImageError, OSError
        See `read_image`; also if a folder has no images.
    """
    if not os.path.isdir(path):
        return list(_read(path))
    files = picture_files(path, GRAY_ENDINGS)
    if not files:
        raise ImageError(f"{path}: folder must have PNG or PGM files in it, not none")
    return [read_image(file) for file in files]


def read_stack(paths: Iterable) -> np.ndarray:
    """Read files and folders of images of one size into one array.

    Returns
    -------
    numpy.ndarray
        uint8, shape (N, H, W).

    Raises
    ------
    ImageError, OSError
        See `read_images`; also if the sizes differ.
    """
    images: list[np.ndarray] = []
    for path in paths:
        for image in read_images(path):
            if images and image.shape != images[0].shape:
                raise ImageError(
                    f"{path}: images of one file must have one size, "
                    f"{_size(images[0].shape)} like the first, not {_size(image.shape)}; "
                    "encode each size into a file of its own"
                )
            images.append(image)
    if not images:
        raise ImageError("images must be at least one, not none")
    return np.stack(images)


def by_shape(images: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Stacks, shape (N, H, W), of images of equal shapes, in the order of first appearance."""
    stacks: dict[tuple[int, ...], list[np.ndarray]] = {}
    for image in images:
        stacks.setdefault(image.shape, []).append(image)
    return [np.stack(stack) for stack in stacks.values()]


def write_image(path, array: np.ndarray, *, form: str | None = None) -> None:
    """Write uint8 (H, W), or to npy also (N, H, W), whole or not at all.

    The format is ``form``, one of those of `ENDINGS`, or that of the name's ending.

    Raises
    ------
    ImageError
        If the array is not 8-bit gray, or the name's ending is of no known format.
    OSError
        If the file cannot be written.
    """
    form = form or image_format(path)
    array = np.asarray(array)
    dims = (2, 3) if form == "npy" else (2,)
    if array.dtype != np.uint8 or array.ndim not in dims or not array.size:
        raise ImageError(
            f"{path}: image must be uint8 of shape (H, W){' or (N, H, W)' * (3 in dims)} with at "
            f"least one pixel, not {array.dtype} of shape {array.shape}"
        )
    encode = {"png": png_bytes, "pgm": netpbm.netpbm_bytes, "npy": npy_bytes}[form]
    write_file(path, encode(np.ascontiguousarray(array)))


def _size(shape) -> str:
    """Width x height, as people say it; arrays have them the other way round."""
    return f"{shape[-1]} x {shape[-2]}"


def _read(path) -> np.ndarray:
    """uint8, shape (N, H, W)."""
    if os.fspath(path) != STANDARD and os.path.isdir(path):
        raise ImageError(f"{path}: image must be a file, not a folder")
    data = read_file(path)
    if not data:
        raise ImageError(f"{path}: image file must not be empty")
    if data.startswith(PNG_MAGIC):
        return _read_png(path, data)[None]
    if data[:2] in (b"P2", b"P5"):
        return netpbm.read_netpbm(path, data, _CONVERT)[None]
    if data.startswith(NPY_MAGIC):
        return read_npy(path, data)
    kind = foreign_kind(data)
    if kind:
        hint = f"; {_CONVERT}" if kind in PICTURE_KINDS else ""
        raise ImageError(f"{path}: image must be PNG, PGM or npy, not {kind}{hint}")
    raise ImageError(
        f"{path}: image must be PNG, PGM or npy, not a file that begins {data[:8]!r}"
    )


def _read_png(path, data: bytes) -> np.ndarray:
    width, height, exif = header_of(path, data, _GRAY, "8-bit gray", _CONVERT)
    if exif:
        from lutgen.formats.colour import orientation

        if (turn := orientation(exif)) != 1:
            raise ImageError(
                f"{path}: Exif orientation of a gray PNG must be 1 (upright), not {turn}, which "
                "the codec would lose; turn it first, e.g. with ImageMagick: "
                "magick INPUT -auto-orient OUTPUT.png"
            )
    return read_png(path, data, width, height)
