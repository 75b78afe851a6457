"""Costs by counts, against what heads and upsampled pixels really cost."""

import numpy as np

from lutgen.model.head import LaplaceHead
from lutgen.training.polish.costs import laplace_costs, square_costs


def test_laplace_costs_are_code_lengths_where_classes_have_a_middle():
    head = LaplaceHead.from_scales(np.geomspace(0.1, 100, 9), 24, 26)
    costs = laplace_costs(head)
    assert costs.cost.shape[0] == 27
    x = np.arange(256)
    for scale in range(9):
        counts = np.flatnonzero(head.sigma == scale)
        if len(counts) % 2 == 0:
            continue  # its middle is between two counts
        sigma = counts[len(counts) // 2]
        for mu in range(25):
            classes = np.full(256, head.classify(mu, sigma))
            np.testing.assert_allclose(
                costs.cost[sigma, costs.place[mu, x]], head.code_length(classes, x), rtol=1e-6
            )


def test_between_middles_costs_lie_between():
    head = LaplaceHead.from_scales(np.geomspace(0.1, 100, 3), 8, 26)
    costs = laplace_costs(head)
    column = costs.cost[:, costs.place[4, 200]]
    middles = [np.flatnonzero(head.sigma == scale).mean() for scale in range(3)]
    between = np.arange(int(np.ceil(middles[0])), int(middles[1]) + 1)
    steps = np.diff(column[between])
    assert (np.sign(steps) == np.sign(steps[0])).all()
    np.testing.assert_allclose(steps, steps[0], rtol=1e-3)


def test_one_scale_costs_the_same_at_all_counts():
    head = LaplaceHead.from_scales(np.array([3.0]), 8, 5)
    costs = laplace_costs(head)
    assert (costs.cost == costs.cost[0]).all()


def test_a_recounted_head_need_not_be_in_order():
    plain = LaplaceHead.from_scales(np.geomspace(0.1, 100, 4), 8, 5)
    head = LaplaceHead(plain.mu, np.array([2, 0, 3, 0, 1, 1]), plain.cdf)
    costs = laplace_costs(head)
    x = np.arange(256)
    for sigma in range(4):
        classes = np.full(256, head.classify(3, sigma))
        np.testing.assert_allclose(
            costs.cost[sigma, costs.place[3, x]], head.code_length(classes, x), rtol=1e-6
        )


def test_square_costs():
    costs = square_costs(16)
    for count in range(17):
        np.testing.assert_allclose(
            costs.cost[0, costs.place[count]], (255 * count / 16 - np.arange(256)) ** 2, rtol=1e-5
        )
