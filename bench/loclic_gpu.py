"""A LoC-LIC codec in so many minutes of one GPU: paced, trained and exported by one command.

    python -m bench.loclic_gpu rgb_train --minutes 10 --out OUT

It first times a few steps with and without context networks, plans as many as fit, and trains on
them; the rest of the time is for the export.  Writes mid.pt, mid.loclic with weights of 8 bits,
mid.jsonl, the log, and mid.json, the plan and what came out.  `python -m bench.loclic` measures
them, on any machine: it needs no GPU.  A run that was stopped goes on from OUT/mid.ckpt, by the
plan that it began with.
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import click
import torch

from lutgen.commands import Command
from lutgen.errors import InputError
from lutgen.files.whole import write_file
from lutgen.formats.colour import colour_files, read_colour
from lutgen.training.loclic.export import export_codec
from lutgen.training.loclic.networks.config import preset
from lutgen.training.loclic.schedule import Stage, TrainConfig
from lutgen.training.loclic.store import save_codec
from lutgen.training.loclic.train import train_codec

#: Steps that are timed, behind as many that are not: the first ones choose kernels.
_TIMED = 8
#: Share of the time that is for training, and of it for steps without contexts.
_TRAINING, _WITHOUT = 0.85, 0.6
#: Most images that tables are counted on.
_COUNTED = 64


def seconds_per_step(files: list[Path], config: TrainConfig, contexts: bool, device: str) -> float:
    """Time of a step of the first stage of a run, on this machine."""
    stage = replace(config.stages[0], steps=2 * _TIMED, contexts=contexts)
    marks: list[float] = []
    train_codec(
        files, replace(config, stages=(stage,), ramp=0), device=device,
        progress=lambda *_: marks.append(time.monotonic()),
    )  # fmt: skip
    return (marks[-1] - marks[_TIMED - 1]) / _TIMED


def planned(files: list[Path], config: TrainConfig, seconds: float, device: str) -> TrainConfig:
    """The run that takes so many seconds: steps without contexts, then steps with them.

    Raises
    ------
    InputError
        If there is no time for one of each.
    """
    start = time.monotonic()
    paces = [seconds_per_step(files, config, contexts, device) for contexts in (False, True)]
    left = _TRAINING * seconds - (time.monotonic() - start)
    shares = (_WITHOUT, 1 - _WITHOUT)
    counts = [int(share * left / pace) for share, pace in zip(shares, paces, strict=True)]
    if min(counts) < 1:
        raise InputError(
            f"minutes must be enough for a step of {paces[1]:.2f} s behind {_TIMED} of each kind "
            f"that are timed, not {seconds / 60:g}"
        )
    stages = tuple(
        replace(config.stages[0], steps=count, contexts=contexts)
        for count, contexts in zip(counts, (False, True), strict=True)
    )
    return replace(config, stages=stages, ramp=None)


def _plan(files, config: TrainConfig, minutes: float, device: str, path: Path) -> TrainConfig:
    """The plan of an earlier call that was stopped, or a new one, which is kept."""
    if path.exists():
        steps = json.loads(path.read_text())["steps"]
        stages = tuple(
            replace(config.stages[0], steps=count, contexts=contexts)
            for count, contexts in zip(steps, (False, True), strict=True)
        )
        return replace(config, stages=stages, ramp=None)
    plan = planned(files, config, 60 * minutes, device)
    write_file(path, json.dumps({"steps": [stage.steps for stage in plan.stages]}).encode())
    return plan


@click.command(cls=Command)
@click.argument("data")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=10, show_default=True)
@click.option("--config", "name", default="loc-lic-small", show_default=True)
@click.option("--lambda", "weight", type=float, default=0.0130, show_default=True)
@click.option("--crop", type=int, default=256, show_default=True)
@click.option("--batch", type=int, default=16, show_default=True)
@click.option("--rate", type=float, default=6e-4, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cuda", show_default=True)
@click.option("--out", required=True, metavar="FOLDER", type=click.Path(path_type=Path))
def main(data, minutes, name, weight, crop, batch, rate, device, out) -> None:
    """Train and export a codec from the pictures in DATA."""
    begun = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    files = colour_files(data)
    try:
        config = TrainConfig(
            codec=preset(name), stages=[Stage(steps=1, crop=crop, batch=batch)], weight=weight,
            rate=rate,
        )  # fmt: skip
        plan = _plan(files, config, minutes, device, out / "mid.plan")
    except InputError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{plan.stages[0].steps} steps without contexts, {plan.stages[1].steps} with them")
    network, record = train_codec(
        files, plan, device=device, checkpoint=out / "mid.ckpt", log=out / "mid.jsonl"
    )
    save_codec(out / "mid.pt", network, record)
    trained = time.monotonic()
    most = max(1, len(files) // _COUNTED)
    pictures = [read_colour(path) for path in files[::most]]
    file = export_codec(network.cpu(), record, pictures, 8, device)
    file.write(out / "mid.loclic")
    (out / "mid.ckpt").unlink(missing_ok=True)  # not before the codec is in safety
    (out / "mid.plan").unlink()
    found = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "config": name, "minutes": minutes, "weight": weight, "crop": crop, "batch": batch,
        "rate": rate, "steps": [stage.steps for stage in plan.stages],
        "training_seconds": trained - begun, "export_seconds": time.monotonic() - trained,
        "counted_on": len(pictures), "last": record["last"], "hash": file.hash,
        "bytes": (out / "mid.loclic").stat().st_size,
    }  # fmt: skip
    write_file(out / "mid.json", (json.dumps(found, indent=1) + "\n").encode())
    click.echo(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
