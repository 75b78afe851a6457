"""Training of the lossy codec.

The loss is bits per pixel and the squared error of pixels 0 to 255, weighted (LoC-LIC, section 4);
the quantiles of the factorized prior have an optimizer and a loss of their own.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from lutgen.errors import InputError
from lutgen.training.loclic.crops import Crops
from lutgen.training.loclic.initial import begin_linear
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.schedule import TrainConfig
from lutgen.training.run.checkpoint import Checkpoint, Log
from lutgen.training.run.parallel import rank, world

__all__ = ["bits_per_pixel", "train_codec"]


def bits_per_pixel(out: dict) -> torch.Tensor:
    """Rate of what `Codec.forward` gave, a scalar."""
    batch, _, height, width = out["x_hat"].shape
    bits = sum(-v.log2().sum() for v in out["likelihoods"].values())
    return bits / (batch * height * width)


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
        Codec of the same configuration to begin from, random weights by default.
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
        begin from is of another configuration, or the loss is no number.
    """
    if any(stage.batch % world() for stage in config.stages):
        raise InputError(f"batches must be multiples of {world()}, the number of processes")
    if start is not None and start.config != config.codec:
        raise InputError(
            "the codec to begin from must be of the same configuration, not "
            f"{start.config.source!r}"
        )
    crops = Crops(files, max(stage.crop for stage in config.stages), config.seed)
    identity = {"config": asdict(config), "files": crops.identity, "processes": world()}
    store, lines = Checkpoint(checkpoint, identity), Log(log)
    state = store.load()
    torch.manual_seed(config.seed)
    network = Codec(config.codec).to(device).train()
    if start is not None:
        network.load_state_dict(start.state_dict())
    else:
        crop = config.stages[0].crop
        # Of another step than any: enough for the covariance of the widest blocks.
        begin_linear(
            network, _images(crops.batch(config.steps, 64, crop), device), config.weight
        )
    quantiles = network.prior.quantiles
    others = [p for p in network.parameters() if p is not quantiles]
    main = torch.optim.Adam(others)
    auxiliary = torch.optim.Adam([quantiles], lr=config.auxiliary_rate)
    first, before = 0, 0.0
    if state is not None:
        network.load_state_dict(state["network"])
        main.load_state_dict(state["main"])
        auxiliary.load_state_dict(state["auxiliary"])
        first, before = state["step"], state["seconds"]
    lines.restore(state["log"] if state is not None else [])
    start = saved = time.monotonic()
    sums = torch.zeros(4, dtype=torch.float64)
    since = first

    for step in range(first, config.steps):
        stage = config.stage(step)
        for group in main.param_groups:
            group["lr"] = config.rate_of(step)
        batch = crops.batch(step, stage.batch, stage.crop, slice(rank(), None, world()))
        x = _images(batch, device)
        # The noise of a step must not depend on where a run went on.
        torch.manual_seed(((config.seed << 20) + step) * 1024 + rank())
        out = network(x, contexts=stage.contexts)
        rate = bits_per_pixel(out)
        error = nn.functional.mse_loss(out["x_hat"], x)
        loss = config.weight * 255**2 * error + rate
        side = network.prior.loss()
        main.zero_grad()  # to none, so that networks without a part in the stage rest
        auxiliary.zero_grad()
        # Of other parameters the side loss has no gradient, of the quantiles the loss has none.
        (loss + side).backward()
        values = torch.stack([loss, rate, error, side]).detach().double().cpu()
        if world() > 1:
            values = _mean(network, values, device)
        if not torch.isfinite(values).all():
            raise InputError(f"loss must be a number, not {values[0].item()} (step {step + 1})")
        nn.utils.clip_grad_norm_(others, config.clip)
        main.step()
        auxiliary.step()

        done = step + 1
        sums += values
        progress("training", done, config.steps)
        last = done == config.steps
        seconds = before + time.monotonic() - start
        if done % config.log_every == 0 or last:
            mean = sums / (done - since)
            lines.write(
                step=done, loss=mean[0].item(), bpp=mean[1].item(),
                psnr=-10 * math.log10(max(mean[2].item(), 1e-12)), auxiliary=mean[3].item(),
                rate=config.rate_of(step), crop=stage.crop, contexts=stage.contexts,
                seconds=round(seconds, 2),
            )  # fmt: skip
            sums.zero_()
            since = done
        if not last and time.monotonic() - saved > save_seconds:
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


def _images(crops: np.ndarray, device: str) -> torch.Tensor:
    return torch.from_numpy(crops).to(device).permute(0, 3, 1, 2).float() / 255


def _mean(network: nn.Module, values: torch.Tensor, device: str) -> torch.Tensor:
    """Mean over processes of the gradients, in place, and of the values."""
    for parameter in network.parameters():
        if parameter.grad is None:
            continue
        dist.all_reduce(parameter.grad)
        parameter.grad /= world()
    values = values.to(device)
    dist.all_reduce(values)
    return values.cpu() / world()
