"""What makes a function a command: errors in one line, outputs checked first, lines for people.

For the command line and for every module that is a command by itself.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from lutgen.errors import InputError, LutgenError
from lutgen.extras import missing
from lutgen.files.pictures import COLOUR_ENDINGS, GRAY_ENDINGS
from lutgen.files.whole import STANDARD, check_output, is_stream

__all__ = ["Command", "Commands", "Failure", "OutputFile", "check_apart", "run_files", "say"]


#: Where a command's context notes that ``--debug`` was given.
_DEBUG = "lutgen.debug"


def _note_debug(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta[_DEBUG] = value or ctx.meta.get(_DEBUG, False)


class Failure(click.ClickException):
    """Bad data or a failed check: one line, exit status 1."""

    def show(self, file=None) -> None:
        click.echo(f"error: {self.message}", err=True)


class MissingExtra(Failure):
    """A command whose extra is not installed: one line, exit status 2."""

    exit_code = 2


class InternalError(Failure):
    """A bug of lutgen: one line that asks for a report, exit status 70."""

    exit_code = 70  # EX_SOFTWARE of sysexits.h

    def __init__(self, error: Exception) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(f"{type(error).__name__}: {error}".split())
        super().__init__(
            f"internal error in {Path(where.filename).name}, line {where.lineno}: {text}; this is "
            "a bug of lutgen: please report it with what the command prints when --debug is "
            "its first option"
        )


class _OneLine(click.Command):
    """Turns the errors that users cause, and bugs, into one line each."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.params.append(click.Option(
            ["--debug"], is_flag=True, expose_value=False, callback=_note_debug,
            help="Show where in the code an error comes from.",
        ))  # fmt: skip

    def main(self, *arguments, **options):
        # Names of files may be no text in any encoding; they are shown as well as they can be.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context):
        try:
            return self._debug(ctx)
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
                raise InternalError(error) from error
            raise MissingExtra(found) from error
        except LutgenError as error:
            raise Failure(" ".join(str(error).split())) from error
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            raise InternalError(error) from error


    def _debug(self, ctx: click.Context):
        """Run the command; with ``--debug``, print the traceback of what stops it."""
        try:
            return super().invoke(ctx)
        except (click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            # An inner group has printed what it turned into a line.
            if ctx.meta.get(_DEBUG) and not isinstance(error, Failure):
                traceback.print_exc()
            raise


class Command(_OneLine):
    """A command that stands alone."""


class Commands(_OneLine, click.Group):
    """A group of commands."""


class OutputFile(click.ParamType):
    """A file to be written, checked before any work is done; ``-`` is standard output.

    Parameters
    ----------
    form:
        Called with the name, raises InputError if its ending is of no format that can be written;
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
        except InputError as error:
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
    found: dict[str, Path | None] = {}
    for name, chosen, suffix in (("checkpoint", checkpoint, "ckpt"), ("log", log, "jsonl")):
        if chosen is not None and is_stream(chosen):
            raise click.BadParameter(
                f"{name} must be a file, not {chosen!r}", param_hint=f"--{name}"
            )
        path = chosen or (None if is_stream(out) else f"{out}.{suffix}")
        if path is not None:
            try:
                check_output(path)
            except InputError as error:
                raise click.BadParameter(str(error), param_hint=f"--{name}") from None
        found[name] = None if path is None else Path(path)
    return found


def _same(path: Path, other: Path) -> bool:
    if path.exists() and other.exists():
        return path.samefile(other) and path.is_file()
    return os.path.realpath(path) == os.path.realpath(other)


def _holds(name: Path, path: Path) -> bool:
    """Whether writing ``path`` would destroy what the input ``name`` reads."""
    if name.is_dir():
        endings = (*COLOUR_ENDINGS, *GRAY_ENDINGS, ".npy")
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(name))
        return inside and path.is_file() and path.suffix.lower() in endings
    array = name.with_name(name.name.rpartition(":")[0] or name.name)  # of set.npz:train
    return any(place.is_file() and _same(place, path) for place in (name, array))


def say(text: str) -> None:
    """A line about what was done: to standard error, since standard output is for data."""
    click.echo(text, err=True)
