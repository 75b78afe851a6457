"""Models cut down: what is kept, what is counted again, what the record says."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from lutgen.cli import main
from lutgen.codec.codec import Codec
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.optimise import optimise
from lutgen.training.data.datasets import DatasetError, data_hash
from lutgen.training.data.glyphs import glyphs
from lutgen.training.slim.output_bits import choose, fewer_bits
from lutgen.training.slim.scales import fewer_scales
from lutgen.training.slim.slim import Slim, slim_model
from lutgen.training.slim.thresholds import Medians, fewer_thresholds
from tests.models import (
    laplace_model,
    pyramid_laplace_model,
    pyramid_table_model,
    random_netlist,
    table_model,
)

IMAGES = list(glyphs(12, seed=5))


def bpp(model: Model, images) -> float:
    stack = np.stack(images)
    return Codec(model, threads=1).encode(stack).ideal_bits / stack.size


# --- thresholds


@pytest.mark.parametrize("seed", range(5))
def test_medians_are_the_best(seed):
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, 12, 7)).astype(float)
    weights = rng.integers(0, 4, 7)
    medians = Medians(at, weights)
    for groups in range(1, 8):
        best = min(
            (weights * np.abs(at[:, None] - at[list(kept)]).min(axis=1)).sum()
            for kept in itertools.combinations(range(7), groups)
        )
        moved = medians.moved(groups)
        assert len(set(moved)) <= groups
        assert (np.diff(moved) >= 0).all()
        assert (weights * np.abs(at - at[moved])).sum() == best == medians.costs[groups - 1]


def thresholds(net) -> dict[int, set[int]]:
    return {f: set(net.inputs[net.inputs[:, 0] == f, 1].tolist()) for f in range(net.features)}


def test_fewer_thresholds():
    rng = np.random.default_rng(1)
    net = random_netlist(rng, 5, {"o": 12}, inputs=120, nodes=60)
    features = (255 * rng.beta(0.3, 0.3, (5, 500))).astype(np.uint8)
    weights = rng.integers(1, 5, 500)
    wanted = net.evaluate(features)["o"]
    wrong = []
    for most in (net.n_inputs, 40, 10, 5):
        slim = fewer_thresholds(net, features, weights, most)
        assert slim.n_inputs <= most
        old, new = thresholds(net), thresholds(slim)
        assert all(new[f] and new[f] <= old[f] for f in old)
        wrong.append((slim.evaluate(features)["o"] != wanted).mean())
    assert wrong[0] == 0 and wrong == sorted(wrong)


def test_thresholds_stay_where_pixels_differ():
    """One feature hardly varies: all thresholds but one go to the other."""
    builder = NetlistBuilder(2)
    bits = [builder.input(f, t) for f in (0, 1) for t in range(10, 90, 10)]
    builder.output("o", bits)
    rng = np.random.default_rng(0)
    features = np.stack([np.full(400, 7), rng.integers(0, 100, 400)]).astype(np.uint8)
    slim = fewer_thresholds(builder.build(), features, np.ones(400, np.int64), 9)
    assert [len(t) for t in thresholds(slim).values()] == [1, 8]
    with pytest.raises(ValueError, match="^number of thresholds must be at least 2, one for each "):
        fewer_thresholds(builder.build(), features, np.ones(400, np.int64), 1)


# --- output bits


@pytest.mark.parametrize("step", [None, 3.0])
@pytest.mark.parametrize("seed", range(4))
def test_no_exchange_of_bits_helps(seed, step):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 16, 300)
    bits = (target + rng.normal(0, 3, (9, 300)) > rng.integers(1, 15, (9, 1))).astype(float)
    if step is None:
        bits, target = bits - bits.mean(axis=1, keepdims=True), target - target.mean()
    kept = choose(bits @ bits.T / 300, bits @ target / 300, 4, step)

    def loss(chosen):
        total = bits[list(chosen)].sum(axis=0)
        if step is None:
            return -np.corrcoef(total, target)[0, 1]
        return ((step * total - target) ** 2).mean()

    assert len(kept) == 4
    for out in kept:
        for into in set(range(9)) - set(kept):
            assert loss(kept) <= loss([into if k == out else k for k in kept]) + 1e-9


@pytest.mark.parametrize("full", [None, 100])
def test_bits_that_say_something_stay(full):
    """A group of a pixel's comparisons, each beside one with another pixel."""
    builder = NetlistBuilder(2)
    builder.output("a", [builder.input(f, t) for t in range(10, 100, 10) for f in (0, 1)])
    builder.output("b", [builder.input(0, 3)])
    net = builder.build()
    features = np.random.default_rng(0).integers(0, 100, (2, 70_000), dtype=np.uint8)
    ones = np.ones(features.shape[1], np.int64)
    slim = fewer_bits(net, features, {"a": (features[0], ones, full)}, 9)
    assert {name: len(bits) for name, bits in slim.outputs.items()} == {"a": 9, "b": 1}
    assert (slim.inputs[slim.outputs["a"] - 2, 0] == 0).all()


# --- scales


def test_equal_scales_go_first():
    scales = np.geomspace(0.5, 50, 4)
    once = LaplaceHead.from_scales(scales, 16, 16)
    twice = LaplaceHead(once.mu, 2 * once.sigma, np.repeat(once.cdf, 2, axis=0))
    rng = np.random.default_rng(0)
    mu, sigma = rng.integers(0, 17, (2, 4000))
    symbols = np.clip(once.mu[mu] / 2 + rng.laplace(0, scales[once.sigma[sigma]]), 0, 255)
    symbols, weights = np.rint(symbols).astype(np.uint8), np.ones(4000, np.int64)
    slim = fewer_scales(twice, mu, sigma, symbols, weights, 4)
    np.testing.assert_array_equal(slim.cdf, once.cdf)
    fewest = fewer_scales(slim, mu, sigma, symbols, weights, 1)
    assert fewest.scales == 1 and not fewest.sigma.any()


# --- models


@pytest.mark.parametrize(
    "model", [pyramid_laplace_model(constraint=True), laplace_model()], ids=["pyramid", "raster"]
)
def test_slim_model(model):
    config = Slim(
        thresholds=1, output_bits=15, ups_bits=4 if model.levels else None, scales=3, limit=10
    )
    slim = slim_model(model, IMAGES, config, name="glyphs", licence="none", date="2026-01-01")
    again = slim_model(model, IMAGES, config, name="glyphs", licence="none", date="2026-01-01")
    assert slim.hash == again.hash and slim.training == again.training
    assert (slim.profile, slim.levels, slim.constraint, slim.window) == (
        model.profile, model.levels, model.constraint, model.window
    )  # fmt: skip
    assert {name: len(bits) for name, bits in slim.network.outputs.items()} == {
        "mu": 15, "sigma": 15
    }  # fmt: skip
    assert slim.head.scales == 3
    for net in (slim.network, *([slim.upsampler.network] if model.levels else [])):
        assert net.n_inputs <= net.features
    if model.levels:
        assert {len(bits) for bits in slim.upsampler.network.outputs.values()} == {4}
    codec = Codec(slim)
    stack = np.stack(IMAGES)
    assert np.array_equal(codec.decode(codec.encode(stack).data), stack)

    (entry,) = slim.training["slim"]
    used = [IMAGES[i] for i in np.random.default_rng(0).permutation(12)[:10]]
    assert entry["of"] == model.hash
    assert entry["config"] == {
        "thresholds": 1, "output_bits": 15, "ups_bits": config.ups_bits, "scales": 3,
        "classes": None, "limit": 10, "seed": 0,
    }  # fmt: skip
    assert entry["data"] == {
        "name": "glyphs", "images": 10, "sha256": data_hash(used), "licence": "none"
    }  # fmt: skip
    assert entry["bpp_before"] == pytest.approx(bpp(model, used))
    assert entry["bpp"] == pytest.approx(bpp(slim, used))


def test_counting_alone_costs_nothing():
    model = laplace_model().with_training({"data": "random", "metrics": {"integer_bpp": 1.0}})
    slim = slim_model(model, IMAGES, Slim())
    wanted = optimise(model.network)
    assert slim.network.hash == wanted.hash
    (entry,) = slim.training["slim"]
    assert entry["bpp"] <= entry["bpp_before"]
    assert slim.training.keys() == {"data", "slim"}
    # A model that was cut down before keeps that record.
    assert [e["of"] for e in slim_model(slim, IMAGES, Slim()).training["slim"]] == [
        model.hash, slim.hash
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": 0}, "thresholds must be 1 to 254, not 0"),
        ({"output_bits": 4097}, "output bits must be 1 to 4096, not 4097"),
        ({"ups_bits": 0}, "ups bits must be 1 to 4096, not 0"),
        ({"scales": 0}, "scales must be 1 to 4096, not 0"),
        ({"limit": 0}, "limit must be 1 to 1073741824, not 0"),
    ],
)
def test_options(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Slim(**options)


def test_models_that_have_not_what_is_cut():
    table, raster = table_model(), laplace_model()
    with pytest.raises(ValueError, match="^scales must be absent for a model with a table head"):
        slim_model(table, IMAGES, Slim(scales=2))
    with pytest.raises(ValueError, match="^classes must be absent for a model with a Laplace head"):
        slim_model(raster, IMAGES, Slim(classes=2))
    for classes in (1, table.head.classes + 1):
        with pytest.raises(ValueError, match=f"^classes must be 2 to {table.head.classes}"):
            slim_model(table, IMAGES, Slim(classes=classes))
    with pytest.raises(ValueError, match="^classes can be merged only in a model with a table"):
        slim_model(table_model(walker=False), IMAGES, Slim(classes=2))
    with pytest.raises(ValueError, match="^ups bits must be absent for a model of 0 levels, not 4"):
        slim_model(raster, IMAGES, Slim(ups_bits=4))
    with pytest.raises(DatasetError, match="^images must be at least one image, not none$"):
        slim_model(laplace_model(), [], Slim(scales=2))


@pytest.mark.parametrize("make", [table_model, pyramid_table_model])
def test_fewer_classes(make):
    """Leaves of one class stay together, and what was counted is coded better than at random."""
    model = make()
    slim = slim_model(model, IMAGES, Slim(classes=5), name="x")
    assert slim.head.classes == 5
    assert slim.network is model.network
    child, was = slim.walker.stages[-1].child, model.walker.stages[-1].child
    renamed = set(zip(was.ravel().tolist(), child.ravel().tolist(), strict=True))
    assert len(renamed) == len(np.unique(was))
    entry = slim.training["slim"][-1]
    one = slim_model(model, IMAGES, Slim(classes=2), name="x").training["slim"][-1]
    assert entry["bpp"] < one["bpp"]
    # Counted on the images, even few tables beat many random ones.
    assert entry["bpp"] < entry["bpp_before"]
    again = slim_model(model, IMAGES, Slim(classes=5), name="x")
    assert again.hash == slim.hash


# --- command and bench


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pyramid_laplace_model().save("big.lutgen")
    return tmp_path


def test_command(folder):
    arguments = ["slim", "big.lutgen", "--data", "glyphs:6", "--output-bits", "16", "--ups-bits",
                 "4", "--scales", "4", "--limit", "5", "-o", "small.lutgen"]  # fmt: skip
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    small = Model.load("small.lutgen")
    assert len(small.network.outputs["mu"]) == 16
    entry = small.training["slim"][-1]
    assert entry["of"] == Model.load("big.lutgen").hash
    assert result.output == (
        f"small.lutgen: {small.network.n_nodes} + {small.upsampler.network.n_nodes} LUTs, "
        f"{small.network.n_inputs} + {small.upsampler.network.n_inputs} comparators, 4 scales, "
        f"ideal bpp on 5 training images {entry['bpp']:.3f}, was {entry['bpp_before']:.3f}\n"
    )


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ([], 2, "Error: at least one of --thresholds, --output-bits, --ups-bits, --scales and "
                "--classes must be given"),
        (["--scales", "0"], 2, "Error: scales must be 1 to 4096, not 0"),
    ],
)  # fmt: skip
def test_command_refuses(folder, options, status, message):
    arguments = ["slim", "big.lutgen", "--data", "glyphs:2", "-o", "x.lutgen", *options]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr.strip().splitlines()[-1]) == (status, message)
    assert not (folder / "x.lutgen").exists()


def test_bench(folder, monkeypatch):
    from bench import slim

    counted = []

    def estimate(verilog, top, target, blocks):
        counted.append(target.name)
        return {"total": {"lut": 10, "ff": 1, "bram36": 0.5}}

    monkeypatch.setattr(slim, "estimate", estimate)
    monkeypatch.setattr(slim, "to_verilog", lambda component, name: "")
    monkeypatch.setattr(slim, "CHOICES", {"full": {}, "few": {"scales": 4, "ups_bits": 5}})
    command = ["big.lutgen", "--data", "glyphs:6", "--out", "slim.json"]
    result = CliRunner().invoke(slim.main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = json.loads((folder / "slim.json").read_text())
    full, few = found["choices"]
    model = Model.load("big.lutgen")
    images = list(glyphs(6, seed=1))
    assert full["hash"] == found["hash"] == model.hash
    assert full["bpp"]["ideal"] == pytest.approx(bpp(model, images))
    assert full["bpp_constrained"]["ideal"] == pytest.approx(
        bpp(replace(model, constraint=True), images)
    )
    assert (full["counted_on"], few["counted_on"], few["scales"]) == (0, 6, 4)
    assert set(full["network"]["blocks"]) == {"comparators", "layers", "popcounts", "classifier"}
    # Comparators, layers, popcounts and, of one network, the classifier.
    assert full["network"]["total"]["lut"] == 10 * (1 + 2 + 1) + model.network.n_nodes
    assert full["upsampler"]["total"]["lut"] == 10 * (1 + 4) + model.upsampler.network.n_nodes
    # What both have in common is synthesised once.
    assert 9 < len(counted) < 18
    assert "few" in result.output


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (12, 12)])
@pytest.mark.parametrize("make", [laplace_model, pyramid_laplace_model])
def test_tiny_and_black_images(make, shape):
    """Some pixels of blocks never exist, and there is nothing to choose by."""
    cuts = {"ups_bits": 3} if make is pyramid_laplace_model else {}
    images = [np.zeros(shape, np.uint8)]
    slim = slim_model(make(), images, Slim(thresholds=2, output_bits=5, scales=2, **cuts))
    codec = Codec(slim, threads=1)
    assert np.array_equal(codec.decode(codec.encode(images[0]).data)[0], images[0])
