"""Training of the paper's models: images in, codec model out.

1. The upsampling model, where there is a pyramid, on squared error.
2. The autoregressive model, on code length; its prior is what the hard upsampling model gives.
3. Export: netlists by argmax and enumeration, integer tables, and the figures of all three forms.
"""

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from lutgen.codec.upsample import GROUPS, Upsampler
from lutgen.codec.window import Window
from lutgen.model import Model
from lutgen.training.datasets import DatasetError, check_images, data_hash
from lutgen.training.dlc.batches import ImageBatches, PixelBatches
from lutgen.training.dlc.config import DlcConfig, Hardness
from lutgen.training.dlc.fit import Checkpoint, Log, fit
from lutgen.training.dlc.network import LutNetwork
from lutgen.training.dlc.output import LaplaceOutput, UpsampleOutput, floored
from lutgen.training.dlc.wiring import Group, Layout
from lutgen.training.samples import Samples, collect_levels, orientations, upsampling_samples

__all__ = ["arm_layout", "train_dlc_model", "ups_layout"]

#: Windows evaluated at a time.
_BLOCK = 8192
_PARTS = {"soft": False, "hard": True}


def arm_layout(window: Window, nodes: int) -> Layout:
    """Layout of an autoregressive model with a Laplace head: half of the bits each."""
    distance = [
        abs(dy) + abs(dx) + (0.5 if i >= window.causal else 0.0)
        for i, (dy, dx) in enumerate(window.offsets)
    ]
    return Layout([distance], [Group("mu", nodes // 2, 0), Group("sigma", nodes - nodes // 2)])


def ups_layout(window: int, nodes: int) -> Layout:
    """Layout of an upsampling model: a quarter of the bits for each pixel of the block."""
    if nodes % 4:
        raise ValueError(f"last layer must be a multiple of 4 nodes, not {nodes}")
    offsets = Window(window, prior=True).offsets
    # The four pixels lie a quarter of a coarse pixel off its centre.
    centres = [(dy, dx) for dy in (-0.25, 0.25) for dx in (-0.25, 0.25)]
    distances = [[abs(y - cy) + abs(x - cx) for y, x in offsets] for cy, cx in centres]
    return Layout(distances, [Group(name, nodes // 4, k) for k, name in enumerate(GROUPS)])


class _Arm:
    """Loss and figures of an autoregressive model."""

    def __init__(self, output: LaplaceOutput) -> None:
        self.output = output

    def loss(self, bits, targets, weights, empty) -> torch.Tensor:
        total = (self.output.code_length(bits[:-1], targets) * weights).sum()
        seen = torch.nonzero(empty)[:, 0]
        after = self.output.code_length(bits[-1:].expand(len(seen), -1), seen)
        return total + (after * empty[seen]).sum()

    def bpp(self, network: LutNetwork, levels: Sequence[Samples], how: Hardness) -> list[float]:
        """Bits of each level per pixel of level 0, floored as integer tables are."""
        return [self._bits(network, s, how) / levels[0].pixels for s in levels]

    @torch.no_grad()
    def _bits(self, network, samples: Samples, how: Hardness) -> float:
        device = next(network.parameters()).device
        total = 0.0
        for start in range(0, samples.symbols.size, _BLOCK):
            part = slice(start, start + _BLOCK)
            features = torch.from_numpy(np.ascontiguousarray(samples.features[:, part].T))
            bits = network(features.to(device), how)
            symbols = torch.from_numpy(samples.symbols[part]).to(device)
            length = floored(self.output.code_length(bits, symbols)).cpu().double()
            total += float((length * torch.from_numpy(samples.weights[part])).sum())
        return total


class _Ups:
    """Loss and figures of an upsampling model."""

    def __init__(self, output: UpsampleOutput) -> None:
        self.output = output

    def loss(self, bits, targets, weights, empty) -> torch.Tensor:
        total = (self.output.squared_error(bits[:-1], targets) * weights).sum()
        value = torch.arange(256, device=bits.device)
        after = (self.output.pixels(bits[-1:]).T - value).square()
        return total + (after * empty).sum()

    @torch.no_grad()
    def rmse(self, network: LutNetwork, samples, how: Hardness) -> float:
        features, targets, weights = samples
        device = next(network.parameters()).device
        total = 0.0
        for start in range(0, features.shape[1], _BLOCK):
            part = slice(start, start + _BLOCK)
            x = torch.from_numpy(np.ascontiguousarray(features[:, part].T)).to(device)
            target = torch.from_numpy(np.ascontiguousarray(targets[:, part].T)).to(device)
            error = self.output.squared_error(network(x, how), target).cpu().double()
            total += float((error * torch.from_numpy(weights[:, part].T)).sum())
        return (total / weights.sum()) ** 0.5


def _split(images: list[np.ndarray], config: DlcConfig) -> tuple[list, list]:
    """Training and held-out images."""
    count = min(max(1, round(config.held_out * len(images))), config.held_out_most)
    order = np.random.default_rng(config.seed).permutation(len(images))
    held = set(order[: min(count, len(images) - 1)].tolist())
    return (
        [image for i, image in enumerate(images) if i not in held],
        [image for i, image in enumerate(images) if i in held],
    )


class _Trainer:
    def __init__(self, images, config: DlcConfig, device, checkpoint, log, progress) -> None:
        self.config = config
        self.device = device
        self.images, self.held = _split(images, config)
        self.log = Log(log)
        self.progress = progress
        identity = {"data": data_hash(images), "config": asdict(config)}
        self.checkpoint = Checkpoint(checkpoint, identity)
        self.state = self.checkpoint.load() or {"phase": "", "done": {}, "log": []}
        self.log.restore(self.state["log"])

    def _fit(self, phase: str, network: LutNetwork, loss, batches, schedule, evaluate) -> None:
        """Train a network, or load it if an earlier run did."""
        done = self.state["done"]
        if phase in done:
            network.load_state_dict(done[phase])
            return

        def save(fitted: dict) -> None:
            self.checkpoint.save(
                {"phase": phase, "done": done, "log": self.log.lines, "fit": fitted}
            )

        fit(
            network, loss, batches, schedule, phase=phase, log=self.log, seed=self.config.seed,
            evaluate=evaluate, evaluate_every=self.config.evaluate_every, save=save,
            state=self.state["fit"] if self.state["phase"] == phase else None,
            progress=self.progress,
        )  # fmt: skip
        done[phase] = {k: v.cpu() for k, v in network.state_dict().items()}

    def upsampler(self) -> tuple[Upsampler, dict]:
        """The trained upsampling model and its figures."""
        c = self.config
        square = Window(c.window, prior=True)
        layout = ups_layout(c.window, c.ups.layers[-1])
        network = LutNetwork(layout, c.ups, c.seed + 1).to(self.device)
        ups = _Ups(UpsampleOutput(layout.groups[0].nodes))

        def samples(images):
            return upsampling_samples(
                images, lambda low: square.extract(low, low), c.tile, c.levels
            )

        def windows(images):
            features, targets, weights = samples(images)
            return features.T, targets.T, weights.T, weights.sum()

        held = samples(self.held)

        def figures(how: Hardness) -> dict:
            return {
                f"{name}_rmse": ups.rmse(network, held, replace(how, hard=hard, noise=False))
                for name, hard in _PARTS.items()
                if hard or not how.hard
            }

        self._fit("ups", network, ups.loss, self._batches(windows), c.ups_schedule, figures)
        model = Upsampler(c.window, network.netlist())
        return model, {"hard_rmse": figures(Hardness(hard=True))["hard_rmse"]}

    def arm(self, upsampler: Upsampler | None) -> tuple[LutNetwork, LaplaceOutput, dict]:
        """The trained autoregressive model and its figures."""
        c = self.config
        window = Window(c.window, prior=c.levels > 0)
        layout = arm_layout(window, c.arm.layers[-1])
        network = LutNetwork(layout, c.arm, c.seed + 2).to(self.device)
        output = LaplaceOutput(*(group.nodes for group in layout.groups))
        arm = _Arm(output)
        upsample = None if upsampler is None else upsampler.upsample

        def samples(images):
            return collect_levels(images, window, c.tile, levels=c.levels, upsample=upsample)

        def windows(images):
            levels = samples(images)
            return (
                np.concatenate([s.features.T for s in levels]),
                np.concatenate([s.symbols for s in levels]),
                np.concatenate([s.weights for s in levels]),
                levels[0].pixels,
            )

        held = samples(self.held)

        def figures(how: Hardness) -> dict:
            found = {}
            for name, hard in _PARTS.items():
                if hard or not how.hard:
                    bits = arm.bpp(network, held, replace(how, hard=hard, noise=False))
                    found |= {f"{name}_bpp": sum(bits), f"{name}_levels": bits}
            # A hard forward pass is what is trained: there is nothing softer.
            found.setdefault("soft_bpp", found["hard_bpp"])
            return found | {"gap": found["hard_bpp"] / found["soft_bpp"] - 1}

        self._fit("arm", network, arm.loss, self._batches(windows), c.arm_schedule, figures)
        how = c.arm_schedule.hardness(c.arm_schedule.steps - 1)
        return network, output, figures(how)

    def _batches(self, windows: Callable):
        c = self.config
        if c.pixels is None:
            return ImageBatches(
                self.images, windows, size=c.images, turns=c.orientations, seed=c.seed
            )
        features, targets, weights, pixels = windows(orientations(self.images, c.orientations))
        return PixelBatches(
            features, targets, weights, pixels=pixels, size=c.pixels, seed=c.seed
        )


def train_dlc_model(
    images,
    config: DlcConfig,
    *,
    device: str = "cpu",
    checkpoint: Path | None = None,
    log: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    name: str = "unnamed images",
    licence: str = "",
    date: str | None = None,
) -> Model:
    """Train a model of LUT networks.  The same images and configuration give the same model.

    Parameters
    ----------
    images:
        uint8 arrays of shape (H, W), sizes may differ; at least two.
    config:
        Configuration.
    device:
        ``cpu`` or ``cuda``.
    checkpoint:
        File that the state is written to each minute, and that a run goes on from; removed at
        the end.
    log:
        File of json lines; see `lutgen.training.dlc.fit.Log`.
    progress:
        Called with step, work done and all work of the step.
    name, licence, date:
        For the training record.

    Returns
    -------
    Model
        The metrics of its training record are of held-out images: ``soft_bpp``, ``hard_bpp`` and
        ``integer_bpp`` of the forward pass as trained, of the hard network, and of netlist and
        integer tables.

    Raises
    ------
    DatasetError
        If the images are not what they must be.
    ValueError
        If the checkpoint is of another run.
    """
    images = check_images(images)
    if len(images) < 2:
        raise DatasetError("images must be at least two, so that one can be held out, not one")
    progress = (lambda step, done, total: None) if progress is None else progress
    trainer = _Trainer(images, config, device, checkpoint, log, progress)
    upsampler, metrics = None, {}
    if config.levels:
        upsampler, metrics["ups"] = trainer.upsampler()
    network, output, figures = trainer.arm(upsampler)
    metrics |= figures
    record = {
        "profile": config.profile,
        "data": {
            "name": name, "images": len(images), "pixels": sum(i.size for i in images),
            "sha256": data_hash(images), "licence": licence,
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "config": json.loads(json.dumps(asdict(config))),  # lists, no tuples
    }  # fmt: skip
    window = Window(config.window, prior=config.levels > 0)
    model = Model(
        config.profile, window, network.netlist(), None, output.head(), record, config.levels,
        upsampler,
    )  # fmt: skip
    metrics["integer_levels"] = integer_bpp(model, trainer.held, config.tile)
    metrics["integer_bpp"] = sum(metrics["integer_levels"])
    metrics["luts"] = model.network.n_nodes
    if upsampler is not None:
        metrics["ups"]["luts"] = upsampler.network.n_nodes
    trainer.checkpoint.remove()
    return model.with_training(record | {"metrics": metrics})


def integer_bpp(model: Model, images: Sequence[np.ndarray], tile: int = 32) -> list[float]:
    """Ideal bits of each level, per pixel of level 0, of netlists and integer tables."""
    upsample = None if model.upsampler is None else model.upsampler.upsample
    levels = collect_levels(
        check_images(images), model.window, tile, levels=model.levels, upsample=upsample
    )
    return [
        float((model.head.code_length(model.classify(s.features), s.symbols) * s.weights).sum())
        / levels[0].pixels
        for s in levels
    ]
