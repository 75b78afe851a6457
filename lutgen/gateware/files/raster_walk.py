"""The walk through a raster: frame by frame, row by row, with the tiles that it runs through.

Nothing is compared when a step is taken: registers say of the coming step whether it ends its row,
its tile's row, its tile or its frame.  What they say of the step after it is found by comparing
with the last but one column and row while the walk is there.  In a frame of one column or row there
is none, and each step is a last one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value

from ..fabric.countdown import LESSENED_LATENCY, countdown, lessened
from ..fabric.pipeline import delay

__all__ = ["Edges", "FileSizes", "RasterWalk", "last_image"]


class Edges:
    """What a walk compares with: the last but one column and row of a frame, or that there is none.

    Parameters
    ----------
    x, y:
        Shapes of a column and a row.
    prefix:
        Of the names of the registers.
    """

    def __init__(self, x: Shape, y: Shape, *, prefix: str = "") -> None:
        self.before_x = Signal(x, name=f"{prefix}before_x")
        self.before_y = Signal(y, name=f"{prefix}before_y")
        self.one_column = Signal(name=f"{prefix}one_column")
        self.one_row = Signal(name=f"{prefix}one_row")

    def follow(self, last_x: Value, last_y: Value) -> list:
        """Assignments: those of frames with this last column and row."""
        return [
            self.before_x.eq(last_x - 1), self.before_y.eq(last_y - 1),
            self.one_column.eq(last_x == 0), self.one_row.eq(last_y == 0),
        ]  # fmt: skip

    def take_over(self, other: "Edges") -> list:
        """Assignments: those of the other ones."""
        return [
            self.before_x.eq(other.before_x), self.before_y.eq(other.before_y),
            self.one_column.eq(other.one_column), self.one_row.eq(other.one_row),
        ]  # fmt: skip


class RasterWalk:
    """Place of the coming step in its frame, and flags of it.

    Parameters
    ----------
    m:
        Module that the walk becomes a part of.
    x, y:
        Shapes of a column and a row.
    tiles:
        Whether ``tile_end`` is told.

    Members
    -------
    x, y : Signal
        Column and row of the coming step.
    row_end, frame_end : Signal
        It is in the frame's last column; in its last row.
    tile_end, band_end : Signal
        It is in its tile's last column; in its band's last row.
    edges : Edges
        Of the frame.
    """

    def __init__(self, m: Module, x: Shape, y: Shape, *, tiles: bool = True) -> None:
        self._m = m
        self.x = Signal(x)
        self.y = Signal(y)
        self.row_end = Signal()
        self.frame_end = Signal()
        self._tiles = tiles
        self.tile_end = Signal()
        self.band_end = Signal()
        self.edges = Edges(x, y)

    def begin(self, edges: Edges) -> None:
        """The coming step is the first of a frame."""
        sync = self._m.d.sync
        sync += self.row_end.eq(edges.one_column)
        if self._tiles:
            sync += self.tile_end.eq(edges.one_column)
        sync += [self.frame_end.eq(edges.one_row), self.band_end.eq(edges.one_row)]

    def look_ahead(self, *, band_next: Value, tile_next: Value | None = None) -> None:
        """The step is taken: flags of the one after it.

        ``band_next`` says whether a band ends with the next row, and ``tile_next`` whether a tile
        ends with the next column, of frames that go on there.
        """
        m, edges = self._m, self.edges
        row_next = Mux(self.row_end, edges.one_column, self.x == edges.before_x)
        frame_next = Mux(self.frame_end, edges.one_row, self.y == edges.before_y)
        m.d.sync += self.row_end.eq(row_next)
        if self._tiles:
            m.d.sync += self.tile_end.eq(row_next | (~self.row_end & tile_next))
        with m.If(self.row_end):
            m.d.sync += [
                self.frame_end.eq(frame_next),
                self.band_end.eq(frame_next | (~self.frame_end & band_next)),
            ]

    @contextmanager
    def go_on(self, numbers: tuple[Signal, Signal] | None = None) -> Iterator[None]:
        """The step is taken: place of the one after it; the body is for a step that ends a frame.

        With the ``numbers`` of its tile and of its band's first tile, if they are wanted.
        """
        m = self._m
        m.d.sync += self.x.eq(Mux(self.row_end, 0, self.x + 1))
        if numbers:
            tile, band = numbers
            with m.If(self.tile_end):
                m.d.sync += tile.eq(Mux(self.row_end & ~self.band_end, band, tile + 1))
        with m.If(self.row_end):
            m.d.sync += self.y.eq(Mux(self.frame_end, 0, self.y + 1))
            if numbers:
                with m.If(self.band_end):
                    m.d.sync += band.eq(tile + 1)
            with m.If(self.frame_end):
                yield


class FileSizes:
    """Size and number of a file's images, as they were before the file began.

    Sampled while no file has begun; they must have been stable for six clocks.

    Parameters
    ----------
    m:
        Module that this becomes a part of.
    width, height, images:
        Size in pixels, and number, 32 bits.
    in_file:
        A file has begun.
    max_width, max_height:
        The largest size.

    Members
    -------
    last_x, last_y : Signal
        Last column and row.
    images, count : Signal
        Images after the first, and images.
    ok : Signal
        None of the three is zero, nor the size too large.
    """

    def __init__(
        self, m: Module, width: Value, height: Value, images: Value, *, in_file: Value,
        max_width: int, max_height: int,
    ) -> None:  # fmt: skip
        self.last_x = Signal(range(max_width))
        self.last_y = Signal(range(max_height))
        self.images = Signal(32, name="later_images")
        self.count = Signal(32, name="images_of_file")
        self.ok = Signal(name="size_ok")
        sizes = [
            delay(m, value, 1, name=f"size{i}") for i, value in enumerate((width, height, images))
        ]
        less = [lessened(m, value, name=f"less{i}") for i, value in enumerate(sizes)]
        # Zero less one is too large as well.
        checks = [less[0] < max_width, less[1] < max_height, less[2] != (1 << 32) - 1]
        checks = [delay(m, check, 1, name=f"check{i}") for i, check in enumerate(checks)]
        with m.If(~in_file):
            m.d.sync += [
                self.last_x.eq(less[0]), self.last_y.eq(less[1]), self.images.eq(less[2]),
                self.count.eq(delay(m, sizes[2], LESSENED_LATENCY, name="count")),
                self.ok.eq(Cat(checks).all()),
            ]  # fmt: skip


def last_image(m: Module, images: Value, *, take: Value, ends: Value, in_file: Value) -> Signal:
    """Whether no image of the file follows this one.

    ``images`` follow the first; ``take`` is a step, ``ends`` a step that ends an image.
    """
    last_image = Signal()
    m.d.comb += last_image.eq(countdown(
        m, images, reload=Mux(ends, last_image, ~in_file & ~take), step=ends & ~last_image,
        name="image",
    ))  # fmt: skip
    return last_image
