"""The programs that measure JPEG, WebP and trained codecs, on one drawn image."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from lutgen.commands import Failure
from lutgen.model.default import LOSSY
from lutgen.training.loclic.export import export_codec
from lutgen.training.loclic.files import image_tensor
from lutgen.training.loclic.initial import begin_linear
from lutgen.training.loclic.measure.results import Results
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.store import save_codec

pytest.importorskip("pytorch_msssim", reason="MS-SSIM needs pytorch-msssim: extra `train`")

from bench import loclic, loclic_baselines, loclic_crops  # noqa: E402  (after the skip)


def waves(height: int, width: int) -> np.ndarray:
    """Smooth colours with some grain: uint8, (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    image = 128 + 80 * np.sin(np.stack([x + y, x - y, x + 2 * y], 2) / 20)
    grain = np.random.default_rng(0).normal(0, 4, image.shape)
    return (image + grain).clip(0, 255).astype(np.uint8)


def test_baselines(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    smooth = np.add.outer(np.linspace(0, 160, 192), np.linspace(0, 90, 176))
    image = smooth[..., None] + rng.normal(0, 6, (192, 176, 3))
    (tmp_path / "pictures").mkdir()
    Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(tmp_path / "pictures" / "a.png")
    arguments = [str(tmp_path / "pictures"), "--qualities", "20,50,80,95", "--out", str(tmp_path)]
    result = CliRunner().invoke(loclic_baselines.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    curves = {name: Results.load(tmp_path / f"loclic-{name}.json") for name in ("jpeg", "webp")}
    for curve in curves.values():
        found = curve.results
        assert found["quality"] == [20, 50, 80, 95]
        for name in ("bpp", "psnr-rgb", "ms-ssim-rgb"):
            assert found[name] == sorted(found[name])
        assert 0.9 < found["ms-ssim-rgb"][-1] < 1
        assert min(found["encoding_time"]) > 0
    jpeg, webp = (curve.results for curve in curves.values())
    assert webp["bpp"][0] < jpeg["bpp"][0]
    assert webp["psnr-rgb"][0] > jpeg["psnr-rgb"][0]


@pytest.mark.slow
def test_a_trained_codec(tmp_path):
    """The command measures an exported codec from real bytes, beside its float networks."""
    image = waves(192, 192)
    Image.fromarray(image).save(tmp_path / "image.png")
    torch.manual_seed(0)
    network = Codec(CodecConfig(source="test", widths=(8, 8, 8), latent=16, slices=2)).eval()
    begin_linear(network, image_tensor(image), 0.013)
    training = {
        "config": {"weight": 0.013, "codec": {"source": "test"}}, "device": "cpu",
        "last": {"step": 0, "seconds": 0.0},
    }  # fmt: skip
    save_codec(tmp_path / "t.pt", network, training)
    export_codec(network, training).write(tmp_path / "m.loclic")
    def run(*more):
        threads = torch.get_num_threads()
        try:
            result = CliRunner().invoke(loclic.main, [
                str(tmp_path / "t.pt"), str(tmp_path / "m.loclic"), "--folder", str(tmp_path),
                "--name", "t", "--threads", "1", "--out", str(tmp_path / "out"), *more,
            ])  # fmt: skip
        finally:
            torch.set_num_threads(threads)
        assert result.exit_code == 0, result.output

    run("--steps", "1,2")
    found = Results.load(tmp_path / "out" / "loclic-t.json").results
    assert found["step"] == [2.0, 1.0]
    assert found["bpp"][0] < found["bpp"][1]
    assert found["psnr-rgb"][0] < found["psnr-rgb"][1]
    record = json.loads((tmp_path / "out" / "loclic-t-coding.json").read_text())
    assert record["differing_values"] == 0
    assert record["integers"]["bpp"] == found["bpp"][1]
    assert abs(record["integer_cost"]) < 0.02
    # Of a codec for other rates, the points alone.
    run("--steps", "4", "--add")
    more = Results.load(tmp_path / "out" / "loclic-t.json").results
    assert more["step"] == [2.0, 1.0, 4.0]
    assert more["bpp"][:2] == found["bpp"] and more["bpp"][2] < found["bpp"][0]
    assert json.loads((tmp_path / "out" / "loclic-t-coding.json").read_text()) == record


def test_the_greatest_quality_of_a_rate():
    image = waves(70, 90)
    jpeg, *_ = loclic_baselines.CODECS["jpeg"]
    sizes = [len(jpeg(image, quality=quality)) for quality in range(1, 101)]
    for size in (min(sizes), 1500, max(sizes)):
        file = loclic_crops.at_most(size, jpeg, image)
        assert len(file) == max(found for found in sizes if found <= size)
    with pytest.raises(Failure, match="^no quality makes a file of at most 99 bytes$"):
        loclic_crops.at_most(99, jpeg, image)


@pytest.mark.slow
def test_crops(tmp_path):
    """No other codec's file is larger than that of the shipped one."""
    pytest.importorskip("matplotlib", reason="plots need matplotlib: extra `bench`")
    out = tmp_path / "crops.png"
    picture = str(tmp_path / "image.png")
    Image.fromarray(waves(70, 90)).save(picture)
    result = CliRunner().invoke(loclic_crops.main, [
        picture, "--crop", "32x24+9+8", "--step", "1", "--out", str(out),
    ])  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split(",")[0] for line in lines] == ["original", LOSSY, "jpeg", "webp", str(out)]
    rates = [float(line.split()[1]) for line in lines[1:4]]
    assert max(rates) == rates[0]
    with Image.open(out) as found:
        assert found.size[0] > 1000
    wrong = CliRunner().invoke(loclic_crops.main, [picture, "--crop", "99x9"])
    assert wrong.exit_code == 2 and "size must lie in images of 90x70, not '99x9'" in wrong.output
