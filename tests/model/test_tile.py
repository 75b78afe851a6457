import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.model.tile import TileGrid


@settings(deadline=None)
@given(st.integers(1, 150), st.integers(1, 150), st.integers(1, 64), st.integers(1, 64))
def test_tiles_cover_every_pixel_once_row_by_row(width, height, tile_width, tile_height):
    grid = TileGrid(width, height, tile_width, tile_height)
    cover = np.zeros((height, width), dtype=np.int64)
    corners = []
    for rows, columns in grid:
        part = cover[rows, columns]
        assert 1 <= part.shape[0] <= tile_height and 1 <= part.shape[1] <= tile_width
        part += 1
        corners.append((rows.start, columns.start))
    assert (cover == 1).all()
    assert corners == sorted(corners)
    assert len(corners) == grid.tiles == grid.columns * grid.rows


def test_only_the_right_and_lower_tiles_are_cut():
    grid = TileGrid(70, 33, 32, 16)
    sizes = [(r.stop - r.start, c.stop - c.start) for r, c in grid]
    assert sizes == [(16, 32), (16, 32), (16, 6)] * 2 + [(1, 32), (1, 32), (1, 6)]


def test_limits():
    assert TileGrid(16384, 16384, 64, 64).tiles == 65536
    assert TileGrid(16384, 1, 1, 1).tiles == 16384
    assert TileGrid(np.int64(5), np.int64(6), np.int64(3), np.int64(2)).tiles == 6


@pytest.mark.parametrize(("sizes", "message"), [
    ((0, 1), "image width must be 1 to 16384 pixels, not 0"),
    ((1, 0), "image height must be 1 to 16384 pixels, not 0"),
    ((16385, 1), "image width must be 1 to 16384 pixels, not 16385"),
    ((1, 16385), "image height must be 1 to 16384 pixels, not 16385"),
    ((-1, 1), "image width must be 1 to 16384 pixels, not -1"),
    ((1.5, 1), "image width must be 1 to 16384 pixels, not 1.5"),
    ((1, 1, 0), "tile width must be 1 to 64 pixels, not 0"),
    ((1, 1, 65), "tile width must be 1 to 64 pixels, not 65"),
    ((1, 1, 1, 0), "tile height must be 1 to 64 pixels, not 0"),
    ((1, 1, 1, "4"), "tile height must be 1 to 64 pixels, not '4'"),
])  # fmt: skip
def test_sizes_out_of_range_are_refused(sizes, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        TileGrid(*sizes)
