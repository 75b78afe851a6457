import numba
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lutgen.training.dlc.connect import BitConnection, ThermometerConnection
from lutgen.training.dlc.fast import hard_layer
from lutgen.training.dlc.node import TableNodes

_FEW = (0, 1, 60, 128, 200, 254)


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _layer(first, inputs, nodes, sampled, seed):
    """A connection with drawn candidates, repeated ones among them, its nodes, and an input."""
    generator = _generator(seed)
    candidates = inputs * len(_FEW) if first else inputs
    chosen = torch.randint(candidates, (sampled, 6 * nodes), generator=generator)
    if first:
        connection = ThermometerConnection(
            inputs, 6 * nodes, _FEW, chosen=chosen, generator=generator
        )
    else:
        connection = BitConnection(inputs, 6 * nodes, chosen=chosen, generator=generator)
    return connection, TableNodes(nodes, generator=generator)


def _input(first, inputs, batch, seed):
    generator = _generator(seed + 1)
    if first:
        drawn = torch.randint(256, (batch, inputs), generator=generator)
        near = torch.tensor(_FEW)[torch.randint(len(_FEW), (batch, inputs), generator=generator)]
        near = (near + torch.randint(2, near.shape, generator=generator)).clamp(max=255)
        keep = torch.rand(batch, inputs, generator=generator) < 0.5
        return torch.where(keep, drawn, near).to(torch.uint8)
    return torch.randint(2, (batch, inputs), generator=generator).float().requires_grad_()


def _fast(connection, nodes, x, taus):
    out = hard_layer(
        x.T.contiguous(), connection.logits, nodes.entries, *connection.candidate_bits(), *taus
    )
    return out.T


def _reference(connection, nodes, x, taus):
    """The same in float64, one autograd expression after the other.

    Returns the output and the leaves x, logits and entries.
    """
    tau_connections, tau_nodes = taus
    leaf = x.detach().double().requires_grad_()
    logits = connection.logits.detach().double().requires_grad_()
    entries = nodes.entries.detach().double().requires_grad_()
    source, threshold = connection.candidate_bits()
    # What each candidate is, (B, S, P).
    bits = leaf[:, source]
    if threshold is not None:
        bits = (bits > threshold).double()
    hard = bits.gather(1, logits.argmax(0).expand(len(bits), 1, -1))[:, 0]
    soft = (torch.softmax(logits / tau_connections, 0) * bits.detach()).sum(1)
    # The chosen bit hears of its pin, the weights of all candidates.
    pins = (hard + (soft - soft.detach())).view(len(x), len(entries), 6)

    corner = (torch.arange(64)[:, None] >> torch.arange(6) & 1).double()
    values = torch.sigmoid(entries / tau_nodes)
    at = torch.where(corner.bool(), pins[:, :, None], 1 - pins[:, :, None]).prod(-1)
    smooth = (at * values).sum(-1)
    rounded = (at.detach() * (entries > 0).double()).sum(-1)
    return rounded + (smooth - smooth.detach()), (leaf, logits, entries)


def _assert_close(ours, reference):
    scale = max(1.0, reference.abs().max().item())
    torch.testing.assert_close(ours.double(), reference, rtol=1e-5, atol=1e-5 * scale)


each_layer = pytest.mark.parametrize("first", [True, False], ids=["thermometer", "bits"])


@each_layer
@pytest.mark.parametrize("taus", [(1.0, 1.0), (0.2, 5.0), (1e-3, 0.3)])
def test_equal_to_a_slow_layer(first, taus):
    _check(first, 7, 9, 5, 60, taus, 1)


@settings(max_examples=25, deadline=None)
@given(
    first=st.booleans(), inputs=st.integers(1, 9), nodes=st.integers(1, 7),
    sampled=st.integers(1, 9), batch=st.integers(1, 70), seed=st.integers(0, 1 << 30),
    taus=st.tuples(st.floats(0.01, 10), st.floats(0.1, 10)),
)  # fmt: skip
def test_layers_of_any_shape(first, inputs, nodes, sampled, batch, seed, taus):
    _check(first, inputs, nodes, sampled, batch, taus, seed)


def _check(first, inputs, nodes, sampled, batch, taus, seed):
    connection, tables = _layer(first, inputs, nodes, sampled, seed)
    x = _input(first, inputs, batch, seed)
    out = _fast(connection, tables, x, taus)
    assert out.shape == (batch, nodes) and out.dtype == torch.float32
    reference, leaves = _reference(connection, tables, x, taus)
    assert torch.equal(out.double(), reference)
    # As modules do it, bit for bit.
    assert torch.equal(out, tables(connection(x, taus[0], True), taus[1], True))

    upstream = torch.randn(batch, nodes, generator=_generator(seed + 2))
    wanted = (None if first else x, connection.logits, tables.entries)
    out.backward(upstream)
    exact = torch.autograd.grad(reference, leaves, upstream.double(), allow_unused=True)
    for ours, want in zip(wanted, exact, strict=True):
        if ours is not None:
            _assert_close(ours.grad, want)


@each_layer
def test_weights_and_entries_learn_as_in_modules(first):
    connection, tables = _layer(first, 8, 10, 6, 3)
    x = _input(first, 8, 100, 3)
    upstream = torch.randn(100, 10, generator=_generator(4))
    parameters = [connection.logits, tables.entries]
    fast = torch.autograd.grad(_fast(connection, tables, x, (0.5, 2.0)), parameters, upstream)
    out = tables(connection(x, 0.5, True), 2.0, True)
    modules = torch.autograd.grad(out, parameters, upstream)
    for ours, theirs in zip(fast, modules, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@each_layer
def test_results_do_not_depend_on_threads(first):
    most = numba.config.NUMBA_NUM_THREADS
    if most == 1:
        pytest.skip("one thread only")
    results = []
    for threads in (1, most):
        before = numba.get_num_threads()
        numba.set_num_threads(threads)
        try:
            connection, tables = _layer(first, 20, 37, 6, 5)
            x = _input(first, 20, 1000, 5)
            out = _fast(connection, tables, x, (0.5, 2.0))
            out.backward(torch.randn(1000, 37, generator=_generator(6)))
        finally:
            numba.set_num_threads(before)
        grads = [connection.logits.grad, tables.entries.grad] + ([] if first else [x.grad])
        results.append([out.detach(), *grads])
    for one, many in zip(*results, strict=True):
        assert torch.equal(one, many)


def test_no_candidate_of_a_pin_is_above_another_when_it_reads_nothing_else():
    connection, tables = _layer(True, 4, 3, 1, 7)
    x = _input(True, 4, 50, 7)
    _fast(connection, tables, x, (1.0, 1.0)).sum().backward()
    assert not connection.logits.grad.any()
    assert tables.entries.grad.any()
