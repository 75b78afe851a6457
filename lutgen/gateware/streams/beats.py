"""Beats that the ports of cores take and give: of pixels, of files, of sequences.

Arrays of one length by field: ``data``, and as the port has them ``keep``, ``user`` and ``last``.
"""

from collections.abc import Sequence

import numpy as np

__all__ = [
    "RGB_PLACES", "colour_beats", "components_of", "file_beats", "file_words", "filled",
    "packed_pixels", "raster_beats", "sequence_beats",
]  # fmt: skip

#: Red, green and blue by their place in a beat, from the lowest bits: as AMD's UG934 has them.
RGB_PLACES = (2, 0, 1)


def filled(width: int, cores: int) -> np.ndarray:
    """Pixels in each beat of a line."""
    return np.minimum(cores, width - cores * np.arange(-(-width // cores)))


def raster_beats(
    images: np.ndarray, cores: int = 1, bits: int | None = None
) -> dict[str, np.ndarray]:
    """Beats of so many pixels, one for each core, of images in raster order with their markers.

    Images are uint8 or uint16, (N, H, W), or packed pixels of so many ``bits``, whole bytes, of
    eight bytes a beat at most.  What is behind a line's last pixel is not zero, so that it would be
    seen.
    """
    count, height, width = images.shape
    beats = -(-width // cores)
    wide = np.full((count, height, beats * cores), 0xA5, dtype=images.dtype)
    wide[:, :, :width] = images
    user = np.zeros((count, height, beats), dtype=np.int64)
    last = np.zeros_like(user)
    user[:, 0, 0] = 1
    last[:, :, -1] = 1
    data = _joined(wide.reshape(-1, cores), bits or 8 * images.itemsize)
    return {"data": data, "user": user.ravel(), "last": last.ravel()}


def _joined(pixels: np.ndarray, bits: int) -> np.ndarray:
    """Pixels of so many bits, (N, M), as beats of M pixels, the first one lowest."""
    if bits == 8 * pixels.itemsize:
        return pixels.view(f"<u{pixels.nbytes // len(pixels)}").ravel()
    places = bits * np.arange(pixels.shape[1], dtype=np.uint64)
    return np.bitwise_or.reduce(pixels.astype(np.uint64) << places, axis=1)


def packed_pixels(image: np.ndarray, depth: int) -> np.ndarray:
    """Data of the beats of RGB images (..., 3): int64, (...), of samples of so many bits."""
    wide = np.asarray(image).astype(np.int64)
    packed = np.zeros(wide.shape[:-1], dtype=np.int64)
    for c, place in enumerate(RGB_PLACES):
        packed += wide[..., c] << depth * place
    return packed


def colour_beats(images: np.ndarray, depth: int, cores: int = 1) -> dict[str, np.ndarray]:
    """Beats of RGB images (N, H, W, 3) of samples of so many bits, with their markers."""
    bits = -(-depth * images.shape[-1] // 8) * 8
    return raster_beats(packed_pixels(images, depth), cores, bits)


def components_of(data: np.ndarray, depth: int) -> np.ndarray:
    """RGB samples of beats, (..., 3): the inverse of `packed_pixels`."""
    wide = np.asarray(data).astype(np.int64)
    return np.stack([wide >> depth * place & (1 << depth) - 1 for place in RGB_PLACES], axis=-1)


def file_beats(files: bytes | Sequence[bytes], size: int) -> dict[str, np.ndarray]:
    """Beats of ``size`` bytes of files, sent one after the other, each ended by TLAST."""
    beats = [file_words(file, size) for file in ([files] if isinstance(files, bytes) else files)]
    return {name: np.concatenate([b[name] for b in beats]) for name in ("data", "keep", "last")}


def file_words(file: bytes, size: int) -> dict[str, np.ndarray]:
    """Beats of ``size`` bytes of a file."""
    count = -(-len(file) // size)
    data = np.frombuffer(file + bytes(count * size - len(file)), dtype=f"<u{size}")
    keep = np.full(count, (1 << size) - 1, dtype=np.int64)
    last = np.zeros(count, dtype=np.int64)
    if count:
        keep[-1] = (1 << (len(file) - (count - 1) * size)) - 1
        last[-1] = 1
    return {"data": data, "keep": keep, "last": last}


def sequence_beats(parts: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Beats of sequences, each ended by TLAST."""
    last = np.zeros(sum(map(len, parts)), dtype=np.int64)
    last[np.cumsum([len(part) for part in parts]) - 1] = 1
    return {"data": np.concatenate(parts).astype(np.int64), "last": last}
