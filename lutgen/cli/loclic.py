"""Commands of the lossy colour codec LoC-LIC."""

import json

import click

from .common import Commands, json_option

__all__ = ["loclic"]


@click.group(cls=Commands)
def loclic() -> None:
    """LoC-LIC, the lossy colour codec of low complexity."""


@loclic.command()
@click.option(
    "--config", "names", multiple=True, metavar="NAME", help="May be repeated; all by default."
)
@click.option(
    "--rule", type=click.Choice(["macs", "torchinfo"]), default="macs", show_default=True,
    help="What is counted: true multiplications, or what the package torchinfo prints.",
)  # fmt: skip
@json_option
def complexity(names, rule: str, as_json: bool) -> None:
    """Print kMAC per pixel by block, and parameters, of configurations."""
    from lutgen.training.loclic.complexity import RULES, codec_layers, count
    from lutgen.training.loclic.config import PRESETS, preset

    try:
        configs = {name: preset(name) for name in names or PRESETS}
    except ValueError as error:
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
