import io
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from lutgen.codec.codec import Codec
from lutgen.compare import evaluate as module
from lutgen.compare.bicubic import bicubic
from lutgen.compare.evaluate import BASELINES, evaluate, page, show, table
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
        images, model, tile=(16, 8), progress=lambda *step: steps.append(step)
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
    assert bpp["file"] == 8 * sum(len(e.data) for e in grouped) / pixels
    assert bpp["payload"] == 8 * sum(e.payload_bytes for e in each) / pixels
    assert bpp["ideal"] == pytest.approx(sum(e.ideal_bits for e in each) / pixels)
    assert result["levels"] == [{"level": 0, "bpp": pytest.approx(bpp["ideal"])}]
    assert result["verified"] is True
    assert (result["images"], result["pixels"], result["sizes"]) == (5, pixels, 2)
    assert result["model"] == {"profile": "raster-table", "hash": model.hash}
    assert result["tile"] == [16, 8]
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
    result = evaluate(images, model, tile=(16, 8), baselines=False)
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
    shown = text(table({"a": result, "b": evaluate(images, table_model(), baselines=False)}))
    for part in ("ideal, level 2", "RMSE, level 1 bicubic", f"{levels[0]['rmse']:.2f}"):
        assert part in shown


def test_baselines_are_one_file_per_image(images, model):
    ic = pytest.importorskip("imagecodecs")
    baselines = evaluate(images, model)["baselines"]
    assert list(baselines) == list(BASELINES) == ["QOI", "PNG", "WebP", "JPEG-LS", "JPEG XL"]
    pixels = sum(image.size for image in images)
    rgb = [np.repeat(image[..., None], 3, axis=2) for image in images]
    wanted = {
        "QOI": sum(len(ic.qoi_encode(x)) for x in rgb),
        "PNG": sum(len(ic.png_encode(x, level=9)) for x in images),
        "WebP": sum(len(ic.webp_encode(x, level=100, lossless=True)) for x in rgb),
        "JPEG-LS": sum(len(ic.jpegls_encode(x)) for x in images),
        "JPEG XL": sum(len(ic.jpegxl_encode(x, effort=9, lossless=True)) for x in images),
    }
    for name, size in wanted.items():
        found = baselines[name]
        assert found.pop("bpp_page") is not None
        assert found == {"settings": BASELINES[name], "bpp": 8 * size / pixels}


def test_page():
    stack = np.arange(7 * 2 * 3, dtype=np.uint8).reshape(7, 2, 3) + 1
    found = page(stack)
    assert found.shape == (8, 6)
    for k in range(8):
        cell = found[k // 2 * 2 :, k % 2 * 3 :][:2, :3]
        assert np.array_equal(cell, stack[k] if k < 7 else np.zeros((2, 3)))


def test_baselines_get_small_images_on_a_page(images, model):
    ic = pytest.importorskip("imagecodecs")
    found = evaluate(images, model)["baselines"]["JPEG XL"]
    whole = page(np.stack([*images[:3], images[4]])), images[3]
    size = sum(len(ic.jpegxl_encode(x, effort=9, lossless=True)) for x in whole)
    assert found["bpp_page"] == 8 * size / sum(image.size for image in images)
    assert found["bpp_page"] < found["bpp"]
    large = np.zeros((129, 128), dtype=np.uint8)
    for others in ([large, large], images[2:4]):  # no small ones, no two of a size
        assert evaluate(others, model)["baselines"]["PNG"]["bpp_page"] is None


def test_baselines_can_be_left_out(images, model):
    assert "baselines" not in evaluate(images, model, baselines=False)


def test_a_baseline_that_cannot_code_an_image_says_so(model):
    result = evaluate([np.zeros((1, 16384), np.uint8)], model)  # WebP ends at 16383
    assert result["baselines"]["WebP"]["bpp"] is None
    assert result["baselines"]["WebP"]["reason"]
    assert result["baselines"]["PNG"]["bpp"] > 0
    assert "-" in text(table({"wide": result}))


def test_a_lossy_baseline_is_not_reported(images, model, monkeypatch):
    lossy = {"PNG": (lambda x: x.tobytes(), lambda b: np.zeros((20, 24), np.uint8))}
    monkeypatch.setattr(module, "_baselines", lambda: lossy)
    result = evaluate(images, model)["baselines"]["PNG"]
    assert result["bpp"] is None and result["reason"] == "not lossless on these images"


def test_a_broken_round_trip_is_reported(images, model, monkeypatch):
    decode = Codec.decode
    monkeypatch.setattr(Codec, "decode", lambda *a, **k: decode(*a, **k) ^ 1)
    assert evaluate(images, model, baselines=False)["verified"] is False


def test_no_images(model):
    with pytest.raises(ValueError, match="^images must be at least one, not none$"):
        evaluate([], model)


def text(grid):
    file = io.StringIO()
    Console(file=file, width=80).print(grid)
    return file.getvalue()


def test_table(images, model):
    both = evaluate(images, model)
    alone = evaluate(images[:1], model, baselines=False)
    shown = text(table({"some/folder/": both, "b.npz": alone}))
    for part in ("JPEG XL", "folder", "b.npz", "5 images", f"{both['bpp']['file']:.3f}"):
        assert part in shown
    assert "JPEG" not in text(table({"b.npz": alone}))


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_number_is_cut(images, model, terminal, width):
    """Columns that do not fit stand in further tables; a pipe has one, as wide as it must be."""
    result = evaluate(images, model)
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
    result = evaluate(list(images), table_model())["baselines"]
    wanted = {"QOI": 6.21, "PNG": 4.08, "WebP": 3.34, "JPEG-LS": 4.49, "JPEG XL": 3.16}
    for name, bpp in wanted.items():
        assert result[name]["bpp"] == pytest.approx(bpp, rel=0.04)
