"""PGM and PPM, plain or raw, of any greatest value."""

import re
from typing import NamedTuple

import numpy as np

from .rules import ImageError

__all__ = [
    "MAGICS", "NetpbmHeader", "check_top", "netpbm_bytes", "netpbm_header", "read_netpbm",
]  # fmt: skip

#: Kind and samples per pixel by the first two bytes.
MAGICS = {b"P2": ("PGM", 1), b"P5": ("PGM", 1), b"P3": ("PPM", 3), b"P6": ("PPM", 3)}
_PLAIN = (b"P2", b"P3")
# Magic, then three numbers with white space or comments before each, then one white space.
_SPACE = rb"(?:\s|#[^\n\r]*[\n\r])+"
_HEADER = re.compile(rb"P[2356]" + 3 * (_SPACE + rb"(\d{1,9})") + rb"(?:\s|#[^\n\r]*[\n\r])")
_MOST = 65535


class NetpbmHeader(NamedTuple):
    """Sides, greatest value, and the byte that the samples begin at."""

    width: int
    height: int
    top: int
    start: int


def netpbm_header(path, data: bytes) -> NetpbmHeader:
    """The header of a PGM or PPM, of any sides; ImageError if it is damaged."""
    kind, _ = MAGICS[data[:2]]
    head = _HEADER.match(data)
    if not head:
        raise ImageError(
            f"{path}: {kind} must begin with its width, height and greatest value, "
            f"not {data[:16]!r}"
        )
    width, height, top = map(int, head.groups())
    if not 1 <= top <= _MOST:
        raise ImageError(f"{path}: greatest value of a {kind} must be 1 to {_MOST}, not {top}")
    return NetpbmHeader(width, height, top, head.end())


def check_top(path, data: bytes, top: int, hint: str) -> None:
    """ImageError unless the greatest value is 255; ``hint`` says how to make it so."""
    if top != 255:
        kind, _ = MAGICS[data[:2]]
        raise ImageError(f"{path}: greatest value of a {kind} must be 255, not {top}; {hint}")


def read_netpbm(path, data: bytes, header: NetpbmHeader) -> np.ndarray:
    """Samples of a file whose header, sides and greatest value are taken.

    Returns
    -------
    numpy.ndarray
        uint8, or uint16 with a greatest value above 255; (H, W) of a PGM, (H, W, 3) of a PPM.
    """
    kind, channels = MAGICS[data[:2]]
    width, height, top, start = header
    count = width * height * channels
    dtype = np.dtype(np.uint8 if top < 256 else ">u2")
    if data[:2] in _PLAIN:
        samples = _plain_values(path, kind, data[start:], top).astype(dtype)
    else:
        size = count * dtype.itemsize
        if len(data) - start != size and dtype.itemsize > 1:
            raise ImageError(
                f"{path}: {kind} of {width} x {height} must have {size} bytes of "
                f"{'pixels' if channels == 1 else 'values'}, not {len(data) - start}"
            )
        samples = np.frombuffer(data, dtype, offset=start)
    if len(samples) != count:
        raise ImageError(
            f"{path}: {kind} of {width} x {height} must have {count} "
            f"{'pixels' if channels == 1 else 'values'}, not {len(samples)}"
        )
    if top not in (255, _MOST) and (most := int(samples.max())) > top:
        raise ImageError(f"{path}: pixels of a {kind} must be 0 to {top}, as it says, not {most}")
    shape = (height, width, channels)[: 2 if channels == 1 else 3]
    return samples.reshape(shape).astype(dtype.newbyteorder("="))


def netpbm_bytes(array: np.ndarray, top: int = 255) -> bytes:
    """The raw PGM or PPM, of greatest value ``top``, of an array (H, W) or (H, W, 3)."""
    magic = b"P5" if array.ndim == 2 else b"P6"
    height, width = array.shape[:2]
    pixels = array.astype(np.uint8 if top < 256 else ">u2", copy=False)
    return b"%s\n%d %d\n%d\n" % (magic, width, height, top) + pixels.tobytes()


def _plain_values(path, kind: str, text: bytes, top: int) -> np.ndarray:
    values = re.sub(rb"#[^\n\r]*", b"", text).split()
    # Signs and underscores, which int() would take, are not digits.
    found = np.array([int(v) if v.isdigit() and len(v) < 9 else -1 for v in values], np.int64)
    if len(found) and not 0 <= found.min() <= found.max() <= top:
        raise ImageError(f"{path}: pixels of a plain {kind} must be numbers 0 to {top}")
    return found
