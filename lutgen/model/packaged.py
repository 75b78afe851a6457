"""Where the models are that come with the package."""

from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path

__all__ = ["is_packaged", "packaged"]

_FOLDER = resources.files("lutgen") / "models"


def packaged(file: str) -> AbstractContextManager[Path]:
    """The path of one of these files, while it is needed."""
    return resources.as_file(_FOLDER / file)


def is_packaged(file: str) -> bool:
    """Whether it is there: an installation may have left it out."""
    return (_FOLDER / file).is_file()
