"""LoC-LIC codecs in so many minutes of one GPU: paced, trained and exported by one command.

    python -m bench.loclic_gpu rgb_train --minutes 10 --lambda 0.013 --lambda 0.0483 --out OUT

    python -m bench.loclic_gpu rgb_train --start FILE --rounding 0.6 6 --lambda 0.0483 --out OUT

It first times a few steps with and without context networks, plans as many as fit, and trains on
them.  The codec of the first lambda begins from nothing and takes half of the time; each other one
begins from the codec before it, with contexts and a third of the rate, and has an equal share of
the rest.  With `--start` the first begins so too, from a trained or exported codec.  Each is
exported when it is trained: LAMBDA.pt, LAMBDA.loclic with weights of 8 bits, LAMBDA.jsonl, the log,
and LAMBDA.json, what came out.  `python -m bench.loclic` measures them, on any machine: it needs no
GPU.  A run that was stopped goes on from what is in OUT, by the plan that it began with, plan.json.
"""

import json
import math
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
from lutgen.training.loclic.fixed.number import UNIT
from lutgen.training.loclic.model import Codec
from lutgen.training.loclic.networks.config import preset
from lutgen.training.loclic.reopen import load_start
from lutgen.training.loclic.schedule import Stage, TrainConfig
from lutgen.training.loclic.store import load_codec, save_codec
from lutgen.training.loclic.train import train_codec

#: Steps that are timed, behind as many that are not: the first ones choose kernels.
_TIMED = 8
#: Seconds that the export of a codec is given, and the share of the first that is for steps
#: without contexts.
_EXPORT, _WITHOUT = 12.0, 0.4
#: Share of the time that the first codec takes where there are others, and their rate in its own.
_FIRST, _RATE = 0.5, 1 / 3
#: Most images that tables are counted on.
_COUNTED = 64


def seconds_per_step(files: list[Path], config: TrainConfig, contexts: bool, device: str) -> float:
    """Time of a step of the first stage of a run, on this machine."""
    stage = replace(config.stages[0], steps=2 * _TIMED, contexts=contexts)
    marks: list[float] = []

    def mark(*_) -> None:
        if device == "cuda":
            torch.cuda.synchronize()
        marks.append(time.monotonic())

    train_codec(
        files, replace(config, stages=(stage,), ramp=0), device=device, progress=mark
    )
    return (marks[-1] - marks[_TIMED - 1]) / _TIMED


def planned(
    files: list[Path], config: TrainConfig, count: int, seconds: float, device: str,
    without: float,
) -> list[list[int]]:  # fmt: skip
    """Steps of so many codecs that take so many seconds: without contexts, and with them.

    ``without`` is the share of the first codec's time that steps without contexts take.

    Raises
    ------
    InputError
        If there is no time for one of each.
    """
    start = time.monotonic()
    paces = [seconds_per_step(files, config, contexts, device) for contexts in (False, True)]
    left = seconds - (time.monotonic() - start) - _EXPORT * count
    first = left * (_FIRST if count > 1 else 1)
    plan = [[int(without * first / paces[0]), int((1 - without) * first / paces[1])]]
    plan += [[0, int((left - first) / (count - 1) / paces[1])] for _ in range(count - 1)]
    if any(steps[-1] < 1 for steps in plan) or (without and plan[0][0] < 1):
        raise InputError(
            f"minutes must be enough for a step of {paces[1]:.2f} s behind {_TIMED} of each kind "
            f"that are timed, and the exports, not {seconds / 60:g}"
        )
    return plan


def counted_steps(config: TrainConfig) -> list[int]:
    """Rounding steps that tables are counted with: the range's octaves, from its middle."""
    least, greatest = config.rounding
    middle = round(math.log2(least * greatest) / 2)
    octaves = range(-int(middle - math.log2(least)), int(math.log2(greatest) - middle) + 1)
    return [round(UNIT * 2.0 ** (middle + k)) for k in octaves]


def trained(
    files: list[Path], config: TrainConfig, start: Codec | None, device: str, name: Path
) -> Codec:
    """The codec of a run, with its files."""
    begun = time.monotonic()
    checkpoint = Path(f"{name}.ckpt")
    network, record = train_codec(
        files, config, start=start, device=device, checkpoint=checkpoint,
        log=Path(f"{name}.jsonl"),
    )  # fmt: skip
    middle = time.monotonic()
    pictures = [read_colour(path) for path in files[:: max(1, len(files) // _COUNTED)]]
    file = export_codec(network.cpu(), record, pictures, 8, device, counted_steps(config))
    file.write(Path(f"{name}.loclic"))
    found = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "steps": [stage.steps for stage in config.stages],
        "training_seconds": middle - begun, "export_seconds": time.monotonic() - middle,
        "counted_on": len(pictures), "last": record["last"], "hash": file.hash,
        "bytes": Path(f"{name}.loclic").stat().st_size, "config": record["config"],
    }  # fmt: skip
    write_file(Path(f"{name}.json"), (json.dumps(found, indent=1) + "\n").encode())
    click.echo(json.dumps({name.name: found}, indent=1))
    save_codec(Path(f"{name}.pt"), network, record)
    checkpoint.unlink(missing_ok=True)  # not before the codec is in safety
    return network


@click.command(cls=Command)
@click.argument("data")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), default=10, show_default=True)
@click.option("--config", "name", default="loc-lic-mini", show_default=True)
@click.option(
    "--lambda", "weights", type=float, multiple=True, default=(0.0130,), show_default=True,
    help="May be repeated.",
)  # fmt: skip
@click.option("--crop", type=int, default=256, show_default=True)
@click.option("--batch", type=int, default=16, show_default=True)
@click.option("--rate", type=float, default=6e-4, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cuda", show_default=True)
@click.option("--start", metavar="FILE", help="Trained or exported codec to begin from.")
@click.option(
    "--rounding", type=float, nargs=2, default=(1.0, 1.0), show_default=True,
    help="Least and greatest rounding step of y to train for.",
)  # fmt: skip
@click.option("--out", required=True, metavar="FOLDER", type=click.Path(path_type=Path))
def main(
    data, minutes, name, weights, crop, batch, rate, device, start, rounding, out
) -> None:
    """Train and export codecs from the pictures in DATA."""
    out.mkdir(parents=True, exist_ok=True)
    files, kept = colour_files(data), out / "plan.json"
    try:
        config = TrainConfig(
            codec=preset(name), stages=[Stage(steps=1, crop=crop, batch=batch)], weight=weights[0],
            rate=rate, rounding=rounding,
        )  # fmt: skip
        before = None if start is None else load_start(start)[0]
        if not kept.exists():
            without = _WITHOUT if before is None else 0
            plan = planned(files, config, len(weights), 60 * minutes, device, without)
            write_file(kept, (json.dumps(plan) + "\n").encode())
        plan = json.loads(kept.read_text())
    except InputError as error:
        raise click.UsageError(str(error)) from error
    for weight, steps in zip(weights, plan, strict=True):
        click.echo(f"lambda {weight}: {steps[0]} steps without contexts, {steps[1]} with them")
        file = out / f"{weight:.4f}"
        if Path(f"{file}.pt").exists():
            before, _ = load_codec(Path(f"{file}.pt"))
            continue
        stages = tuple(
            replace(config.stages[0], steps=count, contexts=contexts)
            for count, contexts in zip(steps, (False, True), strict=True)
            if count
        )
        run = replace(
            config, stages=stages, weight=weight, ramp=None,
            rate=rate * (_RATE if before else 1),
        )  # fmt: skip
        before = trained(files, run, before, device, file)


if __name__ == "__main__":
    main()
