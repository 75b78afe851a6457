"""LUT networks by gradients: of the form of boosted trees, and better than none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lutgen.training.predictive import gradient
from lutgen.training.predictive.boost import SCALE_UNIT, addresses, boost, correction_unit
from lutgen.training.predictive.config import NETWORKS, PredictiveConfig
from lutgen.training.predictive.draw import draw, features_of, logarithm_of
from lutgen.training.predictive.likelihood import bits
from lutgen.training.predictive.networks import network_trainer
from lutgen.training.predictive.scale import log_spread
from lutgen.training.predictive.steps import Steps
from lutgen.training.predictive.train import first_model
from tests.training.predictive.test_predictive import texture

CONFIG = PredictiveConfig(samples=20_000, corrections=2, scales=3, network="gradient")


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(gradient, "_STEPS", 120)
    monkeypatch.setattr(gradient, "_BATCH", 512)


@pytest.fixture(scope="module")
def drawn():
    return draw(first_model().kernel, [(texture(1), 8)], 20_000, 0)


def code_length(drawn, corrections, scales) -> float:
    """Mean bits of the samples with these networks, from their definition."""
    model = first_model()
    features, logarithm = features_of(model, drawn), logarithm_of(model.kernel, drawn.quantity)
    sums = [
        sum(t.values[k][addresses(features, t.feature[k], t.threshold[k])].astype(np.float32)
            for k in range(len(t)))
        for t in (corrections, scales)
    ]  # fmt: skip
    residual = drawn.error - sums[0] * correction_unit(drawn, logarithm)
    spread = log_spread(logarithm) + sums[1] * np.float32(SCALE_UNIT)
    return bits(residual.astype(np.float32), spread.astype(np.float32))


@pytest.mark.slow
def test_a_code_becomes_shorter(drawn):
    told = []
    found = gradient.descend(first_model(), drawn, CONFIG, told.append)
    assert [len(trees) for trees in found] == [2, 3] and len(told) >= 5
    before, after = code_length(drawn, *boost(
        first_model(), drawn, replace(CONFIG, corrections=0, scales=0)
    )), code_length(drawn, *found)  # fmt: skip
    assert after < before - 0.05


@pytest.mark.slow
def test_the_same_again_and_from_a_checkpoint(drawn, tmp_path):
    def kept() -> Steps:
        steps = Steps(tmp_path / "run", {})
        steps.begin("final")
        return steps

    found = gradient.descend(first_model(), drawn, CONFIG, steps=kept())
    again = gradient.descend(first_model(), drawn, CONFIG)
    other = drawn._replace(sample=drawn.sample * 0)
    read = gradient.descend(first_model(), other, CONFIG, steps=kept())
    for trees, *others in zip(found, again, read, strict=True):
        for other in others:
            for part in ("feature", "threshold", "values"):
                np.testing.assert_array_equal(getattr(trees, part), getattr(other, part))


def test_hard_pins_read_the_table():
    generator = torch.Generator().manual_seed(1)
    networks = gradient._Networks(5, 9, CONFIG, generator)
    bins = torch.randint(9, (40, 5), generator=generator, dtype=torch.uint8)
    correction, scale = networks(bins, 0.1, True)
    choice = networks.connection.choice()
    answer = (bins[:, choice % 5] > choice // 5).view(40, 5, 6).long()
    address = (answer << torch.arange(6)).sum(2)
    read = networks.table[torch.arange(5), address]
    torch.testing.assert_close(correction, read[:, :2].sum(1))
    torch.testing.assert_close(scale, read[:, 2:].sum(1))


def test_trainers_by_name():
    assert {name: network_trainer(name) for name in NETWORKS} == {
        "trees": boost, "gradient": gradient.descend,
    }  # fmt: skip


def test_no_networks(drawn):
    none = replace(CONFIG, corrections=0, scales=0)
    assert [len(trees) for trees in gradient.descend(first_model(), drawn, none)] == [0, 0]
