"""Speed of the codec in C on one thread, beside other codecs on the same images in the same run.

    python -m bench.ccodec --gray kodak=kodak thermal16=domains2/thermal16
    python -m bench.ccodec --rgb kodak-rgb=kodak --cfa RGGB bayer14=domains2/bayer14
    python -m bench.ccodec --small digits=emnist_digits.npz

Data is named as for `python -m bench.domains`; the C is that of `lutgen c`, compiled by gcc as its
CMakeLists.txt does, as it is, without code for AVX2, and without that for any vectors.  Mpx/s count
processor time, not that of the clock, and of each image the best of some rounds, in each of which
all codecs take their turn: what else a machine does touches all alike.  So ratios of one run are
worth more than figures.
"""

import ctypes
import importlib.metadata
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from bench.asked import command_of
from bench.domains import gray, middle, named
from lutgen.c.folder import write_folder
from lutgen.c.text import identifier
from lutgen.codec.any_profile import codec_of
from lutgen.codec.native import VARIABLE
from lutgen.codec.predictive.planes import FIRST_CFA
from lutgen.commands import Command, Failure, OutputFile
from lutgen.compare.baselines import BASELINES
from lutgen.errors import ToolError
from lutgen.files.whole import write_file
from lutgen.formats.colour import colour_files, read_colour
from lutgen.formats.rules import DEEP_GRAY
from lutgen.model.cfa import CFAS
from lutgen.model.default import COLOUR, DEEP, DEFAULT, MOSAIC
from lutgen.model.samples import SignificantBits
from lutgen.model.shipped import find_model
from lutgen.training.data.datasets import data_hash, load_images

FLAGS = ("-std=c99", "-O2", "-ftree-vectorize", "-fPIC", "-shared")
#: Variants of the C code by their names, and what they are compiled with.
VARIANTS = {
    "C": (), "C, SSE4.1": ("-DLUTGEN_NO_AVX2",), "C, portable": ("-DLUTGEN_PORTABLE",),
}  # fmt: skip


#: Pixels of a side of a WebP at most: fewer than a stack of small images has.
_WEBP_SIDE = 16_383
#: Model of small images.
TILES = "digits"


class _Frame(ctypes.Structure):
    """``struct lutgen_frame``."""

    _fields_ = [("model_hash", ctypes.c_uint8 * 8)] + [
        (name, ctypes.c_uint32) for name in (
            "version", "width", "height", "channels", "order", "depth", "shift", "max_error",
            "strip_height", "tile_width", "levels", "coder", "images", "slabs",
        )
    ]  # fmt: skip


class Library:
    """The compiled library, with one model, as a codec of single images.

    ``cfa`` is the pattern of images that are colour filter arrays; an image may be ``stack`` small
    ones, one above the other.
    """

    def __init__(self, path: Path, model: str, cfa: str | None = None, stack: int = 1) -> None:
        self._calls = ctypes.CDLL(str(path))
        self._stack = stack
        self._pattern = cfa and FIRST_CFA + CFAS.index(cfa)
        for name in ("workspace_bytes", "encoded_bound", "decoded_bytes", "row_samples"):
            getattr(self._calls, f"lutgen_{name}").restype = ctypes.c_size_t
        self._model = ctypes.byref(ctypes.c_char.in_dll(self._calls, f"lutgen_{identifier(model)}"))

    def _room(self, what: str, *of) -> np.ndarray:
        return np.empty(getattr(self._calls, f"lutgen_{what}")(*of), np.uint8)

    def _workspace(self, frame: _Frame) -> np.ndarray:
        return self._room("workspace_bytes", self._model, ctypes.byref(frame))

    def _check(self, status: int) -> None:
        if status:
            raise ToolError(f"the codec in C must succeed, not return status {status}")

    def encode(self, image: np.ndarray) -> bytes:
        """The file of an image of uint8 or uint16, shape (H, W) or (H, W, C)."""
        frame, used, bits = _Frame(), ctypes.c_size_t(), SignificantBits.of(image)
        height, width, channels = (*image.shape, 1)[:3]
        self._calls.lutgen_default_frame(
            ctypes.byref(frame), self._model, self._pattern or channels, width,
            height // self._stack, bits.depth, bits.shift, self._stack,
        )  # fmt: skip
        stride = ctypes.c_size_t(self._calls.lutgen_row_samples(ctypes.byref(frame)))
        frame.order = self._calls.lutgen_best_order(ctypes.byref(frame), _pointer(image), stride)
        file, work = self._room("encoded_bound", ctypes.byref(frame)), self._workspace(frame)
        self._check(self._calls.lutgen_encode(
            self._model, ctypes.byref(frame), _pointer(image), *_buffer(file), ctypes.byref(used),
            *_buffer(work),
        ))  # fmt: skip
        return file[: used.value].tobytes()

    def decode(self, file: bytes) -> np.ndarray:
        """The image of a file."""
        frame, data = _Frame(), np.frombuffer(file, np.uint8)
        self._check(self._calls.lutgen_read_frame(*_buffer(data), ctypes.byref(frame)))
        out, work = self._room("decoded_bytes", ctypes.byref(frame)), self._workspace(frame)
        self._check(self._calls.lutgen_decode(
            self._model, *_buffer(data), *_buffer(out), None, None, *_buffer(work)
        ))  # fmt: skip
        kind = np.uint8 if frame.depth + frame.shift == 8 else np.uint16
        if self._pattern:
            return out.view(kind).reshape(2 * frame.height, 2 * frame.width)
        shape = frame.images * frame.height, frame.width, frame.channels
        return out.view(kind).reshape(shape if frame.channels > 1 else shape[:2])


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def _buffer(array: np.ndarray) -> tuple[ctypes.c_void_p, ctypes.c_size_t]:
    return _pointer(array), ctypes.c_size_t(array.nbytes)


def compiled(
    folder: Path, model: str, flags: tuple[str, ...], cfa: str | None = None, stack: int = 1
) -> tuple[Library, dict]:
    """The library of a model, and how large it is."""
    write_folder({model: find_model(model)}, folder / "lutgen")
    path = folder / "liblutgen.so"
    sources = sorted((folder / "lutgen" / "src").glob("*.c"))
    subprocess.run(["gcc", *FLAGS, *flags, *sources, "-o", path], check=True)
    sizes = subprocess.run(["size", path], check=True, capture_output=True, text=True).stdout
    found = Library(path, model, cfa, stack)
    return found, {"text_and_tables": int(sizes.splitlines()[1].split()[0])}


class Timed(NamedTuple):
    """A codec under measurement."""

    encode: Callable[[np.ndarray], bytes]
    decode: Callable[[bytes], np.ndarray]


def others(
    model: str, image: np.ndarray, *, reference: bool, cfa: str | None = None, stack: int = 1
) -> dict[str, Timed]:
    """Codecs to stand beside, for images like one of them, one thread each.

    Filter arrays and stacks are gray images to them.
    """
    import imagecodecs

    found, channels = {}, (*image.shape, 1)[2]
    for name in ("PNG", "WebP", "QOI"):
        too_long = name == "WebP" and max(image.shape) > _WEBP_SIDE
        if 8 * image.itemsize <= BASELINES[name].depth and not too_long:
            found[name] = Timed(*BASELINES[name].both(image))
    if channels == 1:  # of colour, the binding codes it in one scan and without a transform
        found["JPEG-LS (CharLS)"] = Timed(imagecodecs.jpegls_encode, imagecodecs.jpegls_decode)
    for effort in (1, 3, 7):
        found[f"JPEG XL e{effort}"] = Timed(
            lambda image, effort=effort: imagecodecs.jpegxl_encode(
                image, effort=effort, lossless=True, numthreads=1
            ),
            lambda data: imagecodecs.jpegxl_decode(data, numthreads=1),
        )
    if reference:
        os.environ[VARIABLE] = "python"  # else it would be the same C
        codec = codec_of(find_model(model), threads=1)
        found["Python and numba"] = Timed(
            lambda image: codec.encode(image, channels=channels, cfa=cfa),
            lambda data: codec.decode(data)[0],
        ) if stack == 1 else Timed(
            lambda image: codec.encode(image.reshape(stack, -1, image.shape[1])).data,
            lambda data: np.concatenate(codec.decode(data)),
        )  # fmt: skip
    return found


def measure(images: list[np.ndarray], codecs: dict[str, Timed], rounds: int) -> dict:
    """Bits per pixel, and Mpx/s of encoding and decoding, of each codec."""
    pixels = sum(image.shape[0] * image.shape[1] for image in images)
    seconds = {name: np.full((2, len(images)), np.inf) for name in codecs}
    sizes = dict.fromkeys(codecs, 0)
    for turn in range(rounds):
        for k, image in enumerate(images):
            for name, codec in codecs.items():
                start = time.process_time()
                data = codec.encode(image)
                between = time.process_time()
                decoded = codec.decode(data)
                end = time.process_time()
                if not np.array_equal(decoded, image):
                    raise Failure(f"{name} must give image {k} back, which it does not")
                spent = (between - start, end - between)
                seconds[name][:, k] = np.minimum(seconds[name][:, k], spent)
                sizes[name] += len(data) * (turn == 0)
    return {
        name: {
            "bpp": round(8 * sizes[name] / pixels, 4),
            "encode_mpx_s": round(pixels / seconds[name][0].sum() / 1e6, 2),
            "decode_mpx_s": round(pixels / seconds[name][1].sum() / 1e6, 2),
        }
        for name in codecs
    }


def model_for(images: list[np.ndarray], cfa: str | None) -> str:
    """Name of the model that lutgen takes for such images."""
    if cfa:
        return MOSAIC[DEFAULT]
    if images[0].ndim > 2:
        return COLOUR[DEFAULT]
    return DEFAULT if all(image.dtype == np.uint8 for image in images) else DEEP[DEFAULT]


@click.command(cls=Command)
@click.argument("data", nargs=-1, metavar="[NAME=]DATA...")
@click.option("--gray", "colour", multiple=True, metavar="[NAME=]FOLDER",
              help="Colour pictures, made gray.")  # fmt: skip
@click.option("--rgb", multiple=True, metavar="[NAME=]FOLDER", help="Colour pictures, 8 bits.")
@click.option("--cfa", multiple=True, nargs=2, metavar="PATTERN [NAME=]DATA",
              help="Colour filter arrays of a pattern, such as RGGB.")  # fmt: skip
@click.option("--small", multiple=True, metavar="[NAME=]DATA",
              help="Small images, all in one file.")  # fmt: skip
@click.option("--crop", type=click.IntRange(1), metavar="N",
              help="Measure the middle, at most N x N pixels.")  # fmt: skip
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--most", type=click.IntRange(1), metavar="N", help="Measure the first N images.")
@click.option("--reference/--no-reference", default=True, show_default=True,
              help="Measure Python's codec, too.")  # fmt: skip
@click.option("--split", default="val", show_default=True, help="Part of data that comes in parts.")
@click.option("--out", default="bench/results/c-codec.json", show_default=True, type=OutputFile())
def main(data, colour, rgb, cfa, small, crop, rounds, most, reference, split, out) -> None:
    """Measure the codec in C, and add the figures to the json of earlier runs."""
    if not (data or colour or rgb or cfa or small):
        raise click.UsageError("data must be at least one set, not none")

    def deep(spec):
        return load_images(spec, split=split, limits=DEEP_GRAY)

    patterns = {name: pattern for pattern, spec in cfa for name in named((spec,))}
    if bad := set(patterns.values()) - set(CFAS):
        raise click.UsageError(f"cfa must be one of {', '.join(CFAS)}, not {min(bad)}")
    readers = (
        (deep, (*data, *small)), (deep, tuple(spec for _, spec in cfa)), (gray, colour),
        (lambda spec: [read_colour(path) for path in colour_files(spec)], rgb),
    )  # fmt: skip
    sets = {name: partial(read, spec)
            for read, specs in readers for name, spec in named(specs).items()}  # fmt: skip
    stacks = named(small)
    found = json.loads(Path(out).read_text()) if Path(out).exists() else {}
    for name, read in sets.items():
        images = [np.ascontiguousarray(middle(image, crop)) for image in read()][:most]
        pattern, stack = patterns.get(name), 1
        model = model_for(images, pattern)
        if name in stacks:
            images, model, stack = [np.concatenate(images)], TILES, len(images)
        with tempfile.TemporaryDirectory() as folder:
            codecs, sizes = {}, {}
            # Code for tiles is plain C everywhere.
            for variant, flags in list(VARIANTS.items())[: 1 if stack > 1 else None]:
                library, sizes[variant] = compiled(
                    Path(folder) / identifier(variant), model, flags, pattern, stack
                )
                codecs[variant] = Timed(library.encode, library.decode)
            codecs |= others(model, images[0], reference=reference, cfa=pattern, stack=stack)
            found[name] = {
                "date": date.today().isoformat(),
                "command": command_of("bench.ccodec"),
                "imagecodecs": importlib.metadata.version("imagecodecs"),
                "processor": platform.processor() or platform.machine(),
                "sha256": data_hash(images), "images": max(len(images), stack), "model": model,
                "bytes": sizes, "codecs": measure(images, codecs, rounds),
            }  # fmt: skip
        write_file(out, (json.dumps(found, indent=1) + "\n").encode())
        for codec, row in found[name]["codecs"].items():
            speed = f"{row['encode_mpx_s']:7.2f} / {row['decode_mpx_s']:7.2f} Mpx/s"
            click.echo(f"{name:12} {codec:18} {row['bpp']:7.3f} bpp {speed}")


if __name__ == "__main__":
    main()
