"""The reference codec: images to ``.lgc`` bytes and back, bit-exact on every machine."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..model import Model
from .container import CorruptStreamError, Header, pack_length, split_packets
from .head import LaplaceHead
from .kernel import LANES, decode_group, encode_tile
from .rans import max_payload_bytes
from .tile import TileGrid

__all__ = ["Codec", "Encoded", "ModelMismatchError"]


class ModelMismatchError(ValueError):
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
    ideal_bits:
        Sum of ``-log2 p`` over all pixels, for reports.
    """

    data: bytes
    payload_bytes: int
    ideal_bits: float


def _check_images(images) -> np.ndarray:
    array = np.asarray(images)
    if array.dtype != np.uint8 or array.ndim not in (2, 3):
        raise ValueError(
            "images must be 8-bit grayscale of shape (H, W) or (N, H, W), "
            f"not {array.dtype} of shape {array.shape}"
        )
    if array.size == 0:
        raise ValueError(f"images must have at least one pixel, not shape {array.shape}")
    array = np.ascontiguousarray(array if array.ndim == 3 else array[None]).view()
    array.setflags(write=False)  # always: the kernels are compiled anew for the other kind
    return array


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
            raise ValueError(f"threads must be at least 1, not {threads!r}")
        self.model = model
        self._threads = threads or os.cpu_count() or 1
        self._offsets = np.array(model.window.offsets, dtype=np.int64)
        self._network = self._network_arrays(model)
        self._walk = self._walker_arrays(model)
        self._cumulative = np.ascontiguousarray(model.head.cumulative, dtype=np.int64)

    @staticmethod
    def _network_arrays(model: Model) -> tuple:
        net = model.network
        fanin = np.ascontiguousarray(net.fanin, dtype=np.int64)
        used = fanin != 0
        # A table's trailing pins may be tied to 0: only pins up to the last used one are read.
        pins = np.where(used.any(axis=1), 6 - np.argmax(used[:, ::-1], axis=1), 1)
        none = np.zeros(0, dtype=np.int64)
        if isinstance(model.head, LaplaceHead):
            mu, sigma = (net.outputs[name].astype(np.int64) for name in ("mu", "sigma"))
            out = (mu, np.ones(len(mu), dtype=np.int64), sigma)
            maps = (model.head.mu.astype(np.int64), model.head.sigma.astype(np.int64), 512)
        else:
            index = net.outputs["index"].astype(np.int64)
            out = (index, np.int64(1) << np.arange(len(index)), none)
            maps = (none, none, 0)
        inputs = np.ascontiguousarray(net.inputs, dtype=np.int64).reshape(-1, 2)
        tables = np.ascontiguousarray(net.tables, dtype=np.uint64)
        return (inputs, pins.astype(np.int64), fanin, tables, *out, *maps)

    @staticmethod
    def _walker_arrays(model: Model) -> tuple:
        if model.walker is None:
            empty = np.zeros((0, 4), dtype=np.int64)
            return np.zeros(0, dtype=np.int64), empty, empty, empty
        stages = model.walker.stages
        first = np.cumsum([0] + [s.records for s in stages[:-1]]).astype(np.int64)
        child = [
            s.child if s.last else np.repeat(s.child[:, None], 4, axis=1) for s in stages
        ]
        return (
            first,
            np.concatenate([s.feature for s in stages]).astype(np.int64),
            np.concatenate([s.threshold for s in stages]).astype(np.int64),
            np.concatenate(child).astype(np.int64),
        )

    def encode(
        self, images: np.ndarray, *, tile: tuple[int, int] = (32, 32),
        progress: Callable[[int], None] | None = None,
    ) -> Encoded:
        """Encode one image, or many of one size, into one file.

        Parameters
        ----------
        images:
            uint8, shape (H, W) or (N, H, W), sides of 1 to 16384 pixels.
        tile:
            Width and height of a tile in pixels, 1 to 64 each.
        progress:
            Called with the number of pixels just done.

        Raises
        ------
        ValueError
            If the images are not 8-bit grayscale, empty, or too large.
        """
        images = _check_images(images)
        count, height, width = images.shape
        grid = TileGrid(width, height, *tile)
        header = Header(bytes.fromhex(self.model.hash)[:8], grid, count)
        rects = list(grid)
        jobs = [(image, rect) for image in images for rect in rects]

        def code(job) -> tuple[bytes, float]:
            image, (rows, columns) = job
            h, w = rows.stop - rows.start, columns.stop - columns.start
            classes = np.empty(h * w, dtype=np.int32)
            payload = np.empty(max_payload_bytes(h * w), dtype=np.uint8)
            at = encode_tile(
                image, rows.start, columns.start, h, w, self._offsets, self._network,
                self._walk, self._cumulative, classes, payload,
            )  # fmt: skip
            bits = self.model.head.code_length(classes, image[rows, columns].ravel()).sum()
            if progress:
                progress(h * w)
            return payload[at:].tobytes(), float(bits)

        # A few runs of tiles per thread: to hand over every tile costs more than a small one.
        run_length = max(1, min(64, len(jobs) // (4 * self._threads)))
        runs = [jobs[i : i + run_length] for i in range(0, len(jobs), run_length)]
        coded = [
            packet for run in self._map(lambda jobs: [*map(code, jobs)], runs) for packet in run
        ]
        packets = b"".join(pack_length(len(payload)) + payload for payload, _ in coded)
        return Encoded(
            header.pack() + packets,
            sum(len(payload) for payload, _ in coded),
            sum(bits for _, bits in coded),
        )

    def decode(
        self, data: bytes, *, progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Decode a file.

        Returns
        -------
        numpy.ndarray
            uint8, shape (N, H, W).

        Raises
        ------
        ModelMismatchError
            If the file was written with another model; no pixel is decoded.
        CorruptStreamError
            If the file is damaged or cut short.
        """
        header = Header.unpack(data)
        own = bytes.fromhex(self.model.hash)[:8]
        if header.model_hash != own:
            raise ModelMismatchError(
                f"stream was written with model {header.model_hash.hex()}, not with {own.hex()}: "
                "decode it with the model file it was encoded with"
            )
        start, length = split_packets(data, header)
        grid = header.grid
        rects = list(grid)
        images = np.zeros((header.images, grid.height, grid.width), dtype=np.uint8)
        padded = np.frombuffer(data + bytes(16), dtype=np.uint8)
        radius = self.model.window.radius
        size = np.array([(r.stop - r.start, c.stop - c.start) for r, c in rects], dtype=np.int64)
        # Tiles of equal size side by side keep all lanes busy to the end.
        area = np.tile(size[:, 0] * size[:, 1], header.images)
        order = np.argsort(-area, kind="stable")

        def run(group: np.ndarray) -> None:
            sizes = size[group % len(rects)]
            tiles = np.zeros(
                (len(group), sizes[:, 0].max() + radius, sizes[:, 1].max() + 2 * radius),
                dtype=np.uint8,
            )
            bad = decode_group(
                padded, start[group], length[group], sizes, self._offsets, self._network,
                self._walk, self._cumulative, tiles,
            )  # fmt: skip
            if bad >= 0:
                image, tile = divmod(int(group[bad]), len(rects))
                raise CorruptStreamError(
                    f"image {image}, tile {tile} is corrupt: its decoder did not end in the "
                    "check state"
                )
            for tile, number in zip(tiles, group, strict=True):
                rows, columns = rects[number % len(rects)]
                h, w = rows.stop - rows.start, columns.stop - columns.start
                images[number // len(rects), rows, columns] = (
                    tile[radius : radius + h, radius : radius + w]
                )
            if progress:
                progress(int((sizes[:, 0] * sizes[:, 1]).sum()))

        groups = [order[i : i + LANES] for i in range(0, len(order), LANES)]
        for _ in self._map(run, groups):
            pass
        return images

    def _map(self, function: Callable, jobs: Sequence) -> Iterator:
        """Results of all jobs, in order, by as many threads as there are to be."""
        if self._threads == 1 or len(jobs) == 1:
            yield from map(function, jobs)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(function, jobs)

