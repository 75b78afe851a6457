"""Commands of the gateware: build, sim, targets."""

import json
import os

import click

from lutgen.build.options import ENGINE
from lutgen.commands import Failure
from lutgen.files.whole import OutputError, check_folder

from .common import (
    core_progress,
    cores_option,
    design_of,
    design_options,
    json_option,
    make_design,
    model_option,
    name_option,
    on_command_line,
    registers_option,
    top_option,
)

__all__ = ["build_", "sim", "targets"]


@click.command("build")
@click.option("--target", required=True, help="Device, see `lutgen targets`.")
@model_option
@top_option(
    ENGINE,
    help="One core, or both; or the entropy coder of the lossy codec, whose file --model then is; "
    "without one, the tables are those of the format alone.",
)
@design_options
@registers_option
@cores_option
@name_option
@click.option(
    "--out", metavar="DIR", show_default="rtl_out/TARGET/TOP-...", help="Folder of the build."
)
@click.option(
    "--testbench", type=click.Path(exists=True, dir_okay=False), metavar="IMAGE",
    show_default="a small drawn one",
    help="Gray image that the testbench sends and expects; its upper left if it is larger than the "
    "cores' largest.",
)  # fmt: skip
@click.option("--no-estimate", is_flag=True, help="Do not count resources, which takes a minute.")
@json_option
@click.pass_context
def build_(ctx, target, model, out, testbench, no_estimate, as_json, **options) -> None:
    """Write the Verilog of a model's encoder and decoder, and a testbench for any simulator."""
    if options["top"] == ENGINE:
        from .engine import build_engine

        given = {name: options[name] for name in ("stream_bytes", "name")}
        build_engine(ctx, target, model, out, no_estimate=no_estimate, as_json=as_json, **given)
        return
    from lutgen.build.blueprints import summary, table
    from lutgen.build.codec import BuildError, build
    from lutgen.formats.rules import ImageError
    from lutgen.model.model import ModelError

    make_design(
        "making the",
        lambda progress: build(
            target, model, design_of(ctx, model, options), out=out, estimate=not no_estimate,
            testbench=testbench, progress=progress,
        ),
        table, summary, as_json, files=(ModelError, ImageError), failures=BuildError,
    )  # fmt: skip


@click.command("sim")
@model_option
@click.option(
    "--images", multiple=True, metavar="PATH", show_default="synthetic ones and odd sizes",
    help="Image or folder, may be repeated.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", show_default="all",
    help="First N images only, or symbols of a synthetic stream.",
)  # fmt: skip
@click.option(
    "--top", type=click.Choice(["codec", ENGINE]), default="codec", show_default=True,
    help="Or the entropy coder of the lossy codec.",
)  # fmt: skip
@click.option(
    "--stream", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
    show_default="100,000 synthetic ones",
    help="Symbols for the entropy engine: .npz with classes, symbols and payload.",
)  # fmt: skip
@click.option("--target", default="zynq7045", show_default=True)
@design_options
@cores_option
@registers_option
@click.option(
    "--stall", type=float, metavar="P", show_default="images at full speed, phases 0.3",
    help="Share of clocks in which ports stall at random.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--build", "folder", metavar="DIR", show_default="a design of its own",
    help="What `lutgen build` has written.",
)  # fmt: skip
@click.option(
    "--quick", is_flag=True,
    help="Leave out the phases: limits, files in a row, full buffers, errors, drawn pictures.",
)  # fmt: skip
@click.option(
    "--edited", is_flag=True, help="With --build: simulate although files are not what was written."
)
@click.option(
    "--saif", is_flag=True, help="Write switching activity for power reports beside the build."
)
@json_option
@click.pass_context
def sim(
    ctx, model, images, limit, top, stream, target, folder, stall, seed, quick, edited, saif,
    as_json, **options,
) -> None:
    """Simulate the Verilog and compare it with the reference codec, byte for byte.

    Of a build, each file must first be what was written (build.json has the hashes), and tables and
    LUTs in the files what its model says. Then images pass through the cores, and after them phases
    that show faults: sizes up to the limits, files of one to many images in a row, stalls of every
    kind and full buffers, every error, provoked, seen and cleared, and pictures drawn from the
    model.
    """
    engine = {
        "stream": stream, "limit": limit, "stall": stall, "seed": seed, "quick": quick,
        "edited": edited, "as_json": as_json,
    }  # fmt: skip
    if edited and not folder:
        raise click.UsageError("--edited must stand with --build, whose files it is about")
    if folder:
        from lutgen.build.codec import load_build

        if load_build(folder, tops=None)["parameters"]["top"] == ENGINE:
            from .engine import sim_engine_build

            sim_engine_build(ctx, folder, **engine)
            return
    if top == ENGINE:
        from .engine import sim_engine

        if folder:
            raise click.UsageError(f"--build must hold the entropy engine, which {folder} does not")
        sim_engine(ctx, target, model, **engine)
        return
    if stream:
        raise click.UsageError("--stream must stand with --top entropy-engine")
    from lutgen.sim.check.check import check, check_build
    from lutgen.sim.check.check_table import summary, table
    from lutgen.sim.tool.verilator import SimulationError

    decided = ("model", "target", *options)
    given = [name for name in decided if on_command_line(ctx, name)]
    if folder and given:
        raise click.UsageError(
            f"--build must stand without --{given[0].replace('_', '-')}, which the build decides"
        )
    if saif and not folder:
        raise click.UsageError("--saif must stand with --build, in whose folder the files belong")
    if saif:
        try:
            check_folder(os.path.join(folder, "saif"), folder)
        except OutputError as error:
            raise click.BadParameter(str(error), param_hint="--saif") from None
    design = None if folder else design_of(ctx, model, options)
    if images:
        from lutgen.formats.imageio import DEEP_GRAY, GRAY_8, read_images

        parameters = design.record() if design else load_build(folder)["parameters"]
        limits = DEEP_GRAY if parameters.get("depth", 8) > 8 else GRAY_8
        named = [
            (f"{path} {k}", image)
            for path in images for k, image in enumerate(read_images(path, limits))
        ][:limit]  # fmt: skip
    else:
        named = None
    common = {"count": limit, "stall": stall, "seed": seed, "quick": quick}
    try:
        with core_progress("simulating the") as progress:
            if folder:
                result = check_build(
                    folder, named, edited=edited, saif=saif, progress=progress, **common
                )
            else:
                result = check(
                    model, named, design, target=target, progress=progress, **common
                )
    except SimulationError as error:
        raise Failure(str(error)) from error
    if as_json:
        click.echo(json.dumps(result, indent=2))
    else:
        from rich.console import Console

        Console().print(table(result))
        click.echo(summary(result))
        for path in result.get("saif", {}).values():
            click.echo(f"switching activity in {path}")
    if not result["ok"]:
        raise Failure("\n  ".join(["build and reference must agree, but:", *result["problems"]]))


@click.command()
@json_option
def targets(as_json) -> None:
    """List the devices that designs are built for, and how many cores would fit."""
    from dataclasses import asdict

    from lutgen.targets import all_targets
    from lutgen.targets.fit import fit
    from lutgen.targets.table import notes, table

    if as_json:
        found = [asdict(target) | {"fit": asdict(fit(target))} for target in all_targets()]
        click.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console

    Console().print(table(all_targets()))
    click.echo("\n" + notes(all_targets()))
