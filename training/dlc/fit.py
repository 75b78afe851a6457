"""The training loop: annealing, checkpoints, data parallelism, log."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from lutgen.training.dlc.batches import Batch
from lutgen.training.dlc.config import Hardness, Schedule
from lutgen.training.run.parallel import rank, world
from lutgen.training.run.torch_file import read_torch

__all__ = ["Checkpoint", "Log", "fit"]


class Log:
    """Training log: one json object per line.

    A run that goes on cuts what a killed one wrote after its last checkpoint.

    Parameters
    ----------
    path:
        File, None for no log.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path if rank() == 0 else None
        self.lines: list[dict] = []

    def write(self, **values) -> None:
        """Add a line."""
        self.lines.append(values)
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps(values) + "\n")

    def restore(self, lines: list[dict]) -> None:
        """Begin again with these lines."""
        self.lines = list(lines)
        if self._path is not None:
            text = "".join(json.dumps(line) + "\n" for line in lines)
            self._path.write_text(text)


class Checkpoint:
    """State of a run on disk, replaced as a whole.

    Parameters
    ----------
    path:
        File, None for none.
    identity:
        What the run is: a checkpoint of another one is an error.
    """

    def __init__(self, path: Path | None, identity: dict) -> None:
        self._path = path
        self._identity = json.loads(json.dumps(identity))

    def load(self) -> dict | None:
        """State that was saved, None if there is none.

        Raises
        ------
        ValueError
            If the file is of another run, or no checkpoint.
        """
        if self._path is None or not self._path.exists():
            return None
        try:
            found = read_torch(self._path)
            identity, state = found["identity"], found["state"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self._path} must be a checkpoint of a training run: remove it, or name another"
            ) from error
        if identity != self._identity:
            differs = [k for k in self._identity if identity.get(k) != self._identity[k]]
            raise ValueError(
                f"{self._path} must be of this run, but differs in {', '.join(differs) or 'all'}: "
                "remove it, or train as before"
            )
        return state

    def save(self, state: dict) -> None:
        """Write the state: either the old or the new file exists at any moment."""
        if self._path is None or rank():
            return
        part = self._path.with_name(self._path.name + ".part")
        torch.save({"identity": self._identity, "state": state}, part)
        os.replace(part, self._path)


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
