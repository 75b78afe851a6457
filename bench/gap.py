"""The discretisation gap over training: soft against hard code length, two ways to train.

    python -m bench.gap emnist_digits --out bench/results

Trains the profile raster-laplace with the paper's nodes, temperatures and noise, in a size that a
CPU has time for: once soft to the end, as in the paper, and once with a hard forward pass and
straight-through gradients from a share of the steps on.  Writes a log of json lines of each,
gap-soft.jsonl and gap-hard.jsonl, which `bench.figures` plots.
"""

from dataclasses import replace
from pathlib import Path

import click

from lutgen.commands import Command
from lutgen.training.data.datasets import load_images
from lutgen.training.dlc.config import NetworkConfig, RasterLaplace, Schedule
from lutgen.training.dlc.train import train_dlc_model


@click.command(cls=Command)
@click.argument("data")
@click.option("--steps", default=1200, show_default=True)
@click.option("--luts", default=128, show_default=True, help="Of each of the two layers.")
@click.option("--pixels", default=1024, show_default=True, help="Windows per batch.")
@click.option("--hard-from", default=0.75, show_default=True, help="Share of the steps.")
@click.option("--images", default=2000, show_default=True, help="Images to train on.")
@click.option("--out", default="bench/results", show_default=True)
def main(data, steps, luts, pixels, hard_from, images, out) -> None:
    """Train both and write their logs."""
    chosen = load_images(data, split="train")[:images]
    # As in the paper, where 8,000 steps are four decades of the connections' temperature.
    schedule = Schedule(steps=steps, decade=max(1, steps // 4))
    config = RasterLaplace(
        arm=NetworkConfig(layers=(luts, luts), thresholds=63), arm_schedule=schedule,
        pixels=pixels, evaluate_every=max(1, steps // 24), orientations=1, held_out_most=100,
    )  # fmt: skip
    for name, start in (("soft", None), ("hard", round(hard_from * steps))):
        path = Path(out, f"gap-{name}.jsonl")
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        run = replace(config, arm_schedule=replace(schedule, hard_from=start))
        figures = train_dlc_model(chosen, run, log=path, name=data).training["metrics"]
        click.echo(
            f"{name}: soft {figures['soft_bpp']:.3f}, hard {figures['hard_bpp']:.3f} bpp, "
            f"gap {100 * figures['gap']:.2f} %"
        )


if __name__ == "__main__":
    main()
