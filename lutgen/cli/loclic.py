"""Commands of the lossy colour codec LoC-LIC."""

import json

import click

from lutgen.commands import Commands, Failure, OutputFile, check_apart, run_files, say
from lutgen.errors import InputError

from .common import json_option, step_progress

__all__ = ["loclic"]


@click.group(cls=Commands)
def loclic() -> None:
    """LoC-LIC, the lossy colour codec of low complexity."""


@loclic.command()
@click.option(
    "--config", "names", multiple=True, metavar="NAME", show_default="all", help="May be repeated."
)
@click.option(
    "--rule", type=click.Choice(["macs", "torchinfo"]), default="macs", show_default=True,
    help="What is counted: true multiplications, or what the package torchinfo prints.",
)  # fmt: skip
@json_option
def complexity(names, rule: str, as_json: bool) -> None:
    """Print kMAC per pixel by block, and parameters, of configurations."""
    from lutgen.training.loclic.measure.complexity import RULES, codec_layers, count
    from lutgen.training.loclic.networks.config import PRESETS, preset

    try:
        configs = {name: preset(name) for name in names or PRESETS}
    except InputError as error:
        raise click.BadParameter(str(error), param_hint="--config") from None
    counts = {name: count(codec_layers(config), rule) for name, config in configs.items()}
    if as_json:
        click.echo(json.dumps({
            "rule": rule,
            "counts": RULES[rule],
            "unit": "kMAC per image pixel",
            "configurations": {
                name: {
                    "source": configs[name].source, "blocks": c.blocks, "total": c.total,
                    "gdn": c.gdn, "attention": c.attention, "all_in": c.all_in,
                    "parameters": c.parameters,
                }
                for name, c in counts.items()
            },
        }, indent=1))  # fmt: skip
        return
    _print(counts, f"kMAC per pixel, rule {rule}: {RULES[rule]}")


@loclic.command()
@click.option(
    "--data",
    multiple=True,
    required=True,
    metavar="DATA",
    help="Picture, or folder of pictures, of 8 bits per channel; may be repeated.",
)
@click.option("--config", "name", default="loc-lic-small", show_default=True, metavar="NAME")
@click.option(
    "--lambda",
    "weight",
    type=float,
    default=0.0130,
    show_default=True,
    help="Weight of the squared error; the papers have .0018 .0035 .0067 .0130 .0250 .0483.",
)
@click.option("--steps", type=click.IntRange(0), default=2000, show_default=True)
@click.option(
    "--prior-steps", type=click.IntRange(0), default=0, show_default=True,
    help="Steps before all others, without context networks: four times faster.",
)  # fmt: skip
@click.option(
    "--large-steps", type=click.IntRange(0), default=0, show_default=True,
    help="Steps after all others, on larger crops.",
)  # fmt: skip
@click.option(
    "--rate", type=float, default=6e-4, show_default=True,
    help="Adam's rate at its highest; the papers' millions of steps have 1e-4.",
)  # fmt: skip
@click.option(
    "--ramp-steps", "ramp", type=int, show_default="a twentieth of all steps",
    help="First steps, in which the rate grows from zero.",
)  # fmt: skip
@click.option(
    "--end", type=float, default=0.01, show_default=True,
    help="Share of the rate that a cosine leaves at the end; 1 for no decay.",
)  # fmt: skip
@click.option("--crop", type=int, default=256, show_default=True, help="Side of crops in pixels.")
@click.option("--large-crop", type=int, default=512, show_default=True)
@click.option("--batch", type=int, default=8, show_default=True, help="Crops per step.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--start", metavar="FILE", show_default="random weights",
    help="Codec to begin from: trained, *.pt, exported, *.loclic, or the shipped loc-lic-mini.",
)  # fmt: skip
@click.option(
    "--rounding", type=float, nargs=2, default=(1.0, 1.0), show_default="1.0 1.0",
    help="Least and greatest rounding step of y, drawn for each crop, whose weight is lambda over "
    "its square: one codec for all rates between.",
)  # fmt: skip
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), show_default="cuda where there is",
    help="Where to compute.",
)  # fmt: skip
@click.option(
    "--checkpoint", type=OutputFile(), show_default="MODEL.ckpt", help="State to go on from."
)
@click.option("--log", type=OutputFile(), show_default="MODEL.jsonl", help="Log, lines of json.")
@json_option
@click.option("-o", "--out", required=True, type=OutputFile(), help="Trained codec, *.pt.")
def train(
    data, name, weight, rate, ramp, end, seed, start, rounding, device, checkpoint, log, as_json,
    out, **plan,
) -> None:  # fmt: skip
    """Train a codec.

    A run that was stopped goes on where it was when the same command is given again.  Under
    torchrun, processes train together: torchrun --nproc-per-node 2 -m lutgen loclic train ...
    """
    from lutgen.training.loclic.networks.config import preset
    from lutgen.training.loclic.schedule import TrainConfig, stages

    try:
        config = TrainConfig(
            codec=preset(name), stages=stages(**plan), weight=weight, seed=seed, rate=rate,
            ramp=ramp, end=end, rounding=rounding,
        )  # fmt: skip
    except InputError as error:
        raise click.UsageError(str(error)) from error
    import torch

    from lutgen.formats.colour import colour_files
    from lutgen.training.loclic.reopen import load_start
    from lutgen.training.loclic.store import save_codec
    from lutgen.training.loclic.train import train_codec
    from lutgen.training.run.parallel import processes, rank

    check_apart({"-o": out, "--checkpoint": checkpoint, "--log": log}, [*data, start])
    files = [file for spec in data for file in colour_files(spec)]
    paths = run_files(out, checkpoint, log)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with processes(device) as own, step_progress() as progress:
        try:
            first, before = (None, None) if start is None else load_start(start)
            network, record = train_codec(
                files, config, start=first, device=own, progress=progress,
                checkpoint=paths["checkpoint"], log=paths["log"],
            )  # fmt: skip
        except InputError as error:
            raise Failure(str(error)) from error
        if rank():
            return
    if before is not None:
        record["start"] = before
    save_codec(out, network, record)
    if paths["checkpoint"]:
        paths["checkpoint"].unlink(missing_ok=True)  # not before the codec is in safety
    last = record["last"]
    if as_json:
        click.echo(json.dumps(record, indent=1))
    else:
        say(
            f"{out}: {last['step']} steps in {last['seconds']:.0f} s; mean of the last steps "
            f"{last['bpp']:.3f} bpp (estimate), {last['psnr']:.2f} dB on training crops"
        )


def _print(counts, title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("block")
    for name in counts:
        table.add_column(name, justify="right")

    def row(title: str, values, form: str = ".2f") -> None:
        table.add_row(title, *(format(value, form) for value in values))

    first = next(iter(counts.values()))
    for block in first.blocks:
        row(block, [c.blocks[block] for c in counts.values()])
    table.add_section()
    row("convolutions + linear" if first.gdn else "all", [c.total for c in counts.values()])
    if first.gdn:
        for block in first.gdn:
            row(f"GDN of {block}", [c.gdn[block] for c in counts.values()])
        row("attention products", [sum(c.attention.values()) for c in counts.values()])
        row("all in", [c.all_in for c in counts.values()])
    row("parameters, millions", [c.parameters / 1e6 for c in counts.values()])
    console = Console()
    if not console.is_terminal:
        console.width = 24 + 18 * len(counts)  # of a pipe is not known; rows must not wrap
    click.echo(title)
    console.print(table)
