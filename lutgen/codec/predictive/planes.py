"""Planes of colour images as rows: which plane comes first, and in which row it stands.

An image of several channels is coded like a gray one of as many rows more: row y of the plane that
is coded first, row y of the second, and so on, then row y + 1.  Each plane knows those before it at
the same place (:mod:`lutgen.model.predictive.reference`).

No samples are transformed.  A difference such as R - G has one bit more than R, and its
near-lossless error is the sum of two.  Planes are predicted as differences to the first one, but
what is coded is a residual of samples.  What is left of a colour transform is the planes' order.

A colour filter array (H, W) is an image of half the sides whose four planes are the places of a
square: both greens, red and blue.
"""

import numpy as np

from lutgen.errors import InputError

__all__ = [
    "FIRST_CFA", "ORDERS", "best_order", "cfa_mosaic", "cfa_planes", "check_sides_of_cfa",
    "from_rows", "order_of", "places_of", "to_rows",
]  # fmt: skip

#: Orders of red, green and blue by number; alpha is always last, one or two planes are in order.
ORDERS = ((1, 0, 2), (1, 2, 0), (0, 1, 2), (0, 2, 1), (2, 1, 0), (2, 0, 1))
#: Number of the first of `lutgen.model.cfa.CFAS` in a file, where orders have theirs.
FIRST_CFA = 8
#: An order must save this share of the usual one's sum.
_WORTH = 0.02


def order_of(channels: int, number: int) -> tuple[int, ...]:
    """Channels in the order in which they are coded."""
    if channels < 3 or number >= FIRST_CFA:
        return tuple(range(channels))
    return (*ORDERS[number], *range(3, channels))


def check_sides_of_cfa(shape: tuple[int, ...], name: str = "") -> None:
    """InputError unless a colour filter array of shape (..., H, W) has whole squares.

    ``name`` is that of its file, if it has one.
    """
    height, width = shape[-2:]
    if height % 2 or width % 2:
        raise InputError(
            f"{name}{': ' * bool(name)}sides of a colour filter array must be even, "
            f"not {width} x {height}"
        )


def cfa_planes(mosaic: np.ndarray, pattern: str) -> np.ndarray:
    """Planes of a colour filter array (H, W), sides even: (H / 2, W / 2, 4), greens first."""
    return np.stack([mosaic[top::2, left::2] for top, left in places_of(pattern)], axis=-1)


def cfa_mosaic(planes: np.ndarray, pattern: str) -> np.ndarray:
    """The array (H, W) of planes (H / 2, W / 2, 4)."""
    height, width, _ = planes.shape
    mosaic = np.empty((2 * height, 2 * width), dtype=planes.dtype)
    for k, (top, left) in enumerate(places_of(pattern)):
        mosaic[top::2, left::2] = planes[..., k]
    return mosaic


def places_of(pattern: str) -> list[tuple[int, int]]:
    """Row and column of the greens, red and blue in a square of four, in the order of coding."""
    places = [divmod(k, 2) for k, colour in enumerate(pattern) if colour == "G"]
    return [*places, *(divmod(pattern.index(colour), 2) for colour in "RB")]


def to_rows(image: np.ndarray, number: int) -> np.ndarray:
    """Rows of planes, (C H, W), of an image (H, W, C)."""
    height, width, channels = image.shape
    planes = image[..., order_of(channels, number)]
    return np.ascontiguousarray(planes.swapaxes(1, 2)).reshape(height * channels, width)


def from_rows(rows: np.ndarray, channels: int, number: int) -> np.ndarray:
    """The image (H, W, C) of rows of planes, (C H, W)."""
    planes = rows.reshape(-1, channels, rows.shape[1])
    back = np.argsort(order_of(channels, number))
    return planes[:, back].swapaxes(1, 2)


def best_order(image: np.ndarray) -> int:
    """Number of the order that an image (H, W, C) is coded in.

    The first plane costs the sum of the absolute residuals of its medians (JPEG-LS's prediction),
    second and third those of their differences to the first.  It is the usual order, number 0,
    unless another one saves two per cent of the sum.
    """
    if image.shape[2] < 3:
        return 0
    wide = [image[..., k].astype(np.int32) for k in range(3)]
    own = [_cost(plane) for plane in wide]
    between = {frozenset(pair): _cost(wide[pair[0]] - wide[pair[1]])
               for pair in ((0, 1), (0, 2), (1, 2))}  # fmt: skip
    costs = [
        own[a] + between[frozenset((a, b))] + between[frozenset((a, c))] for a, b, c in ORDERS
    ]
    best = int(np.argmin(costs))
    return best if costs[best] < (1 - _WORTH) * costs[0] else 0


def _cost(plane: np.ndarray) -> int:
    """Sum of the absolute residuals of medians, borders left out."""
    west, north, corner = plane[1:, :-1], plane[:-1, 1:], plane[:-1, :-1]
    low, high = np.minimum(west, north), np.maximum(west, north)
    median = np.clip(west + north - corner, low, high)
    return int(np.abs(plane[1:, 1:] - median).sum(dtype=np.int64))
