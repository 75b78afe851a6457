"""Colour images in and out: 8 bits per channel, for the lossy codec.

What has more bits or transparency is refused, never reduced.  Pictures that their Exif block says
are to be shown turned or mirrored, as cameras write them, are turned.
"""

import io
import os
import warnings
from pathlib import Path

import numpy as np

from lutgen.files.pictures import COLOUR_ENDINGS, picture_files
from lutgen.files.whole import read_file, write_file
from lutgen.formats import netpbm
from lutgen.formats.png import MAGIC as PNG_MAGIC
from lutgen.formats.png import header_of, png_bytes, read_png
from lutgen.formats.rules import ImageError, check_sides, foreign_kind

__all__ = [
    "WRITTEN", "colour_files", "colour_format", "colour_size", "orientation",
    "read_colour", "write_colour",
]  # fmt: skip

#: Format of each file name ending that is written: lossless all.
WRITTEN = {".png": "png", ".ppm": "ppm", ".bmp": "bmp", ".tif": "tiff", ".tiff": "tiff"}

_WANTED = "RGB or gray of 8 bits per channel"
_CONVERT = (
    "convert it first, e.g. with ImageMagick: magick INPUT -depth 8 -alpha off PNG24:OUTPUT.png"
)
_GRAY_RGB = (0, 2)
#: What Pillow reads for us; PNG, PGM and PPM have readers here.
_PILLOW = ("JPEG", "WEBP", "BMP", "TIFF")
_ORIENTATION = 0x0112


def colour_files(spec) -> list[Path]:
    """A picture, or all pictures in a folder and the folders in it, sorted, hidden ones left out.

    A path that does not exist is looked for in the folder that the environment variable
    ``LUTGEN_DATA`` names.

    Raises
    ------
    ImageError
        If there are none.
    """
    places = [Path(spec)]
    if os.environ.get("LUTGEN_DATA"):
        places.append(Path(os.environ["LUTGEN_DATA"], spec))
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise ImageError(
            f"data must be an existing picture or folder, not {os.fspath(spec)!r}"
            + (f" (also looked in {places[1].parent})" if len(places) > 1 else "")
        )
    if not path.is_dir():
        return [path]
    files = picture_files(path, COLOUR_ENDINGS, deep=True)
    if not files:
        raise ImageError(
            f"{path}: folder must contain pictures ({', '.join(COLOUR_ENDINGS)}), not none"
        )
    return files


def read_colour(path) -> np.ndarray:
    """The pixels of a picture of 8 bits per channel: uint8, (H, W, 3).  Gray becomes RGB.

    Raises
    ------
    ImageError
        If it is damaged, deeper, has transparency, or several pictures.
    OSError
        If it cannot be read.
    """
    data = read_file(path)
    if data.startswith(PNG_MAGIC):
        header = header_of(path, data, _GRAY_RGB, _WANTED, _CONVERT)
        image = _upright(read_png(path, data, header), orientation(header.exif))
    elif data[:2] in netpbm.MAGICS:
        image = netpbm.read_netpbm(path, data, _netpbm_header(path, data))
    else:
        from PIL import ImageOps

        picture = _open(path, data)
        try:
            image = np.array(ImageOps.exif_transpose(picture))
        except MemoryError:
            raise
        except Exception as error:  # every format has errors of its own
            raise _damaged(path, error) from None
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return np.ascontiguousarray(image)


def colour_size(path) -> tuple[int, int]:
    """Width and height, as stored, of a picture that holds to all rules that need no pixels.

    Raises
    ------
    ImageError, OSError
        See `read_colour`.
    """
    data = read_file(path)
    if data.startswith(PNG_MAGIC):
        return header_of(path, data, _GRAY_RGB, _WANTED, _CONVERT)[:2]
    if data[:2] in netpbm.MAGICS:
        return _netpbm_header(path, data)[:2]
    return _open(path, data).size


def colour_format(path) -> str:
    """Format of `WRITTEN` by the ending of a file name; ImageError if it is another."""
    try:
        return WRITTEN[Path(path).suffix.lower()]
    except KeyError:
        raise ImageError(
            f"{path}: name of a decoded image must end in {', '.join(WRITTEN)}, which lose "
            f"nothing, not in {Path(path).suffix!r}"
        ) from None


def write_colour(path, array: np.ndarray, *, form: str | None = None) -> None:
    """Write uint8 (H, W, 3), whole or not at all, as ``form`` or as the name's ending says.

    Raises
    ------
    ImageError
        If the name's ending is of no lossless format.
    OSError
        If the file cannot be written.
    """
    form = form or colour_format(path)
    array = np.ascontiguousarray(array)
    if form == "png":
        data = png_bytes(array)
    elif form == "ppm":
        data = netpbm.netpbm_bytes(array)
    else:
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(array).save(file, form)
        data = file.getvalue()
    write_file(path, data)


def orientation(exif: bytes) -> int:
    """How a picture is to be shown, 1 (as it is) to 8, by an Exif block without its prefix."""
    from PIL import Image

    found = Image.Exif()
    try:
        found.load(b"Exif\0\0" + exif if exif else b"")
    except Exception:  # a block that cannot be read says nothing, as viewers see it
        return 1
    turn = found.get(_ORIENTATION, 1)
    return turn if turn in range(1, 9) else 1


def _upright(image: np.ndarray, turn: int) -> np.ndarray:
    """The pixels (H, W, ...) as Exif orientation ``turn`` shows them."""
    if turn >= 5:  # rows are columns
        image = image.swapaxes(0, 1)
    if turn in (2, 3, 6, 7):
        image = image[:, ::-1]
    if turn in (3, 4, 7, 8):
        image = image[::-1]
    return image


def _netpbm_header(path, data: bytes) -> netpbm.NetpbmHeader:
    header = netpbm.netpbm_header(path, data)
    netpbm.check_top(path, data, header.top, _CONVERT)
    check_sides(path, header.width, header.height)
    return header


def _open(path, data: bytes):
    """A picture by Pillow, its pixels not read yet."""
    from PIL import Image

    if not data:
        raise ImageError(f"{path}: image file must not be empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures: sides are bounded here
            picture = Image.open(io.BytesIO(data), formats=_PILLOW)
    except MemoryError:
        raise
    except Exception as error:
        kind = foreign_kind(data)
        if kind and kind.upper() not in _PILLOW:
            raise ImageError(f"{path}: picture must be {_WANTED}, not {kind}") from None
        raise _damaged(path, error) from None
    if picture.mode not in ("RGB", "L"):
        raise ImageError(f"{path}: picture must be {_WANTED}, not {picture.mode}; {_CONVERT}")
    if _is_reduced(picture):
        raise ImageError(f"{path}: picture must be {_WANTED}, not of another depth; {_CONVERT}")
    if "transparency" in picture.info:
        raise ImageError(f"{path}: picture must be {_WANTED}, not with transparency; {_CONVERT}")
    # Cameras put previews behind the one picture of a JPEG.
    pictures = getattr(picture, "n_frames", 1)
    if picture.format in ("WEBP", "TIFF") and pictures > 1:
        raise ImageError(f"{path}: file must hold one picture, not {pictures}")
    check_sides(path, *picture.size)
    return picture


def _is_reduced(picture) -> bool:
    """Whether Pillow makes 8 bits of another number: raw modes like ``RGB;16B`` name it."""
    for tile in picture.tile:
        mode = tile[3] if isinstance(tile[3], str) else (tile[3] or ("",))[0]
        if isinstance(mode, str) and mode.partition(";")[2][:1].isdigit():
            return True
    return False


def _damaged(path, error: Exception) -> ImageError:
    text = " ".join(str(error).split())
    # Pillow names the buffer that it was given.
    if "cannot identify" in text:
        text = "of an unknown kind"
    return ImageError(f"{path}: picture must be whole, not damaged ({text})")
