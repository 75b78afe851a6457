"""Files of profile ``predictive``: what a decoder makes of any bytes, read as it reads them.

The codec finds strips by the index; a decoder in hardware cannot, as it has a file's end last.  So
what it must do is said here in the order of the bytes, with the codec's own kernel for samples.
"""

from __future__ import annotations

import struct
from zlib import crc32

import numpy as np

from lutgen.codec.codec import ModelMismatchError
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import (
    GROUP,
    LAG,
    raw_bits,
    split_index,
    strip_sizes,
)
from lutgen.codec.predictive.container import Frame as Header
from lutgen.codec.predictive.row_coder import RANS_ENTRIES
from lutgen.codec.predictive.unit_models import UnitModels
from lutgen.errors import InputError
from lutgen.gateware.predictive.top import DECODER_ERRORS
from lutgen.gateware.strips.strip_files import strip_header
from lutgen.model.header import VERSION_2
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.neighbourhood import new_rows
from lutgen.model.samples import SampleFormat
from lutgen.sim.check.predictive_build import PredictiveBuild
from lutgen.sim.fuzz.damage import KINDS
from lutgen.sim.fuzz.stream import Expected, Files, Frame, GoodFile

__all__ = ["StripFiles"]

_LENGTH_BYTES = 5
_CRC_BYTES = 4
#: Share of pictures without a residual.
_PREDICTED = 0.1
#: Shares of files of one group of rows, of two, and so on.
_GROUPS = (0.6, 0.25, 0.1, 0.05)
#: Share of files of as many groups as there may be, and the most of them; the share of these with
#: strips of few rows, and with noise: then queues and the ring of payloads fill up.
_MANY, _MOST_GROUPS, _LOW, _NOISE = 0.04, 42, 0.5, 0.5


class _Cut(Exception):
    """The bytes are over."""


class _Bytes:
    """Bytes that are taken one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    @property
    def over(self) -> bool:
        """Whether all have been taken."""
        return self.at == len(self.data)

    def take(self, count: int) -> bytes:
        """The next ones; `_Cut` if there are not as many, and then all have been taken."""
        part = self.data[self.at : self.at + count]
        self.at += len(part)
        if len(part) < count:
            raise _Cut
        return part


class StripFiles(Files):
    """See `.stream.Files`."""

    errors = DECODER_ERRORS
    kinds = tuple(KINDS)

    build: PredictiveBuild

    def __init__(self, build: PredictiveBuild, seed: int) -> None:
        super().__init__(build, seed)
        model = build.model
        if isinstance(model, ColourModel):
            raise InputError("model of the build must be one of gray, not of colour")
        self._codec = PredictiveCodec(model, threads=1)
        self._depth, self._units = build.depth, UnitModels.of(model)
        self._header = strip_header(bytes.fromhex(model.hash)[:8], self._depth)

    def picture(self, width: int, height: int, count: int = 1) -> np.ndarray:
        """Some are what the model predicts: then payloads are empty."""
        if self.rng.random() >= _PREDICTED:
            return super().picture(width, height, count)
        samples = np.zeros((height, width), self.build.dtype)
        context, data = new_rows(width, 1), np.frombuffer(bytes(1), np.uint8)
        for y in range(0, height, GROUP):
            self._units.decode(
                1, context, y, data, 0, 0, 0, LAG, self._depth, 1, (1 << self._depth) - 1,
                samples=samples[y : y + GROUP], entries=RANS_ENTRIES,
            )  # fmt: skip
        return np.stack([samples] * count)

    @property
    def patience(self) -> int:
        """Groups of all lanes, one by one, stalls included."""
        config = self.build.config
        return 2 * (config.max_width + 32) * GROUP * config.lanes + 20_000

    def good(self, width: int, highest: int) -> GoodFile:
        """In strips of any height; mostly few groups, as each takes its time."""
        rng = self.rng
        many = rng.random() < _MANY
        low = many and rng.random() < _LOW
        groups = _MOST_GROUPS if many else int(rng.choice(len(_GROUPS), p=_GROUPS)) + 1
        while True:
            height = int(rng.integers(1, highest + 1))
            strip = int(rng.integers(1, (min(height, GROUP) if low else height) + 1))
            whole, rest = divmod(height, strip)
            if whole * -(-strip // GROUP) + -(-rest // GROUP) <= groups:
                break
        image = self.noise(width, height)[0] if many and rng.random() < _NOISE else (
            self.picture(width, height)[0]
        )
        return self._file(image, strip)

    def longest(self, width: int, height: int) -> GoodFile:
        """In strips of few rows as often as in those of any height."""
        low = self.rng.random() < _LOW
        strip = int(self.rng.integers(1, (min(height, GROUP) if low else height) + 1))
        return self._file(self.noise(width, height)[0], strip)

    def _file(self, image: np.ndarray, strip: int) -> GoodFile:
        """Some are of words of 16 bits whose lowest are zero, and some near-lossless."""
        rng = self.rng
        shift = 0 if self.rng.random() < 0.8 else int(self.rng.integers(17 - self._depth))
        # The codec is asked for errors of what stands above the zero bits as well.
        near = min(self.build.config.max_near, (1 << self._depth - 1) - 1 >> shift)
        near = int(rng.integers(near + 1))
        data = self._codec.encode(
            image.astype(np.uint16) << shift if shift else image,
            depth=self._depth, shift=shift, near=near << shift, tile_width=0, strip_height=strip,
        )  # fmt: skip
        return self._parts(data, self._decoded(data))

    def _parts(self, data: bytes, images: np.ndarray) -> GoodFile:
        header = Header.unpack(data)
        starts, end = split_index(data, header)
        if starts is None:
            raise InputError("file must be a good one, whose index is sound")
        lengths, payloads, checks, units = [], [], [], []
        for k, (first, last) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
            at, length = first, 0
            for _ in self._groups(header, k):
                begin = at
                while data[at] >= 128:
                    at += 1
                at += 1
                length += _change(data[begin:at])
                lengths.append((begin, at))
                payloads.append((at, at + length))
                at += length
            checks.append((at, at + _CRC_BYTES))
            units.append((first, last))
        if end < len(data):
            checks.append((end, len(data)))
        return GoodFile(
            data, images, tuple((f.offset, f.end) for f in VERSION_2.fields), tuple(lengths),
            tuple(payloads), tuple(checks), tuple(units),
        )  # fmt: skip

    def encode(self, images: np.ndarray, near: int = 0) -> bytes:
        """See `.stream.Files`."""
        strip = self.build.config.strip_height or images.shape[1]
        return self._codec.encode(
            images[0], depth=self._depth, near=near, tile_width=0, strip_height=strip
        )

    def software(self, data: bytes) -> np.ndarray | None:
        """Samples without the zero bits below them."""
        try:
            return self._decoded(data)
        except (CorruptStreamError, ModelMismatchError):
            return None

    def _decoded(self, data: bytes) -> np.ndarray:
        return self._codec.decode(data) >> Header.unpack(data).shift

    def resealed(self, data: bytes, good: GoodFile) -> bytes:
        """With the checksum of each strip."""
        made, header = bytearray(data), data[: VERSION_2.size]
        for k, ((first, _), (at, behind)) in enumerate(zip(good.units, good.checks, strict=False)):
            made[at:behind] = _checksum(header, k, data[first:at])
        if len(good.checks) > len(good.units):
            first = good.checks[-1][0]
            made[-_CRC_BYTES:] = struct.pack(
                "<I", crc32(made[first:-_CRC_BYTES], crc32(header))
            )
        return bytes(made)

    # What the decoder makes of bytes.

    def read(self, data: bytes) -> Expected:
        """See `.stream.Files`."""
        found = Expected()
        header = self._read_header(data)
        if header is None:
            found.errors["bad_header"] += 1
            return found
        samples = np.zeros((header.height, header.width), self.build.dtype)
        frame = Frame(samples, np.ones_like(samples, dtype=bool))
        found.frames.append(frame)
        _Reading(self._units, header, data, frame, found).run()
        return found

    def _read_header(self, data: bytes) -> Header | None:
        """The header, if it is one of this build."""
        if len(data) < VERSION_2.size:
            return None
        mine = self._header
        fixed = mine.table.pack(
            dict(mine.constants) | {f.name: 0 for f in mine.table.fields if f.per_file}
        )
        if any(f.of(data) != f.of(fixed) for f in mine.table.fields if not f.per_file):
            return None
        v = VERSION_2.unpack(data)
        widest, highest = self.build.largest
        if not (
            1 <= v["image width"] <= widest and 1 <= v["image height"] <= highest
            and 1 <= v["strip height"] <= v["image height"]
            and v["near"] <= self.build.config.max_near
            and v["shift"] <= 16 - self._depth
        ):  # fmt: skip
            return None
        return Header(
            v["model hash"], SampleFormat(self._depth, near=v["near"]), v["image width"],
            v["image height"], v["strip height"], shift=v["shift"],
        )  # fmt: skip

    @staticmethod
    def _groups(header: Header, strip: int):
        _, top, bottom = header.rows(strip)
        return header.units(bottom - top)


class _Reading:
    """One file behind its header."""

    def __init__(
        self, units: UnitModels, header: Header, data: bytes, frame: Frame, found: Expected
    ) -> None:
        self._units, self._header, self._data = units, header, data
        self._frame, self._found = frame, found
        self._bytes = _Bytes(data, VERSION_2.size)
        self._array = np.frombuffer(data or b"\0", np.uint8)
        self._void = self._bytes.over  # what is missing of the image is as of empty payloads
        if self._void:
            found.errors["bad_packet"] += 1

    def run(self) -> None:
        """All strips, and what follows them."""
        for strip in range(self._header.strips):
            self._strip(strip)
        if self._void:
            return
        source, count = self._bytes, self._header.strips
        if count > 1:
            try:
                index = source.take(4 * count + _CRC_BYTES)
            except _Cut:
                self._found.errors["bad_packet"] += 1
                return
            header = self._data[: VERSION_2.size]
            if struct.pack("<I", crc32(index[:-_CRC_BYTES], crc32(header))) != index[-4:]:
                self._found.errors["bad_packet"] += 1
        if not source.over:
            self._found.errors["bad_packet"] += 1

    def _strip(self, strip: int) -> None:
        header, source = self._header, self._bytes
        _, top, bottom = header.rows(strip)
        units = header.units(bottom - top)
        context, begin, length, lost = new_rows(header.width, 1), source.at, 0, False
        rows = self._frame.samples[top:bottom]
        for (least, most), (y, height, _, _) in zip(
            strip_sizes(header, units), units, strict=True
        ):
            start = stop = 0
            if not self._void:
                try:
                    length += self._change()
                    if not least <= length <= most:
                        raise _Cut
                    start = source.at
                    source.take(length)
                    stop = source.at
                except _Cut:
                    self._missing()
                    start = stop = 0
            raw = raw_bits(header.samples.levels) if stop - start == most else 0
            if not lost:
                lost = not self._units.decode(
                    1, context, y, self._array, start, stop, raw, LAG, header.samples.depth,
                    header.samples.step, header.samples.levels - 1,
                    samples=rows[y : y + height], entries=RANS_ENTRIES,
                )  # fmt: skip
                if lost:  # nobody says what stands for a residual that no sample has
                    self._frame.known[top + y : bottom] = False
                    self._found.errors["bad_strip"] += 1
            elif stop > start:
                self._found.perhaps.add("bad_strip")
            if source.over and not self._void:
                self._missing()
        if self._void:
            return
        body = self._data[begin : source.at]
        try:
            right = source.take(_CRC_BYTES) == _checksum(
                self._data[: VERSION_2.size], strip, body
            )
        except _Cut:
            self._missing()
            return
        if not right:
            self._found.errors["bad_strip"] += 1
        elif not lost:
            self._found.sound += 1
        more = strip < header.strips - 1
        if source.over and (more or header.strips > 1):
            self._missing()

    def _change(self) -> int:
        code = b""
        for _ in range(_LENGTH_BYTES):
            code += self._bytes.take(1)
            if code[-1] < 128:
                return _change(code)
        raise _Cut

    def _missing(self) -> None:
        self._void = True
        self._found.errors["bad_packet"] += 1


def _change(code: bytes) -> int:
    number = sum((byte & 127) << 7 * k for k, byte in enumerate(code))
    return -(number + 1 >> 1) if number & 1 else number >> 1


def _checksum(header: bytes, strip: int, body: bytes) -> bytes:
    return struct.pack("<I", crc32(body, crc32(struct.pack("<I", strip), crc32(header))))
