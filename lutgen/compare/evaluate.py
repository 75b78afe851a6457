"""Compression of a codec beside the usual ones, every round trip verified.

Like is compared with like.  Every codec writes a file for each image, and all bytes of the files
count; where many small images share one file of ours, the others get these images on one *page*,
side by side, which spares them headers and lets them learn from one image for the next.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

<<<<<<< HEAD
from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, Coder
from lutgen.codec.container import Header
from lutgen.compare.bicubic import bicubic
from lutgen.formats.imageio import by_shape, png_bytes
from lutgen.model.model import Model
from lutgen.model.pyramid import pyramid
from lutgen.model.tile import TileGrid
=======
from lutgen.compare.baselines import BASELINES, Baseline, coded, jpeg_ls
from lutgen.compare.codecs import ImageCodec, Tell
from lutgen.compare.pages import pages
from lutgen.model.samples import SignificantBits
>>>>>>> wip-images

__all__ = ["evaluate", "faults"]


def evaluate(
    images: Sequence[np.ndarray],
    codec: ImageCodec | None,
    *,
    baselines: bool = True,
    near: Sequence[int] = (),
    progress: Tell | None = None,
) -> dict:
    """Measure a codec on images.

    Parameters
    ----------
    images:
        uint8 or uint16 arrays of shape (H, W); sizes and types may differ.
    codec:
        What is measured; None, the usual codecs alone.
    baselines:
        Whether to measure the usual codecs, too: one file per image, and small images on pages.
    near:
        Greatest errors at which the codec and JPEG-LS are measured, too.
    progress:
        Called with step, pixels done and all pixels of the step.

    Returns
    -------
    dict
        Ready for json.  ``images``, ``pixels``, ``sizes``, and ``depths``: how many images have how
        many significant bits.  Then, of a codec, what it says of itself and what it measures:

        - ``bpp`` is in bits per pixel: ``file_each`` of whole files of one image each, which is to
          be compared with the ``bpp`` of a baseline, ``mean_each`` the mean of the images' own,
          with its ``bpp_mean``.  A codec of tiles also gives ``file`` of whole
          files when images of one size share one, to be compared with ``bpp_page``, ``payload`` of
          the coded tiles and ``ideal``, the sum of ``-log2 p``.
        - ``speed`` is in million pixels per second of one core, ``verified`` tells whether every
          image came back as it was.
        - ``levels`` of a codec of tiles has an object for each level of the pyramid: ``bpp``, its
          part of ``ideal``, in bits per pixel of the image (level 0), and, but for the coarsest,
          the root mean square errors of the level upsampled from the true next coarser one:
          ``rmse`` of the model, within tiles as the codec does it, and ``bicubic_rmse`` of cubic
          convolution of whole images.

        ``baselines`` has the usual codecs by name: ``settings``, ``bpp``, ``bpp_mean``, and
        ``bpp_page`` of small images of a size on one page, None if there are not two of them.  One
        that cannot code an image has None in place of a figure, and a ``reason``.

        ``near_lossless`` has an object for each of ``near``: ``near``, and ``lutgen`` and
        ``JPEG-LS``, each with ``bpp``, ``bpp_mean`` and perhaps ``reason``.  ``verified`` of the
        codec's tells whether every sample was within ``near``.

    Raises
    ------
    ValueError
        If there are no images, or the codec does not take one.
    """
    images = list(images)
    if not images:
        raise ValueError("images must be at least one, not none")
    tell = (lambda step, done, total: None) if progress is None else progress
    depths = Counter(SignificantBits.of(image).depth for image in images)
    result = {
        "images": len(images),
        "pixels": sum(image.size for image in images),
        "sizes": len({image.shape for image in images}),
        "depths": {str(depth): depths[depth] for depth in sorted(depths)},
    }
    if codec is not None:
        result |= codec.record() | codec.measure(images, tell)
    if baselines:
        small = pages(images)
        result["baselines"] = {
            name: {"settings": usual.settings, **_baseline(name, usual, images, small, tell)}
            for name, usual in BASELINES.items()
        }
    if near:
        result["near_lossless"] = [_near(codec, images, n, tell) for n in near]
    return result


<<<<<<< HEAD
def _measure(
    images: list[np.ndarray], model: Model, tile, coder: Coder, tell: Callable
) -> dict:
    codec = Codec(model, threads=1)
    # Compilation, once per machine, is not part of the speed.
    codec.decode(codec.encode(images[0][:1, :1], coder=coder).data)
    pixels = sum(image.size for image in images)
    groups = by_shape(images)
    payload = file = file_each = 0
    level_bits = np.zeros(model.levels + 1)
    errors = np.zeros((model.levels, 3))
    encode_s = decode_s = 0.0
    verified = True
    done = {"encoding": 0, "decoding": 0}

    def step(name: str) -> Callable[[int], None]:
        def add(count: int) -> None:
            done[name] += count
            tell(name, done[name], pixels)

        return add

    for group in groups:
        start = time.perf_counter()
        encoded = codec.encode(group, tile=tile, coder=coder, progress=step("encoding"))
        encode_s += time.perf_counter() - start
        level_bits += encoded.level_bits
        payload += encoded.payload_bytes
        file += len(encoded.data)
        # An image's packets do not depend on its neighbours in the file: only headers are added.
        more_headers = Header.unpack(encoded.data).table.size * (len(group) - 1)
        file_each += len(encoded.data) + more_headers
        start = time.perf_counter()
        decoded = codec.decode(encoded.data, progress=step("decoding"))
        decode_s += time.perf_counter() - start
        verified &= np.array_equal(decoded, group)
        errors += _upsampling_errors(group, model, tile)
    rmse = np.sqrt(errors[:, :2] / errors[:, 2:]).tolist()
    return {
        "images": len(images),
        "pixels": pixels,
        "sizes": len(groups),
        "tile": list(tile),
        "coder": {"name": coder.name, "state_bits": coder.state_bits},
        "model": {"profile": model.profile, "hash": model.hash},
        "bpp": {
            "ideal": float(level_bits.sum()) / pixels,
            "payload": 8 * payload / pixels,
            "file": 8 * file / pixels,
            "file_each": 8 * file_each / pixels,
        },
        "levels": [
            {"level": level, "bpp": bits / pixels} | (
                dict(zip(("rmse", "bicubic_rmse"), rmse[level], strict=True))
                if level < model.levels else {}
            )
            for level, bits in enumerate(level_bits.tolist())
        ],
        "speed": {"encode": pixels / encode_s / 1e6, "decode": pixels / decode_s / 1e6},
        "verified": bool(verified),
    }


def _upsampling_errors(images: np.ndarray, model: Model, tile) -> np.ndarray:
    """Of each level: squared errors of the model's and of bicubic upsampling, and pixels."""
    errors = np.zeros((model.levels, 3))
    if not model.levels:
        return errors
    levels = pyramid(images, model.levels)
    grid = TileGrid(*images.shape[:0:-1], *tile)
    for level, (high, low) in enumerate(zip(levels, levels[1:], strict=False)):
        errors[level, 2] = high.size
        for image, small in zip(high, low, strict=True):
            errors[level, 1] += _squares(image, bicubic(small, *image.shape))
        tiles = _tiles(high, grid, level), _tiles(low, grid, level + 1)
        for part, small in zip(*tiles, strict=True):
            step = max(1, _BLOCK // part[0].size)
            for i in range(0, len(part), step):
                guess = model.upsampler.upsample(small[i : i + step], *part.shape[1:])
                errors[level, 0] += _squares(part[i : i + step], guess)
    return errors


def _tiles(images: np.ndarray, grid: TileGrid, level: int) -> list[np.ndarray]:
    """Tiles of a level of all images, stacked by their size at level 0."""
    sizes: dict[tuple, list[np.ndarray]] = {}
    for rows, columns in grid:
        size = rows.stop - rows.start, columns.stop - columns.start
        y, x = rows.start >> level, columns.start >> level
        h, w = (-(-side >> level) for side in size)
        sizes.setdefault(size, []).append(images[:, y : y + h, x : x + w])
    return [np.concatenate(tiles) for tiles in sizes.values()]


def _squares(a: np.ndarray, b: np.ndarray) -> int:
    return int(((a.astype(np.int32) - b) ** 2).sum(dtype=np.int64))


def page(images: np.ndarray) -> np.ndarray:
    """Images of one size side by side, nearly a square: uint8 (N, H, W) to (rows H, columns W).

    Cells that are left over are black.
    """
    count, height, width = images.shape
    columns = min(max(1, round(math.sqrt(count * height / width))), _PAGE_SIDE // width)
    rows = -(-count // columns)
    cells = np.zeros((rows * columns, height, width), dtype=np.uint8)
    cells[:count] = images
    cells = cells.reshape(rows, columns, height, width).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(cells.reshape(rows * height, columns * width))


def _pages(images: list[np.ndarray]) -> list[np.ndarray] | None:
    """Small images on pages, by their size; None if there is a large one, or no two of a size."""
    groups = by_shape(images)
    if any(g[0].size > _SMALL for g in groups) or all(len(g) == 1 for g in groups):
        return None
    most = [(_PAGE_SIDE // g.shape[1]) * (_PAGE_SIDE // g.shape[2]) for g in groups]
    return [
        page(g[at : at + n]) for g, n in zip(groups, most, strict=True)
        for at in range(0, len(g), n)
=======
def faults(result: Mapping) -> list[str]:
    """What was wrong with decoded images of a codec that `evaluate` measured."""
    found = [] if result.get("verified", True) else [
        "decoded images must equal the originals, but differ"
>>>>>>> wip-images
    ]  # fmt: skip
    return found + [
        f"decoded samples must be within {near['near']}, but are not"
        for near in result.get("near_lossless", ())
        if not near.get("lutgen", {}).get("verified", True)
    ]


def _baseline(
    name: str, codec: Baseline, images: list[np.ndarray], small: list[np.ndarray] | None,
    tell: Tell,
) -> dict:  # fmt: skip
    pixels = sum(image.size for image in images)
    result = coded(name, codec, images, pixels, tell)
    result["bpp_page"] = None
    if small is not None and result["bpp"] is not None:
        found = coded(f"{name}, one page", codec, small, pixels, tell)
        result["bpp_page"] = found["bpp"]
        result |= {key: found[key] for key in found.keys() & {"reason"}}
    return result


def _near(codec: ImageCodec | None, images: list[np.ndarray], near: int, tell: Tell) -> dict:
    pixels = sum(image.size for image in images)
    step = f"JPEG-LS, near {near}"
    result = {"near": near, "JPEG-LS": coded(step, jpeg_ls(near), images, pixels, tell)}
    if codec is not None:
        result["lutgen"] = _near_own(codec, images, near, tell)
    return result


def _near_own(codec: ImageCodec, images: list[np.ndarray], near: int, tell: Tell) -> dict:
    if near > codec.most_near:
        limit = f"near {codec.most_near} at most" if codec.most_near else "lossless only"
        return {"bpp": None, "reason": limit}
    found = codec.measure_files(images, tell, near)
    return {
        "bpp": found["bpp"]["file_each"], "bpp_mean": found["bpp"]["mean_each"],
        "verified": found["verified"],
    }  # fmt: skip
