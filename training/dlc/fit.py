"""The training loop: annealing, checkpoints, data parallelism, log."""

import time
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import nn

from lutgen.training.dlc.batches import Batch
from lutgen.training.dlc.config import Hardness, Schedule
from lutgen.training.run.checkpoint import Log
from lutgen.training.run.parallel import rank, world

__all__ = ["fit"]


def _tensors(batch: Batch, device) -> list[torch.Tensor]:
    """The part of a batch that this process takes."""
    own = slice(rank(), None, world())
    features = torch.from_numpy(batch.features)
    # The empty window is everybody's.
    windows = torch.cat([features[:-1][own], features[-1:]])
    parts = windows, *(torch.from_numpy(a[own]) for a in (batch.targets, batch.weights))
    empty = torch.from_numpy(batch.empty) / world()
    return [part.to(device) for part in (*parts, empty)]


def fit(
    network: nn.Module,
    loss: Callable[..., torch.Tensor],
    batches: Callable[[int], Batch],
    schedule: Schedule,
    *,
    phase: str,
    log: Log,
    seed: int = 0,
    evaluate: Callable[[Hardness], dict] | None = None,
    evaluate_every: int = 500,
    state: dict | None = None,
    save: Callable[[dict], None] = lambda state: None,
    save_seconds: float = 60.0,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> None:
    """Train a network in place.

    The weights after a step depend on nothing but configuration, data and seed, so a run that was
    stopped goes on from a checkpoint as if it had not been.

    Parameters
    ----------
    network:
        Called with uint8 features (B, F), `Hardness` and a generator of noise.
    loss:
        Takes bits (B, N), targets (B - 1, ...), weights and the weights of values behind the
        empty window, which is the last row of bits; returns a scalar, a sum.
    batches:
        Batch of a step; processes that train together take every n-th window of it.
    phase:
        Name in log and progress.
    evaluate:
        Figures for the log, of the given hardness.
    state, save, save_seconds:
        State of a run to go on from, and what takes it, at most so often.
    progress:
        Called with phase, steps done and all steps.
    """
    connections = [p for name, p in network.named_parameters() if name.startswith("connections")]
    nodes = [p for name, p in network.named_parameters() if not name.startswith("connections")]
    parameters = [*connections, *nodes]
    device = parameters[0].device
    groups = [{"params": connections}, {"params": nodes}]
    optimizer = torch.optim.Adam(groups, lr=schedule.rate, fused=True)
    first, before = 0, 0.0
    if state is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        first, before = state["step"], state["seconds"]
    generator = torch.Generator(device)
    start = saved = time.monotonic()

    def seconds() -> float:
        return before + time.monotonic() - start

    def snapshot(step: int) -> dict:
        return {
            "network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
            "seconds": seconds(),
        }  # fmt: skip

    for step in range(first, schedule.steps):
        how = schedule.hardness(step)
        rates = schedule.connection_rate, schedule.rate
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * schedule.cooled(step)
        generator.manual_seed(((seed << 20) + step) * 1024 + rank())
        features, *rest = _tensors(batches(step), device)
        value = loss(network(features, how, generator), *rest)
        optimizer.zero_grad()
        value.backward()
        if world() > 1:
            for parameter in parameters:
                dist.all_reduce(parameter.grad)
        optimizer.step()
        done = step + 1
        progress(phase, done, schedule.steps)
        last = done == schedule.steps
        if evaluate is not None and (done % evaluate_every == 0 or last):
            total = value.detach().clone()
            if world() > 1:
                dist.all_reduce(total)
            log.write(
                phase=phase, step=done, seconds=round(seconds(), 2), loss=float(total),
                tau_connections=how.tau_connections, tau_nodes=how.tau_nodes, hard=how.hard,
                **evaluate(how),
            )  # fmt: skip
        if last or time.monotonic() - saved > save_seconds:
            save(snapshot(done))
            saved = time.monotonic()
