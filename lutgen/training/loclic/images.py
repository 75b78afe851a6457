"""Colour images in."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from lutgen.training.datasets import DatasetError

__all__ = ["colour_files", "read_colour"]

_PICTURES = (".png", ".ppm", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def colour_files(spec) -> list[Path]:
    """A picture, or all pictures in a folder and the folders in it, sorted.

    A path that does not exist is looked for in the folder that the environment variable
    ``LUTGEN_DATA`` names.

    Raises
    ------
    DatasetError
        If there are none.
    """
    places = [Path(spec)]
    if os.environ.get("LUTGEN_DATA"):
        places.append(Path(os.environ["LUTGEN_DATA"], spec))
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise DatasetError(
            f"data must be an existing picture or folder, not {os.fspath(spec)!r}"
            + (f" (also looked in {places[1].parent})" if len(places) > 1 else "")
        )
    if path.is_file():
        return [path]
    files = sorted(p for p in path.rglob("*") if p.suffix.lower() in _PICTURES and p.is_file())
    if not files:
        raise DatasetError(f"{path} must contain pictures ({', '.join(_PICTURES)}), not none")
    return files


def read_colour(path) -> np.ndarray:
    """The pixels of a picture of 8 bits per channel: uint8, (H, W, 3).  Gray becomes RGB.

    Raises
    ------
    DatasetError
        If it cannot be read, is deeper, or has transparency.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("RGB", "L"):
                raise DatasetError(
                    f"{path} must be RGB or gray of 8 bits per channel, not {image.mode}; convert "
                    "it first"
                )
            return np.array(image.convert("RGB"))
    except (OSError, Image.DecompressionBombError, SyntaxError, EOFError) as error:
        raise DatasetError(f"{path} must be a readable picture: {error}") from None
