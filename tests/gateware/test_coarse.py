"""Memory of coarser levels: writes and reads at random."""

import numpy as np
import pytest

from lutgen.gateware.levels.coarse import CoarseMemory
from tests.gateware.bundle import Pipelines

BLOCKS = {
    "l1": (1, {"tile_width": 8, "tile_height": 8, "slots": 2}),
    "l2": (2, {"tile_width": 8, "tile_height": 64, "slots": 4}),
    "l3": (3, {"tile_width": 32, "tile_height": 16, "slots": 8}),
    "l3s": (3, {"tile_width": 8, "tile_height": 8, "slots": 4}),
}
CLOCKS = 5_000


@pytest.fixture(scope="module")
def pipelines() -> Pipelines:
    return Pipelines({
        name: CoarseMemory(levels, **size) for name, (levels, size) in BLOCKS.items()
    })  # fmt: skip


def positions(rng, levels, size, count):
    """Slots, levels, columns and rows at random, the latter two within the level."""
    level = rng.integers(1, levels + 1, size=count)
    width, height = size["tile_width"] >> level, size["tile_height"] >> level
    return (
        rng.integers(size["slots"], size=count), level,
        rng.integers(width, size=count),
        rng.integers(height, size=count),
    )  # fmt: skip


def test_reads_what_was_written(pipelines):
    rng = np.random.default_rng(21)
    given, steps = {}, {}
    for name, (levels, size) in BLOCKS.items():
        write = rng.integers(2, size=CLOCKS)
        pixel = rng.integers(256, size=CLOCKS)
        written = positions(rng, levels, size, CLOCKS)
        read = positions(rng, levels, size, CLOCKS)
        # Often what has just been written.
        again = rng.random(CLOCKS) < 0.3
        for array, source in zip(read, written, strict=True):
            array[1:][again[1:]] = source[:-1][again[1:]]
        given |= {f"{name}_write": write, f"{name}_write_pixel": pixel}
        fields = ("write_tile", "write_level", "write_x", "write_y")
        given |= {f"{name}_{f}": v for f, v in zip(fields, written, strict=True)}
        fields = ("tile", "level", "column", "row")
        given |= {f"{name}_{f}": v for f, v in zip(fields, read, strict=True)}
        steps[name] = list(zip(
            write.tolist(), pixel.tolist(), zip(*map(np.ndarray.tolist, written), strict=True),
            zip(*map(np.ndarray.tolist, read), strict=True), strict=True,
        ))  # fmt: skip
    found = pipelines(given, extra=CoarseMemory.latency)
    for name, (_, size) in BLOCKS.items():
        banks = np.stack([found[f"{name}_banks__{b}"] for b in range(8)], axis=1)
        banks = banks[CoarseMemory.latency :].tolist()
        stored, compared = {}, 0
        for clock, (write, pixel, at, (tile, level, column, row)) in enumerate(steps[name]):
            for r in range(row - 3, row + 5):
                expected = stored.get((tile, level, column, r))
                if 0 <= r < size["tile_height"] >> level and expected is not None:
                    assert banks[clock][r % 8] == expected, (name, clock, level, column, r)
                    compared += 1
            if write:
                stored[at] = pixel
        assert compared > CLOCKS


def test_depth():
    sizes = {"tile_width": 32, "tile_height": 32, "slots": 32}
    assert CoarseMemory.depth_of(2, **sizes) * 8 == 32 * 16 * 16 * 2
    assert CoarseMemory.depth_of(1, **sizes) * 8 == 32 * 16 * 16


@pytest.mark.parametrize(("change", "message"), [
    ({"levels": 0}, r"^levels must be 1 to 3, not 0$"),
    ({"levels": 4}, r"^levels must be 1 to 3, not 4$"),
    ({"tile_width": 4}, r"^tile width must be a power of two of at least 8, not 4$"),
    ({"tile_height": 24}, r"^tile height must be a power of two of at least 8, not 24$"),
    ({"slots": 3}, r"^slots must be a power of two of at least 2, not 3$"),
])  # fmt: skip
def test_parameters_out_of_range(change, message):
    given = {"levels": 2, "tile_width": 32, "tile_height": 32, "slots": 32} | change
    with pytest.raises(ValueError, match=message):
        CoarseMemory(given.pop("levels"), **given)
