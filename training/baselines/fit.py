"""Training of baselines: Adam on whole images."""

import datetime
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import nn

from lutgen.errors import InputError
from lutgen.formats.imageio import by_shape
from lutgen.training.baselines.baseline import Baseline, Phase
from lutgen.training.data.datasets import check_images, data_hash
from lutgen.training.data.samples import orientations

__all__ = ["FitConfig", "fit"]

#: Steps in which the rate comes up from zero, and the norm of the gradient above which it is cut.
_WARM_UP = 100
_CLIP = 0.5

#: Called with the name of the phase, the share of it that is done and the mean of its loss.
Progress = Callable[[str, float, float], None]


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a baseline is trained.

    Raises
    ------
    InputError
        If a number is out of its range.
    """

    # Of each phase: the paper's.
    steps: int = 8000
    # Limit of processor time, so that other programs do not matter much; of all phases, shared
    # among them; None for none.  A phase that it ends has other weights the next time.
    seconds: float | None = None
    # Images per step: the paper's.  For the same processor time fewer are better.
    batch: int = 16
    # Of Adam; None for what suits the kind, see `Baseline.rate`.
    rate: float | None = None
    # `cosine` takes the rate to zero at the end of each phase, `constant` leaves it.
    schedule: str = "cosine"
    # Flips and turns from which one is drawn for each image: 1 (none), 2, 4 or 8.  The paper
    # has all; digits have a slant.
    orientations: int = 1
    # Of the first weights and the order of the images.
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("steps", 1), ("batch", 1), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise InputError(f"{name} must be a whole number from {low}, not {value!r}")
        for name in ("seconds", "rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name} must be above 0, not {value!r}")
        if self.schedule not in ("cosine", "constant"):
            raise InputError(f"schedule must be cosine or constant, not {self.schedule!r}")
        if self.orientations not in (1, 2, 4, 8):
            raise InputError(f"orientations must be 1, 2, 4 or 8, not {self.orientations!r}")


def _batches(
    images: list[np.ndarray], config: FitConfig, random: np.random.Generator
) -> Iterator[list[np.ndarray]]:
    """Stacks of each batch, without end: every image once, then again in another order."""
    order: list[int] = []
    while True:
        while len(order) < config.batch:
            order += random.permutation(len(images)).tolist()
        chosen, order = order[: config.batch], order[config.batch :]
        turns = random.integers(config.orientations, size=config.batch)
        yield by_shape(
            orientations([images[i]], config.orientations)[turn]
            for i, turn in zip(chosen, turns, strict=True)
        )


def _run(
    phase: Phase, images: list[np.ndarray], config: FitConfig, full_rate: float,
    log: Callable[[dict], None], progress: Progress,
) -> dict:  # fmt: skip
    random = np.random.default_rng(config.seed)
    adam = torch.optim.Adam(phase.network.parameters(), lr=full_rate, betas=(0.9, 0.99))
    start, wall_start = time.process_time(), time.monotonic()
    total = pixels = done = 0.0
    line: dict = {}
    for step, stacks in enumerate(_batches(images, config, random), 1):
        rate = full_rate * min(1.0, step / _WARM_UP)
        if config.schedule == "cosine":
            rate *= (1 + math.cos(math.pi * done)) / 2
        for group in adam.param_groups:
            group["lr"] = rate
        size = sum(stack.size for stack in stacks)
        loss = torch.zeros(())
        for stack in stacks:
            loss = loss + phase.loss(stack)
        adam.zero_grad()
        (loss / size).backward()
        nn.utils.clip_grad_norm_(phase.network.parameters(), _CLIP)
        adam.step()
        total, pixels = total + loss.item(), pixels + size
        seconds = time.process_time() - start
        done = step / config.steps
        if config.seconds is not None:
            done = min(1.0, max(done, seconds / (config.seconds * phase.share)))
        progress(phase.name, done, loss.item() / size)
        if step % 50 == 0 or done == 1:
            line = {
                "phase": phase.name, "step": step,
                "seconds": round(time.monotonic() - wall_start, 2),
                "cpu_seconds": round(seconds, 2),
                "loss": round(total / pixels, 5),
            }  # fmt: skip
            log(line)
            total = pixels = 0.0
        if done == 1:
            break
    return line | {"unit": phase.unit}


def fit(
    baseline: Baseline,
    images,
    config: FitConfig | None = None,
    *,
    names: tuple[str, ...] = (),
    log: Callable[[dict], None] = lambda line: None,
    progress: Progress = lambda name, done, loss: None,
    date: str | None = None,
) -> Baseline:
    """Train a baseline where it stands.

    On one machine and thread the same images, configuration and first weights give the same
    weights, unless the time limit ends a phase.

    Parameters
    ----------
    baseline:
        Just made, or already trained.
    images:
        uint8 arrays of shape (H, W), sizes may differ.
    config:
        `FitConfig()` unless told.
    names:
        Of the data, for the record.
    log:
        Called with a line every 50 steps and at the end of a phase: ``phase``, ``step``,
        ``seconds`` and ``cpu_seconds`` since the phase began, and ``loss``, the mean since the
        line before.
    progress:
        Called at every step with the phase, the share of it that is done and the loss.
    date:
        ISO date for the record, today's unless told.

    Returns
    -------
    Baseline
        The same, with its record.

    Raises
    ------
    DatasetError
        If the images are not what they must be.
    """
    config = FitConfig() if config is None else config
    images = check_images(images)
    rate = baseline.rate if config.rate is None else config.rate
    config = replace(config, rate=rate)
    baseline.train()
    phases = [_run(phase, images, config, rate, log, progress) for phase in baseline.phases()]
    baseline.record = {
        "data": {
            "names": list(names), "images": len(images),
            "pixels": sum(image.size for image in images), "sha256": data_hash(images),
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "config": asdict(config),
        "parameters": baseline.parameter_count,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "phases": phases,
    }
    return baseline.eval()
