"""The discretisation gap over training: soft against hard code length, two ways to train.

    python -m bench.gap emnist_digits --out bench/results
    python -m bench.gap emnist_digits --out bench/results --profile gic-dlc --only soft --luts 512 \
        --thresholds 255 --steps 2000 --images 8000 --name pyramid

Trains with the paper's nodes, temperatures and noise, in a size that a CPU has time for: once soft
to the end, as in the paper, and once with a hard forward pass and straight-through gradients from a
share of the steps on.  Writes a log of json lines of each, gap-soft.jsonl and gap-hard.jsonl, which
`bench.figures` plots, and the models beside them if they are asked for.  Of a pyramid the
upsampling model takes half of the steps.
"""

from dataclasses import replace
from pathlib import Path

import click

from lutgen.commands import Command
from lutgen.training.data.datasets import load_images
from lutgen.training.dlc.config import GicDlc, NetworkConfig, RasterLaplace, Schedule
from lutgen.training.dlc.train import train_dlc_model

#: Configurations by name.
_PROFILES = {"raster-laplace": RasterLaplace, "gic-dlc": GicDlc}


@click.command(cls=Command)
@click.argument("data")
@click.option("--steps", default=1200, show_default=True)
@click.option("--luts", default=128, show_default=True, help="Of each of the two layers.")
@click.option("--pixels", default=1024, show_default=True, help="Windows per batch.")
@click.option("--hard-from", default=0.75, show_default=True, help="Share of the steps.")
@click.option("--images", default=2000, show_default=True, help="Images to train on.")
@click.option("--thresholds", default=63, show_default=True, help="Of each pixel.")
@click.option(
    "--profile", type=click.Choice(sorted(_PROFILES)), default="raster-laplace", show_default=True
)
@click.option("--only", type=click.Choice(["soft", "hard"]), help="One of the two ways.")
@click.option("--name", default="gap", show_default=True, help="Of the files.")
@click.option("--models/--no-models", default=False, show_default=True, help="Write models, too.")
@click.option("--out", default="bench/results", show_default=True)
def main(
    data, steps, luts, pixels, hard_from, images, thresholds, profile, only, name, models, out
) -> None:  # fmt: skip
    """Train both and write their logs."""
    chosen = load_images(data, split="train")[:images]
    # As in the paper, where 8,000 steps are four decades of the connections' temperature.
    schedule = Schedule(steps=steps, decade=max(1, steps // 4))
    half = Schedule(steps=max(1, steps // 2), decade=max(1, steps // 8))
    network = NetworkConfig(layers=(luts, luts), thresholds=thresholds)
    config = _PROFILES[profile](
        arm=network, ups=network, arm_schedule=schedule, ups_schedule=half, pixels=pixels,
        evaluate_every=max(1, steps // 24), orientations=1, held_out_most=100, mapping="paper",
    )  # fmt: skip
    for way, start in (("soft", None), ("hard", round(hard_from * steps))):
        if only not in (None, way):
            continue
        path = Path(out, f"{name}-{way}.jsonl")
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        run = replace(config, arm_schedule=replace(schedule, hard_from=start))
        model = train_dlc_model(chosen, run, log=path, name=data)
        if models:
            model.save(path.with_suffix(".lutgen"))
        figures = model.training["metrics"]
        click.echo(
            f"{way}: soft {figures['soft_bpp']:.3f}, hard {figures['hard_bpp']:.3f} bpp, "
            f"gap {100 * figures['gap']:.2f} %"
        )


if __name__ == "__main__":
    main()
