"""Packing of named integer arrays into bit vectors, one vector per clock."""

from __future__ import annotations

import numpy as np

from lutgen.errors import InputError
from lutgen.sim.tool.design import Port

__all__ = ["as_integers", "field_bits", "numbers", "pack", "table", "unpack"]


def as_integers(name: str, values, port: Port) -> np.ndarray:
    """Return ``values`` as a one-dimensional integer array whose members fit ``port``.

    Negative numbers are taken as two's complement. The dtype is int64 for up to 63 bits, otherwise
    object (Python integers).

    Raises
    ------
    InputError
        If the array is not one of integers, not one-dimensional, or a value does not fit.
    """
    array = np.asarray(values)
    if array.dtype == bool:
        array = array.astype(np.int64)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1:
        raise InputError(f"{name} must be a one-dimensional array, not of shape {array.shape}")
    if array.dtype.kind not in "iuO":
        raise InputError(f"{name} must be an array of integers, not of {array.dtype}")
    if array.dtype.kind == "O":
        if not all(isinstance(v, (int, np.integer)) for v in array):
            raise InputError(f"{name} must be an array of integers, not of other objects")
        array = np.array([int(v) for v in array], dtype=object)
    if array.size:
        low, high = int(array.min()), int(array.max())
        if low < -(1 << (port.width - 1)) or high >= 1 << port.width:
            bad = low if low < -(1 << (port.width - 1)) else high
            raise InputError(f"{name} must fit {port.width} bits, not {bad}")
    if port.width <= 63:
        return array.astype(np.int64)
    return array.astype(object)


def field_bits(values: np.ndarray, width: int) -> np.ndarray:
    """Return the low ``width`` bits of integers (T,) as uint8 (T, width), lowest bit first."""
    if values.dtype != object:
        raw = values.astype("<i8").view(np.uint8).reshape(len(values), 8)
    else:
        size = (width + 7) // 8
        mask = (1 << width) - 1
        joined = b"".join((v & mask).to_bytes(size, "little") for v in values.tolist())
        raw = np.frombuffer(joined, np.uint8).reshape(len(values), size)
    return np.unpackbits(raw, axis=1, bitorder="little")[:, :width]


def pack(fields: list[tuple[int, int, np.ndarray]], width: int, length: int) -> np.ndarray:
    """Return uint8 (length, ceil(width / 8)): little-endian vectors made of fields.

    ``fields`` lists (first bit, bits, integers (length,)).
    """
    bits = np.zeros((length, max(width, 1)), np.uint8)
    for offset, count, values in fields:
        bits[:, offset : offset + count] = field_bits(values, count)
    return np.packbits(bits, axis=1, bitorder="little")


def numbers(vectors: np.ndarray) -> list[int]:
    """Return vectors uint8 (T, bytes) as Python integers."""
    return [int.from_bytes(row, "little") for row in map(bytes, vectors)]


def table(values: list[int], width: int) -> np.ndarray:
    """Return integers of ``width`` bits as vectors uint8 (T, ceil(width / 8))."""
    size = (width + 7) // 8
    joined = b"".join([value.to_bytes(size, "little") for value in values])
    return np.frombuffer(joined, np.uint8).reshape(len(values), size)


def unpack(raw: np.ndarray, offset: int, width: int, signed: bool = False) -> np.ndarray:
    """Return the integers (T,) in bits [offset, offset + width) of vectors uint8 (T, bytes).

    The dtype is int64 for up to 63 bits, otherwise object (Python integers).
    """
    first, last = offset // 8, (offset + width + 7) // 8
    part = np.unpackbits(raw[:, first:last], axis=1, bitorder="little")
    part = part[:, offset - 8 * first : offset - 8 * first + width]
    packed = np.packbits(part, axis=1, bitorder="little")
    if width <= 63:
        full = np.zeros((len(raw), 8), np.uint8)
        full[:, : packed.shape[1]] = packed
        values = full.reshape(-1).view("<i8").astype(np.int64)
        if signed:
            values -= (values >> (width - 1)) << width
        return values
    values = np.empty(len(raw), dtype=object)
    for row, text in enumerate(packed):
        value = int.from_bytes(text.tobytes(), "little")
        values[row] = value - (1 << width) if signed and value >> (width - 1) else value
    return values
