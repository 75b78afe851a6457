"""Exported codecs to train on."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from lutgen.cli import main
from lutgen.formats.colour import colour_files
from lutgen.training.loclic.export import export_codec
from lutgen.training.loclic.files import image_tensor
from lutgen.training.loclic.initial import begin_linear, begin_remainder
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks import config as configs
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.reopen import load_start, reopened
from lutgen.training.loclic.schedule import Stage, TrainConfig
from lutgen.training.loclic.step import bits_per_pixel
from lutgen.training.loclic.store import load_codec, save_codec
from lutgen.training.loclic.train import train_codec

TINY = CodecConfig(source="test", widths=(8, 8, 8), latent=16, slices=2)
WHOLE = replace(TINY, remainder=12)


def picture(seed):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:80, :96]
    waves = [128 + 90 * np.sin(x / (9 + k) + y / (14 - k) + k) for k in range(3)]
    return (np.stack(waves, 2) + rng.normal(0, 6, (80, 96, 3))).clip(0, 255).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path):
    for k in range(2):
        Image.fromarray(picture(k)).save(tmp_path / f"{k}.png")
    return tmp_path


def begun(config):
    torch.manual_seed(3)
    network, x = Codec(config).eval(), image_tensor(picture(5))
    begin_linear(network, x, 0.013)
    if config.remainder:
        begin_remainder(network, x, 0.013, 0.5)
    with torch.no_grad():  # a prior with a shape of its own
        network.prior.quantiles += torch.linspace(-2, 2, 8)[:, None]
        network.prior.biases[-1] -= network.prior.logits(
            network.prior.quantiles[:, 1:2]
        )[..., None]  # fmt: skip
    return network


@pytest.mark.parametrize("config", [TINY, WHOLE])
@pytest.mark.parametrize(("bits", "close"), [(16, 1e-3), (8, 0.05)])
def test_networks_come_back(config, bits, close):
    network = begun(config)
    again = reopened(export_codec(network, {}, bits=bits))
    assert again.config == config
    x = image_tensor(picture(9))
    with torch.no_grad():
        before, after = network(x), again(x)
    assert bits_per_pixel(after).item() == pytest.approx(bits_per_pixel(before).item(), rel=close)
    error, other = ((out["x_hat"] - x).square().mean().item() for out in (before, after))
    assert other == pytest.approx(error, rel=close)
    assert torch.allclose(again.prior.medians, network.prior.medians, atol=1e-3)
    near = network.prior.quantiles[:, 1:2] + torch.arange(-3, 4)
    with torch.no_grad():
        found = [one.prior.probability(near) for one in (network, again)]
    assert torch.allclose(*found, atol=0.02)


def run(config, **more):
    return TrainConfig(codec=config, stages=[Stage(steps=2, crop=64, batch=3)], rate=1e-6, **more)


def test_a_remainder_joins_what_was_trained_without(pictures):
    network = begun(TINY)
    files = colour_files(pictures)
    more, record = train_codec(
        files, run(WHOLE, rounding=(0.25, 0.25)), start=network
    )
    assert record["config"]["rounding"] == [0.25, 0.25]
    x = image_tensor(picture(9))
    with torch.no_grad():
        errors = [(one(x, step=0.25)["x_hat"] - x).square().mean() for one in (network, more)]
    assert errors[1] < 0.8 * errors[0]
    with pytest.raises(ValueError, match="must be of the same configuration"):
        train_codec(files, run(TINY), start=more)


def test_steps_of_a_range(pictures):
    """The loss is a mean of that of each crop, at its own step."""
    files = colour_files(pictures)
    given = {"weight": 0.02, "log_every": 1}
    ranged, wide = (
        train_codec(files, run(TINY, rounding=steps, **given))[1]["last"]
        for steps in ((0.5, 8), (8, 8))
    )
    assert wide["bpp"] < ranged["bpp"]
    error = 10 ** (-wide["psnr"] / 10)
    assert wide["loss"] == pytest.approx(0.02 * 255**2 / 64 * error + wide["bpp"], rel=1e-5)
    for rounding in ((0, 1), (2, 1), (1, 2, 3)):
        with pytest.raises(ValueError, match="^rounding must be a least and a greatest step"):
            run(TINY, rounding=rounding)


def test_start_of_the_command(pictures, tmp_path, monkeypatch):
    monkeypatch.setitem(configs.PRESETS, "tiny", WHOLE)
    export_codec(begun(TINY), {"note": "first"}).write(tmp_path / "a.loclic")
    save_codec(tmp_path / "a.pt", begun(WHOLE), {"note": "second"})
    (tmp_path / "text.loclic").write_text("nothing")
    given = ["loclic", "train", "--data", str(pictures / "0.png"), "--config", "tiny", "--steps",
             "1", "--crop", "64", "--batch", "2", "--rounding", "0.5", "4"]  # fmt: skip
    for start, note in (("a.loclic", "first"), ("a.pt", "second")):
        out = tmp_path / "out.pt"
        result = CliRunner().invoke(
            main, [*given, "--start", str(tmp_path / start), "-o", str(out), "--json"]
        )
        assert result.exit_code == 0, result.output
        record = json.loads(result.stdout)
        assert record["start"] == {"note": note}
        assert record["config"]["rounding"] == [0.5, 4]
        assert load_codec(out)[0].config == WHOLE
    for start, message in (
        ("text.loclic", "text.loclic must be a codec to train on: "),
        ("0.png", "0.png must be a codec to train on: "), ("none.loclic", "none.loclic"),
    ):  # fmt: skip
        result = CliRunner().invoke(main, [*given, "--start", str(tmp_path / start), "-o", "x.pt"])
        assert result.exit_code == 1
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1
    result = CliRunner().invoke(main, [*given[:-2], "4", "0.5", "-o", "x.pt"])
    assert result.exit_code == 2
    assert "rounding must be a least and a greatest step above zero, not 4.0 0.5" in result.stderr


def test_damaged_arrays_are_no_start(tmp_path):
    file = export_codec(begun(TINY), {})
    arrays = dict(file.arrays)
    del arrays["prior.medians"]
    replace(file, arrays=arrays).write(tmp_path / "a.loclic")
    with pytest.raises(ValueError, match="must be a codec to train on: model must hold the arrays"):
        load_start(tmp_path / "a.loclic")
