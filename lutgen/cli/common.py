"""What commands share: options, progress displays and errors.

Commands import what they need when they run: ``lutgen --help`` stays quick, and an installation
without an extra does without its commands only.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from lutgen.extras import missing
from lutgen.files.whole import STANDARD, check_output, is_stream

__all__ = [
    "Command",
    "Commands",
    "Failure",
    "OutputFile",
    "Tile",
    "coder_options",
    "check_apart",
    "core_progress",
    "cores_option",
    "design_options",
    "encoder_lanes_option",
    "json_option",
    "lanes_option",
    "load_model",
    "make_design",
    "model_option",
    "name_option",
    "pixel_progress",
    "registers_option",
    "run_files",
    "say",
    "step_progress",
    "threads_option",
    "tile_option",
    "top_option",
]


class Failure(click.ClickException):
    """Bad data or a failed check: one line, exit status 1."""

    def show(self, file=None) -> None:
        click.echo(f"error: {self.message}", err=True)


class MissingExtra(Failure):
    """A command whose extra is not installed: one line, exit status 2."""

    exit_code = 2


class _OneLine:
    """Turns the errors that users cause into one line each."""

    def main(self, *arguments, **options):
        # Names of files may be no text in any encoding; they are shown as well as they can be.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            raise click.exceptions.Exit(128 + signal.SIGINT) from None
        except BrokenPipeError:
            raise  # click ends quietly
        except OSError as error:
            where = f"{error.filename}: " if error.filename is not None else ""
            raise Failure(where + (error.strerror or str(error))) from error
        except MemoryError as error:
            raise Failure(f"out of memory {error}".rstrip()) from error
        except ModuleNotFoundError as error:
            found = missing(error)
            if found is None:
                raise
            raise MissingExtra(found) from error
        except ValueError as error:
            raise Failure(" ".join(str(error).split())) from error


class Command(_OneLine, click.Command):
    """A command that stands alone."""


class Commands(_OneLine, click.Group):
    """A group of commands."""


class OutputFile(click.ParamType):
    """A file to be written, checked before any work is done; ``-`` is standard output.

    Parameters
    ----------
    form:
        Called with the name, raises ValueError if its ending is of no format that can be written;
        standard output, devices and pipes need no ending.
    """

    name = "FILE"

    def __init__(self, form: Callable[[str], object] | None = None) -> None:
        self._form = form

    def convert(self, value, param, ctx):
        try:
            if self._form is not None and not is_stream(value):
                self._form(value)
            check_output(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return value


def check_apart(outputs: Mapping[str, str | Path | None], inputs: Iterable[str | None]) -> None:
    """A usage error if an output is an input, a picture in an input's folder, or another output.

    ``outputs`` are files by the option that names them; ``inputs`` are files, folders, names of
    data sets, or None.
    """
    files = {hint: Path(path) for hint, path in outputs.items() if path not in (None, STANDARD)}
    for hint, path in files.items():
        others = [other for key, other in files.items() if key != hint]
        if any(_same(path, other) for other in others):
            raise click.BadParameter(f"output must not be another output, {path}", param_hint=hint)
        for name in inputs:
            if name is not None and _holds(Path(name), path):
                raise click.BadParameter(
                    f"output must not be the input {name}"
                    + (f": {path} is a picture in it" if Path(name).is_dir() else ""),
                    param_hint=hint,
                )


def run_files(out: str, checkpoint: str | None, log: str | None) -> dict[str, Path | None]:
    """Checkpoint and log of a training run, by default beside its model file ``out``; checked.

    A model that goes to a pipe or device has neither unless it is named.
    """
    found = {}
    for name, chosen, suffix in (("checkpoint", checkpoint, "ckpt"), ("log", log, "jsonl")):
        if chosen is not None and is_stream(chosen):
            raise click.BadParameter(
                f"{name} must be a file, not {chosen!r}", param_hint=f"--{name}"
            )
        path = chosen or (None if is_stream(out) else f"{out}.{suffix}")
        if path is not None:
            try:
                check_output(path)
            except ValueError as error:
                raise click.BadParameter(str(error), param_hint=f"--{name}") from None
        found[name] = path and Path(path)
    return found


def _same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other) and path.is_file()
    return os.path.realpath(path) == os.path.realpath(other)


def _holds(name: Path, path: Path) -> bool:
    """Whether writing ``path`` would destroy what the input ``name`` reads."""
    from lutgen.colour import PICTURES
    from lutgen.imageio import ENDINGS

    if name.is_dir():
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(name))
        return inside and path.is_file() and path.suffix.lower() in (*PICTURES, *ENDINGS)
    array = name.with_name(name.name.rpartition(":")[0] or name.name)  # of set.npz:train
    return any(place.is_file() and _same(place, path) for place in (name, array))


def say(text: str) -> None:
    """A line about what was done: to standard error, since standard output is for data."""
    click.echo(text, err=True)


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


model_option = click.option(
    "--model", metavar="FILE", show_default="the embedded one", help="Model file."
)
tile_option = click.option(
    "--tile", type=Tile(), default=(32, 32), show_default="32x32", help="Size of a tile in pixels."
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
    "--cores", type=int, default=1, show_default=True, metavar="M",
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
            "--coder", type=click.Choice(["rans", "tans"]), default="rans", show_default=True,
            help="Entropy coder; tans for models with a table head.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def top_option(*more: str, help: str = "One core, or both."):
    """The option ``--top``; ``more`` are tops besides the image codec's."""
    return click.option(
        "--top", type=click.Choice(["encoder", "decoder", "codec", *more]), default="codec",
        show_default=True, help=help,
    )  # fmt: skip


def design_options(command):
    """What a design of one or both cores is made of: lanes, sizes, coder."""
    for option in (
        coder_options,
        click.option(
            "--stream-bytes", type=int, default=4, show_default=True,
            help="Width of the file's TDATA.",
        ),
        click.option("--max-height", type=int, default=4096, show_default=True),
        click.option(
            "--max-width", type=int, default=512, show_default=True, help="Of images, in pixels."
        ),
        tile_option,
        encoder_lanes_option,
        lanes_option,
    ):  # fmt: skip
        command = option(command)
    return command


def load_model(path: str | None):
    from lutgen.model.model import Model

    return Model.default() if path is None else Model.load(path)


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

    ``files`` are errors of what a file holds, ``failures`` those of tools; any other ValueError is
    bad usage.
    """
    try:
        with core_progress(title) as progress:
            record = make(progress)
    except files:
        raise
    except failures as error:
        raise Failure(str(error)) from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(record, indent=2))
        return
    from rich.console import Console

    if record.get("pair", True):  # None where nothing was counted; routes have none
        Console().print(table(record))
    click.echo(summary(record))
