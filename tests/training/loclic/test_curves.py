"""Metrics, Bjøntegaard differences and results."""

import json
import math

import numpy as np
import pytest
from PIL import Image

from lutgen.formats.colour import colour_files, read_colour
from lutgen.formats.rules import ImageError
from lutgen.training.loclic.measure.bd import bd_quality, bd_rate
from lutgen.training.loclic.measure.metrics import ms_ssim, psnr
from lutgen.training.loclic.measure.published import KODAK
from lutgen.training.loclic.measure.results import FIGURES, Results


@pytest.mark.parametrize(
    ("name", "decibel", "percent"),
    [
        ("factorized", -2.12, 64.9),
        ("hyperprior", -1.17, 29.2),
        ("mbt2018-mean", -0.82, 19.8),
        ("mbt2018", -0.35, 8.5),
        ("cheng2020-anchor", 0, 0),
    ],
)
def test_bd_of_published_curves(name, decibel, percent):
    """Known figures; they are of points with more digits, hence 0.1 %."""
    reference, test = KODAK["cheng2020-anchor"], KODAK[name]
    assert bd_quality(reference, test) == pytest.approx(decibel, abs=0.0055)
    assert bd_rate(reference, test) == pytest.approx(percent, abs=0.1)


def test_bd_of_shifted_curves():
    rates, qualities = (np.array(values) for values in KODAK["mbt2018"])
    order = np.array([3, 0, 7, 1, 2, 6, 4, 5])
    assert bd_rate((rates, qualities), (rates[order] * 1.1, qualities[order])) == pytest.approx(10)
    assert bd_quality((rates, qualities), (rates, qualities - 1)) == pytest.approx(-1)


def test_bd_errors():
    good = KODAK["mbt2018"]
    with pytest.raises(ValueError, match="^curve must have at least 4 points .* not 3 and 3$"):
        bd_rate(good, ([1, 2, 3], [1, 2, 3]))
    with pytest.raises(ValueError, match="^rates must be above zero"):
        bd_rate(good, ([0, 1, 2, 3], [1, 2, 3, 4]))
    with pytest.raises(ValueError, match="^curves must share a range of quality"):
        bd_rate(good, ([1, 2, 3, 4], [50, 51, 52, 53]))
    with pytest.raises(ValueError, match="^curves must share a range of rate"):
        bd_quality(good, ([11, 12, 13, 14], [30, 31, 32, 33]))


def pictures(seed=0, side=176):
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 255, side)
    image = np.stack([np.add.outer(ramp, ramp) / 2] * 3, 2) + rng.normal(0, 20, (side, side, 3))
    image = image.clip(0, 255)
    noisy = (image + rng.normal(0, 8, image.shape)).clip(0, 255)
    return image.astype(np.uint8), noisy.astype(np.uint8)


def test_psnr():
    image = np.zeros((2, 2, 3), np.uint8)
    other = image.copy()
    other[0, 0, 0] = 255
    assert psnr(image, other) == pytest.approx(10 * math.log10(12))
    assert psnr(image, image) == math.inf
    with pytest.raises(ValueError, match="^images must have one shape, not"):
        psnr(image, np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match="^images must be uint8 of shape"):
        psnr(image, image.astype(np.float32))


def test_ms_ssim():
    pytest.importorskip("pytorch_msssim", reason="extra `train`")
    image, noisy = pictures()
    assert ms_ssim(image, image) == pytest.approx(1)
    assert ms_ssim(image, noisy) == pytest.approx(ms_ssim(noisy, image))
    worse = (noisy // 64) * 64
    assert 0 < ms_ssim(image, worse) < ms_ssim(image, noisy) < 1
    with pytest.raises(ValueError, match="^images for MS-SSIM must have sides .* not 160 x 160$"):
        ms_ssim(image[:160, :160], noisy[:160, :160])


def curve(**more):
    return {name: [1.0, 2.0] for name in FIGURES} | more


def test_results(tmp_path):
    path = tmp_path / "r.json"
    saved = Results("codec", "what", curve(bpp=[0.1, 0.2], quality=[1, 2]))
    saved.save(path)
    assert Results.load(path) == saved
    assert saved.curve() == ([0.1, 0.2], [1.0, 2.0])
    assert set(json.loads(path.read_text())) == {"name", "description", "results"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "must hold results in CompressAI's schema"),
        ("[]", "must be an object"),
        ('{"results": {"bpp": [1]}}', "must have the list 'psnr-rgb'"),
        (json.dumps({"results": curve(bpp=[1.0])}), "psnr-rgb must be a list of 1 numbers"),
        (json.dumps({"results": curve(bpp=[1.0, math.inf])}), "bpp must be finite numbers"),
        (json.dumps({"results": curve(bpp=[1.0, "2"])}), "bpp must be finite numbers"),
    ],
)
def test_results_errors(tmp_path, text, error):
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=error):
        Results.load(path)


def test_colour_images(tmp_path, monkeypatch):
    image, _ = pictures(side=20)
    (tmp_path / "set" / "more").mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / "set" / "more" / "b.png")
    Image.fromarray(image[..., 0]).save(tmp_path / "set" / "a.png")
    Image.fromarray(image[..., 0] > 9).save(tmp_path / "bits.png")
    monkeypatch.setenv("LUTGEN_DATA", str(tmp_path))
    first, second = colour_files("set")
    assert (first.name, second.name) == ("a.png", "b.png")
    assert np.array_equal(read_colour(second), image)
    assert np.array_equal(read_colour(first), np.repeat(image[..., :1], 3, 2))
    assert colour_files(first) == [first]
    with pytest.raises(ImageError, match="must be RGB or gray of 8 bits per channel, not 1-bit"):
        read_colour(tmp_path / "bits.png")
    with pytest.raises(ImageError, match="must be an existing picture or folder, not 'none'"):
        colour_files("none")
    (tmp_path / "text.png").write_text("x")
    with pytest.raises(ImageError, match="picture must be whole, not damaged"):
        read_colour(tmp_path / "text.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="must contain pictures"):
        colour_files(tmp_path / "empty")
