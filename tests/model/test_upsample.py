import re

import numpy as np
import pytest

from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.upsample import Upsampler
from tests.models import random_netlist, random_upsampler

GROUPS = {f"p{i}": 3 for i in range(4)}


def net(groups=GROUPS, features=25):
    return random_netlist(np.random.default_rng(0), features, groups, inputs=9, nodes=9)


def naive(ups, low, height, width):
    """Pixel by pixel, straight from the definition."""
    r = ups.size // 2
    padded = np.pad(low, r)
    out = np.zeros((height, width), dtype=np.uint8)
    for y, x in np.ndindex(height, width):
        square = padded[y // 2 : y // 2 + ups.size, x // 2 : x // 2 + ups.size]
        ones = ups.network.evaluate(square.reshape(-1, 1))[f"p{2 * (y % 2) + x % 2}"]
        out[y, x] = int(np.floor(255 * ones.mean() + 0.5))
    return out


@pytest.mark.parametrize("size", [3, 5, 7])
@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 2), (7, 4), (10, 6)])
def test_blocks_are_those_of_the_definition(size, shape):
    rng = np.random.default_rng(1)
    ups = random_upsampler(rng, size=size)
    low = rng.integers(0, 256, ((shape[0] + 1) // 2, (shape[1] + 1) // 2), dtype=np.uint8)
    high = ups.upsample(low, *shape)
    assert high.dtype == np.uint8
    np.testing.assert_array_equal(high, naive(ups, low, *shape))


def test_tiles_of_a_stack_do_not_see_each_other():
    rng = np.random.default_rng(2)
    ups = random_upsampler(rng)
    low = rng.integers(0, 256, (2, 3, 4, 5), dtype=np.uint8)
    assert ups.extract(low).shape == (25, 2, 3, 4, 5)
    high = ups.upsample(low, 7, 10)
    assert high.shape == (2, 3, 7, 10)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(high[i], ups.upsample(low[i], 7, 10))


def test_features_are_the_square_in_raster_order():
    ups = Upsampler(3, net(features=9))
    assert ups.radius == 1
    assert ups.offsets == tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))
    low = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(
        ups.extract(low)[:, 0, 3], [0, 0, 0, 3, 4, 0, 7, 8, 0]
    )


def test_pixels_are_averages_rounded_to_nearest():
    builder = NetlistBuilder(9)
    bits = [builder.input(4, t) for t in (0, 50, 100, 150, 200, 250)]
    for name, count in (("p0", 6), ("p1", 1), ("p2", 2), ("p3", 3)):
        builder.output(name, bits[:count])
    ups = Upsampler(3, builder.build())
    np.testing.assert_array_equal(ups.values[0], [0, 43, 85, 128, 170, 213, 255])  # 42.5, 127.5
    np.testing.assert_array_equal(ups.values[2], [0, 128, 255])
    low = np.array([[151]], dtype=np.uint8)  # four of the bits
    np.testing.assert_array_equal(ups.upsample(low, 2, 2), [[170, 255], [255, 255]])
    np.testing.assert_array_equal(ups.upsample(low, 1, 1), [[170]])


@pytest.mark.parametrize(("size", "network", "message"), [
    (4, net(), "size of the upsampler must be 3, 5 or 7, not 4"),
    (5.0, net(), "size of the upsampler must be 3, 5 or 7, not 5.0"),
    (True, net(), "size of the upsampler must be 3, 5 or 7, not True"),
    (7, net(), "network of the upsampler must read 49 features, not 25"),
    (5, net({"p0": 1, "p1": 2}),
     "network of the upsampler must have the output groups ['p0', 'p1', 'p2', 'p3'], "
     "not ['p0', 'p1']"),
    (5, net(GROUPS | {"p2": 4097}), "output 'p2' of the upsampler must have 1 to 4096 bits, "
     "not 4097"),
])  # fmt: skip
def test_parts_that_do_not_fit(size, network, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Upsampler(size, network)


@pytest.mark.parametrize(("height", "width"), [(5, 4), (4, 7), (2, 6)])
def test_other_sides_are_refused(height, width):
    message = f"pixels to upsample to {height} x {width} must be "
    with pytest.raises(ValueError, match=f"^{re.escape(message)}.*, not 2 x 3$"):
        Upsampler(5, net()).upsample(np.zeros((2, 3), np.uint8), height, width)
