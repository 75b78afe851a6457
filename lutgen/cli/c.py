"""The command c: the codec in C."""

import json
from pathlib import Path

import click

from lutgen.commands import OutputFile, say

from .common import MODEL_HELP, json_option

__all__ = ["c_"]


@click.command("c")
@click.option(
    "--model", "models", multiple=True, metavar="MODEL",
    show_default="all that come with lutgen",
    help=f"{MODEL_HELP}; may be repeated.",
)  # fmt: skip
@click.option("--out", metavar="DIR", show_default="no folder", help="Folder of the sources.")
@click.option(
    "--page", type=OutputFile(), metavar="FILE", show_default="no page",
    help="Page for browsers that decodes by the same code, one HTML file; extra web.",
)  # fmt: skip
@json_option
def c_(models, out, page, as_json) -> None:
    """Write a decoder and encoder in C, with the tables of models of any profile.

    Models of gray images, of colour (photo-rgb), of colour filter arrays (photo-bayer) and of tiles
    (digits) may stand in one library; a program that is linked to it has the code of those alone
    that it names.  C99 without dependencies that allocates nothing, an example program, and files
    for CMake and pkg-config.  What it writes is byte for byte what `lutgen encode` writes.
    """
    from lutgen.c.folder import old_files, write_folder
    from lutgen.errors import InputError
    from lutgen.model.shipped import DEFAULT, SHIPPED, find_model

    if out is None and page is None:
        raise click.UsageError("--out or --page must be given: where to write to")
    # The default first, as it is the example's.
    names = models or sorted(SHIPPED, key=lambda name: name != DEFAULT)
    try:
        if out is not None:
            old_files(Path(out))
        found = {name if name in SHIPPED else Path(name).stem: find_model(name) for name in names}
        if len(found) < len(names):
            raise InputError(f"models must have different names, not {', '.join(names)}")
        record = None if out is None else write_folder(found, Path(out))
    except InputError as error:
        raise click.UsageError(str(error)) from error
    if page is not None:
        from lutgen.c.page import page_html
        from lutgen.files.whole import write_file

        write_file(page, page_html(found).encode())
        say(f"{page}: a page for browsers, models {', '.join(found)}")
    if record is None:
        return
    if as_json:
        click.echo(json.dumps(record, indent=2))
        return
    say(f"{out}: {len(record['files'])} files, models {', '.join(found)}; see README.md")
