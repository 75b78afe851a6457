"""The reference codec: images to ``.lgc`` bytes and back, bit-exact on every machine.

With a model of L levels every tile is its own pyramid.  One payload holds them all, under one rANS
state: the decoder meets the coarsest level first, each level in raster order, and upsamples what it
has decoded to be the prior of the next finer one.  Of a model with the constraint the last pixel of
a block is coded among what its average leaves (:mod:`lutgen.model.constraint`).

A model of C channels predicts all samples of a pixel in parallel, from what lies before the pixel;
then they are coded one after the other.
"""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import BinaryIO

import numpy as np

from lutgen.errors import InputError
from lutgen.model.head import PROB_BITS
from lutgen.model.kernel_arrays import ArmArrays, arm_arrays, ups_arrays
from lutgen.model.model import Model
from lutgen.model.pyramid import half, pyramid
from lutgen.model.samples import EIGHT_BIT
from lutgen.model.tile import TileGrid

from .coder import RANS, Coder
from .container import (
    HEADER_BYTES,
    CorruptStreamError,
    CorruptTileError,
    Header,
    pack_length,
    read_fronts,
    split_packets,
)
from .kernel import LANES, NO_TANS, TansArrays, decode_group, model_tiles
from .native import native_model
from .native_tiles import decode_tiles, encode_tiles
from .rans import write_payload as write_rans
from .tans import TansTables
from .tans import write_payload as write_tans

__all__ = ["Codec", "Encoded", "ModelMismatchError", "level_sizes"]


class ModelMismatchError(InputError):
    """A stream that was written with another model."""


@dataclass(frozen=True)
class Encoded:
    """An encoded file and where its bits went.

    Parameters
    ----------
    data:
        The ``.lgc`` file.
    payload_bytes:
        Bytes of the payloads alone, without header and packet lengths.
    count_bits:
        Gives `level_bits`, which the codec in C does not know.
    """

    data: bytes
    payload_bytes: int
    count_bits: Callable[[], tuple[float, ...]] = field(repr=False, compare=False)

    @cached_property
    def level_bits(self) -> tuple[float, ...]:
        """Sum of ``-log2 p`` over all samples of each level, for reports: element l is of level l.

        Of what was encoded in C they are found when they are asked for first, by the loops that
        numba compiles.
        """
        return self.count_bits()

    @property
    def ideal_bits(self) -> float:
        """The same over all samples of all levels."""
        return sum(self.level_bits)


def level_sizes(rects: Sequence, levels: int) -> np.ndarray:
    """Height and width of each level of rectangles: int64, shape (n, levels + 1, 2)."""
    whole = [(r.stop - r.start, c.stop - c.start) for r, c in rects]
    sides: list[np.ndarray] = [np.array(whole, dtype=np.int64)]
    for _ in range(levels):
        sides.append(half(sides[-1]))
    return np.stack(sides, axis=1)


def _planes_of_images(images, channels: int) -> np.ndarray:
    """Images as a codec of so many channels has them: uint8 (N, C, H, W)."""
    array = np.asarray(images)
    one = ("H", "W") if channels == 1 else ("H", "W", str(channels))
    if array.dtype != EIGHT_BIT.dtype or array.ndim not in (len(one), len(one) + 1) or (
        channels > 1 and array.shape[-1] != channels
    ):
        kind = "grayscale" if channels == 1 else f"of {channels} channels,"
        shapes = " or ".join(f"({', '.join(shape)})" for shape in (one, ("N", *one)))
        raise InputError(
            f"images must be {EIGHT_BIT.depth}-bit {kind} of shape {shapes}, "
            f"not {array.dtype} of shape {array.shape}"
        )
    if array.size == 0:
        raise InputError(f"images must have at least one pixel, not shape {array.shape}")
    array = array if array.ndim > len(one) else array[None]
    return array[:, None] if channels == 1 else np.moveaxis(array, -1, 1)


class Codec:
    """Encoder and decoder of one model.

    Parameters
    ----------
    model:
        The codec model.
    threads:
        Tiles are shared out to this many threads; by default one per core.
    """

    def __init__(self, model: Model, *, threads: int | None = None) -> None:
        if threads is not None and threads < 1:
            raise InputError(f"threads must be at least 1, not {threads!r}")
        self.model = model
        self._threads = threads or os.cpu_count() or 1
        self._tables: dict[int, TansTables] = {}
        self._lock = Lock()
        self._arm = arm_arrays(model)
        self._ups = ups_arrays(model)
        reach = 0 if model.upsampler is None else model.upsampler.radius
        self._border = max(model.window.radius, reach)

    def _tans(self, coder: Coder) -> TansTables | None:
        """Tables of the coder, or None for rANS."""
        if coder == RANS:
            return None
        with self._lock:
            if coder.code not in self._tables:
                self._tables[coder.code] = TansTables.of_model(self.model, coder.code)
            return self._tables[coder.code]

    def _tans_arm(self, tans: TansTables) -> ArmArrays:
        """The model with the coder's frequencies in place of the head's."""
        return self._arm._replace(cumulative=tans.cumulative.astype(np.int64))

    def _tans_arrays(self, coder: Coder) -> TansArrays:
        """What the decoder's kernel takes of the coder."""
        tans = self._tans(coder)
        return NO_TANS if tans is None else TansArrays(tans.bits, tans.symbols, tans.reduced)

    def encode(
        self, images: np.ndarray, *, tile: tuple[int, int] = (32, 32), coder: Coder = RANS,
        progress: Callable[[int], None] | None = None,
    ) -> Encoded:
        """Encode one image, or many of one size, into one file.

        Parameters
        ----------
        images:
            uint8, shape (H, W) or (N, H, W), of a model of C > 1 channels (H, W, C) or
            (N, H, W, C); sides of 1 to 16384 pixels.
        tile:
            Width and height of a tile in pixels, 1 to 64 each, and of C channels at most 4096 / C
            pixels in all.  For a model of L levels they are multiples of ``2 ** L``, but a side
            that holds the image's whole side may be any.
        coder:
            Entropy coder: :data:`.coder.RANS`, or :func:`.coder.tans` of a model with a table head
            and without the constraint.
        progress:
            Called with the number of samples just done.

        Raises
        ------
        InputError
            If the images are not 8-bit ones of the model's channels, empty, or too large, or tile
            or coder do not fit.
        """
        images = _planes_of_images(images, self.model.channels)
        count, channels, height, width = images.shape
        grid = TileGrid(width, height, *tile)
        header = Header(
            bytes.fromhex(self.model.hash)[:8], grid, count, self.model.levels, coder, channels
        )
        tans = self._tans(coder)  # which says if the model cannot have the coder
        native = native_model(self.model.hash)  # of one channel
        packets = native and encode_tiles(native, header, images[:, 0], self._map, progress)
        if packets:
            data = header.pack() + packets
            return Encoded(
                data, int(split_packets(data, header)[1].sum()), lambda: self._count_bits(data)
            )
        return self._encode_here(images, header, tans, progress)

    def _count_bits(self, data: bytes) -> tuple[float, ...]:
        """Ideal bits of each level of a file."""
        header = self._header(data)
        images = _planes_of_images(self.decode(data), header.channels)
        return self._encode_here(images, header, self._tans(header.coder)).level_bits

    def _encode_here(
        self, images: np.ndarray, header: Header, tans: TansTables | None,
        progress: Callable[[int], None] | None = None,
    ) -> Encoded:  # fmt: skip
        """A file by the loops of the reference, of images (N, C, H, W)."""
        coder, levels, count = header.coder, header.levels, header.images
        arm = self._arm if tans is None else self._tans_arm(tans)
        rects = list(header.grid)
        sizes = level_sizes(rects, levels)
        # Samples of each tile's levels, as all that follows.
        areas = header.channels * sizes[..., 0] * sizes[..., 1]
        totals = areas.sum(axis=1).tolist()
        ends = areas[:, ::-1].cumsum(axis=1)[:, ::-1].tolist()  # level 0 is last
        areas = areas.tolist()
        pixels = pyramid(images, levels)
        jobs = [(image, number) for image in range(count) for number in range(len(rects))]

        def code(run: Sequence[tuple[int, int]]) -> list[tuple[bytes, list[float]]]:
            """Payload and bits by level of each tile of a run."""
            numbers = [number for _, number in run]
            planes, priors = self._planes(sizes[numbers])
            for tile, (image, number) in zip(planes, run, strict=True):
                rows, columns = rects[number]
                for level, (plane, (h, w)) in enumerate(zip(tile, sizes[number], strict=True)):
                    y, x = rows.start >> level, columns.start >> level
                    self._inside(plane, h, w)[:] = pixels[level][image, :, y : y + h, x : x + w]
            out = np.empty((3, sum(totals[number] for number in numbers)), dtype=np.int32)
            model_tiles(planes, priors, sizes[numbers], self._border, arm, self._ups, out)
            packets, done = [], 0
            for number in numbers:
                classes, start, freq = out[:, done : done + totals[number]]
                done += totals[number]
                payload = np.empty(coder.max_payload_bytes(totals[number]), dtype=np.uint8)
                if tans is None:
                    at = write_rans(start, freq, payload)
                    bits = PROB_BITS - np.log2(freq)
                else:
                    at = write_tans(
                        classes, start, freq, tans.bits, tans.cumulative, tans.states, payload
                    )
                    bits = tans.interval_length(classes, freq)
                if progress:
                    progress(areas[number][0])
                packets.append((payload[at:].tobytes(), [
                    float(bits[end - area : end].sum())
                    for end, area in zip(ends[number], areas[number], strict=True)
                ]))  # fmt: skip
            return packets

        # A few runs of tiles per thread: to hand over every tile costs more than a small one.
        run_length = max(1, min(64, len(jobs) // (4 * self._threads)))
        runs = [jobs[i : i + run_length] for i in range(0, len(jobs), run_length)]
        coded = [packet for packets in self._map(code, runs) for packet in packets]
        packets = b"".join(pack_length(len(payload)) + payload for payload, _ in coded)
        level_bits = tuple(sum(bits) for bits in zip(*(bits for _, bits in coded), strict=True))
        return Encoded(
            header.pack() + packets, sum(len(payload) for payload, _ in coded), lambda: level_bits
        )

    def _planes(self, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Zeroed pixels and priors of tiles, as the kernels take them."""
        tiles, levels = size.shape[:2]
        height, width = size[:, 0].max(axis=0) + 2 * self._border
        planes = np.zeros((tiles, levels, self.model.channels, height, width), dtype=np.uint8)
        return planes, np.zeros_like(planes) if levels > 1 else planes

    def _inside(self, planes: np.ndarray, height: int, width: int) -> np.ndarray:
        """What is inside the border of planes (..., H, W)."""
        b = self._border
        return planes[..., b : b + height, b : b + width]

    def decode(
        self, data: bytes | BinaryIO, *, level: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> np.ndarray:
        """Decode a file, or a smaller picture of each of its images.

        Level k of an image is it k times pooled: :func:`lutgen.model.pyramid`.  To decode a level
        above 0, only the header, the packets' lengths and the front of each packet are read, at
        most 14 bits for each pixel of the levels that are decoded; nothing can tell then whether a
        tile is corrupt, for its check comes last.

        Parameters
        ----------
        data:
            The file's bytes, or a binary file.  Of a file that is unbuffered and seekable no other
            bytes are read than those that are needed.
        level:
            0 for the images, up to the model's levels.
        progress:
            Called with the number of samples just done, of that level.

        Returns
        -------
        numpy.ndarray
            uint8, shape (N, H, W), or (N, H, W, C) of C > 1 channels; sides are halved and rounded
            up for each level above 0.

        Raises
        ------
        ModelMismatchError
            If the file was written with another model; no pixel is decoded.
        CorruptStreamError
            If the file is damaged or cut short.
        InputError
            If the model has no such level.
        """
        levels = self.model.levels
        if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= levels:
            raise InputError(f"level must be 0 to {levels}, the model's levels, not {level!r}")
        read, start, length, header = self._read(data, level)
        native = native_model(self.model.hash) if level == 0 else None
        if native:
            found = decode_tiles(native, header, read, start, length, self._map, progress)
            if found is not None:  # else it is damaged: where, the reference says
                return found
        tans = self._tans_arrays(header.coder)
        rects = list(header.grid)
        sizes = level_sizes(rects, levels)
        channels = header.channels
        height, width = -(-header.grid.height >> level), -(-header.grid.width >> level)
        images = np.zeros((header.images, height, width, channels), dtype=np.uint8)
        pixels = np.moveaxis(images, -1, 1)  # a view
        padded = np.frombuffer(read + bytes(16), dtype=np.uint8)
        # Tiles of equal size side by side keep all lanes busy to the end.
        area = np.tile(sizes[:, 0, 0] * sizes[:, 0, 1], header.images)
        order = np.argsort(-area, kind="stable")

        def run(group: np.ndarray) -> None:
            size = sizes[group % len(rects)]
            planes, priors = self._planes(size)
            bad = decode_group(
                padded, start[group], length[group], size, self._border, self._arm, self._ups,
                tans, planes, priors, level,
            )  # fmt: skip
            if bad >= 0:
                image, tile = divmod(int(group[bad]), len(rects))
                raise CorruptTileError(
                    f"image {image}, tile {tile} is corrupt: its decoder did not end in the "
                    "check state"
                )
            for plane, number, (h, w) in zip(planes[:, level], group, size[:, level], strict=True):
                rows, columns = rects[number % len(rects)]
                y, x = rows.start >> level, columns.start >> level
                pixels[number // len(rects), :, y : y + h, x : x + w] = self._inside(plane, h, w)
            if progress:
                progress(channels * int((size[:, level, 0] * size[:, level, 1]).sum()))

        groups = [order[i : i + LANES] for i in range(0, len(order), LANES)]
        for _ in self._map(run, groups):
            pass
        return images[..., 0] if channels == 1 else images

    def _read(
        self, data: bytes | BinaryIO, level: int
    ) -> tuple[bytes, np.ndarray, np.ndarray, Header]:
        """Bytes of a file, start and length of payloads or their fronts in them, and header."""
        if level == 0:
            data = data if isinstance(data, bytes) else data.read()
            header = self._header(data)
            return data, *split_packets(data, header), header
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        if not file.seekable():
            file = io.BytesIO(file.read())
        file.seek(0)
        header = self._header(file.read(HEADER_BYTES))

        def limits() -> np.ndarray:
            sizes = level_sizes(list(header.grid), header.levels)
            areas = sizes[:, level:, 0] * sizes[:, level:, 1]
            return header.coder.front_bytes(header.channels * areas.sum(axis=1))

        return *read_fronts(file, header, limits), header

    def _header(self, data: bytes) -> Header:
        """A file's header, if it is this model's."""
        header = Header.unpack(data)
        own = bytes.fromhex(self.model.hash)[:8]
        if header.model_hash != own:
            raise ModelMismatchError(
                f"stream was written with model {header.model_hash.hex()}, not with {own.hex()}: "
                "decode it with the model file it was encoded with"
            )
        try:
            self._tans(header.coder)
        except InputError as error:  # the model is right, so the byte is wrong
            raise CorruptStreamError(
                f"stream must be coded with a coder that its model can have: {error}"
            ) from None
        if header.levels != self.model.levels:
            raise CorruptStreamError(
                f"stream must have its model's {self.model.levels} levels, not {header.levels}"
            )
        if header.channels != self.model.channels:
            raise CorruptStreamError(
                f"stream must have its model's {self.model.channels} channels, "
                f"not {header.channels}"
            )
        return header

    def _map(self, function: Callable, jobs: Sequence) -> Iterator:
        """Results of all jobs, in order, by as many threads as there are to be."""
        if self._threads == 1 or len(jobs) == 1:
            yield from map(function, jobs)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(function, jobs)

