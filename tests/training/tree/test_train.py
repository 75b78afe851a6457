import json
from dataclasses import replace

import numpy as np
import pytest

from lutgen.codec.codec import Codec
from lutgen.model.model import Model
from lutgen.training.data.datasets import DatasetError, data_hash, load_images
from lutgen.training.tree.train import ideal_bpp, progress_bar, train_table_model
from lutgen.training.tree.tree_config import RasterTable

RUN = (
    "collecting windows", "growing", "choosing the top", "growing below the top", "merging classes",
    "refining",
)
SMALL = RasterTable(top_leaves=16, stages=2, leaves=150, classes=16, overgrow=2.0)


@pytest.fixture(scope="module")
def model(images):
    return train_table_model(
        images[:200], SMALL, name="glyphs", licence="own", date="2026-01-02",
        validation=images[200:],
    )


def test_model_codes_what_it_was_not_trained_on(model, images):
    figures = model.training["metrics"]
    paid = ideal_bpp(model, images[200:])
    assert paid == pytest.approx(figures["validation"]["integer"], abs=1e-5)
    assert ideal_bpp(model, images[:200]) == pytest.approx(figures["final"]["integer"], abs=1e-5)
    # A memoryless code of the same images takes this much.
    counts = np.bincount(images[200:].reshape(-1), minlength=256)
    counts = counts[counts > 0]
    order0 = -(counts * np.log2(counts / counts.sum())).sum() / counts.sum()
    assert paid < 0.8 * order0


def test_training_record(model, images):
    record = json.loads(json.dumps(dict(model.training)))
    assert record["profile"] == model.profile == "raster-table"
    assert record["date"] == "2026-01-02"
    assert record["data"] == {
        "name": "glyphs", "images": 200, "pixels": 200 * 784, "licence": "own",
        "sha256": data_hash(images[:200]),
    }
    assert RasterTable(**record["config"]) == SMALL
    metrics = record["metrics"]
    for part in ("train", "held_out", "final", "validation"):
        assert 0 < metrics[part]["merged"] <= metrics[part]["integer"] + 0.02
    assert metrics["luts"] == model.network.n_nodes
    assert metrics["records"] == [stage.records for stage in model.walker.stages]


def test_same_again_and_through_a_file(model, images, tmp_path):
    steps = {}

    def progress(step, done, total):
        assert steps.get(step, (0, 0))[0] <= done <= total
        steps[step] = done, total

    again = train_table_model(images[:200], SMALL, progress=progress)
    assert again.hash == model.hash
    # Whatever takes time is a step of its own, and all of them come to their ends.
    assert list(steps) == [
        *(f"trial: {step}" for step in RUN), "held out: collecting windows",
        *(f"final: {step}" for step in RUN), "compiling",
    ]  # fmt: skip
    assert all(done == total for done, total in steps.values())
    again.save(tmp_path / "a.lutgen")
    assert Model.load(tmp_path / "a.lutgen").hash == model.hash


def test_without_a_walker(images):
    config = RasterTable(stages=0, leaves=60, classes=10, overgrow=2.0)
    with progress_bar() as progress:
        model = train_table_model(
            images[:100], config, progress=progress, validation=images[200:])
    assert model.walker is None and model.head.classes == 16
    figures = model.training["metrics"]
    assert figures["classes"] <= 10
    paid = ideal_bpp(model, images[200:])
    assert paid == pytest.approx(figures["validation"]["integer"], abs=1e-5)


def test_images_of_different_sizes_and_flat_ones():
    rng = np.random.default_rng(0)
    mixed = [rng.integers(0, 256, (40, 33)).astype(np.uint8), np.zeros((1, 1), np.uint8)]
    for images in (mixed, [np.full((5, 5), 9, np.uint8)] * 2):
        model = train_table_model(images, SMALL)
        assert ideal_bpp(model, images) < 14


def test_refusals(images):
    with pytest.raises(DatasetError, match=r"^images must be at least one image, not none$"):
        train_table_model([], SMALL)
    with pytest.raises(DatasetError, match=r"^images must have at least two pixels in all, so"):
        train_table_model([np.zeros((1, 1), np.uint8)] * 3, SMALL)
    with pytest.raises(DatasetError, match=r"^images must be 8-bit gray"):
        train_table_model(images[:2].astype(float), SMALL)


@pytest.mark.parametrize("shape", [(28, 28), (2, 1), (1, 2), (1, 40)])
@pytest.mark.parametrize("value", [0, 255])
def test_a_constant_image_alone(shape, value):
    """Black digits, one row, two pixels: nothing is divided by what is not there."""
    model = train_table_model([np.full(shape, value, np.uint8)], SMALL)
    side = max(shape) - 1
    assert model.training["metrics"]["split"].endswith(f"to {side} of the only image")
    image = np.full(shape, value, np.uint8)
    codec = Codec(model, threads=1)
    assert np.array_equal(codec.decode(codec.encode(image).data)[0], image)


class Killed(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("config", [SMALL, RasterTable(stages=0, leaves=60, classes=10)])
def test_a_stopped_run_goes_on_with_identical_results(images, tmp_path, config):
    """Stopped in every step in turn; each time what was done before is not done again."""
    path = tmp_path / "run.ckpt"
    steps = []
    whole = train_table_model(
        images[:60], config, date="2026-01-02",
        progress=lambda step, done, total: steps.append((step, done)),
    )
    names = list(dict.fromkeys(step for step, _ in steps))
    for name in names:
        calls = [done for step, done in steps if step == name]
        middle = calls[len(calls) // 2]
        seen = []

        def progress(step, done, total, name=name, at=middle, seen=seen):
            seen.append(step)
            if step == name and done >= at:
                raise Killed

        with pytest.raises(Killed):
            train_table_model(
                images[:60], config, checkpoint=path, save_seconds=0, progress=progress
            )
        if name.startswith("final"):
            assert not any("growing" in step for step in seen if step.startswith("trial"))
    resumed = train_table_model(images[:60], config, checkpoint=path, date="2026-01-02")
    assert resumed.hash == whole.hash
    assert resumed.training == whole.training
    with pytest.raises(ValueError, match=f"^{path} must be of this run, but differs in config"):
        train_table_model(images[:60], replace(config, seed=1), checkpoint=path)
    with pytest.raises(ValueError, match="but differs in data"):
        train_table_model(images[:59], config, checkpoint=path)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match=f"^{path} must be a checkpoint of the tree trainer"):
        train_table_model(images[:60], config, checkpoint=path)
    assert path.read_bytes() == b"something else"


@pytest.mark.parametrize("wrong, message", [
    ({"window": 4}, r"^window must be 3, 5 or 7, not 4$"),
    ({"classes": 1}, r"^classes must be 2 to 4096, not 1$"),
    ({"leaves": 2.5}, r"^leaves must be a number, not 2\.5$"),
    ({"held_out": 1}, r"^held_out must be between 0 and 1, not 1$"),
    ({"orientations": 3}, r"^orientations must be 1, 2, 4 or 8, not 3$"),
    ({"leaves": 100}, r"^leaves must be at least top_leaves, 256, not 100$"),
])
def test_configuration_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        RasterTable(**wrong)


def test_real_digits_beat_jpeg_xl(data):
    """300 images and a small model already code far below JPEG XL's 3.16 bpp."""
    images = load_images(data / "emnist_digits.npz")[:300]
    model = train_table_model(images, RasterTable(top_leaves=32, stages=2, leaves=300, classes=32))
    assert ideal_bpp(model, load_images(data / "emnist_digits.npz", split="val")[:100]) < 1.95
