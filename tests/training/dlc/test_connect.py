import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call

from lutgen.errors import InputError
from lutgen.training.dlc.connect import BitConnection, ThermometerConnection, prefix_lookup

_FEW = (0, 3, 4, 90, 254)
_LIMITS = {torch.float32: 1e-5, torch.bfloat16: 2**-7}


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _features(seed, batch, features):
    """Random pixels, many of them at the ends of the range and at thresholds."""
    generator = _generator(seed)
    drawn = torch.randint(256, (batch, features), generator=generator)
    special = torch.tensor([0, 1, 3, 4, 5, 254, 255])
    pick = special[torch.randint(len(special), (batch, features), generator=generator)]
    keep = torch.rand(batch, features, generator=generator) < 0.6
    return torch.where(keep, drawn, pick).to(torch.uint8)


def _bits(features, thresholds):
    """All thermometer bits, float64 (B, T F): bit t F + f is feature f > thresholds[t]."""
    bits = features.long()[:, None, :] > torch.as_tensor(list(thresholds))[None, :, None]
    return bits.flatten(1).double()


def _candidates(kind, candidates, pins, seed=0):
    """No list, fewer than all, all of them in another order, one, or some of them repeated."""
    generator = _generator(seed)
    order = torch.rand(candidates, pins, generator=generator).argsort(0)
    return {
        "all": None,
        "fewer": order[: max(1, candidates // 3)],
        "permuted": order,
        "one": order[:1],
        "repeated": order[:2].repeat(2, 1),
    }[kind]


def _dense(connection, bits, tau):
    """The definition of a soft connection, in float64: pins (B, P) and the leaf of the logits."""
    logits = connection.logits.detach().double().requires_grad_()
    weights = torch.softmax(logits / tau, 0)
    if connection.chosen is not None:
        zeros = weights.new_zeros(bits.shape[1], weights.shape[1])
        weights = zeros.scatter_add(0, connection.chosen, weights)
    return bits @ weights, logits


def _upstream(seed, pins):
    return torch.randn(pins.shape, generator=_generator(seed + 1000))


def _assert_close(ours, reference, limit):
    scale = max(1.0, reference.abs().max().item())
    torch.testing.assert_close(ours.double(), reference, rtol=limit, atol=limit * scale)


# --- prefix sums


@settings(max_examples=40, deadline=None)
@given(
    batch=st.integers(1, 40), features=st.integers(1, 6), pins=st.integers(1, 9),
    thresholds=st.integers(1, 20), seed=st.integers(0, 1 << 30),
)  # fmt: skip
def test_prefix_lookup_is_the_dense_product(batch, features, pins, thresholds, seed):
    generator = _generator(seed)
    weights = torch.randn(thresholds, features, pins, generator=generator, requires_grad=True)
    height = torch.randint(thresholds + 1, (batch, features), generator=generator)
    rank = height * features + torch.arange(features)
    out = prefix_lookup(weights, rank)

    exact = weights.detach().double().requires_grad_()
    bits = (height[:, None, :] > torch.arange(thresholds)[None, :, None]).double().flatten(1)
    dense = bits @ exact.flatten(0, 1)
    _assert_close(out.detach(), dense.detach(), 1e-5)

    upstream = torch.randn(out.shape, generator=generator)
    out.backward(upstream)
    dense.backward(upstream.double())
    _assert_close(weights.grad, exact.grad, 1e-5)


def test_prefix_lookup_takes_gradients_that_are_not_contiguous():
    weights = torch.randn(4, 3, 5, requires_grad=True)
    rank = torch.tensor([[0, 4, 8], [12, 13, 14]])
    prefix_lookup(weights, rank).sum().backward()
    expanded = weights.grad.clone()
    weights.grad = None
    prefix_lookup(weights, rank).backward(torch.ones(2, 5))
    torch.testing.assert_close(expanded, weights.grad, rtol=0, atol=0)
    weights.grad = None
    prefix_lookup(weights, rank).T.backward(torch.ones(5, 2))
    torch.testing.assert_close(expanded, weights.grad, rtol=0, atol=0)


def test_bits_that_are_never_set_have_no_gradient():
    weights = torch.randn(255, 2, 3, requires_grad=True)
    rank = torch.tensor([[0, 20 * 2 + 1], [7 * 2, 1]])
    prefix_lookup(weights, rank).sum().backward()
    seen = weights.grad[..., 0].bool()
    assert seen[:, 0].nonzero().flatten().tolist() == list(range(7))
    assert seen[:, 1].nonzero().flatten().tolist() == list(range(20))


# --- thermometer connections


@pytest.mark.parametrize("dtype", _LIMITS, ids=str)
@pytest.mark.parametrize("kind", ["all", "fewer", "permuted", "one", "repeated"])
@pytest.mark.parametrize("thresholds", [range(255), _FEW, (0,), (254,), (127,)], ids=len)
def test_soft_thermometer_pins_are_the_dense_product(thresholds, kind, dtype):
    chosen = _candidates(kind, 4 * len(thresholds), 7)
    connection = ThermometerConnection(
        4, 7, thresholds, chosen=chosen, dtype=dtype, generator=_generator(1)
    )
    features = _features(2, 50, 4)
    for tau in (1.0, 0.1):
        pins = connection(features, tau)
        assert pins.shape == (50, 7) and pins.dtype == torch.float32
        dense, logits = _dense(connection, _bits(features, thresholds), tau)
        _assert_close(pins.detach(), dense.detach(), _LIMITS[dtype])

        upstream = _upstream(3, pins)
        connection.logits.grad = None
        pins.backward(upstream)
        dense.backward(upstream.double())
        # Tables are rounded, gradients are not.
        _assert_close(connection.logits.grad, logits.grad, 1e-5)


@settings(max_examples=25, deadline=None)
@given(
    batch=st.integers(1, 30), features=st.integers(1, 5), pins=st.integers(1, 8),
    thresholds=st.sets(st.integers(0, 254), min_size=1, max_size=12), kind=st.sampled_from(
        ["all", "fewer", "permuted", "one", "repeated"]
    ),
    tau=st.floats(0.01, 10), hard=st.booleans(), seed=st.integers(0, 1 << 30),
)  # fmt: skip
def test_thermometer_pins_of_any_shape(
    batch, features, pins, thresholds, kind, tau, hard, seed
):
    thresholds = sorted(thresholds)
    chosen = _candidates(kind, features * len(thresholds), pins, seed)
    connection = ThermometerConnection(
        features, pins, thresholds, chosen=chosen, generator=_generator(seed)
    )
    values = _features(seed, batch, features)
    bits = _bits(values, thresholds)
    out = connection(values, tau, hard)
    dense, logits = _dense(connection, bits, tau)
    expected = bits[:, connection.choice()] if hard else dense.detach()
    _assert_close(out.detach(), expected, 0 if hard else 1e-5)
    upstream = _upstream(seed, out)
    out.backward(upstream)
    dense.backward(upstream.double())
    _assert_close(connection.logits.grad, logits.grad, 1e-4)


@pytest.mark.parametrize("kind", ["all", "fewer", "repeated"])
def test_hard_thermometer_pins_are_the_chosen_bits_with_soft_gradients(kind):
    chosen = _candidates(kind, 6 * 255, 9)
    connection = ThermometerConnection(6, 9, chosen=chosen, generator=_generator(4))
    features = _features(5, 80, 6)
    pins = connection(features, 0.3, True)
    bits = _bits(features, range(255))
    for pin, candidate in enumerate(connection.choice().tolist()):
        feature, threshold = candidate % 6, candidate // 6
        expected = (features[:, feature] > threshold).float()
        assert torch.equal(pins[:, pin], expected)
        assert torch.equal(pins[:, pin].double(), bits[:, candidate])

    upstream = _upstream(6, pins)
    pins.backward(upstream)
    hard = connection.logits.grad.clone()
    connection.logits.grad = None
    connection(features, 0.3).backward(upstream)
    torch.testing.assert_close(hard, connection.logits.grad, rtol=0, atol=0)


def test_soft_pins_become_hard_ones():
    connection = ThermometerConnection(5, 20, generator=_generator(7))
    features = _features(8, 60, 5)
    soft = connection(features, 1e-6)
    torch.testing.assert_close(soft, connection(features, 1e-6, True), rtol=0, atol=1e-5)


def test_candidate_bits_are_the_candidates():
    chosen = _candidates("fewer", 3 * len(_FEW), 8)
    connection = ThermometerConnection(3, 8, _FEW, chosen=chosen)
    feature, threshold = connection.candidate_bits()
    bits = _bits(_features(9, 40, 3), _FEW)
    features = _features(9, 40, 3)
    for s in range(len(chosen)):
        for p in range(8):
            expected = bits[:, chosen[s, p]]
            assert torch.equal((features[:, feature[s, p]] > threshold[s, p]).double(), expected)


@pytest.mark.parametrize("make", [ThermometerConnection, BitConnection])
def test_candidates_that_are_all_have_no_bits(make):
    with pytest.raises(InputError, match="^connections must have drawn candidates"):
        make(3, 8).candidate_bits()


# --- connections between layers


@pytest.mark.parametrize("dtype", _LIMITS, ids=str)
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("kind", ["all", "fewer", "permuted", "one", "repeated"])
def test_bit_pins(kind, hard, dtype):
    chosen = _candidates(kind, 12, 10)
    connection = BitConnection(12, 10, chosen=chosen, dtype=dtype, generator=_generator(1))
    bits = torch.rand(40, 12, generator=_generator(2)).round() if hard else (
        torch.rand(40, 12, generator=_generator(2))
    )
    bits.requires_grad_()
    exact = bits.detach().double().requires_grad_()
    pins = connection(bits, 0.4, hard)
    assert pins.shape == (40, 10) and pins.dtype == torch.float32
    dense, logits = _dense(connection, exact, 0.4)
    if hard:
        assert torch.equal(pins, bits[:, connection.choice()])
    else:
        _assert_close(pins.detach(), dense.detach(), _LIMITS[dtype])
    upstream = _upstream(3, pins)
    pins.backward(upstream)
    dense.backward(upstream.double())
    _assert_close(connection.logits.grad, logits.grad, 4 * _LIMITS[dtype])
    _assert_close(bits.grad, exact.grad, 4 * _LIMITS[dtype])


@pytest.mark.parametrize("kind", ["all", "fewer", "repeated"])
def test_finite_differences(kind):
    chosen = _candidates(kind, 5, 4)
    connection = BitConnection(5, 4, chosen=chosen, dtype=torch.float64, generator=_generator(1))
    connection = connection.double()
    bits = torch.rand(3, 5, generator=_generator(2), dtype=torch.float64, requires_grad=True)
    logits = connection.logits.detach().clone().requires_grad_()

    def pins(bits, logits):
        return functional_call(connection, {"logits": logits}, (bits, 0.7))

    assert torch.autograd.gradcheck(pins, (bits, logits))


# --- weights and candidates


@pytest.mark.parametrize("kind", ["all", "fewer", "one"])
@pytest.mark.parametrize("make", [
    lambda chosen, **options: ThermometerConnection(4, 7, _FEW, chosen=chosen, **options),
    lambda chosen, **options: BitConnection(20, 7, chosen=chosen, **options),
])  # fmt: skip
def test_weights_and_choice(make, kind):
    chosen = _candidates(kind, 20, 7)
    connection = make(chosen, generator=_generator(3))
    weights = connection.weights(0.5).detach()
    assert weights.shape == (20, 7)
    torch.testing.assert_close(weights.sum(0), torch.ones(7))
    assert torch.equal(weights.argmax(0), connection.choice())
    if chosen is not None:
        reads = torch.zeros(20, 7, dtype=torch.bool).scatter(0, chosen, True)
        assert torch.equal(weights > 0, reads)
        assert (chosen == connection.choice()).any(0).all()


def test_weights_survive_any_temperature():
    connection = BitConnection(50, 8, generator=_generator(5))
    with torch.no_grad():
        connection.logits.mul_(40)
    for tau in (100.0, 1.0, 1e-4):
        weights = connection.weights(tau)
        assert torch.isfinite(weights).all()
        weights.square().sum().backward()
        assert torch.isfinite(connection.logits.grad).all()


def test_a_favoured_candidate_is_read_first():
    chosen = _candidates("fewer", 60, 30)
    connection = BitConnection(60, 30, chosen=chosen, favour=1.0, generator=_generator(6))
    assert torch.equal(connection.choice(), chosen[0])


def test_first_weights_depend_on_the_generator_alone():
    first, same, other = (
        ThermometerConnection(3, 6, generator=_generator(seed)).logits for seed in (1, 1, 2)
    )
    assert torch.equal(first, same) and not torch.equal(first, other)


def test_state_keeps_weights_and_candidates():
    chosen = _candidates("fewer", 3 * len(_FEW), 6)
    first = ThermometerConnection(3, 6, _FEW, chosen=chosen, generator=_generator(1))
    other = _candidates("fewer", 3 * len(_FEW), 6, seed=9)
    second = ThermometerConnection(3, 6, _FEW, chosen=other, generator=_generator(2))
    second.load_state_dict(first.state_dict())
    features = _features(1, 20, 3)
    assert torch.equal(first(features, 1.0), second(features, 1.0))


@pytest.mark.parametrize("thresholds", [(), (3, 3), (5, 4), (-1, 4), (4, 255)])
def test_thresholds_out_of_range(thresholds):
    with pytest.raises(ValueError, match=r"^thresholds must increase and lie within 0\.\.254$"):
        ThermometerConnection(2, 6, thresholds)


@pytest.mark.parametrize("chosen, rest", [
    (torch.zeros(3, 5, dtype=torch.int64), "not (3, 5) up to 0"),
    (torch.full((3, 6), 20), "not (3, 6) up to 20"),
    (torch.full((3, 6), -1), "not (3, 6) up to -1"),
])
def test_candidates_out_of_range(chosen, rest):
    message = f"chosen must be of shape (S, 6) and below 20, {rest}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BitConnection(20, 6, chosen=chosen)
