"""Arrays of gray images: npy, npz and IDX, the format of MNIST."""

import gzip
import io
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable

import numpy as np

from lutgen.errors import InputError
from lutgen.files.bounds import most_inflated
from lutgen.formats.npz import check_npz

from .rules import GRAY_8, GrayLimits, ImageError, check_stack, stack_shape

__all__ = ["NPY_MAGIC", "npy_bytes", "read_idx", "read_npy", "read_npz"]

NPY_MAGIC = b"\x93NUMPY"
#: Most bytes of one array, 30 times the natural training set: bounds what a small file expands to.
_MOST = 1 << 30


def npy_bytes(array: np.ndarray) -> bytes:
    """The npy file of an array."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def read_npy(path, data: bytes, limits: GrayLimits = GRAY_8) -> np.ndarray:
    """Images of an npy file, see `stack_shape`: uint8 or uint16, (N, H, W) or (N, H, W, C)."""
    # Only the header goes through NumPy: it cannot make it unpickle, nor allocate a size that the
    # file does not have.
    file = io.BytesIO(data)
    form = np.lib.format
    try:
        version = form.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise InputError(f"version {version}")
        read_header = form.read_array_header_1_0 if version[0] == 1 else form.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
    except Exception as error:  # NumPy parses it as Python and lets half a dozen kinds out
        raise ImageError(f"{path}: npy must have a valid header ({error})") from None
    stack = stack_shape(path, "npy", dtype, shape, limits)
    pixels = data[file.tell() :]
    want = math.prod(stack) * dtype.itemsize
    if len(pixels) != want:
        raise ImageError(
            f"{path}: npy of shape {shape} must have {want} bytes of pixels, not {len(pixels)}"
        )
    array = np.frombuffer(pixels, dtype).reshape(shape, order="F" if fortran else "C")
    native = array.dtype.newbyteorder("=")
    return np.array(array.reshape(stack), native, order="C")


def read_npz(
    path, choose: Callable[[list[str]], Iterable[str]], limits: GrayLimits = GRAY_8
) -> list[np.ndarray]:
    """Images of the arrays of an npz file that ``choose`` picks from their names, in order.

    Returns
    -------
    list of ndarray
        uint8 or, if the limits take it, uint16, each (H, W).
    """
    with open(path, "rb") as raw:
        try:
            check_npz(raw)
            with zipfile.ZipFile(raw) as file:
                members = {info.filename.removesuffix(".npy"): info for info in file.infolist()}
                return [
                    image for name in choose([*members])
                    for image in _member(path, name, file, members[name], limits)
                ]
        except (ImageError, MemoryError):
            raise
        except Exception as error:  # zipfile lets half a dozen kinds out
            raise ImageError(f"{path}: npz must be whole, not damaged ({error})") from None


def _member(
    path, name: str, file: zipfile.ZipFile, member: zipfile.ZipInfo, limits: GrayLimits
) -> np.ndarray:
    if member.file_size > _MOST:
        raise ImageError(
            f"{path}: array {name!r} must have at most {_MOST} bytes, not {member.file_size}"
        )
    return read_npy(f"{path}:{name}", file.read(member), limits)


def read_idx(path) -> np.ndarray:
    """Images of an IDX file, perhaps gzipped: uint8, (N, H, W).

    Two zero bytes, type 8 (uint8), rank, big-endian sizes, data.
    """
    packed = str(path).lower().endswith(".gz")
    try:
        with (gzip.open if packed else open)(path, "rb") as file:
            magic = file.read(4)
            if len(magic) < 4 or magic[:3] != b"\0\0\x08" or magic[3] not in (2, 3):
                raise ImageError(
                    f"{path}: file must be IDX of uint8 images, not one that begins {magic!r}"
                )
            sizes = struct.unpack(f">{magic[3]}I", file.read(4 * magic[3]))
            want = math.prod(sizes)
            if want > _MOST:
                raise ImageError(f"{path}: IDX must have at most {_MOST} pixels, not {want}")
            count = check_stack(path, "IDX", np.dtype(np.uint8), sizes)
            if want > most_inflated(os.stat(path).st_size):
                raise ImageError(f"{path}: IDX must be large enough for its {want} pixels")
            data = file.read(want + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error, struct.error) as error:
        raise ImageError(f"{path}: IDX must be whole, not damaged ({error})") from None
    if len(data) != want:
        raise ImageError(f"{path}: IDX must have {want} bytes of pixels, not {len(data)}")
    return np.frombuffer(data, dtype=np.uint8).reshape(count, *sizes[-2:]).copy()
