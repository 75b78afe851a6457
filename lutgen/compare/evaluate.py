"""Compression of a model beside the usual lossless codecs, every round trip verified.

Like is compared with like.  Every codec writes a file for each image; and where many small images
share one file of ours, the others get these images on one *page*, side by side, which spares them
headers and lets them learn from one image for the next.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lutgen.codec.codec import Codec
from lutgen.codec.coder import RANS, Coder
from lutgen.codec.container import Header
from lutgen.compare.bicubic import bicubic
from lutgen.errors import InputError
from lutgen.formats.imageio import by_shape, png_bytes
from lutgen.model.model import Model
from lutgen.model.pyramid import pyramid
from lutgen.model.tile import TileGrid

__all__ = ["BASELINES", "evaluate", "page", "show", "table"]


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(image[..., None], (*image.shape, 3)))


def _baselines() -> dict[str, tuple[Callable, Callable]]:
    """Encoder and decoder of each baseline, at its strongest lossless setting."""
    import imagecodecs as ic

    return {
        "QOI": (lambda x: ic.qoi_encode(_rgb(x)), lambda b: ic.qoi_decode(b)[..., 0]),
        "PNG": (png_bytes, ic.png_decode),
        "WebP": (
            lambda x: ic.webp_encode(_rgb(x), level=100, lossless=True),
            lambda b: ic.webp_decode(b)[..., 0],
        ),
        "JPEG-LS": (ic.jpegls_encode, ic.jpegls_decode),
        "JPEG XL": (
            lambda x: ic.jpegxl_encode(x, effort=9, lossless=True),
            ic.jpegxl_decode,
        ),
    }


#: Settings of each baseline (imagecodecs), for reports.
BASELINES = {
    "QOI": "gray as RGB",
    "PNG": "level 9",
    "WebP": "lossless, level 100, gray as RGB",
    "JPEG-LS": "lossless",
    "JPEG XL": "lossless, effort 9",
}
#: Most pixels of an image that is small: many of them share a page.
_SMALL = 1 << 14
#: Most pixels of a side of a page: what WebP can have.
_PAGE_SIDE = 16383
#: Pixels that are upsampled at a time: bounds the memory.
_BLOCK = 1 << 20


def evaluate(
    images: Sequence[np.ndarray],
    model: Model,
    *,
    tile: tuple[int, int] = (32, 32),
    coder: Coder = RANS,
    baselines: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> dict:
    """Measure a model on images.

    Parameters
    ----------
    images:
        uint8 arrays of shape (H, W); sizes may differ.
    model:
        The codec model.
    tile:
        Width and height of a tile in pixels.
    coder:
        Entropy coder.
    baselines:
        Whether to measure the usual codecs too: one file per image, and small images on pages.
    progress:
        Called with step, pixels done and all pixels of the step.

    Returns
    -------
    dict
        Ready for json.  ``bpp`` is in bits per pixel: ``ideal`` is the sum of ``-log2 p``,
        ``payload`` the coded tiles, ``file`` whole files when images of one size share one, and
        ``file_each`` whole files of one image each, which is to be compared with the ``bpp`` of a
        baseline; compare ``file`` with its ``bpp_page``, small images of a size on one page, None
        if there are not two of them.  ``speed`` is in million pixels per second of one core.
        ``verified`` tells whether every image came back as it was.  A baseline that cannot code an
        image has None in place of a figure, and a ``reason``.

        ``levels`` has an object for each level of the pyramid: ``bpp``, its part of ``ideal``, in
        bits per pixel of the image (level 0), and, but for the coarsest, the root mean square
        errors of the level upsampled from the true next coarser one: ``rmse`` of the model, within
        tiles as the codec does it, and ``bicubic_rmse`` of cubic convolution of whole images.

    Raises
    ------
    InputError
        If there are no images, or the codec does not take one.
    """
    images = list(images)
    if not images:
        raise InputError("images must be at least one, not none")
    tell = (lambda step, done, total: None) if progress is None else progress
    result = _measure(images, model, tile, coder, tell)
    if baselines:
        pages = _pages(images)
        result["baselines"] = {
            name: {"settings": BASELINES[name], **_baseline(name, *codec, images, pages, tell)}
            for name, codec in _baselines().items()
        }
    return result


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
    ]  # fmt: skip


def _baseline(
    name: str, encode: Callable, decode: Callable, images, pages, tell: Callable
) -> dict:  # fmt: skip
    result = _coded(name, encode, decode, images, sum(image.size for image in images), tell)
    result["bpp_page"] = None
    if pages is not None and result["bpp"] is not None:
        pixels = sum(image.size for image in images)
        found = _coded(f"{name}, one page", encode, decode, pages, pixels, tell)
        result["bpp_page"] = found.pop("bpp")
        result |= found
    return result


def _coded(name: str, encode: Callable, decode: Callable, images, pixels, tell: Callable) -> dict:
    """Bits for each of so many pixels, which may be fewer than the images have."""
    size = done = 0
    total = sum(image.size for image in images)
    for image in images:
        try:
            data = encode(np.ascontiguousarray(image))
            same = np.array_equal(decode(data), image)
        except Exception as error:  # every codec has exceptions, and limits of size, of its own
            return {"bpp": None, "reason": f"{type(error).__name__}: {error}"}
        if not same:
            return {"bpp": None, "reason": "not lossless on these images"}
        size += len(data)
        done += image.size
        tell(name, done, total)
    return {"bpp": 8 * size / pixels}


def table(results: Mapping[str, Mapping]):
    """A rich table of `evaluate` results by name of the data: a row per codec, bits per pixel."""
    from rich.table import Table

    grid = Table(title="bits per pixel", title_justify="left")
    grid.add_column("codec", no_wrap=True)
    for name, result in results.items():
        label = name.rstrip("/").rpartition("/")[2]
        images = f"{result['images']} image{'s' * (result['images'] > 1)}"
        grid.add_column(f"{label}\n{images}", justify="right", no_wrap=True)

    def row(label: str, value: Callable[[Mapping], float | None], form: str = ".3f", **style):
        cells = [value(result) for result in results.values()]
        grid.add_row(label, *("-" if c is None else format(c, form) for c in cells), **style)

    usual = [name for name in BASELINES if any("baselines" in r for r in results.values())]

    def rows_of(key: str) -> None:
        for name in usual:
            row(name, lambda r, name=name: r.get("baselines", {}).get(name, {}).get(key))

    grid.add_row("one file per image", style="italic")
    rows_of("bpp")
    row("lutgen", lambda r: r["bpp"]["file_each"], style="bold", end_section=True)
    paged = any(
        b.get("bpp_page") is not None for r in results.values()
        for b in r.get("baselines", {}).values()
    )  # fmt: skip
    grid.add_row(f"one file per size{', others one page' * paged}", style="italic")
    if paged:
        rows_of("bpp_page")
    row("lutgen", lambda r: r["bpp"]["file"], style="bold", end_section=True)
    row("lutgen, tiles alone", lambda r: r["bpp"]["payload"])
    row("lutgen, ideal", lambda r: r["bpp"]["ideal"], end_section=True)
    levels = max(len(result["levels"]) for result in results.values())
    if levels > 1:
        for level in reversed(range(levels)):
            row(f"ideal, level {level}", lambda r, level=level: _of_level(r, level, "bpp"))
        grid.add_section()
        for level in reversed(range(levels - 1)):
            for label, key in (("upsampled", "rmse"), ("bicubic", "bicubic_rmse")):
                row(
                    f"RMSE, level {level} {label}",
                    lambda r, level=level, key=key: _of_level(r, level, key), ".2f",
                )  # fmt: skip
        grid.add_section()
    row("encode, Mpixel/s/core", lambda r: r["speed"]["encode"], ".2f")
    row("decode, Mpixel/s/core", lambda r: r["speed"]["decode"], ".2f")
    return grid


def show(results: Mapping[str, Mapping], console) -> None:
    """Print `table` on a rich console, columns that do not fit in further tables below.

    No number is ever cut: a table is as wide as it must be, on a terminal that is narrower, too.
    """
    from rich.console import Console
    from rich.measure import Measurement

    def width(names: list[str]) -> int:
        wide = Console(width=10**4)
        grid = table({name: results[name] for name in names})
        return Measurement.get(wide, wide.options, grid).maximum

    parts: list[list[str]] = []
    for name in results:
        if parts and (not console.is_terminal or width([*parts[-1], name]) <= console.width):
            parts[-1].append(name)
        else:
            parts.append([name])
    own = console.width
    for names in parts:
        console.width = max(own, width(names))
        console.print(table({name: results[name] for name in names}))
    console.width = own
    if any("baselines" in result for result in results.values()):
        text = "; ".join(f"{name}: {settings}" for name, settings in BASELINES.items())
        console.print(text, soft_wrap=not console.is_terminal, style="dim")


def _of_level(result: Mapping, level: int, key: str) -> float | None:
    return result["levels"][level].get(key) if level < len(result["levels"]) else None
