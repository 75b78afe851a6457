"""What files of version 2 a build of strips takes, and what it tells of each."""

import numpy as np
from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from lutgen.codec.coder import RANS
from lutgen.codec.predictive.container import raw_bits
from lutgen.model.header import VERSION_2, HeaderTable
from lutgen.model.samples import SampleFormat

from ..files.header import BuildHeader

__all__ = ["file_layout", "near_table", "strip_header"]

_PER_FILE = ("image width", "image height", "shift", "near", "strip height")


def strip_header(model_hash: bytes, depth: int) -> BuildHeader:
    """Header of files of one gray image of ``depth`` bits whose units are groups of rows."""
    fields = tuple(field._replace(per_file=field.name in _PER_FILE) for field in VERSION_2.fields)
    return BuildHeader(HeaderTable(VERSION_2.version, fields), {
        "model hash": model_hash, "bit depth": depth, "channels": 1, "coder": RANS.code,
        "tile width": 0, "images": 1,
    })  # fmt: skip


def file_layout(depth: int, max_width: int, max_height: int) -> StructLayout:
    """Sizes of an image, what its samples are, and the greatest index of its samples."""
    return StructLayout({
        "width": bits_for(max_width), "height": bits_for(max_height),
        "strip_height": bits_for(max_height), "near": 8, "shift": bits_for(16 - depth),
        "greatest": depth,
    })  # fmt: skip


def near_table(depth: int) -> np.ndarray:
    """Of each greatest error, 0 to 255: greatest index, and bits of one; 0 if there is no such.

    int64, shape (256, 2).
    """
    table = np.zeros((SampleFormat.MAX_NEAR + 1, 2), dtype=np.int64)
    for near in range(min(len(table), ((1 << depth) - 1) // 2 + 1)):
        levels = SampleFormat(depth, near=near).levels
        table[near] = levels - 1, raw_bits(levels)
    return table
