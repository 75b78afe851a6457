"""What streams between the ports and the cores of slabs carry."""

from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from ..predictive.config import PredictiveConfig

__all__ = ["beat_layout", "part_layout", "picture_layout", "power_of_two", "raster_layout"]

#: The shallowest queue that is worth a block memory.
_SHALLOWEST = 64


def beat_layout(config: PredictiveConfig) -> StructLayout:
    """Samples of a beat, the leftmost lowest, in whole bytes each; TUSER[0] and TLAST."""
    return StructLayout({"data": config.cores * config.pixel_bits, "sof": 1, "eol": 1})


def raster_layout(config: PredictiveConfig) -> StructLayout:
    """The same and TKEEP, a bit for each byte."""
    return StructLayout({
        **beat_layout(config).members, "keep": config.cores * config.pixel_bits // 8,
    })  # fmt: skip


def part_layout(config: PredictiveConfig) -> StructLayout:
    """A beat of a slab's part of a row: samples without gaps, and the number of the last one;
    whether it is the picture's first, and the last of this part.
    """
    return StructLayout({
        "data": config.cores * config.depth, "top": bits_for(config.cores - 1), "sof": 1, "eol": 1,
    })  # fmt: skip


def picture_layout(config: PredictiveConfig) -> StructLayout:
    """Size of an image, and its near, if there is one."""
    return StructLayout({
        "width": bits_for(config.max_width), "height": bits_for(config.max_height),
        **({"near": bits_for(config.max_near)} if config.max_near else {}),
    })  # fmt: skip


def power_of_two(at_least: int) -> int:
    """Depth of a queue in block memory for so many words."""
    return 1 << (max(at_least, _SHALLOWEST) - 1).bit_length()
