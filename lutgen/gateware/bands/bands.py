"""Bands: what several cores behind one pair of ports share out.

A band is a row of tiles of an image.  Tiles are independent, so a band is coded as a file of its
own, of one image as high as the band: its packets are the packets of the whole image's tiles.
Bands go to the cores in turn and come back in the same order.
"""

from dataclasses import replace

from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from lutgen.errors import InputError

from ..core.config import CoreConfig

__all__ = [
    "CORES", "band_config", "band_layout", "beat_depth", "check_cores", "cut_layout",
    "pixels_layout", "run_depth",
]  # fmt: skip

#: Cores that may share a pair of ports.
CORES = (1, 2, 4, 8)
#: The shallowest queue that is worth a block memory.
_SHALLOWEST = 64


def check_cores(cores: int, stream_bytes: int) -> None:
    """InputError unless so many cores can share a stream of so many bytes."""
    if cores not in CORES:
        raise InputError(f"cores must be 1, 2, 4 or 8, not {cores!r}")
    if cores > 1 and stream_bytes not in (2, 4, 8):
        raise InputError(
            f"stream width must be 2, 4 or 8 bytes for {cores} cores, not {stream_bytes!r}"
        )


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


def _power_of_two(at_least: int) -> int:
    return 1 << (max(at_least, _SHALLOWEST) - 1).bit_length()


def beat_depth(config: CoreConfig, cores: int) -> int:
    """Beats of the widest band: while one core's is filled or read, the others' are as well."""
    return _power_of_two(-(-config.max_width // cores) * config.tile_height)


def run_depth(config: CoreConfig, count: int) -> int:
    """Words of ``count`` bytes that hold the widest band's packets at four bits a pixel."""
    return _power_of_two(config.max_width * config.tile_height // (2 * count))
