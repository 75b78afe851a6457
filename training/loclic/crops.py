"""Random crops of colour images, in all eight orientations."""

import hashlib
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lutgen.formats.colour import colour_size, read_colour
from lutgen.training.data.datasets import DatasetError

__all__ = ["Asked", "Crops"]

#: Bytes of decoded pictures that are kept, by default.
_MEMORY = 1 << 30
#: Threads that cut crops, and batches that they are ahead.
_THREADS, _AHEAD = 2, 4


class Asked(NamedTuple):
    """What `Crops.batch` is asked for."""

    step: int
    crops: int
    side: int
    part: slice


class Crops:
    """Batches of crops, each a function of its number alone; pictures are read when needed.

    Threads may ask at once.  Pictures are drawn at random, so that none is needed sooner than
    another: those that were read first are kept, as many as fit, and the others are read again
    each time.

    Parameters
    ----------
    files:
        Pictures, at least one.
    least:
        Side of the largest crop that will be asked for.
    seed:
        Of the choice.
    memory:
        Bytes that kept pictures may take, 3 for each pixel.

    Raises
    ------
    ImageError, OSError
        If there is no picture, or one is none that `read_colour` takes, or smaller than the crop.
    """

    def __init__(
        self, files: Sequence[Path], least: int, seed: int, memory: int = _MEMORY
    ) -> None:
        self._files = list(files)
        self._seed = seed
        self._kept: dict[int, np.ndarray] = {}
        self._left = memory
        self._lock = threading.Lock()
        if not self._files:
            raise DatasetError("pictures must be at least one, not none")
        for path in self._files:
            size = colour_size(path)  # all rules, before hours of training
            if min(size) < least:
                raise DatasetError(
                    f"{path} must be at least {least} x {least} pixels, the size of a crop, not "
                    f"{size[0]} x {size[1]}"
                )

    @property
    def identity(self) -> str:
        """SHA-256, in hex, of the names and sizes of the files."""
        text = "\n".join(f"{p.name} {p.stat().st_size}" for p in self._files)
        return hashlib.sha256(text.encode()).hexdigest()

    def batch(self, step: int, count: int, side: int, part: slice = slice(None)) -> np.ndarray:
        """A part of the crops of a step, turned and mirrored: uint8, (n, side, side, 3)."""
        rng = np.random.default_rng([self._seed, step])
        picks = rng.integers(0, len(self._files), count)
        places = rng.random((count, 2))
        turned = rng.integers(0, 8, count)
        crops = []
        for pick, place, turn in zip(picks[part], places[part], turned[part], strict=True):
            image = self._picture(int(pick))
            y, x = (
                int(at * (size - side + 1)) for at, size in zip(place, image.shape, strict=False)
            )
            crop = image[y : y + side, x : x + side]
            crop = np.rot90(crop, turn % 4)
            crops.append(crop[:, ::-1] if turn >= 4 else crop)
        return np.stack(crops)

    def ahead(self, asked: Iterable[Asked]) -> Iterator[np.ndarray]:
        """The batches of some steps in their order, cut by threads before they are needed."""
        with ThreadPoolExecutor(_THREADS) as pool:
            made: deque = deque()
            for one in asked:
                made.append(pool.submit(self.batch, *one))
                if len(made) > _AHEAD:
                    yield made.popleft().result()
            while made:
                yield made.popleft().result()

    def _picture(self, index: int) -> np.ndarray:
        image = self._kept.get(index)
        if image is None:
            image = read_colour(self._files[index])
            with self._lock:
                if index not in self._kept and image.nbytes <= self._left:
                    self._left -= image.nbytes
                    self._kept[index] = image
        return image
