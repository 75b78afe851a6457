import math

import pytest
import torch
from torch.func import functional_call

from lutgen.training.dlc.node import FANIN, NeuraLutNodes, TableNodes, logistic_noise

_KINDS = {"neuralut": NeuraLutNodes, "table": TableNodes}
_CORNERS = (torch.arange(64)[:, None] >> torch.arange(FANIN) & 1).float()

each_kind = pytest.mark.parametrize("kind", _KINDS)


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _layer(kind, nodes=11, seed=1, **options):
    return _KINDS[kind](nodes, generator=_generator(seed), **options)


def _all_pins(nodes):
    """Every pin combination for every node, (64, 6 N); a different one for each node at a time."""
    order = (torch.arange(64)[:, None] + 7 * torch.arange(nodes)) % 64
    return order, _CORNERS[order].reshape(64, nodes * FANIN)


def _hard_pins(batch, nodes, seed=2, **options):
    return torch.rand(batch, nodes * FANIN, generator=_generator(seed), **options).round()


def _soft_pins(batch, nodes, seed=2, **options):
    return torch.rand(batch, nodes * FANIN, generator=_generator(seed), **options)


# --- truth tables


@each_kind
@pytest.mark.parametrize("tau", [10.0, 1.0, 0.01])
def test_tables_are_the_hard_nodes_at_every_pin_combination(kind, tau):
    layer = _layer(kind)
    tables = layer.tables()
    assert tables.shape == (11, 64) and tables.dtype == torch.bool
    assert 0.3 < tables.float().mean() < 0.7
    order, pins = _all_pins(11)
    bits = layer(pins, tau, True)
    assert bits.shape == (64, 11)
    for n in range(11):
        assert torch.equal(bits[:, n], tables[n, order[:, n]].float())


@each_kind
def test_tables_are_the_soft_nodes_rounded(kind):
    layer = _layer(kind)
    order, pins = _all_pins(11)
    soft = layer(pins, 1.0)
    for n in range(11):
        assert torch.equal(soft[:, n] > 0.5, layer.tables()[n, order[:, n]])


def test_neuralut_tables_are_its_logits():
    layer = _layer("neuralut")
    tables = layer.tables()
    for n in range(11):
        for k in range(64):
            x = 2 * _CORNERS[k] - 1
            hidden = torch.relu(x @ layer.inward[n] + layer.bias[n, 0])
            logit = layer.offset[n, 0] + x @ layer.around[n] + hidden @ layer.outward[n]
            assert tables[n, k] == (logit > 0)


@each_kind
def test_nodes_read_their_own_pins(kind):
    layer = _layer(kind)
    pins = _soft_pins(5, 11, requires_grad=True)
    for n in (0, 4, 10):
        (grad,) = torch.autograd.grad(layer(pins, 1.0)[:, n].sum(), pins)
        read = torch.zeros(11 * FANIN, dtype=torch.bool)
        read[n * FANIN : (n + 1) * FANIN] = True
        assert torch.equal(grad.bool().any(0), read)


# --- soft nodes


@pytest.mark.parametrize("tau", [5.0, 1.0, 0.2])
def test_a_soft_table_is_multilinear(tau):
    layer = _layer("table").double()
    entries = torch.sigmoid(layer.entries.detach() / tau)
    order, corner = _all_pins(11)
    at_corner = layer(corner.double(), tau).detach()
    for n in range(11):
        torch.testing.assert_close(at_corner[:, n], entries[n, order[:, n]])

    pins = _soft_pins(30, 11, dtype=torch.float64)
    inside = layer(pins, tau).detach()
    p = pins.view(30, 11, 1, FANIN)
    weight = torch.where(_CORNERS.bool(), p, 1 - p).prod(-1)
    torch.testing.assert_close(weight.sum(-1), torch.ones(30, 11, dtype=torch.float64))
    torch.testing.assert_close(inside, (weight * entries).sum(-1))


@each_kind
@pytest.mark.parametrize("tau", [10.0, 0.5])
def test_finite_differences_of_soft_nodes(kind, tau):
    layer = _layer(kind, 3).double()
    names = [name for name, _ in layer.named_parameters()]
    values = [value.detach().clone().requires_grad_() for value in layer.parameters()]
    pins = _soft_pins(4, 3, dtype=torch.float64, requires_grad=True)

    def bits(pins, *values):
        return functional_call(layer, dict(zip(names, values, strict=True)), (pins, tau))

    assert torch.autograd.gradcheck(bits, (pins, *values))


@each_kind
def test_temperature_divides_logits(kind):
    layer = _layer(kind)
    _, pins = _all_pins(11)
    cold, warm = (torch.logit(layer(pins, tau).detach()) for tau in (1.0, 4.0))
    torch.testing.assert_close(cold, 4 * warm, rtol=1e-4, atol=1e-4)


# --- hard nodes


@pytest.mark.parametrize("tau", [10.0, 1.0, 0.3])
def test_gradients_of_a_hard_table(tau):
    layer = _layer("table")
    pins = _hard_pins(200, 11).requires_grad_()
    upstream = torch.randn(200, 11, generator=_generator(3))
    layer(pins, tau, True).backward(upstream)

    soft = torch.sigmoid(layer.entries.detach() / tau)
    slope = soft * (1 - soft) / tau
    index = (pins.detach().view(200, 11, FANIN) @ (2.0 ** torch.arange(FANIN))).long()
    to_entries = torch.zeros(11, 64)
    to_pins = torch.zeros(200, 11, FANIN)
    for b in range(200):
        for n in range(11):
            k = int(index[b, n])
            to_entries[n, k] += upstream[b, n] * slope[n, k]
            for j in range(FANIN):
                step = soft[n, k | 1 << j] - soft[n, k & ~(1 << j)]
                to_pins[b, n, j] = upstream[b, n] * step
    torch.testing.assert_close(layer.entries.grad, to_entries)
    torch.testing.assert_close(pins.grad.view(200, 11, FANIN), to_pins)


@each_kind
@pytest.mark.parametrize("tau", [10.0, 0.5])
def test_hard_nodes_have_the_gradients_of_soft_ones_at_corners(kind, tau):
    layer = _layer(kind)
    upstream = torch.randn(64, 11, generator=_generator(4))
    grads = []
    for hard in (False, True):
        pins = _all_pins(11)[1].requires_grad_()
        out = layer(pins, tau, hard)
        grads.append(torch.autograd.grad(out, [pins, *layer.parameters()], upstream))
    for soft, hard in zip(*grads, strict=True):
        torch.testing.assert_close(soft, hard)


# --- noise


@each_kind
def test_noise_comes_from_the_generator(kind):
    layer = _layer(kind)
    pins = _soft_pins(20, 11)
    plain = layer(pins, 2.0)
    first, same, other = (layer(pins, 2.0, False, True, _generator(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, same)
    assert not torch.equal(first, other) and not torch.equal(first, plain)
    assert ((first > 0) & (first < 1)).all()


@each_kind
def test_hard_nodes_have_no_noise(kind):
    layer = _layer(kind)
    pins = _hard_pins(20, 11)
    generator = _generator(5)
    assert torch.equal(layer(pins, 2.0, True), layer(pins, 2.0, True, True, generator))
    assert torch.equal(generator.get_state(), _generator(5).get_state())


def test_noise_is_standard_logistic():
    noise = logistic_noise(torch.empty(400, 500), _generator(7)).double()
    assert torch.isfinite(noise).all()
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - math.pi / math.sqrt(3)) < 0.02
    # The distribution function is the sigmoid.
    for z in (-3.0, -1.0, 0.5, 2.0):
        assert abs((noise < z).double().mean() - 1 / (1 + math.exp(-z))) < 0.005


# --- first weights


@each_kind
def test_first_weights_depend_on_the_generator_alone(kind):
    first, same, other = (_layer(kind, seed=seed).tables() for seed in (1, 1, 2))
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_residual_nodes_pass_the_first_pin_on():
    first = _CORNERS[:, 0].bool().expand(2048, 64)
    neural = _layer("neuralut", 2048, residual=True).tables()
    assert (neural == first).float().mean() > 0.999
    table = _layer("table", 2048, pins=2.0 * torch.eye(FANIN)[0], spread=0.3).tables()
    assert torch.equal(table, first)


def test_tables_that_begin_as_a_majority():
    nodes = _layer("table", 50, pins=torch.full((FANIN,), 0.5), spread=0.01)
    ones = _CORNERS.sum(1)
    decided = ones != 3
    expected = (ones[decided] > 3).expand(50, -1)
    assert torch.equal(nodes.tables()[:, decided], expected)
    each = torch.zeros(2, FANIN)
    each[0, 2], each[1, 5] = 1.0, -1.0
    tables = _layer("table", 2, pins=each, spread=0.0).tables()
    assert torch.equal(tables, torch.stack([_CORNERS[:, 2] > 0, _CORNERS[:, 5] == 0]))
