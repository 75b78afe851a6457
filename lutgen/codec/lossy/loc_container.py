"""The container ``.loc``: one image of the lossy codec.

====== ===== ==========================================================
offset bytes content, little-endian
====== ===== ==========================================================
0      3     magic ``LOC``
3      1     format version, 1
4      8     first 8 bytes of the model's hash
12     2     image width, 1..16384
14     2     image height, 1..16384
16     1     rounding step, 0..32, see :mod:`.step`
17     4     CRC-32 of all other bytes
21     ...   payload, see :mod:`.interleaved` and :mod:`.residuals`
====== ===== ==========================================================

A CRC finds damage, it does not keep anybody from writing a small file of a large image.  A decoder
takes hundreds of bytes for a pixel, so a reader refuses more pixels than the file's bytes pay for
(:mod:`lutgen.files.bounds`), unless told how many to accept.
"""

import struct
import zlib
from dataclasses import dataclass

from lutgen.errors import InputError
from lutgen.files.bounds import most_pixels

from ..container import CorruptStreamError
from .step import step_of

__all__ = ["MAX_SIDE", "ImageTooLargeError", "LocFile"]

_MAGIC, _VERSION = b"LOC", 1
_LAYOUT = struct.Struct("<3sB8sHHB")
_CRC = struct.Struct("<I")
_HEADER = _LAYOUT.size + _CRC.size
#: Pixels of a side of an image.
MAX_SIDE = 16384


class ImageTooLargeError(InputError):
    """An image of more pixels than its file's bytes pay for, or than the caller accepts."""


@dataclass(frozen=True)
class LocFile:
    """A file's content.

    Parameters
    ----------
    model_hash:
        First 8 bytes of the model's hash.
    width, height:
        Of the image in pixels.
    step:
        Number of the rounding step.
    payload:
        Coded symbols.

    Raises
    ------
    InputError
        If a side or the step is out of range.
    """

    model_hash: bytes
    width: int
    height: int
    step: int
    payload: bytes

    def __post_init__(self) -> None:
        if len(self.model_hash) != 8:
            raise InputError(f"model hash must be of 8 bytes, not {len(self.model_hash)}")
        for name in ("width", "height"):
            side = getattr(self, name)
            if not 1 <= side <= MAX_SIDE:
                raise InputError(f"image {name} must be 1 to {MAX_SIDE} pixels, not {side!r}")
        step_of(self.step)

    def pack(self) -> bytes:
        """The file's bytes."""
        head = _LAYOUT.pack(
            _MAGIC, _VERSION, self.model_hash, self.width, self.height, self.step
        )
        return head + _CRC.pack(zlib.crc32(self.payload, zlib.crc32(head))) + self.payload

    @classmethod
    def unpack(cls, data: bytes, max_pixels: int | None = None) -> "LocFile":
        """Read a file.

        Parameters
        ----------
        data:
            Its bytes.
        max_pixels:
            Most pixels to accept; `lutgen.files.bounds.most_pixels` of the file's size by default.

        Raises
        ------
        CorruptStreamError
            If the bytes are no such file, or damaged.
        ImageTooLargeError
            If the image has more pixels.
        """
        if len(data) < _HEADER:
            raise CorruptStreamError(
                f"file must be at least {_HEADER} bytes, not {len(data)}; it is cut short"
            )
        head, payload = data[: _LAYOUT.size], data[_HEADER:]
        magic, version, model_hash, width, height, step = _LAYOUT.unpack(head)
        if magic != _MAGIC:
            raise CorruptStreamError("file must begin with LOC; it is no image of this codec")
        if version != _VERSION:
            raise CorruptStreamError(
                f"format version must be {_VERSION}, not {version}; a newer file needs a newer "
                "lutgen"
            )
        (crc,) = _CRC.unpack_from(data, _LAYOUT.size)
        if crc != zlib.crc32(payload, zlib.crc32(head)):
            raise CorruptStreamError("file must have its CRC-32; it is damaged")
        try:
            file = cls(model_hash, width, height, step, payload)
        except InputError as error:
            raise CorruptStreamError(str(error)) from None
        if max_pixels is None and not file.is_paid:
            raise ImageTooLargeError(
                f"image of {width} x {height} must have at most {most_pixels(len(data))} pixels "
                f"in a file of {len(data)} bytes, not {width * height}: if you trust the file and "
                f"have the memory, allow them with --max-pixels {width * height}"
            )
        if max_pixels is not None and width * height > max_pixels:
            raise ImageTooLargeError(
                f"image of {width} x {height} must have at most {max_pixels} pixels, not "
                f"{width * height}"
            )
        return file

    @property
    def is_paid(self) -> bool:
        """Whether a reader takes it without being told to."""
        return self.width * self.height <= most_pixels(_HEADER + len(self.payload))
