"""Image sets for training: one string names any of them.

======================================  =======================================================
specification                           images
======================================  =======================================================
``glyphs[:count[:seed]]``               synthetic glyphs, no download (`lutgen.training.glyphs`)
``emnist-digits``, ``kmnist``,          the official files, fetched by torchvision into a cache
``fashion-mnist``                       folder on first use
``path/file.npz`` or ``file.npz:name``  arrays ``train``, ``val``, ``test``, or any other
``file.npy``                            one image or a stack of them
``file.idx``, ``...-ubyte[.gz]``        IDX, as EMNIST and MNIST come
``file.png``, ``file.pgm``, a folder    8-bit gray pictures, sizes may differ
======================================  =======================================================

A path that does not exist is looked for in the folder that the environment variable
``LUTGEN_DATA`` names, with and without the ending ``.npz``; the official files are fetched only if
that folder has no file of their name.
"""

import gzip
import hashlib
import math
import os
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lutgen.bounds import most_inflated
from lutgen.npz import check_npz
from lutgen.training.glyphs import glyphs

__all__ = ["DOWNLOADS", "DatasetError", "check_images", "data_hash", "load_images"]

_SPLITS = ("train", "val", "test")
_PICTURES = (".png", ".pgm")
#: Most pixels of one set; 30 times the natural training set.
_MAX_PIXELS = 1 << 30

#: Of each downloadable set: torchvision's class, further arguments, and the licence of the data.
DOWNLOADS = {
    "emnist-digits": ("EMNIST", {"split": "digits"}, "NIST, cite Cohen et al. 2017"),
    "kmnist": ("KMNIST", {}, "CC BY-SA 4.0"),
    "fashion-mnist": ("FashionMNIST", {}, "MIT"),
}


class DatasetError(ValueError):
    """Images that cannot be found, read or used."""


def check_images(images, what: str = "images") -> list[np.ndarray]:
    """A list of the images, all of them uint8 of shape (H, W).

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
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 2:
            kind = getattr(image, "dtype", type(image).__name__)
            raise DatasetError(
                f"{what} must be 8-bit gray, shape (height, width), not {kind} of shape "
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
        digest.update(struct.pack("<II", *image.shape))
        digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def load_images(spec, *, split: str = "train", cache=None) -> list[np.ndarray]:
    """The images that ``spec`` names (see the module), as uint8 arrays of shape (H, W).

    Parameters
    ----------
    spec:
        Specification string, or a path.
    split:
        ``train``, ``val`` or ``test``: which array of an npz file that has arrays of these names,
        and which part of a download, where ``val`` and ``test`` are the test part.  Other files
        have one part only, which any ``split`` gives.
    cache:
        Folder for downloads, ``~/.cache/lutgen`` unless told.

    Raises
    ------
    DatasetError
        If the images cannot be found, read or used; it names the file and the rule.
    """
    spec = os.fspath(spec)
    if split not in _SPLITS:
        raise DatasetError(f"split must be one of {', '.join(_SPLITS)}, not {split!r}")
    if spec == "glyphs" or spec.startswith("glyphs:"):
        return _glyphs(spec, split)
    if spec in DOWNLOADS and not any(place.exists() for place in _places(spec)):
        return check_images(_download(spec, split, cache), spec)
    path, part = _locate(spec)
    try:
        return check_images(_read(path, part, split), str(path))
    except OSError as error:
        raise DatasetError(f"{path} must be readable: {error}") from None


def _glyphs(spec: str, split: str) -> list[np.ndarray]:
    fields = spec.split(":")[1:]
    try:
        count, seed = (*map(int, fields), *(1000, 0)[len(fields) :])
        # Parts share no image: each has a seed of its own.
        return list(glyphs(count, _SPLITS.index(split) + 3 * seed))
    except ValueError as error:
        raise DatasetError(
            f"glyphs must be given as glyphs:count:seed, not {spec!r} ({error})"
        ) from None


def _places(text: str) -> list[Path]:
    """Where a path may be."""
    folder = os.environ.get("LUTGEN_DATA")
    beside = [Path(folder, text), Path(folder, text + ".npz")] if folder else []
    return [Path(text), *beside]


def _locate(spec: str) -> tuple[Path, str | None]:
    """File or folder and, after a colon, the name of an array."""
    folder = os.environ.get("LUTGEN_DATA")  # named in the error
    options = [(spec, None)]
    name, colon, part = spec.rpartition(":")
    if colon and name and part:
        options.append((name, part))
    for text, array in options:
        for place in _places(text):
            if place.exists():
                return place, array
    raise DatasetError(
        f"data must be an existing file or folder, or one of glyphs, {', '.join(DOWNLOADS)}, "
        f"not {spec!r}" + (f" (also looked in {folder})" if folder else "")
    )


def _read(path: Path, part: str | None, split: str) -> list[np.ndarray]:
    name = path.name.lower()
    if part is not None and not name.endswith(".npz"):
        raise DatasetError(f"{path}: only an npz file has arrays by name, not {part!r}")
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in _PICTURES)
        if not files:
            raise DatasetError(f"{path} must contain PNG or PGM files, not none")
        return [_picture(p) for p in files]
    if name.endswith(".npz"):
        return _npz(path, part, split)
    if name.endswith(".npy"):
        try:
            # Mapped, so that a header cannot ask for more than the file has.
            return _stack(np.array(np.load(path, mmap_mode="r", allow_pickle=False)), path)
        except (ValueError, EOFError) as error:
            raise DatasetError(f"{path} must be a readable npy file: {error}") from None
    if name.endswith(_PICTURES):
        return [_picture(path)]
    if name.endswith((".idx", ".idx.gz", ".gz")) or "ubyte" in name:
        return _stack(_idx(path), path)
    raise DatasetError(f"{path} must be npz, npy, idx, idx.gz, png or pgm, not another kind")


def _stack(array: np.ndarray, path: Path) -> list[np.ndarray]:
    if array.dtype != np.uint8 or array.ndim not in (2, 3):
        raise DatasetError(
            f"{path} must hold uint8 images of shape (H, W) or (count, H, W), "
            f"not {array.dtype} of shape {array.shape}"
        )
    return [array] if array.ndim == 2 else list(array)


def _npz(path: Path, part: str | None, split: str) -> list[np.ndarray]:
    try:
        check_npz(path)
        with np.load(path, allow_pickle=False) as file:
            names = file.files
            if part is not None:
                if part not in names:
                    raise DatasetError(
                        f"{path} must have the array {part!r}; it has {', '.join(names[:20])}"
                    )
                return _stack(file[part], path)
            if split in names:
                return _stack(file[split], path)
            if set(names) & set(_SPLITS):
                have = [name for name in _SPLITS if name in names]
                raise DatasetError(
                    f"{path} must have the array {split!r}; it has {', '.join(have)}"
                )
            return [image for name in names for image in _stack(file[name], path)]
    except DatasetError:
        raise
    except Exception as error:  # zipfile and numpy raise a dozen kinds on damaged files
        raise DatasetError(f"{path} must be a readable npz file: {error}") from None


def _picture(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            if image.mode != "L":
                kinds = {"1": "1-bit", "I;16": "16-bit gray", "I": "16-bit or deeper gray"}
                raise DatasetError(
                    f"{path} must be 8-bit gray, not {kinds.get(image.mode, image.mode)}; convert "
                    "it first"
                )
            return np.array(image, dtype=np.uint8)
    except (OSError, Image.DecompressionBombError, SyntaxError, EOFError) as error:
        raise DatasetError(f"{path} must be a readable picture: {error}") from None


def _idx(path: Path) -> np.ndarray:
    """The array of an IDX file: two zero bytes, type 8 (uint8), rank, big-endian sizes, data."""
    try:
        with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
            magic = file.read(4)
            if len(magic) < 4 or magic[:3] != b"\0\0\x08" or magic[3] not in (2, 3):
                raise DatasetError(
                    f"{path} must be an IDX file of uint8 images, not one that begins {magic!r}"
                )
            sizes = struct.unpack(f">{magic[3]}I", file.read(4 * magic[3]))
            want = math.prod(sizes)
            if not 1 <= want <= _MAX_PIXELS:
                raise DatasetError(f"{path} must have 1 to {_MAX_PIXELS} pixels, not {want}")
            if want > most_inflated(path.stat().st_size):
                raise DatasetError(f"{path} must be large enough for the {want} pixels it claims")
            data = file.read(want + 1)
    except (EOFError, gzip.BadGzipFile, struct.error, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} must be a whole IDX file: {error}") from None
    if len(data) != want:
        raise DatasetError(f"{path} must have {want} bytes of pixels, not {len(data)}")
    return np.frombuffer(data, dtype=np.uint8).reshape(sizes)


def _download(name: str, split: str, cache) -> list[np.ndarray]:
    kind, arguments, _ = DOWNLOADS[name]
    folder = Path(cache) if cache is not None else Path.home() / ".cache" / "lutgen"
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
