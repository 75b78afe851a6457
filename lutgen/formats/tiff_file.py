"""What readers of TIFF and DNG share: a file opened by tifffile, and the samples of one page.

tifffile guesses where a file is damaged, and says so in its log; here that is an error, as are all
kinds that it, imagecodecs and struct raise.
"""

import contextlib
import io
import logging
import math
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .rules import GrayLimits, ImageError, check_sides

__all__ = ["CONTIGUOUS", "check_stored", "damaged", "logged_errors", "opened", "samples"]

#: Planar configuration of pixels whose samples are stored side by side.
CONTIGUOUS = 1


@contextlib.contextmanager
def opened(path, data: bytes) -> Iterator[Any]:
    """The ``tifffile.TiffFile`` of a whole file, its first page already read.

    ``path`` is a name for messages.

    Raises
    ------
    ImageError
        If the file is damaged, as far as the reads inside the block show.
    """
    import tifffile

    with logged_errors() as errors:
        try:
            with tifffile.TiffFile(io.BytesIO(data)) as file:
                _ = file.pages.first
                if errors:
                    raise damaged(path, errors[0])
                yield file
        except (ImageError, MemoryError):
            raise
        except Exception as error:  # tifffile, imagecodecs and struct let many kinds out
            raise damaged(path, f"{type(error).__name__}: {error}") from None
        if errors:
            raise damaged(path, errors[0])


def check_stored(
    path, page, size: int, limits: GrayLimits, ratios: Mapping[int, int]
) -> None:
    """Check what a page's reading will cost, before it is read.

    Parameters
    ----------
    path:
        Name for messages.
    page:
        A page of a known compression.
    size:
        Bytes of the file.
    limits:
        Sides that are taken.
    ratios:
        Bytes that one byte of the file holds at most, by number of the compression.

    Raises
    ------
    ImageError
        If a side is beyond the limits, strips or tiles are missing, lie outside the file, or have
        too few bytes for their pixels.
    """
    check_sides(path, page.imagewidth, page.imagelength, limits.side)
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
    if page.planarconfig == CONTIGUOUS:
        width *= page.samplesperpixel
    elif not page.is_tiled:
        parts = page.samplesperpixel
    room = parts * height * -(-width * page.bitspersample // 8)
    if packed > size or room > packed * ratios[page.compression]:
        raise ImageError(
            f"{path}: TIFF must be whole, not {packed} bytes of {page.imagewidth} x "
            f"{page.imagelength} pixels"
        )


def samples(path, page, limits: GrayLimits) -> np.ndarray:
    """The samples of a page that passed `check_stored`, uint8 or uint16.

    Shape is (H, W), (H, W, C), or (C, H, W) where each plane is stored by itself.

    Raises
    ------
    ImageError
        If they are not what the page says, or of a type that ``limits`` do not take.
    """
    image = page.asarray(maxworkers=1)
    rows, columns, channels = page.imagelength, page.imagewidth, page.samplesperpixel
    shape = (
        (rows, columns) if channels == 1
        else (rows, columns, channels) if page.planarconfig == CONTIGUOUS
        else (channels, rows, columns)
    )  # fmt: skip
    if image.shape != shape or image.dtype not in limits.dtypes:
        raise damaged(path, f"samples {image.dtype} of shape {image.shape}")
    if (greatest := int(image.max())) >> page.bitspersample:
        raise damaged(path, f"a sample of {greatest} in {page.bitspersample} bits")
    return image


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
