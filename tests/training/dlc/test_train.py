"""Training of whole models."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from lutgen.codec.codec import Codec
from lutgen.model.window import Window
from lutgen.training.data.datasets import DatasetError
from lutgen.training.data.glyphs import glyphs
from lutgen.training.data.samples import collect
from lutgen.training.dlc.config import (
    GicDlc,
    GicDlcPlus,
    NetworkConfig,
    RasterLaplace,
    RasterTableDlc,
    Schedule,
    configure,
)
from lutgen.training.dlc.layouts import arm_layout, ups_layout, widened
from lutgen.training.dlc.mapping import with_paper_mapping
from lutgen.training.dlc.network import LutNetwork
from lutgen.training.dlc.output import LaplaceOutput
from lutgen.training.dlc.train import integer_bpp, train_dlc_model
from lutgen.training.tree.tree_config import RasterTable
from tests.models import table_model

IMAGES = list(glyphs(60, seed=3))


def small(kind, steps=12, **options):
    """A configuration that trains in a second or two."""
    config = configure(kind, steps=steps, luts=32)
    return replace(config, pixels=256, evaluate_every=5, **options)


@cache
def trained(kind, **options):
    """The configuration, trained a little longer, and its model: several tests look at it."""
    config = small(kind, steps=40, **options)
    return config, train_dlc_model(
        IMAGES, config, name="glyphs", licence="none", date="2026-01-01"
    )


@pytest.mark.parametrize("kind", [GicDlc, RasterLaplace])
def test_model_codes_images(kind):
    config, model = trained(kind)
    assert model.profile == config.profile
    assert model.levels == config.levels
    assert model.training["config"]["arm"]["layers"] == [32, 32]
    codec = Codec(model)
    stack = np.stack(IMAGES[:8])
    encoded = codec.encode(stack)
    assert np.array_equal(codec.decode(encoded.data), stack)
    # The bits that the trainer's integer figures promise are those that the codec codes for.
    assert encoded.ideal_bits == pytest.approx(sum(integer_bpp(model, stack)) * stack.size)


def test_mapping():
    """What numbers of ones mean is the formula of training, or counted behind it."""
    _, counted = trained(RasterLaplace)
    _, paper = trained(RasterLaplace, mapping="paper")
    formula = LaplaceOutput(16, 16).head()
    for name in formula.arrays:
        assert np.array_equal(getattr(paper.head, name), getattr(formula, name)), name
    assert not np.array_equal(counted.head.mu, formula.mu)
    assert not np.array_equal(counted.head.sigma, formula.sigma)
    assert paper.training["config"]["mapping"] == "paper"
    kept = IMAGES[:40]
    assert sum(integer_bpp(counted, kept)) < sum(integer_bpp(paper, kept))
    # A counted model has the other within: the networks are the same.
    again = with_paper_mapping(counted)
    record = {k: v for k, v in paper.training.items() if k != "metrics"}
    assert again.hash == paper.hash
    assert again.training == record
    with pytest.raises(ValueError, match="^model must have a Laplace head .* not table$"):
        with_paper_mapping(table_model())


def test_tree_and_trained_bits():
    """A class index of both: the netlist holds the tree, the tables are counted."""
    config = replace(
        small(RasterLaplace), head="table", profile="raster-table", arm_schedule=Schedule(
            steps=20, rate=0.1, connection_rate=0.1, hard_from=0, noise=False,
            tau_connections=(1.0, 0.1), tau_nodes=(1.0, 1.0), decade=20,
        ),
        base=RasterTable(stages=0, leaves=32, classes=8),
        arm=NetworkConfig(
            layers=(72, 12, 2), nodes="table", sampled=8, aligned=True, residual=True
        ),
    )  # fmt: skip
    model = train_dlc_model(IMAGES, config)
    assert len(model.network.outputs["index"]) == 5
    assert model.training["metrics"]["classes"] <= 32
    stack = np.stack(IMAGES[:8])
    codec = Codec(model)
    assert np.array_equal(codec.decode(codec.encode(stack).data), stack)
    base = train_dlc_model(IMAGES, replace(config, arm_schedule=Schedule(steps=1, hard_from=0)))
    assert base.hash != model.hash


def test_figures_are_of_the_exported_model():
    _, model = trained(RasterLaplace)
    metrics = model.training["metrics"]
    assert metrics["gap"] == 0  # hard from the first step
    assert metrics["integer_bpp"] == pytest.approx(metrics["hard_bpp"], rel=0.02)


@pytest.mark.parametrize("nodes", ["neuralut", "table"])
def test_paper_form_trains(nodes):
    """Whole images, all candidates, annealing, soft forward passes: small, but all there."""
    network = NetworkConfig(layers=(16, 16), nodes=nodes, thresholds=15)
    schedule = Schedule(steps=6, decade=2, hard_from=4)
    config = GicDlc(
        arm=network, ups=network, arm_schedule=schedule, ups_schedule=schedule, images=2,
        evaluate_every=2, levels=1,
    )  # fmt: skip
    model = train_dlc_model(IMAGES[:12], config)
    assert np.isfinite(model.training["metrics"]["hard_bpp"])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["arm", "ups"])
def test_netlist_equals_the_hard_forward_pass(name, channels):
    """Every bit, on windows of images."""
    window = Window(5, True, channels)
    layout = arm_layout(window, 64) if name == "arm" else ups_layout(window, 64)
    config = NetworkConfig(layers=(64, 64), nodes="table", sampled=12, aligned=True)
    network = LutNetwork(layout, widened(config, channels), seed=5)
    stack = np.stack(IMAGES[:5])
    stack = stack if channels == 1 else np.stack([stack, stack[:, :, ::-1]], axis=1)
    features = window.extract(stack, stack[..., ::-1, :]).reshape(window.features, -1)
    hard = network.hard(torch.from_numpy(features.T.copy())).numpy()
    found = network.netlist().evaluate(features)
    for group, nodes in layout.ranges().items():
        assert np.array_equal(found[group], hard[:, list(nodes)].T)


class _Killed(Exception):
    pass


@pytest.mark.slow
def test_killed_run_goes_on_with_identical_results(tmp_path, monkeypatch):
    clock = iter(range(0, 10**9, 40)).__next__  # a checkpoint at every second step
    monkeypatch.setattr("lutgen.training.dlc.fit.time.monotonic", clock)
    config = small(GicDlc, steps=16)
    files = {"checkpoint": tmp_path / "a.ckpt", "log": tmp_path / "a.jsonl"}
    whole = train_dlc_model(IMAGES, config, log=tmp_path / "whole.jsonl")

    kills = iter([("ups", 3), ("arm", 3), ("arm", 11)])
    at = next(kills)

    def progress(phase, done, total):
        if (phase, done) == at:
            raise _Killed

    while at is not None:
        with pytest.raises(_Killed):
            train_dlc_model(IMAGES, config, progress=progress, **files)
        assert files["checkpoint"].exists()
        at = next(kills, None)
    resumed = train_dlc_model(IMAGES, config, **files)
    assert resumed.hash == whole.hash
    # Until the caller has the model in safety.
    assert train_dlc_model(IMAGES, config, **files).hash == whole.hash

    def lines(path):
        found = [json.loads(line) for line in path.read_text().splitlines()]
        return [{k: v for k, v in line.items() if k != "seconds"} for line in found]

    assert lines(files["log"]) == lines(tmp_path / "whole.jsonl")


def test_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "a.ckpt"

    def stop(phase, done, total):
        raise _Killed

    torch.save({"identity": {"config": 1, "data": 2}, "state": {}}, path)
    with pytest.raises(ValueError, match="must be of this run, but differs in data, config"):
        train_dlc_model(IMAGES, small(RasterLaplace), checkpoint=path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="must be a checkpoint"):
        train_dlc_model(IMAGES, small(RasterLaplace), checkpoint=path)
    assert path.read_bytes() == b"nothing of the kind"


def test_too_few_pixels():
    with pytest.raises(DatasetError, match="^images must be at least one image, not none$"):
        train_dlc_model([], small(RasterLaplace))
    with pytest.raises(DatasetError, match="^images must have at least two pixels in all"):
        train_dlc_model([np.zeros((1, 1), np.uint8)], small(RasterLaplace))
    config = replace(configure(RasterTableDlc), base=RasterTable(stages=0, leaves=8, classes=2))
    message = "^images to train on, besides those held out, must have at least two pixels for a "
    with pytest.raises(DatasetError, match=message):
        train_dlc_model([np.zeros((1, 2), np.uint8)], config)


@pytest.mark.parametrize(("kind", "shape", "value", "count", "whole_images"), [
    (GicDlc, (12, 12), 0, 2, False), (GicDlcPlus, (1, 2), 0, 1, False),
    (RasterLaplace, (9, 7), 255, 1, False), (RasterLaplace, (1, 2), 0, 1, True),
    (RasterTableDlc, (1, 3), 0, 1, False),
])  # fmt: skip
def test_constant_images(kind, shape, value, count, whole_images):
    """Nothing to learn, and no window but the empty one: a model all the same."""
    table = kind is RasterTableDlc
    config = configure(kind, steps=4, luts=None if table else 16)
    config = replace(
        config, pixels=None if whole_images else 64, orientations=2, evaluate_every=2, images=2,
        **({"base": RasterTable(stages=0, leaves=8, classes=2)} if table else {}),
    )  # fmt: skip
    images = [np.full(shape, value, np.uint8)] * count
    model = train_dlc_model(images, config)
    codec = Codec(model, threads=1)
    assert np.array_equal(codec.decode(codec.encode(images[0]).data)[0], images[0])


def test_last_layer_must_split():
    with pytest.raises(ValueError, match=r"^last layer must be a multiple of 4 nodes, not 30$"):
        ups_layout(Window(5, prior=True), 30)


def test_background_is_counted_not_repeated():
    window = Window(5)
    samples = collect(IMAGES[:3], window, 32)
    assert samples.pixels == sum(image.size for image in IMAGES[:3])


_TOGETHER = """
import sys
from tests.training.dlc.test_train import IMAGES, small
from lutgen.training.dlc.config import RasterLaplace
from lutgen.training.run.parallel import processes, rank
from lutgen.training.dlc.train import train_dlc_model
with processes("cpu") as device:
    model = train_dlc_model(IMAGES, small(RasterLaplace, steps=8), device=device)
    if rank() == 0:
        model.save(sys.argv[1])
    print(rank(), model.hash)
"""


@pytest.mark.slow
def test_two_processes_train_what_one_does(tmp_path):
    """Gradients are summed over both, so that only rounding can differ."""
    script = tmp_path / "together.py"
    script.write_text(_TOGETHER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
         "--master-port", str(port), str(script), str(tmp_path / "m.lutgen")],
        env=env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    hashes = {line.split()[1] for line in run.stdout.splitlines() if line[:2] in ("0 ", "1 ")}
    assert len(hashes) == 1  # both have the same weights
    alone = train_dlc_model(IMAGES, small(RasterLaplace, steps=8))
    from lutgen.model.model import Model

    together = Model.load(tmp_path / "m.lutgen")
    mine, theirs = (m.training["metrics"]["hard_bpp"] for m in (alone, together))
    assert theirs == pytest.approx(mine, rel=0.02)
