"""Where the samples of groups of rows stand in a picture memory: both cores have one."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from lutgen.codec.predictive.container import GROUP

from ..fabric.pipeline import choose, delay

__all__ = ["GroupMemory"]

_SPARE = 2


class GroupMemory:
    """Geometry of a memory of groups, each of four rows of as many words as the widest one has.

    Parameters
    ----------
    max_width:
        Columns of a row at most.
    lanes:
        Groups that are under way: two more are held, one that is complete and one that comes in
        or goes out.  Of several planes it is one more, as rows that come together stand in two.
    planes:
        Planes of an image.
    order_bits:
        Bits of the order of planes, which groups know besides.
    """

    #: Clocks from a sample's group, row and column to its place.
    latency = 2

    def __init__(
        self, max_width: int, lanes: int, *, planes: int = 1, order_bits: int = 0
    ) -> None:
        self.max_width, self._order_bits = max_width, order_bits
        #: Groups that are held.
        self.buffers = buffers = lanes + _SPARE + (GROUP % planes != 0)
        #: Words of a group.
        self.group = GROUP * max_width
        #: Words of the memory.
        self.words = buffers * self.group

    @property
    def layout(self) -> StructLayout:
        """A group in it: its first word, its columns, its rows less one, and whether a picture
        begins and whether it ends with it."""
        return StructLayout({
            "base": bits_for(self.words - 1), "width": bits_for(self.max_width), "rows": 2,
            "first": 1, "last": 1, **({"order": self._order_bits} if self._order_bits else {}),
        })  # fmt: skip

    def place(self, m: Module, name: str, base, row, column) -> Value:
        """Word of a sample, two clocks later."""
        begin = Signal(range(self.words), name=f"{name}_row", reset_less=True)
        place = Signal(range(self.words), name=f"{name}_place", reset_less=True)
        rows = [Const(k * self.max_width) for k in range(GROUP)]
        m.d.sync += [
            begin.eq(base + choose(rows, row)),
            place.eq(begin + delay(m, column, 1, name=f"{name}_column")),
        ]
        return place

    def following(self, base) -> Value:
        """First word of the group behind that at ``base``, in a ring."""
        return Mux(base == self.words - self.group, 0, base + self.group)
