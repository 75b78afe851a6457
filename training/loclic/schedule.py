"""Configuration of a training run of the lossy codec; importable without torch."""

import math
from dataclasses import dataclass

from lutgen.errors import InputError
from lutgen.training.loclic.networks.config import ALIGNMENT, CodecConfig

__all__ = ["LAMBDAS", "Stage", "TrainConfig", "stages"]

#: Weights of the squared error, from low to high rates; CompressAI's, which MLIC++ takes.
LAMBDAS = (0.0018, 0.0035, 0.0067, 0.0130, 0.0250, 0.0483)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a run with its own crops.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    steps: int
    # Side in pixels; LoC-LIC, section 4.
    crop: int = 256
    # Crops per step, of all processes.
    batch: int = 8
    # Whether y is coded with the context networks, or as the hyper-synthesis alone tells, which
    # takes a quarter of the time: enough to find transforms.
    contexts: bool = True

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise InputError(
                f"steps and batch must be at least 1, not {self.steps} and {self.batch}"
            )
        if self.crop < ALIGNMENT or self.crop % ALIGNMENT:
            raise InputError(f"crop must be a multiple of {ALIGNMENT} pixels, not {self.crop!r}")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    codec: CodecConfig
    stages: tuple[Stage, ...]
    # Weight of the squared error, of pixels 0 to 255, against bits per pixel.
    weight: float = 0.0130
    # Least and greatest rounding step of y.  Each crop has its own, drawn evenly in the logarithm,
    # and the weight of its error is divided by the square, as that of a step's error is: one codec
    # for all rates between.  Steps of one in the papers.
    rounding: tuple[float, float] = (1.0, 1.0)
    # Adam's rate at its highest; the papers' is 1e-4, for a hundred times the steps.
    rate: float = 6e-4
    # First steps, in which the rate grows from zero; a twentieth of all unless told.
    ramp: int = None  # type: ignore[assignment]  # a number behind __post_init__
    # Share of the rate that a cosine leaves at the end; 1 for no decay.
    end: float = 0.01
    # Adam's rate for the quantiles of the factorized prior.
    auxiliary_rate: float = 1e-3
    # Longest gradient.
    clip: float = 1.0
    seed: int = 0
    # Steps between lines of the log.
    log_every: int = 50

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        object.__setattr__(self, "rounding", tuple(self.rounding))
        if len(self.rounding) != 2 or not 0 < self.rounding[0] <= self.rounding[1]:
            raise InputError(
                "rounding must be a least and a greatest step above zero, not "
                f"{' '.join(map(str, self.rounding))}"
            )
        if not self.stages:
            raise InputError("stages must be at least one, not none")
        for name in ("weight", "auxiliary_rate", "clip", "log_every"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above zero, not {getattr(self, name)!r}")
        if not 0 < self.rate < 1:
            raise InputError(f"rate must be between 0 and 1, not {self.rate!r}")
        if not 0 <= self.end <= 1:
            raise InputError(f"end must be a share of the rate, 0 to 1, not {self.end!r}")
        if self.ramp is None:
            object.__setattr__(self, "ramp", self.steps // 20)
        if not 0 <= self.ramp < self.steps:
            raise InputError(
                f"ramp must be a number of steps below all {self.steps}, not {self.ramp!r}"
            )

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)

    def stage(self, step: int) -> Stage:
        """The stage that a step, from 0, is in."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        raise InputError("step must be one of the run, not behind its end")

    def rate_of(self, step: int) -> float:
        """Adam's rate of a step, from 0: it grows linearly, then falls along half a cosine."""
        if step < self.ramp:
            return self.rate * (step + 1) / (self.ramp + 1)
        fallen = (step - self.ramp) / (self.steps - self.ramp)
        return self.rate * (self.end + (1 - self.end) * 0.5 * (1 + math.cos(math.pi * fallen)))


def stages(
    *, steps: int, large_steps: int, crop: int, large_crop: int, batch: int, prior_steps: int = 0
) -> tuple[Stage, ...]:
    """The parts of a run.

    Most steps on crops; last come the larger crops for want of which version 1 of the LoC-LIC
    paper reports weakness on large images, in batches of about as many pixels.  Before all of them
    come ``prior_steps`` without contexts, which no paper has.  A count of 0 leaves a part out.
    """
    fewer = max(1, batch * crop**2 // large_crop**2)
    plan = (
        (prior_steps, crop, batch, False), (steps, crop, batch, True),
        (large_steps, large_crop, fewer, True),
    )  # fmt: skip
    return tuple(
        Stage(steps=n, crop=side, batch=size, contexts=contexts)
        for n, side, size, contexts in plan
        if n
    )
