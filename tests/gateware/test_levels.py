"""The hierarchical codec's tops: smaller pictures, damaged tiles, rate, and the paper's size."""

from pathlib import Path

import numpy as np
import pytest

from lutgen.codec.codec import Codec
from lutgen.gateware.core.config import CoreConfig
from lutgen.model.model import Model
from lutgen.model.pyramid import pyramid
from lutgen.sim import Stall
from lutgen.sim.cores.codec import RtlDecoder, RtlEncoder
from lutgen.training.data.glyphs import glyphs
from tests.gateware.tops import packets, pictures, tops

#: Model files of the paper's size, trained by the LUT-network trainer.
MODELS = Path(__file__).parents[2] / "bench" / "models"
TILE = (32, 32)
SIDE = 28
#: 1.3125 symbols per pixel at two levels, and what is lost at their borders.
LIMIT = 1.34
NAMES = ["two levels", "one level", "three levels", "seven with levels", "three with levels"]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_smaller_pictures(name):
    """Files of many sizes back to back, decoded up to each level, with stalls."""
    top = tops(name)
    levels = top.config.model.levels
    groups = [pictures(*size, count=2) for size in ((1, 1), (27, 21), (40, 9), (8, 8), (3, 64))]
    files = [top.file(images) for images in groups]
    for level in range(1, levels + 1):
        stall = {"pixels": Stall(0.3, level), "bytes": Stall(0.2, level)}
        result = top.decoder(files, level=level, stall=stall)
        assert result.errors == ()
        expected = [picture for images in groups for picture in pyramid(images, levels)[level]]
        assert len(result.frames) == len(expected)
        for number, (frame, picture) in enumerate(zip(result.frames, expected, strict=True)):
            np.testing.assert_array_equal(frame, picture, err_msg=f"frame {number}")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two levels", "tans"])
def test_damaged_tiles(name):
    """Any damage in a payload stays in its tile and is reported; the next file is whole."""
    top = tops(name)
    width, height = 24, 33
    images = pictures(width, height, count=2)
    good = top.file(images)
    following = pictures(19, 18, seed=3)
    rng = np.random.default_rng(12)
    found = packets(good)
    tile_width, tile_height = top.tile
    columns, rows = -(-width // tile_width), -(-height // tile_height)
    reported = 0
    for _ in range(12):
        tile = int(rng.integers(len(found)))
        start, length = found[tile]
        damaged = bytearray(good)
        for at in rng.integers(length, size=int(rng.integers(1, 4))):
            damaged[start + int(at)] ^= int(rng.integers(1, 256))
        result = top.decoder([bytes(damaged), top.file(following)])
        assert set(result.errors) <= {"bad_tile"}
        reported += "bad_tile" in result.errors
        assert len(result.frames) == 3
        np.testing.assert_array_equal(result.frames[2], following[0])
        image, place = divmod(tile, columns * rows)
        y, x = place // columns * tile_height, place % columns * tile_width
        for number in range(2):
            same = result.frames[number] == images[number]
            if number == image:
                same[y : y + tile_height, x : x + tile_width] = True
            assert same.all()
    assert reported >= 11  # the check state is no hash


@pytest.mark.exhaustive
def test_symbols_per_clock():
    """Steady state at two levels: 1.3125 symbols for each pixel, and little besides.

    Images come in bursts of as many as there are lanes, hence the means of such groups.
    """
    top = tops("throughput of levels")
    lanes = top.config.decoder_lanes
    count = 8 * lanes
    sample = (glyphs(count, 5) >> 5).astype(np.uint8)
    file = top.file(sample)
    pixels = SIDE * SIDE
    assert len(file) < pixels * count, "payloads must have less than a byte per pixel"

    def rate(ends: np.ndarray, group: int) -> float:
        steady = ends[count // 2 :]
        clocks = steady[-group:].mean() - steady[:group].mean()
        return float(clocks / ((len(steady) - group) * pixels))

    encoded = top.encoder(sample, per_file=1)
    ends = encoded.trace.outputs["m_axis_stream"]["last"].astype(bool)
    encode = rate(
        encoded.trace.output_clocks["m_axis_stream"][ends], top.config.lanes_of_encoder
    )
    decoded = top.decoder(file)
    np.testing.assert_array_equal(np.stack(decoded.frames), sample)
    decode = rate(decoded.trace.output_clocks["m_axis_video"][pixels - 1 :: pixels], lanes)
    print(f"clocks per pixel: encode {encode:.4f}, decode {decode:.4f}")
    assert encode <= LIMIT
    assert decode <= LIMIT


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["gic-dlc-plus-emnist"])
def test_paper_size(name):
    """2 x 1,024 LUTs each for ARM and UPS, trained; glyphs, and a page of several tiles."""
    model = Model.load(MODELS / f"{name}.lutgen")
    assert model.network.n_nodes + model.upsampler.network.n_nodes > 3000
    config = CoreConfig(model, max_width=64, max_height=64)
    codec = Codec(model)
    single = glyphs(80, 1)
    page = glyphs(4, 2).reshape(2, 2, SIDE, SIDE).transpose(0, 2, 1, 3).reshape(1, 56, 56)
    groups = [single, page]
    files = [codec.encode(group, tile=TILE).data for group in groups]
    encoder = RtlEncoder(config)
    for group, file in zip(groups, files, strict=True):
        encoded = encoder(group)
        assert encoded.errors == ()
        assert encoded.files == (file,)
    decoder = RtlDecoder(config)
    for level in range(model.levels + 1):
        decoded = decoder(files, level=level)
        assert decoded.errors == ()
        expected = [image for group in groups for image in pyramid(group, model.levels)[level]]
        assert len(decoded.frames) == len(expected)
        for frame, image in zip(decoded.frames, expected, strict=True):
            np.testing.assert_array_equal(frame, image)
