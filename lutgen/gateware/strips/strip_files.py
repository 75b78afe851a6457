"""What files of version 2 a build of strips takes, and what it tells of each."""

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


def near_table(depth: int, most: int) -> list[tuple[int, int]]:
    """Of each near from 0 to ``most``: greatest index, and bits of one."""
    levels = [SampleFormat(depth, near=near).levels for near in range(most + 1)]
    return [(count - 1, raw_bits(count)) for count in levels]
