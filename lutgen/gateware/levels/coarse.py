"""Coarser levels of the tiles in flight, read a column of eight rows at a time."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.pyramid import MAX_LEVELS

from ..fabric.blockmem import add_ram
from ..fabric.pipeline import choose

__all__ = ["CoarseMemory"]

#: Memories that rows are dealt to: enough for a square of 7 x 7.
_BANKS = 8
_BANK_BITS = 3


class CoarseMemory(wiring.Component):
    """Levels 1 and up of each tile; row r of a level is in bank r modulo 8.

    Latency of two clocks from an address to ``banks``, a read and a write in every clock; what is
    written can be read from the next clock on.  Reset leaves the contents.

    Parameters
    ----------
    levels:
        Levels above the image, 1 to 3.
    tile_width, tile_height:
        Whole tile in pixels, powers of two of at least 8.
    slots:
        Tiles, a power of two.

    Members
    -------
    write : In(1)
        Write ``write_pixel`` ...
    write_level, write_tile : In(...)
        ... into this level, 1 or more, of the tile in this slot, ...
    write_x, write_y : In(...)
        ... at this column and row of the tile on that level.
    tile, level : In(...)
        Slot and level to read, ...
    column, row : In(...)
        ... down this column, around this row.
    banks : Out(8) array
        Two clocks later, the column's pixels in the rows from ``row - 3`` to ``row + 4``: each
        bank that of its own row.  Rows and columns outside the level read anything.

    Raises
    ------
    ValueError
        If a parameter is outside its range.
    """

    #: Clocks from an address to ``banks``.
    latency = 2

    def __init__(self, levels: int, *, tile_width: int, tile_height: int, slots: int) -> None:
        if not 1 <= levels <= MAX_LEVELS:
            raise ValueError(f"levels must be 1 to {MAX_LEVELS}, not {levels!r}")
        for name, value, least in (
            ("tile width", tile_width, 8), ("tile height", tile_height, 8), ("slots", slots, 2),
        ):  # fmt: skip
            if value < least or value & (value - 1):
                raise ValueError(
                    f"{name} must be a power of two of at least {least}, not {value!r}"
                )
        self._levels = levels
        self._width, self._height = tile_width, tile_height
        self._depth = self.depth_of(
            levels, tile_width=tile_width, tile_height=tile_height, slots=slots
        )
        level, slot = bits_for(levels), bits_for(slots - 1)
        column, row = bits_for(tile_width // 2 - 1), bits_for(tile_height // 2 - 1)
        super().__init__({
            "write": In(1),
            "write_level": In(level),
            "write_tile": In(slot),
            "write_x": In(column),
            "write_y": In(row),
            "write_pixel": In(8),
            "tile": In(slot),
            "level": In(level),
            "column": In(column),
            "row": In(row),
            "banks": Out(8).array(_BANKS),
        })

    @staticmethod
    def depth_of(levels: int, *, tile_width: int, tile_height: int, slots: int) -> int:
        """Bytes of each of the eight banks."""
        finest = tile_width // 2 * max(1, tile_height // 2 // _BANKS)
        return slots * finest * (2 if levels > 1 else 1)

    def _address(self, tile, level, column, high):
        """Address of a pixel in a bank; ``high`` is its row divided by 8.

        A level has at most half the pixels of the one before, so a unary number of the level at
        the top of a slot's address and the position at its bottom cannot meet.
        """
        bits = (self._depth - 1).bit_length() - len(tile)
        choices = []
        for k in range(1, self._levels + 1):
            columns = (self._width >> k).bit_length() - 1
            rows = max(0, (self._height >> k).bit_length() - 1 - _BANK_BITS)
            unary = ((1 << (k - 1)) - 1) << max(0, bits - (k - 1))
            choices.append(Cat(column[:columns], high[:rows]) | Const(unary, bits))
        return Cat(choose([choices[0], *choices], level), tile)  # level 0 is none

    def elaborate(self, platform) -> Module:
        m = Module()
        address_bits = (self._depth - 1).bit_length()
        write_at = Signal(address_bits)
        m.d.comb += write_at.eq(self._address(
            self.write_tile, self.write_level, self.write_x, self.write_y[_BANK_BITS:]
        ))  # fmt: skip
        for b in range(_BANKS):
            # The lowest row of this bank that is not below row + 4, divided by 8: read from truth
            # tables of the row, as an adder would stand between the row and the memory.
            nearest = [(row + 4 - b) >> _BANK_BITS for row in range(1 << len(self.row))]
            high = Cat(
                Const(sum((value >> k & 1) << row for row, value in enumerate(nearest)),
                      len(nearest)).bit_select(self.row, 1)
                for k in range(len(self.row) - _BANK_BITS)
            )  # fmt: skip
            read_at = Signal(address_bits, name=f"read_at{b}")
            m.d.comb += [
                read_at.eq(self._address(self.tile, self.level, self.column, high)),
                self.banks[b].eq(add_ram(
                    m, f"bank{b}", self._depth, 8,
                    write=self.write & (self.write_y[:_BANK_BITS] == b), write_address=write_at,
                    data=self.write_pixel, address=read_at, fabric=platform,
                )),
            ]  # fmt: skip
        return m
