import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lutgen.codec.codec import Codec
from lutgen.compare.baselines import BASELINES, Baseline
from lutgen.compare.bicubic import bicubic
from lutgen.compare.codecs import ImageCodec, TileCodec
from lutgen.compare.evaluate import evaluate, faults
from lutgen.compare.pages import page
from lutgen.compare.table import show, table
from lutgen.formats.rules import DEEP_GRAY
from lutgen.model.pyramid import pyramid
from tests.models import pyramid_laplace_model, table_model


@pytest.fixture(scope="module")
def model():
    return table_model()


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(20), 3 * np.arange(24)).astype(np.uint8)
    return [
        *(ramp + rng.integers(0, 4, ramp.shape, dtype=np.uint8) for _ in range(3)),
        rng.integers(0, 256, (9, 5), dtype=np.uint8),
        ramp,
    ]


def test_figures_are_those_of_the_files(images, model):
    steps = []
    result = evaluate(
        images, TileCodec(model, tile=(16, 8)), progress=lambda *step: steps.append(step)
    )
    pixels = 4 * 480 + 45
    codec = Codec(model)
    each = [codec.encode(image, tile=(16, 8)) for image in images]
    grouped = [
        codec.encode(np.stack([*images[:3], images[4]]), tile=(16, 8)),
        codec.encode(images[3], tile=(16, 8)),
    ]
    bpp = result["bpp"]
    assert bpp["file_each"] == 8 * sum(len(e.data) for e in each) / pixels
    assert bpp["mean_each"] == pytest.approx(
        np.mean([8 * len(e.data) / i.size for e, i in zip(each, images, strict=True)])
    )
    assert bpp["file"] == 8 * sum(len(e.data) for e in grouped) / pixels
    assert bpp["payload"] == 8 * sum(e.payload_bytes for e in each) / pixels
    assert bpp["ideal"] == pytest.approx(sum(e.ideal_bits for e in each) / pixels)
    assert result["levels"] == [{"level": 0, "bpp": pytest.approx(bpp["ideal"])}]
    assert result["verified"] is True
    assert (result["images"], result["pixels"], result["sizes"]) == (5, pixels, 2)
    assert result["model"] == {"profile": "raster-table", "hash": model.hash}
    assert result["tile"] == [16, 8] and result["depths"] == {"8": 5}
    assert all(speed > 0 for speed in result["speed"].values())
    assert json.loads(json.dumps(result)) == result
    pages = {f"{name}, one page" for name in BASELINES}
    assert {step for step, _, _ in steps} == {"encoding", "decoding", *BASELINES, *pages}
    assert all(0 < done <= total for _, done, total in steps)
    assert all(total == pixels for step, _, total in steps if step not in pages)


def rmse(pairs):
    squares = [(high.astype(float) - guess) ** 2 for high, guess in pairs]
    return np.sqrt(sum(s.sum() for s in squares) / sum(s.size for s in squares))


def test_levels(images):
    model = pyramid_laplace_model()
    result = evaluate(images, TileCodec(model, tile=(16, 8)), baselines=False)
    assert result["verified"] is True
    assert json.loads(json.dumps(result)) == result
    levels = result["levels"]
    assert [level["level"] for level in levels] == [0, 1, 2]
    encoded = [Codec(model).encode(image, tile=(16, 8)) for image in images]
    bits = np.sum([e.level_bits for e in encoded], axis=0) / result["pixels"]
    assert [level["bpp"] for level in levels] == pytest.approx(bits.tolist())
    assert sum(level["bpp"] for level in levels) == pytest.approx(result["bpp"]["ideal"])
    for k in (0, 1):
        pairs = [pyramid(image, 2)[k : k + 2] for image in images]
        wanted = rmse([(high, bicubic(low, *high.shape)) for high, low in pairs])
        assert levels[k]["bicubic_rmse"] == pytest.approx(wanted)
        tiles = [
            pyramid(image[y : y + 8, x : x + 16], 2)[k : k + 2]
            for image in images
            for y in range(0, image.shape[0], 8) for x in range(0, image.shape[1], 16)
        ]
        wanted = rmse([(high, model.upsampler.upsample(low, *high.shape)) for high, low in tiles])
        assert levels[k]["rmse"] == pytest.approx(wanted)
    assert set(levels[2]) == {"level", "bpp"}
    flat = evaluate(images, TileCodec(table_model()), baselines=False)
    shown = text(table({"a": result, "b": flat}))
    for part in ("ideal, level 2", "RMSE, level 1 bicubic", f"{levels[0]['rmse']:.2f}"):
        assert part in shown


def test_levels_of_several_channels():
    """Errors and bits are of all channels, bits per pixel."""
    model = pyramid_laplace_model(bits=8, nodes=20, channels=3)
    rng = np.random.default_rng(3)
    images = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in ((20, 24, 3), (9, 8, 3))]
    result = evaluate(images, TileCodec(model, tile=(16, 8)), baselines=False)
    assert result["verified"] is True and result["pixels"] == 20 * 24 + 9 * 8
    encoded = [Codec(model).encode(image, tile=(16, 8)) for image in images]
    assert result["bpp"]["file"] == 8 * sum(len(e.data) for e in encoded) / result["pixels"]
    bits = np.sum([e.level_bits for e in encoded], axis=0) / result["pixels"]
    assert [level["bpp"] for level in result["levels"]] == pytest.approx(bits.tolist())
    planes = [np.moveaxis(image, -1, 0) for image in images]
    pairs = [pyramid(image, 1) for image in planes]
    wanted = [(high[k], bicubic(low[k], *high.shape[1:])) for high, low in pairs for k in range(3)]
    assert result["levels"][0]["bicubic_rmse"] == pytest.approx(rmse(wanted))
    tiles = [
        pyramid(image[:, y : y + 8, x : x + 16], 1) for image in planes
        for y in range(0, image.shape[1], 8) for x in range(0, image.shape[2], 16)
    ]  # fmt: skip
    wanted = [(high, model.upsampler.upsample(low, *high.shape[1:])) for high, low in tiles]
    assert result["levels"][0]["rmse"] == pytest.approx(rmse(wanted))


def test_baselines_are_one_file_per_image(images, model):
    ic = pytest.importorskip("imagecodecs")
    baselines = evaluate(images, TileCodec(model))["baselines"]
    assert list(baselines) == list(BASELINES)
    pixels = sum(image.size for image in images)
    rgb = [np.repeat(image[..., None], 3, axis=2) for image in images]
    wanted = {
        "QOI": sum(len(ic.qoi_encode(x)) for x in rgb),
        "PNG": sum(len(ic.png_encode(x, level=9)) for x in images),
        "WebP": sum(len(ic.webp_encode(x, level=100, lossless=True)) for x in rgb),
        "JPEG-LS": sum(len(ic.jpegls_encode(x)) for x in images),
        "JPEG 2000": sum(len(ic.jpeg2k_encode(x, level=0, reversible=True)) for x in images),
    } | {
        f"JPEG XL e{effort}": sum(
            len(ic.jpegxl_encode(x, effort=effort, lossless=True)) for x in images
        )
        for effort in (3, 7, 9)
    }
    assert set(wanted) == set(baselines)
    assert baselines["PNG"]["bpp_mean"] == pytest.approx(
        np.mean([8 * len(ic.png_encode(x, level=9)) / x.size for x in images])
    )
    for name, size in wanted.items():
        found = baselines[name]
        assert found.pop("bpp_page") is not None and found.pop("bpp_mean") > 0
        assert found == {"settings": BASELINES[name].settings, "bpp": 8 * size / pixels}


def test_page():
    stack = np.arange(7 * 2 * 3, dtype=np.uint8).reshape(7, 2, 3) + 1
    found = page(stack)
    assert found.shape == (8, 6)
    for k in range(8):
        cell = found[k // 2 * 2 :, k % 2 * 3 :][:2, :3]
        assert np.array_equal(cell, stack[k] if k < 7 else np.zeros((2, 3)))


def test_baselines_get_small_images_on_a_page(images, model):
    ic = pytest.importorskip("imagecodecs")
    found = evaluate(images, TileCodec(model))["baselines"]["JPEG XL e9"]
    whole = page(np.stack([*images[:3], images[4]])), images[3]
    size = sum(len(ic.jpegxl_encode(x, effort=9, lossless=True)) for x in whole)
    assert found["bpp_page"] == 8 * size / sum(image.size for image in images)
    assert found["bpp_page"] < found["bpp"]
    large = np.zeros((129, 128), dtype=np.uint8)
    for others in ([large, large], images[2:4]):  # no small ones, no two of a size
        assert evaluate(others, TileCodec(model))["baselines"]["PNG"]["bpp_page"] is None


def test_baselines_can_be_left_out(images, model):
    assert "baselines" not in evaluate(images, TileCodec(model), baselines=False)


def test_a_baseline_that_cannot_code_an_image_says_so(model):
    result = evaluate([np.zeros((1, 16384), np.uint8)], TileCodec(model))  # WebP ends at 16383
    assert result["baselines"]["WebP"]["bpp"] is None
    assert result["baselines"]["WebP"]["reason"]
    assert result["baselines"]["PNG"]["bpp"] > 0
    assert "-" in text(table({"wide": result}))


def test_a_lossy_baseline_is_not_reported(images, model, monkeypatch):
    lossy = Baseline("", lambda x: x.tobytes(), lambda b: np.zeros((20, 24), np.uint8))
    monkeypatch.setitem(BASELINES, "PNG", lossy)
    result = evaluate(images, TileCodec(model))["baselines"]["PNG"]
    worst = images[0].max()
    assert result["bpp"] is None
    assert result["reason"] == f"not lossless on these images: off by {worst}"
    twisted = Baseline("", lambda x: x.tobytes(), lambda b: np.frombuffer(b, np.uint8))
    monkeypatch.setitem(BASELINES, "PNG", twisted)
    result = evaluate(images[:1], None)["baselines"]["PNG"]
    assert result["reason"].endswith("uint8 of shape (480,) for uint8 of shape (20, 24)")


class Raw(ImageCodec):
    """A codec that stores its images, at near with the lowest bits lost."""

    limits = DEEP_GRAY
    most_near = 2

    def __init__(self, lost=0):
        self.lost = lost

    def encode(self, array, near=0):
        kept = array & ~np.array(near | self.lost, array.dtype)
        return bytes([*array.shape, array.itemsize]) + kept.tobytes()

    def decode(self, data):
        dtype = {1: np.uint8, 2: np.uint16}[data[2]]
        return np.frombuffer(data[3:], dtype).reshape(data[0], data[1])


def test_any_codec_is_measured_by_its_files(images):
    deep = [*images, np.multiply(images[0], 37, dtype=np.uint16)]
    result = evaluate(deep, Raw(), near=[2, 3])
    pixels = sum(image.size for image in deep)
    size = sum(3 + image.nbytes for image in deep)
    mean = np.mean([8 * (3 + image.nbytes) / image.size for image in deep])
    assert result["bpp"] == {"file_each": 8 * size / pixels, "mean_each": pytest.approx(mean)}
    assert result["verified"] is True and result["depths"] == {"8": 5, "12": 1}
    for name in ("PNG", "JPEG 2000", "JPEG-LS", "JPEG XL e3", "JPEG XL e7", "JPEG XL e9"):
        assert result["baselines"][name]["bpp"] > 0
    for name in ("QOI", "WebP"):
        reason = "codes at most 8 bits per sample"
        found = result["baselines"][name]
        assert (found["bpp"], found["reason"]) == (None, reason)
    two, three = result["near_lossless"]
    assert two["near"] == 2 and two["lutgen"]["verified"] is True
    assert two["lutgen"]["bpp"] == 8 * size / pixels
    assert three["lutgen"] == {"bpp": None, "reason": "near 2 at most"}
    assert three["JPEG-LS"]["bpp"] < two["JPEG-LS"]["bpp"] < result["baselines"]["JPEG-LS"]["bpp"]
    assert json.loads(json.dumps(result)) == result
    shown = text(table({"a": result, "b": evaluate(images, None)}))
    assert "every sample within 3" in shown and "tiles alone" not in shown
    shown = text(table({"a": evaluate(deep, None, near=[2])}))
    assert "JPEG-LS" in shown and "lutgen" not in shown and "Mpixel" not in shown


def test_near_lossless_files_are_those_of_jpeg_ls(images):
    ic = pytest.importorskip("imagecodecs")
    (found,) = evaluate(images, None, near=[3], baselines=False)["near_lossless"]
    size = sum(len(ic.jpegls_encode(image, level=3)) for image in images)
    assert found["near"] == 3
    assert found["JPEG-LS"]["bpp"] == 8 * size / sum(i.size for i in images)


def test_more_than_near_is_reported(images):
    (found,) = evaluate(images, Raw(4), near=[1], baselines=False)["near_lossless"]
    assert found["lutgen"]["verified"] is False
    wrong = evaluate(images, Raw(4), near=[1, 2], baselines=False)
    assert faults(wrong) == [
        "decoded images must equal the originals, but differ",
        "decoded samples must be within 1, but are not",
        "decoded samples must be within 2, but are not",
    ]
    assert not faults(evaluate(images, Raw(), near=[2], baselines=False))
    assert evaluate(images, Raw(1), baselines=False)["verified"] is False


def test_tiles_are_lossless_only(images, model):
    codec = TileCodec(model)
    (found,) = evaluate(images, codec, near=[1], baselines=False)["near_lossless"]
    assert found["lutgen"] == {"bpp": None, "reason": "lossless only"}
    with pytest.raises(ValueError, match="^near of a codec that is lossless only must be 0, not 1"):
        codec.encode(images[0], near=1)


def test_a_broken_round_trip_is_reported(images, model, monkeypatch):
    decode = Codec.decode
    monkeypatch.setattr(Codec, "decode", lambda *a, **k: decode(*a, **k) ^ 1)
    assert evaluate(images, TileCodec(model), baselines=False)["verified"] is False


def test_no_images(model):
    with pytest.raises(ValueError, match="^images must be at least one, not none$"):
        evaluate([], TileCodec(model))


def text(grid):
    file = io.StringIO()
    Console(file=file, width=80).print(grid)
    return file.getvalue()


def test_table(images, model):
    both = evaluate(images, TileCodec(model))
    alone = evaluate(images[:1], TileCodec(model), baselines=False)
    shown = text(table({"some/folder/": both, "b.npz": alone}))
    for part in ("JPEG XL e7", "folder", "b.npz", "5 images", f"{both['bpp']['file']:.3f}"):
        assert part in shown
    assert "JPEG" not in text(table({"b.npz": alone}))


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_number_is_cut(images, model, terminal, width):
    """Columns that do not fit stand in further tables; a pipe has one, as wide as it must be."""
    result = evaluate(images, TileCodec(model))
    results = {f"some/long-name-of-{k}.npz": result for k in range(7)}
    file = io.StringIO()
    show(results, Console(file=file, width=width, force_terminal=terminal, no_color=True))
    shown = file.getvalue()
    assert "…" not in shown
    assert all(shown.count(f"long-name-of-{k}.npz") == 1 for k in range(7))
    for key in ("bpp", "bpp_page"):
        assert shown.count(f"{result['baselines']['WebP'][key]:.3f}") >= 7
    assert shown.count(f"{result['bpp']['file_each']:.3f}") >= 7
    assert shown.count("bits per pixel") == (1 if not terminal else 7 if width < 80 else 4)
    if terminal and width == 80:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
        assert max(map(len, plain.splitlines())) <= 80


def test_published_baselines():
    """The settings give what the paper's Table 1 and others report for EMNIST digits."""
    ic = pytest.importorskip("imagecodecs")
    beside = Path(__file__).parents[3] / "shared" / "data"
    path = Path(os.environ.get("LUTGEN_DATA", beside)) / "emnist_digits.npz"
    if not path.exists():
        pytest.skip(f"real images are absent: no {path}; set LUTGEN_DATA")
    with np.load(path) as file:
        images = file["val"][:300]
    assert ic.version()
    result = evaluate(list(images), None)["baselines"]
    wanted = {"QOI": 6.21, "PNG": 4.08, "WebP": 3.34, "JPEG-LS": 4.49, "JPEG XL e9": 3.16}
    for name, bpp in wanted.items():
        assert result[name]["bpp"] == pytest.approx(bpp, rel=0.04)
