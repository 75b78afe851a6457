"""What streams between the ports and the cores of slabs carry."""

from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from ..predictive.config import PredictiveConfig
from ..predictive.top import setting_ports

__all__ = ["part_layout", "picture_layout"]


def part_layout(config: PredictiveConfig, *, eof: bool = False) -> StructLayout:
    """A beat of a slab's part of a row: pixels without gaps, and the number of the last one;
    whether it is the picture's first, and the last of this part, and with ``eof`` of the picture.
    """
    return StructLayout({
        "data": config.cores * config.packed_bits, "top": bits_for(config.cores - 1), "sof": 1,
        "eol": 1, **({"eof": 1} if eof else {}),
    })  # fmt: skip


def picture_layout(config: PredictiveConfig) -> StructLayout:
    """What an encoder is told of an image: its size, and near and order, if it has these."""
    return StructLayout({name: port.shape for name, port in setting_ports(config).items()})
