"""How LUT6 of trained networks are counted, before any synthesiser has seen them."""

from collections.abc import Mapping

__all__ = ["luts"]

#: LUT6 of a comparator of an 8-bit feature with a constant.
_OF_COMPARATOR = 2


def luts(stats: Mapping) -> int:
    """Those of comparators and tables, from what `PredictiveModel.stats` counts.

    A table is one for each bit of its numbers; sums of these are not counted.
    """
    return _OF_COMPARATOR * stats["comparisons"] + stats["table_luts"]
