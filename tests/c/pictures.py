"""Images of all kinds for the tests of the codec in C."""

import numpy as np

__all__ = ["CHANNELS", "drawn", "stacked"]


def drawn(rng, kind: str, height: int, width: int, depth: int) -> np.ndarray:
    """An image of one kind: noise, one value, a page, or a smooth surface with some noise."""
    top = (1 << depth) - 1
    if kind == "noise":
        return rng.integers(0, top + 1, (height, width))
    if kind == "flat":
        return np.full((height, width), rng.integers(0, top + 1))
    if kind == "page":
        return np.where(rng.random((height, width)) < 0.1, rng.integers(0, top + 1), top)
    steps = rng.normal(0, top / 64, (2, height, width))
    surface = steps[0].cumsum(axis=0).cumsum(axis=1) / 4 + steps[1] / 4 + top / 2
    return surface.clip(0, top).astype(np.int64)


def stacked(image: np.ndarray, kind: str, rng) -> np.ndarray:
    """A gray image as one of the kind: channels that have to do with one another, and alpha."""
    if kind not in CHANNELS:
        return image
    noise = rng.integers(0, 3, (*image.shape, CHANNELS[kind]))
    planes = np.minimum(image[..., None] + noise, image.max(initial=1))
    # So that any of the three colours may be the best first one.
    planes[..., rng.integers(CHANNELS[kind])] = image
    return planes


#: Channels of images of several, by what they are.
CHANNELS = {"gray and alpha": 2, "RGB": 3, "RGBA": 4}
