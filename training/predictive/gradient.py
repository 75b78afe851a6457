"""LUT networks by gradients: all tables and all their questions at once.

The form is that of boosted trees, a sum of look-up tables of six comparisons, and so is the loss,
the code length under a logistic density.  What is learned is

- which comparison each pin makes: softmax weights over candidates, the connections of the GIC-DLC
  paper's first layer (:class:`lutgen.training.dlc.connect.ThermometerConnection`), at a temperature
  that falls until one candidate has all the weight;
- the 64 numbers of each table.  A soft pin lies between 0 and 1; the table is then read between its
  entries, linearly in each pin.  This has the gradients that the choice of comparisons needs.

From `_HARD` on pins are hard forward and soft backward (straight-through), from `_SETTLED` on
questions stay and only numbers learn.  At the end numbers are made whole by Newton steps, one table
after the other, as those of boosted trees are.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.trees import NEVER, PINS, LutTrees
from lutgen.training.dlc.connect import ThermometerConnection

from .boost import SCALE_UNIT, binned, correction_unit
from .config import PredictiveConfig
from .draw import Drawn, features_of, logarithm_of
from .newton import refit_trees
from .scale import log_spread
from .steps import Steps

__all__ = ["descend"]

_STEPS, _BATCH = 1500, 2048
_RATE, _TABLE_RATE = 0.05, 0.005
#: Shares of the steps from which on pins are hard, the temperature stays, and questions stay.
_HARD, _FALLEN, _SETTLED = 0.6, 0.6, 0.85
#: Candidates of a pin, and temperature at first and at the end of its fall.
_CANDIDATES, _WARM, _COLD = 256, 1.0, 0.02
#: Nats, or units of the spread, that tables begin with by chance.
_FIRST = 0.02
#: What tables hold is this many units of correction trees.
_CORRECTION = 32.0
_LEAST = 1e-9
#: Passes of Newton steps at the end, and samples that a number is pulled by, of all.
_PASSES, _PRIOR = 2, 1e-5


class _Networks(nn.Module):
    """Tables of both kinds, the first ``corrections`` of them corrections.

    Called with binned features, uint8 (B, F); gives their sums, float32 (B,) each.
    """

    def __init__(self, features: int, bins: int, config: PredictiveConfig, generator) -> None:
        super().__init__()
        trees = config.corrections + config.scales
        self.corrections = config.corrections
        pins, candidates = PINS * trees, features * (bins - 1)
        chosen = torch.stack([
            torch.randperm(candidates, generator=generator)[:_CANDIDATES] for _ in range(pins)
        ], dim=1)  # fmt: skip
        self.connection = ThermometerConnection(
            features, pins, torch.arange(bins - 1), chosen=chosen, generator=generator
        )
        self.table = nn.Parameter(
            _FIRST * torch.randn(trees, 1 << PINS, generator=generator)
        )

    def forward(self, bins: torch.Tensor, tau: float, hard: bool) -> tuple:
        pins = self.connection(bins, tau, hard).view(len(bins), -1, PINS)
        found = self.table.expand(len(bins), -1, -1)
        for k in range(PINS - 1, -1, -1):  # the last pin halves the table
            low, high = found.split(1 << k, dim=2)
            found = torch.lerp(low, high, pins[:, :, k, None])
        found = found[..., 0]
        return found[:, : self.corrections].sum(1), found[:, self.corrections :].sum(1)


def _bits(residual: torch.Tensor, log_spread: torch.Tensor) -> torch.Tensor:
    """Mean code length, as :func:`.likelihood.bits` has it."""
    spread = log_spread.exp()
    size = residual.abs()
    tails = torch.sigmoid((0.5 - size) / spread) - torch.sigmoid((-0.5 - size) / spread)
    return -torch.log2(tails.clamp_min(_LEAST)).mean()


def descend(
    model: PredictiveModel, drawn: Drawn, config: PredictiveConfig,
    tick: Callable[[float], None] = lambda bits: None, steps: Steps | None = None,
) -> tuple[LutTrees, LutTrees]:  # fmt: skip
    """Correction trees and scale trees, see :class:`.networks.NetworkTrainer`."""
    steps = Steps() if steps is None else steps
    trees = config.corrections + config.scales
    if not trees:
        return LutTrees.none(), LutTrees.none()
    kept = steps.arrays("gradient")
    if not kept:
        found = _learned(model, drawn, config, tick)
        for name, network in zip(("corrections", "scales"), found, strict=True):
            for part in ("feature", "threshold", "values"):
                kept[f"{name}.{part}"] = getattr(network, part)
        steps.put("gradient", {}, kept)
    corrections, scales = (
        LutTrees(*(kept[f"{name}.{part}"] for part in ("feature", "threshold", "values")))
        for name in ("corrections", "scales")
    )
    return corrections, scales


@contextmanager
def _one_thread():
    """Sums are then the same on all machines; batches are too small to gain much by more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def _learned(model, drawn, config, tick) -> tuple[LutTrees, LutTrees]:
    logarithm = logarithm_of(model.kernel, drawn.quantity)
    bins, edges = binned(features_of(model, drawn))
    unit = torch.from_numpy(_CORRECTION * correction_unit(drawn, logarithm))
    residual, spread = map(torch.from_numpy, (drawn.error, log_spread(logarithm)))
    features = torch.from_numpy(np.ascontiguousarray(bins.T))
    generator = torch.Generator().manual_seed(config.seed)
    networks = _Networks(len(bins), int(bins.max()) + 1, config, generator)
    rates = [
        {"params": networks.connection.parameters(), "lr": _RATE},
        {"params": [networks.table], "lr": _TABLE_RATE},
    ]
    optimiser = torch.optim.Adam(rates)
    told = max(1, _STEPS // (config.corrections + config.scales))
    for step in range(_STEPS):
        share = step / _STEPS
        tau = _WARM * (_COLD / _WARM) ** min(1, share / _FALLEN)
        if share >= _SETTLED:
            networks.connection.requires_grad_(False)
        fall = min(1.0, 2 * (1 - share))
        for group, rate in zip(optimiser.param_groups, (_RATE, _TABLE_RATE), strict=True):
            group["lr"] = rate * fall
        chosen = torch.randint(len(residual), (_BATCH,), generator=generator)
        correction, scale = networks(features[chosen], tau, share >= _HARD)
        loss = _bits(residual[chosen] - correction * unit[chosen], spread[chosen] + scale)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if step % told == 0:
            tick(loss.item())
    return _whole(model, drawn, networks, edges)


def _whole(model, drawn, networks: _Networks, edges) -> tuple[LutTrees, LutTrees]:
    """The networks in whole numbers."""
    connection, table = networks.connection, networks.table.detach().numpy()
    choice = connection.choice()
    feature = (choice % connection.features).numpy().astype(np.uint8).reshape(-1, PINS)
    bins = (choice // connection.features).numpy().reshape(-1, PINS)
    threshold = np.array([
        edges[f][b] if b < len(edges[f]) else NEVER
        for f, b in zip(feature.ravel(), bins.ravel(), strict=True)
    ], dtype=np.uint8).reshape(-1, PINS)  # fmt: skip
    parts = []
    for part, scale in (
        (slice(networks.corrections), _CORRECTION),
        (slice(networks.corrections, None), 1 / SCALE_UNIT),
    ):
        values = np.clip(np.rint(table[part] * scale), -128, 127).astype(np.int8)
        parts.append(LutTrees(feature[part], threshold[part], values))
    prior = max(1, round(_PRIOR * len(drawn.sample)))
    for _ in range(_PASSES):
        model = replace(model, corrections=parts[0], scales=parts[1])
        model = refit_trees(model, drawn, prior)
        parts = [model.corrections, model.scales]
    return parts[0], parts[1]
