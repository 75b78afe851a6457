"""Training of the lossy codec, and its commands."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from lutgen.cli import main
from lutgen.formats.colour import colour_files, read_colour
from lutgen.training.data.datasets import DatasetError
from lutgen.training.loclic import crops as crops_module
from lutgen.training.loclic.crops import Crops
from lutgen.training.loclic.networks import config as configs
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.schedule import Stage, TrainConfig, stages
from lutgen.training.loclic.store import load_codec, save_codec
from lutgen.training.loclic.train import train_codec

TINY = CodecConfig(source="test", widths=(4, 6, 8), latent=16, slices=2)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k in range(3):
        ramp = np.add.outer(np.arange(80), np.arange(96) * (k + 1)) % 256
        image = np.stack([ramp, 255 - ramp, ramp // 2 + rng.integers(0, 20, ramp.shape)], 2)
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{k}.png")
    return colour_files(folder)


def run(steps, rate=1e-3, **more):
    return TrainConfig(
        codec=TINY, stages=[Stage(steps=steps, crop=64, batch=2)], log_every=2, rate=rate,
        ramp=0, end=1, **more,
    )  # fmt: skip


@pytest.mark.slow
def test_training_learns(files, tmp_path):
    log = tmp_path / "log.jsonl"
    calls = []
    network, record = train_codec(
        files, run(60, rate=3e-4), log=log, progress=lambda *a: calls.append(a)
    )
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(2, 61, 2))
    losses = [line["loss"] for line in lines]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])
    for line in lines:
        error = 10 ** (-line["psnr"] / 10)
        assert line["loss"] == pytest.approx(0.013 * 255**2 * error + line["bpp"], rel=1e-6)
    assert calls[-1] == ("training", 60, 60)
    assert not network.training
    assert record["last"] == lines[-1]
    assert (record["pictures"], record["config"]["codec"]["latent"]) == (3, 16)

    save_codec(tmp_path / "codec.pt", network, record)
    again, its_record = load_codec(tmp_path / "codec.pt")
    assert its_record == record
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x)["x_hat"], again(x)["x_hat"])


@pytest.mark.parametrize("value", [0, 255])
def test_constant_pictures(tmp_path, value):
    Image.new("RGB", (64, 64), (value,) * 3).save(tmp_path / "a.png")
    network, record = train_codec(colour_files(tmp_path / "a.png"), run(2))
    assert all(torch.isfinite(p).all() for p in network.parameters())
    assert record["last"]["step"] == 2


def test_a_loss_that_is_no_number(files, tmp_path):
    """Told before anything of it is kept: by the next line of the log, or state."""
    broken, _ = train_codec(files, run(1))
    with torch.no_grad():
        broken.synthesis.stages[-1][0].bias[0] = torch.nan
    for seconds, steps in ((60, "1 to 2"), (0, "1 to 1")):
        checkpoint = tmp_path / "c"
        told = rf"^loss must be a number, not nan \(steps {steps}\)$"
        with pytest.raises(ValueError, match=told):
            train_codec(
                files, run(4), start=broken, checkpoint=checkpoint, save_seconds=seconds
            )
        assert not checkpoint.exists()


@pytest.mark.slow
def test_a_stopped_run_goes_on(files, tmp_path):
    whole, record = train_codec(files, run(6))
    paths = {"checkpoint": tmp_path / "c", "log": tmp_path / "l", "save_seconds": 0}

    def stop(word, done, total):
        if done == 4:  # the checkpoint is of step 3
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_codec(files, run(6), progress=stop, **paths)
    with pytest.raises(ValueError, match="must be of this run, but differs in config"):
        train_codec(files, run(6, seed=1), **paths)
    on, its_record = train_codec(files, run(6), **paths)
    assert paths["checkpoint"].exists()  # until the caller has the codec in safety
    for name, value in whole.state_dict().items():
        assert torch.equal(on.state_dict()[name], value), name
    assert its_record["last"]["step"] == record["last"]["step"]
    assert its_record["last"]["bpp"] == record["last"]["bpp"]
    assert [json.loads(x)["step"] for x in (tmp_path / "l").read_text().splitlines()] == [2, 4, 6]


def test_stages_without_contexts_and_a_start(files):
    first, _ = train_codec(files, run(2))
    plan = stages(steps=4, large_steps=0, crop=64, large_crop=128, batch=2, prior_steps=3)
    config = TrainConfig(codec=TINY, stages=plan, log_every=1, rate=1e-4)
    seen = []
    network, record = train_codec(files, config, start=first, progress=lambda *a: seen.append(a))
    assert record["last"]["step"] == len(seen) == 7
    assert record["last"]["contexts"] is True

    # Networks that have no part in a stage rest.
    alone = TrainConfig(codec=TINY, stages=plan[:1])
    network, record = train_codec(files, alone, start=first)
    assert record["last"]["contexts"] is False
    for part, same in (("entropy_model", True), ("analysis", False), ("hyper_synthesis", False)):
        pairs = zip(
            getattr(network, part).parameters(), getattr(first, part).parameters(), strict=True
        )
        assert all(torch.equal(a, b) for a, b in pairs) == same, part
    other = TrainConfig(codec=configs.preset("loc-lic-small"), stages=plan)
    with pytest.raises(ValueError, match="must be of the same configuration, not 'test'"):
        train_codec(files, other, start=first)


def test_crops(files):
    crops = Crops(files, 64, seed=5)
    first = crops.batch(7, 6, 64)
    assert first.shape == (6, 64, 64, 3)
    assert np.array_equal(first, crops.batch(7, 6, 64))
    assert not np.array_equal(first, crops.batch(8, 6, 64))
    shared = [crops.batch(7, 6, 64, slice(k, None, 2)) for k in range(2)]
    assert np.array_equal(first[0::2], shared[0])
    assert np.array_equal(first[1::2], shared[1])
    with pytest.raises(DatasetError, match="must be at least 128 x 128 pixels, .* not 96 x 80$"):
        Crops(files, 128, seed=0)


@pytest.mark.parametrize(("pictures", "reads"), [(3, 3), (2, None), (0, None)])
def test_crops_read_pictures_that_fit_once(files, monkeypatch, pictures, reads):
    read = []
    monkeypatch.setattr(
        crops_module, "read_colour", lambda path: read.append(path) or read_colour(path)
    )
    size = 80 * 96 * 3
    crops = Crops(files, 64, seed=5, memory=pictures * size + size // 2)
    batches = [crops.batch(step, 8, 64) for step in range(6)]
    kept = sum(read.count(path) == 1 for path in files)
    assert kept == pictures  # the others are drawn some 16 times
    assert reads is None or len(read) == reads
    again = Crops(files, 64, seed=5)
    assert all(np.array_equal(again.batch(k, 8, 64), b) for k, b in enumerate(batches))


def test_schedule():
    plan = stages(steps=10, large_steps=3, crop=256, large_crop=512, batch=8)
    assert [(s.steps, s.crop, s.batch) for s in plan] == [(10, 256, 8), (3, 512, 2)]
    config = TrainConfig(codec=TINY, stages=plan)
    assert config.steps == 13
    assert [config.stage(k).crop for k in (0, 9, 10, 12)] == [256, 256, 512, 512]
    # A twentieth of the steps warms up, unless told.
    assert (config.ramp, TrainConfig(codec=TINY, stages=[Stage(steps=300)]).ramp) == (0, 15)
    warm = TrainConfig(codec=TINY, stages=plan, rate=0.01, ramp=3, end=0.2)
    rates = [warm.rate_of(k) for k in range(13)]
    assert rates[:4] == pytest.approx([0.0025, 0.005, 0.0075, 0.01])
    assert rates[8] == pytest.approx(0.006)  # half of the way
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert 0.002 < rates[-1] < 0.0023
    flat = TrainConfig(codec=TINY, stages=plan, rate=0.01, ramp=0, end=1)
    assert {flat.rate_of(k) for k in range(13)} == {0.01}
    with pytest.raises(ValueError, match="^ramp must be a number of steps below all 13, not -1$"):
        TrainConfig(codec=TINY, stages=plan, ramp=-1)
    with pytest.raises(ValueError, match="^ramp must be a number of steps below all 13, not 13$"):
        TrainConfig(codec=TINY, stages=plan, ramp=13)
    with pytest.raises(ValueError, match="^end must be a share of the rate, 0 to 1, not 2$"):
        TrainConfig(codec=TINY, stages=plan, end=2)
    with pytest.raises(ValueError, match="^rate must be between 0 and 1, not 0$"):
        TrainConfig(codec=TINY, stages=plan, rate=0)
    with pytest.raises(ValueError, match="^crop must be a multiple of 64 pixels, not 100$"):
        Stage(steps=1, crop=100)
    with pytest.raises(ValueError, match="^steps and batch must be at least 1, not 1 and 0$"):
        Stage(steps=1, batch=0)
    with pytest.raises(ValueError, match="^weight must be above zero, not 0$"):
        TrainConfig(codec=TINY, stages=plan, weight=0)
    with pytest.raises(ValueError, match="^stages must be at least one, not none$"):
        TrainConfig(codec=TINY, stages=[])


def test_store_errors(tmp_path):
    path = tmp_path / "x.pt"
    path.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="must be a trained LoC-LIC codec$"):
        load_codec(path)


def command(*arguments):
    result = CliRunner().invoke(main, ["loclic", *(str(a) for a in arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_train_command(files, tmp_path, monkeypatch):
    monkeypatch.setitem(configs.PRESETS, "tiny", TINY)
    out = tmp_path / "codec.pt"
    common = ("train", "--data", files[0].parent, "--config", "tiny", "--batch", 2)
    status, stdout, _ = command(*common, "--crop", 64, "--steps", 2, "-o", out, "--json")
    assert status == 0
    assert json.loads(stdout)["last"]["step"] == 2
    assert load_codec(out)[0].config == TINY
    assert len((tmp_path / "codec.pt.jsonl").read_text().splitlines()) == 1
    # What goes to a device has no checkpoint beside it.
    assert command(*common, "--crop", 64, "--steps", 1, "-o", "/dev/null")[0] == 0
    status, _, stderr = command(*common, "--crop", 128, "-o", out)
    assert status == 1
    assert "must be at least 128 x 128 pixels" in stderr
    status, _, stderr = command(*common, "--crop", 65, "-o", out)
    assert status == 2
    assert "crop must be a multiple of 64 pixels, not 65" in stderr


def test_complexity_command():
    status, stdout, _ = command("complexity", "--config", "loc-lic", "--json")
    assert status == 0
    found = json.loads(stdout)
    assert found["rule"] == "macs"
    assert "transposed ones at their input scale" in found["counts"]
    assert round(found["configurations"]["loc-lic"]["total"], 2) == 271.39
    status, stdout, _ = command("complexity", "--rule", "torchinfo")
    assert status == 0
    assert "270.80" in stdout
    assert "1256.53" in stdout
    assert "as torchinfo counts" in stdout
    status, _, stderr = command("complexity", "--config", "x")
    assert status == 2
    assert "configuration must be one of loc-lic" in stderr
