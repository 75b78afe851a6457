"""A whole training run: images in, model with measured figures out."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from lutgen.formats.rules import DEEP_GRAY
from lutgen.model.predictive.model import PredictiveModel
from lutgen.training.data.datasets import check_images, data_hash
from lutgen.training.data.holdout import hold_out

from .config import PredictiveConfig
from .measure import MEASURED, bpp_of_files, samples_of
from .networks import network_trainer
from .refit import further_plan, train_further
from .steps import Steps
from .train import plan, train_predictive
from .work import Progress, Work

__all__ = ["train_predictive_model"]

#: Seconds of one core for a pixel that is coded.
_CODE = 1e-6
_MEASURING = "measuring files"


def train_predictive_model(
    images: Sequence[np.ndarray], config: PredictiveConfig | None = None, *,
    checkpoint=None, progress: Progress = lambda step, done, total: None,
    name: str = "unnamed images", licence: str = "", date: str | None = None,
    start: PredictiveModel | None = None,
) -> PredictiveModel:  # fmt: skip
    """Train a model of profile ``predictive``; the same images and configuration give the same.

    Parameters
    ----------
    images:
        uint8 or uint16 arrays of shape (H, W); sizes may differ.  Whole images are held out; of a
        single one, its last rows (`lutgen.training.data.holdout`).
    config:
        Configuration, `PredictiveConfig()` unless told.
    checkpoint:
        File that receives the results of the steps; a run goes on behind the last of them, with the
        same result.  It stays: remove it when the model is in safety.
    progress:
        Called with step, work done and all work of the run, an estimate in seconds of one core;
        done is less than all until the run is over.
    name, licence:
        Of the data, for the training record.
    date:
        ISO date for the training record, today's unless told.
    start:
        Model to train further (`.refit`): its structure is kept.

    Returns
    -------
    PredictiveModel
        Its ``training`` holds profile, data, licence, date, configuration and metrics, bits per
        pixel of files of one image each, all bytes counted: ``train`` of images that were trained
        on and ``held_out`` of those that were not, by a model trained without these; ``final`` of
        the former by the model itself.  ``split`` says in words what was held out.  A model that
        was trained further has ``held_out_before``, the figure of the one that it began from, whose
        hash and record are in ``from``.

    Raises
    ------
    DatasetError
        If the images are not what they must be.
    InputError
        If the checkpoint is of another run.
    """
    config = PredictiveConfig() if config is None else config
    network_trainer(config.network)  # what it needs is missed at once, not when its turn has come
    images = check_images(images, limits=DEEP_GRAY)
    split = hold_out(images, config.held_out, config.seed) if config.held_out else None
    sha256 = data_hash(images)
    identity = {"data": sha256, "config": asdict(config), "from": start and start.hash}
    steps = Steps(checkpoint, identity)

    def train(part: str) -> PredictiveModel:
        if start is not None:
            return train_further(start, parts[part], config, work.part(part))
        return train_predictive(parts[part], config, steps=steps, work=work.part(part))

    everything = [samples_of(image) for image in images]
    parts = {} if split is None else {"trial": [samples_of(image) for image in split.kept]}
    parts["final"] = everything
    work = Work(progress, {
        f"{part}: {step}": seconds for part, chosen in parts.items()
        for step, seconds in _plan(chosen, config, start).items()
    })  # fmt: skip
    metrics: dict = {}
    if split is not None:
        steps.begin("trial")
        if (found := steps.note("metrics")) is None:
            model = train("trial")
            share = work.begin(f"trial: {_MEASURING}")
            found = {
                "train": _figure(model, split.kept, lambda s: share(s / 2)),
                "held_out": _figure(model, split.held, lambda s: share((1 + s) / 2)),
            }  # fmt: skip
            if start is not None:
                found["held_out_before"] = _figure(start, split.held, lambda s: None)
            steps.close("metrics", found)
        metrics |= {"split": split.how, **found}
    steps.begin("final")
    model = train("final")
    metrics["final"] = _figure(model, images, work.begin(f"final: {_MEASURING}"))
    work.finish()
    before = {} if start is None else {
        "from": {"hash": start.hash, "training": dict(start.training)}
    }  # fmt: skip
    return model.with_training({
        "profile": model.profile,
        "data": {
            "name": name, "images": len(images), "pixels": sum(i.size for i in images),
            "sha256": sha256, "licence": licence,
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "config": asdict(config),
        "metrics": metrics,
        **before,
    })  # fmt: skip


def _plan(chosen, config: PredictiveConfig, start) -> dict[str, float]:
    pixels = sum(image.size for image, _ in chosen)
    steps = plan(chosen, config) if start is None else further_plan(chosen, start, config)
    return steps | {_MEASURING: _CODE * min(pixels, MEASURED)}


def _figure(model, images, share) -> float:
    return round(bpp_of_files(model, images, share), 5)
