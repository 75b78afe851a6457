"""One pixel per clock, many tiles back to back; and a million pixels without a difference."""

from functools import cache

import numpy as np
import pytest

from lutgen.codec.codec import Codec
from lutgen.gateware.core.config import CoreConfig
from lutgen.model.head import TableHead
from lutgen.model.model import Model
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.window import Window
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from lutgen.training.data.glyphs import glyphs

#: Greatest number of clocks per pixel.
LIMIT = 1.02
TILE = (32, 32)
SIDE = 28


@cache
def images(count: int) -> np.ndarray:
    """Smooth 28 x 28 images, all different, that a table of few classes can code."""
    y, x, n = np.mgrid[:SIDE, :SIDE, :count]
    made = 24 + 20 * np.sin(x / 9 + n) * np.cos(y / 7 + n / 3)
    return np.ascontiguousarray(np.moveaxis(made, -1, 0).astype(np.uint8))


def model() -> Model:
    """Two classes by the pixel to the left; tables that fit `images`."""
    window = Window(5)
    builder = NetlistBuilder(window.features)
    left = window.offsets.index((0, -1))
    builder.output("index", [builder.input(left, 24)])
    sample = images(16)
    classes = np.pad(sample, ((0, 0), (0, 0), (1, 0)))[:, :, :-1] > 24
    counts = [np.bincount(sample[classes == c], minlength=256) for c in (False, True)]
    head = TableHead.from_counts(np.array(counts) + 0.01)
    return Model("raster-table", window, builder.build(), None, head, {})


@pytest.mark.slow
def test_a_pixel_per_clock():
    """Steady state: from the first pixel behind what the core can hold, up to where it runs dry.

    An encoder takes pixels at any rate until its buffers are full, which they get slowly: what
    lasts is the rate of the tiles that leave it, here files of one tile, behind the first round of
    lanes.  A decoder gives the first pixel when the first round of lanes is done; the first and
    the last round are left out.
    """
    config = CoreConfig(model(), max_width=32, max_height=32)
    lanes = config.decoder_lanes
    count = max(6 * lanes, config.input_buffers + 6 * config.lanes_of_encoder)
    sample = images(count)
    pixels = SIDE * SIDE
    file = Codec(config.model).encode(sample, tile=TILE).data
    assert len(file) < pixels * count, "payloads must have less than a byte per pixel"

    encoded = RtlEncoder(config)(sample, per_file=1)
    codec = Codec(config.model)
    assert encoded.files == tuple(codec.encode(image, tile=TILE).data for image in sample)
    taken = encoded.trace.input_clocks["s_axis_video"][config.input_buffers * pixels :]
    encoder = float((taken[-1] - taken[0]) / (len(taken) - 1))
    ends = encoded.trace.outputs["m_axis_stream"]["last"].astype(bool)
    ends = encoded.trace.output_clocks["m_axis_stream"][ends][config.lanes_of_encoder :]
    coded = float((ends[-1] - ends[0]) / (len(ends) - 1)) / pixels

    decoded = RtlDecoder(config)(file)
    np.testing.assert_array_equal(np.stack(decoded.frames), sample)
    given = decoded.trace.output_clocks["m_axis_video"]
    steady = given[lanes * pixels : (count - lanes) * pixels]
    decoder = float((steady[-1] - steady[0]) / (len(steady) - 1))
    print(f"clocks per pixel: taken {encoder:.4f}, coded {coded:.4f} with "
          f"{config.lanes_of_encoder} lanes; decoded {decoder:.4f} with {lanes} lanes")  # fmt: skip
    assert encoder <= LIMIT
    assert coded <= LIMIT
    assert decoder <= LIMIT


@pytest.mark.exhaustive
def test_a_million_pixels():
    """The embedded model, glyph by glyph and in pages of many tiles."""
    config = CoreConfig(Model.default(), max_width=256, max_height=256, primitive="LUT6")
    single = glyphs(700, 1)
    pages = glyphs(64 * 10, 2).reshape(10, 8, 8, SIDE, SIDE).transpose(0, 1, 3, 2, 4)
    groups = [single, pages.reshape(10, 8 * SIDE, 8 * SIDE)]
    assert sum(group.size for group in groups) >= 10**6
    codec = Codec(config.model)
    files = [codec.encode(group, tile=TILE).data for group in groups]
    encoder = RtlEncoder(config)
    for group, file in zip(groups, files, strict=True):
        encoded = encoder(group, max_clocks=2 * group.size)
        assert encoded.errors == ()
        assert encoded.files == (file,)
    decoded = RtlDecoder(config)(files, max_clocks=3 * 10**6)
    assert decoded.errors == ()
    expected = [image for group in groups for image in group]
    assert len(decoded.frames) == len(expected)
    different = sum(
        int((frame != image).sum())
        for frame, image in zip(decoded.frames, expected, strict=True)
    )
    assert different == 0
