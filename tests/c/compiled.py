"""The generated library as a program that codes many cases, with sanitizers."""

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from lutgen.c.folder import write_folder
from lutgen.codec.any_profile import header_of
from lutgen.codec.coder import RANS, Coder
from lutgen.codec.predictive.codec import best_layout
from lutgen.codec.predictive.container import Frame
from lutgen.codec.predictive.planes import FIRST_CFA
from lutgen.files.caches import cache_folder
from lutgen.model.cfa import CFAS
from lutgen.sim.tool.cache import kept

__all__ = [
    "BAD_ARGUMENT", "DAMAGED_STRIPS", "OTHER_PIXELS", "SANITIZERS", "STRICT", "SUCCESS", "TARGETS",
    "Answer", "Program", "build", "build_fuzzer",
]  # fmt: skip

_HERE = Path(__file__).parent
#: Fuzz targets: ``fuzz_NAME.c``.
TARGETS = ("file", "strips", "encode")
#: What the sources must be free of.
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion")
SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SUCCESS, BAD_ARGUMENT, DAMAGED_STRIPS, OTHER_PIXELS = 0, 2, 14, 15
_ENCODE, _DECODE = 0, 1
#: Stands for the order of planes that the library chooses.
_BEST_ORDER = 99


@dataclass(frozen=True)
class Answer:
    """Status, damaged strips, and bytes: a file or samples, in the byte order of the program."""

    status: int
    damaged: tuple[int, ...]
    data: bytes
    byte_order: str

    def images(self, file: bytes) -> np.ndarray:
        header = header_of(file)
        if isinstance(header, Frame):
            kind = np.dtype(header.bits.dtype).newbyteorder(self.byte_order)
            return np.frombuffer(self.data, kind).reshape(header.shape)
        shape = header.images, header.grid.height, header.grid.width
        return np.frombuffer(self.data, np.uint8).reshape(shape)


class Program:
    """Cases are put down by `encode` and `decode`, and coded all at once by `answers`.

    A program for another machine is run by ``emulator``, and has a byte order of its own.
    ``headers`` and ``objects`` are what it was made of, but for the driver.
    """

    def __init__(
        self, path: Path, models, headers: Path, objects, emulator: str = "", byte_order: str = "="
    ) -> None:
        self.path, self.headers, self.objects = path, headers, objects
        self._command = [*filter(None, [emulator]), path]
        self._byte_order = byte_order
        self.models = dict(models)
        self._orders: list[bytes] = []

    def encode(
        self, model: str, images: np.ndarray, *, depth: int, shift: int = 0, near: int = 0,
        strip_height: int | None = None, tile_width: int | None = None, by_strips: bool = False,
        order: int | None = None, channels: int = 1, cfa: str | None = None, slabs: int = 1,
        coder: Coder = RANS,
    ) -> None:  # fmt: skip
        """Put down an encoding with the options of `PredictiveCodec.encode`."""
        count, height, width = images.shape[:3]
        if cfa:
            channels, order, height, width = 4, FIRST_CFA + CFAS.index(cfa), height // 2, width // 2
            strip_height, tile_width = (
                size and (size + 1) // 2 for size in (strip_height, tile_width)
            )
        elif order is None:
            order = _BEST_ORDER
        best = best_layout(width, height) if slabs == 1 else (height, 0)
        kind = images.dtype.newbyteorder(self._byte_order)
        self._order(_ENCODE, model, images.astype(kind).tobytes(), (
            2, width, height, channels, order, depth, shift, near >> shift,
            best[0] if strip_height is None else min(strip_height, height),
            best[1] if tile_width is None else min(tile_width, width), 0, coder.code, count, slabs,
        ), by_strips)  # fmt: skip

    def encode_tiles(
        self, model: str, images: np.ndarray, tile: tuple[int, int] = (32, 32), *,
        coder: Coder = RANS, by_strips: bool = False,
    ) -> None:  # fmt: skip
        """Put down an encoding with the options of `Codec.encode`."""
        count, height, width = images.shape
        levels = getattr(self.models[model], "levels", 0)
        self._order(_ENCODE, model, images.tobytes(), (
            1, width, height, 1, 0, 8, 0, 0, tile[1], tile[0], levels, coder.code, count, 1,
        ), by_strips)  # fmt: skip

    def decode(self, model: str, file: bytes, *, by_strips: bool = False) -> None:
        """Put down a decoding."""
        self._order(_DECODE, model, file, (0,) * 14, by_strips)

    def _order(self, what, model, data, frame, by_strips) -> None:
        numbers = (what, list(self.models).index(model), *frame, by_strips, len(data))
        self._orders.append(struct.pack(f"{self._byte_order}18I", *numbers) + data)

    def answers(self, timeout: float = 600) -> list[Answer]:
        """What became of all that was put down; a report of a sanitizer fails."""
        orders, self._orders = self._orders, []
        run = subprocess.run(self._command, input=b"".join(orders), capture_output=True,
                             timeout=timeout)  # fmt: skip
        assert run.returncode == 0 and not run.stderr, run.stderr.decode()[-3000:]
        found, at = [], 0
        while at < len(run.stdout):
            status, count = struct.unpack_from(f"{self._byte_order}2I", run.stdout, at)
            damaged = struct.unpack_from(f"{self._byte_order}{count}I", run.stdout, at + 8)
            at += 8 + 4 * count
            (size,) = struct.unpack_from(f"{self._byte_order}I", run.stdout, at)
            data = run.stdout[at + 4 : at + 4 + size]
            found.append(Answer(status, damaged, data, self._byte_order))
            at += 4 + size
        assert len(found) == len(orders)
        return found


def build(
    folder: Path, models, flags=SANITIZERS, compiler: tuple[str, ...] = ("gcc",),
    emulator: str = "", byte_order: str = "=",
) -> Program:  # fmt: skip
    """Write the sources of models, compile them and the driver; a warning is a failure."""
    for tool in filter(None, (compiler[0], emulator)):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    write_folder(models, folder)
    headers = folder / "src"
    objects = [_object(path, headers, flags, compiler) for path in sorted(headers.glob("*.c"))]
    driver = _linked("driver", objects, headers, flags, compiler)
    return Program(driver, models, headers, objects, emulator, byte_order)


def build_fuzzer(program: Program, target: str) -> Path:
    """A fuzz target over the sources that a program has been compiled from."""
    flags, compiler = (*SANITIZERS, "-DSTANDALONE"), ("gcc",)
    common = _object(_HERE / "fuzz_common.c", program.headers, flags, compiler)
    return _linked(f"fuzz_{target}", [*program.objects, common], program.headers, flags, compiler)


def _object(path: Path, headers: Path, flags, compiler: tuple[str, ...]) -> Path:
    includes = sorted([*headers.glob("*.h"), *_HERE.glob("*.h")])
    texts = [file.read_text() for file in (path, *includes)]
    command = [*compiler, *STRICT, *flags, f"-I{headers}", "-c", path]
    return _made(f"{path.stem}.o", [texts, flags], command, compiler)


def _linked(name: str, objects, headers: Path, flags, compiler: tuple[str, ...]) -> Path:
    own = _object(_HERE / f"{name}.c", headers, flags, compiler)
    parts = [*objects, own]
    return _made(name, [[part.name for part in parts], flags], [*compiler, *flags, *parts],
                 compiler)  # fmt: skip


def _made(name: str, of, command, compiler: tuple[str, ...]) -> Path:
    """What a compiler makes, kept by all that it is made of: several files of tests want it."""

    def make(path: Path) -> None:
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        _run([*command, "-o", partial])
        os.replace(partial, path)

    path, _ = kept(cache_folder() / "c", name, [of, compiler, _version(compiler)], make)
    return path


@cache
def _version(compiler: tuple[str, ...]) -> str:
    run = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=True)
    return run.stdout


def _run(command) -> None:
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0 and not run.stderr, run.stderr[:3000]
