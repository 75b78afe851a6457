"""Commands of ``lutgen`` as functions of their arguments, for tests."""

from click.testing import CliRunner

from lutgen.cli import main


def run(*arguments, **options):
    """Exit status, standard output and standard error; options of click's runner."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], **options)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def ok(*arguments):
    """What a command prints to standard output."""
    status, out, err = run(*arguments)
    assert status == 0, err
    return out


def said(*arguments):
    """What a command tells on standard error, when it writes a file and no data."""
    status, out, err = run(*arguments)
    assert status == 0 and not out, (status, out, err)
    return err


def error(*arguments, status=1):
    """The one line of a failure."""
    found, out, err = run(*arguments)
    assert found == status and not out, (found, out, err)
    line = err.strip().splitlines()[-1]
    assert err.count("\n") == 1 and line.startswith("error: "), err
    return line.removeprefix("error: ")


def usage(*arguments, traceback=False):
    """The last line of a usage error, perhaps below a traceback."""
    status, out, err = run(*arguments)
    begin = "Traceback" if traceback else "Usage: "
    assert status == 2 and not out and err.startswith(begin), (status, out, err)
    return err.strip().splitlines()[-1].removeprefix("Error: ")
