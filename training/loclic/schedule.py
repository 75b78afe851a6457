"""Configuration of a training run of the lossy codec; importable without torch."""

from dataclasses import dataclass

from lutgen.errors import InputError
from lutgen.training.loclic.networks.config import ALIGNMENT, CodecConfig

__all__ = ["LAMBDAS", "Stage", "TrainConfig", "stages"]

#: Weights of the squared error, from low to high rates; CompressAI's, which MLIC++ takes.
LAMBDAS = (0.0018, 0.0035, 0.0067, 0.0130, 0.0250, 0.0483)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of a run with its own crops and rate.

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
    # Adam's rate.
    rate: float = 1e-4
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
        if not 0 < self.rate < 1:
            raise InputError(f"rate must be between 0 and 1, not {self.rate!r}")


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
    # Adam's rate for the quantiles of the factorized prior.
    auxiliary_rate: float = 1e-3
    # Longest gradient.
    clip: float = 1.0
    # First steps, in which the rate grows from zero.
    ramp: int = 0
    seed: int = 0
    # Steps between lines of the log.
    log_every: int = 50

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        if not self.stages:
            raise InputError("stages must be at least one, not none")
        for name in ("weight", "auxiliary_rate", "clip", "log_every"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above zero, not {getattr(self, name)!r}")
        if self.ramp < 0:
            raise InputError(f"ramp must be a number of steps, not {self.ramp!r}")

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

    def rate(self, step: int) -> float:
        """Adam's rate of a step, from 0."""
        return self.stage(step).rate * min(1.0, (step + 1) / (self.ramp + 1))


def stages(
    *, steps: int, cool_steps: int, large_steps: int, crop: int, large_crop: int, batch: int,
    rate: float = 1e-4, prior_steps: int = 0,
) -> tuple[Stage, ...]:  # fmt: skip
    """A run as the papers describe it.

    Most steps on crops at the full rate; some at a tenth of it; and the larger crops for want of
    which version 1 of the LoC-LIC paper reports weakness on large images, in batches of about as
    many pixels, at a tenth of the rate.  Before all of them come ``prior_steps`` without contexts,
    which no paper has.  A count of 0 leaves a stage out.
    """
    fewer = max(1, batch * crop**2 // large_crop**2)
    plan = (
        (prior_steps, crop, batch, rate, False), (steps, crop, batch, rate, True),
        (cool_steps, crop, batch, rate / 10, True),
        (large_steps, large_crop, fewer, rate / 10, True),
    )  # fmt: skip
    return tuple(
        Stage(steps=n, crop=side, batch=size, rate=speed, contexts=contexts)
        for n, side, size, speed, contexts in plan
        if n
    )
