"""Images in and out: 8-bit gray PNG, PGM and npy.

The codec is lossless for 8-bit gray and for nothing else, so every other image is refused with the
reason and the way out, never converted.  The format of a file is told by its content when it is
read, by its ending when it is written.
"""

import io
import os
import re
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lutgen.bounds import most_inflated
from lutgen.codec.tile import MAX_IMAGE_SIDE
from lutgen.files import write_file

__all__ = [
    "ENDINGS", "ImageError", "by_shape", "image_format", "png_bytes", "read_image",
    "read_images", "read_stack", "write_image",
]  # fmt: skip

#: Format of each file name ending that is written.
ENDINGS = {".png": "png", ".pgm": "pgm", ".npy": "npy"}
_PICTURES = (".png", ".pgm")

_PNG = b"\x89PNG\r\n\x1a\n"
_NPY = b"\x93NUMPY"
_PNG_COLOURS = {2: "colour (RGB)", 3: "palette", 4: "gray with transparency", 6: "RGBA"}
_FOREIGN = {
    b"\xff\xd8": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
    b"RIFF": "WebP", b"LGC": "lutgen bitstream", b"LUTGEN": "lutgen archive", b"PK": "zip or npz",
    b"P1": "PBM", b"P4": "PBM", b"P3": "PPM", b"P6": "PPM",
}  # fmt: skip
_CONVERT = (
    "convert it to 8-bit gray first, e.g. with ImageMagick: "
    "magick INPUT -colorspace Gray -depth 8 -define png:color-type=0 OUTPUT.png"
)
# Magic, then three numbers with white space or comments before each, then one white space.
_SPACE = rb"(?:\s|#[^\n\r]*[\n\r])+"
_PGM = re.compile(rb"P[25]" + 3 * (_SPACE + rb"(\d{1,9})") + rb"(?:\s|#[^\n\r]*[\n\r])")


class ImageError(ValueError):
    """An image file that is damaged, or not 8-bit gray."""


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

    A folder gives its PNG and PGM files sorted by name, an npy file of shape (N, H, W) N images.

    Raises
    ------
    ImageError, OSError
        See `read_image`; also if a folder has no images.
    """
    if not os.path.isdir(path):
        return list(_read(path))
    files = sorted(p for p in Path(path).iterdir() if p.suffix.lower() in _PICTURES)
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


def write_image(path, array: np.ndarray) -> None:
    """Write uint8 (H, W), or to npy also (N, H, W), whole or not at all.

    Raises
    ------
    ImageError
        If the array is not 8-bit gray, or the name's ending is of no known format.
    OSError
        If the file cannot be written.
    """
    form = image_format(path)
    array = np.asarray(array)
    dims = (2, 3) if form == "npy" else (2,)
    if array.dtype != np.uint8 or array.ndim not in dims or not array.size:
        raise ImageError(
            f"{path}: image must be uint8 of shape (H, W){' or (N, H, W)' * (3 in dims)} with at "
            f"least one pixel, not {array.dtype} of shape {array.shape}"
        )
    array = np.ascontiguousarray(array)
    if form == "png":
        data = png_bytes(array)
    elif form == "pgm":
        data = b"P5\n%d %d\n255\n" % array.shape[::-1] + array.tobytes()
    else:
        file = io.BytesIO()
        np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
        data = file.getvalue()
    write_file(path, data)


def png_bytes(array: np.ndarray) -> bytes:
    """The PNG file, at the highest level, of a C-contiguous uint8 array of shape (H, W)."""
    import imagecodecs  # a tenth of a second, which `lutgen --help` should not take

    # Its own guess of the size forgets the filter byte of each row, half of a narrow image.
    room = 2 * array.size + array.shape[0] + 4096
    return bytes(imagecodecs.png_encode(array, level=9, out=room))


def _size(shape) -> str:
    """Width x height, as people say it; arrays have them the other way round."""
    return f"{shape[-1]} x {shape[-2]}"


def _check_sides(path, width: int, height: int) -> None:
    for name, side in (("width", width), ("height", height)):
        if not 1 <= side <= MAX_IMAGE_SIDE:
            raise ImageError(
                f"{path}: image {name} must be 1 to {MAX_IMAGE_SIDE} pixels, not {side}"
            )


def _read(path) -> np.ndarray:
    """uint8, shape (N, H, W)."""
    if os.path.isdir(path):
        raise ImageError(f"{path}: image must be a file, not a folder")
    data = Path(path).read_bytes()
    if not data:
        raise ImageError(f"{path}: image file must not be empty")
    if data.startswith(_PNG):
        return _read_png(path, data)[None]
    if data[:2] in (b"P2", b"P5"):
        return _read_pgm(path, data)[None]
    if data.startswith(_NPY):
        return _read_npy(path, data)
    for magic, name in _FOREIGN.items():
        if data.startswith(magic):
            raise ImageError(f"{path}: image must be PNG, PGM or npy, not {name}; {_CONVERT}")
    raise ImageError(
        f"{path}: image must be PNG, PGM or npy, not a file that begins {data[:8]!r}"
    )


def _read_png(path, data: bytes) -> np.ndarray:
    # The header is read here so that nothing is decoded, or allocated, for what is refused.
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR":
        raise ImageError(f"{path}: PNG must begin with a whole header, not {data[8:16]!r}")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if colour != 0:
        name = _PNG_COLOURS.get(colour, f"of colour type {colour}")
        raise ImageError(f"{path}: PNG must be 8-bit gray, not {name}; {_CONVERT}")
    if depth != 8:
        raise ImageError(f"{path}: PNG must be 8-bit gray, not {depth}-bit gray; {_CONVERT}")
    _check_sides(path, width, height)
    if height * (width + 1) > most_inflated(len(data)):
        raise ImageError(
            f"{path}: PNG must be whole, not {len(data)} bytes of {width} x {height} pixels"
        )
    import imagecodecs

    try:
        image = imagecodecs.png_decode(data)
    except imagecodecs.PngError as error:
        raise ImageError(f"{path}: PNG must be whole, not damaged ({error})") from None
    if image.shape != (height, width) or image.dtype != np.uint8:
        raise ImageError(f"{path}: PNG must be 8-bit gray, not gray with transparency; {_CONVERT}")
    return image


def _read_pgm(path, data: bytes) -> np.ndarray:
    head = _PGM.match(data)
    if not head:
        raise ImageError(
            f"{path}: PGM must begin with its width, height and greatest value, "
            f"not {data[:16]!r}"
        )
    width, height, top = map(int, head.groups())
    if top != 255:
        raise ImageError(f"{path}: greatest value of a PGM must be 255, not {top}; {_CONVERT}")
    _check_sides(path, width, height)
    pixels = data[head.end() :]
    if data[:2] == b"P2":
        pixels = _plain_pixels(path, pixels)
    if len(pixels) != width * height:
        raise ImageError(
            f"{path}: PGM of {width} x {height} must have {width * height} pixels, "
            f"not {len(pixels)}"
        )
    return np.frombuffer(pixels, dtype=np.uint8).reshape(height, width).copy()


def _plain_pixels(path, text: bytes) -> bytes:
    values = re.sub(rb"#[^\n\r]*", b"", text).split()
    try:
        # Signs and underscores, which int() would take, are not digits.
        return bytes(int(v) if v.isdigit() and len(v) < 9 else -1 for v in values)
    except ValueError:
        raise ImageError(f"{path}: pixels of a plain PGM must be numbers 0 to 255") from None


def _read_npy(path, data: bytes) -> np.ndarray:
    # Only the header goes through NumPy: it cannot make it unpickle, nor allocate a size that the
    # file does not have.
    file = io.BytesIO(data)
    form = np.lib.format
    try:
        version = form.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version}")
        read_header = form.read_array_header_1_0 if version[0] == 1 else form.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
    except Exception as error:  # NumPy parses it as Python and lets half a dozen kinds out
        raise ImageError(f"{path}: npy must have a valid header ({error})") from None
    if dtype != np.uint8 or len(shape) not in (2, 3):
        raise ImageError(
            f"{path}: npy must hold uint8 of shape (H, W) or (N, H, W), "
            f"not {dtype} of shape {shape}"
        )
    _check_sides(path, shape[-1], shape[-2])
    count = shape[0] if len(shape) == 3 else 1
    if count < 1:
        raise ImageError(f"{path}: npy must hold at least one image, not {count}")
    pixels = data[file.tell() :]
    if len(pixels) != count * shape[-1] * shape[-2]:
        raise ImageError(
            f"{path}: npy of shape {shape} must have {count * shape[-1] * shape[-2]} bytes of "
            f"pixels, not {len(pixels)}"
        )
    array = np.frombuffer(pixels, dtype=np.uint8).reshape(shape, order="F" if fortran else "C")
    return np.array(array.reshape(count, *shape[-2:]), order="C")
