"""Files of pictures: their endings, and those in a folder."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["COLOUR_ENDINGS", "GRAY_ENDINGS", "picture_files"]

#: Of files in a folder that the gray codecs read.
GRAY_ENDINGS = (".png", ".pgm", ".tif", ".tiff")
#: Of those that the colour codec reads.
COLOUR_ENDINGS = (".png", ".ppm", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def picture_files(folder, endings: Iterable[str], *, deep: bool = False) -> list[Path]:
    """Files of a folder with one of the endings, sorted; ``deep`` looks in its folders, too.

    Hidden files, such as the ``._a.png`` that macOS leaves beside ``a.png``, and what is in hidden
    folders are no pictures.
    """
    folder = Path(folder)
    return sorted(
        path for path in (folder.rglob("*") if deep else folder.iterdir())
        if path.suffix.lower() in endings
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )  # fmt: skip
