"""Numbers of LUT trees whose questions stay: Newton steps towards a shorter code."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.trees import LutTrees

from .boost import SCALE_UNIT, addresses, correction_unit, order, slopes_of_kind
from .draw import Drawn, features_of, logarithm_of
from .scale import log_spread

__all__ = ["refit_trees"]


def refit_trees(
    model: PredictiveModel, drawn: Drawn, prior: int,
    tick: Callable[[float], None] = lambda share: None,
) -> PredictiveModel:  # fmt: skip
    """Numbers of all LUT trees, each by one Newton step from what all together give."""
    features = features_of(model, drawn)
    logarithm = logarithm_of(model.kernel, drawn.quantity)
    unit = correction_unit(drawn, logarithm)
    networks = {False: model.corrections, True: model.scales}
    values = {kind: trees.values.copy() for kind, trees in networks.items()}
    at: dict[bool, list[np.ndarray]] = {kind: [] for kind in networks}
    residual, spread = drawn.error, log_spread(logarithm)

    def add(kind: bool, numbers: np.ndarray, leaf: np.ndarray) -> None:
        nonlocal residual, spread
        step = numbers[leaf].astype(np.float32)
        if kind:
            spread = spread + step * np.float32(SCALE_UNIT)
        else:
            residual = residual - step * unit

    for kind, trees in networks.items():
        for t in range(len(trees)):
            leaf = addresses(features, trees.feature[t], trees.threshold[t])
            at[kind].append(leaf)
            add(kind, values[kind][t].astype(np.int64), leaf)
    slope, curve = np.empty_like(residual), np.empty_like(residual)
    turns = order(len(model.corrections), len(model.scales))
    count = {True: 0, False: 0}
    for k, kind in enumerate(turns):
        tick(k / len(turns))
        t = count[kind]
        count[kind] += 1
        slopes_of_kind(residual, spread, kind, unit, slope, curve)
        leaf = at[kind][t]
        top, bottom = np.bincount(leaf, slope, 64), np.bincount(leaf, curve, 64)
        move = -top / (bottom + prior * float(curve.mean()) + 1e-9)
        move /= SCALE_UNIT if kind else 1.0
        old = values[kind][t].astype(np.int64)
        new = np.clip(np.rint(old + move), -128, 127).astype(np.int64)
        values[kind][t] = new
        add(kind, new - old, leaf)
    corrections, scales = (
        LutTrees(networks[kind].feature, networks[kind].threshold, values[kind])
        for kind in (False, True)
    )
    return replace(model, corrections=corrections, scales=scales)
