"""Pyramid of a raster against the reference's, tile by tile."""

from dataclasses import dataclass

import numpy as np
import pytest

from lutgen.gateware.levels.pyramid import Pool, PyramidBuilder, level_pixel
from lutgen.model.pyramid import pool, pyramid
from lutgen.model.tile import TileGrid
from lutgen.sim import Design, Stall, rtl_stream
from tests.gateware.bundle import Bundle

SLOTS = 16
FIELDS = ("pixel", "x", "y", "tile", "row_end", "last_row", "tile_last")


@dataclass(frozen=True)
class Shape:
    levels: int
    tile_width: int
    tile_height: int
    max_width: int


SHAPES = {
    "l1": Shape(1, 8, 8, 40),
    "l2": Shape(2, 16, 8, 48),
    "l3": Shape(3, 8, 16, 40),
    "l3s": Shape(3, 8, 8, 8),
}
POOL = Shape(1, 8, 8, 40)


def raster(shape: Shape, images) -> dict[str, np.ndarray]:
    """Level-0 pixels of images one behind the other; slots are taken in rotation."""
    parts = {field: [] for field in FIELDS}
    base = 0
    for image in images:
        height, width = image.shape
        grid = TileGrid(width, height, shape.tile_width, shape.tile_height)
        y, x = (a.ravel() for a in np.mgrid[:height, :width])
        tile = base + y // shape.tile_height * grid.columns + x // shape.tile_width
        row_end, last_row = x == width - 1, y == height - 1
        tile_end = row_end | (x % shape.tile_width == shape.tile_width - 1)
        band_end = last_row | (y % shape.tile_height == shape.tile_height - 1)
        values = (
            image.ravel(), x, y % shape.tile_height, tile % SLOTS, row_end, last_row,
            tile_end & band_end,
        )  # fmt: skip
        for field, value in zip(FIELDS, values, strict=True):
            parts[field].append(value)
        base += grid.tiles
    return {field: np.concatenate(values).astype(np.int64) for field, values in parts.items()}


def tiles_of(shape: Shape, images):
    """Levels of each tile, as position and pixel: {(level, y, x): pixel}."""
    for image in images:
        height, width = image.shape
        for part in TileGrid(width, height, shape.tile_width, shape.tile_height):
            yield {
                (level, y, x): int(pixel)
                for level, pixels in enumerate(pyramid(image[part], shape.levels))
                if level
                for (y, x), pixel in np.ndenumerate(pixels)
            }


def random_images(rng: np.random.Generator, sizes):
    for height, width in sizes:
        image = rng.integers(256, size=(height, width), dtype=np.uint8)
        image[rng.random(image.shape) < 0.2] = 255
        yield image


@pytest.fixture(scope="module")
def design() -> Design:
    layout = level_pixel(0, tile_height=POOL.tile_height, max_width=POOL.max_width, slots=SLOTS)
    return Design.of(Bundle({
        name: PyramidBuilder(
            shape.levels, tile_width=shape.tile_width, tile_height=shape.tile_height,
            max_width=shape.max_width, slots=SLOTS,
        )
        for name, shape in SHAPES.items()
    } | {"pool": Pool(layout)}))  # fmt: skip


OUTPUTS = ("write", "write_level", "write_tile", "write_x", "write_y", "write_pixel", "complete")


def run(design: Design, images, pool_images=(), stalls=None, reset_at=None):
    """Feed all blocks at once; ``images`` by name of the builder."""
    nothing = {field: np.zeros(0, np.int64) for field in FIELDS}
    inputs = {
        f"{name}_pixels": raster(shape, images[name]) if name in images else nothing
        for name, shape in SHAPES.items()
    }
    inputs["pool_i"] = raster(POOL, pool_images) if pool_images else nothing
    return rtl_stream(
        design, inputs, {"pool_o": FIELDS},
        expect={"pool_o": sum(pool(image).size for image in pool_images)},
        stalls=stalls, watch=[f"{name}_{port}" for name in SHAPES for port in OUTPUTS],
        reset_at=reset_at,
    )  # fmt: skip


def trace(result, name: str) -> dict[str, np.ndarray]:
    """Value of each output of a builder in each clock since the reset."""
    values = {}
    for port in OUTPUTS:
        clocks, changes = zip(*result.changes[f"{name}_{port}"], strict=True)
        lengths = np.diff([*clocks, result.clocks])
        values[port] = np.repeat(changes, lengths)
    return values


def check_writes(result, name: str, images) -> None:
    """Every tile is whole when it is complete, in the order of the tiles, each pixel once."""
    found = trace(result, name)
    slots = [{} for _ in range(SLOTS)]
    expected = list(tiles_of(SHAPES[name], images))
    number = 0
    for clock in np.flatnonzero(found["write"] | found["complete"]).tolist():
        value = {port: int(values[clock]) for port, values in found.items()}
        if value["complete"]:
            assert slots[number % SLOTS] == expected[number], (name, number)
            slots[number % SLOTS] = {}
            number += 1
        if value["write"]:
            slot = slots[value["write_tile"]]
            at = value["write_level"], value["write_y"], value["write_x"]
            assert at not in slot, (name, clock, at)
            slot[at] = value["write_pixel"]
    assert number == len(expected)
    assert not any(slots)


#: Height and width, for images up to 8 and up to 40 pixels wide.
NARROW = [
    (1, 1), (1, 1), (2, 1), (1, 2), (9, 1), (1, 8), (1, 7), (2, 2), (3, 3), (8, 8), (17, 5),
    (7, 7), (16, 2), (5, 8),
]  # fmt: skip
WIDE = [
    *NARROW, (1, 40), (1, 39), (40, 1), (39, 1), (16, 16), (17, 33), (9, 40), (8, 17), (31, 18),
    (24, 39), (33, 25), (3, 36), (2, 40), (40, 2), (28, 28),
]  # fmt: skip

#: The largest sum, and sums that halves must round upwards.
ROUNDED = [np.full((4, 4), 255, np.uint8), np.array([[0, 0], [1, 1]], np.uint8)]


@pytest.mark.slow
@pytest.mark.parametrize("stall", [
    None,
    Stall(0.5, 1),
    Stall(0.2, 2, burst=7),
], ids=["never", "often", "bursts"])  # fmt: skip
def test_levels_of_every_tile(design, stall):
    rng = np.random.default_rng(31)
    images = {}
    for name, shape in SHAPES.items():
        sizes = NARROW if shape.max_width == 8 else WIDE
        order = rng.permutation(len(sizes))
        images[name] = [*random_images(rng, [sizes[k] for k in order]), *ROUNDED]
    stalls = {f"{name}_pixels": stall for name in SHAPES} if stall else None
    result = run(design, images, stalls=stalls)
    for name in SHAPES:
        check_writes(result, name, images[name])


def stalled(clocks: np.ndarray) -> int:
    """Most clocks in a row in which a waiting pixel was not taken."""
    return int(np.diff(clocks).max()) - 1


@pytest.mark.slow
def test_a_pixel_per_clock(design):
    rng = np.random.default_rng(32)
    even, narrow = {}, {}
    for name, shape in SHAPES.items():
        sizes = rng.integers(1, [11, shape.max_width // 2 + 1], size=(60, 2)) * 2
        even[name] = list(random_images(rng, [*sizes, *[(2, 2)] * 9, *[(28, 8)] * 2]))
        narrow[name] = list(random_images(rng, [(40, 1), (7, 1), (12, 1), *[(1, 1)] * 9]))
    flowing, stumbling = run(design, even), run(design, narrow)
    for name in SHAPES:
        check_writes(flowing, name, even[name])
        assert stalled(flowing.input_clocks[f"{name}_pixels"]) == 0, name
        check_writes(stumbling, name, narrow[name])
        assert stalled(stumbling.input_clocks[f"{name}_pixels"]) == 1, name


@pytest.mark.slow
def test_reset_drops_what_is_under_way(design):
    rng = np.random.default_rng(34)
    images = {"l2": list(random_images(rng, [(11, 20), (3, 7)]))}
    check_writes(run(design, images, reset_at=107), "l2", images["l2"])


@pytest.mark.slow
@pytest.mark.parametrize("stall", [
    None,
    {"i": Stall(0.5, 1), "o": Stall(0.7, 2)},
    {"i": Stall(0.2, 4, burst=9), "o": Stall(0.2, 5, burst=9)},
], ids=["never", "both", "bursts"])  # fmt: skip
def test_pool(design, stall):
    rng = np.random.default_rng(35)
    images = list(random_images(rng, WIDE))
    stalls = {f"pool_{port}": value for port, value in (stall or {}).items()}
    result = run(design, {}, images, stalls)
    coarser = Shape(1, POOL.tile_width // 2, POOL.tile_height // 2, POOL.max_width // 2)
    # Tiles of the coarser level are the finer one's.
    expected = raster(coarser, [pool(image) for image in images])
    for field in FIELDS:
        np.testing.assert_array_equal(result.outputs["pool_o"][field], expected[field], field)
    if stall is None:  # the first image has one pixel
        assert result.output_clocks["pool_o"][0] == result.input_clocks["pool_i"][0] + 3


@pytest.mark.parametrize(("change", "message"), [
    ({"levels": 0}, r"^levels must be 1 to 3, not 0$"),
    ({"levels": 4}, r"^levels must be 1 to 3, not 4$"),
    ({"tile_width": 4}, r"^tile width must be a power of two of at least 8, not 4$"),
    ({"tile_height": 12}, r"^tile height must be a power of two of at least 8, not 12$"),
    ({"max_width": 31}, r"^max_width must be at least 32, not 31$"),
])  # fmt: skip
def test_parameters_out_of_range(change, message):
    given = {"levels": 2, "tile_width": 32, "tile_height": 32, "max_width": 512, "slots": 32}
    given |= change
    with pytest.raises(ValueError, match=message):
        PyramidBuilder(given.pop("levels"), **given)
