"""The header of a ``.lgc`` file: the one table that says which field stands where.

The codec packs and unpacks headers by it (:mod:`lutgen.codec.container`); the gateware makes from
it the bytes that it writes, compares and stores (:mod:`lutgen.gateware.files.header`);
``docs/format.md`` prints it, and a test compares the page with it.  Nothing else knows an offset.

Every version of the format has a table of its own.  All tables begin with the magic and the
version, so a reader of any file finds the version first and then the table, in `TABLES`.

Version 1 is read and written by :mod:`lutgen.codec.container`, version 2 by
:mod:`lutgen.codec.predictive.container`.  To add a version: write its table here, from `_COMMON`
on, with a field that may differ from file to file of one build as ``per_file``, and list it in
`TABLES`; give it a container; add its table to ``docs/format.md`` (``test_table_of_the_page`` wants
one for each version).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from lutgen.errors import InputError

__all__ = [
    "MAGIC", "TABLES", "VERSION_1", "VERSION_2", "HeaderField", "HeaderTable", "magic_and_version",
]  # fmt: skip

MAGIC = b"LGC"


class HeaderField(NamedTuple):
    """One field of a header: a little-endian unsigned number, or bytes as they are."""

    name: str
    size: int  #: In bytes.
    meaning: str  #: As ``docs/format.md`` has it, without links.
    type: type = int  #: ``int`` or ``bytes``.
    per_file: bool = False  #: Whether files of one model and build may differ in it.
    offset: int = 0  #: In bytes; a `HeaderTable` fills it in.

    @property
    def end(self) -> int:
        """Offset of the byte behind the field."""
        return self.offset + self.size

    def of(self, data) -> bytes:
        """The field's bytes in a header."""
        return data[self.offset : self.end]

    def put(self, data: bytes, value: int | bytes) -> bytes:
        """A file that begins with a header, with another value in this field."""
        if isinstance(value, int):
            value = value.to_bytes(self.size, "little")
        if len(value) != self.size:
            raise InputError(f"{self.name} must be of {self.size} bytes, not {len(value)}")
        return data[: self.offset] + value + data[self.end :]

    @property
    def _code(self) -> str:
        """As `struct` writes it."""
        if self.type is bytes:
            return f"{self.size}s"
        return {1: "B", 2: "H", 4: "I", 8: "Q"}[self.size]


@dataclass(frozen=True)
class HeaderTable:
    """The fields of a header in the order of their bytes, without gaps.

    Parameters
    ----------
    version:
        Version of the format that has this header.
    fields:
        The fields; magic and version are the first.
    """

    version: int
    fields: tuple[HeaderField, ...]

    def __post_init__(self) -> None:
        placed, at = [], 0
        for field in self.fields:
            placed.append(field._replace(offset=at))
            at += field.size
        object.__setattr__(self, "fields", tuple(placed))

    def __getitem__(self, name: str) -> HeaderField:
        return self._by_name[name]

    @property
    def size(self) -> int:
        """Bytes of the header."""
        return self.fields[-1].end

    @cached_property
    def _by_name(self) -> dict[str, HeaderField]:
        return {field.name: field for field in self.fields}

    @cached_property
    def _layout(self) -> struct.Struct:
        return struct.Struct("<" + "".join(field._code for field in self.fields))

    def pack(self, values: Mapping[str, int | bytes]) -> bytes:
        """The header's bytes, from the values of all fields but magic and version."""
        values = {"magic": MAGIC, "version": self.version, **values}
        return self._layout.pack(*(values[field.name] for field in self.fields))

    def unpack(self, data: bytes) -> dict[str, Any]:
        """Values, numbers or bytes, by the fields' names, of at least ``size`` bytes."""
        found = self._layout.unpack_from(data)
        return {field.name: value for field, value in zip(self.fields, found, strict=True)}


_COMMON = (
    HeaderField("magic", len(MAGIC), "`LGC`, 4C 47 43", bytes),
    HeaderField("version", 1, "version of the format"),
)

VERSION_1 = HeaderTable(1, (
    *_COMMON,
    HeaderField("model hash", 8, "first 8 bytes of the model's hash", bytes),
    HeaderField("image width", 2, "pixels", per_file=True),
    HeaderField("image height", 2, "pixels", per_file=True),
    HeaderField("tile width", 1, "pixels"),
    HeaderField("tile height", 1, "pixels"),
    HeaderField("levels", 1, "levels of the pyramid above the image, plus 16 times the channels "
                "less one"),
    HeaderField("coder", 1, "0: rANS; L = 8 to 12: tANS with 2^L states"),
    HeaderField("images", 4, "number of images", per_file=True),
))  # fmt: skip

VERSION_2 = HeaderTable(2, (
    *_COMMON,
    HeaderField("model hash", 8, "first 8 bytes of the model's hash", bytes),
    HeaderField("image width", 2, "pixels", per_file=True),
    HeaderField("image height", 2, "pixels", per_file=True),
    HeaderField("bit depth", 1, "bits of a sample"),
    HeaderField("shift", 1, "zero bits below a sample in the decoded image", per_file=True),
    HeaderField("channels", 1, "samples of a pixel, plus 16 times the order of the planes"),
    HeaderField("near", 1, "greatest error of a sample", per_file=True),
    HeaderField("coder", 1, "0: rANS; L = 8 to 12: tANS with 2^L states; plus 16 times the binary "
                "logarithm of the slabs"),
    HeaderField("strip height", 2, "rows of pixels"),
    HeaderField("tile width", 2, "pixels; 0: each four rows of pixels share a payload"),
    HeaderField("images", 4, "number of images", per_file=True),
))  # fmt: skip

#: The table of each version: 1 of tiles of a class's symbols, 2 of profile ``predictive``.
TABLES = {table.version: table for table in (VERSION_1, VERSION_2)}


def magic_and_version(data: bytes) -> tuple[bytes, int]:
    """What the first four bytes of a file say, of whatever version it is."""
    magic, version = (VERSION_1[name].of(data) for name in ("magic", "version"))
    return magic, version[0]
