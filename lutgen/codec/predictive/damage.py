"""What is said of a file some of whose strips are damaged."""

from collections.abc import Iterable, Sequence

import numpy as np

from lutgen.codec.container import CorruptStreamError

from .container import Frame

__all__ = ["DamagedStripsError", "ranges"]


class DamagedStripsError(CorruptStreamError):
    """Some strips of a file are damaged.

    Parameters
    ----------
    frame:
        The file's header.
    images:
        What is sound, shape (N, H, W); the samples of damaged strips are 0.
    damaged:
        Numbers of the damaged strips, ascending.
    first:
        What is wrong with the first of them.
    """

    def __init__(
        self, frame: Frame, images: np.ndarray, damaged: Sequence[int], first: str
    ) -> None:
        super().__init__(
            f"{_named('strip', damaged)} of 0 to {frame.strips - 1} "
            f"{'are' if len(damaged) > 1 else 'is'} damaged: {first}"
            if frame.strips > 1
            else first
        )
        self.images = images
        self.bits = frame.bits
        self.damaged = tuple(damaged)
        # Rows by image and slab, and, as they are said, by image alone.
        parts: dict[tuple[int, tuple[int, int]], list[int]] = {}
        for strip in damaged:
            image, top, end = frame.rows(strip)
            parts.setdefault((image, frame.columns(strip)), []).extend(range(top, end))
        self._parts, self._slabs = dict(sorted(parts.items())), frame.slabs
        rows: dict[int, set[int]] = {}
        for (image, _), some in self._parts.items():
            rows.setdefault(image, set()).update(some)
        #: Rows of which something is missing, by the image's number.
        self.rows = {image: sorted(found) for image, found in rows.items()}

    @property
    def missing(self) -> str:
        """What is missing, as people say it: rows, and of which columns in files of slabs."""
        images, slabs = len(self.images) > 1, self._slabs > 1
        return "; ".join(
            _named("row", rows) + f" of columns {left} to {right - 1}" * slabs
            + f" of image {image}" * images
            for (image, (left, right)), rows in self._parts.items()
        )


def _named(what: str, numbers: Sequence[int]) -> str:
    """Things by their numbers: ``rows 0 to 3, 7``."""
    return f"{what}{'s' * (len(numbers) > 1)} {ranges(numbers)}"


def ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers in few words: ``0 to 3, 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in runs)
