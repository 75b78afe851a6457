"""Pairs of cores as benchmarks take them: images, files, what is refused."""

import click
import numpy as np
import pytest
from PIL import Image

from bench.pairs import PredictivePair, TilePair, pair_of, read_stack
from bench.predictive_cores import sized
from lutgen.codec.codec import Codec
from lutgen.codec.coder import coder_named
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.targets import get_target
from tests.models import colour_model, predictive_model, table_model


@pytest.fixture
def photographs(tmp_path):
    """A folder of three colour pictures, of which the last one has another size."""
    rng = np.random.default_rng(0)
    for name, (height, width) in (("a", (12, 20)), ("b", (12, 20)), ("c", (20, 12))):
        pixels = rng.integers(256, size=(height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return tmp_path


def gray(path):
    return np.asarray(Image.open(path).convert("L"))


def test_images(photographs, monkeypatch):
    stack = read_stack(str(photographs), 9, None)
    monkeypatch.setenv("LUTGEN_DATA", str(photographs.parent))
    assert np.array_equal(read_stack(photographs.name, 9, None), stack)
    assert stack.shape == (2, 12, 20)
    assert np.array_equal(stack[1], gray(photographs / "b.png"))
    assert len(read_stack(str(photographs), 1, None)) == 1
    one = read_stack(str(photographs / "c.png"), 9, "5x7", copies=3)
    assert one.shape == (3, 7, 5)
    assert np.array_equal(one[2], gray(photographs / "c.png")[:7, :5])
    part = read_stack(str(photographs), 9, "5x7+15+5")
    assert np.array_equal(part, stack[:, 5:12, 15:20])
    assert read_stack("glyphs:8", 5, None).shape[0] <= 5


@pytest.mark.parametrize("size", ["5", "5x0", "21x2", "5x7+16+5", "5x7+15+6", "5x7+15"])
def test_sizes_that_are_not_in_the_images(photographs, size):
    with pytest.raises(click.UsageError, match="^size must "):
        read_stack(str(photographs), 9, size)


def test_images_are_continued_by_their_mirror_image():
    image = np.arange(6).reshape(2, 3)
    assert sized(image, (5, 1)).tolist() == [[0, 1, 2, 2, 1]]
    assert sized(image, (2, 3)).tolist() == [[0, 1], [3, 4], [3, 4]]
    assert sized(image, None) is image


def test_a_pair_of_tiles(tmp_path):
    table_model().save(tmp_path / "table.lutgen")
    stack = read_stack("glyphs:40", 40, None)
    pair = pair_of(str(tmp_path / "table.lutgen"), stack, "zynq7045")
    assert isinstance(pair, TilePair)
    assert pair.files == (Codec(table_model()).encode(stack).data,)
    assert pair.settings == {
        "width": stack.shape[2], "height": stack.shape[1], "images": len(stack),
    }  # fmt: skip
    assert pair.lead == (0 if len(stack) <= pair.facts["lanes"] else pair.facts["lanes"])
    tans = pair_of(str(tmp_path / "table.lutgen"), stack, "zynq7045", coder_named("tans", 9))
    assert tans.facts["coder"] == "tans" and tans.files != pair.files


def test_a_predictive_pair(tmp_path):
    model = predictive_model()
    model.save(tmp_path / "small.lutgen")
    images = np.random.default_rng(1).integers(256, size=(2, 6, 30), dtype=np.uint8)
    pair = pair_of(str(tmp_path / "small.lutgen"), images, "ecp5-85k")
    assert isinstance(pair, PredictivePair)
    assert (pair.config.max_width, pair.config.max_height) == (1920, 1080)
    assert pair.config.fabric == "lut4"
    codec = PredictiveCodec(model)
    assert [codec.decode(file)[0].tolist() for file in pair.files] == images.tolist()
    assert pair.words()["last"].sum() == 2
    assert pair.bpp == 8 * sum(map(len, pair.files)) / images.size
    assert set(pair.blocks("encoder")) == set(pair.blocks("decoder"))
    wide = PredictivePair(model, np.zeros((1, 8, 2000), np.uint8), get_target("zynq7045"))
    assert wide.config.max_width == 2000


def test_pairs_that_are_not_there(tmp_path):
    colour_model().save(tmp_path / "colour.lutgen")
    predictive_model().save(tmp_path / "gray.lutgen")
    images = np.zeros((1, 8, 8), np.uint8)
    with pytest.raises(click.UsageError, match="^model must be of gray images, not "):
        pair_of(str(tmp_path / "colour.lutgen"), images, "zynq7045")
    with pytest.raises(click.UsageError, match="must have rANS, not tANS"):
        pair_of(str(tmp_path / "gray.lutgen"), images, "zynq7045", coder_named("tans", 9))
