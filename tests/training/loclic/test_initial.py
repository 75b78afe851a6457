"""First weights: a linear transform, and contexts that pass on what the hyper-synthesis says."""

import numpy as np
import pytest
import torch

from lutgen.training.loclic.initial import begin_linear
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import PRESETS, CodecConfig
from lutgen.training.loclic.networks.factorized_prior import FactorizedPrior
from lutgen.training.loclic.step import bits_per_pixel

SMALL = CodecConfig(source="test", widths=(16, 16, 32), latent=64, slices=2)


def images(count, side=64):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    found = []
    for _ in range(count):
        waves = [
            np.sin(x * rng.uniform(0.02, 0.3) + y * rng.uniform(0.02, 0.3) + rng.uniform(0, 6))
            for _ in range(3)
        ]
        mixed = np.tensordot(rng.uniform(-0.2, 0.2, (3, 3)), np.stack(waves), 1)
        found.append(0.5 + mixed + rng.normal(0, 0.01, (3, side, side)))
    return torch.from_numpy(np.stack(found)).float().clamp(0, 1)


@pytest.fixture(scope="module")
def begun():
    torch.manual_seed(0)
    network = Codec(SMALL).eval()
    begin_linear(network, images(16), 0.013)
    return network


def test_images_come_back(begun):
    x = images(20)[16:]
    with torch.no_grad():
        error = (begun.synthesis(begun.analysis(x)) - x).square().mean()
    assert error < x.var() / 50


def test_steps_are_those_of_the_weight():
    """Twice the quality in y for four times the weight."""
    x = images(16)
    spreads = []
    for weight in (0.01, 0.04):
        torch.manual_seed(0)
        network = Codec(SMALL).eval()
        begin_linear(network, x, weight)
        with torch.no_grad():
            spreads.append(network.analysis(x).std((0, 2, 3)))
    assert torch.allclose(spreads[1], 2 * spreads[0], rtol=1e-3)


def test_the_hyperprior_is_alive(begun):
    """Side information has something to say, and is heard, in every channel."""
    x = images(16)  # those that it began with
    with torch.no_grad():
        y = begun.analysis(x)
        z = begun.hyper_analysis(y)
        scales, means = begun.hyper_synthesis(torch.round(z))
    assert torch.allclose(z.std((0, 2, 3)), torch.ones(32), rtol=1e-3)
    assert (torch.round(z) != 0).float().mean() > 0.3
    spread = y.std((0, 2, 3)).clamp(min=0.11)
    for told in (scales, means):
        assert (told.std((0, 2, 3)) / spread).median() > 0.03
    # They begin as the spread and mean of each channel.
    assert torch.allclose(scales.mean((0, 2, 3)), spread, rtol=0.5)


def test_the_prior_begins_as_z_does(begun):
    """A normal distribution of unit variance with noise has 2.12 bits, the prior a little more."""
    torch.manual_seed(1)
    prior = FactorizedPrior(8)
    z = torch.randn(4, 8, 30, 30)
    with torch.no_grad():
        noisy = prior.likelihood(z + torch.rand_like(z) - 0.5)
        own = begun.prior.likelihood(begun.hyper_analysis(begun.analysis(images(24)[16:])))
    assert -noisy.log2().mean() < 2.2
    assert -own.log2().mean() < 2.5
    # Nothing is left for the auxiliary loss to do.
    assert prior.loss() < 0.01 * 8
    assert prior.medians.abs().max() == 0


def test_the_prior_knows_its_median():
    """Where the logits of both ends of an interval add up to none, it has a probability, too."""
    prior = FactorizedPrior(3)
    with torch.no_grad():
        for parameters in (*prior.biases, *prior.gates):
            parameters.zero_()  # odd functions
        near = prior.probability(torch.tensor([-0.01, 0, 0.01]).repeat(3, 1))
    assert torch.allclose(near, near[:, :1], rtol=1e-3)
    assert near.min() > 0.3


def test_contexts_pass_on(begun):
    x = images(2)
    with torch.no_grad():
        alone, whole = begun(x, contexts=False), begun(x)
    assert torch.allclose(alone["x_hat"], whole["x_hat"], atol=1e-4)
    assert bits_per_pixel(alone).item() == pytest.approx(bits_per_pixel(whole).item(), rel=0.01)


def test_other_widths_are_left_alone():
    """Slices too wide for two channels each begin as ever; nothing fails."""
    wide = CodecConfig(source="test", widths=(4, 8, 12), latent=80, slices=2)
    network = Codec(wide).eval()
    begin_linear(network, images(8), 0.013)
    with torch.no_grad():
        assert torch.isfinite(network(images(1))["x_hat"]).all()
    assert all(p.channels == 32 for p in PRESETS.values())
