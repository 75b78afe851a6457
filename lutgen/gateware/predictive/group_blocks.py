"""Where the samples of a gray picture's groups stand: each row in blocks, which it has no longer
than it needs them.

Groups are walked through in lanes, each some columns behind the one before, so that at any moment
half of their samples, as a mean, have not come yet or are no longer wanted.  A memory of whole
groups would hold these places empty.  Here a row takes a block of columns when the first of its
samples comes, and gives it back when the last has been read: `most_waiting` and `most_decoded` say
how many are in use at most, about half as many as those of whole groups.
"""

from collections.abc import Callable

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP, LAG

from ..fabric.block_pool import BlockPool
from ..fabric.blockmem import add_ram, ram_cost
from ..fabric.fabric import LUT6, Fabric
from .walk import PRIMING

__all__ = ["GroupBlocks", "most_decoded", "most_waiting"]

#: Groups beside those of the lanes, of which one is complete and one comes in or goes out.
_SPARE = 2
#: Columns of a block: a row's begin in other periods than those of its group's other rows.
_COLUMNS = tuple(1 << k for k in range(4, 10))


def _under_way(width: np.ndarray, lanes: int, least: int, of_row: Callable, oldest=None):
    """Blocks of groups that have begun one after the other as fast as they may.

    ``of_row`` gives those of a row that has been through so many columns.  The groups' ages are
    multiples of the fewest periods between two; with the age of the ``oldest`` that less these.
    """
    stagger = np.maximum(least, (width + PRIMING) // lanes)
    total = np.zeros_like(width)
    for group in range(lanes + 2):
        age = group * stagger
        if oldest is not None:
            age = oldest - age
        for row in range(GROUP):
            total += of_row(np.clip(age - PRIMING - LAG * row, 0, width))
    return total


def most_waiting(max_width: int, lanes: int, least: int, columns: int) -> int:
    """Blocks that an encoder needs at least, so that it never waits for what has no room.

    The walk stops for a group that is due and has not all come.  What has begun before it is then
    as many periods old as groups are apart at least, and what comes behind it has not begun to
    come.  So there must be blocks for all of the group that is due, and for those columns of the
    others that have not been read.
    """
    width = np.arange(1, max_width + 1)
    row = -(-width // columns)

    def left(through):
        return np.where(through == width, 0, row - through // columns)

    return int(_under_way(width, lanes, least, left).max())


def most_decoded(max_width: int, lanes: int, least: int, columns: int) -> int:
    """Blocks that a decoder needs at least, so that its oldest group is completed.

    Groups that are complete leave by themselves.  If the oldest one is about to be complete, those
    behind it are younger by as many periods as groups are apart at least.
    """
    width = np.arange(1, max_width + 1)

    def come(through):
        return -(-through // columns)

    oldest = width + PRIMING + LAG * (GROUP - 1)
    return int(_under_way(width, lanes, least, come, oldest).max())


class GroupBlocks:
    """Geometry of a memory of blocks, and of the table that says where a group's are.

    Its blocks have as many columns as makes all memories smallest.

    Parameters
    ----------
    max_width:
        Columns of a row at most.
    lanes, least:
        Groups under way, and fewest periods between the beginnings of two.
    depth:
        Bits of a sample.
    decodes:
        Whether samples come from the walk and leave row by row, or the other way round.
    fabric:
        Whose memories to use.
    """

    def __init__(
        self, max_width: int, lanes: int, least: int, *, depth: int, decodes: bool,
        fabric: Fabric = LUT6,
    ) -> None:  # fmt: skip
        self.max_width, self._depth, self._fabric = max_width, depth, fabric
        #: Groups that the table knows.
        self.buffers = lanes + _SPARE
        #: Blocks of which a decoder's next period and those that are on their way may take one
        #: each: one group of each lane does, and of one lane two; or pixels of an encoder, of which
        #: three may come before ``low`` tells of the first.
        self.margin = lanes + 1 if decodes else 3
        most = most_decoded if decodes else most_waiting

        def planned(columns: int):
            # Blocks of several lanes may begin or end at once: the other side does not wait.
            need = most(max_width, lanes, least, columns) + self.margin + lanes // 2
            table = self._places(columns)
            number = bits_for(need)
            cost = (
                ram_cost(need * columns, depth, fabric) + ram_cost(table, number, fabric)
                + ram_cost(1 << number, number, fabric)
            )  # fmt: skip
            return cost, -columns, need

        #: Halves of block memories that all of it takes; its blocks, and their columns.
        self.cost, columns, self.blocks = min(map(planned, _COLUMNS))
        self.columns = -columns
        self._low = (self.columns - 1).bit_length()

    def _places(self, columns: int) -> int:
        """Places of the table: of each row as many as it has blocks, up to a power of two."""
        return self.buffers * GROUP << (-(-self.max_width // columns) - 1).bit_length()

    @property
    def layout(self) -> StructLayout:
        """A group: its number in the table, its columns, its rows less one, and whether a picture
        begins and whether it ends with it."""
        return StructLayout({
            "base": bits_for(self.buffers - 1), "width": bits_for(self.max_width), "rows": 2,
            "first": 1, "last": 1,
        })  # fmt: skip

    def following(self, base) -> Value:
        """Number of the group behind that of number ``base``, in a ring."""
        return Mux(base == self.buffers - 1, 0, base + 1)

    def add_pool(self, m: Module) -> BlockPool:
        """The pool of its blocks, which is ``low`` if there are fewer than the margin."""
        m.submodules.pool = pool = BlockPool(self.blocks)
        m.d.comb += pool.least.eq(self.margin)
        return pool

    def begins(self, column) -> Value:
        """Whether a block begins with a column."""
        return ~column[: self._low].any()

    def ends(self, column) -> Value:
        """Whether it ends with it."""
        return column[: self._low].all()

    def add_table(
        self, m: Module, *, write, write_place: tuple, block, place: tuple
    ) -> Value:
        """Block of a place, which is a group's number, a row and a column; two clocks later."""

        def address(base, row, column) -> Value:
            return Cat(column[self._low : (self.max_width - 1).bit_length()], row, base)

        return add_ram(
            m, "blocks", self._places(self.columns), bits_for(self.blocks - 1),
            write=write, write_address=address(*write_place), data=block, address=address(*place),
            fabric=self._fabric,
        )  # fmt: skip

    def add_samples(
        self, m: Module, *, write, write_block, write_column, data, block, column
    ) -> Value:
        """Sample at a column of a block; two clocks later."""
        low = self._low
        return add_ram(
            m, "samples", self.blocks << low, self._depth, write=write,
            write_address=Cat(write_column[:low], write_block), data=data,
            address=Cat(column[:low], block), fabric=self._fabric,
        )  # fmt: skip
