"""Configurations of the trainer of LUT networks: one frozen dataclass per profile.

Numbers that the paper gives (GIC-DLC, appendix A.3) are the defaults; presets replace what a
machine without a GPU has no time for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lutgen.errors import InputError
from lutgen.training.tree.tree_config import RasterTable

__all__ = [
    "MAPPINGS", "PRESETS", "DlcConfig", "GicDlc", "GicDlcPlus", "Hardness", "NetworkConfig",
    "RasterLaplace", "RasterTableDlc", "Schedule", "configure",
]  # fmt: skip


#: What numbers of ones of a Laplace head mean once the network is trained.
MAPPINGS = {
    "counted": "each number has the location or scale that suits training images best",
    "paper": "location and scale by the paper's formulas, as in training",
}


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Shape of a LUT network.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    # LUT6 of each layer, for each channel: two layers of 1,024 in the paper.
    layers: tuple[int, ...] = (1024, 1024)
    # "neuralut" (the paper) or "table".
    nodes: str = "neuralut"
    # Hidden units of a NeuraLUT node; not given in the paper.
    hidden: int = 8
    # Thresholds per feature: all 255 in the paper; fewer are spread evenly.
    thresholds: int = 255
    # Candidates of each pin, by layer; None for all of them, as in the paper.
    sampled: int | None = None
    # Draw candidates near the node's own threshold and pixel, begin as a median filter
    # (`lutgen.training.dlc.wiring`); needs tables as nodes.
    aligned: bool = False
    # Begin as a network that passes one of its inputs on.
    residual: bool = False
    # Prefix sums and products of connections: "float32" or "bfloat16".
    dtype: str = "float32"

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers or any(not 1 <= n <= 1 << 14 for n in self.layers):
            raise InputError(f"layers must be sizes of 1 to 16384 nodes, not {self.layers!r}")
        for name, options in (
            ("nodes", ("neuralut", "table")), ("dtype", ("float32", "bfloat16")),
        ):
            if getattr(self, name) not in options:
                raise InputError(
                    f"{name} must be {' or '.join(options)}, not {getattr(self, name)!r}"
                )
        if not 1 <= self.hidden <= 64:
            raise InputError(f"hidden must be 1 to 64 units, not {self.hidden!r}")
        if not 1 <= self.thresholds <= 255:
            raise InputError(f"thresholds must be 1 to 255, not {self.thresholds!r}")
        if self.sampled is not None and self.sampled < 1:
            raise InputError(f"sampled must be at least 1 candidate, not {self.sampled!r}")
        if self.aligned and (self.nodes != "table" or self.sampled is None):
            raise InputError("aligned wiring must have tables as nodes and sampled candidates")


@dataclass(frozen=True)
class Hardness:
    """How hard a forward pass is.

    Parameters
    ----------
    tau_connections, tau_nodes:
        Temperatures.
    hard:
        Argmax connections and binary nodes forward, soft gradients backward.
    noise:
        Whether soft nodes have logistic noise.
    """

    tau_connections: float = 1.0
    tau_nodes: float = 1.0
    hard: bool = False
    noise: bool = False


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Numbers of a training run that change with the step.

    Parameters are the values of the paper (appendix A.3) unless told otherwise.
    """

    # Iterations.
    steps: int = 8000
    # Adam's rate for nodes, and for connections.
    rate: float = 0.01
    connection_rate: float = 0.01
    # Share of the steps over which rates fall to a hundredth, at the end; the paper has none.
    cooling: float = 0.0
    # Temperatures, first and last, and the steps in which they fall by ten until the last.
    tau_connections: tuple[float, float] = (1.0, 1e-4)
    tau_nodes: tuple[float, float] = (10.0, 1.0)
    decade: int = 2000
    # First step with a hard forward pass and straight-through gradients; the paper has none.
    hard_from: int | None = None
    # Logistic noise before the sigmoid of soft nodes.
    noise: bool = True

    def __post_init__(self) -> None:
        if self.steps < 1 or self.decade < 1:
            raise InputError(
                f"steps and decade must be at least 1, not {self.steps} and {self.decade}"
            )
        for name in ("rate", "connection_rate"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(f"{name} must be above 0, at most 1, not {getattr(self, name)!r}")
        if not 0 <= self.cooling <= 1:
            raise InputError(f"cooling must be 0 to 1, not {self.cooling!r}")
        if min(*self.tau_connections, *self.tau_nodes) <= 0:
            raise InputError("temperatures must be above 0")

    def hardness(self, step: int) -> Hardness:
        """Temperatures and form of the forward pass of a step."""
        fall = 10.0 ** (-step / self.decade)
        hard = self.hard_from is not None and step >= self.hard_from
        return Hardness(
            max(self.tau_connections[0] * fall, self.tau_connections[1]),
            max(self.tau_nodes[0] * fall, self.tau_nodes[1]),
            hard,
            self.noise and not hard,
        )

    def cooled(self, step: int) -> float:
        """Factor of the rates at a step."""
        if not self.cooling:
            return 1.0
        left = (self.steps - step) / (self.cooling * self.steps)
        return max(min(left, 1.0), 0.01)


@dataclass(frozen=True, kw_only=True)
class DlcConfig:
    """What all profiles of the trainer have in common.

    Raises
    ------
    InputError
        If a value is out of its range.
    """

    # Name of the profile, for the model file.
    profile: str
    # Levels of the average-pool pyramid above the image.
    levels: int
    # Code the last pixel of a block among the values that the block's average leaves; the paper
    # does not (`lutgen.model.constraint`).
    constraint: bool = False
    # K of the windows of both networks.
    window: int = 5
    # "laplace" (the paper) or "table": then the last layer is a class index.
    head: str = "laplace"
    # One of `MAPPINGS`; head "laplace" only.
    mapping: str = "counted"
    # Context tree whose classes the trained bits divide further; head "table" only.
    base: RasterTable | None = None
    # Autoregressive and upsampling model; the latter needs levels.
    arm: NetworkConfig = field(default_factory=NetworkConfig)
    ups: NetworkConfig = field(default_factory=NetworkConfig)
    arm_schedule: Schedule = field(default_factory=Schedule)
    ups_schedule: Schedule = field(default_factory=Schedule)
    # Whole images per batch; ignored where pixels are given.
    images: int = 16
    # Windows per batch, drawn from all images, instead of whole images.
    pixels: int | None = None
    # Flips and turns: all eight in the paper.
    orientations: int = 8
    # Side of a tile: a 28 x 28 image is one tile.
    tile: int = 32
    # Share of the training images that figures of the log are measured on, and most of them.
    held_out: float = 0.05
    held_out_most: int = 200
    # Steps between these figures.
    evaluate_every: int = 500
    # Of first weights, batches, noise and the choice of held-out images.
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.levels <= 3:
            raise InputError(f"levels must be 0 to 3, not {self.levels!r}")
        if self.constraint and not self.levels:
            raise InputError("constraint must be False without levels")
        if self.head not in ("laplace", "table"):
            raise InputError(f"head must be laplace or table, not {self.head!r}")
        if self.mapping not in MAPPINGS:
            raise InputError(f"mapping must be {' or '.join(MAPPINGS)}, not {self.mapping!r}")
        if self.mapping != "counted" and self.head == "table":
            raise InputError("mapping must be counted with a table head, whose classes are counted")
        if self.base is not None and (self.head != "table" or self.levels or self.base.stages):
            raise InputError("base must be a tree without stages, for a raster table head")
        if self.window not in (3, 5, 7):
            raise InputError(f"window must be 3, 5 or 7, not {self.window!r}")
        if self.orientations not in (1, 2, 4, 8):
            raise InputError(f"orientations must be 1, 2, 4 or 8, not {self.orientations!r}")
        if not 0 < self.held_out < 1:
            raise InputError(f"held_out must be between 0 and 1, not {self.held_out!r}")
        for name in ("images", "tile", "evaluate_every", "held_out_most"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        if self.pixels is not None and self.pixels < 1:
            raise InputError(f"pixels must be at least 1, not {self.pixels!r}")
        if self.seed < 0:
            raise InputError(f"seed must be at least 0, not {self.seed!r}")


@dataclass(frozen=True, kw_only=True)
class GicDlc(DlcConfig):
    """Profile ``gic-dlc``: the paper's codec."""

    profile: str = "gic-dlc"
    levels: int = 2


@dataclass(frozen=True, kw_only=True)
class GicDlcPlus(GicDlc):
    """Profile ``gic-dlc+``: the paper's codec, its averages not coded twice."""

    profile: str = "gic-dlc+"
    constraint: bool = True


@dataclass(frozen=True, kw_only=True)
class RasterLaplace(DlcConfig):
    """Profile ``raster-laplace``: the paper's networks without a pyramid (L = 0)."""

    profile: str = "raster-laplace"
    levels: int = 0


@dataclass(frozen=True, kw_only=True)
class RasterTableDlc(DlcConfig):
    """Profile ``raster-table`` of this trainer: a class index, and a learned pmf per class.

    The netlist of a context tree decides the high bits, trained layers the low ones.
    """

    profile: str = "raster-table"
    levels: int = 0
    head: str = "table"
    base: RasterTable | None = field(
        default_factory=lambda: RasterTable(stages=0, leaves=1536, classes=128)
    )
    arm: NetworkConfig = field(
        default_factory=lambda: NetworkConfig(layers=(432, 72, 12, 2), nodes="table")
    )


def _on_cpu(config: DlcConfig, *, luts: int, steps: int, pixels: int, sampled: int) -> DlcConfig:
    """The form that a CPU trains quickly: hard from the first step, tables, aligned wiring."""
    network = NetworkConfig(layers=(luts, luts), nodes="table", sampled=sampled, aligned=True)
    arm = network
    if config.head == "table":
        # A class bit hears of six nodes of each layer before: pass them on to begin with.
        arm = replace(network, layers=config.arm.layers, residual=True)
    schedule = Schedule(
        # Ten times the paper's rate: a table's entry must cross zero in few steps.
        steps=steps, rate=0.1, connection_rate=0.1, cooling=0.5, hard_from=0, noise=False,
        # Straight-through gradients need no temperature to become hard.
        tau_connections=(1.0, 0.1), tau_nodes=(1.0, 1.0), decade=steps,
    )  # fmt: skip
    return replace(
        config, arm=arm, ups=network, arm_schedule=schedule,
        ups_schedule=replace(schedule, steps=max(1, steps // 4), decade=max(1, steps // 4)),
        # Turns did not help digits, and eight times the windows need the memory.
        pixels=pixels, orientations=1, evaluate_every=max(1, steps // 40),
    )  # fmt: skip


#: Name and meaning of each preset.
PRESETS = {
    "paper": "all numbers of the paper; for a GPU",
    "cpu": "networks of the paper's size, an hour on one core",
    "cpu-quick": "small networks, a few minutes",
}


def configure(
    kind: Callable[..., DlcConfig], *, preset: str = "cpu-quick", steps: int | None = None,
    luts: int | None = None, levels: int | None = None, mapping: str = "counted",
    orientations: int | None = None, seed: int = 0,
) -> DlcConfig:  # fmt: skip
    """Configuration of a profile by a preset and a few numbers.

    Parameters
    ----------
    kind:
        Class of the profile.
    preset:
        One of `PRESETS`.
    steps:
        Of the autoregressive model; annealing and the upsampling model scale with it.
    luts:
        Nodes of each layer of both networks, for each channel.
    levels:
        Of the pyramid; a raster profile has none.
    orientations:
        Of the eight, that images are trained on in: what the preset says by default.
    mapping, seed:
        See `DlcConfig`.

    Raises
    ------
    InputError
        If a value is out of its range, or the profile does not have it.
    """
    if preset not in PRESETS:
        raise InputError(f"preset must be one of {', '.join(PRESETS)}, not {preset!r}")
    config = kind(mapping=mapping, seed=seed)
    if levels is not None:
        if not config.levels or levels < 1:
            raise InputError(
                f"levels of profile {config.profile} must be "
                f"{'1 to 3' if config.levels else '0'}, not {levels}"
            )
        config = replace(config, levels=levels)
    if preset == "cpu":
        config = _on_cpu(config, luts=1024, steps=8000, pixels=2048, sampled=16)
    if preset == "cpu-quick":
        config = _on_cpu(config, luts=256, steps=1000, pixels=2048, sampled=12)
    if luts is not None:
        if config.head == "table":
            raise InputError("luts must be left alone with a table head: its layers get narrower")
        layers = (luts,) * len(config.arm.layers)
        config = replace(
            config, arm=replace(config.arm, layers=layers), ups=replace(config.ups, layers=layers)
        )
    if orientations is not None:
        config = replace(config, orientations=orientations)
    if steps is not None:
        if steps < 1:
            raise InputError(f"steps must be at least 1, not {steps}")
        factor = steps / config.arm_schedule.steps
        config = replace(
            config,
            arm_schedule=_scaled(config.arm_schedule, factor),
            ups_schedule=_scaled(config.ups_schedule, factor),
            evaluate_every=max(1, round(config.evaluate_every * factor)),
        )
    return config


def _scaled(schedule: Schedule, factor: float) -> Schedule:
    def scale(steps: int) -> int:
        return max(1, round(steps * factor))

    return replace(schedule, steps=scale(schedule.steps), decade=scale(schedule.decade))
