"""Pixels in raster order: layouts of pixels, images and files."""

from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

__all__ = ["PIXEL", "file_layout", "frame_layout", "has_one_left", "pixel_layout"]


def pixel_layout(depth: int) -> StructLayout:
    """A gray pixel on a stream: TUSER[0] of AXI4-Stream video is ``sof``, TLAST is ``eol``."""
    return StructLayout({"data": depth, "sof": 1, "eol": 1})


#: A pixel of 8 bits.
PIXEL = pixel_layout(8)


def has_one_left(counter, bits: int):
    """Whether the low ``bits`` will all be ones when the counter has counted once more."""
    return counter[:bits] == (1 << min(bits, len(counter))) - 2


def frame_layout(max_width: int, max_height: int) -> StructLayout:
    """Size of an image: its last column and row."""
    return StructLayout({"width": bits_for(max_width - 1), "height": bits_for(max_height - 1)})


def file_layout(max_width: int, max_height: int) -> StructLayout:
    """Size and number of a file's images, in pixels and images."""
    return StructLayout({
        "width": bits_for(max_width), "height": bits_for(max_height), "images": 32,
    })  # fmt: skip
