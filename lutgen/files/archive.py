"""Container of named integer arrays and a json object: the base of every file that lutgen writes.

Layout (all integers little-endian)::

    8 bytes    magic b"LUTGEN\\r\\n"; the line ending shows files mangled by a text-mode copy
    32 bytes   SHA-256 of everything after it
    8 bytes    size of the uncompressed body
    rest       zlib stream of the body:
                   u32       length of the json text
                   json      {"arrays": [[name, dtype, shape], ...], "kind", "meta", "version"}
                   arrays    raw little-endian bytes, C order, sorted by name

The json text is canonical (sorted keys, no spaces, ASCII, finite numbers), so equal content has
one body. The hash finds damage, it does not authenticate: a reader therefore bounds every size
before it allocates, by its limits and by what the file's own bytes pay for (`lutgen.files.bounds`),
and a file is either read whole or refused with `ArchiveError`.
"""

import hashlib
import json
import math
import os
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lutgen.errors import InputError

from .bounds import most_archived
from .whole import write_file

__all__ = [
    "ArchiveError", "Limits", "archive_kind", "canonical_hash", "read_archive", "write_archive",
]  # fmt: skip

_MAGIC = b"LUTGEN\r\n"
_HEADER = len(_MAGIC) + 32 + 8
_DTYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8")
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}")
_DEPTH = 16  # nesting of meta; a constant because no file needs more, whatever its size


class ArchiveError(InputError):
    """A file, or content meant for one, breaks a rule of the container."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a reader accepts.

    Parameters
    ----------
    size : int
        Bytes of the uncompressed body.
    json : int
        Bytes of the json text.
    arrays : int
        Number of arrays.
    dims : int
        Dimensions of one array.
    """

    size: int = 64 << 20
    json: int = 1 << 20
    arrays: int = 1024
    dims: int = 8


def write_archive(
    path_or_file, kind: str, version: int, meta: dict, arrays: Mapping, limits: Limits = Limits()
) -> None:
    """Write an archive; equal content gives equal bytes (with one version of zlib).

    Parameters
    ----------
    path_or_file : path or binary file
        Where the bytes go; a path gets all of them or keeps what it held.
    kind : str
        What the file holds, e.g. ``"netlist"``; lower case letters, digits and hyphens.
    version : int
        Version of the kind, 1 or more.
    meta : dict
        Json object: str keys; None, bool, int, finite float, str, list and dict values.
    arrays : mapping of str to ndarray
        Integer arrays of 1, 2, 4 or 8 bytes.
    limits : Limits
        What the file's readers accept.

    Raises
    ------
    ArchiveError
        If the content cannot be stored, or would not pass the limits.
    """
    where = "archive"
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise ArchiveError(f"{where}: kind must match {_KIND.pattern}, not {kind!r}")
    if not _is_int(version) or not 1 <= version < 1 << 31:
        raise ArchiveError(f"{where}: version must be a positive integer, not {version!r}")
    table, blobs = _pack(where, meta, arrays, limits)
    text = _dump({"arrays": table, "kind": kind, "meta": meta, "version": int(version)})
    if len(text) > limits.json:
        raise ArchiveError(f"{where}: json must be at most {limits.json} bytes, not {len(text)}")
    body = b"".join([struct.pack("<I", len(text)), text, *blobs])
    if len(body) > limits.size:
        raise ArchiveError(f"{where}: body must be at most {limits.size} bytes, not {len(body)}")
    rest = struct.pack("<Q", len(body)) + zlib.compress(body, 9)
    data = _MAGIC + hashlib.sha256(rest).digest() + rest
    if len(body) > most_archived(len(data)):
        raise ArchiveError(
            f"{where}: body must be at most {most_archived(len(data))} bytes in a file of "
            f"{len(data)}, not {len(body)}: it says too little for its size"
        )
    if hasattr(path_or_file, "write"):
        path_or_file.write(data)
    else:
        write_file(path_or_file, data)


def read_archive(
    path_or_bytes, kind: str, version: int, limits: Limits = Limits(), *, oldest: int = 1
) -> tuple[dict, dict[str, np.ndarray]]:
    """Read an archive.

    Parameters
    ----------
    path_or_bytes : path or bytes
        The file, or its content.
    kind : str
        The kind that the file must have.
    version : int
        The newest version of it that the caller reads.
    limits : Limits
        Bounds on what is accepted; nothing larger is ever allocated.
    oldest : int
        The oldest version of it that the caller reads.

    Returns
    -------
    meta : dict
    arrays : dict of str to ndarray
        Own, writable arrays in native byte order, sorted by name.

    Raises
    ------
    ArchiveError
        If the file is not exactly such an archive. The message starts with the file's name.
    OSError
        If the file cannot be opened or read.
    """
    where, head, body, start = _open(path_or_bytes, limits)
    found = head["kind"]
    if found != kind:
        raise ArchiveError(f"{where}: kind must be {kind!r}, not {_short(found)}")
    found = head["version"]
    if not _is_int(found) or not oldest <= found <= version:
        older = _is_int(found) and 1 <= found < oldest
        advice = "an older one must be made again" if older else "a newer file needs a newer lutgen"
        raise ArchiveError(
            f"{where}: version of {kind} must be between {oldest} and {version}, not "
            f"{_short(found)}; {advice}"
        )
    return head["meta"], _unpack(where, head["arrays"], body, start, limits)


def archive_kind(path_or_bytes, limits: Limits = Limits()) -> str:
    """The kind of an archive, as its json says; its arrays are not looked at.

    Raises
    ------
    ArchiveError, OSError
        As `read_archive`.
    """
    where, head, _, _ = _open(path_or_bytes, limits)
    if not isinstance(head["kind"], str):
        raise ArchiveError(f"{where}: kind must be a text, not {_short(head['kind'])}")
    return head["kind"]


def _open(path_or_bytes, limits: Limits) -> tuple[str, dict, bytes, int]:
    """Name of an archive, its json, its body, and where the arrays begin in it."""
    # Deflate never grows data by more than 5 bytes in 16 KiB; anything longer is not ours.
    most = _HEADER + limits.size + limits.size // 1024 + 1024
    if isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
        where, data = "archive", bytes(path_or_bytes)
    else:
        where = os.fspath(path_or_bytes)
        with open(where, "rb") as file:
            data = file.read(most + 1)
    if len(data) > most:
        raise ArchiveError(f"{where}: file must be at most {most} bytes, not larger")
    body = _unwrap(where, data, limits)
    head, start = _parse(where, body, limits)
    return where, head, body, start


def canonical_hash(meta: dict, arrays: Mapping, limits: Limits = Limits()) -> str:
    """Return the SHA-256 (hex) of a json object and named arrays.

    It covers the canonical json text and each array's name, dtype, shape and little-endian bytes;
    the order of keys and arrays, memory layout, byte order and compression do not matter.

    Raises
    ------
    ArchiveError
        If the content could not be stored in an archive.
    """
    table, blobs = _pack("archive", meta, arrays, limits)
    text = _dump({"arrays": table, "meta": meta})
    digest = hashlib.sha256(struct.pack("<I", len(text)) + text)
    for blob in blobs:
        digest.update(blob)
    return digest.hexdigest()


def _is_int(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value) -> str:
    text = repr(value) if isinstance(value, (str, int, float, bool, type(None))) else "an object"
    return text if len(text) <= 64 else text[:61] + "..."


def _dump(value) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def _check_json(where: str, meta) -> None:
    """Check types, key types, finiteness and depth of `meta` without recursion."""
    if not isinstance(meta, dict):
        raise ArchiveError(f"{where}: meta must be a dict, not {_short(meta)}")
    stack: list[tuple[Any, int]] = [(meta, 1)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, (dict, list)):
            if depth > _DEPTH:
                raise ArchiveError(f"{where}: meta must be nested at most {_DEPTH} deep, not more")
            if isinstance(value, dict):
                for key in value:
                    if not isinstance(key, str):
                        raise ArchiveError(f"{where}: keys of meta must be str, not {_short(key)}")
            items = value.values() if isinstance(value, dict) else value
            stack.extend((item, depth + 1) for item in items)
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise ArchiveError(f"{where}: numbers in meta must be finite, not {value!r}")
        elif _is_int(value):
            if value.bit_length() > 64:
                raise ArchiveError(f"{where}: integers in meta must have at most 64 bits, not more")
        elif not isinstance(value, (str, bool, type(None))):
            raise ArchiveError(f"{where}: values in meta must be json, not {type(value).__name__}")


def _pack(where: str, meta, arrays: Mapping, limits: Limits) -> tuple[list, list[bytes]]:
    """Return the json table of the arrays and their bytes, both sorted by name."""
    _check_json(where, meta)
    if len(arrays) > limits.arrays:
        raise ArchiveError(
            f"{where}: number of arrays must be at most {limits.arrays}, not {len(arrays)}"
        )
    for name in arrays:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ArchiveError(
                f"{where}: array name must match {_NAME.pattern}, not {_short(name)}"
            )
    table, blobs = [], []
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        code = f"{array.dtype.kind}{array.dtype.itemsize}"
        if code not in _DTYPES:
            raise ArchiveError(
                f"{where}: dtype of array {name!r} must be one of {', '.join(_DTYPES)}, "
                f"not {array.dtype}"
            )
        if array.ndim > limits.dims:
            raise ArchiveError(
                f"{where}: array {name!r} must have at most {limits.dims} dimensions, "
                f"not {array.ndim}"
            )
        table.append([name, code, list(array.shape)])
        blobs.append(array.astype("<" + code, copy=False).tobytes(order="C"))
    return table, blobs


def _unwrap(where: str, data: bytes, limits: Limits) -> bytes:
    """Check magic and hash; return the uncompressed body."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise ArchiveError(f"{where}: magic must be {_MAGIC!r}, not {data[: len(_MAGIC)]!r}")
    if len(data) < _HEADER:
        raise ArchiveError(f"{where}: file must be at least {_HEADER} bytes, not {len(data)}")
    digest, rest = data[len(_MAGIC) : len(_MAGIC) + 32], data[len(_MAGIC) + 32 :]
    found = hashlib.sha256(rest).digest()
    if found != digest:
        raise ArchiveError(
            f"{where}: SHA-256 must be {digest.hex()}, not {found.hex()}; "
            "the file is damaged or cut short"
        )
    size = struct.unpack_from("<Q", rest)[0]
    if not 4 <= size <= limits.size:
        raise ArchiveError(f"{where}: body must be between 4 and {limits.size} bytes, not {size}")
    if size > most_archived(len(data)):
        raise ArchiveError(
            f"{where}: body must be at most {most_archived(len(data))} bytes in a file of "
            f"{len(data)}, not {size}"
        )
    inflate = zlib.decompressobj()
    try:
        # One byte more than declared: a longer stream shows itself and costs no memory.
        body = inflate.decompress(rest[8:], size + 1)
    except zlib.error as error:
        raise ArchiveError(f"{where}: body must be a zlib stream: {error}") from None
    if len(body) != size or not inflate.eof:
        raise ArchiveError(
            f"{where}: body must be exactly the {size} bytes declared, not "
            + ("more" if len(body) > size else f"{len(body)}")
        )
    if inflate.unused_data:
        raise ArchiveError(
            f"{where}: file must end with the body, not with {len(inflate.unused_data)} more bytes"
        )
    return body


def _parse(where: str, body: bytes, limits: Limits) -> tuple[dict, int]:
    """Return the checked json object and the offset of the first array."""
    length = struct.unpack_from("<I", body)[0]
    if length > min(limits.json, len(body) - 4):
        raise ArchiveError(
            f"{where}: json must be at most {min(limits.json, len(body) - 4)} bytes, not {length}"
        )
    text = body[4 : 4 + length]
    try:
        head = json.loads(text)
        canonical = _dump(head) == text
    except (ValueError, RecursionError):
        # Includes bad UTF-8, NaN on the way out, over-long integers and deep nesting.
        raise ArchiveError(
            f"{where}: json must be well formed, finite and not deeply nested, not this text"
        ) from None
    if not canonical:
        raise ArchiveError(f"{where}: json must be in canonical form, not another spelling of it")
    keys = {"arrays", "kind", "meta", "version"}
    if not isinstance(head, dict) or set(head) != keys:
        raise ArchiveError(f"{where}: json must be an object with the keys {sorted(keys)}")
    _check_json(where, head["meta"])
    return head, 4 + length


def _unpack(where: str, table, body: bytes, offset: int, limits: Limits) -> dict:
    """Cut the arrays out of the body, which they must fill exactly."""
    if not isinstance(table, list) or len(table) > limits.arrays:
        raise ArchiveError(f"{where}: arrays must be a list of at most {limits.arrays}, not this")
    arrays: dict[str, np.ndarray] = {}
    last = ""
    for entry in table:
        if not isinstance(entry, list) or len(entry) != 3:
            raise ArchiveError(f"{where}: array entry must be [name, dtype, shape], not this")
        name, code, shape = entry
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ArchiveError(
                f"{where}: array name must match {_NAME.pattern}, not {_short(name)}"
            )
        if name <= last:
            raise ArchiveError(f"{where}: array names must be sorted and unique, not {name!r} here")
        last = name
        if not isinstance(code, str) or code not in _DTYPES:
            raise ArchiveError(
                f"{where}: dtype of array {name!r} must be one of {', '.join(_DTYPES)}, "
                f"not {_short(code)}"
            )
        if (
            not isinstance(shape, list)
            or len(shape) > limits.dims
            or not all(_is_int(size) and 0 <= size <= limits.size for size in shape)
        ):
            raise ArchiveError(
                f"{where}: shape of array {name!r} must be at most {limits.dims} sizes "
                f"between 0 and {limits.size}, not this"
            )
        count, left = math.prod(shape), len(body) - offset
        # The sizes beside a 0 are bounded too: NumPy multiplies them before it allocates.
        if math.prod(max(size, 1) for size in shape) > limits.size or count * int(code[1]) > left:
            raise ArchiveError(
                f"{where}: array {name!r} must fit the {left} bytes left in the body, "
                f"not need {count * int(code[1])}"
            )
        array = np.empty(shape, dtype=code)
        if count:
            array[...] = np.frombuffer(body, "<" + code, count, offset).reshape(shape)
        arrays[name] = array
        offset += count * int(code[1])
    if offset != len(body):
        raise ArchiveError(
            f"{where}: body must end with the last array, not with {len(body) - offset} more bytes"
        )
    return arrays
