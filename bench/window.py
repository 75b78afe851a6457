"""The part of pictures that an option names."""

import re

import click

__all__ = ["window_of"]


def window_of(size: str | None, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of WIDTHxHEIGHT from the upper left, or from +X+Y; all without a size.

    Raises
    ------
    click.UsageError
        If the text says something else, or the part is not within the picture.
    """
    if size is None:
        return slice(height), slice(width)
    if (match := re.fullmatch(r"([1-9]\d*)x([1-9]\d*)(?:\+(\d+)\+(\d+))?", size)) is None:
        raise click.UsageError(f"size must be WIDTHxHEIGHT or WIDTHxHEIGHT+X+Y, not {size!r}")
    columns, rows, left, top = (int(number or 0) for number in match.groups())
    if top + rows > height or left + columns > width:
        raise click.UsageError(f"size must lie in images of {width}x{height}, not {size!r}")
    return slice(top, top + rows), slice(left, left + columns)
