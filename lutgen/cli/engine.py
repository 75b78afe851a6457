"""The entropy engine of the lossy codec, for the commands build and sim."""

import json

import click

from lutgen.commands import Failure

from .common import core_progress, make_design, on_command_line

__all__ = ["build_engine", "refuse", "sim_engine", "sim_engine_build"]


def refuse(ctx: click.Context, allowed: tuple[str, ...], why: str) -> None:
    """A usage error for options on the command line that make no sense."""
    for parameter in ctx.command.params:
        given = on_command_line(ctx, parameter.name)
        if given and parameter.name not in allowed:
            raise click.UsageError(f"{parameter.opts[0]} must be left out {why}")


def build_engine(ctx, target, model, out, *, no_estimate, as_json, **options) -> None:
    """``lutgen build --top entropy-engine``."""
    from lutgen.build.codec import BuildError
    from lutgen.build.engine import EngineOptions, build_engine
    from lutgen.build.engine_text import summary, table
    from lutgen.files.archive import ArchiveError

    allowed = ("target", "model", "top", "stream_bytes", "name", "out", "no_estimate", "as_json")
    refuse(ctx, allowed, "with --top entropy-engine")
    make_design(
        "making the",
        lambda progress: build_engine(
            target, model, EngineOptions(**options), out=out, estimate=not no_estimate,
            progress=progress,
        ),
        table, summary, as_json, files=ArchiveError, failures=BuildError,
    )  # fmt: skip


def sim_engine(ctx, target, model, **options) -> None:
    """``lutgen sim --top entropy-engine``."""
    from lutgen.sim.check.check_engine import check_new_engine

    allowed = ("target", "model", "top", "stream", "limit", "stall", "seed", "quick", "as_json")
    refuse(ctx, allowed, "with --top entropy-engine")
    del options["edited"]
    _sim(lambda **more: check_new_engine(target, model, **more), **options)


def sim_engine_build(ctx, folder, **options) -> None:
    """``lutgen sim --build`` of a folder with the engine."""
    from lutgen.sim.check.check_engine import check_engine_build

    allowed = (
        "folder", "top", "stream", "limit", "stall", "seed", "quick", "edited", "as_json",
    )  # fmt: skip
    refuse(ctx, allowed, f"with the entropy engine of {folder}")
    _sim(lambda **more: check_engine_build(folder, **more), **options)


def _sim(check, *, stream, limit, as_json, **options) -> None:
    from lutgen.sim.tool.verilator import SimulationError

    if stream and limit:
        raise click.UsageError("--limit must be left out with --stream, which is taken as a whole")
    try:
        with core_progress("simulating the") as progress:
            result = check(stream=stream, count=limit, progress=progress, **options)
    except SimulationError as error:
        raise Failure(str(error)) from error
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        click.echo(_summary(result))
    if not result["ok"]:
        raise Failure("\n  ".join(["build and reference must agree, but:", *result["problems"]]))


def _summary(result) -> str:
    compared = result["compared"]
    lines = [f"{compared['files']} files compared with their hashes, and the list of them"]
    for core, counts in compared["tables"].items():
        lines.append(
            f"{core}: {counts['tables']} tables of {counts['words']} words read back and compared "
            "with the model"
        )
    if "symbols" in result:
        lines.append(
            f"{result['symbols']} symbols of {result['classes']} classes in {result['bytes']} "
            "bytes, and one damaged payload"
        )
    for core in ("encoder", "decoder"):
        if (found := result.get(core)) is None:
            continue
        clocks = found["clocks_per_symbol"]
        lines.append(
            f"{core}: {'DIFFERS' if found['mismatches'] else 'equal'}, "
            f"{'-' if clocks is None else f'{clocks:.4f}'} clocks per symbol, "
            f"{found['clocks_per_second']} clocks per second simulated"
        )
    for core, run in result["runs"].items():
        lines.append(
            f"{core}: {run['phases']} phases with {run['sequences']} sequences and {run['resets']} "
            "resets: every class and symbol, sequences in a row, stalls, errors"
        )
    return "\n".join(lines)
