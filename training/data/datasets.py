"""Image sets for training: one string names any of them.

======================================  =======================================================
specification                           images
======================================  =======================================================
``glyphs[:count[:seed]]``               synthetic glyphs, no download (`.glyphs`)
``pages[:count[:seed]]``                synthetic pages, charts, screens, scans, noise (`.pages`)
``emnist-digits``, ``emnist-letters``,  the official files, fetched by torchvision into a cache
``emnist-balanced``,                    folder on first use
``emnist-byclass``, ``kmnist``,
``fashion-mnist``
``path/file.npz`` or ``file.npz:name``  arrays ``train``, ``val``, ``test``, or any other
``file.npy``                            one image or a stack of them
``file.idx``, ``...-ubyte[.gz]``        IDX, as EMNIST and MNIST come
``file.png``, ``.pgm``, ``.tif``, a     8-bit gray pictures, sizes may differ
folder
``-``                                   one of PNG, PGM, TIFF and npy from standard input
======================================  =======================================================

A path that does not exist is looked for in the folder that the environment variable
``LUTGEN_DATA`` names, with and without the ending ``.npz``; the official files are fetched
only if that folder has no file of their name.
"""

import hashlib
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from lutgen.files.caches import cache_folder
from lutgen.files.whole import STANDARD
from lutgen.formats.arrays import read_idx, read_npz
from lutgen.formats.imageio import GRAY_8, GrayLimits, ImageError, read_images
from lutgen.formats.rules import channels_of
from lutgen.training.data.glyphs import glyphs
from lutgen.training.data.pages import pages

__all__ = ["DOWNLOADS", "DatasetError", "check_images", "data_hash", "load_images"]

_SPLITS = ("train", "val", "test")
#: Most pixels of one set; 30 times the natural training set.
_MAX_PIXELS = 1 << 30

#: Of each set that is drawn: by what, and how many images unless told.
_DRAWN: dict[str, tuple[Callable[[int, int], Iterable[np.ndarray]], int]] = {
    "glyphs": (glyphs, 1000), "pages": (pages, 64),
}

#: Of each downloadable set: torchvision's class, further arguments, and the licence of the data.
DOWNLOADS = {
    **{
        f"emnist-{split}": ("EMNIST", {"split": split}, "NIST, cite Cohen et al. 2017")
        for split in ("digits", "letters", "balanced", "byclass")
    },
    "kmnist": ("KMNIST", {}, "CC BY-SA 4.0"),
    "fashion-mnist": ("FashionMNIST", {}, "MIT"),
}


class DatasetError(ImageError):
    """Images that cannot be found or used."""


def check_images(
    images, what: str = "images", limits: GrayLimits = GRAY_8
) -> list[np.ndarray]:
    """A list of the images, all of them uint8 or what else the limits take.

    Their shape is (H, W), or where limits take colour (H, W, C).

    Raises
    ------
    DatasetError
        If there are none, or one is something else.
    """
    images = list(images)
    if not images:
        raise DatasetError(f"{what} must be at least one image, not none")
    total = 0
    for k, image in enumerate(images):
        kind = getattr(image, "dtype", type(image).__name__)
        if not isinstance(image, np.ndarray) or kind not in limits.dtypes or (
            image.ndim != 2 and channels_of(image.shape, limits) == 1
        ) or channels_of(image.shape, limits) < limits.fewest:
            shape = "(height, width" + f", {limits.fewest}" * (limits.fewest > 1) + ")"
            raise DatasetError(
                f"{what} must be {limits.wanted}, shape {shape}, not {kind} of shape "
                f"{np.shape(image)} (image {k})"
            )
        if not image.size:
            raise DatasetError(f"{what} must have pixels, not shape {image.shape} (image {k})")
        total += image.size
    if total > _MAX_PIXELS:
        raise DatasetError(f"{what} must have at most {_MAX_PIXELS} pixels, not {total}")
    return images


def data_hash(images: Sequence[np.ndarray]) -> str:
    """SHA-256, in hex, of the sizes and pixels of the images, in order."""
    digest = hashlib.sha256()
    for image in images:
        digest.update(struct.pack(f"<{image.ndim}I", *image.shape))
        digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def load_images(
    spec, *, split: str = "train", cache=None, limits: GrayLimits = GRAY_8
) -> list[np.ndarray]:
    """The images that ``spec`` names (see the module), as arrays of shape (H, W).

    They are uint8 or, if the limits take it, uint16, and where limits take colour, also (H, W, C).

    Parameters
    ----------
    spec:
        Specification string, or a path.
    split:
        ``train``, ``val`` or ``test``: which array of an npz file that has arrays of these names,
        and which part of a download, where ``val`` and ``test`` are the test part.  Other files
        have one part only, which any ``split`` gives.
    cache:
        Folder for downloads, that of `lutgen.files.caches` unless told.
    limits:
        Which images are taken, those of 8 bits unless told.

    Raises
    ------
    DatasetError
        If the images cannot be found or used; it names the file and the rule.
    OSError
        If they cannot be read.
    """
    spec = os.fspath(spec)
    if split not in _SPLITS:
        raise DatasetError(f"split must be one of {', '.join(_SPLITS)}, not {split!r}")
    kind = spec.partition(":")[0]
    if kind in _DRAWN:
        return _drawn(kind, spec, split, limits)
    if spec in DOWNLOADS and not any(place.exists() for place in _places(spec)):
        return check_images(_download(spec, split, cache), spec, limits)
    path, part = (STANDARD, None) if spec == STANDARD else _locate(spec)
    try:
        return check_images(_read(Path(path), part, split, limits), str(path), limits)
    except DatasetError:
        raise
    except ImageError as error:
        raise DatasetError(str(error)) from None


def _drawn(kind: str, spec: str, split: str, limits: GrayLimits) -> list[np.ndarray]:
    draw, usual = _DRAWN[kind]
    fields = spec.split(":")[1:]
    try:
        count, seed = (*map(int, fields), *(usual, 0)[len(fields) :])
        # Parts share no image: each has a seed of its own.
        return check_images(draw(count, _SPLITS.index(split) + 3 * seed), spec, limits)
    except DatasetError:
        raise
    except ValueError as error:
        raise DatasetError(
            f"{kind} must be given as {kind}:count:seed, not {spec!r} ({error})"
        ) from None


def _places(text: str) -> list[Path]:
    """Where a path may be."""
    folder = os.environ.get("LUTGEN_DATA")
    beside = [Path(folder, text), Path(folder, text + ".npz")] if folder else []
    return [Path(text), *beside]


def _locate(spec: str) -> tuple[Path, str | None]:
    """File or folder and, after a colon, the name of an array."""
    folder = os.environ.get("LUTGEN_DATA")  # named in the error
    options: list[tuple[str, str | None]] = [(spec, None)]
    name, colon, part = spec.rpartition(":")
    if colon and name and part:
        options.append((name, part))
    for text, array in options:
        for place in _places(text):
            if place.exists():
                return place, array
    raise DatasetError(
        f"data must be an existing file or folder, or one of {', '.join([*_DRAWN, *DOWNLOADS])}, "
        f"not {spec!r}" + (f" (also looked in {folder})" if folder else "")
    )


def _read(path: Path, part: str | None, split: str, limits: GrayLimits) -> list[np.ndarray]:
    name = path.name.lower()
    if part is not None and not name.endswith(".npz"):
        raise DatasetError(f"{path}: only an npz file has arrays by name, not {part!r}")
    if path.is_dir():
        return read_images(path, limits)
    if name.endswith(".npz"):
        return _npz(path, part, split, limits)
    if name.endswith((".idx", ".gz")) or "ubyte" in name:
        return list(read_idx(path))
    return read_images(path, limits)


def _npz(path: Path, part: str | None, split: str, limits: GrayLimits) -> list[np.ndarray]:
    def choose(names: list[str]) -> list[str]:
        if part is not None:
            if part not in names:
                raise DatasetError(
                    f"{path} must have the array {part!r}; it has {', '.join(names[:20])}"
                )
            return [part]
        if split in names:
            return [split]
        have = [name for name in _SPLITS if name in names]
        if have:
            raise DatasetError(f"{path} must have the array {split!r}; it has {', '.join(have)}")
        return names

    return read_npz(path, choose, limits)


def _download(name: str, split: str, cache) -> list[np.ndarray]:
    kind, arguments, _ = DOWNLOADS[name]
    folder = Path(cache) if cache is not None else cache_folder()
    try:
        from torchvision import datasets  # optional: only downloads need it
    except ImportError:
        raise DatasetError(
            f"{name} must be downloaded, which needs torchvision: pip install torchvision, or name "
            "a file you have (npz, idx.gz), or use glyphs"
        ) from None
    try:
        found = getattr(datasets, kind)(
            str(folder), train=split == "train", download=True, **arguments
        )
    except (OSError, RuntimeError) as error:
        raise DatasetError(
            f"{name} must be reachable or already in {folder}: {error}; without a network, name a "
            "file you have (npz, idx.gz), or use glyphs"
        ) from None
    return list(np.asarray(found.data, dtype=np.uint8))
