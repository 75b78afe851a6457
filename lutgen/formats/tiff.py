"""Gray, RGB or RGBA TIFF of one page: as tifffile reads it, after its structure was checked.

Taken are TIFF and BigTIFF of either byte order, strips or tiles, 8 to 16 bits per sample (10, 12
and 14 packed), uncompressed or by LZW, Deflate or PackBits, with or without horizontal prediction.
TIFF has no checksums: damage that leaves the structure whole gives other pixels.
"""

import contextlib
import io
import json
import logging
import math
import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lutgen.files.bounds import DEFLATE_RATIO, LZW_RATIO, PACKBITS_RATIO

from .rules import GrayLimits, ImageError, check_sides

__all__ = [
    "MAGICS", "check_segments", "damaged", "logged_errors", "read_tiff", "tiff_bytes",
]  # fmt: skip

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

#: Bytes that one byte holds at most, by TIFF's number of the compression.
_RATIOS = {1: 1, 5: LZW_RATIO, 8: DEFLATE_RATIO, 32946: DEFLATE_RATIO, 32773: PACKBITS_RATIO}
_KINDS = {
    0: "gray with zero for white", 1: "gray", 2: "colour (RGB)", 3: "palette", 4: "a mask",
    5: "CMYK", 6: "colour (YCbCr)", 8: "colour (CIELAB)", 32803: "a colour filter array",
    34892: "linear raw",
}  # fmt: skip
_ORIENTATION, _PLANES_OF_STK = 274, 33629
_CONTIGUOUS = 1
#: Samples of a pixel by photometric interpretation, where limits take colour.
_CHANNELS = {1: (1, 2), 2: (3, 4)}
_WITH_ALPHA = (2, 4)


def read_tiff(path, data: bytes, limits: GrayLimits) -> tuple[np.ndarray, int]:
    """Samples of a TIFF, and the bits that it says they have.

    They are uint8 or uint16 of shape (H, W), or, where limits take it, (H, W, C).

    Parameters
    ----------
    path:
        Name for messages.
    data:
        The whole file.
    limits:
        Depth and sides that are taken.

    Raises
    ------
    ImageError
        If it is damaged, has several pages, is no gray of these limits, or is compressed with
        losses or in a rare way.
    """
    import tifffile

    with logged_errors() as errors:
        try:
            with tifffile.TiffFile(io.BytesIO(data)) as file:
                page = file.pages.first
                if errors:
                    raise damaged(path, errors[0])
                _check_single(path, file, page)
                _check_kind(path, page, limits)
                check_sides(path, page.imagewidth, page.imagelength, limits.side)
                check_segments(path, page, len(data), _RATIOS)
                image = page.asarray(maxworkers=1)
        except (ImageError, MemoryError):
            raise
        except Exception as error:  # tifffile, imagecodecs and struct let many kinds out
            raise damaged(path, f"{type(error).__name__}: {error}") from None
    depth = page.bitspersample
    if errors:
        raise damaged(path, errors[0])
    channels = page.samplesperpixel
    if channels > 1 and page.planarconfig != _CONTIGUOUS:
        image = np.moveaxis(image, 0, -1)
    shape = (page.imagelength, page.imagewidth, channels)[: 2 if channels == 1 else 3]
    if image.shape != shape or image.dtype not in limits.dtypes:
        raise damaged(path, f"pixels {image.dtype} of shape {image.shape}")
    if int(image.max()) >> depth:
        raise damaged(path, f"a pixel of {int(image.max())} in {depth} bits")
    return np.ascontiguousarray(image), depth


def tiff_bytes(array: np.ndarray) -> bytes:
    """The uncompressed TIFF of a uint8 or uint16 array (H, W) or (H, W, C)."""
    import tifffile

    file = io.BytesIO()
    channels = 1 if array.ndim == 2 else array.shape[2]
    colour: dict[str, Any] = {"photometric": "rgb" if channels > 2 else "minisblack"}
    if channels in _WITH_ALPHA:
        colour["extrasamples"] = ["unassalpha"]
    if channels > 1:
        colour["planarconfig"] = "contig"
    tifffile.imwrite(file, array, metadata=None, software=False, **colour)
    return file.getvalue()


def _check_single(path, file, page) -> None:
    """ImageError if there are more images than the first page's."""
    try:
        file.pages[1]
    except IndexError:
        pass
    else:
        raise ImageError(f"{path}: TIFF must hold one page, not several; store each by itself")
    # ImageJ, MetaMorph and tifffile put further images behind the one that a reader finds.
    images = re.match(r"ImageJ=[^\n]*\n(?:.*\n)*?images=(\d+)", page.description)
    planes = page.tags.get(_PLANES_OF_STK)
    count = int(images[1]) if images else planes.count if planes is not None else 1
    with contextlib.suppress(ValueError):
        shaped = json.loads(page.description) if page.description.startswith("{") else {}
        if shaped.get("truncated"):
            count = math.prod(shaped.get("shape", [1])) // max(1, math.prod(page.shape))
    if count > 1:
        raise ImageError(f"{path}: TIFF must hold one image, not {count}; store each by itself")


def _check_kind(path, page, limits: GrayLimits) -> None:
    def refuse(found: str, *, deeper: bool = False) -> ImageError:
        hint = limits.way_out(deeper=deeper)
        return ImageError(f"{path}: TIFF must be {limits.wanted}, not {found}; {hint}")

    photometric, bits = int(page.photometric), page.bitspersample
    taken = _CHANNELS if limits.channels > 1 else {1: (1,)}
    if photometric not in taken:
        raise refuse(_KINDS.get(photometric, f"of photometric interpretation {photometric}"))
    if page.samplesperpixel not in taken[photometric]:
        raise refuse(f"of {page.samplesperpixel} samples per pixel")
    if page.sampleformat != 1:
        raise refuse("of signed or floating-point samples")
    if page.imagedepth != 1:
        raise refuse(f"a volume of {page.imagedepth} images")
    if bits not in range(8, 17) or bits > limits.depth:  # a tuple if samples differ
        raise refuse(f"{bits}-bit gray", deeper=bits in range(8, 17))
    if page.compression not in _RATIOS:
        name = getattr(page.compression, "name", page.compression)
        raise ImageError(
            f"{path}: TIFF must be uncompressed or by LZW, Deflate or PackBits, not {name}; store "
            "it anew, e.g. with ImageMagick: magick INPUT -compress zip OUTPUT.tif"
        )
    if page.predictor not in (1, 2) or page.fillorder != 1:
        raise ImageError(
            f"{path}: TIFF must have predictor 1 or 2 and fill order 1, not {int(page.predictor)} "
            f"and {int(page.fillorder)}"
        )
    if (turn := page.tags.valueof(_ORIENTATION, 1)) != 1:
        raise ImageError(
            f"{path}: orientation of a gray TIFF must be 1 (upright), not {turn}, which the codec "
            "would lose; turn it first, e.g. with ImageMagick: magick INPUT -auto-orient OUTPUT.tif"
        )


def check_segments(path, page, size: int, ratios: Mapping[int, int]) -> None:
    """ImageError unless the file has all strips or tiles, and bytes enough for their pixels.

    ``ratios`` has bytes that one byte holds at most, by number of the compression.
    """
    offsets, counts = page.dataoffsets, page.databytecounts
    wanted = math.prod(page.chunked)
    if not len(offsets) == len(counts) == wanted:
        raise damaged(path, f"{min(len(offsets), len(counts))} of {wanted} strips or tiles")
    for offset, count in zip(offsets, counts, strict=True):
        if offset < 8 or count < 1 or offset + count > size:
            raise damaged(path, "strips or tiles beyond its end")
    packed = sum(counts)
    if page.is_tiled:
        height, width, parts = page.tilelength, page.tilewidth, wanted
    else:
        height, width, parts = page.imagelength, page.imagewidth, 1
    if page.planarconfig == _CONTIGUOUS:
        width *= page.samplesperpixel
    elif not page.is_tiled:
        parts = page.samplesperpixel
    room = parts * height * -(-width * page.bitspersample // 8)
    if packed > size or room > packed * ratios[page.compression]:
        raise ImageError(
            f"{path}: TIFF must be whole, not {packed} bytes of {page.imagewidth} x "
            f"{page.imagelength} pixels"
        )


@contextlib.contextmanager
def logged_errors() -> Iterator[list[str]]:
    """Errors that tifffile logs in this thread, where it goes on with a guess; none is printed."""
    found: list[str] = []
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread != thread:
            return True
        if record.levelno >= logging.ERROR:
            found.append(record.getMessage())
        return False

    logger = logging.getLogger("tifffile")
    logger.addFilter(keep)
    try:
        yield found
    finally:
        logger.removeFilter(keep)


def damaged(path, how: str) -> ImageError:
    """The error of a damaged TIFF; ``how`` is what was found."""
    return ImageError(f"{path}: TIFF must be whole, not damaged ({' '.join(how.split())})")
