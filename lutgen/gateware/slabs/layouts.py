"""What streams between the ports and the cores of slabs carry."""

from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from ..predictive.config import PredictiveConfig

__all__ = ["part_layout", "picture_layout"]


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
