"""Version 2 of the container ``.lgc``: header, strips with checksums, and an index.

The header is that of :data:`lutgen.model.header.VERSION_2`.  Behind it come the strips, image by
image from the top.  A strip is coded on its own: its contexts begin anew at its top.

An image may be cut into 2, 4 or 8 *slabs* of columns, for as many coders side by side.  Each slab
is coded as an image of its own, in strips of the same rows; the strips of all slabs follow one
another from left to right, then come those of the next rows.
:meth:`Frame.columns` says where slabs begin.

Rows of an image of several channels are those of its planes in turn (:mod:`.planes`): a strip of
R rows of pixels has R C of them, and all that is said of rows below is said of these.

A strip's *units* each have a payload: groups of four rows from the strip's top on, the last one of
what is left; or, where the header has a tile width, tiles from left to right, the last one as wide
as what is left.  Samples of a tile follow one another in raster order.  Those of a group go
diagonally, each row four samples behind the one above: first the samples of column t of its first
row, t - 4 of its second, t - 8 of its third and t - 12 of its fourth, as far as there are, then
those of t + 1.  So all rows know their neighbours above, and four rows share what a payload costs.
Of each unit follow

- the length of its payload in bytes, less that of the unit before it in the strip (0 before the
  first), as a zigzag number (0, -1, 1, -2, ... are 0, 1, 2, 3, ...) in LEB128: seven bits a byte,
  low ones first, the top bit set if another byte follows;
- the payload (:mod:`.row_coder`), with zeros behind it if it is shorter than a byte for each 2,048
  samples: what a file makes a reader allocate, its bytes have paid for.  A payload as long as the
  unit's folded residuals would be in plain bits is just that: no unit grows.

A strip ends with a CRC-32 (that of zlib and Ethernet), little-endian, of the header's bytes, the
number of the strip in four bytes, and the strip's bytes before it: it finds any one burst of damage
of up to 32 bits, the low bit of a byte first, or of 30 bits, the high one first.  If there is more
than one strip, an index ends the file: the bytes of each strip with its CRC, four bytes each, and
the CRC-32 of the header and these.  By it a reader finds the strip behind a damaged one.  Nothing
follows.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from lutgen.codec.coder import RANS, Coder, coder_of
from lutgen.codec.container import CorruptStreamError
from lutgen.errors import InputError
from lutgen.model.cfa import CFAS
from lutgen.model.header import MAGIC, VERSION_2, magic_and_version
from lutgen.model.samples import SampleFormat, SignificantBits

from .planes import FIRST_CFA, ORDERS

__all__ = [
    "SLABS", "SLABS_AT", "Frame", "check_end", "check_strips", "index_bytes", "least_columns",
    "least_payload_bytes", "pack_strip", "raw_bits", "raw_bytes", "split_index", "strip_sizes",
    "unit_payloads",
]  # fmt: skip

CRC_BYTES = 4
MAX_SIDE = (1 << 16) - 1
#: Rows that share a payload, and by how many columns each is behind the one above.
GROUP, LAG = 4, 4
_CFA_PLANES = 4
#: Bit of the byte ``channels`` from which on stands the order of the planes.
_ORDER_AT = 4
_HASH_BYTES = VERSION_2["model hash"].size
#: No more bytes say a length: 35 bits.
_LENGTH_BYTES = 5
#: Bit of the byte ``coder`` from which on stands the binary logarithm of the slabs.
SLABS_AT = 4
#: Into how many slabs an image may be cut.
SLABS = (1, 2, 4, 8)
#: Samples that a byte of a payload stands for at most.
_SAMPLES_PER_BYTE = 2048


@dataclass(frozen=True)
class Frame:
    """What the header says: a format of samples, sizes, and how they are cut.

    Parameters
    ----------
    model_hash:
        First 8 bytes of the model's hash.
    samples:
        Depth, channels, and greatest error.
    width, height:
        Of each image, 1 to 65,535 pixels.
    strip_height:
        Rows of a strip, 1 to ``height``; the last strip may have fewer.
    tile_width:
        Columns of a tile, or 0 if groups of four rows are the units.
    images:
        Number of images, 1 to 2**32 - 1.
    shift:
        Zero bits below each sample in the decoded image: 0 to 16, less the depth.
    order:
        Number of the order of the planes (:data:`.planes.ORDERS`); 0 of less than three.  Of four
        planes it may also be 8 and the number of a colour filter array in :data:`.planes.CFAS`;
        width, height and strip height then count squares of four samples.
    slabs:
        Parts from left to right that an image is cut into: 1, 2, 4 or 8.  More than one need
        `least_columns` and a tile width of 0.
    coder:
        What tokens are coded by.

    Raises
    ------
    InputError
        If a value is outside its range.
    """

    model_hash: bytes
    samples: SampleFormat
    width: int
    height: int
    strip_height: int
    tile_width: int = 0
    images: int = 1
    shift: int = 0
    order: int = 0
    slabs: int = 1
    coder: Coder = RANS

    def __post_init__(self) -> None:
        if len(self.model_hash) != _HASH_BYTES:
            raise InputError(f"model hash must be of 8 bytes, not {len(self.model_hash)}")
        for name, value, least, most in (
            ("image width", self.width, 1, MAX_SIDE),
            ("image height", self.height, 1, MAX_SIDE),
            ("strip height", self.strip_height, 1, self.height),
            ("tile width", self.tile_width, 0, self.width),
            ("number of images", self.images, 1, (1 << 32) - 1),
        ):
            if not least <= value <= most:
                raise InputError(f"{name} must be {least} to {most}, not {value!r}")
        orders = len(ORDERS) if self.samples.channels > 2 else 1
        if not 0 <= self.order < orders and self.cfa is None:
            raise InputError(
                f"order of {self.samples.channels} planes must be 0 to {orders - 1}, "
                f"not {self.order!r}"
            )
        if self.samples.depth < 8:
            raise InputError(f"bit depth must be 8 to 16, not {self.samples.depth}")
        SignificantBits(self.samples.depth, self.shift)
        self._check_slabs()

    def _check_slabs(self) -> None:
        if self.slabs not in SLABS:
            raise InputError(f"number of slabs must be 1, 2, 4 or 8, not {self.slabs!r}")
        if self.slabs > 1 and self.tile_width:
            raise InputError(f"number of slabs must be 1 with a tile width, not {self.slabs}")
        least = least_columns(self.slabs)
        if self.width < least:
            raise InputError(
                f"image width must be at least {least} for {self.slabs} slabs, not {self.width}"
            )

    @property
    def bits(self) -> SignificantBits:
        """Where the samples' bits lie in the decoded image."""
        return SignificantBits(self.samples.depth, self.shift)

    @property
    def strips_of_image(self) -> int:
        """Strips of one image, those of all slabs."""
        return -(-self.height // self.strip_height) * self.slabs

    @property
    def strips(self) -> int:
        """Strips of the file."""
        return self.images * self.strips_of_image

    @property
    def channels(self) -> int:
        """Samples of a pixel."""
        return self.samples.channels

    @property
    def cfa(self) -> str | None:
        """Pattern of the colour filter array that the image is; None if it is none."""
        number = self.order - FIRST_CFA
        is_cfa = self.channels == _CFA_PLANES and 0 <= number < len(CFAS)
        return CFAS[number] if is_cfa else None

    @property
    def rows_of_pixel(self) -> int:
        """Rows of the decoded image that a row of pixels is: 2 of a colour filter array."""
        return 1 if self.cfa is None else 2

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of all images: (N, H, W), of several channels (N, H, W, C)."""
        if self.cfa is not None:
            return self.images, 2 * self.height, 2 * self.width
        shape = self.images, self.height, self.width
        return shape if self.channels == 1 else (*shape, self.channels)

    def rows(self, strip: int) -> tuple[int, int, int]:
        """Image of a strip, its first row in the decoded image, and the row behind its last."""
        image, k = divmod(strip, self.strips_of_image)
        top, scale = k // self.slabs * self.strip_height, self.rows_of_pixel
        return image, scale * top, scale * min(top + self.strip_height, self.height)

    def columns(self, strip: int) -> tuple[int, int]:
        """First column of a strip in the decoded image, and the column behind its last.

        Slabs begin at multiples of as many columns as there are slabs, so that a core that takes
        or gives one column of each slab at a time begins none in between; their widths differ by
        no more than that.
        """
        slab, scale = strip % self.slabs, self.rows_of_pixel
        steps = -(-self.width // self.slabs)
        left, right = (self.slabs * (k * steps // self.slabs) for k in (slab, slab + 1))
        return scale * left, scale * min(right, self.width)

    def units(self, height: int, columns: int | None = None) -> list[tuple[int, int, int, int]]:
        """Units of a strip of so many rows and columns of the image, of all columns unless given:
        first row, rows, first column, columns.
        """
        height = height * self.channels // self.rows_of_pixel
        if not self.tile_width:
            width = self.width if columns is None else columns // self.rows_of_pixel
            return [(y, min(GROUP, height - y), 0, width) for y in range(0, height, GROUP)]
        return [
            (0, height, x, min(self.tile_width, self.width - x))
            for x in range(0, self.width, self.tile_width)
        ]

    def lag(self, columns: int) -> int:
        """By how many columns each row of a unit of so many columns is behind the one above."""
        return columns if self.tile_width else LAG

    def pack(self) -> bytes:
        """The header's bytes."""
        return VERSION_2.pack({
            "model hash": self.model_hash,
            "image width": self.width,
            "image height": self.height,
            "bit depth": self.samples.depth,
            "shift": self.shift,
            "channels": self.samples.channels | self.order << _ORDER_AT,
            "near": self.samples.near,
            "coder": self.coder.code | (self.slabs.bit_length() - 1) << SLABS_AT,
            "strip height": self.strip_height,
            "tile width": self.tile_width,
            "images": self.images,
        })  # fmt: skip

    @classmethod
    def unpack(cls, data: bytes, size: int | None = None) -> "Frame":
        """Read the header at the start of a file, and check that the file can hold its pixels.

        Parameters
        ----------
        data:
            The file, or its header.
        size:
            Bytes of the file; those of ``data`` unless given.

        Raises
        ------
        CorruptStreamError
            If it is cut short or breaks a rule of the format.
        """
        if len(data) < VERSION_2.size:
            raise CorruptStreamError(
                f"stream must have a header of {VERSION_2.size} bytes, "
                f"not {len(data)} bytes in all"
            )
        magic, version = magic_and_version(data)
        if magic != MAGIC:
            raise CorruptStreamError(f"stream must start with {MAGIC!r}, not {magic!r}")
        if version != VERSION_2.version:
            raise CorruptStreamError(
                f"stream format version must be {VERSION_2.version} with a model of profile "
                f"predictive, not {version}"
            )
        values = VERSION_2.unpack(data)
        try:
            coder, slabs = values["coder"] & (1 << SLABS_AT) - 1, values["coder"] >> SLABS_AT
            channels = values["channels"] & ((1 << _ORDER_AT) - 1)
            frame = cls(
                values["model hash"],
                SampleFormat(values["bit depth"], channels, values["near"]),
                values["image width"], values["image height"], values["strip height"],
                values["tile width"], values["images"], values["shift"],
                values["channels"] >> _ORDER_AT, 1 << slabs, coder_of(coder),
            )  # fmt: skip
        except InputError as error:
            raise CorruptStreamError(f"stream header: {error}") from None
        frame._check_room(len(data) if size is None else size)
        return frame

    def _check_room(self, size: int) -> None:
        """CorruptStreamError unless so many bytes can hold the pixels: before any is allocated."""
        if self.tile_width:
            units = self.strips * -(-self.width // self.tile_width)
        else:
            whole, rest = divmod(self.height, self.strip_height)
            many, few = (-(-rows * self.channels // GROUP) for rows in (self.strip_height, rest))
            units = self.images * self.slabs * (whole * many + few)
        samples = math.prod(self.shape)
        least = units + max(0, samples - units * _SAMPLES_PER_BYTE) // _SAMPLES_PER_BYTE
        least += VERSION_2.size + CRC_BYTES * self.strips
        if least > size:
            raise CorruptStreamError(
                f"stream of {self.images} images of {self.width} x {self.height} must have at "
                f"least {least} bytes, but is cut short: it has {size}"
            )


def least_columns(slabs: int) -> int:
    """Columns that an image, or a plane of a colour filter array, has at least: no slab is empty.
    """
    return slabs * (slabs - 1) + 1


def least_payload_bytes(samples: int) -> int:
    """No payload of so many samples is shorter."""
    return samples // _SAMPLES_PER_BYTE


def raw_bits(levels: int) -> int:
    """Bits of a folded residual of samples of so many levels."""
    return max(1, (levels - 1).bit_length())


def raw_bytes(samples: int, levels: int) -> int:
    """Bytes of so many folded residuals in plain bits."""
    return (samples * raw_bits(levels) + 7) // 8


def _checksum(header: bytes, strip: int, body: bytes) -> bytes:
    return struct.pack("<I", crc32(body, crc32(struct.pack("<I", strip), crc32(header))))


def pack_strip(header: bytes, strip: int, payloads: list[bytes]) -> bytes:
    """Bytes of a strip from the payloads of its units."""
    body, before = bytearray(), 0
    for payload in payloads:
        change = len(payload) - before
        before = len(payload)
        number = 2 * change if change >= 0 else -2 * change - 1
        while number >= 128:
            body.append(number & 127 | 128)
            number >>= 7
        body.append(number)
        body += payload
    return bytes(body) + _checksum(header, strip, bytes(body))


def unit_payloads(
    data: memoryview, at: int, end: int, header: bytes, strip: int, sizes: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Where the payloads of a strip's units are.

    Parameters
    ----------
    data, at, end:
        The file, the strip's first byte, and the byte behind what it may reach to.
    sizes:
        Least and greatest length of each unit's payload.

    Returns
    -------
    (start, stop, next):
        int64 arrays with an entry for each unit, and the byte behind the strip.

    Raises
    ------
    CorruptStreamError
        If a length is out of range or the checksum is wrong.
    """
    first, length = at, 0
    start = np.empty(len(sizes), dtype=np.int64)
    stop = np.empty(len(sizes), dtype=np.int64)
    for k, (least, most) in enumerate(sizes):
        number = shift = 0
        while True:
            if at >= end or shift == 7 * _LENGTH_BYTES:
                raise CorruptStreamError(f"strip {strip} is cut short")
            number |= (data[at] & 127) << shift
            at += 1
            shift += 7
            if data[at - 1] < 128:
                break
        length += number >> 1 if not number & 1 else -(number + 1 >> 1)
        if not least <= length <= most or at + length > end:
            raise CorruptStreamError(
                f"length of payload {k} of strip {strip} must be {least} to {most} and within the "
                f"file, not {length}"
            )
        start[k], stop[k] = at, at + length
        at += length
    if at + CRC_BYTES > end:
        raise CorruptStreamError(f"strip {strip} is cut short")
    if bytes(data[at : at + CRC_BYTES]) != _checksum(header, strip, bytes(data[first:at])):
        raise CorruptStreamError(f"checksum of strip {strip} is wrong: the file is damaged")
    return start, stop, at + CRC_BYTES


def index_bytes(header: bytes, sizes: list[int]) -> bytes:
    """The index of a file whose strips have so many bytes; none of a single strip."""
    if len(sizes) == 1:
        return b""
    body = struct.pack(f"<{len(sizes)}I", *sizes)
    return body + struct.pack("<I", crc32(body, crc32(header)))


def split_index(data: bytes, frame: Frame) -> tuple[list[int] | None, int]:
    """First byte of each strip by the index, if it is sound, and where strips must end.

    Returns
    -------
    (starts, end):
        ``starts`` is None where the index is damaged: then strips follow one another.
    """
    count = frame.strips
    if count == 1:
        return [VERSION_2.size], len(data)
    body = len(data) - 4 * count - CRC_BYTES
    if body < VERSION_2.size:
        raise CorruptStreamError("stream is cut short: it has no room for its index")
    table = data[body : body + 4 * count]
    (checksum,) = struct.unpack("<I", data[body + 4 * count :])
    if crc32(table, crc32(data[: VERSION_2.size])) != checksum:
        return None, body
    starts = np.cumsum([VERSION_2.size, *struct.unpack(f"<{count}I", table)]).tolist()
    if starts[-1] != body:
        return None, body
    return starts[:-1], body


def check_end(strip: int, end: int, limit: int) -> None:
    """CorruptStreamError unless a strip ends where the next one, or what follows all, begins."""
    if end != limit:
        raise CorruptStreamError(f"strip {strip} must end at byte {limit}, not at {end}")


def check_strips(data: bytes, frame: Frame) -> None:
    """CorruptStreamError unless index, lengths and checksums are right; no sample is decoded."""
    starts, end = split_index(data, frame)
    if starts is None:
        raise CorruptStreamError("checksum of the index is wrong: the file is damaged")
    for k, (at, limit) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
        _, top, bottom = frame.rows(k)
        left, right = frame.columns(k)
        sizes = list(strip_sizes(frame, frame.units(bottom - top, right - left)))
        *_, after = unit_payloads(memoryview(data), at, limit, frame.pack(), k, sizes)
        check_end(k, after, limit)


def strip_sizes(frame: Frame, units: list[tuple[int, int, int, int]]) -> Iterator[tuple[int, int]]:
    """Least and greatest length of the payload of each unit."""
    for _, rows, _, columns in units:
        samples = rows * columns
        yield least_payload_bytes(samples), raw_bytes(samples, frame.samples.levels)
