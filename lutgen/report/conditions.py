"""In what a measurement of a model differs from the build that a page is of."""

from collections.abc import Mapping

from .sheet import Sheet

__all__ = ["conditions"]


def conditions(sheet: Sheet, found: Mapping) -> list[str]:
    """Differences in words.

    Nothing is said of what only one of both knows, see `lutgen.report.sheet.Sheet.given`.
    """
    built, given = sheet.built(), sheet.given(found)
    return [
        f"{key}: measured with {_word(given[key])}, built with {_word(value)}"
        for key, value in built.items()
        if value is not None and given[key] is not None and given[key] != value
    ]


def _word(value) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
