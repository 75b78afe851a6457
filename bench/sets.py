"""Data sets as benchmarks are asked for them: a part of one, under a name of its own."""

import re
from pathlib import Path

import numpy as np

from lutgen.training.data.datasets import DatasetError, load_images

__all__ = ["images_of", "name_of"]

_ASKED = re.compile(r"(?:(?P<name>[\w -]+)=)?(?P<spec>[^#]+)(?:#(?P<first>\d*):(?P<last>\d*))?")


def _asked(text: str) -> re.Match:
    found = _ASKED.fullmatch(text)
    if found is None:
        raise DatasetError(f"data must be DATA or NAME=DATA#FIRST:LAST, not {text!r}")
    return found


def name_of(text: str) -> str:
    """What a set is called: the name before it, or that of its file.

    Raises
    ------
    DatasetError
        If the text names none.
    """
    found = _asked(text)
    return found["name"] or Path(found["spec"]).stem


def images_of(text: str) -> list[np.ndarray]:
    """Validation images of ``[NAME=]DATA[#FIRST:LAST]``, as Python slices them.

    Raises
    ------
    DatasetError
        If the text names none.
    OSError
        If they cannot be read.
    """
    found = _asked(text)
    first, last = (int(found[key]) if found[key] else None for key in ("first", "last"))
    images = load_images(found["spec"], split="val")[first:last]
    if not images:
        raise DatasetError(f"{text} must be at least one image, not none")
    return images
