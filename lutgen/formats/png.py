"""PNG of 8 or 16 bits per sample: gray, RGB, and either with alpha.

The file's structure is read here and its pixels by libpng (imagecodecs): so nothing is decoded, or
allocated, for what is refused, and all checksums hold before libpng sees the file.  Its messages on
damaged files hold bytes of its own memory and are not passed on.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lutgen.files.bounds import most_inflated
from lutgen.model.tile import MAX_IMAGE_SIDE

from .rules import ImageError, check_sides

__all__ = ["MAGIC", "PngHeader", "header_of", "png_bytes", "read_png"]

MAGIC = b"\x89PNG\r\n\x1a\n"

_COLOURS = {
    0: "gray", 2: "colour (RGB)", 3: "palette", 4: "gray with transparency", 6: "RGBA",
}  # fmt: skip
#: Samples of a pixel.
_SAMPLES = {0: 1, 2: 3, 4: 2, 6: 4}
#: Chunks that a decoder must know.
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


class PngHeader(NamedTuple):
    """Sides, bits of a sample, and the Exif block without its prefix."""

    width: int
    height: int
    depth: int
    exif: bytes


def header_of(
    path, data: bytes, colours: tuple[int, ...], wanted: str, hint: str, *,
    deeper_hint: str | None = None, depths: tuple[int, ...] = (8,), side: int = MAX_IMAGE_SIDE,
) -> PngHeader:
    """Header and Exif block of a PNG that holds to the rules, its pixels unseen.

    Parameters
    ----------
    path:
        Name for messages.
    data:
        The whole file.
    colours:
        Colour types that are taken.
    wanted, hint:
        What the file must be, and how to make it so, for messages.
    deeper_hint:
        The latter for a picture whose only fault is its 16 bits, unless it is the same.
    depths, side:
        Bits of a sample that are taken, and most pixels of a side.

    Raises
    ------
    ImageError
        If a rule is broken: a damaged structure or checksum, another colour type or depth,
        transparency, an animation, sides out of range.
    """
    if len(data) < 33 or data[8:16] != b"\0\0\0\rIHDR":
        raise ImageError(f"{path}: PNG must begin with a whole header, not {data[8:16]!r}")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)

    def refuse(found: str, hint: str = hint) -> ImageError:
        return ImageError(f"{path}: PNG must be {wanted}, not {found}; {hint}")

    if colour not in colours:
        raise refuse(_COLOURS.get(colour, f"of colour type {colour}"))
    if depth not in depths:
        if depth == 16:
            hint = deeper_hint or hint
        raise refuse(f"{depth}-bit {_COLOURS[colour]}", hint)
    check_sides(path, width, height, side)
    samples = _SAMPLES[colour]
    if height * (samples * width * depth // 8 + 1) > most_inflated(len(data)):
        raise ImageError(
            f"{path}: PNG must be whole, not {len(data)} bytes of {width} x {height} pixels"
        )
    exif = b""
    for kind, content in _chunks(path, data):
        if kind == b"tRNS":
            raise refuse(f"{_COLOURS[colour]} with transparency".replace(" (RGB)", ""))
        if kind == b"acTL":
            raise refuse("an animation")
        if kind == b"eXIf":
            exif = content
    return PngHeader(width, height, depth, exif)


def read_png(path, data: bytes, header: PngHeader) -> np.ndarray:
    """Pixels of a PNG that `header_of` has passed: uint8 or uint16, (H, W) or (H, W, C)."""
    import imagecodecs

    try:
        image = imagecodecs.png_decode(data)
    except MemoryError:
        raise
    except Exception:  # libpng's complaints, and failures to read them: UnicodeDecodeError
        raise _damaged(path, "its pixels") from None
    wanted = np.uint8 if header.depth == 8 else np.uint16
    if image.shape[:2] != (header.height, header.width) or image.dtype != wanted:
        raise _damaged(path, f"pixels {image.dtype} of shape {image.shape}")
    return image


def png_bytes(array: np.ndarray) -> bytes:
    """The PNG, at the highest level, of a C-contiguous array (H, W) or (H, W, C).

    Of uint8 it has 8 bits per sample, of uint16 it has 16.
    """
    import imagecodecs  # a tenth of a second, which `lutgen --help` should not take

    # Its own guess of the size forgets the filter byte of each row, half of a narrow image.
    room = 2 * array.nbytes + array.shape[0] + 4096
    return bytes(imagecodecs.png_encode(array, level=9, out=room))


def _chunks(path, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of all chunks up to IEND, their checksums verified."""
    at, kind = len(MAGIC), b""
    while kind != b"IEND":
        if len(data) < at + 12:
            raise _damaged(path, "cut short")
        size, kind = struct.unpack_from(">I4s", data, at)
        if not kind.isalpha() or (kind[:1].isupper() and kind not in _CRITICAL):
            raise _damaged(path, f"chunk {kind!r}")
        if len(data) < at + 12 + size:
            raise _damaged(path, f"chunk {kind.decode()} is cut short")
        content = data[at + 8 : at + 8 + size]
        (want,) = struct.unpack_from(">I", data, at + 8 + size)
        if zlib.crc32(content, zlib.crc32(kind)) != want:
            raise _damaged(path, f"checksum of chunk {kind.decode()}")
        yield kind, content
        at += 12 + size


def _damaged(path, how: str) -> ImageError:
    return ImageError(f"{path}: PNG must be whole, not damaged ({how})")
