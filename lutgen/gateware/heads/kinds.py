"""The gateware of each kind of head in `lutgen.model.head.HEADS`."""

from lutgen.model.head import Head

from .blocks import HeadBlocks
from .laplace import LAPLACE
from .table import TABLE

__all__ = ["KINDS", "blocks_of"]

#: Blocks by the head's kind.
KINDS: dict[str, HeadBlocks] = {"table": TABLE, "laplace": LAPLACE}


def blocks_of(head: Head) -> HeadBlocks:
    """The blocks of a model's head."""
    return KINDS[head.kind]
