"""Pictures for the judges of profile ``predictive``: sizes at limits, contents of every kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import GROUP
from lutgen.codec.predictive.sample import sample, visited
from lutgen.sim.check.judge_pictures import parts_of
from lutgen.sim.check.picture_form import PictureForm

__all__ = ["PredictivePictures", "synthetic_photographs"]

#: Shares of noise in pictures drawn from the model, see `lutgen.codec.predictive.sample`.
_SHARES = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
#: Columns, and rows of all planes, of the drawn pictures at most.
_SIDES = (144, 64)


class PredictivePictures:
    """Pictures of one build.

    Parameters
    ----------
    codec :
        Codec of the model.
    form :
        What pictures are.
    largest :
        Width and height at most.
    seed :
        Of the contents.
    """

    def __init__(
        self, codec: PredictiveCodec, form: PictureForm, largest: tuple[int, int], seed: int
    ) -> None:
        self._codec, self.form, self.largest, self._seed = codec, form, largest, seed
        self._most = (1 << form.depth) - 1
        self._rng = np.random.default_rng(seed + 11)

    @cached_property
    def drawn(self) -> list[np.ndarray]:
        """Pictures that the model finds likely to unlikely, and those of `contents`.

        Number k is drawn with the order k of planes, or a pattern, all of them in turn.
        """
        form, (columns, rows) = self.form, _SIDES
        width = min(form.square * columns, self.largest[0])
        height = min(form.height_of(rows), self.largest[1])
        found = [
            form.packed(sample(
                self._codec, width, height, depth=form.depth, share=share, seed=self._seed + k,
                order=k % form.orders,
            ))
            for k, share in enumerate(_SHARES)
        ]  # fmt: skip
        return [*found, *self.contents(width, height).values()]

    def contents(self, width: int, height: int) -> dict[str, np.ndarray]:
        """Pictures that ask for what drawn ones seldom have, by name.

        Of RGB one component is as drawn, one is its mirror image, and one its negative.
        """
        rng = np.random.default_rng(self._seed + 12)
        if self.form.components == 1:
            return self._contents(width, height, rng)
        first, second, third = (
            self._contents(width, height, rng) for _ in range(self.form.components)
        )
        return {
            name: self.form.packed(np.stack(
                [first[name], second[name][:, ::-1], self._most - third[name]], axis=-1
            ))
            for name in first
        }  # fmt: skip

    def _contents(
        self, width: int, height: int, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """The same of one component."""
        most = self._most
        y, x = np.mgrid[:height, :width]
        sharp = most * (x // 3 + y // 2 & 1)
        waves = most / 2 * (1 + np.sin(x / 9 + y / 17) * np.cos(y / 7 - x / 31))
        grown = waves + rng.normal(size=x.shape) * np.exp2(self.form.depth * (x / width - 0.2))
        made = {
            "flat": np.full(x.shape, most // 3),
            "gradient": (5 * x + 3 * y) % (most + 1),
            "waves with noise that grows": grown,
            "noise": rng.integers(most + 1, size=x.shape),
            "black and white": most * rng.integers(2, size=x.shape),
            "edges": sharp,
            "dots": np.where(rng.random(x.shape) < 0.03, most - sharp, sharp // 2 + 9),
        }
        return {
            name: np.clip(p, 0, most).astype(self.form.sample_dtype) for name, p in made.items()
        }

    def again(self) -> PredictivePictures:
        """The same from the beginning, with what has been drawn."""
        other = PredictivePictures(self._codec, self.form, self.largest, self._seed)
        other.drawn = self.drawn
        return other

    def visited(self) -> float:
        """Share of pairs of table row and token in the drawn pictures."""
        form = self.form
        seen = [
            visited(self._codec, form.samples(picture), depth=form.depth,
                    **form.options(number % form.orders))
            for number, picture in enumerate(self.drawn)
        ]  # fmt: skip
        return float(np.logical_or.reduce(seen).mean())

    def of(self, width: int, height: int, count: int = 1) -> np.ndarray:
        """Pictures of a size, parts of the drawn ones: (count, height, width).

        Of a side that no picture has it is the next one.
        """
        width, height = self.form.whole_width(width), self.form.whole(height)
        return parts_of(self.drawn, self._rng, width, height, count, self.form.square)

    def noise(self, width: int, height: int) -> np.ndarray:
        """A picture of noise, which is the longest file of its size there is: (1, height, width).

        Of a side that no picture has it is the next one.
        """
        shape = [1, self.form.whole(height), self.form.whole_width(width)]
        if self.form.components > 1:
            shape.append(self.form.components)
        return self.form.packed(self._rng.integers(
            self._most, size=shape, dtype=self.form.sample_dtype, endpoint=True
        ))  # fmt: skip

    def limits(self, clocks: Callable[[int, int], int], budget: int) -> list[tuple[int, int]]:
        """Widths and heights at limits, and around powers of two and groups, largest last.

        Parameters
        ----------
        clocks :
            Of a picture of a width and a height.
        budget :
            Clocks of each of the largest pictures.
        """
        square = self.form.square

        def of_sides(width: int, height: int) -> int:
            return clocks(square * width, square * height)

        # All of it counts squares.
        widest, highest = (side // square for side in self.largest)
        narrowest = self.form.least_width // square
        sizes = self._limits(narrowest, widest, highest, of_sides, budget)
        return [(square * width, square * height) for width, height in sizes]

    @staticmethod
    def _limits(
        narrowest: int, widest: int, highest: int, clocks: Callable[[int, int], int], budget: int
    ) -> list[tuple[int, int]]:
        found = [(w, 1) for w in _around(widest)]
        found += [(max(2, narrowest), h) for h in range(1, min(highest, 2 * GROUP + 2))]
        sides = [2 * GROUP - 1, 2 * GROUP, 2 * GROUP + 1, 4 * GROUP + 1]
        found += [(w, h) for w in sides for h in sides if w <= widest and h <= highest]
        found = [(w, h) for w, h in found if w >= narrowest]

        def high(width: int) -> tuple[int, int]:
            """As many rows of a width as the budget has."""
            height = highest
            while height > 1 and clocks(width, height) > budget:
                height -= 1 + height // 64
            return width, height

        # High ones, and those whose last slab has a single column.
        some = high(narrowest)[1] // 2
        found += [(narrowest, h) for k in range(6, 16) if (h := (1 << k) + 1) <= some]
        wide = (1, min(widest, 257), widest - 1, widest)
        found += [high(max(narrowest, width)) for width in wide]
        return list(dict.fromkeys(found))


def _around(most: int) -> list[int]:
    """Sides up to the most: near powers of two, and the last few."""
    powers = [1 << k for k in range(most.bit_length())]
    found = {n + d for n in powers for d in (-1, 0, 1)} | {most - 1, most}
    return sorted(n for n in found if 1 <= n <= most)


def synthetic_photographs(
    form: PictureForm, largest: tuple[int, int], seed: int, count: int | None = None
) -> list[tuple[str, np.ndarray]]:
    """Named pictures that have edges, gradients, texture and noise as photographs do; and odd
    sizes, or those that are nearly.

    Parameters
    ----------
    form :
        What pictures are.
    largest :
        Width and height at most.
    seed :
        Of the contents.
    count :
        How many; by default all that there are.
    """
    found = _photographs(form.depth, largest, seed)[:count]
    if form.components > 1:
        found = [(name, form.packed(_tinted(image, seed + k)))
                 for k, (name, image) in enumerate(found)]  # fmt: skip
    if form.square == 1:
        return found
    whole = [(name.split()[0], np.resize(image, tuple(map(form.whole, image.shape))))
             for name, image in found]  # fmt: skip
    return [(f"{name} {image.shape[1]}x{image.shape[0]}", image) for name, image in whole]


def _photographs(
    depth: int, largest: tuple[int, int], seed: int
) -> list[tuple[str, np.ndarray]]:
    """Gray ones."""
    widest, highest = largest
    made = []
    sizes = [("photograph", 480, 320), ("another", 480, 320)]
    sizes += [("strip", widest, 8), ("column", 3, 70)]
    sizes += [("part", w, h) for w, h in ((1, 1), (37, 1), (1, 19), (33, 34), (130, 9))]
    for number, (name, w, h) in enumerate(sizes):
        image = _photograph(min(w, widest), min(h, highest), depth, seed + number)
        made.append((f"{name} {image.shape[1]}x{image.shape[0]}", image))
    w, h = min(41, widest), min(30, highest)
    noise = np.random.default_rng(seed).integers(1 << depth, size=(h, w))
    return [*made, (f"noise {w}x{h}", noise.astype(made[0][1].dtype))]


def _photograph(width: int, height: int, depth: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    # As in photographs, power falls with the square of the frequency.
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    frequency = np.maximum(np.hypot(fy, fx), 1 / max(width, height))
    spectrum = np.fft.rfft2(rng.normal(size=(height, width))) / frequency**1.6
    field = np.fft.irfft2(spectrum, s=(height, width))
    field /= max(float(field.std()), 1e-9)
    for _ in range(6):  # things before a ground, each with an edge
        cx, cy, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(10, 60)
        field += rng.uniform(-1, 1) * (np.hypot(x - cx, (y - cy) * rng.uniform(0.5, 2)) < r)
    light = 0.45 + 0.16 * field + rng.normal(size=field.shape) * 0.004
    most = (1 << depth) - 1
    return np.clip(light * most, 0, most).astype(np.uint8 if depth == 8 else np.uint16)


def _tinted(image: np.ndarray, seed: int) -> np.ndarray:
    """An RGB image whose planes are alike: (H, W, 3)."""
    rng = np.random.default_rng(seed)
    most, wide = int(image.max(initial=1)), image.astype(np.float64)
    planes = [
        gain * wide + (1 - gain) * most * rng.random() + rng.normal(0, most / 200, image.shape)
        for gain in rng.uniform(0.4, 1, 3)
    ]
    return np.stack(planes, axis=-1).clip(0, most).astype(image.dtype)
