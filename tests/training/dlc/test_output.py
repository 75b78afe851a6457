"""Losses and integer heads."""

import numpy as np
import pytest
import torch

from lutgen.training.dlc.output import LaplaceOutput, TableOutput, UpsampleOutput, floored


def bits_of(count: int, of: int) -> torch.Tensor:
    return (torch.arange(of) < count).float()


@pytest.mark.parametrize("mu", [0, 1, 100, 255, 256])
@pytest.mark.parametrize("sigma", [0, 3, 128, 250, 256])
def test_laplace_masses_add_up_to_one(mu, sigma):
    output = LaplaceOutput(256, 256)
    bits = torch.cat([bits_of(mu, 256), bits_of(sigma, 256)]).expand(256, -1).double()
    length = output.code_length(bits, torch.arange(256))
    assert float(torch.exp2(-length).sum()) == pytest.approx(1, abs=1e-5)


def test_laplace_equals_the_density_integrated():
    output = LaplaceOutput(510, 100)
    bits = torch.cat([bits_of(201, 510), bits_of(95, 100)])[None].double()
    mu, scale = 100.5, 95.5 / 5.5

    def cdf(x):
        z = (x - mu) / scale
        return 0.5 * np.exp(z) if z < 0 else 1 - 0.5 * np.exp(-z)

    for x in (1, 80, 100, 101, 130, 254):
        expected = -np.log2(cdf(x + 0.5) - cdf(x - 0.5))
        assert float(output.code_length(bits, torch.tensor([x]))) == pytest.approx(expected)
    assert float(output.code_length(bits, torch.tensor([0]))) == pytest.approx(-np.log2(cdf(0.5)))
    assert float(output.code_length(bits, torch.tensor([255]))) == pytest.approx(
        -np.log2(1 - cdf(254.5))
    )


def test_laplace_gradient_exists_far_from_the_symbol():
    output = LaplaceOutput(256, 256)
    bits = torch.cat([bits_of(0, 256), bits_of(0, 256)])[None].requires_grad_()
    output.code_length(bits, torch.tensor([255])).sum().backward()
    assert torch.isfinite(bits.grad).all()
    assert (bits.grad < 0).all()  # more mu and more sigma would both help


def test_laplace_integer_tables_cost_what_floats_do():
    output = LaplaceOutput(512, 512)
    head = output.head()
    rng = np.random.default_rng(0)
    mu, sigma = rng.integers(0, 513, 2000), rng.integers(100, 513, 2000)
    symbols = rng.integers(0, 256, 2000)
    bits = torch.stack([
        torch.cat([bits_of(int(m), 512), bits_of(int(s), 512)])
        for m, s in zip(mu, sigma, strict=True)
    ])  # fmt: skip
    floats = floored(output.code_length(bits, torch.from_numpy(symbols))).numpy()
    integers = head.code_length(head.classify(mu, sigma), symbols)
    assert integers.mean() == pytest.approx(floats.mean(), rel=0.01)


def test_floor_is_that_of_the_tables():
    assert float(floored(torch.tensor([50.0]))) == pytest.approx(14)
    assert float(floored(torch.tensor([0.0]))) == pytest.approx(-np.log2((2**14 - 255) / 2**14))


def test_upsampled_pixels_are_averages():
    output = UpsampleOutput(16)
    bits = torch.cat([bits_of(n, 16) for n in (0, 4, 8, 16)])[None]
    assert output.pixels(bits).tolist() == [[0, 63.75, 127.5, 255]]
    target = torch.tensor([[0, 64, 127, 255]], dtype=torch.uint8)
    assert output.squared_error(bits, target).tolist() == [[0, 0.0625, 0.25, 0]]


def test_table_output_counts_and_pays():
    output = TableOutput(2, memory=0.5)
    bits = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    symbols = torch.tensor([7, 7, 9])
    output.count(bits, symbols, torch.ones(3))
    assert output.counts[1, 7] == 2
    assert output.counts[2, 9] == 1
    output.count(bits, symbols, torch.ones(3))
    assert output.counts[1, 7] == 3
    length = output.code_length(bits, symbols)
    assert torch.equal(length, output.lengths()[torch.tensor([1, 1, 2]), symbols])
    assert length[0] < output.lengths()[0, 7]


def test_table_gradient_is_the_difference_that_a_bit_makes():
    output = TableOutput(3)
    output.counts += torch.from_numpy(np.random.default_rng(1).integers(0, 50, (8, 256)))
    bits = torch.tensor([[1.0, 0.0, 1.0]], requires_grad=True)
    output.code_length(bits, torch.tensor([200])).sum().backward()
    paid = output.lengths()[:, 200]
    expected = [paid[0b101] - paid[0b100], paid[0b111] - paid[0b101], paid[0b101] - paid[0b001]]
    assert bits.grad[0].tolist() == pytest.approx([float(e) for e in expected])


def test_table_head_is_made_of_the_counts():
    output = TableOutput(1)
    output.counts[0, 3] = 1000
    head = output.head(1.0)
    assert head.classes == 2
    assert head.code_length(np.array([0]), np.array([3]))[0] < 0.05
