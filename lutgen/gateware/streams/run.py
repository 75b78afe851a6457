"""Runs of bytes: a beat of one to several."""

from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

__all__ = ["run_layout"]


def run_layout(count: int) -> StructLayout:
    """One to ``count`` bytes, the number of the last one, and whether it ends the file."""
    return StructLayout({"data": 8 * count, "top": bits_for(count - 1), "last": 1})
