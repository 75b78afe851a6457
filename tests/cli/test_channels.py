"""Commands with models of tiles of several channels."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import lutgen
from lutgen.formats.imageio import COLOUR_8, read_image, write_image
from lutgen.model.model import Model
from tests.commands import error, ok, said, usage
from tests.models import pyramid_laplace_model


@pytest.fixture
def images(tmp_path, monkeypatch):
    """Three pictures, and models of RGB and of gray with alpha."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUTGEN_DATA", raising=False)
    pyramid_laplace_model(bits=8, nodes=20, channels=3).save("rgb.lutgen")
    pyramid_laplace_model(bits=8, nodes=20, channels=2, constraint=True).save("alpha.lutgen")
    stack = np.random.default_rng(0).integers(256, size=(3, 20, 14, 3), dtype=np.uint8)
    Path("some").mkdir()
    for k, image in enumerate(stack):
        write_image(f"some/{k}.{'png' if k else 'tif'}", image, channels=3)
    write_image("gray.png", stack[0, ..., 0])
    write_image("rgba.png", np.concatenate([stack[0], stack[1, ..., :1]], axis=2), channels=4)
    write_image("alpha.png", stack[0, ..., :2], channels=2)
    return stack


RGB = ("--model", "rgb.lutgen")


def test_there_and_back(images):
    out = said("encode", "some", "-o", "a.lgc", *RGB, "--tile", "16x8")
    size = Path("a.lgc").stat().st_size
    assert out.startswith(f"a.lgc: 3 images of 14 x 20, {images.nbytes} -> {size} bytes, "
                          f"{8 * size / images[..., 0].size:.3f} bpp (tiles alone ")  # fmt: skip
    assert len(lutgen.encode(images, "rgb.lutgen")) < size  # larger tiles
    ok("decode", "a.lgc", "-o", "a.npy", *RGB)
    np.testing.assert_array_equal(np.load("a.npy"), images)
    ok("decode", "a.lgc", "-o", "out/", *RGB)
    np.testing.assert_array_equal(read_image("out/000001.png", COLOUR_8), images[1])
    said("encode", "a.npy", "-o", "b.lgc", *RGB, "--tile", "16x8")
    assert Path("b.lgc").read_bytes() == Path("a.lgc").read_bytes()
    ok("decode", "a.lgc", "-o", "small.npy", *RGB, "--level", "2")
    assert np.load("small.npy").shape == (3, 5, 4, 3)
    shown = ok("info", "a.lgc")
    assert "version 1, tiles of 16 x 8, rans" in shown and "8 bits, 3 per pixel, lossless" in shown
    assert asdict(lutgen.info(Path("a.lgc").read_bytes()))["channels"] == 3
    np.testing.assert_array_equal(
        lutgen.decode(lutgen.encode(images[0], "rgb.lutgen"), "rgb.lutgen"), images[0]
    )


def test_gray_with_alpha(images):
    said("encode", "alpha.png", "-o", "a.lgc", "--model", "alpha.lutgen")
    said("decode", "a.lgc", "-o", "back.png", "--model", "alpha.lutgen")
    np.testing.assert_array_equal(read_image("back.png", COLOUR_8), images[0, ..., :2])


@pytest.mark.parametrize(("name", "found"), [
    ("gray.png", "gray"), ("rgba.png", "RGBA"), ("alpha.png", "gray with alpha"),
])  # fmt: skip
def test_other_pictures_are_refused(images, name, found):
    hint = "convert it first, e.g. with ImageMagick: magick INPUT -depth 8 PNG24:OUTPUT.png"
    wanted = f"{name}: image must be 8-bit RGB, not {found}; {hint}"
    assert error("encode", name, "-o", "a.lgc", *RGB) == wanted
    assert error("eval", name, *RGB) == wanted
    assert error("train", "--profile", "gic-dlc", "--channels", "3", "--data", name, "-o",
                 "x.lutgen") == wanted  # fmt: skip
    assert not Path("a.lgc").exists() and not Path("x.lutgen").exists()


def test_other_arrays_are_refused(images):
    np.save("gray.npy", images[..., 0])
    np.save("deep.npy", images.astype(np.uint16))
    np.save("four.npy", np.zeros((2, 8, 8, 4), np.uint8))
    assert error("encode", "gray.npy", "-o", "a.lgc", *RGB).startswith(
        "gray.npy: npy must be 8-bit RGB, not gray; "
    )
    for name in ("deep.npy", "four.npy"):
        assert error("encode", name, "-o", "a.lgc", *RGB).startswith(f"{name}: npy must hold uint8")
    assert error("eval", "glyphs:2", *RGB).startswith("glyphs:2 must be 8-bit RGB, shape (height, ")
    with pytest.raises(ValueError, match="^encode: array must be 8-bit RGB, not gray; "):
        lutgen.encode(images[..., 0], "rgb.lutgen")


def test_tiles_that_are_too_large(images):
    assert error("encode", "some", "-o", "a.lgc", *RGB, "--tile", "64x64") == (
        "tile must have at most 1365 pixels of 3 channels, not 64 x 64"
    )


def test_eval(images):
    found = json.loads(ok("eval", "some", *RGB, "--json"))["some"]
    assert found["verified"] and found["pixels"] == images[..., 0].size
    size = sum(len(lutgen.encode(image, "rgb.lutgen")) for image in images)
    assert found["bpp"]["file_each"] == 8 * size / found["pixels"]
    assert found["baselines"]["JPEG XL e7"]["bpp"] > 0
    assert [level["level"] for level in found["levels"]] == [0, 1, 2]


@pytest.mark.slow
def test_train(images):
    shown = said("train", "--profile", "gic-dlc+", "--channels", "3", "--data", "some", "--steps",
                 "4", "--luts", "16", "--levels", "1", "-o", "x.lutgen")  # fmt: skip
    assert shown.startswith("x.lutgen: ")
    assert Model.load("x.lutgen").channels == 3
    said("encode", "some", "-o", "a.lgc", "--model", "x.lutgen")
    ok("decode", "a.lgc", "-o", "a.npy", "--model", "x.lutgen")
    np.testing.assert_array_equal(np.load("a.npy"), images)


def test_training_of_gray_alone(images):
    common = ("--data", "some", "-o", "x.lutgen", "--channels", "3")
    assert usage("train", *common) == "--channels must stand without trainer tree, which has none"
    assert error("train", "--trainer", "dlc", *common).startswith("images must be gray for a table")


def test_no_core_has_several_channels(images):
    wanted = "model rgb.lutgen must have one channel to be built, not 3 of profile gic-dlc: "
    assert usage("build", *RGB, "--target", "zynq7045", "--out", "b").startswith(wanted)
    assert error("sim", *RGB).startswith(wanted)
    assert not Path("b").exists()
    assert error("slim", "rgb.lutgen", "--scales", "4", "--data", "some", "-o", "s.lutgen") == (
        "model to be cut down must have one channel, not 3"
    )
