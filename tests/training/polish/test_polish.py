"""Whole models polished: what changes, what the record says, what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from lutgen.cli import main
from lutgen.codec.codec import Codec
from lutgen.errors import InputError
from lutgen.formats.imageio import write_image
from lutgen.model.head import LaplaceHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.upsample import Upsampler
from lutgen.training.data.datasets import DatasetError, data_hash
from lutgen.training.data.glyphs import glyphs
from lutgen.training.dlc.config import GicDlc, configure
from lutgen.training.dlc.mapping import with_paper_mapping
from lutgen.training.dlc.train import train_dlc_model
from lutgen.training.polish.polish import Polish, polish_model
from tests.models import laplace_model, table_model

IMAGES = list(glyphs(40, seed=5))
QUICK = Polish(
    sweeps=2, ups_sweeps=1, windows=(2000, 3000), signals=4, tried=4, mapping="paper"
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    """A few steps by gradients."""
    config = configure(GicDlc, steps=4, luts=24, levels=1)
    return train_dlc_model(IMAGES, replace(config, pixels=256))


@pytest.fixture(scope="module")
def polished(model) -> Model:
    return polish_model(model, IMAGES, QUICK, name="glyphs", date="2026-01-01")


def bpp(model: Model, images) -> float:
    stack = np.stack(images)
    return Codec(model, threads=1).encode(stack).ideal_bits / stack.size


@pytest.mark.slow
def test_other_images_take_fewer_bits(model, polished):
    others = list(glyphs(10, seed=6))
    assert bpp(polished, others) < 0.9 * bpp(with_paper_mapping(model), others)
    stack = np.stack(others)
    codec = Codec(polished, threads=1)
    np.testing.assert_array_equal(codec.decode(codec.encode(stack).data), stack)


@pytest.mark.slow
def test_the_record_says_what_was_done(model, polished):
    (entry,) = polished.training["polish"]
    assert entry["of"] == model.hash
    assert entry["config"]["mapping"] == "paper"
    assert entry["config"]["windows"] == [2000, 3000]
    assert entry["data"] == {
        "name": "glyphs", "images": 40, "sha256": data_hash(IMAGES), "licence": "",
    }  # fmt: skip
    assert entry["split"] == "2 of 40 images"
    assert [len(entry["sweeps"][part]) for part in ("ups", "arm")] == [1, 2]
    for part in entry["sweeps"].values():
        assert all(after < before for before, after in part)
    assert entry["bpp"] < entry["bpp_before"]
    assert "metrics" not in polished.training
    assert json.dumps(polished.training)


@pytest.mark.slow
def test_the_same_arguments_give_the_same_model(model, polished):
    again = polish_model(model, IMAGES, QUICK, name="glyphs", date="2026-01-01")
    assert again.hash == polished.hash
    other = polish_model(model, IMAGES, replace(QUICK, seed=1), name="glyphs", date="2026-01-01")
    assert other.hash != polished.hash


@pytest.mark.slow
def test_mappings(model, polished):
    head = with_paper_mapping(model).head
    assert isinstance(head, LaplaceHead)
    assert isinstance(polished.head, LaplaceHead)
    for name in head.arrays:
        np.testing.assert_array_equal(getattr(polished.head, name), getattr(head, name))
    none = replace(QUICK, sweeps=0, ups_sweeps=0)
    kept = polish_model(polished, IMAGES, replace(none, mapping="kept"))
    assert isinstance(kept.head, LaplaceHead)
    np.testing.assert_array_equal(kept.head.mu, polished.head.mu)
    counted = polish_model(polished, IMAGES, replace(none, mapping="counted"))
    assert counted.network.n_nodes == polished.network.n_nodes
    assert bpp(counted, IMAGES) < bpp(polished, IMAGES)
    assert len(counted.training["polish"]) == 2


@pytest.mark.slow
def test_a_raster_model_and_one_of_two_channels():
    raster = laplace_model(nodes=1)
    images = [np.stack([image, image // 2], axis=-1) for image in IMAGES[:10]]
    quick = replace(QUICK, sweeps=1, mapping="kept")
    entry = polish_model(raster, IMAGES, quick).training["polish"][0]
    assert entry["bpp"] < entry["bpp_before"]
    assert list(entry["sweeps"]) == ["arm"]
    config = replace(configure(GicDlc, steps=1, luts=16, levels=1), pixels=64)
    two = polish_model(train_dlc_model(images, config), images, quick)
    assert two.channels == 2
    entry = two.training["polish"][0]
    assert entry["bpp"] < entry["bpp_before"]


@pytest.mark.slow
def test_comparators_may_be_kept(model):
    kept = polish_model(model, IMAGES, replace(QUICK, inputs="kept"))
    for one, other in (
        (kept.network, model.network), (kept.upsampler.network, model.upsampler.network)
    ):  # fmt: skip
        assert set(map(tuple, one.inputs.tolist())) <= set(map(tuple, other.inputs.tolist()))


@pytest.mark.slow
def test_few_windows_do(model):
    """Fewer images than a sweep wants, and fewer windows than an image has."""
    quick = replace(QUICK, sweeps=1, ups_sweeps=1, windows=(1, 1))
    assert polish_model(model, IMAGES[:2], quick).training["polish"][0]["split"]
    many = replace(QUICK, sweeps=1, ups_sweeps=0, windows=(10**6, 10**6))
    assert polish_model(model, IMAGES[:2], many).training["polish"][0]["split"]


@pytest.mark.parametrize(("change", "message"), [
    ({"sweeps": -1}, "sweeps must be 0 to 10000, not -1"),
    ({"windows": (0, 5)}, "windows must be two numbers from 1 to 67108864"),
    ({"signals": -1}, "signals must be 0 to 16384, not -1"),
    ({"doubt": (0.0, -1.0)}, "doubt must be two numbers from 0 to 100"),
    ({"doubt": (0.0, float("nan"))}, "doubt must be two numbers from 0 to 100"),
    ({"inputs": "all"}, "inputs must be any or kept, not 'all'"),
    ({"mapping": "best"}, "mapping must be kept, paper, counted, not 'best'"),
    ({"orientations": 3}, "orientations must be 1, 2, 4 or 8, not 3"),
])  # fmt: skip
def test_configurations_are_checked(change, message):
    with pytest.raises(InputError, match=message):
        replace(QUICK, **change)


@pytest.mark.slow
def test_models_that_cannot_be_polished(model):
    with pytest.raises(InputError, match="model to be polished must have a Laplace head, not tab"):
        polish_model(table_model(), IMAGES, replace(QUICK, mapping="kept"))
    with pytest.raises(InputError, match="model must have a Laplace head for the paper's mapping"):
        polish_model(table_model(), IMAGES, QUICK)
    with pytest.raises(DatasetError):
        polish_model(model, [np.zeros((4, 4, 3), dtype=np.uint8)], QUICK)
    upsampler = model.upsampler
    net = upsampler.network
    outputs = {**net.outputs, "p0": net.outputs["p0"][:-1]}
    uneven = Netlist(net.features, net.inputs, net.fanin, net.tables, outputs)
    with pytest.raises(InputError, match="pixels of the upsampler must have equal numbers of bits"):
        polish_model(replace(model, upsampler=Upsampler(5, uneven)), IMAGES, QUICK)


@pytest.mark.slow
def test_command(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model.save("m.lutgen")
    for i, image in enumerate(IMAGES):
        write_image(f"{i}.png", image)
    arguments = (
        "polish m.lutgen --data . --sweeps 1 --ups-sweeps 0 --windows 500 500 --signals 2 "
        "--tried 2 --mapping paper -o p.lutgen"
    )
    result = CliRunner().invoke(main, arguments.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("p.lutgen: ")
    assert "held out: " in result.output
    assert len(Model.load("p.lutgen").training["polish"]) == 1
    refused = CliRunner().invoke(main, [*arguments.split(), "--doubt", "0", "1000"])
    assert refused.exit_code == 2
    assert "doubt must be two numbers from 0 to 100" in refused.output
