"""Training of models of colour and of colour filter arrays: plane by plane, as they are coded."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from lutgen.codec.predictive.planes import order_of
from lutgen.errors import InputError
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel

from .config import PredictiveConfig
from .train import train_predictive

__all__ = ["train_colour", "train_planes"]

_PLANES = 3


def train_colour(
    images: Sequence[tuple[np.ndarray, int]], config: PredictiveConfig,
    note: Callable[[str, float], None] = lambda what, value: None,
) -> ColourModel:  # fmt: skip
    """Train a model; the same images and configuration give the same one.

    Parameters
    ----------
    images:
        Images of shape (H, W, 3), red, green and blue, and their bit depths.
    config:
        Sizes of all parts, of each plane.
    note:
        Told what has been done and a figure of it.

    Raises
    ------
    InputError
        If an image has another shape.
    """
    for image, _ in images:
        if image.ndim != _PLANES or image.shape[2] != _PLANES:
            raise InputError(f"images must be RGB, of shape (H, W, 3), not {image.shape}")
    return train_planes(
        [(image[..., order_of(_PLANES, 0)], depth) for image, depth in images], config, note
    )


def train_planes(
    images: Sequence[tuple[np.ndarray, int]], config: PredictiveConfig,
    note: Callable[[str, float], None] = lambda what, value: None,
) -> ColourModel:  # fmt: skip
    """Train a model of images (H, W, planes), three or four planes in the order of coding."""
    planes: list[PredictiveModel] = []
    for k in range(images[0][0].shape[2]):
        before = [plane.kernel for plane in planes]
        own = [(image[..., : k + 1] if k else image[..., 0], depth) for image, depth in images]
        planes.append(train_predictive(own, config, note, before=before))
        note("plane", k)
    return ColourModel(tuple(planes)).with_training({"config": asdict(config)})
