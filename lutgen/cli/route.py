"""Command that places and routes: route."""

import click

from .common import (
    design_of,
    design_options,
    json_option,
    make_design,
    model_option,
    top_option,
)

__all__ = ["route_"]


@click.command("route")
@click.option("--target", required=True, help="Device; nextpnr routes ecp5-45k.")
@model_option
@click.option(
    "--block", "blocks", multiple=True, metavar="NAME", show_default="whole cores",
    help="Part of the cores to route alone: coder, head, ...; may be repeated.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="Where placement begins."
)
@top_option()
@design_options
@json_option
@click.pass_context
def route_(ctx, target, model, blocks, seed, as_json, **options) -> None:
    """Place and route a model's encoder and decoder: a clock that a real device reaches.

    Each on its own, some minutes a core, in a frame of shift registers, so that no path ends at a
    pin.
    """
    from lutgen.build.route import route_cores, summary, table
    from lutgen.model.model import ModelError
    from lutgen.synth import SynthError
    from lutgen.synth.nextpnr import RouteError

    make_design(
        "placing the",
        lambda progress: route_cores(
            target, model, design_of(ctx, model, options), blocks=blocks, seed=seed,
            progress=progress,
        ),
        table, summary, as_json, files=ModelError, failures=(SynthError, RouteError),
    )  # fmt: skip
