"""Training on images of several channels: each counts, and what is trained is what is coded."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lutgen.codec.codec import Codec
from lutgen.model.pyramid import pyramid
from lutgen.model.window import Window
from lutgen.training.data.datasets import DatasetError
from lutgen.training.data.glyphs import glyphs
from lutgen.training.data.holdout import hold_out
from lutgen.training.data.samples import collect_levels, orientations, upsampling_samples
from lutgen.training.dlc.config import GicDlc, GicDlcPlus, RasterLaplace, RasterTableDlc, configure
from lutgen.training.dlc.objective import ArmObjective
from lutgen.training.dlc.output import LaplaceOutput
from lutgen.training.dlc.train import integer_bpp, train_dlc_model

IMAGES = [np.dstack([glyph, glyph // 2, 255 - glyph]) for glyph in glyphs(30, seed=4)]


def small(kind, **options):
    """A configuration that trains in a second or two."""
    config = configure(kind, steps=options.pop("steps", 20), luts=32)
    return replace(config, pixels=256, evaluate_every=10, **options)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "mapping"), [(GicDlcPlus, "counted"), (RasterLaplace, "paper")])
def test_model_codes_images(kind, mapping):
    config = small(kind, mapping=mapping)
    model = train_dlc_model(IMAGES, config, date="2026-01-01")
    assert (model.channels, model.profile, model.levels) == (3, config.profile, config.levels)
    assert model.training["data"]["pixels"] == 30 * 28 * 28
    assert model.training["config"]["arm"]["layers"] == [32, 32]  # of each channel
    stack = np.stack(IMAGES[:6])
    encoded = Codec(model).encode(stack)
    assert np.array_equal(Codec(model).decode(encoded.data), stack)
    pixels = stack[..., 0].size
    assert encoded.ideal_bits == pytest.approx(sum(integer_bpp(model, list(stack))) * pixels)
    metrics = model.training["metrics"]
    if mapping == "paper" and not model.constraint:  # of which training knows nothing
        assert metrics["integer_bpp"] == pytest.approx(metrics["hard_bpp"], rel=0.02)
    # A model that had learned one channel alone would pay some 16 bits for the two others.
    assert metrics["integer_bpp"] < 12


def test_black_images():
    """No window but the empty one."""
    images = [np.zeros((8, 8, 3), np.uint8)] * 2
    model = train_dlc_model(images, small(GicDlc, steps=4))
    codec = Codec(model, threads=1)
    assert np.array_equal(codec.decode(codec.encode(images[0]).data)[0], images[0])


@pytest.mark.slow
def test_whole_images_turned():
    config = small(GicDlc, steps=4, images=2, orientations=8)
    model = train_dlc_model(IMAGES[:6], replace(config, pixels=None))
    assert model.channels == 3 and np.isfinite(model.training["metrics"]["hard_bpp"])


@pytest.mark.parametrize(("images", "kind", "message"), [
    ([IMAGES[0], IMAGES[0][..., 0]], GicDlc, "images must have one number of channels, not "),
    (IMAGES[:2], RasterTableDlc, "images must be gray for a table head, as that of profile "
     "raster-table, not of 3 channels"),
    ([IMAGES[0][..., :1]], GicDlc, "images must be 8-bit gray, RGB or RGBA, shape "),
    ([np.zeros((4, 4, 5), np.uint8)], GicDlc, "images must be 8-bit gray, RGB or RGBA, shape "),
])  # fmt: skip
def test_images_that_are_refused(images, kind, message):
    with pytest.raises(DatasetError, match=f"^{message}"):
        train_dlc_model(images, configure(kind, steps=1))


def test_code_length_is_that_of_all_channels():
    torch.manual_seed(0)
    arm = ArmObjective(LaplaceOutput(8, 4))
    bits, weights = torch.rand(7, 36), torch.rand(6, 3)
    targets = torch.randint(256, (6, 3), dtype=torch.uint8)
    empty = torch.rand(3, 256) * (torch.rand(3, 256) < 0.05)
    apart = [
        arm.loss(bits[:, 12 * k : 12 * k + 12], targets[:, k], weights[:, k], empty[k])
        for k in range(3)
    ]
    assert arm.loss(bits, targets, weights, empty).item() == pytest.approx(sum(apart).item())


def test_samples_of_all_channels():
    """Every histogram is as it was, of each channel, and windows are of all of them."""
    window = Window(3, channels=3)
    black = [np.where(image > 250, image, 0).astype(np.uint8) for image in IMAGES[:5]]
    (samples,) = collect_levels(black, window, 16)
    assert samples.channels == 3 and samples.pixels == 5 * 28 * 28
    for k in range(3):
        wanted = np.bincount(np.stack(black)[..., k].ravel(), minlength=256)
        found = np.bincount(samples.symbols[:, k], samples.weights[:, k], 256)
        np.testing.assert_array_equal(found, wanted)
    busy = samples.features.any(axis=0)
    assert (samples.weights[busy] == 1).all() and 0 < busy.sum() < samples.pixels
    tiles = np.stack([image[:16, :16] for image in black])
    features = window.extract(np.moveaxis(tiles, -1, 1)).reshape(window.features, -1)
    seen = {column.tobytes() for column in samples.features.T}
    assert {column.tobytes() for column in features.T} <= seen


def test_blocks_of_all_channels():
    """As those of each channel; windows that are empty come last, and once."""
    square = Window(3, prior=True, channels=3)
    images = [np.maximum(image[:27, :], 1) for image in IMAGES[:3]]  # nothing is empty
    features, targets, weights = upsampling_samples(images, square, 32, 2)
    one = Window(3, prior=True)
    for k in range(3):
        own = upsampling_samples([image[..., k] for image in images], one, 32, 2)
        np.testing.assert_array_equal(features[9 * k : 9 * k + 9], own[0])
        np.testing.assert_array_equal(targets[4 * k : 4 * k + 4], own[1])
        np.testing.assert_array_equal(weights[4 * k : 4 * k + 4], own[2])
    levels = pyramid(np.moveaxis(np.stack(images), -1, 1), 1)
    assert weights[0].sum() == sum(level[:, 0, ::2, ::2].size for level in levels)


def test_turns_and_splits_keep_channels_last():
    turned = orientations(IMAGES[:2], 8)
    for k in range(3):
        planes = orientations([image[..., k] for image in IMAGES[:2]], 8)
        for image, plane in zip(turned, planes, strict=True):
            np.testing.assert_array_equal(image[..., k], plane)
    wide = IMAGES[0][:1]
    split = hold_out([wide], 0.1, 0)
    assert [part.shape for part in (*split.kept, *split.held)] == [(1, 25, 3), (1, 3, 3)]
    assert split.how == "columns 25 to 27 of the only image"
    with pytest.raises(DatasetError, match="^images must have at least two pixels in all"):
        hold_out([wide[:, :1]], 0.1, 0)
