"""How a predictive model is trained."""

from dataclasses import dataclass

from lutgen.errors import InputError

__all__ = ["GRADIENT", "NETWORKS", "PredictiveConfig"]

#: What trains the networks, see :mod:`.networks`.
TREES, GRADIENT = NETWORKS = ("trees", "gradient")

_RANGES = {
    "predictors": (1, 1024), "corrections": (0, 128), "scales": (0, 128), "classes": (1, 128),
    "samples": (10_000, 1 << 26), "rounds": (1, 8), "prior": (0, 1 << 26),
    "seed": (0, (1 << 63) - 1),
}  # fmt: skip


@dataclass(frozen=True)
class PredictiveConfig:
    """How a predictive model is trained.

    Parameters
    ----------
    predictors:
        Linear predictors that the tree chooses from.
    corrections, scales:
        LUT trees that correct the prediction, and those that correct the scale.
    network:
        What makes these: ``trees``, boosted one by one, or ``gradient``, all at once.
    classes:
        Scales that have tables of their own, at most.
    samples:
        Samples that are drawn from the images to train on.
    rounds:
        How often scale and predictor are fitted, each with the other's last result.
    rate:
        Share of a LUT tree's best values that is taken: trees that follow correct it.
    thrift:
        Share of its gain that a comparison loses if no tree makes it yet: comparators are shared.
    augment:
        Whether every image is turned or mirrored by chance.
    held_out:
        Share of the images that figures are measured with: a first training does without them.  0
        holds out none, and trains once.
    prior:
        Samples that each number of a model counts for that is trained further.
    seed:
        Of all that is drawn by chance.

    Raises
    ------
    InputError
        If a value is outside its range.
    """

    predictors: int = 64
    corrections: int = 12
    scales: int = 24
    classes: int = 64
    samples: int = 2_000_000
    rounds: int = 2
    rate: float = 0.4
    thrift: float = 0.3
    augment: bool = True
    held_out: float = 0.1
    prior: int = 1_000
    seed: int = 0
    network: str = TREES

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise InputError(f"{name} must be {least} to {most}, not {value!r}")
        for name in ("rate", "thrift"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be 0 to 1, not {getattr(self, name)!r}")
        if self.network not in NETWORKS:
            raise InputError(f"network must be {' or '.join(NETWORKS)}, not {self.network!r}")
        if not 0 <= self.held_out < 1:
            raise InputError(f"held_out must be 0 to below 1, not {self.held_out!r}")
