"""PGM and PPM of greatest value 255, plain or raw."""

import re

import numpy as np

from .rules import ImageError, check_sides

__all__ = ["MAGICS", "netpbm_bytes", "netpbm_header", "read_netpbm"]

#: Kind and samples per pixel by the first two bytes.
MAGICS = {b"P2": ("PGM", 1), b"P5": ("PGM", 1), b"P3": ("PPM", 3), b"P6": ("PPM", 3)}
_PLAIN = (b"P2", b"P3")
# Magic, then three numbers with white space or comments before each, then one white space.
_SPACE = rb"(?:\s|#[^\n\r]*[\n\r])+"
_HEADER = re.compile(rb"P[2356]" + 3 * (_SPACE + rb"(\d{1,9})") + rb"(?:\s|#[^\n\r]*[\n\r])")


def netpbm_header(path, data: bytes, hint: str) -> tuple[int, int, int]:
    """Width, height and where the pixels begin; ImageError unless the greatest value is 255."""
    kind, _ = MAGICS[data[:2]]
    head = _HEADER.match(data)
    if not head:
        raise ImageError(
            f"{path}: {kind} must begin with its width, height and greatest value, "
            f"not {data[:16]!r}"
        )
    width, height, top = map(int, head.groups())
    if top != 255:
        raise ImageError(f"{path}: greatest value of a {kind} must be 255, not {top}; {hint}")
    check_sides(path, width, height)
    return width, height, head.end()


def read_netpbm(path, data: bytes, hint: str) -> np.ndarray:
    """uint8, (H, W) of a PGM, (H, W, 3) of a PPM; ``hint`` says how to make one that is taken."""
    kind, samples = MAGICS[data[:2]]
    width, height, start = netpbm_header(path, data, hint)
    pixels = data[start:]
    if data[:2] in _PLAIN:
        pixels = _plain_values(path, kind, pixels)
    shape = (height, width, samples)[: 2 if samples == 1 else 3]
    if len(pixels) != width * height * samples:
        what = "pixels" if samples == 1 else "values"
        raise ImageError(
            f"{path}: {kind} of {width} x {height} must have {width * height * samples} {what}, "
            f"not {len(pixels)}"
        )
    return np.frombuffer(pixels, dtype=np.uint8).reshape(shape).copy()


def netpbm_bytes(array: np.ndarray) -> bytes:
    """The raw PGM or PPM of a uint8 array (H, W) or (H, W, 3)."""
    magic = b"P5" if array.ndim == 2 else b"P6"
    height, width = array.shape[:2]
    return b"%s\n%d %d\n255\n" % (magic, width, height) + array.tobytes()


def _plain_values(path, kind: str, text: bytes) -> bytes:
    values = re.sub(rb"#[^\n\r]*", b"", text).split()
    try:
        # Signs and underscores, which int() would take, are not digits.
        return bytes(int(v) if v.isdigit() and len(v) < 9 else -1 for v in values)
    except ValueError:
        raise ImageError(f"{path}: pixels of a plain {kind} must be numbers 0 to 255") from None
