"""Priors: memory of upsampled pixels, and the part of the window that they fill.

Upsampled pixels come in 2 x 2 blocks and are read by columns of ``radius + 1`` rows, so rows are
dealt to four memories by their number modulo four, and a word holds two pixels side by side.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.window import Window

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose, delay
from ..lanes.window import Masks

__all__ = ["PriorMemory", "PriorWindow"]

_BANKS = 4


def _address(level, y, x, levels: int):
    """Address of column x, row y of a level whose finer levels are twice as wide and high.

    The level, in unary, is at the top, the position at the bottom.
    """
    bits = len(x) + len(y) + (levels > 1)
    choices = []
    for k in range(levels):
        at = Cat(x[: max(0, len(x) - k)], y[: max(0, len(y) - k)])
        choices.append(at | Const(((1 << k) - 1) << (bits - k), bits))
    return choose(choices, level)


class PriorMemory(wiring.Component):
    """Upsampled pixels of tiles in flight, and the pixels that they were made from.

    One block written and one column read in every clock.

    Parameters
    ----------
    radius:
        Of the window: a column is of ``radius + 1`` rows.
    slots:
        Tiles, a power of two.
    levels:
        Levels of each tile that are kept at a time, 1 or more; level 0 is the finest.
    tile_width, tile_height:
        Largest tile.
    parents:
        Whether the pixels of the next coarser level are kept.

    Members
    -------
    write : In(1)
        Write a block, ...
    write_slot, write_level : In(...)
        ... of this tile and level, ...
    write_x, write_y : In(...)
        ... the block's place, which is that of the coarser level's pixel, ...
    write_block : In(8) array
        ... its pixels: top left, top right, bottom left, bottom right, ...
    write_parent : In(8)
        ... and the coarser level's pixel.
    slot, level : In(...)
        Tile and level to read, ...
    column, row : In(...)
        ... of which this column from this row downwards.
    rows : Out(8) array
        Three clocks later: pixels of rows ``row .. row + radius``.
    parent_x, parent_y : In(...)
        Place in the coarser level to read.
    parent : Out(8)
        Its pixel, two clocks later; zero without ``parents``.
    """

    #: Clocks from the address to ``rows`` and to ``parent``.
    latency = 3
    parent_latency = 2

    def __init__(
        self, *, radius: int, slots: int, levels: int, tile_width: int, tile_height: int,
        parents: bool,
    ) -> None:  # fmt: skip
        self._slots, self._levels, self._parents = slots, levels, parents
        column, row = bits_for(tile_width - 1), bits_for(tile_height - 1)
        slot, level = bits_for(slots - 1), bits_for(levels - 1)
        super().__init__({
            "write": In(1),
            "write_slot": In(slot),
            "write_level": In(level),
            "write_x": In(column - 1),
            "write_y": In(row - 1),
            "write_block": In(8).array(4),
            "write_parent": In(8),
            "slot": In(slot),
            "level": In(level),
            "column": In(column),
            "row": In(row),
            "rows": Out(8).array(radius + 1),
            "parent_x": In(column - 1),
            "parent_y": In(row - 1),
            "parent": Out(8),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        # Rows 4 q .. 4 q + 3 are the words q of the four memories.
        write_at = Cat(
            _address(self.write_level, self.write_y[1:], self.write_x, self._levels),
            self.write_slot,
        )
        words = []
        for bank in range(_BANKS):
            half = bank % 2
            after = self.row[:2] > bank  # the column begins below this memory's row
            above = (self.row[2:] + after)[: len(self.row) - 2]
            words.append(add_ram(
                m, f"bank{bank}", self._slots << (len(write_at) - len(self.write_slot)), 16,
                write=self.write & (self.write_y[0] == bank // 2), write_address=write_at,
                data=Cat(self.write_block[2 * half], self.write_block[2 * half + 1]),
                address=Cat(
                    _address(self.level, above, self.column[1:], self._levels), self.slot
                ),
                fabric=platform,
            ))  # fmt: skip
        row = delay(m, self.row[:2], 2, name="row")
        odd = delay(m, self.column[0], 2, name="odd")
        pixels = Array(Mux(odd, word[8:], word[:8]) for word in words)
        for k, pixel in enumerate(self.rows):
            m.d.sync += pixel.eq(pixels[(row + k)[:2]])
        if self._parents:
            write_at = Cat(
                _address(self.write_level, self.write_y, self.write_x, self._levels),
                self.write_slot,
            )
            m.d.comb += self.parent.eq(add_ram(
                m, "parents", self._slots << (len(write_at) - len(self.write_slot)), 8,
                write=self.write, write_address=write_at, data=self.write_parent,
                address=Cat(
                    _address(self.level, self.parent_y, self.parent_x, self._levels),
                    self.slot,
                ),
                fabric=platform,
            ))  # fmt: skip
        return m


class PriorWindow(wiring.Component):
    """What of the window is upsampled: the pixel itself, those to its right, the rows below.

    Latency of four clocks from the position, one window per clock.  The column at ``x + radius``
    (walking forwards) or ``x - radius`` (backwards), its own row topmost, must be offered three
    clocks after the position, in every slot in which a lane is active.  No reset: what lies outside
    the tile is masked by position.

    Parameters
    ----------
    window:
        Shape of the window, with a prior.
    lanes:
        Lanes in rotation.
    tile_width, tile_height:
        Largest tile.
    backward:
        Whether tiles are walked backwards.

    Members
    -------
    lane : In(...)
        Lane of this clock.
    active : In(1)
        The lane advances by one column.
    has_prior : In(1)
        The level is upsampled; without, all features are zero.
    x, y, width, height : In(...)
        Position, and the level's last column and row.
    rows : In(8) array
        Three clocks later, the entering column.
    features : Out(...)
        Features of the window from number ``window.causal`` on.
    """

    latency = 4
    #: Clocks from the position to ``rows``.
    fetch_latency = 3

    def __init__(
        self, window: Window, *, lanes: int, tile_width: int, tile_height: int, backward: bool
    ) -> None:
        self._window = window
        self._lanes = lanes
        self._backward = backward
        column, row = bits_for(tile_width - 1), bits_for(tile_height - 1)
        super().__init__({
            "lane": In(bits_for(lanes - 1)),
            "active": In(1),
            "has_prior": In(1),
            "x": In(bits_for(tile_width - 1 + window.radius) if backward else column),
            "y": In(row),
            "width": In(column),
            "height": In(row),
            "rows": In(8).array(window.radius + 1),
            "features": Out(8 * (window.features - window.causal)),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        r = self._window.radius
        # Columns behind the entering one, the newest first; the pixel's own row has priors to its
        # right only, so that walking forwards it is needed for half as long.
        own = 2 * r if self._backward else r
        layout = StructLayout({
            "own": ArrayLayout(8, own), "below": ArrayLayout(8 * r, 2 * r),
        })  # fmt: skip
        m.submodules.columns = columns = Memory(shape=layout, depth=self._lanes, init=[])
        masks = Masks(m, self._window, self.x, self.y, self.width, height=self.height)
        masks.delay(m, 1)
        has_prior = delay(m, self.has_prior, 3, name="has_prior")
        lane = delay(m, self.lane, 3, name="lane")
        read, write = columns.read_port(domain="comb"), columns.write_port()
        own_row = [self.rows[0], *[read.data.own[j] for j in range(own)]]
        below = [Cat(self.rows[k] for k in range(1, r + 1))]
        below += [read.data.below[j] for j in range(2 * r)]
        m.d.comb += [
            read.addr.eq(lane),
            write.addr.eq(lane),
            write.en.eq(delay(m, self.active, 3, name="active")),
            write.data.own.eq(Cat(own_row[:-1])),
            write.data.below.eq(Cat(below[:-1])),
        ]

        first = self._window.causal
        for f, (dy, dx) in enumerate(self._window.offsets[first:]):
            age = dx + r if self._backward else r - dx
            pixel = below[age].word_select(dy - 1, 8) if dy else own_row[age]
            m.d.sync += self.features.word_select(f, 8).eq(
                Mux(masks(dy, dx) & has_prior, pixel, 0)
            )
        return m
