"""Training samples: the causal window and the symbol of every pixel, as arrays."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError
from lutgen.model.channels import planes_of
from lutgen.model.head import SYMBOLS
from lutgen.model.pyramid import pyramid
from lutgen.model.window import Window

__all__ = ["Samples", "collect", "collect_levels", "orientations", "upsampling_samples"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Weighted samples.

    Parameters
    ----------
    features:
        uint8, shape (F, N): one contiguous row per window feature.
    symbols:
        uint8, shape (N,): the pixel to be coded; of C > 1 channels (N, C).
    weights:
        int64, shape of ``symbols``: how many pixels the sample stands for.
    """

    features: np.ndarray
    symbols: np.ndarray
    weights: np.ndarray

    @property
    def channels(self) -> int:
        """C, samples of a pixel."""
        return 1 if self.symbols.ndim == 1 else self.symbols.shape[1]

    @property
    def pixels(self) -> int:
        """Sum of the weights of a channel."""
        return int(self.weights.sum()) // self.channels


def orientations(images: Sequence[np.ndarray], count: int) -> list[np.ndarray]:
    """The images in ``count`` of the eight flips and quarter turns, the given ones first."""
    if count not in (1, 2, 4, 8):
        raise InputError(f"orientations must be 1, 2, 4 or 8, not {count!r}")
    out = []
    for k in range(count):
        for image in images:
            # Bit 0 mirrors left-right, bit 1 top-bottom, bit 2 transposes.
            turned = image[:, ::-1] if k & 1 else image
            turned = turned[::-1] if k & 2 else turned
            out.append(turned.swapaxes(0, 1) if k & 4 else turned)
    return out


def collect(
    images: Iterable[np.ndarray], window: Window, tile: int,
    progress: Callable[[int], None] = lambda pixels: None,
) -> Samples:  # fmt: skip
    """Samples of all pixels of a raster model, the background collapsed: see `collect_levels`."""
    return collect_levels(images, window, tile, progress=progress)[0]


def collect_levels(
    images: Iterable[np.ndarray],
    window: Window,
    tile: int,
    *,
    levels: int = 0,
    upsample: Callable[[np.ndarray, int, int], np.ndarray] | None = None,
    progress: Callable[[int], None] = lambda pixels: None,
) -> list[Samples]:
    """Samples of all pixels of all levels, the background collapsed.

    Tiles of ``tile`` x ``tile`` pixels start at the image's origin; pixels outside a tile read as
    zero.  Pixels whose whole window is zero (most of a glyph image) are merged into at most 256
    weighted samples per level, which leaves every histogram as it was, of each channel.

    Parameters
    ----------
    images:
        uint8 arrays of shape (H, W), or (H, W, C) if the window has C channels; sizes may differ.
    levels:
        L, number of levels above the image.
    upsample:
        The upsampling model, as `lutgen.model.upsample.Upsampler.upsample`.
        Needed for ``levels`` above 0, where the window must have a prior.
    progress:
        Called with the pixels just done.

    Returns
    -------
    list of Samples
        Element l is level l.
    """
    if levels and upsample is None:
        raise InputError(f"upsample must be given for {levels} levels")
    features: list[list[np.ndarray]] = [[] for _ in range(levels + 1)]
    symbols: list[list[np.ndarray]] = [[] for _ in range(levels + 1)]
    channels = window.channels
    background = np.zeros((levels + 1, channels, SYMBOLS), dtype=np.int64)
    for batch in _batches(images, tile):
        stack = pyramid(batch, levels)
        for level, pixels in enumerate(stack):
            prior = None
            if level < levels and upsample is not None:
                prior = upsample(stack[level + 1], *pixels.shape[-2:])
            context = window.extract(pixels, prior).reshape(window.features, -1)
            symbol = [plane.reshape(-1) for plane in planes_of(pixels, channels)]
            busy = context.any(axis=0)
            for counts, values in zip(background[level], symbol, strict=True):
                counts += np.bincount(values[~busy], minlength=SYMBOLS)
            features[level].append(context[:, busy])
            symbols[level].append(np.stack(symbol, axis=1)[busy])
        progress(batch.size)
    return [_merged(*parts) for parts in zip(features, symbols, background, strict=True)]


def _batches(images: Iterable[np.ndarray], tile: int) -> Iterator[np.ndarray]:
    """All tiles, stacks of equally sized ones: uint8 (N, h, w) or, of colour, (N, C, h, w)."""
    by_shape: dict[tuple[int, ...], list[np.ndarray]] = {}
    for image in images:
        image = image if image.ndim == 2 else np.moveaxis(image, -1, 0)
        height, width = image.shape[-2:]
        for y in range(0, height, tile):
            for x in range(0, width, tile):
                part = image[..., y : y + tile, x : x + tile]
                by_shape.setdefault(part.shape, []).append(part)
    for tiles in by_shape.values():
        # Bounded batches: windows are F copies of the pixels.
        step = max(1, (1 << 22) // tiles[0].size)
        for at in range(0, len(tiles), step):
            yield np.stack(tiles[at : at + step])


def _merged(features: list, symbols: list, background: np.ndarray) -> Samples:
    """Samples of a level: those with something in their window, and the histograms (C, 256)."""
    seen = [np.flatnonzero(counts) for counts in background]
    most = max(map(len, seen))
    # The k-th value of each channel; one with fewer values has others that stand for no pixel.
    values = np.zeros((most, len(seen)), dtype=np.uint8)
    counted = np.zeros(values.shape, dtype=np.int64)
    for channel, (counts, own) in enumerate(zip(background, seen, strict=True)):
        values[: len(own), channel] = own
        counted[: len(own), channel] = counts[own]
    features = [*features, np.zeros((features[0].shape[0], most), dtype=np.uint8)]
    symbol = np.concatenate([*symbols, values])
    weight = np.ones(symbol.shape, dtype=np.int64)
    weight[len(symbol) - most :] = counted
    if len(seen) == 1:
        symbol, weight = symbol[:, 0], weight[:, 0]
    return Samples(np.ascontiguousarray(np.concatenate(features, axis=1)), symbol, weight)


def upsampling_samples(
    images: Iterable[np.ndarray], window: Window, tile: int, levels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples of an upsampling model, all levels together, the background collapsed.

    Parameters
    ----------
    window:
        The square around a coarse pixel: a window with a prior, all of whose pixels are known.

    Returns
    -------
    (features, targets, weights):
        uint8 (F, N), uint8 (4 C, N) the block of finer pixels, top left, top right, bottom left,
        bottom right, of each channel, and int64 (4 C, N) how many pixels each stands for: 0 where
        an odd side cut the block.
    """
    features, targets, weights = [], [], []
    for batch in _batches(images, tile):
        stack = pyramid(batch, levels)
        for fine, coarse in zip(stack, stack[1:], strict=False):
            context = window.extract(coarse, coarse).reshape(window.features, -1)
            blocks = [_blocks(plane) for plane in planes_of(fine, window.channels)]
            features.append(context)
            targets.append(np.concatenate([block for block, _ in blocks]))
            weights.append(np.concatenate([exists for _, exists in blocks]))
    feature = np.concatenate(features, axis=1)
    target = np.concatenate(targets, axis=1)
    weight = np.concatenate(weights, axis=1)
    # Empty windows over empty blocks say the same thing over and over.
    empty = ~np.any(feature, axis=0) & ~np.any(target, axis=0)
    total = weight[:, empty].sum(axis=1)
    keep = ~empty
    keep[np.flatnonzero(empty)[:1]] = True
    weight[:, np.flatnonzero(empty)[:1]] = total[:, None]
    return np.ascontiguousarray(feature[:, keep]), target[:, keep], weight[:, keep]


def _blocks(fine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 2 x 2 blocks of uint8 (N, H, W), (4, N h w), and which of their pixels exist."""
    height, width = fine.shape[-2:]
    pad = [(0, 0), (0, height % 2), (0, width % 2)]
    exists = np.pad(np.ones_like(fine, dtype=np.int64), pad)

    def blocks(part: np.ndarray) -> np.ndarray:
        return np.stack([part[:, y::2, x::2].reshape(-1) for y in (0, 1) for x in (0, 1)])

    return blocks(np.pad(fine, pad)), blocks(exists)
