"""Training of a predictive model from images, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.features import STANDARD, Scale
from lutgen.model.predictive.model import CLASS_BITS, FRACTIONS, PredictiveModel
from lutgen.model.predictive.neighbourhood import SAMPLES
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.residual import TOKENS
from lutgen.model.predictive.trees import LutTrees

from .boost import boost
from .config import PredictiveConfig
from .draw import Drawn, draw, early_of, logarithm_of
from .linear import grow_predictor
from .scale import fit_scale, log_spread
from .tables import count_tokens, scales_of, tables

__all__ = ["train_predictive"]

#: Where training begins: errors of the nearest neighbours.
_FIRST_SCALE = Scale({"eW": 22, "eN": 16, "eNE": 12, "eNW": 8, "eWW": 10, "EW": 12}, 205)
_FIRST_COEFFICIENTS = {"W": 96, "N": 96, "NW": -64}
#: Share of samples whose scale lies below the least class, and above the greatest.
_OUTSIDE = 0.0005


def _first_model() -> PredictiveModel:
    """What training starts from: one predictor, no trees, tables that are not used."""
    row = np.zeros((1, len(SAMPLES)), dtype=np.int16)
    for name, value in _FIRST_COEFFICIENTS.items():
        row[0, list(SAMPLES).index(name)] = value
    none = np.zeros(0, dtype=np.uint8)
    predictor = Predictor(none, none, np.zeros((0, 2), dtype=np.int16), row)
    return PredictiveModel(
        STANDARD, _FIRST_SCALE, predictor, LutTrees.none(), LutTrees.none(), 0, _flat(1)
    )


def _flat(classes: int) -> np.ndarray:
    """Tables in which all tokens are alike."""
    step = (1 << PROB_BITS) // TOKENS
    return np.tile(np.arange(TOKENS + 1, dtype=np.int32) * step, (FRACTIONS * classes, 1))


def _turned(images, config: PredictiveConfig):
    """Each image in one of its eight positions, by chance."""
    if not config.augment:
        return list(images)
    rng = np.random.default_rng(config.seed)
    result = []
    for image, depth in images:
        turned = image.T if rng.integers(2) else image
        turned = turned[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
        result.append((np.ascontiguousarray(turned), depth))
    return result


def _weights(model: PredictiveModel, drawn: Drawn) -> np.ndarray:
    """Weight of each sample's squared error: what a logistic density would give it."""
    spread = np.exp(log_spread(logarithm_of(model.kernel, drawn.quantity)))
    size = np.abs(drawn.error)
    ratio = np.maximum(size / spread, 1e-3)
    return (np.tanh(ratio / 2) / (ratio / 2) / (spread + 0.05) ** 2).astype(np.float32)


def train_predictive(
    images: Sequence[tuple[np.ndarray, int]], config: PredictiveConfig,
    note: Callable[[str, float], None] = lambda what, value: None,
) -> PredictiveModel:  # fmt: skip
    """Train a model.

    Parameters
    ----------
    images:
        Images of shape (H, W) and their bit depths.
    config:
        Sizes of all parts.
    note:
        Told what has been done and a figure of it.
    """
    images = _turned(images, config)
    model = _first_model()
    for round_ in range(config.rounds):
        drawn = draw(model.kernel, images, config.samples, config.seed + round_)
        note("drawn", len(drawn.sample))
        model = replace(model, scale=fit_scale(drawn, model.scale, config.seed))
        predictor = grow_predictor(
            drawn.quantity, drawn.sample, _weights(model, drawn), early_of(model.kernel, drawn),
            config.predictors,
        )  # fmt: skip
        model = replace(model, predictor=predictor)
        note("predictors", predictor.leaves)
    drawn = draw(model.kernel, images, config.samples, config.seed + config.rounds)
    model = replace(model, scale=fit_scale(drawn, model.scale, config.seed))
    note("drawn", len(drawn.sample))
    corrections, scales = boost(
        model.kernel, drawn, config, lambda bits: note("bits", bits)
    )
    model = replace(model, corrections=corrections, scales=scales)
    low, high = np.quantile(scales_of(model, drawn), [_OUTSIDE, 1 - _OUTSIDE]).astype(int)
    classes = min(config.classes, (int(high - low) >> CLASS_BITS) + 1)
    model = replace(model, origin=int(low), cumulative=_flat(classes))
    model = replace(model, cumulative=tables(model, count_tokens(model, drawn)))
    return model.with_training({"config": asdict(config)})
