"""Images in and out: PNG, PGM, TIFF and npy, of 8 to 16 bits per sample; PPM and DNG in.

Gray, and where the codec takes it gray with alpha, RGB and RGBA.  `GrayLimits` say what the codec
takes; every other image is refused with the reason and the way out, never converted.  All commands
read by these functions.  The format of a file is told by its content when it is read, by its ending
when it is written; ``-`` is standard input or output.

`read_gray` gives images with what is known of their significant bits.  `read_image`, `read_images`
and `read_stack` give bare arrays, of 8-bit gray unless told otherwise.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lutgen.files.pictures import GRAY_ENDINGS, picture_files
from lutgen.files.whole import STANDARD, read_file, write_file
from lutgen.formats import dng, netpbm, tiff
from lutgen.formats.arrays import NPY_MAGIC, npy_bytes, read_npy
from lutgen.formats.png import MAGIC as PNG_MAGIC
from lutgen.formats.png import header_of, png_bytes, read_png
from lutgen.formats.rules import (
    COLOUR_8,
    DEEP_COLOUR,
    DEEP_GRAY,
    GRAY_8,
    PICTURE_KINDS,
    GrayLimits,
    ImageError,
    check_channels,
    check_sides,
    foreign_kind,
)
from lutgen.model.samples import SignificantBits

__all__ = [
    "COLOUR_8", "DEEP_COLOUR", "DEEP_GRAY", "ENDINGS", "GRAY_8", "GrayImage", "GrayLimits",
    "ImageError", "by_shape", "image_format", "png_bytes", "read_gray", "read_gray_stack",
    "read_image", "read_images", "read_stack", "write_image",
]  # fmt: skip

#: Format of each file name ending that is written.
ENDINGS = {".png": "png", ".pgm": "pgm", ".npy": "npy", ".tif": "tiff", ".tiff": "tiff"}

#: PNG's colour types: gray, and with limits that take colour, also gray with alpha, RGB and RGBA.
_GRAY, _COLOUR = (0,), (0, 2, 4, 6)


@dataclass(frozen=True, eq=False)
class GrayImage:
    """An image, or several of a size, as their files have it.

    Parameters
    ----------
    array:
        uint8 or uint16, shape (H, W), or (N, H, W) of several; of colour (H, W, C) or (N, H, W, C).
    bits:
        Which bits of the array are significant, by what the file says and by its pixels.
    cfa:
        Pattern of the colour filters, a name of `lutgen.model.cfa.CFAS`, if the file names it.
    """

    array: np.ndarray
    bits: SignificantBits
    cfa: str | None = None


def image_format(path) -> str:
    """Format ``png``, ``pgm``, ``tiff`` or ``npy`` by the ending of a file name.

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


def read_gray(path, limits: GrayLimits = DEEP_GRAY) -> list[GrayImage]:
    """Read all images of a file or folder; sizes and depths may differ.

    A folder gives its PNG, PGM and TIFF files, with limits that take them its DNG files, too,
    sorted by name, hidden ones left out; an npy file of
    shape (N, H, W) gives N images.

    Raises
    ------
    ImageError
        If a file is damaged, holds anything but gray within the limits, or, in a folder, several
        images, or if a folder has no images.
    OSError
        If it cannot be read.
    """
    if os.fspath(path) == STANDARD or not os.path.isdir(path):
        return _read(path, limits)
    files = picture_files(path, GRAY_ENDINGS + (".dng",) * bool(limits.cfas))
    if not files:
        kinds = "PNG, PGM, TIFF or DNG" if limits.cfas else "PNG, PGM or TIFF"
        raise ImageError(f"{path}: folder must have {kinds} files in it, not none")
    return [_single(file, _read(file, limits)) for file in files]


def read_image(path, limits: GrayLimits = GRAY_8) -> np.ndarray:
    """Read one image.

    Returns
    -------
    numpy.ndarray
        uint8 or, if the limits take it, uint16, shape (H, W).

    Raises
    ------
    ImageError, OSError
        See `read_gray`; also if the file holds several images, or is a folder.
    """
    if os.fspath(path) != STANDARD and os.path.isdir(path):
        raise ImageError(f"{path}: image must be a file, not a folder")
    return _single(path, _read(path, limits)).array


def read_images(path, limits: GrayLimits = GRAY_8) -> list[np.ndarray]:
    """Read all images of a file or folder, each uint8 or, if the limits take it, uint16, (H, W).

    Raises
    ------
    ImageError, OSError
        See `read_gray`.
    """
    return [image.array for image in read_gray(path, limits)]


def read_stack(paths: Iterable) -> np.ndarray:
    """Read files and folders of 8-bit gray images of one size: uint8, shape (N, H, W).

    Raises
    ------
    ImageError, OSError
        See `read_gray_stack`.
    """
    return read_gray_stack(paths, GRAY_8).array


def read_gray_stack(paths: Iterable, limits: GrayLimits = DEEP_GRAY) -> GrayImage:
    """Read files and folders of images of one size and type into one array.

    Returns
    -------
    GrayImage
        Of an array of shape (N, H, W) or (N, H, W, C); its bits are those that any image uses.

    Raises
    ------
    ImageError, OSError
        See `read_gray`; also if sizes or types differ.
    """
    images: list[GrayImage] = []
    for path in paths:
        for image in read_gray(path, limits):
            first, array = (images or [image])[0].array, image.array
            for what, wanted, found in (
                ("size", _size(first), _size(array)),
                ("number of channels", _channels(first), _channels(array)),
                ("type", str(first.dtype), str(array.dtype)),
                ("pattern of colour filters", str((images or [image])[0].cfa), str(image.cfa)),
            ):
                if wanted != found:
                    raise ImageError(
                        f"{path}: images of one file must have one {what}, {wanted} like the "
                        f"first, not {found}; encode each {what} into a file of its own"
                    )
            images.append(image)
    if not images:
        raise ImageError("images must be at least one, not none")
    top = max(image.bits.top for image in images)
    shift = min(image.bits.shift for image in images)
    return GrayImage(
        np.stack([image.array for image in images]), SignificantBits(top - shift, shift),
        images[0].cfa,
    )


def by_shape(images: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Stacks (N, H, W) of images of equal shape and type, in the order of first appearance."""
    stacks: dict[tuple, list[np.ndarray]] = {}
    for image in images:
        stacks.setdefault((image.shape, image.dtype), []).append(image)
    return [np.stack(stack) for stack in stacks.values()]


def write_image(
    path, array: np.ndarray, *, form: str | None = None, bits: SignificantBits | None = None,
    channels: int = 1,
) -> None:  # fmt: skip
    """Write uint8 or uint16 (H, W), or to npy also (N, H, W), whole or not at all.

    With ``channels`` above 1 shapes are (H, W, C) and (N, H, W, C).  The format is ``form``, one of
    those of `ENDINGS`, or that of the name's ending.  ``bits`` give
    the greatest value of a PGM; without, it is that of the array's type.

    Raises
    ------
    ImageError
        If the array is no gray image, or the name's ending is of no known format.
    OSError
        If the file cannot be written.
    """
    form = form or image_format(path)
    array = np.asarray(array)
    one = ("H", "W") if channels == 1 else ("H", "W", str(channels))
    shapes = (one, ("N", *one)) if form == "npy" else (one,)
    good = len(array.shape) in map(len, shapes) and (channels == 1 or array.shape[-1] == channels)
    if form == "pgm" and channels > 1:
        raise ImageError(f"{path}: PGM must be gray, not of {channels} channels; write a PNG")
    if array.dtype not in DEEP_GRAY.dtypes or not good or not array.size:
        raise ImageError(
            f"{path}: image must be uint8 or uint16 of shape "
            f"{' or '.join('(' + ', '.join(shape) + ')' for shape in shapes)} with at least one "
            f"pixel, not {array.dtype} of shape "
            f"{array.shape}"
        )
    array = np.ascontiguousarray(array)
    if form == "pgm":
        top = 8 * array.itemsize if bits is None else bits.top
        data = netpbm.netpbm_bytes(array, (1 << top) - 1)
    else:
        data = {"png": png_bytes, "tiff": tiff.tiff_bytes, "npy": npy_bytes}[form](array)
    write_file(path, data)


def _size(image: np.ndarray) -> str:
    """Width x height, as people say it; arrays have them the other way round."""
    return f"{image.shape[1]} x {image.shape[0]}"


def _channels(image: np.ndarray) -> str:
    return str(image.shape[2] if image.ndim == 3 else 1)


def _single(path, images: list[GrayImage]) -> GrayImage:
    if len(images) != 1:
        raise ImageError(f"{path}: file must hold one image here, not {len(images)}")
    return images[0]


def _read(path, limits: GrayLimits) -> list[GrayImage]:
    data = read_file(path)
    if not data:
        raise ImageError(f"{path}: image file must not be empty")
    if data.startswith(NPY_MAGIC):
        return [GrayImage(array, SignificantBits.of(array))
                for array in read_npy(path, data, limits)]  # fmt: skip
    if data.startswith(PNG_MAGIC):
        array, declared = _read_png(path, data, limits)
    elif data[:2] in (netpbm.MAGICS if limits.channels > 1 else (b"P2", b"P5")):
        array, declared = _read_pgm(path, data, limits)
    elif data.startswith(tiff.MAGICS):
        if limits.cfas and dng.is_dng(data):
            array, declared, cfa = dng.read_dng(path, data, limits)
            return [GrayImage(array, SignificantBits.of(array, declared), cfa)]
        array, declared = tiff.read_tiff(path, data, limits)
    else:
        kind = foreign_kind(data)
        found = kind or f"a file that begins {data[:8]!r}"
        hint = f"; {limits.way_out()}" if kind in PICTURE_KINDS else ""
        raise ImageError(f"{path}: image must be PNG, PGM, TIFF or npy, not {found}{hint}")
    check_channels(path, "image", 1 if array.ndim == 2 else array.shape[2], limits)
    return [GrayImage(array, SignificantBits.of(array, declared))]


def _read_png(path, data: bytes, limits: GrayLimits) -> tuple[np.ndarray, int]:
    header = header_of(
        path, data, _COLOUR if limits.channels > 1 else _GRAY, limits.wanted, limits.way_out(),
        deeper_hint=limits.way_out(deeper=True), depths=(8, limits.depth), side=limits.side,
    )  # fmt: skip
    if header.exif:
        from lutgen.formats.colour import orientation

        if (turn := orientation(header.exif)) != 1:
            raise ImageError(
                f"{path}: Exif orientation of a gray PNG must be 1 (upright), not {turn}, which "
                "the codec would lose; turn it first, e.g. with ImageMagick: "
                "magick INPUT -auto-orient OUTPUT.png"
            )
    return read_png(path, data, header), header.depth


def _read_pgm(path, data: bytes, limits: GrayLimits) -> tuple[np.ndarray, int]:
    header = netpbm.netpbm_header(path, data)
    if limits.depth == 8:
        netpbm.check_top(path, data, header.top, limits.way_out(deeper=header.top > 255))
    check_sides(path, header.width, header.height, limits.side)
    return netpbm.read_netpbm(path, data, header), header.top.bit_length()
