"""A trained model fitted to other images: its numbers move, its structure stays.

Features, scale S, the predictor's tree and all questions of LUT trees are kept.  Fitted again are
the coefficients of each predictor, the numbers of each LUT tree and the token tables.  Each is
pulled towards what it was as if that had been found in ``prior`` samples more: a few images change
little, many change all that they speak of.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.predictor import COEFFICIENT_BITS, Predictor, leaf_of

from .config import PredictiveConfig
from .draw import Drawn, draw, early_of
from .linear import NORTH, OTHERS, whole_coefficients
from .newton import refit_trees
from .tables import count_tokens, tables
from .train import plan, turned, weights
from .work import Work

__all__ = ["further_plan", "refit_predictor", "refit_tables", "train_further"]


@njit(nogil=True)
def _leaves(kernel, features, out):
    """Leaf of each sample; ``features``, (F, n), are numbered as the kernel does."""
    for i in range(len(out)):
        out[i] = leaf_of(kernel, features[:, i])


def refit_predictor(
    model: PredictiveModel, drawn: Drawn, weight: np.ndarray, prior: int
) -> PredictiveModel:
    """Coefficients by least squares with weights, float32 (n,), of squared errors."""
    kernel = model.training_kernel
    early = early_of(model, drawn)
    early = early[kernel.number[: len(early)]]
    leaf = np.empty(len(drawn.sample), dtype=np.int64)
    _leaves(kernel, early, leaf)
    north = drawn.quantity[:, NORTH : NORTH + 1]
    root = np.sqrt(weight)[:, None].astype(np.float64)
    inputs = (drawn.quantity[:, OTHERS] - north) * root
    wanted = ((drawn.sample[:, None] << 3) - north) * root
    mean = inputs.T @ inputs / len(inputs)
    mean += np.eye(len(OTHERS)) * (1e-4 * np.trace(mean) / len(OTHERS) + 1e-6)
    rows = []
    for k, old in enumerate(model.predictor.coefficients):
        own = leaf == k
        before = old[OTHERS] / (1 << COEFFICIENT_BITS)
        inner = inputs[own].T @ inputs[own] + prior * mean
        cross = inputs[own].T @ wanted[own, 0] + prior * (mean @ before)
        exact = np.linalg.solve(inner, cross) if prior or own.any() else before
        rows.append(whole_coefficients(exact))
    tree = model.predictor
    return replace(model, predictor=Predictor(
        tree.feature, tree.threshold, tree.child, np.array(rows, dtype=np.int16)
    ))  # fmt: skip


def refit_tables(model: PredictiveModel, drawn: Drawn, prior: int) -> PredictiveModel:
    """Token tables from counts, with the model's own as ``prior`` samples of each row."""
    share = np.diff(model.cumulative, axis=1) / model.cumulative[:, -1:]
    counts = count_tokens(model, drawn)
    return replace(model, cumulative=tables(model, counts, prior * share if prior else None))


def further_plan(
    images: Sequence[tuple[np.ndarray, int]], model: PredictiveModel, config: PredictiveConfig
) -> dict[str, float]:
    """Estimated work of each step of `train_further`, in seconds of one core."""
    once = plan(images, replace(
        config, rounds=1, predictors=1, corrections=len(model.corrections),
        scales=len(model.scales),
    ))  # fmt: skip
    return {
        "drawing 1": once["drawing"], "coefficients": once["tables"], "drawing": once["drawing"],
        "trees": once["trees"] / 4, "tables": once["tables"],
    }  # fmt: skip


def train_further(
    model: PredictiveModel, images: Sequence[tuple[np.ndarray, int]], config: PredictiveConfig,
    work: Work,
) -> PredictiveModel:  # fmt: skip
    """The model, fitted again to images of shape (H, W) with their bit depths.

    Of the configuration count ``samples``, ``prior``, ``augment`` and ``seed``; ``work`` has the
    steps of `further_plan`.
    """
    images = turned(images, config)
    samples, seed, prior = config.samples, config.seed, config.prior
    drawn = draw(model.kernel, images, samples, seed, work.begin("drawing 1"))
    work.begin("coefficients")
    model = refit_predictor(model, drawn, weights(model, drawn), prior)
    drawn = draw(model.kernel, images, samples, seed + 1, work.begin("drawing"))
    model = refit_trees(model, drawn, prior, work.begin("trees"))
    work.begin("tables")
    return refit_tables(model, drawn, prior)
