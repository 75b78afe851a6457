"""Training of the lossy codec.

The loss is bits per pixel and the squared error of pixels 0 to 255, weighted (LoC-LIC, section 4);
the quantiles of the factorized prior have an optimizer and a loss of their own.
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from lutgen.errors import InputError
from lutgen.training.loclic.crops import Asked, Crops
from lutgen.training.loclic.initial import begin_linear, begin_remainder
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.schedule import TrainConfig
from lutgen.training.loclic.step import TrainingStep
from lutgen.training.run.checkpoint import Checkpoint, Log
from lutgen.training.run.parallel import rank, world

__all__ = ["train_codec"]


def train_codec(
    files: Sequence[Path],
    config: TrainConfig,
    *,
    start: Codec | None = None,
    device: str = "cpu",
    checkpoint: Path | None = None,
    log: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
    save_seconds: float = 60.0,
) -> tuple[Codec, dict]:
    """Train a codec.

    A run that was stopped goes on from its checkpoint with the crops and noise that it would have
    had.  Processes that torchrun started each take a part of every batch.

    Parameters
    ----------
    files:
        Pictures; see `lutgen.formats.colour.colour_files`.
    config:
        Configuration.
    start:
        Codec of the same configuration, or the same without a remainder, to begin from; random
        weights by default.
    device:
        ``cpu``, ``cuda`` or ``cuda:n``.
    checkpoint:
        File that the state is written to every ``save_seconds``.  It stays: remove it when the
        codec is in safety.
    log:
        File of json lines: step, loss, bpp, psnr, auxiliary, rate, seconds; means since the last.
    progress:
        Called with a word, steps done and all steps.

    Returns
    -------
    tuple
        The codec in evaluation mode, and the record of the run.

    Raises
    ------
    DatasetError
        If pictures cannot be used.
    InputError
        If the checkpoint is of another run, a batch cannot be shared by the processes, the codec to
        begin from is of another configuration, or the loss is no number, which is found when a line
        is logged or the state is saved.
    """
    if any(stage.batch % world() for stage in config.stages):
        raise InputError(f"batches must be multiples of {world()}, the number of processes")
    without = replace(config.codec, remainder=0)
    if start is not None and start.config not in (config.codec, without):
        raise InputError(
            "the codec to begin from must be of the same configuration, not "
            f"{start.config.source!r}"
        )
    crops = Crops(files, max(stage.crop for stage in config.stages), config.seed)
    identity = {"config": asdict(config), "files": crops.identity, "processes": world()}
    store, lines = Checkpoint(checkpoint, identity), Log(log)
    state = store.load()
    if torch.device(device).type == "cuda":
        # Tensor cores, in products as in convolutions: 10 bits of the factors' mantissas.
        torch.set_float32_matmul_precision("high")
    torch.manual_seed(config.seed)
    network = Codec(config.codec).to(device).train()
    if start is not None:
        network.load_state_dict(start.state_dict(), strict=start.config == config.codec)
    if start is None or start.config != config.codec:
        crop = config.stages[0].crop
        # Of another step than any: enough for the covariance of the widest blocks.
        images = _images(crops.batch(config.steps, 64, crop), device)
        if start is None:
            begin_linear(network, images, config.weight)
        if config.codec.remainder:
            begin_remainder(network, images, config.weight, config.rounding[0])
    take = TrainingStep(network, config)
    main, auxiliary = take.main, take.auxiliary
    first, before = 0, 0.0
    if state is not None:
        network.load_state_dict(state["network"])
        main.load_state_dict(state["main"])
        auxiliary.load_state_dict(state["auxiliary"])
        first, before = state["step"], state["seconds"]
    lines.restore(state["log"] if state is not None else [])
    begun = saved = time.monotonic()
    sums = torch.zeros(4, dtype=torch.float64, device=device)
    since = first

    for step, batch in enumerate(crops.ahead(_asked(config, first)), first):
        # Nothing here waits for the device: crops of the next steps are cut meanwhile.
        sums += take(step, _images(batch, device))
        done = step + 1
        progress("training", done, config.steps)
        last = done == config.steps
        saving = not last and time.monotonic() - saved > save_seconds
        logging = done % config.log_every == 0 or last
        if (saving or logging) and not torch.isfinite(sums).all():
            raise InputError(
                f"loss must be a number, not {sums[0].item()} (steps {since + 1} to {done})"
            )
        seconds = before + time.monotonic() - begun
        if logging:
            stage = config.stage(step)
            mean = sums.cpu() / (done - since)
            lines.write(
                step=done, loss=mean[0].item(), bpp=mean[1].item(),
                psnr=-10 * math.log10(max(mean[2].item(), 1e-12)), auxiliary=mean[3].item(),
                rate=config.rate_of(step), crop=stage.crop, contexts=stage.contexts,
                seconds=round(seconds, 2),
            )  # fmt: skip
            sums.zero_()
            since = done
        if saving:
            store.save({
                "network": network.state_dict(), "main": main.state_dict(),
                "auxiliary": auxiliary.state_dict(), "step": done, "seconds": seconds,
                "log": lines.lines,
            })  # fmt: skip
            saved = time.monotonic()
    record = {
        "config": json.loads(json.dumps(asdict(config))), "pictures": len(files),
        "files_sha256": crops.identity, "device": str(device), "last": lines.lines[-1],
    }  # fmt: skip
    return network.eval(), record


def _asked(config: TrainConfig, first: int) -> Iterator[Asked]:
    """The crops of each step from the first on: of several processes, this one's part."""
    part = slice(rank(), None, world())
    for step in range(first, config.steps):
        stage = config.stage(step)
        yield Asked(step, stage.batch, stage.crop, part)


def _images(crops: np.ndarray, device: str) -> torch.Tensor:
    return torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float() / 255
