"""Train and measure learned baselines: commands of ``python -m lutgen.training.baselines``."""

import json
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lutgen.commands import Commands, OutputFile, check_apart, say
from lutgen.files.whole import check_output, write_file
from lutgen.training.baselines.baseline import Baseline
from lutgen.training.baselines.files import kinds, load
from lutgen.training.baselines.fit import FitConfig, fit
from lutgen.training.data.datasets import load_images

_data = click.option(
    "--data", multiple=True, required=True, metavar="DATA", help="As in lutgen eval; repeatable."
)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train and measure the learned codecs that this project compares itself with."""


def _fit_options(command):
    """Options of all trainings; their defaults are those of the configuration."""
    d = FitConfig()
    for option in (
        click.option(
            "--seed", type=int, default=d.seed, show_default=True, help="Of all that is drawn."
        ),
        click.option(
            "--orientations", type=int, default=d.orientations, show_default=True,
            help="Flips and turns to draw from: 1 (none), 2, 4 or 8.",
        ),
        click.option(
            "--schedule", type=click.Choice(["cosine", "constant"]), default=d.schedule,
            show_default=True, help="Of the rate.",
        ),
        click.option(
            "--rate", type=float, show_default="what suits the kind", help="Of Adam."
        ),
        click.option(
            "--batch", type=int, default=d.batch, show_default=True, help="Images per step."
        ),
        click.option(
            "--seconds", type=float, metavar="MAX", show_default="none",
            help="Limit of processor time for all phases.",
        ),
        click.option(
            "--steps", type=int, default=d.steps, show_default=True, help="Of each phase."
        ),
        click.option(
            "-o", "--out", required=True, type=OutputFile(),
            help="Weights, *.npz; the log goes to the same name with .jsonl.",
        ),
        _data,
    ):  # fmt: skip
        command = option(command)
    return command


def _train(make, data: tuple[str, ...], out: str, **numbers) -> None:
    log = Path(out).with_suffix(".jsonl")
    check_apart({"-o": out, "the log": log}, data)
    check_output(log)
    config = FitConfig(**numbers)
    torch.manual_seed(config.seed)
    baseline: Baseline = make()
    images = [image for name in data for image in load_images(name, split="train")]
    lines: list[str] = []

    def write(line: dict) -> None:
        lines.append(json.dumps(line) + "\n")
        write_file(log, "".join(lines).encode())

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[loss]:.3f}"),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as b:
        tasks = {}

        def progress(phase: str, done: float, loss: float) -> None:
            if phase not in tasks:
                tasks[phase] = b.add_task(phase, total=1, loss=loss)
            b.update(tasks[phase], completed=done, loss=loss)

        fit(baseline, images, config, names=data, log=write, progress=progress)
    baseline.save(out)
    for phase in baseline.record["phases"]:
        say(
            f"{out}: {phase['phase']} {phase['loss']:.3f} {phase['unit']} on training images after "
            f"{phase['step']} steps, {phase['cpu_seconds']:.0f} s of processor time"
        )


@main.command("ic-mlp")
@_fit_options
@click.option("--levels", type=int, show_default="2", help="Of the pyramid above the image.")
def ic_mlp(levels, **numbers) -> None:
    """Train the perceptron codec of the GIC-DLC paper."""
    cls, config = kinds()["ic-mlp"]
    size = {} if levels is None else {"levels": levels}
    _train(lambda: cls(config(**size)), **numbers)


@main.command()
@_fit_options
@click.option("--levels", type=int, show_default="3", help="Of the pyramid above the image.")
@click.option("--channels", type=int, show_default="32", help="Of all convolutions.")
def srec(levels, channels, **numbers) -> None:
    """Train a small convolutional codec in the manner of SReC."""
    cls, config = kinds()["srec"]
    size = {k: v for k, v in (("levels", levels), ("channels", channels)) if v is not None}
    _train(lambda: cls(config(**size)), **numbers)


@main.command("eval")
@click.argument("file", metavar="FILE")
@_data
@click.option(
    "--split", type=click.Choice(["train", "val", "test"]), default="val", show_default=True
)
def evaluate(file, data, split) -> None:
    """Print the ideal bpp of images by level, as json."""
    baseline = load(file)
    result = {}
    for name in data:
        images = load_images(name, split=split)
        pixels = sum(image.size for image in images)
        levels = {level: bits / pixels for level, bits in baseline.bits(images).items()}
        result[name] = {
            "images": len(images), "pixels": pixels, "bpp": sum(levels.values()), "levels": levels,
        }  # fmt: skip
    click.echo(json.dumps(result, indent=2))

