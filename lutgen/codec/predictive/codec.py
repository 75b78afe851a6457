"""The reference codec of profile ``predictive``: images to ``.lgc`` bytes and back."""

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from threading import Lock

import numpy as np

from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.coder import RANS, Coder
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.native import native_model
from lutgen.codec.tans import TansTables
from lutgen.errors import InputError
from lutgen.model.cfa import CFAS
from lutgen.model.header import VERSION_2
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.model.samples import SampleFormat, SignificantBits

from . import tans_coder
from .container import (
    Frame,
    check_end,
    index_bytes,
    least_payload_bytes,
    pack_strip,
    raw_bits,
    raw_bytes,
    split_index,
    strip_sizes,
    unit_payloads,
)
from .damage import DamagedStripsError
from .planes import (
    FIRST_CFA,
    ORDERS,
    best_order,
    cfa_mosaic,
    cfa_planes,
    check_sides_of_cfa,
    from_rows,
    to_rows,
)
from .row_coder import RANS_ENTRIES, most_payload_bytes, write_payload, write_raw
from .unit_models import UnitModels

__all__ = ["DamagedStripsError", "PredictiveCodec", "Strip", "best_layout"]

#: Narrower images are cut into tiles: groups of rows would cost too much.
_NARROW = 128
_TILE = 64
#: A tile this large is as good as the image.
_LARGE_TILE = 4096


@dataclass(frozen=True)
class Strip:
    """A decoded strip: its image, its first row, and its samples, or why there are none.

    ``left`` is its first column, 0 but in files of several slabs.
    """

    image: int
    top: int
    samples: np.ndarray | None
    error: str = ""
    left: int = 0


def best_layout(width: int, height: int) -> tuple[int, int]:
    """Strip height and tile width that an image of this size is coded with unless told.

    Groups of four rows, the image being one strip; narrow images in tiles, as each payload costs
    some 26 bits.
    """
    if width >= _NARROW:
        return height, 0
    return min(height, max(_TILE, _LARGE_TILE // width)), width


class PredictiveCodec:
    """Encoder and decoder of one predictive model.

    Parameters
    ----------
    model:
        The codec model; one of colour codes one to four channels, others gray alone.
    threads:
        Strips are shared out to this many threads; by default one per core.
    """

    def __init__(
        self, model: PredictiveModel | ColourModel, *, threads: int | None = None
    ) -> None:
        if threads is not None and threads < 1:
            raise InputError(f"threads must be at least 1, not {threads!r}")
        self.model = model
        self._threads = threads or os.cpu_count() or 1
        self._mosaic = isinstance(model, ColourModel) and model.mosaic
        self._units = UnitModels.of(model)
        # Rows of all planes' tables: `model_colour_unit` counts them through.
        self._cumulative = np.concatenate([k.cumulative for k in self._units.kernels])
        self._hash = bytes.fromhex(model.hash)[: VERSION_2["model hash"].size]
        self._native = native_model(model.hash)
        self._tables: dict[int, tuple[TansTables, np.ndarray]] = {}
        self._lock = Lock()

    def encode(
        self, images: np.ndarray, *, depth: int | None = None, shift: int = 0, near: int = 0,
        strip_height: int | None = None, tile_width: int | None = None, order: int | None = None,
        channels: int = 1, cfa: str | None = None, slabs: int = 1, coder: Coder = RANS,
        progress: Callable[[int], None] | None = None,
    ) -> bytes:  # fmt: skip
        """Encode one image, or many of one size, into one file.

        Parameters
        ----------
        images:
            uint8 or uint16, shape (H, W) or (N, H, W), sides up to 65,535; of several channels
            (H, W, C) or (N, H, W, C).
        depth:
            Bits of a sample, 8 to 16.  Unless given, depth and shift are those of the bits that
            the images use (:meth:`lutgen.model.samples.SignificantBits.of`).
        shift:
            Zero bits below each sample, which are not coded and come back.
        near:
            Greatest error of a decoded sample, shift included; 0 is lossless.
        strip_height, tile_width:
            How images are cut, see :class:`.container.Frame`: as `best_layout` says unless given,
            and never into more than an image has.
        order:
            Number of the order of the planes, see :mod:`.planes`, of three channels or four; by
            default what its `best_order` says of the first image.
        channels:
            Samples of a pixel, 1 to 4: what tells (H, W, C) from (N, H, W).
        cfa:
            Pattern of :data:`.planes.CFAS` of images (H, W) or (N, H, W) that are colour filter
            arrays, both sides even: for models of these.  ``strip_height`` and ``tile_width`` are
            made even.
        slabs:
            Parts from left to right that images are cut into, each coded on its own: 1, 2, 4 or 8,
            see :class:`.container.Frame`.
        coder:
            :data:`lutgen.codec.coder.RANS`, or :func:`lutgen.codec.coder.tans`.
        progress:
            Called with the number of samples that have been coded since its last call.

        Raises
        ------
        InputError
            If the images are none, or an option is out of its range.
        """
        array = given = self._stack(images, channels, cfa)
        count, height, width = array.shape[:3]
        bits = SignificantBits.of(array) if depth is None else SignificantBits(depth, shift)
        samples, array = _samples(array, bits, near, 4 if cfa else channels)
        if cfa and order is not None:
            raise InputError(f"order must be None of a colour filter array, not {order!r}")
        if cfa:
            order, height, width = FIRST_CFA + CFAS.index(cfa), height // 2, width // 2
            strip_height, tile_width = (
                size and (size + 1) // 2 for size in (strip_height, tile_width)
            )
        elif order is None:
            order = best_order(array[0]) if channels > 2 else 0
        elif order >= FIRST_CFA:
            raise InputError(f"order must be 0 to {len(ORDERS) - 1}, not {order!r}")
        best = best_layout(width, height) if slabs == 1 else (height, 0)
        frame = Frame(
            self._hash, samples, width, height,
            best[0] if strip_height is None else min(strip_height, height),
            best[1] if tile_width is None else min(tile_width, width), count, bits.shift,
            order, slabs, coder,
        )  # fmt: skip
        header, fields = frame.pack(), _fields(frame)

        def strip(k: int) -> bytes:
            image, top, end = frame.rows(k)
            left, right = frame.columns(k)
            part = array[image, top:end, left:right]
            coded = None
            if self._native and given.dtype == frame.bits.dtype:
                coded = self._native.encode_strip(fields, k, given[image, top:end, left:right])
            if coded is None:
                coded = pack_strip(header, k, self._payloads(frame, part))
            if progress:
                progress(part.size)
            return coded

        strips = list(self._share_out(strip, range(frame.strips)))
        return b"".join([header, *strips, index_bytes(header, [len(s) for s in strips])])

    def residuals(
        self, frame: Frame, part: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """What is coded of a strip, unit by unit.

        Parameters
        ----------
        frame:
            What the file is.
        part:
            The strip's samples, without the shift: (R, W), of several channels (R, W, C).

        Yields
        ------
        (folded, table_row):
            int32, in the order of coding: folded residuals, and the rows of all planes' token
            tables that they are coded with.  The next unit's are written over them.
        """
        form, scale = frame.samples, frame.rows_of_pixel
        if frame.cfa:
            part = cfa_planes(part, frame.cfa)
        if part.ndim > 2:
            part = to_rows(part, frame.order)
        indices = form.quantise(part)
        restored = form.restore(indices).astype(np.int32)
        indices = indices.astype(np.int32)
        units = frame.units(len(part) // form.channels * scale, scale * part.shape[1])
        largest = max(rows * columns for _, rows, _, columns in units)
        folded, table_row = np.empty((2, largest), dtype=np.int32)
        context = None
        for y, rows, x, columns in units:
            if context is None or frame.tile_width:
                context = new_rows(columns, form.channels)
            size = rows * columns
            where = np.s_[y : y + rows, x : x + columns]
            self._units.model(
                form.channels, context, y, np.ascontiguousarray(restored[where]),
                np.ascontiguousarray(indices[where]), frame.lag(columns), form.depth, form.step,
                form.levels - 1, folded[:size], table_row[:size],
            )
            yield folded[:size], table_row[:size]

    def payload(self, folded: np.ndarray, table_row: np.ndarray, coder: Coder = RANS) -> bytes:
        """What `residuals` gives of a unit as bytes, not in plain form."""
        write, room = self._writer(coder, len(folded))
        return room[write(folded, table_row, room) :].tobytes()

    def _payloads(self, frame: Frame, part: np.ndarray) -> list[bytes]:
        """Payloads of a strip's units."""
        levels, payloads = frame.samples.levels, []
        for folded, table_row in self.residuals(frame, part):
            size = len(folded)
            payload = self.payload(folded, table_row, frame.coder)
            payload = payload.ljust(least_payload_bytes(size), b"\0")
            most = raw_bytes(size, levels)
            if len(payload) >= most:
                plain = np.empty(most, dtype=np.uint8)
                write_raw(folded, raw_bits(levels), plain)
                payload = plain.tobytes()
            payloads.append(payload)
        return payloads

    def _writer(self, coder: Coder, largest: int) -> tuple[Callable, np.ndarray]:
        """What puts a payload at the end of an array, and that array, for the largest unit."""
        if coder == RANS:
            room = np.empty(most_payload_bytes(largest), dtype=np.uint8)
            return lambda folded, row, room: write_payload(
                folded, row, self._cumulative, room
            ), room
        tables, _ = self._tans(coder)
        cumulative, states = tables.cumulative, tables.states
        room = np.empty(tans_coder.most_payload_bytes(largest, coder.code), dtype=np.uint8)
        return lambda folded, row, room: tans_coder.write_payload(
            folded, row, cumulative, states, room
        ), room

    def _tans(self, coder: Coder) -> tuple[TansTables, np.ndarray]:
        """Tables of tANS for all planes' rows, and the decoder's entries."""
        with self._lock:
            if coder.code not in self._tables:
                tables = TansTables.of_tokens(self._cumulative, coder.code)
                self._tables[coder.code] = tables, tans_coder.entries(tables)
            return self._tables[coder.code]

    def decode(
        self, data: bytes, *, progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """All images of a file: uint8 or uint16, (N, H, W), of several channels (N, H, W, C).

        Raises
        ------
        DamagedStripsError
            If strips are damaged; it holds what is sound.
        CorruptStreamError
            If the file is damaged elsewhere.
        ModelMismatchError
            If it was written with another model.
        """
        frame = Frame.unpack(data)
        images = np.zeros(frame.shape, dtype=frame.bits.dtype)
        damaged, first = [], ""
        for k, strip in enumerate(self.strips(data, into=images)):
            if strip.samples is None:
                damaged.append(k)
                first = first or strip.error
            if progress:
                (_, top, end), (left, right) = frame.rows(k), frame.columns(k)
                progress((end - top) * (right - left) * math.prod(frame.shape[3:]))
        if damaged:
            raise DamagedStripsError(frame, images, damaged, first)
        return images

    def strips(self, data: bytes, *, into: np.ndarray | None = None) -> Iterator[Strip]:
        """Decode strip by strip, in order; damage of one does not hinder the others.

        Parameters
        ----------
        into:
            Array that receives the samples, see `decode`; otherwise no more than some strips are
            held at a time.
        """
        data = bytes(data)
        frame = Frame.unpack(data)
        if frame.model_hash != self._hash:
            raise ModelMismatchError(
                f"stream was written with model {frame.model_hash.hex()}, "
                f"not with {self._hash.hex()}"
            )
        self._check_channels(frame.channels, frame.cfa, CorruptStreamError)
        view, array = memoryview(data), np.frombuffer(data, dtype=np.uint8)
        starts, end = split_index(data, frame)
        # Where the index is damaged only the reference finds the next strip.
        reader = self._native.reader(data) if self._native and starts is not None else None

        def decode(where: tuple[int, int, int]) -> tuple[Strip, int]:
            k, at, limit = where
            image, top, bottom = frame.rows(k)
            left, right = frame.columns(k)
            if into is None:
                shape = bottom - top, right - left, *frame.shape[3:]
                part = np.zeros(shape, dtype=frame.bits.dtype)
            else:
                part = into[image, top:bottom, left:right]
            if reader and reader.decode(k, (image, top, left), (at, limit), part):
                return Strip(image, top, part, left=left), limit
            try:
                after = self._decode_strip(frame, view, array, k, at, limit, part)
                if starts is not None or k == frame.strips - 1:
                    check_end(k, after, limit)
            except CorruptStreamError as error:
                part[:] = 0
                return Strip(image, top, None, str(error), left), limit
            part <<= frame.shift
            return Strip(image, top, part, left=left), after

        if starts is not None:
            limits = [*starts[1:], end]
            jobs = ((k, starts[k], limits[k]) for k in range(frame.strips))
            for strip, _ in self._share_out(decode, jobs):
                yield strip
            return
        at = VERSION_2.size  # the index is damaged: strips follow one another until one is, too
        for k in range(frame.strips):
            strip, at = decode((k, at, end))
            yield strip

    def _decode_strip(self, frame, view, array, k, at, limit, part) -> int:
        """Decode strip ``k`` into ``part``; returns the byte behind it."""
        form = frame.samples
        units = frame.units(*part.shape[:2])
        samples = part
        if form.channels > 1:
            columns = part.shape[1] // frame.rows_of_pixel
            samples = np.empty((part.size // columns, columns), dtype=np.uint16)
        sizes = list(strip_sizes(frame, units))
        start, stop, after = unit_payloads(view, at, limit, frame.pack(), k, sizes)
        plain = raw_bits(form.levels)
        entries = RANS_ENTRIES if frame.coder == RANS else self._tans(frame.coder)[1]
        context = None
        for n, (y, rows, x, columns) in enumerate(units):
            if context is None or frame.tile_width:
                context = new_rows(columns, form.channels)
            raw = plain if stop[n] - start[n] == sizes[n][1] else 0
            if not self._units.decode(
                form.channels, context, y, array, start[n], stop[n], raw, frame.lag(columns),
                form.depth, form.step, form.levels - 1,
                samples=samples[y : y + rows, x : x + columns], entries=entries,
            ):  # fmt: skip
                raise CorruptStreamError(f"payload {n} of strip {k} is damaged")
        if form.channels > 1:
            planes = from_rows(samples, form.channels, frame.order)
            part[:] = planes if frame.cfa is None else cfa_mosaic(planes, frame.cfa)
        return after

    def _stack(self, images, channels: int, cfa: str | None) -> np.ndarray:
        """Images as (N, H, W), of several channels (N, H, W, C)."""
        array = np.asarray(images)
        SampleFormat(channels=channels)
        if cfa is not None and (cfa not in CFAS or channels != 1):
            raise InputError(
                f"colour filter array must be one of {', '.join(CFAS)} of one channel, "
                f"not {cfa!r} of {channels}"
            )
        self._check_channels(channels, cfa, InputError)
        dims, shape = (2, "") if channels == 1 else (3, f", {channels}")
        if (
            array.dtype not in (np.uint8, np.uint16) or array.ndim not in (dims, dims + 1)
            or channels > 1 and array.shape[-1] != channels
        ):  # fmt: skip
            raise InputError(
                f"images must be {'gray, ' * (channels == 1)}uint8 or uint16, of shape "
                f"(H, W{shape}) or (N, H, W{shape}), not {array.dtype} of shape {array.shape}"
            )
        if array.size == 0:
            raise InputError(f"images must have at least one pixel, not shape {array.shape}")
        if cfa:
            check_sides_of_cfa(array.shape)
        return np.ascontiguousarray(array if array.ndim == dims + 1 else array[None])

    def _check_channels(self, channels: int, cfa: str | None, error: type[Exception]) -> None:
        """Error unless the model codes what images of so many channels are."""
        what = "gray" if isinstance(self.model, PredictiveModel) else "colour"
        mine = "a colour filter array" if self._mosaic else what
        wanted = "a colour filter array" if cfa else "gray" if channels == 1 else "colour"
        if wanted != mine and (wanted, mine) != ("gray", "colour"):
            raise error(
                f"images must be {mine} with the model {self.model.name}, not {wanted}"
                + " (name the array's pattern, such as RGGB)" * (self._mosaic and wanted == "gray")
            )

    def _share_out(self, work: Callable, jobs) -> Iterator:
        """Results of the work on each job, in order; few are held at a time."""
        jobs = iter(jobs)
        if self._threads == 1:
            yield from map(work, jobs)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            ahead = [pool.submit(work, job) for job in islice(jobs, 2 * self._threads)]
            while ahead:
                result = ahead.pop(0).result()
                ahead += [pool.submit(work, job) for job in islice(jobs, 1)]
                yield result


def _fields(frame: Frame) -> dict[str, int]:
    """A frame as `lutgen.codec.native` takes it."""
    form = frame.samples
    return {
        "version": VERSION_2.version, "width": frame.width, "height": frame.height,
        "channels": form.channels, "order": frame.order, "depth": form.depth,
        "shift": frame.shift, "max_error": form.near, "strip_height": frame.strip_height,
        "tile_width": frame.tile_width, "coder": frame.coder.code, "images": frame.images,
        "slabs": frame.slabs,
    }  # fmt: skip


def _samples(
    array: np.ndarray, bits: SignificantBits, near: int, channels: int
) -> tuple[SampleFormat, np.ndarray]:
    """What a file's samples are, and those of an array."""
    SampleFormat(bits.depth, near=near)  # the error that was asked for is in range, shift or not
    if bits.top > 8 * array.itemsize:
        raise InputError(
            f"bits of {array.dtype} must be at most {8 * array.itemsize}, not {bits.top}"
        )
    top = int(array.max())
    if top >> bits.top:
        most = (1 << bits.top) - 1
        raise InputError(f"samples of {bits.top} bits must be 0 to {most}, not {top}")
    if bits.shift and int(np.bitwise_or.reduce(array, axis=None)) & ((1 << bits.shift) - 1):
        raise InputError(f"samples of shift {bits.shift} must be multiples of {1 << bits.shift}")
    return SampleFormat(bits.depth, channels, near >> bits.shift), bits.extract(array)
