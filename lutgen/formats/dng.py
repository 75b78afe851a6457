"""DNG: the samples of a sensor with a colour filter array, as the camera stored them.

Read by tifffile, after the structure was checked: the one full-size image whose photometric
interpretation is a colour filter array of 2 x 2 squares of red, green and blue, 8 to 16 bits,
uncompressed or by lossless JPEG (Adobe's DNG specification 1.7.1, "Compression").  Samples are
those of the file, masked borders included and before its linearisation table; previews, profiles
and all that describes the scene are left out.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from .rules import GrayLimits, ImageError
from .tiff_file import check_stored, damaged, logged_errors, opened, samples

__all__ = ["is_dng", "read_dng"]

_DNG_VERSION, _SUBFILE_TYPE, _REPEAT, _PATTERN, _LAYOUT = 50706, 254, 33421, 33422, 50711
_PLANE_COLOURS = 50710
_FILTER_ARRAY, _LINEAR_RAW = 32803, 34892
_PLAIN, _JPEG = 1, 7
#: Lossless JPEG has at least one bit for each sample, of 16 at most.
_RATIOS = {_PLAIN: 1, _JPEG: 16}
#: Start of a lossless frame: its length, bits, rows, columns and components.
_FRAME = re.compile(rb"\xff\xc3..(.)(..)(..)(.)", re.S)
_WANTED = "one image of a colour filter array, 8 to 16 bits, uncompressed or by lossless JPEG"


def is_dng(data: bytes) -> bool:
    """Whether a TIFF says that it is a DNG."""
    import tifffile

    with logged_errors():
        try:
            with tifffile.TiffFile(io.BytesIO(data)) as file:
                return _DNG_VERSION in file.pages.first.tags
        except Exception:  # damaged: its reader says how
            return False


def read_dng(path, data: bytes, limits: GrayLimits) -> tuple[np.ndarray, int, str]:
    """Samples, uint8 or uint16 (H, W), of a DNG, the bits that it stores them in, and its pattern.

    Parameters
    ----------
    path:
        Name for messages.
    data:
        The whole file.
    limits:
        Sides and patterns that are taken.

    Returns
    -------
    tuple
        The samples; bits of one; the pattern, a name of `lutgen.model.cfa.CFAS`.

    Raises
    ------
    ImageError
        If it is damaged, holds no such image or several, is compressed in another way, or its
        filters are not of red, green and blue in squares of four.
    """
    with opened(path, data) as file:
        page = _sensor(path, file.pages.first)
        pattern = _pattern(path, page, limits.cfas)
        _check_kind(path, page)
        check_stored(path, page, len(data), limits, _RATIOS)
        if page.compression == _JPEG:
            _check_frames(path, page, data)
        image = samples(path, page, limits)
    return np.ascontiguousarray(image), page.bitspersample, pattern


def _sensor(path, first) -> Any:
    """The page of the sensor's samples: the first one, or of those inside it."""
    pages = [first, *(first.pages or ())]
    whole = [page for page in pages if not page.tags.valueof(_SUBFILE_TYPE, 0)]
    found = [page for page in whole if page.photometric == _FILTER_ARRAY]
    if len(found) != 1:
        linear = any(page.photometric == _LINEAR_RAW for page in whole)
        raise ImageError(
            f"{path}: DNG must hold {_WANTED}, not "
            + ("linear raw, whose colours were made of several samples" if linear and not found
               else f"{len(found)} of them")
        )  # fmt: skip
    return found[0]


def _pattern(path, page, taken: tuple[str, ...]) -> str:
    """The name of the filters' pattern, one of those taken."""
    size = page.tags.valueof(_REPEAT, ())
    filters = bytes(page.tags.valueof(_PATTERN, b""))
    planes = bytes(page.tags.valueof(_PLANE_COLOURS, b"\0\1\2"))
    names = "".join("RGB"[k] if k < 3 else "?" for k in filters)
    if tuple(size) != (2, 2) or names not in taken or planes != b"\0\1\2":
        raise ImageError(
            f"{path}: filters of a DNG must be {' or '.join(taken)}, in squares "
            f"of 2 x 2, not {names or 'none'} in {' x '.join(map(str, size)) or 'no squares'}"
        )
    if (layout := page.tags.valueof(_LAYOUT, 1)) != 1:
        raise ImageError(f"{path}: filters of a DNG must be in layout 1 (square), not {layout}")
    return names


def _check_kind(path, page) -> None:
    bits = page.bitspersample
    if page.samplesperpixel != 1 or page.sampleformat != 1 or bits not in range(8, 17):
        raise ImageError(
            f"{path}: DNG must hold {_WANTED}, not {page.samplesperpixel} samples per pixel of "
            f"{bits} bits"
        )
    if page.compression not in _RATIOS:
        name = getattr(page.compression, "name", page.compression)
        raise ImageError(f"{path}: DNG must hold {_WANTED}, not by {name}")


def _check_frames(path, page, data: bytes) -> None:
    """ImageError unless each strip or tile is a lossless JPEG of as many samples as it needs."""
    for segment, (rows, columns) in zip(_segments(page, data), _sizes(page), strict=True):
        # Only tables and notes may come before the frame.
        frame = _FRAME.search(segment[:4096])
        if not segment.startswith(b"\xff\xd8") or frame is None:
            raise ImageError(f"{path}: DNG must hold {_WANTED}, not by JPEG with losses")
        bits, height, width, components = (int.from_bytes(part, "big") for part in frame.groups())
        if bits > page.bitspersample or height * width * components != rows * columns:
            raise damaged(
                path, f"a JPEG of {width} x {height} x {components} samples of {bits} bits where "
                f"{columns} x {rows} of {page.bitspersample} are due"
            )


def _segments(page, data: bytes) -> Iterator[bytes]:
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        yield data[offset : offset + count]


def _sizes(page) -> Iterator[tuple[int, int]]:
    """Rows and columns of each strip or tile; tiles are whole at the edges, too."""
    if page.is_tiled:
        for _ in page.dataoffsets:
            yield page.tilelength, page.tilewidth
        return
    for top in range(0, page.imagelength, page.rowsperstrip):
        yield min(page.rowsperstrip, page.imagelength - top), page.imagewidth
