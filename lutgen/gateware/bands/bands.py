"""Bands: what several cores behind one pair of ports share out.

A band is a row of tiles of an image.  Tiles are independent, so a band is coded as a file of its
own, of one image as high as the band: its packets are the packets of the whole image's tiles.
Bands go to the cores in turn and come back in the same order.
"""

from dataclasses import replace

from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from ..core.config import CoreConfig
from ..core.several import queue_depth

__all__ = [
    "band_config", "band_layout", "beat_depth", "cut_layout", "pixels_layout", "run_depth",
]  # fmt: skip


def band_config(config: CoreConfig) -> CoreConfig:
    """A core of bands: as the configured one, for images no higher than a tile."""
    return replace(config, max_height=config.tile_height)


def band_layout(config: CoreConfig) -> StructLayout:
    """Size of a band: its last column and row."""
    return StructLayout({
        "width": bits_for(config.max_width - 1), "height": bits_for(config.tile_height - 1),
    })  # fmt: skip


def cut_layout(cores: int) -> StructLayout:
    """A beat of pixels into a band; whether it ends a row, and whether the band."""
    return StructLayout({"data": 8 * cores, "eol": 1, "eob": 1})


def pixels_layout(cores: int) -> StructLayout:
    """A beat of pixels out of a band: as `cut_layout`, and the number of its last pixel, behind
    which it is zero.
    """
    return StructLayout({"data": 8 * cores, "top": bits_for(cores - 1), "eol": 1, "eob": 1})


def beat_depth(config: CoreConfig, cores: int) -> int:
    """Beats of the widest band: while one core's is filled or read, the others' are as well."""
    return queue_depth(-(-config.max_width // cores) * config.tile_height)


def run_depth(config: CoreConfig, count: int) -> int:
    """Words of ``count`` bytes that hold the widest band's packets at four bits a pixel."""
    return queue_depth(config.max_width * config.tile_height // (2 * count))
