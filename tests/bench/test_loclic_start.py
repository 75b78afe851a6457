"""The programs that train LoC-LIC: what first steps reach, and so many minutes of a device."""

import json
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from bench import loclic_gpu, loclic_memory, loclic_start
from bench.tables import loclic as tables
from lutgen.codec.lossy.model import LossyModelFile
from lutgen.formats.colour import read_colour
from lutgen.training.loclic.deployed import DeployedCodec
from lutgen.training.loclic.export import export_codec
from lutgen.training.loclic.files import decode_image, encode_image
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks import config as configs
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.store import load_codec

TINY = CodecConfig(source="test", widths=(8, 8, 8), latent=16, slices=2)


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    for name in ("loc-lic-small", "loc-lic-mini"):
        monkeypatch.setitem(configs.PRESETS, name, TINY)
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    y, x = np.mgrid[:160, :160]
    for k in range(4):
        waves = np.sin(np.stack([x + k * y, x - y, x + 2 * y], 2) / (9 + k))
        image = 128 + 80 * waves + rng.normal(0, 4, waves.shape)
        path = tmp_path / "pictures" / f"{k}.png"
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(path)
    return tmp_path / "pictures"


def run(program, *arguments):
    return CliRunner().invoke(program.main, [str(a) for a in arguments], catch_exceptions=False)


@pytest.mark.slow
def test_beginnings(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(loclic_start, "_CROP", 64)
    monkeypatch.setattr(loclic_start, "_SIDE", 64)
    monkeypatch.setitem(loclic_start._EARLIER, "ramp", 1)
    out = tmp_path / "loclic-start.json"
    common = ("--data", pictures, "--folder", pictures, "--steps", 2, "--out", out)
    threads = torch.get_num_threads()
    try:
        for name in ("before", "now"):  # the second keeps the first
            result = run(loclic_start, name, *common)
            assert result.exit_code == 0, result.output
    finally:
        torch.set_num_threads(threads)
    found = json.loads(out.read_text())
    before, now = found["beginnings"]["before"], found["beginnings"]["now"]
    assert (found["images"], found["steps"], before["end"], now["end"]) == (4, 2, 1, 0.01)
    # The same transforms, another hyperprior.
    assert before["first"]["psnr"] == pytest.approx(now["first"]["psnr"], abs=1)
    assert now["first"]["z_bpp"] < 0.8 * before["first"]["z_bpp"]
    for part in (before["last"], now["last"]):
        error = 10 ** (-part["psnr"] / 10)
        assert part["loss"] == pytest.approx(0.013 * 255**2 * error + part["bpp"], rel=0.1)
    assert found["crop_ms"]["kept"] < found["crop_ms"]["read"]

    monkeypatch.setattr(tables, "load", {"loclic-start": found}.__getitem__)
    table = tables.loclic_start()
    assert f"| {now['last']['loss']:.3f} |" in table and "dead hyperprior" in table


@pytest.mark.slow
def test_minutes_of_a_device(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(loclic_gpu, "_TIMED", 1)
    out = tmp_path / "out"
    options = ("--device", "cpu", "--crop", 64, "--batch", 2, "--out", out)
    result = run(loclic_gpu, pictures, "--minutes", 0.0001, *options)
    assert result.exit_code == 2
    assert "minutes must be enough for a step of" in result.output
    # No matter how busy this machine is.
    monkeypatch.setattr(loclic_gpu, "seconds_per_step", lambda *_: 1.0)
    options = ("--lambda", 0.013, "--lambda", 0.05, *options)
    result = run(loclic_gpu, pictures, "--minutes", 0.6, *options)
    assert result.exit_code == 0, result.output
    for name, steps in (("0.0130", [2, 3]), ("0.0500", [5])):
        found = json.loads((out / f"{name}.json").read_text())
        assert found["last"]["step"] == sum(found["steps"])
        assert found["steps"] == steps
        assert load_codec(out / f"{name}.pt")[1]["last"] == found["last"]
    assert sorted(path.name for path in out.iterdir()) == [
        *(f"{name}.{kind}" for name in ("0.0130", "0.0500")
          for kind in ("json", "jsonl", "loclic", "pt")),
        "plan.json",
    ]  # fmt: skip
    codec = DeployedCodec(LossyModelFile.read(out / "0.0500.loclic"))
    image = read_colour(pictures / "0.png")
    assert decode_image(codec, encode_image(codec, image)).shape == image.shape
    # From there on: steps with contexts alone.
    more = tmp_path / "more"
    options = ("--device", "cpu", "--crop", 64, "--batch", 2, "--out", more)
    options += ("--start", out / "0.0500.loclic", "--rounding", 0.5, 2, "--minutes", 0.26)
    result = run(loclic_gpu, pictures, *options)
    assert result.exit_code == 0, result.output
    found = json.loads((more / "0.0130.json").read_text())
    assert (found["steps"], found["config"]["rounding"]) == ([3], [0.5, 2])


def test_steps_to_count_with():
    for rounding, steps in (
        ((1, 1), [1]), ((0.6, 6), [1, 2, 4]), ((0.25, 8), [0.25, 0.5, 1, 2, 4, 8]), ((3, 3), [4]),
    ):  # fmt: skip
        config = SimpleNamespace(rounding=rounding)
        assert loclic_gpu.counted_steps(config) == [4096 * step for step in steps]


@pytest.mark.exhaustive
def test_memory(pictures, tmp_path, monkeypatch):
    torch.manual_seed(0)
    export_codec(Codec(TINY).eval(), {}).write(tmp_path / "m.loclic")
    out = tmp_path / "memory.json"
    result = run(loclic_memory, tmp_path / "m.loclic", pictures / "0.png", "--out", out)
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    row = found["images"]["0.png"]
    assert (row["width"], row["height"], found["weight_bits"]) == (160, 160, 16)
    for way in ("compress", "decompress"):
        assert 50 < row[way]["mib"] < 2000  # python and torch alone are hundreds
        assert row[way]["seconds"] > 0.1
    monkeypatch.setattr(tables, "load", {"loclic-memory": found}.__getitem__)
    assert "| 0.png | 160 x 160 |" in tables.loclic_memory()
    with pytest.raises(subprocess.CalledProcessError):
        loclic_memory.peak("compress", tmp_path / "none.png", tmp_path / "x", "--model", "none")


@pytest.mark.slow
def test_a_stopped_run_keeps_its_plan(pictures, tmp_path):
    """Another measurement of the pace would be another run than the checkpoint's."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "plan.json").write_text("[[2, 1]]")
    result = run(loclic_gpu, pictures, "--device", "cpu", "--crop", 64, "--batch", 2, "--out", out)
    assert result.exit_code == 0, result.output
    assert json.loads((out / "0.0130.json").read_text())["steps"] == [2, 1]
