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

from lutgen.codec.codec import Codec
from lutgen.formats.imageio import by_shape
from lutgen.formats.rules import COLOUR_8
from lutgen.model.head import SYMBOLS, LaplaceHead, TableHead
from lutgen.model.model import Model
from lutgen.model.netlist import Netlist
from lutgen.model.upsample import Upsampler
from lutgen.model.window import Window
from lutgen.training.data.datasets import DatasetError, check_images, data_hash
from lutgen.training.data.holdout import hold_out
from lutgen.training.data.samples import Samples, collect_levels, orientations, upsampling_samples
from lutgen.training.dlc.batches import Batch, ImageBatches, PixelBatches, Windows
from lutgen.training.dlc.config import DlcConfig, Hardness, Schedule
from lutgen.training.dlc.extend import INDEX, ClassNetwork
from lutgen.training.dlc.fit import fit
from lutgen.training.dlc.layouts import arm_layout, distances, ups_layout, widened
from lutgen.training.dlc.network import LutNetwork
from lutgen.training.dlc.objective import ArmObjective, UpsObjective
from lutgen.training.dlc.output import LaplaceOutput, TableOutput, UpsampleOutput
from lutgen.training.dlc.wiring import Group, Layout
from lutgen.training.run.checkpoint import Checkpoint, Log
from lutgen.training.run.parallel import rank
from lutgen.training.run.threads import share_threads
from lutgen.training.tree.train import STRENGTHS, train_table_model

__all__ = ["integer_bpp", "train_dlc_model"]

_PARTS = {"soft": False, "hard": True}
#: Most images that a Laplace head is recounted on.
_RECOUNTED = 1000


class _Trainer:
    def __init__(
        self, images: list[np.ndarray], config: DlcConfig, device: str,
        checkpoint: Path | None, log: Path | None, progress: Callable[[str, int, int], None],
    ) -> None:  # fmt: skip
        self.config = config
        self.channels = images[0].shape[2] if images[0].ndim == 3 else 1
        self.device = device
        split = hold_out(images, config.held_out, config.seed, config.held_out_most)
        self.images, self.held, self.split = split.kept, split.held, split.how
        if config.base is not None and sum(image.size for image in split.kept) < 2:
            raise DatasetError(
                "images to train on, besides those held out, must have at least two pixels for a "
                "context tree, which holds some out, too, not one: give another image"
            )
        self.log = Log(log)
        self.progress = progress
        identity = {"data": data_hash(images), "config": asdict(config)}
        self.checkpoint = Checkpoint(checkpoint, identity)
        #: Of the context tree beside which bits are trained.
        self.tree_checkpoint = None if checkpoint is None or rank() else f"{checkpoint}.tree"
        self.state = self.checkpoint.load() or {"phase": "", "done": {}, "log": []}
        self.log.restore(self.state["log"])

    def _fit(
        self, phase: str, network: LutNetwork, loss: Callable[..., torch.Tensor],
        batches: Callable[[int], Batch], schedule: Schedule,
        evaluate: Callable[[Hardness], dict],
    ) -> None:  # fmt: skip
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
        square = Window(c.window, prior=True, channels=self.channels)
        layout = ups_layout(square, c.ups.layers[-1])
        network = LutNetwork(layout, widened(c.ups, self.channels), c.seed + 1).to(self.device)
        ups = UpsObjective(UpsampleOutput(layout.groups[0].nodes))

        def samples(images):
            return upsampling_samples(images, square, c.tile, c.levels)

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
        model = Upsampler(c.window, network.netlist(), self.channels)
        return model, {"hard_rmse": figures(Hardness(hard=True))["hard_rmse"]}

    def arm(self, upsampler: Upsampler | None) -> tuple[Netlist, LaplaceHead | TableHead, dict]:
        """The trained autoregressive model, its head and its figures."""
        c = self.config
        window = Window(c.window, c.levels > 0, self.channels)
        upsample = None if upsampler is None else upsampler.upsample
        network: LutNetwork
        output: LaplaceOutput | TableOutput
        if c.head == "table":
            network = self._class_network(window)
            output = network.output
        else:
            layout = arm_layout(window, c.arm.layers[-1])
            network = LutNetwork(layout, widened(c.arm, self.channels), c.seed + 2)
            mu, sigma = layout.groups[:2]
            output = LaplaceOutput(mu.nodes, sigma.nodes)
        network.to(self.device)
        arm = ArmObjective(output)

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
            found: dict = {}
            for name, hard in _PARTS.items():
                if hard or not how.hard:
                    bits = arm.bpp(network, held, replace(how, hard=hard, noise=False))
                    found |= {f"{name}_bpp": sum(bits), f"{name}_levels": bits}
            # A hard forward pass is what is trained: there is nothing softer.
            found.setdefault("soft_bpp", found["hard_bpp"])
            return found | {"gap": found["hard_bpp"] / found["soft_bpp"] - 1}

        self._fit("arm", network, arm.loss, self._batches(windows), c.arm_schedule, figures)
        found = figures(c.arm_schedule.hardness(c.arm_schedule.steps - 1))
        netlist = network.netlist()
        if isinstance(output, TableOutput):
            self.progress("counting tables", 0, 1)
            table, more = table_head(output, netlist, samples(self.images), held)
            self.progress("counting tables", 1, 1)
            return netlist, table, found | more
        if c.mapping == "paper":
            return netlist, output.head(), found
        self.progress("counting tables", 0, 1)
        head = self._laplace_head(output, netlist, samples, network.layout)
        self.progress("counting tables", 1, 1)
        return netlist, head, found

    def _laplace_head(
        self, output: LaplaceOutput, netlist: Netlist,
        samples: Callable[[Sequence[np.ndarray]], Sequence[Samples]], layout: Layout,
    ) -> LaplaceHead:  # fmt: skip
        rng = np.random.default_rng(self.config.seed)
        few = rng.permutation(len(self.images))[:_RECOUNTED]
        levels = samples([self.images[i] for i in few])
        # Of each level the channels of a sample one after the other, as its symbols have them.
        mu, sigma = (
            np.concatenate([
                np.stack([netlist.evaluate_count(g.name, s.features) for g in groups], 1).ravel()
                for s in levels
            ])
            for groups in (layout.groups[::2], layout.groups[1::2])
        )
        symbols, weights = (
            np.concatenate([getattr(s, name).ravel() for s in levels])
            for name in ("symbols", "weights")
        )
        return output.recounted(mu, sigma, symbols, weights)

    def _class_network(self, window: Window) -> ClassNetwork:
        """Network of a class index, beside the netlist of a context tree if there is to be one."""
        c = self.config
        base = None
        if c.base is not None:
            base = train_table_model(
                self.images, c.base, checkpoint=self.tree_checkpoint, progress=self.progress
            ).network
        group = Group(INDEX, c.arm.layers[-1])
        return ClassNetwork(Layout(distances(window), [group]), c.arm, base, c.seed + 2)

    def _batches(self, windows: Windows) -> ImageBatches | PixelBatches:
        c = self.config
        if c.pixels is None:
            return ImageBatches(
                self.images, windows, size=c.images, turns=c.orientations, seed=c.seed
            )
        self.progress("collecting windows", 0, 1)
        features, targets, weights, pixels = windows(orientations(self.images, c.orientations))
        self.progress("collecting windows", 1, 1)
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
        uint8 arrays of shape (H, W), or all of (H, W, C) with C channels; sizes may differ, of two
        pixels at least.  Whole images are held out; of a single one, its last rows
        (`lutgen.training.data.holdout`).
    config:
        Configuration.
    device:
        ``cpu`` or ``cuda``.
    checkpoint:
        File that the state is written to each minute, and that a run goes on from.  It stays:
        remove it when the model is in safety.
    log:
        File of json lines; see `lutgen.training.run.checkpoint.Log`.
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
    InputError
        If the checkpoint is of another run.
    """
    images = _check_channels(images, config)
    progress = (lambda step, done, total: None) if progress is None else progress
    share_threads()
    trainer = _Trainer(images, config, device, checkpoint, log, progress)
    upsampler = None
    metrics: dict = {"split": trainer.split}
    if config.levels:
        upsampler, metrics["ups"] = trainer.upsampler()
    network, head, figures = trainer.arm(upsampler)
    metrics |= figures
    record = {
        "profile": config.profile,
        "data": {
            "name": name, "images": len(images),
            "pixels": sum(i.size for i in images) // trainer.channels,
            "sha256": data_hash(images), "licence": licence,
        },
        "date": datetime.date.today().isoformat() if date is None else date,
        "config": json.loads(json.dumps(asdict(config))),  # lists, no tuples
    }  # fmt: skip
    window = Window(config.window, config.levels > 0, trainer.channels)
    model = Model(
        config.profile, window, network, None, head, record, config.levels, upsampler,
        config.constraint,
    )  # fmt: skip
    held, measured = sum(image.size for image in trainer.held), 0

    def tell(samples: int) -> None:
        nonlocal measured
        measured += samples
        progress("measuring held-out images", measured, held)

    metrics["integer_levels"] = integer_bpp(model, trainer.held, config.tile, tell)
    metrics["integer_bpp"] = sum(metrics["integer_levels"])
    metrics["luts"] = model.network.n_nodes
    if upsampler is not None:
        metrics["ups"]["luts"] = upsampler.network.n_nodes
    return model.with_training(record | {"metrics": metrics})


def _check_channels(images, config: DlcConfig) -> list[np.ndarray]:
    """The images, if they are of one number of channels that the profile can have."""
    images = check_images(images, limits=COLOUR_8)
    channels = {image.shape[2] if image.ndim == 3 else 1 for image in images}
    if len(channels) > 1:
        raise DatasetError(
            f"images must have one number of channels, not {' and '.join(map(str, channels))}"
        )
    if channels != {1} and config.head == "table":
        raise DatasetError(
            f"images must be gray for a table head, as that of profile {config.profile}, not of "
            f"{channels.pop()} channels"
        )
    return images


def table_head(
    output: TableOutput, netlist: Netlist, samples: Sequence[Samples], held: Sequence[Samples]
) -> tuple[TableHead, dict]:
    """Integer tables counted on samples, smoothed as suits held-out ones best."""

    def histogram(levels: Sequence[Samples]) -> np.ndarray:
        total = np.zeros(output.counts.numel())
        for s in levels:
            index = netlist.evaluate_index(INDEX, s.features) * SYMBOLS + s.symbols
            total += np.bincount(index, s.weights, total.size)
        return total.reshape(-1, SYMBOLS)

    counts, seen = histogram(samples), histogram(held)
    output.counts.copy_(torch.from_numpy(counts))
    heads = {strength: output.head(strength) for strength in STRENGTHS}
    rows = np.arange(len(counts))[:, None]
    paid = {
        strength: float((head.code_length(rows, np.arange(SYMBOLS)[None]) * seen).sum())
        for strength, head in heads.items()
    }
    strength = min(paid, key=paid.__getitem__)
    used = int((counts.sum(axis=1) > 0).sum())
    return heads[strength], {"smoothing": strength, "classes": used}


def integer_bpp(
    model: Model, images: Sequence[np.ndarray], tile: int = 32,
    progress: Callable[[int], None] | None = None,
) -> list[float]:  # fmt: skip
    """Ideal bits of each level, per pixel of level 0, of what the codec codes with."""
    codec = Codec(model)
    bits = sum(
        np.array(codec.encode(stack, tile=(tile, tile), progress=progress).level_bits)
        for stack in by_shape(images)
    )
    return np.asarray(model.channels * bits / sum(image.size for image in images)).tolist()
