"""Commands with models of profile predictive: depths, near, layouts, damage."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import lutgen
from lutgen.cli import main
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame
from lutgen.formats.imageio import read_gray, read_image, write_image
from lutgen.formats.rules import DEEP_COLOUR, DEEP_GRAY
from lutgen.model.samples import SignificantBits
from lutgen.model.shipped import find_model
from tests.commands import error, ok, said, usage
from tests.models import colour_model, mosaic_model, predictive_model, table_model

MODEL = ("--model", "p.lutgen")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    predictive_model().save("p.lutgen")
    return tmp_path


@pytest.fixture
def image() -> np.ndarray:
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(30), np.arange(20)) + rng.integers(0, 9, (30, 20))
    return ramp.astype(np.uint8)


def test_encode_is_the_codec_s(image):
    write_image("a.png", image)
    said("encode", "a.png", "-o", "a.lgc", *MODEL)
    assert Path("a.lgc").read_bytes() == PredictiveCodec(predictive_model()).encode(image)
    said("encode", "a.png", "-o", "b.lgc", *MODEL, "--strip-height", 7, "--tile-width", 8)
    frame = Frame.unpack(Path("b.lgc").read_bytes())
    assert (frame.strip_height, frame.tile_width) == (7, 8)
    said("encode", "a.png", "-o", "c.lgc", *MODEL, "--slabs", 4)
    assert Frame.unpack(Path("c.lgc").read_bytes()).slabs == 4
    assert "4 slabs" in ok("info", "c.lgc")
    for name in ("a", "b", "c"):
        said("decode", f"{name}.lgc", "-o", f"{name}.pgm", *MODEL)
        np.testing.assert_array_equal(read_image(f"{name}.pgm"), image)


@pytest.mark.parametrize("ending", ["png", "pgm", "tif", "npy"])
@pytest.mark.parametrize(("depth", "shift"), [(10, 0), (12, 4), (16, 0), (8, 8)])
def test_deep_images_come_back_in_every_format(image, ending, depth, shift):
    deep = (image.astype(np.uint16) * 3 << depth - 8 | 1) << shift
    deep[0, 0] = (1 << depth) - 1 << shift
    bits = SignificantBits(depth, shift)
    write_image(f"a.{ending}", deep, bits=bits)
    said("encode", f"a.{ending}", "-o", "a.lgc", *MODEL)
    assert Frame.unpack(Path("a.lgc").read_bytes()).bits == bits
    said("decode", "a.lgc", "-o", f"b.{ending}", *MODEL)
    assert Path(f"a.{ending}").read_bytes() == Path(f"b.{ending}").read_bytes()
    (found,) = read_gray(f"b.{ending}")
    np.testing.assert_array_equal(found.array, deep)
    assert found.bits == bits


def test_near(image):
    write_image("a.png", image)
    said("encode", "a.png", "-o", "a.lgc", *MODEL)
    said("encode", "a.png", "-o", "n.lgc", *MODEL, "--near", 2)
    said("decode", "n.lgc", "-o", "n.png", *MODEL)
    off = np.abs(read_image("n.png").astype(int) - image)
    assert 0 < off.max() <= 2
    assert os.path.getsize("n.lgc") < os.path.getsize("a.lgc")
    assert "within 2" in ok("info", "n.lgc")


def test_coder(image):
    write_image("a.png", image)
    said("encode", "a.png", "-o", "a.lgc", *MODEL, "--coder", "tans", "--tans-bits", 10)
    assert "tans, 2^10 states" in ok("info", "a.lgc")
    said("decode", "a.lgc", "-o", "b.png", *MODEL)
    np.testing.assert_array_equal(read_image("b.png"), image)


def test_no_cores_of_tans():
    """Of the profile's cores; said before anything is built."""
    options = ("--target", "zynq7045", "--model", "photo", "--coder", "tans")
    assert usage("build", *options) == (
        "--coder must be left out for a model of profile predictive: its cores have rANS, tANS is "
        "for software alone"
    )


def test_pipes(image):
    write_image("a.png", image.astype(np.uint16) << 2)
    picture = Path("a.png").read_bytes()
    said("encode", "a.png", "-o", "a.lgc", *MODEL)
    invoke = CliRunner().invoke
    data = invoke(main, ["encode", "-", "-o", "-", *MODEL], input=picture).stdout_bytes
    assert data == Path("a.lgc").read_bytes()
    assert invoke(main, ["decode", "-", "-o", "-", *MODEL], input=data).stdout_bytes == picture


def test_info(image):
    write_image("a.png", image.astype(np.uint16) << 2)
    said("encode", "a.png", "-o", "a.lgc", *MODEL)
    assert ok("info", "a.lgc").splitlines()[3] == (
        "samples  8 bits above 1 that are zero, 1 per pixel, lossless"
    )
    found = json.loads(ok("info", "a.lgc", "--json"))
    assert found == asdict(lutgen.info(Path("a.lgc").read_bytes()))
    assert (found["version"], found["layout"], found["packets"]) == (2, "tiles of 20 x 30", 1)


def test_options_of_other_profiles(image):
    write_image("a.png", image)
    table_model().save("t.lgc.lutgen")
    tiles = ("--model", "t.lgc.lutgen")
    message = usage("encode", "a.png", "-o", "a.lgc", *MODEL, "--tile", "8x8")
    assert message == "--tile must be left out with a model of profile predictive"
    for name, value in (("--near", 0), ("--strip-height", 8), ("--tile-width", 8),
                        ("--slabs", 1)):  # fmt: skip
        message = usage("encode", "a.png", "-o", "a.lgc", *tiles, name, value)
        assert message == f"{name} must be left out with a model of profile raster-table"
    options = ("--tile", "8x8") if find_model().profile == "predictive" else ("--near", 0)
    assert usage("encode", "a.png", "-o", "a.lgc", *options) == (
        f"{options[0]} must be left out with a model of profile {find_model().profile}, as the "
        "default is: name one with --model"
    )
    assert usage("eval", "a.png", *MODEL, "--tile", "8x8").startswith("--tile must be left out")
    assert not Path("a.lgc").exists()
    said("encode", "a.png", "-o", "a.lgc", *MODEL)
    assert usage("decode", "a.lgc", "-o", "b.png", *MODEL, "--level", 1) == (
        "--level must be 0 with a model of profile predictive, not 1"
    )


def test_model_and_file_of_different_profiles(image):
    write_image("a.png", image)
    table_model().save("t.lutgen")
    said("encode", "a.png", "-o", "a.lgc", *MODEL)
    said("encode", "a.png", "-o", "t.lgc", "--model", "t.lutgen")
    assert error("decode", "a.lgc", "-o", "b.png", "--model", "t.lutgen") == (
        "a.lgc: stream format version must be 1 with this model, not 2: a model of profile "
        "predictive wrote it"
    )
    assert error("decode", "t.lgc", "-o", "b.png", *MODEL) == (
        "t.lgc: stream format version must be 2 with a model of profile predictive, not 1"
    )
    assert "is none of digits" in error("decode", "a.lgc", "-o", "b.png")
    Path("s.lgc").write_bytes(Path("a.lgc").read_bytes()[:26])
    assert error("decode", "s.lgc", "-o", "b.png", *MODEL) == (
        "s.lgc: stream must have a header of 29 bytes, not 26 bytes in all"
    )
    assert error("decode", "a.lgc", "-o", "b.png", "--model", "a.lgc").startswith("a.lgc: ")


def test_images_of_one_file_have_one_type(image):
    write_image("a.png", image)
    write_image("b.png", image.astype(np.uint16) << 4)
    assert error("encode", "a.png", "b.png", "-o", "a.lgc", *MODEL) == (
        "b.png: images of one file must have one type, uint8 like the first, not uint16; encode "
        "each type into a file of its own"
    )


def test_damage_of_strips(image):
    np.save("a.npy", np.stack([image, image[::-1]]))
    said("encode", "a.npy", "-o", "a.lgc", *MODEL, "--strip-height", 4, "--tile-width", 0)
    data = bytearray(Path("a.lgc").read_bytes())
    good = np.load("a.npy")
    data[60] ^= 1
    Path("b.lgc").write_bytes(data)
    message = error("decode", "b.lgc", "-o", "b.npy", *MODEL)
    assert message == (
        "b.lgc: strip 0 of 0 to 15 is damaged: checksum of strip 0 is wrong: the file is "
        "damaged; --keep writes what is sound"
    )
    assert not Path("b.npy").exists()
    message = error("decode", "b.lgc", "-o", "b.npy", *MODEL, "--keep")
    assert message.endswith("; b.npy is without rows 0 to 3 of image 0")
    found = np.load("b.npy")
    np.testing.assert_array_equal(found[0, 4:], good[0, 4:])
    np.testing.assert_array_equal(found[1], good[1])
    assert not found[0, :4].any()


def test_eval(image):
    write_image("a.png", image)
    write_image("b.png", image.astype(np.uint16) * 5)
    out = json.loads(ok("eval", "a.png", "b.png", *MODEL, "--json", "--near", 1, "--near", 200,
                        "--no-baselines", "--strip-height", 8))  # fmt: skip
    codec = PredictiveCodec(predictive_model())
    for name, array in (("a.png", image), ("b.png", read_image("b.png", DEEP_GRAY))):
        found = out[name]
        assert found["verified"] and found["model"]["profile"] == "predictive"
        size = len(codec.encode(array, strip_height=8))
        assert found["bpp"]["file_each"] == pytest.approx(8 * size / array.size)
        one, most = found["near_lossless"]
        assert one["lutgen"]["verified"] and one["lutgen"]["bpp"] < found["bpp"]["file_each"]
        assert most["lutgen"] == {"bpp": None, "reason": "near 127 at most"}
    assert "lutgen" in ok("eval", "a.png", *MODEL, "--no-baselines")


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("ending", ["png", "tif", "npy"])
def test_colour_comes_back_in_every_format(image, channels, ending):
    colour = np.dstack([image + np.uint8(3 * k) for k in range(channels)]).astype(np.uint16) << 2
    colour[0, 0] = 1023 << 2
    colour_model().save("c.lutgen")
    write_image(f"a.{ending}", colour, channels=channels)
    said("encode", f"a.{ending}", "-o", "a.lgc", "--model", "c.lutgen")
    assert f"10 bits above 2 that are zero, {channels} per pixel" in ok("info", "a.lgc")
    said("decode", "a.lgc", "-o", f"b.{ending}", "--model", "c.lutgen")
    np.testing.assert_array_equal(read_image(f"b.{ending}", DEEP_COLOUR), colour)


def test_colour_and_models_of_gray(image):
    colour = np.dstack([image] * 3)
    write_image("a.png", colour, channels=3)
    assert "PNG must be gray of 8 or 16 bits, not colour (RGB)" in error(
        "encode", "a.png", "-o", "a.lgc", *MODEL
    )
    assert not Path("a.lgc").exists()


def test_eval_of_colour(image):
    colour = np.dstack([image, image // 2, image + np.uint8(9)])
    colour_model().save("c.lutgen")
    write_image("a.png", colour, channels=3)
    write_image("b.png", np.dstack([colour, colour[..., :1]]), channels=4)
    out = json.loads(ok("eval", "a.png", "b.png", "--model", "c.lutgen", "--json", "--near", 1))
    codec = PredictiveCodec(colour_model())
    size = len(codec.encode(colour, channels=3))
    found = out["a.png"]
    assert found["verified"] and found["pixels"] == image.size
    assert found["bpp"]["file_each"] == pytest.approx(8 * size / image.size)
    for result in out.values():
        near = result["near_lossless"][0]
        assert near["lutgen"]["verified"] and near["JPEG-LS"]["bpp"] > 0
        for name, usual in result["baselines"].items():
            assert usual["bpp"] is not None or "not lossless" in usual["reason"], name
            assert usual["bpp_page"] is None


@pytest.mark.parametrize("ending", ["png", "pgm", "tif", "npy"])
def test_colour_filter_arrays(image, ending):
    mosaic_model().save("m.lutgen")
    array = image.astype(np.uint16) * 40
    model = ("--model", "m.lutgen")
    write_image(f"a.{ending}", array)
    said("encode", f"a.{ending}", "-o", "a.lgc", *model, "--cfa", "GBRG")
    assert "array GBRG, lossless" in ok("info", "a.lgc")
    said("decode", "a.lgc", "-o", f"b.{ending}", *model)
    np.testing.assert_array_equal(read_image(f"b.{ending}", DEEP_GRAY), array)
    assert "not gray (name the array's pattern" in error(
        "encode", f"a.{ending}", "-o", "c.lgc", *model
    )
    out = json.loads(ok("eval", f"a.{ending}", *model, "--cfa", "GBRG", "--json"))
    found = out[f"a.{ending}"]
    assert found["verified"] and found["cfa"] == "GBRG"
    assert found["baselines"]["JPEG-LS, four planes"]["bpp"] > 0
    assert "JPEG-LS, four planes" in ok("eval", f"a.{ending}", *model, "--cfa", "GBRG")


def test_odd_sides_of_filter_arrays_are_told_with_the_file(image):
    mosaic_model().save("m.lutgen")
    write_image("odd.png", image[:-1])
    height, width = image[:-1].shape
    wanted = f"odd.png: sides of a colour filter array must be even, not {width} x {height}"
    more = ("--model", "m.lutgen", "--cfa", "RGGB")
    assert wanted in error("encode", "odd.png", "-o", "c.lgc", *more)
    assert wanted in error("eval", "odd.png", *more, "--no-baselines")
    assert not Path("c.lgc").exists()
