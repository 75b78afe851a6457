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
        rows: dict[int, list[int]] = {}
        for image, top, end in map(frame.rows, damaged):
            rows.setdefault(image, []).extend(range(top, end))
        #: Rows that are missing, by the image's number.
        self.rows = rows

    @property
    def missing(self) -> str:
        """The rows that are missing, as people say it."""
        several = len(self.images) > 1
        return "; ".join(
            _named("row", rows) + f" of image {image}" * several
            for image, rows in self.rows.items()
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
