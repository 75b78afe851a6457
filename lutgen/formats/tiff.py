"""Gray, RGB or RGBA TIFF of one page: as tifffile reads it, after its structure was checked.

Taken are TIFF and BigTIFF of either byte order, strips or tiles, 8 to 16 bits per sample (10, 12
and 14 packed), uncompressed or by LZW, Deflate or PackBits, with or without horizontal prediction.
TIFF has no checksums: damage that leaves the structure whole gives other pixels.
"""

import contextlib
import io
import json
import math
import re
from typing import Any

import numpy as np

from lutgen.files.bounds import DEFLATE_RATIO, LZW_RATIO, PACKBITS_RATIO

from .rules import GrayLimits, ImageError
from .tiff_file import CONTIGUOUS, check_stored, opened, samples

__all__ = ["MAGICS", "read_tiff", "tiff_bytes"]

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

#: Bytes that one byte holds at most, by TIFF's number of the compression.
_RATIOS = {1: 1, 5: LZW_RATIO, 8: DEFLATE_RATIO, 32946: DEFLATE_RATIO, 32773: PACKBITS_RATIO}
_KINDS = {
    0: "gray with zero for white", 1: "gray", 2: "colour (RGB)", 3: "palette", 4: "a mask",
    5: "CMYK", 6: "colour (YCbCr)", 8: "colour (CIELAB)", 32803: "a colour filter array",
    34892: "linear raw",
}  # fmt: skip
_ORIENTATION, _PLANES_OF_STK = 274, 33629
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
    with opened(path, data) as file:
        page = file.pages.first
        _check_single(path, file, page)
        _check_kind(path, page, limits)
        check_stored(path, page, len(data), limits, _RATIOS)
        image = samples(path, page, limits)
    channels = page.samplesperpixel
    if channels > 1 and page.planarconfig != CONTIGUOUS:
        image = np.moveaxis(image, 0, -1)
    return np.ascontiguousarray(image), page.bitspersample


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
