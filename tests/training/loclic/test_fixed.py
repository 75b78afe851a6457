"""Integer networks: near the float ones, and the same in any order of sums."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from lutgen.training.loclic.contexts.checkerboard import anchors
from lutgen.training.loclic.contexts.linear_attention import LinearAttention
from lutgen.training.loclic.contexts.window_attention import WindowAttention
from lutgen.training.loclic.fixed.affine import FixedConv, FixedLinear
from lutgen.training.loclic.fixed.attention import FixedLinearAttention, FixedWindowAttention
from lutgen.training.loclic.fixed.convert import fixed_network
from lutgen.training.loclic.fixed.curves import FixedGelu, FixedHalfTanh
from lutgen.training.loclic.fixed.functions import FunctionTables
from lutgen.training.loclic.fixed.layer_norm import FixedLayerNorm, integer_root
from lutgen.training.loclic.fixed.number import LIMIT, UNIT, shift_right, to_fixed
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import CodecConfig
from lutgen.training.loclic.networks.half_tanh import HalfTanh

TABLES = FunctionTables.make()
TINY = CodecConfig(source="test", widths=(4, 6, 8), latent=16, slices=2)


def near(fixed, expected, units):
    assert fixed.dtype == torch.float64
    assert torch.equal(fixed, fixed.round())
    assert (fixed / UNIT - expected).abs().max() * UNIT <= units


def test_numbers():
    assert to_fixed(torch.tensor([1.0, -0.5, 2**-13])).tolist() == [4096, -2048, 1]
    assert shift_right(torch.tensor([3.0, 2, -2, -3]), 2).tolist() == [1, 1, 0, -1]


@pytest.mark.parametrize("bits", [8, 16])
def test_affine(bits):
    torch.manual_seed(0)
    conv = nn.Conv2d(6, 8, 3, padding=1, groups=2).double()
    linear = nn.Linear(6, 5).double()
    x = to_fixed(torch.randn(1, 6, 7, 9) * 3)
    units = 2 if bits == 16 else 1200
    for layer, fixed, value in (
        (conv, FixedConv(conv), x), (linear, FixedLinear(linear), x.transpose(1, 3)),
    ):  # fmt: skip
        fixed.take(layer.weight, layer.bias, bits)
        assert fixed.weight.abs().max() < 1 << (bits - 1)
        near(fixed(value), layer(value / UNIT), units)
        # Beyond the bound nothing is multiplied.
        assert torch.equal(fixed(value + 1e9), fixed(torch.full_like(value, LIMIT)))
    with pytest.raises(ValueError, match="^weights must be below"):
        FixedLinear(linear).take(linear.weight * 2.0 ** (bits + 2), linear.bias, bits)
    fixed.shift[:] = 40
    with pytest.raises(ValueError, match="^shifts must be within"):
        fixed.check()


def test_curves():
    x = torch.linspace(-9, 9, 4001, dtype=torch.float64)
    for layer, fixed in ((nn.GELU(), FixedGelu(TABLES)), (HalfTanh(), FixedHalfTanh(TABLES))):
        near(fixed(to_fixed(x)), layer(x), 1.6)
    with pytest.raises(ValueError, match="^table gelu must be of 32768 integers"):
        FunctionTables(TABLES.gelu[1:], TABLES.half_tanh, TABLES.exp)
    with pytest.raises(ValueError, match="^table exp must be within"):
        FunctionTables(TABLES.gelu, TABLES.half_tanh, -TABLES.exp)


def test_roots_are_exact():
    k = torch.tensor([0, 1, 2, 3, 94906265, 94906267, 3037000498, 2**31 - 1])
    for square in (k * k, k * k + 1, (k * k - 1).clamp(min=0)):
        assert integer_root(square).tolist() == [math.isqrt(v) for v in square.tolist()]


@pytest.mark.parametrize(("channels", "units"), [(16, 100), (64, 100), (128, 200)])
def test_layer_norm(channels, units):
    torch.manual_seed(1)
    norm = nn.LayerNorm(channels).double()
    nn.init.normal_(norm.weight)
    x = torch.randn(50, channels, dtype=torch.float64) * torch.logspace(-1, 2, 50)[:, None]
    near(FixedLayerNorm(norm)(to_fixed(x)), norm(x), units)
    zero = torch.zeros(1, channels, dtype=torch.float64)
    near(FixedLayerNorm(norm)(zero), norm(zero), 1)
    # The greatest sums there are: half of the channels at either bound.
    most = torch.full((1, channels), 2.0**11, dtype=torch.float64)
    most[:, ::2] *= -1
    near(FixedLayerNorm(norm)(to_fixed(most)), norm(most), units)
    with pytest.raises(ValueError, match="at most 128, not 129"):
        FixedLayerNorm(nn.LayerNorm(129))


def test_attention():
    torch.manual_seed(2)
    q, k, v = torch.randn(3, 1, 8, 5, 6, dtype=torch.float64) * 2
    linear = LinearAttention(2)
    fixed = FixedLinearAttention(linear, TABLES)
    for keys in (None, anchors(q), torch.zeros(5, 6, dtype=torch.bool)):
        near(fixed(*(to_fixed(t) for t in (q, k, v)), keys), linear(q, k, v, keys), 4)

    # Two images of three windows, one of them without an anchor.
    q, k, v = torch.randn(3, 12, 25, 4, dtype=torch.float64) * 2
    bias = torch.randn(2, 25, 25, dtype=torch.float64)
    seen = torch.rand(3, 25) < torch.tensor([[0.3], [0.7], [0.0]])
    window, fixed = WindowAttention(), FixedWindowAttention(TABLES)
    near(fixed(*(to_fixed(t) for t in (q, k, v, bias)), seen), window(q, k, v, bias, seen), 12)


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(3)
    codec = Codec(TINY).eval()
    for parameter in codec.entropy_model.parameters():
        nn.init.normal_(parameter, std=parameter.std().nan_to_num(0.1).clamp(min=0.05).item())
    return codec, fixed_network(codec.entropy_model, TABLES, 16)


def test_a_network_of_integers(networks):
    codec, fixed = networks
    torch.manual_seed(4)
    scales, means = torch.rand(2, 1, 16, 8, 12) * 4
    residuals = torch.randint(-3, 4, (1, 16, 8, 12)).float()

    def walk(network, scales, means, unit):
        def code(index, cells, s, m):
            return residuals[:, index * 8 : index * 8 + 8].to(m.dtype) * unit + m

        with torch.no_grad():
            return network(scales, means, code)

    exact = walk(codec.entropy_model.double(), scales.double(), means.double(), 1)
    found = walk(fixed, to_fixed(scales), to_fixed(means), UNIT)
    for a, b in zip(found, exact, strict=True):
        near(a, b, 60)
    codec.float()

    # Any order of sums gives the same: permuted channels, threads.
    threads = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            again = walk(fixed, to_fixed(scales), to_fixed(means), UNIT)
            assert all(torch.equal(a, b) for a, b in zip(found, again, strict=True))
    finally:
        torch.set_num_threads(threads)


def test_no_float_layer_is_left(networks):
    _, fixed = networks
    kinds = {type(m) for m in fixed.modules()}
    assert not kinds & {
        nn.Conv2d, nn.Linear, nn.GELU, nn.LayerNorm, HalfTanh, LinearAttention, WindowAttention,
    }  # fmt: skip
    for value in fixed.state_dict().values():
        assert torch.equal(value, value.round())
    orders = np.random.default_rng(0)
    conv = next(m for m in fixed.modules() if isinstance(m, FixedConv))
    x = torch.randint(-LIMIT, LIMIT, (1, conv.weight.shape[1], 5, 5)).double()
    order = torch.from_numpy(orders.permutation(conv.weight.shape[1]))
    expected = conv(x)
    conv.weight.copy_(conv.weight[:, order])
    assert torch.equal(conv(x[:, order]), expected)
