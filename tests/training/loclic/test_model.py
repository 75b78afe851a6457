"""The network: shapes, ranges, gradients and the order of coding."""

import math
from dataclasses import replace

import pytest
import torch

from lutgen.training.loclic.contexts.checkerboard import anchors
from lutgen.training.loclic.contexts.linear_attention import LinearAttention
from lutgen.training.loclic.contexts.local_context import LocalContext
from lutgen.training.loclic.model import Codec, straight_round
from lutgen.training.loclic.networks.bound import lower_bound
from lutgen.training.loclic.networks.config import PRESETS, CodecConfig, preset
from lutgen.training.loclic.networks.factorized_prior import FactorizedPrior
from lutgen.training.loclic.networks.gaussian import likelihood, scale_table
from lutgen.training.loclic.networks.gdn import GDN

TINY = CodecConfig(source="test", widths=(4, 6, 8), latent=24, slices=3)


@pytest.mark.parametrize("name", [
    name if name.startswith("loc-lic") else pytest.param(name, marks=pytest.mark.slow)
    for name in PRESETS
])  # fmt: skip
def test_forward(name):
    torch.manual_seed(0)
    config = preset(name)
    network = Codec(config).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        out = network(x)
    assert out["x_hat"].shape == x.shape
    found = out["likelihoods"]
    assert found["y"].shape == (1, config.latent, 4, 4)
    assert found["z"].shape == (1, config.hyper_width, 1, 1)
    assert ("remainder" in found) == (config.remainder > 0)
    if config.remainder:
        assert found["remainder"].shape == (1, config.remainder, 4, 4)
    for values in found.values():
        assert (values > 0).all()
        assert (values <= 1).all()


def test_likelihoods_of_large_latents():
    torch.manual_seed(0)
    network = Codec(TINY).eval()
    with torch.no_grad():
        network.analysis.stages[-1].weight *= 300  # y must not round to zero
        found = network(torch.rand(2, 3, 64, 64))["likelihoods"]["y"]
    assert found.min() < 0.5
    assert found.min() >= 1e-9


@pytest.mark.parametrize("remainder", [0, 5])
def test_training_reaches_every_parameter(remainder):
    torch.manual_seed(0)
    network = Codec(replace(TINY, remainder=remainder)).train()
    out = network(torch.rand(1, 3, 64, 64))
    bits = -sum(v.log2().sum() for v in out["likelihoods"].values())
    (bits + out["x_hat"].square().sum() + network.prior.loss()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_noise_in_training_only():
    torch.manual_seed(0)
    network = Codec(TINY)
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        for train, same in ((True, False), (False, True)):
            first, second = (network.train(train)(x)["likelihoods"]["y"] for _ in "ab")
            assert torch.equal(first, second) is same


def test_shape_of_images():
    network = Codec(TINY)
    for shape in ((1, 3, 64, 63), (1, 1, 64, 64), (3, 64, 64)):
        with pytest.raises(ValueError, match="^images must be of shape .* multiples of 64, not"):
            network(torch.zeros(shape))


class Walk:
    """The entropy model on given y, with what it was told at each step."""

    def __init__(self, network):
        self.network = network
        torch.manual_seed(1)
        self.hyper = torch.randn(2, 1, TINY.latent, 4, 6)

    def __call__(self, y):
        c = TINY.channels
        steps = []

        def code(index, cells, scales, means):
            steps.append((scales, means))
            return straight_round(y[:, index * c : (index + 1) * c] - means) + means

        with torch.no_grad():
            self.network.entropy_model(*self.hyper, code)
        return steps


@pytest.fixture(scope="module")
def walk():
    torch.manual_seed(0)
    network = Codec(TINY).eval()
    for model in network.entropy_model.slices:
        for head in (model.anchor_parameters, model.other_parameters):
            with torch.no_grad():
                head.stages[0].weight *= 20  # dependence must show
    return Walk(network)


@pytest.mark.parametrize("index", range(TINY.slices))
@pytest.mark.parametrize("anchor", [True, False])
def test_parameters_depend_on_decoded_cells_alone(walk, index, anchor):
    torch.manual_seed(2)
    y = 4 * torch.randn(1, TINY.latent, 4, 6)
    mask = anchors(y)
    before = walk(y)
    half = mask if anchor else ~mask
    step = 2 * index + (not anchor)
    for row, column in half.nonzero().tolist():
        other = y.clone()
        part = slice(index * TINY.channels, (index + 1) * TINY.channels)
        other[0, part, row, column] += 7
        after = walk(other)
        for k in range(2 * TINY.slices):
            # Where the step codes; what heads give elsewhere nobody uses.
            cells = mask if k % 2 == 0 else ~mask
            same = all(
                torch.equal(a[..., cells], b[..., cells])
                for a, b in zip(before[k], after[k], strict=True)
            )
            # Exactly the steps behind this one know: a network deaf to it would pass, too.
            assert same is (k <= step), f"step {k}, changed in {step} at {row}, {column}"


def test_no_cell_is_read_before_it_is_coded(walk):
    """A decoder has zeros, or anything, where nothing is decoded."""
    torch.manual_seed(3)
    y = 4 * torch.randn(1, TINY.latent, 4, 6)
    c = TINY.channels

    def run(fill):
        steps = []

        def code(index, cells, scales, means):
            steps.append((scales[..., cells], means[..., cells]))
            part = y[:, index * c : (index + 1) * c]
            return torch.where(cells, torch.round(part - means) + means, fill)

        with torch.no_grad():
            y_hat, *_ = walk.network.entropy_model(*walk.hyper, code)
        return y_hat, steps

    (a, first), (b, second) = run(0.0), run(1e3)
    assert torch.equal(a, b)
    for one, two in zip(first, second, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(one, two, strict=True))


def test_checkerboard():
    assert anchors(torch.zeros(1, 1, 3, 4)).int().tolist() == [
        [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1],
    ]  # fmt: skip


def test_local_context_sees_its_window():
    torch.manual_seed(0)
    context = LocalContext(8, 5).eval()
    mask = anchors(torch.zeros(1, 1, 9, 9))
    x = torch.randn(1, 8, 9, 9) * mask
    with torch.no_grad():
        base = context(x, mask)
        moved = x.clone()
        moved[0, :, 4, 3] += torch.randn(8)
        changed = (context(moved, mask) != base).any(1)[0] & ~mask
    rows, columns = changed.nonzero().T
    assert (rows - 4).abs().max() == 2
    assert (columns - 3).abs().max() == 2
    assert len(rows) == 12


def test_linear_attention_is_attention():
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 2, 6, 3, 4, dtype=torch.float64)
    out = LinearAttention(2)(q, k, v)
    for head in range(2):
        part = slice(3 * head, 3 * head + 3)
        a, b, c = (x[:, part].flatten(2) for x in (q, k, v))
        weight = torch.einsum("bcn,bcm->bnm", a.softmax(1), b.softmax(2))  # rows sum to one
        assert torch.allclose(weight.sum(2), torch.ones(2, 12, dtype=torch.float64))
        want = torch.einsum("bnm,bcm->bcn", weight, c)
        assert torch.allclose(out[:, part].flatten(2), want)


def test_gdn():
    x = torch.randn(1, 4, 3, 3)
    norm = (1 + 0.1 * x**2).sqrt()
    assert torch.allclose(GDN(4)(x), x / norm, atol=1e-6)
    assert torch.allclose(GDN(4, inverse=True)(x), x * norm, atol=1e-6)


def test_gaussian():
    y = torch.arange(-400, 401).double()
    scale = torch.full_like(y, 3.0)
    found = likelihood(y, scale, torch.full_like(y, 0.25))
    assert found.sum() == pytest.approx(1, abs=1e-6)
    assert found[400] == pytest.approx(
        0.5 * (math.erf(0.25 / 3 / math.sqrt(2)) + math.erf(0.75 / 3 / math.sqrt(2))), abs=1e-9
    )
    table = scale_table()
    assert len(table) == 64
    assert (table[0].item(), table[-1].item()) == pytest.approx((0.11, 256))
    assert torch.allclose(table[1:] / table[:-1], table[1] / table[0])


def test_prior_is_a_distribution():
    torch.manual_seed(0)
    prior = FactorizedPrior(2)
    for gate in prior.gates:
        torch.nn.init.normal_(gate)
    values = torch.arange(-3000, 3001).float().reshape(1, 1, -1, 1).expand(1, 2, -1, 1)
    with torch.no_grad():
        assert prior.likelihood(values).sum((0, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-4)


def test_auxiliary_loss_finds_quantiles():
    torch.manual_seed(0)
    prior = FactorizedPrior(3)
    with torch.no_grad():
        prior.quantiles += torch.tensor([5.0, 1.0, -5.0])  # a long way off
    first = prior.loss().item()
    for rate in (5, 0.2):
        optimizer = torch.optim.Adam([prior.quantiles], lr=rate)
        for _ in range(80):
            optimizer.zero_grad()
            prior.loss().backward()
            optimizer.step()
    assert prior.loss() < 0.05 * first
    with torch.no_grad():
        at_medians = prior.logits(prior.medians[:, :, 0])
    assert at_medians.abs().max() < 0.2
    assert prior.matrices[0].grad is None


def test_lower_bound():
    x = torch.tensor([0.5, 2.0], requires_grad=True)
    lower_bound(x, 1.0).sum().backward()
    assert x.grad.tolist() == [0, 1]
    x.grad = None
    (-lower_bound(x, 1.0)).sum().backward()
    assert x.grad.tolist() == [-1, -1]
