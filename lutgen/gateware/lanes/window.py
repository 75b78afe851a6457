"""Window fetch: the decoded neighbours of one pixel per clock, lanes in rotation.

A lane's window is a shift register of columns that its rows flow through without a gap: while the
last pixels of a row are coded, the columns that enter belong already to the next row.  What lies
outside the tile is masked by position, never by value, so nothing needs clearing between tiles.
A row shorter than radius + 1 is walked with unused slots up to that length, so that a column is
complete before it is fetched.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.window import Window

from ..fabric.blockmem import BLOCK
from ..fabric.pipeline import delay

__all__ = ["BackwardWindow", "ForwardWindow", "Masks", "block_sum", "row_banks"]


def row_banks(window: Window) -> int:
    """Memories that rows are dealt to, so that one read gives a column of the window."""
    return 2 if window.radius == 1 else 4


class Masks:
    """Which rows and columns of the window lie inside the tile, two clocks after the position.

    Rows below the pixel are known only if the tile's last row ``height`` is.
    """

    def __init__(self, m: Module, window: Window, x, y, width, *, height=None) -> None:
        radius = window.radius
        self._columns = {0: 1}
        self._rows = {0: 1}
        self._inside(m, self._columns, x, width, radius, "column")
        self._inside(m, self._rows, y, height, radius, "row")

    @staticmethod
    def _inside(m: Module, flags: dict, at, last, radius: int, name: str) -> None:
        for d in range(1, radius + 1):
            flags[-d] = delay(m, at >= d, 2, name=f"{name}_before{d}")
            if last is not None:
                beyond = delay(m, at + d, 1, name=f"{name}_at{d}")
                end = delay(m, last, 1, name=f"{name}_end")
                flags[d] = delay(m, beyond <= end, 1, name=f"{name}_after{d}")

    def delay(self, m: Module, cycles: int) -> None:
        """Have all flags later."""
        for flags, name in ((self._columns, "column"), (self._rows, "row")):
            for d in flags:
                if d:
                    flags[d] = delay(m, flags[d], cycles, name=f"{name}{d + 8}")

    def __call__(self, dy: int, dx: int):
        """Whether the pixel at an offset lies inside."""
        return self._columns[dx] & self._rows[dy]


def _features(m: Module, window: Window, masks: Masks, pixel: dict, o: Signal) -> None:
    for f, (dy, dx) in enumerate(window.offsets[: window.causal]):
        m.d.sync += o.word_select(f, 8).eq(Mux(masks(dy, dx), pixel[dy, dx], 0))


def block_sum(window) -> Value:
    """Sum of the other three pixels of the block that a window's pixel ends, as it leaves."""
    offsets = window.shape.offsets
    pixels = [
        window.features.word_select(offsets.index(at), 8) for at in ((-1, -1), (-1, 0), (0, -1))
    ]
    return pixels[0] + pixels[1] + pixels[2]


class ForwardWindow(wiring.Component):
    """Window of a decoder: pixels enter as they are decoded.

    Latency of three clocks, one window per clock.  A pixel must be written back before its own
    lane's next slot.

    Parameters
    ----------
    window:
        Shape of the window.
    lanes:
        Lanes in rotation.
    tile_width, tile_height:
        Largest tile; ``tile_width`` a power of two.

    Members
    -------
    lane : In(...)
        Lane of this clock.
    active : In(1)
        The lane advances by one column.
    x, y, width : In(...)
        Position in the tile, and the tile's last column.
    column : In(...)
        Column to fetch: ``radius`` ahead of x, counted on into the next row.
    features : Out(8 * window.causal)
        Decoded pixels of the window.
    write : In(1)
        Write a decoded pixel back, ...
    write_lane, write_column, write_pixel : In(...)
        ... of this lane and column, ...
    write_above : In(8 * (radius - 1))
        ... below these pixels, the nearest first; absent if the radius is 1.
    """

    latency = 3

    def __init__(
        self, window: Window, *, lanes: int, tile_width: int, tile_height: int
    ) -> None:
        self.shape = window
        self._lanes = lanes
        self._tile_width = tile_width
        lane, column = bits_for(lanes - 1), bits_for(tile_width - 1)
        super().__init__({
            "lane": In(lane),
            "active": In(1),
            "x": In(column),
            "y": In(bits_for(tile_height - 1)),
            "width": In(column),
            "column": In(column),
            "features": Out(8 * window.causal),
            "write": In(1),
            "write_lane": In(lane),
            "write_column": In(column),
            "write_pixel": In(8),
            **({"write_above": In(8 * (window.radius - 1))} if window.radius > 1 else {}),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        r = self.shape.radius
        m.submodules.lines = lines = Memory(
            shape=8 * r, depth=(1 << len(self.lane)) * self._tile_width, init=[], attrs=BLOCK
        )
        m.submodules.columns = columns = Memory(
            shape=ArrayLayout(8 * r, 2 * r), depth=self._lanes, init=[]
        )
        m.submodules.left = left = Memory(shape=8 * r, depth=self._lanes, init=[])

        fetch, store = lines.read_port(), lines.write_port()
        above = self.write_above if r > 1 else Const(0, 0)
        m.d.comb += [
            fetch.addr.eq(Cat(self.column, self.lane)),
            store.addr.eq(Cat(self.write_column, self.write_lane)),
            store.data.eq(Cat(self.write_pixel, above)),
            store.en.eq(self.write),
        ]
        entering = Signal(8 * r, reset_less=True)
        m.d.sync += entering.eq(fetch.data)

        masks = Masks(m, self.shape, self.x, self.y, self.width)
        lane = delay(m, self.lane, 2, name="lane")
        columns_read, columns_write = columns.read_port(domain="comb"), columns.write_port()
        left_read, left_write = left.read_port(domain="comb"), left.write_port()
        m.d.comb += [
            columns_read.addr.eq(lane),
            columns_write.addr.eq(lane),
            columns_write.en.eq(delay(m, self.active, 2, name="active")),
            left_read.addr.eq(lane),
        ]
        column = [columns_read.data[i] for i in range(2 * r)] + [entering]
        m.d.comb += columns_write.data.eq(Cat(column[1:]))
        pixel = {
            (dy, dx): (
                column[dx + r].word_select(-dy - 1, 8)
                if dy
                else left_read.data.word_select(-dx - 1, 8)
            )
            for dy, dx in self.shape.offsets[: self.shape.causal]
        }
        _features(m, self.shape, masks, pixel, self.features)
        # The pixels to the left shift when a new one is decoded; the nearest is lowest.
        again = left.read_port(domain="comb")
        m.d.comb += [
            again.addr.eq(self.write_lane),
            left_write.addr.eq(self.write_lane),
            left_write.data.eq(Cat(self.write_pixel, again.data)),
            left_write.en.eq(self.write),
        ]
        return m


class BackwardWindow(wiring.Component):
    """Window of an encoder, which walks tiles backwards over pixels that are all known.

    Latency of four clocks from the position to the window and its pixel, one window per clock.
    The column of pixels at ``column`` in rows ``row`` and above must be offered two clocks after
    the position, each row in the memory that its number modulo the number of memories names.

    Parameters
    ----------
    window:
        Shape of the window.
    lanes:
        Lanes in rotation.
    tile_width, tile_height:
        Largest tile.

    Members
    -------
    lane : In(...)
        Lane of this clock.
    active : In(1)
        The lane advances by one column.
    x, y, width : In(...)
        Position in the tile, and the tile's last column.
    row : In(...)
        Row that is fetched.
    banks : In(8) array
        Two clocks later, what the row memories read at the fetched column.
    features : Out(8 * window.causal)
        Decoded pixels of the window.
    pixel : Out(8)
        Pixel of this position.
    """

    latency = 4
    #: Clocks from the position to ``banks``.
    fetch_latency = 2

    def __init__(
        self, window: Window, *, lanes: int, tile_width: int, tile_height: int
    ) -> None:
        self.shape = window
        self._lanes = lanes
        column = bits_for(tile_width - 1)
        super().__init__({
            "lane": In(bits_for(lanes - 1)),
            "active": In(1),
            "x": In(bits_for(tile_width - 1 + window.radius)),
            "y": In(bits_for(tile_height - 1)),
            "width": In(column),
            "row": In(bits_for(row_banks(window) - 1)),
            "banks": In(8).array(row_banks(window)),
            "features": Out(8 * window.causal),
            "pixel": Out(8),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        r = self.shape.radius
        # Stored columns: x - r + 1 .. x with the pixel's own row, x + 1 .. x + r without.
        layout = StructLayout({
            "full": ArrayLayout(ArrayLayout(8, r + 1), r),
            "upper": ArrayLayout(ArrayLayout(8, r), r),
        })
        m.submodules.columns = columns = Memory(shape=layout, depth=self._lanes, init=[])
        masks = Masks(m, self.shape, self.x, self.y, self.width)
        masks.delay(m, 1)

        banks = Array(self.banks)
        row = delay(m, self.row, 2, name="row")
        entering = Signal(ArrayLayout(8, r + 1), reset_less=True)
        m.d.sync += [
            entering[k].eq(banks[(row - k)[: len(self.row)]]) for k in range(r + 1)
        ]
        lane = delay(m, self.lane, 3, name="lane")
        read, write = columns.read_port(domain="comb"), columns.write_port()
        full = [read.data.full[j] for j in range(r)]
        upper = [read.data.upper[j] for j in range(r)]
        m.d.comb += [
            read.addr.eq(lane),
            write.addr.eq(lane),
            write.en.eq(delay(m, self.active, 3, name="active")),
            *[write.data.full[j].eq(column)
              for j, column in enumerate([entering, *full[:-1]])],
            *[write.data.upper[0][k].eq(full[-1][k + 1]) for k in range(r)],
            *[write.data.upper[j].eq(upper[j - 1]) for j in range(1, r)],
        ]  # fmt: skip

        def at(dy: int, dx: int):
            if dx == -r:
                return entering[-dy]
            return full[dx + r - 1][-dy] if dx <= 0 else upper[dx - 1][-dy - 1]

        causal = self.shape.offsets[: self.shape.causal]
        pixel = {(dy, dx): at(dy, dx) for dy, dx in causal}
        _features(m, self.shape, masks, pixel, self.features)
        m.d.sync += self.pixel.eq(at(0, 0))
        return m
