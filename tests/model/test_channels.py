"""Models of several channels: windows, upsamplers, and their files."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lutgen.files.archive import read_archive, write_archive
from lutgen.model.channels import channel_groups, channel_network, planes_of, stack_planes
from lutgen.model.model import FORMAT_VERSION, KIND, Model, ModelError
from lutgen.model.window import Window
from tests.model.test_upsample import naive
from tests.models import (
    pyramid_laplace_model,
    random_netlist,
    random_upsampler,
    table_model,
)


def test_groups_of_each_channel():
    assert channel_groups(("mu", "sigma"), 1) == [["mu", "sigma"]]
    assert channel_groups(("mu", "sigma"), 2) == [["mu_0", "sigma_0"], ["mu_1", "sigma_1"]]


def test_the_network_of_a_channel_has_its_groups_alone():
    groups = {"a_0": 3, "b_0": 2, "a_1": 3, "b_1": 2}
    net = random_netlist(np.random.default_rng(0), 9, groups, inputs=9, nodes=9)
    one = channel_network(net, ("a", "b"), 2, 1)
    assert list(one.outputs) == ["a", "b"]
    np.testing.assert_array_equal(one.outputs["b"], net.outputs["b_1"])
    assert channel_network(net, tuple(groups), 1, 0) is net


@pytest.mark.parametrize("channels", [1, 3])
def test_planes_come_back(channels):
    array = np.arange(2 * channels * 12).reshape(2, channels, 3, 4)
    array = array[:, 0] if channels == 1 else array
    planes = planes_of(array, channels)
    assert [plane.shape for plane in planes] == channels * [(2, 3, 4)]
    np.testing.assert_array_equal(stack_planes(planes), array)


@pytest.mark.parametrize("prior", [False, True])
def test_features_of_all_channels_one_after_the_other(prior):
    tiles, priors = np.random.default_rng(1).integers(256, size=(2, 2, 3, 5, 4), dtype=np.uint8)
    window, one = Window(3, prior, 3), Window(3, prior)
    given = [priors] if prior else []
    features = window.extract(tiles, *given)
    assert len(features) == window.features == 3 * one.features
    wanted = [one.extract(tiles[:, k], *(p[:, k] for p in given)) for k in range(3)]
    np.testing.assert_array_equal(features, np.concatenate(wanted))


@pytest.mark.parametrize(("channels", "found"), [(0, "0"), (5, "5"), (True, "True"), ("3", "'3'")])
def test_windows_of_other_channels(channels, found):
    with pytest.raises(ValueError, match=f"^number of channels must be 1 to 4, not {found}$"):
        Window(5, channels=channels)


def test_blocks_of_all_channels():
    rng = np.random.default_rng(2)
    ups = random_upsampler(rng, channels=2)
    low = rng.integers(256, size=(2, 2, 3, 4), dtype=np.uint8)
    high = ups.upsample(low, 5, 8)
    assert high.shape == (2, 2, 5, 8)
    features = np.concatenate([Window(5, True).extract(low[:, k], low[:, k]) for k in range(2)])
    for k in range(2):
        # As an upsampler of one channel would make of these features.
        for y, x in np.ndindex(5, 8):
            bits = ups.network.evaluate(features[:, :, y // 2, x // 2])
            ones = bits[f"p{2 * (y % 2) + x % 2}_{k}"].mean(axis=0)
            np.testing.assert_array_equal(high[:, k, y, x], np.floor(255 * ones + 0.5))


def test_one_channel_is_as_ever():
    rng = np.random.default_rng(3)
    ups = random_upsampler(rng, channels=1)
    low = rng.integers(256, size=(3, 4), dtype=np.uint8)
    np.testing.assert_array_equal(ups.upsample(low, 6, 7), naive(ups, low, 6, 7))


@pytest.mark.parametrize("levels", [0, 2])
def test_a_model_comes_back(levels, tmp_path):
    model = pyramid_laplace_model(levels=levels, bits=8, nodes=20, channels=3)
    model.save(tmp_path / "a.lutgen")
    loaded = Model.load(tmp_path / "a.lutgen")
    assert (loaded.hash, loaded.channels, loaded.window) == (model.hash, 3, model.window)
    features = np.random.default_rng(4).integers(256, size=(model.window.features, 50), dtype="u1")
    for channel, net in enumerate(loaded.channel_networks):
        counts = (
            model.network.evaluate_count(f"{name}_{channel}", features) for name in ("mu", "sigma")
        )
        classes = model.classify(features, channel)
        np.testing.assert_array_equal(classes, model.head.classify(*counts))
        np.testing.assert_array_equal(classes, model.head.classes_of(net, None, features))


def test_nothing_of_channels_is_in_the_file_of_one(tmp_path):
    pyramid_laplace_model(bits=8, nodes=20).save(tmp_path / "a.lutgen")
    meta, _ = read_archive(tmp_path / "a.lutgen", KIND, FORMAT_VERSION)
    assert "channels" not in meta["model"]


@pytest.mark.parametrize("channels", [0, 1, 2, 4, 5, -3, 3.0, "3", True, None, [3], 1 << 40])
def test_other_channels_in_the_file(channels, tmp_path):
    path = tmp_path / "a.lutgen"
    pyramid_laplace_model(bits=8, nodes=20, channels=3).save(path)
    meta, arrays = read_archive(path, KIND, FORMAT_VERSION)
    model = {**meta["model"], "channels": channels}
    write_archive(path, KIND, FORMAT_VERSION, {**meta, "model": model}, arrays)
    with pytest.raises(ModelError, match=f"^{re.escape(str(path))}: "):
        Model.load(path)


THREE = pyramid_laplace_model(bits=8, nodes=20, channels=3)


@pytest.mark.parametrize(("change", "message"), [
    ({"head": table_model().head, "walker": None},
     "head must be laplace in a model of 3 channels, not table"),
    ({"walker": table_model().walker}, "walker must be absent from a model with a Laplace head"),
    ({"upsampler": random_upsampler(np.random.default_rng(0))},
     "channels of the upsampler must be the window's 3, not 1"),
    ({"window": Window(5, True, 2)}, "channels of the upsampler must be the window's 2, not 3"),
    ({"network": pyramid_laplace_model(bits=8, nodes=20).network},
     "network must read the window's 75 features, not 25"),
    ({"network": random_netlist(np.random.default_rng(0), 75, {"mu": 8, "sigma": 4}, inputs=9,
                                nodes=9)},
     "network must have the output groups ['mu_0', 'mu_1', 'mu_2', 'sigma_0', 'sigma_1', "
     "'sigma_2'], not ['mu', 'sigma']"),
    ({"network": random_netlist(np.random.default_rng(0), 75, {
        "mu_0": 8, "sigma_0": 4, "mu_1": 8, "sigma_1": 4, "mu_2": 7, "sigma_2": 4,
    }, inputs=9, nodes=9)}, "table mu must have 8 entries for 7 output bits, not 9"),
])  # fmt: skip
def test_parts_that_do_not_fit(change, message):
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        replace(THREE, **change)


def test_the_hash_covers_the_channels():
    """Not the features alone, which a window of another size could have, too."""
    assert len({pyramid_laplace_model(bits=8, nodes=20, channels=c).hash for c in (1, 2, 3)}) == 3
