"""Training of a predictive model from images, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from lutgen.model.head import PROB_BITS
from lutgen.model.predictive.features import Scale, standard_features
from lutgen.model.predictive.model import CLASS_BITS, TABLES, Kernel, PredictiveModel
from lutgen.model.predictive.predictor import Predictor
from lutgen.model.predictive.reference import MOST_REFERENCES
from lutgen.model.predictive.residual import TOKENS
from lutgen.model.predictive.trees import LutTrees

from .config import PredictiveConfig
from .draw import WALKED, Drawn, draw, early_of, logarithm_of
from .linear import JUDGED, grow_predictor, taps_of
from .networks import network_trainer
from .scale import SUBSAMPLE, fit_scale, log_spread
from .steps import Steps
from .tables import count_tokens, scales_of, tables
from .work import Work

__all__ = [
    "add_networks", "first_model", "plan", "train_predictive", "train_predictor", "turned",
    "weights",
]  # fmt: skip

#: Where training begins: errors of the nearest neighbours.
_FIRST_SCALE = Scale({"eW": 22, "eN": 16, "eNE": 12, "eNW": 8, "eWW": 10, "EW": 12}, 205)
_FIRST_COEFFICIENTS = {"W": 96, "N": 96, "NW": -64}
#: Share of samples whose scale lies below the least class, and above the greatest.
_OUTSIDE = 0.0005
#: Seconds of one core for a pixel that is walked, a sample that a scale is fitted to, that a split
#: is judged by, that a tree is grown on, that is counted; and for a leaf or tree at least.
_WALK, _FIT, _SPLIT, _TREE, _COUNT, _LEAF = 7e-7, 2e-5, 9e-7, 8e-7, 6e-7, 1e-3
#: Steps behind the predictor, where nobody wants to know how long they take.
_NETWORK_STEPS = {"trees": 1.0, "tables": 1.0}


def first_model(references: int = 0) -> PredictiveModel:
    """What training starts from: one predictor, no trees, tables that are not used."""
    taps, *_ = taps_of(references)
    row = np.zeros((1, len(taps)), dtype=np.int16)
    for name, value in _FIRST_COEFFICIENTS.items():
        row[0, taps.index(name)] = value
    none = np.zeros(0, dtype=np.uint8)
    predictor = Predictor(none, none, np.zeros((0, 2), dtype=np.int16), row)
    return PredictiveModel(
        standard_features(references), _FIRST_SCALE, predictor, LutTrees.none(), LutTrees.none(), 0,
        _flat(1),
    )


def _flat(classes: int) -> np.ndarray:
    """Tables in which all tokens are alike."""
    step = (1 << PROB_BITS) // TOKENS
    return np.tile(np.arange(TOKENS + 1, dtype=np.int32) * step, (TABLES * classes, 1))


def turned(images, config: PredictiveConfig):
    """Each image in one of its eight positions, by chance."""
    if not config.augment:
        return list(images)
    rng = np.random.default_rng(config.seed)
    result = []
    for image, depth in images:
        turned = image.swapaxes(0, 1) if rng.integers(2) else image
        turned = turned[:: rng.choice([1, -1]), :: rng.choice([1, -1])]
        result.append((np.ascontiguousarray(turned), depth))
    return result


def weights(model: PredictiveModel, drawn: Drawn) -> np.ndarray:
    """Weight of each sample's squared error: what a logistic density would give it.

    It is 0 where the surroundings are plain: there the median predicts.
    """
    spread = np.exp(log_spread(logarithm_of(model.kernel, drawn.quantity)))
    size = np.abs(drawn.error)
    ratio = np.maximum(size / spread, 1e-3)
    weight = np.tanh(ratio / 2) / (ratio / 2) / (spread + 0.05) ** 2
    return np.where(drawn.plain, 0, weight).astype(np.float32)


def plan(images: Sequence[tuple[np.ndarray, int]], config: PredictiveConfig) -> dict[str, float]:
    """Estimated work of each step of `train_predictive`, in seconds of one core."""
    pixels = sum(image.shape[0] * image.shape[1] for image, _ in images)
    count = min(pixels, config.samples)
    walk = _WALK * min(pixels, WALKED * count)
    scale = _FIT * min(count, SUBSAMPLE)
    result: dict[str, float] = {}
    for k in range(1, config.rounds + 1):
        result |= {
            f"drawing {k}": walk, f"scale {k}": scale,
            f"predictors {k}": config.predictors * (_SPLIT * min(count, JUDGED) + _LEAF),
        }  # fmt: skip
    result |= {"drawing": walk, "scale": scale}
    trees = (config.corrections + config.scales) * (_TREE * count + _LEAF)
    return result | {"trees": trees, "tables": _COUNT * count}


def train_predictive(
    images: Sequence[tuple[np.ndarray, int]], config: PredictiveConfig,
    note: Callable[[str, float], None] = lambda what, value: None, *,
    steps: Steps | None = None, work: Work | None = None, before: Sequence[Kernel] = (),
) -> PredictiveModel:  # fmt: skip
    """Train a model; the same images and configuration give the same one.

    Parameters
    ----------
    images:
        Images of shape (H, W) and their bit depths.
    config:
        Sizes of all parts.
    note:
        Told what has been done and a figure of it.
    steps:
        Results of steps that need not be done again; receives the others.
    work:
        Told how far the work is; its plan has the steps of `plan`.
    before:
        Kernels of the planes before, of which the model's is the last of images (H, W, planes).
    """
    model, drawn = train_predictor(
        images, config, note, steps=steps, work=work, before=before
    )
    return add_networks(model, drawn, config, note, steps=steps, work=work)


def train_predictor(
    images: Sequence[tuple[np.ndarray, int]], config: PredictiveConfig,
    note: Callable[[str, float], None] = lambda what, value: None, *,
    steps: Steps | None = None, work: Work | None = None, before: Sequence[Kernel] = (),
) -> tuple[PredictiveModel, Drawn]:  # fmt: skip
    """A model without networks, and the samples that these are to be trained on.

    Parameters are those of `train_predictive`.
    """
    steps = Steps() if steps is None else steps
    work = Work(lambda step, done, total: None, plan(images, config)) if work is None else work
    images = turned(images, config)
    model = first_model(min(len(before), MOST_REFERENCES))
    for k in range(1, config.rounds + 1):
        model = _round(model, images, config, k, note, steps, work, before)
    drawn = draw(
        model.kernel, images, config.samples, config.seed + config.rounds, work.begin("drawing"),
        before,
    )  # fmt: skip
    note("drawn", len(drawn.sample))
    share = work.begin("scale")
    if (kept := steps.note("scale")) is None:
        model = replace(model, scale=fit_scale(drawn, model.scale, config.seed, share))
        steps.put("scale", _scale_note(model.scale))
    else:
        model = replace(model, scale=Scale(**kept))
    return model, drawn


def add_networks(
    model: PredictiveModel, drawn: Drawn, config: PredictiveConfig,
    note: Callable[[str, float], None] = lambda what, value: None, *,
    steps: Steps | None = None, work: Work | None = None,
) -> PredictiveModel:  # fmt: skip
    """The model with networks and token tables, of what `train_predictor` gives."""
    work = Work(lambda step, done, total: None, _NETWORK_STEPS) if work is None else work
    share, trees, done = work.begin("trees"), config.corrections + config.scales, 0

    def tick(bits: float) -> None:
        nonlocal done
        note("bits", bits)
        share(done / max(1, trees))
        done += 1

    train_networks = network_trainer(config.network)
    corrections, scales = train_networks(model, drawn, config, tick, steps)
    model = replace(model, corrections=corrections, scales=scales)
    work.begin("tables")
    low, high = np.quantile(scales_of(model, drawn), [_OUTSIDE, 1 - _OUTSIDE]).astype(int)
    classes = min(config.classes, (int(high - low) >> CLASS_BITS) + 1)
    model = replace(model, origin=int(low), cumulative=_flat(classes))
    model = replace(model, cumulative=tables(model, count_tokens(model, drawn)))
    return model.with_training({"config": asdict(config)})


def _round(
    model: PredictiveModel, images, config: PredictiveConfig, k: int, note, steps: Steps,
    work: Work, before: Sequence[Kernel],
) -> PredictiveModel:  # fmt: skip
    """Scale and predictor, each fitted with what the model before gives."""
    name = f"round-{k}"
    share = work.begin(f"drawing {k}")
    if (kept := steps.note(name)) is not None:
        return replace(model, scale=Scale(**kept), predictor=Predictor(**steps.arrays(name)))
    drawn = draw(model.kernel, images, config.samples, config.seed + k - 1, share, before)
    note("drawn", len(drawn.sample))
    share = work.begin(f"scale {k}")
    model = replace(model, scale=fit_scale(drawn, model.scale, config.seed, share))
    share = work.begin(f"predictors {k}")
    predictor = grow_predictor(
        drawn.quantity, drawn.value, weights(model, drawn), early_of(model, drawn),
        config.predictors, share,
    )  # fmt: skip
    note("predictors", predictor.leaves)
    parts = {p: getattr(predictor, p) for p in ("feature", "threshold", "child", "coefficients")}
    steps.put(name, _scale_note(model.scale), parts)
    return replace(model, predictor=predictor)


def _scale_note(scale: Scale) -> dict:
    return {"weights": dict(scale.weights), "least": scale.least}
