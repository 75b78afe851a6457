"""What commands share: options and progress displays.

Commands import what they need when they run: ``lutgen --help`` stays quick, and an installation
without an extra does without its commands only.
"""

import json
import re
from contextlib import contextmanager

import click
from click.core import ParameterSource

from lutgen.build.options import TOPS, BuildOptions, PredictiveOptions
from lutgen.commands import Failure
from lutgen.errors import InputError
from lutgen.model.default import DEEP, DEFAULT, NAMES

__all__ = [
    "MODEL_HELP",
    "Tile",
    "coder_options",
    "core_progress",
    "cores_option",
    "design_of",
    "design_options",
    "encoder_lanes_option",
    "json_option",
    "lanes_option",
    "make_design",
    "model_option",
    "name_option",
    "on_command_line",
    "pixel_progress",
    "registers_option",
    "step_progress",
    "threads_option",
    "tile_option",
    "top_option",
    "work_progress",
]


class Tile(click.ParamType):
    name = "WxH"

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", value)
        sides = tuple(map(int, match.groups())) if match else ()
        if not sides or not all(1 <= side <= 64 for side in sides):
            self.fail(f"tile must be WxH with sides of 1 to 64 pixels, not {value!r}", param, ctx)
        return sides


MODEL_HELP = f"Model file, or name of one that comes with lutgen: {', '.join(NAMES)}"
model_option = click.option(
    "--model", metavar="MODEL", help=f"{MODEL_HELP}.",
    show_default=f"{DEFAULT}; {DEEP[DEFAULT]} above 8 bits",
)
tile_option = click.option(
    "--tile", type=Tile(), default=BuildOptions.tile,
    show_default="{}x{}".format(*BuildOptions.tile), help="Size of a tile in pixels.",
)
lanes_option = click.option(
    "--lanes", type=int, metavar="N", show_default="what its pipeline needs",
    help="Of the decoder.",
)  # fmt: skip
encoder_lanes_option = click.option(
    "--encoder-lanes", type=int, metavar="N", show_default="what its pipeline needs",
    help="Of the encoder.",
)  # fmt: skip
registers_option = click.option(
    "--registers", is_flag=True, help="AXI4-Lite registers and an interrupt."
)
cores_option = click.option(
    "--cores", type=int, default=BuildOptions.cores, show_default=True, metavar="M",
    help="Cores behind each pair of ports, and pixels per beat: 1, 2, 4 or 8.",
)  # fmt: skip
name_option = click.option(
    "--name", metavar="NAME", show_default="lutgen_ and the model's hash",
    help="What names of modules, tables, IP and drivers begin with.",
)  # fmt: skip
threads_option = click.option(
    "--threads", type=click.IntRange(1, 1024), show_default="one per core",
    help="Of the codec.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print json to standard output.")


def coder_options(command):
    """The options ``--coder`` and ``--tans-bits``, for `lutgen.codec.coder.coder_named`."""
    for option in (
        click.option(
            "--tans-bits", type=int, metavar="L", show_default="9",
            help="2^L states for each class, 8 to 12.",
        ),
        click.option(
            "--coder", type=click.Choice(["rans", "tans"]), default=BuildOptions.coder,
            show_default=True, help="Entropy coder; tans for models with tables of their own.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def top_option(*more: str, help: str = "One core, or both."):
    """The option ``--top``; ``more`` are tops besides the image codec's."""
    return click.option(
        "--top", type=click.Choice([*TOPS, *more]), default=BuildOptions.top,
        show_default=True, help=help,
    )  # fmt: skip


def _either(name: str) -> str:
    """Defaults of an option that the profiles share, as ``--help`` shows them."""
    other = getattr(PredictiveOptions, name)
    return f"{getattr(BuildOptions, name)}, of profile predictive {other}"


def design_options(command):
    """What a design of one or both cores is made of: lanes, sizes, coder, see `design_of`."""
    for option in (
        coder_options,
        *(click.option(
            name, type=int, metavar=shape, show_default=default,
            help=f"{text} Of profile predictive.",
        ) for name, shape, default, text in (
            ("--near", "N", "lossless alone",
             "Greatest error of a sample that files may be coded with."),
            ("--strip-height", "ROWS", "one strip, of several cores 64",
             "Rows of a strip, a multiple of 4."),
            ("--depth", "BITS", str(PredictiveOptions.depth), "Of a sample, 8 to 16."),
        )),
        click.option(
            "--stream-bytes", type=int, default=BuildOptions.stream_bytes, show_default=True,
            help="Width of the file's TDATA.",
        ),
        click.option(
            "--max-height", type=int, show_default=_either("max_height"),
        ),
        click.option(
            "--max-width", type=int, show_default=_either("max_width"),
            help="Of images, in pixels.",
        ),
        tile_option,
        encoder_lanes_option,
        lanes_option,
    ):  # fmt: skip
        command = option(command)
    return command


def on_command_line(ctx: click.Context, name: str | None) -> bool:
    """Whether a parameter stands there, and is no default."""
    return name is not None and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def design_of(ctx, model, options: dict) -> BuildOptions | PredictiveOptions:
    """Options of the model's profile, from what of them stands on the command line.

    Raises
    ------
    click.UsageError
        If one of them is of another profile.
    """
    from dataclasses import fields

    from lutgen.build.blueprints import blueprint_kind
    from lutgen.build.buildable import find_buildable

    profile = find_buildable(model, options.get("depth") or PredictiveOptions.depth).profile
    kind = blueprint_kind(profile).options_kind
    known = {field.name for field in fields(kind)}
    given = {
        name: value for name, value in options.items()
        if on_command_line(ctx, name)
    }  # fmt: skip
    for name in given.keys() - known:
        hint = ": choose another --model" if model is None else ""
        if name in ("coder", "tans_bits") and not hint:
            hint = ": its cores have rANS, tANS is for software alone"
        raise click.UsageError(
            f"--{name.replace('_', '-')} must be left out for a model of profile {profile}{hint}"
        )
    return kind(**given)


def _bar(*columns):
    """A progress display on stderr, gone when it ends; nothing where nobody looks on."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def step_progress():
    """A bar as a function of step, work done and all work."""
    with _bar() as bar:
        tasks = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield tell


@contextmanager
def work_progress():
    """One bar over all steps of a run, as a function of step, work done and all work."""
    with _bar() as bar:
        task = bar.add_task("", total=None)
        yield lambda step, done, total: bar.update(
            task, description=step, completed=done, total=total
        )


@contextmanager
def core_progress(title: str):
    """A line for each core, as a function of the core and what is done for it."""
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    with _bar(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as bar:
        tasks = {}

        def tell(core: str, step: str) -> None:
            text = f"{title} {core}: {step}"
            if core not in tasks:
                tasks[core] = bar.add_task(text, total=None)
            bar.update(tasks[core], description=text)

        yield tell


@contextmanager
def pixel_progress(step: str, total: int | None):
    """A bar as a function of the pixels just done."""
    with _bar() as bar:
        task = bar.add_task(step, total=total)
        yield lambda count: bar.advance(task, count)


def make_design(title: str, make, table, summary, as_json: bool, *, files, failures) -> None:
    """Run ``make(progress)`` and print the record that it gives.

    ``files`` are errors of what a file holds, ``failures`` those of tools; any other InputError is
    bad usage.
    """
    try:
        with core_progress(title) as progress:
            record = make(progress)
    except files:
        raise
    except failures as error:
        raise Failure(str(error)) from error
    except InputError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(record, indent=2))
        return
    from rich.console import Console

    if record.get("pair", True):  # None where nothing was counted; routes have none
        Console().print(table(record))
    click.echo(summary(record))
