"""The command c: the codec in C."""

import json
from pathlib import Path

import click

from lutgen.commands import OutputFile, say

from .common import json_option

__all__ = ["c_"]


@click.command("c")
@click.option(
    "--model", "models", multiple=True, metavar="MODEL",
    show_default="those of profile predictive that come with lutgen",
    help="Name of a model that comes with lutgen, or model file; may be repeated.",
)  # fmt: skip
@click.option("--out", metavar="DIR", help="Folder of the sources.")
@click.option(
    "--page", type=OutputFile(), metavar="FILE",
    help="Page for browsers that decodes by the same code, one HTML file; extra web.",
)  # fmt: skip
@json_option
def c_(models, out, page, as_json) -> None:
    """Write a decoder and encoder in C, with the tables of models of profile predictive.

    Models of gray images, of colour (photo-rgb) and of colour filter arrays (photo-bayer) may stand
    in one library.  C99 without dependencies that allocates nothing, an example program, and files
    for CMake and pkg-config.  What it writes is byte for byte what `lutgen encode` writes.
    """
    from lutgen.c.folder import old_files, write_folder
    from lutgen.errors import InputError
    from lutgen.model.predictive.colour import ColourModel
    from lutgen.model.predictive.model import PredictiveModel
    from lutgen.model.shipped import SHIPPED, find_model, shipped

    known = PredictiveModel | ColourModel
    if out is None and page is None:
        raise click.UsageError("--out or --page must be given: where to write to")
    names = models or [n for n in SHIPPED if isinstance(shipped(n), known)]
    try:
        if out is not None:
            old_files(Path(out))
        found = {}
        for name in names:
            model = find_model(name)
            if not isinstance(model, known):
                raise InputError(
                    f"model must be of profile predictive, not {name} of profile {model.profile}"
                )
            found[name if name in SHIPPED else Path(name).stem] = model
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
