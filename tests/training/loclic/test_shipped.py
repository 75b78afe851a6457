"""The lossy codec that comes with the package: no training, no model to name."""

from importlib import resources

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from lutgen.build.engine import build_engine
from lutgen.cli import main
from lutgen.codec.lossy.model import LossyModelFile
from lutgen.model.default import LOSSY


def picture(height, width):
    """Smooth colours, an edge and some grain: uint8, (height, width, 3)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = 128 + 60 * np.sin(np.stack([x + y, x - y, x + 2 * y], 2) / 25)
    waves[:, width // 2 :] -= 50
    return (waves + rng.normal(0, 2, waves.shape)).clip(0, 255).astype(np.uint8)


def run(*arguments):
    result = CliRunner().invoke(main, ["loclic", *map(str, arguments)])
    assert result.exit_code == 0, result.output


@pytest.mark.slow
def test_compress_without_a_model(tmp_path):
    image = picture(100, 140)
    Image.fromarray(image).save(tmp_path / "a.png")
    sizes, psnr = {}, {}
    for step in (0.5, 1, 4):
        run("compress", tmp_path / "a.png", tmp_path / "a.loc", "--step", step)
        run("decompress", tmp_path / "a.loc", tmp_path / "b.png")
        found = np.asarray(Image.open(tmp_path / "b.png")).astype(float)
        sizes[step] = (tmp_path / "a.loc").stat().st_size
        psnr[step] = -10 * np.log10(((found - image) ** 2).mean() / 255**2)
    assert sizes[4] < sizes[1] < sizes[0.5] < (tmp_path / "a.png").stat().st_size / 4
    assert 25 < psnr[4] < psnr[1] < psnr[0.5]


@pytest.mark.slow
def test_file_and_its_tables_in_hardware(tmp_path):
    size = (resources.files("lutgen") / "models" / f"{LOSSY}.loclic").stat().st_size
    assert size < 10_000_000
    codec = LossyModelFile.read(LOSSY)
    assert codec.meta["weight_bits"] == 8
    record = build_engine("generic", LOSSY, out=tmp_path / "engine", estimate=False)
    assert record["model"]["hash"] == codec.hash
    assert record["model"]["classes"] == codec.tables.classes
