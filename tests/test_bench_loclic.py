"""The program that measures JPEG and WebP, on one drawn image."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from lutgen.training.loclic.results import Results

pytest.importorskip("pytorch_msssim", reason="MS-SSIM needs pytorch-msssim: extra `train`")

from bench import loclic_baselines  # noqa: E402  (after the skip)


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
