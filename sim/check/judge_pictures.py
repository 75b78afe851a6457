"""Pictures for the phases of a judge: sizes at the limits, and contents that visit all tables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from lutgen.build.options import BuildOptions
from lutgen.codec.codec import Codec
from lutgen.codec.sample import sample, visited

__all__ = ["Pictures", "parts_of"]

#: Shares of noise in pictures drawn from the model, see `lutgen.sim.cores.codec.sample`.
_SHARES = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 0.8, 1.0)
_SIDE = 256


def parts_of(
    drawn: Sequence[np.ndarray], rng: np.random.Generator, width: int, height: int, count: int,
    square: int = 1,
) -> np.ndarray:  # fmt: skip
    """Parts of drawn pictures, repeated where they are too small: (count, height, width).

    They begin at multiples of ``square``.
    """
    made = []
    for _ in range(count):
        image = drawn[int(rng.integers(len(drawn)))]
        y, x = (square * int(rng.integers(side // square)) for side in image.shape)
        image = np.roll(image, (-y, -x), axis=(0, 1))
        repeat = (-(-height // image.shape[0]), -(-width // image.shape[1]))
        made.append(np.tile(image, repeat)[:height, :width])
    return np.stack(made)


class Pictures:
    """Pictures of one build.

    Parameters
    ----------
    codec :
        Codec of the model.
    options :
        Those of the build.
    seed :
        Of the contents.
    """

    def __init__(self, codec: Codec, options: BuildOptions, seed: int) -> None:
        self._codec, self._options, self._seed = codec, options, seed
        self.tile = options.tile
        self.largest = (options.max_width, options.max_height)
        self._rng = np.random.default_rng(seed + 11)

    @cached_property
    def drawn(self) -> list[np.ndarray]:
        """Pictures that the model finds likely to unlikely, of at most 256 x 256 pixels."""
        width, height = (min(_SIDE, side) for side in self.largest)
        return [
            sample(self._codec, width, height, tile=self.tile, share=share, seed=self._seed + k)
            for k, share in enumerate(_SHARES)
        ]

    def again(self) -> Pictures:
        """The same from the beginning, with what has been drawn."""
        other = Pictures(self._codec, self._options, self._seed)
        other.drawn = self.drawn
        return other

    def visited(self) -> float | None:
        """Share of class-symbol pairs in the drawn pictures; None for models with levels."""
        if self._codec.model.levels:
            return None
        seen = [visited(self._codec, image, self.tile) for image in self.drawn]
        return float(np.logical_or.reduce(seen).mean())

    def of(self, width: int, height: int, count: int = 1) -> np.ndarray:
        """Pictures of a size: uint8, (count, height, width)."""
        return parts_of(self.drawn, self._rng, width, height, count)

    def noise(self, width: int, height: int) -> np.ndarray:
        """A picture of noise, which is the longest file of its size there is, nearly."""
        return self._rng.integers(256, size=(1, height, width), dtype=np.uint8)

    def limits(self, budget: int) -> list[tuple[int, int]]:
        """Widths and heights at limits, and around powers of two and tiles, largest last."""
        (tile_w, tile_h), (most_w, most_h) = self.tile, self.largest
        found = [(w, 1) for w in _around(most_w, tile_w)]
        found += [(1, h) for h in _around(most_h, tile_h)]
        sides = [
            [n for n in (tile - 1, tile, tile + 1, 2 * tile + 1) if 1 <= n <= most]
            for tile, most in ((tile_w, most_w), (tile_h, most_h))
        ]
        found += [(w, h) for w in sides[0] for h in sides[1]]
        found += [
            (min(most_w, 257), min(most_h, 1 + budget // 257)),
            (most_w, max(1, min(most_h, budget // most_w))),
            (max(1, min(most_w, budget // most_h)), most_h),
        ]
        return list(dict.fromkeys(found))


def _around(most: int, tile: int) -> list[int]:
    """Sides up to the most: near powers of two, and the last few."""
    powers = [1 << k for k in range(most.bit_length())]
    found = {n + d for n in powers for d in (-1, 0, 1)} | {most - 1, most, most - tile + 1}
    return sorted(n for n in found if 1 <= n <= most)
