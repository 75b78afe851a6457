"""Files with tiles: what a decoder makes of any bytes, read as it reads them.

Nothing but the coder's last state tells that a tile is damaged, so some damage stays unnoticed:
then a decoder must give what the codec gives.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lutgen.codec.codec import Codec, ModelMismatchError
from lutgen.codec.container import CorruptStreamError, Header, TileGrid, pack_length, split_packets
from lutgen.gateware.core.top import DECODER_ERRORS
from lutgen.gateware.files.header import BuildHeader
from lutgen.model.header import VERSION_1
from lutgen.sim.check.tile_build import TileBuild
from lutgen.sim.fuzz.damage import KINDS
from lutgen.sim.fuzz.stream import Expected, Files, Frame, GoodFile

__all__ = ["TileFiles"]

#: Shares of files of one image, of two, and so on.
_IMAGES = (0.7, 0.2, 0.1)


class TileFiles(Files):
    """See `.stream.Files`."""

    errors = DECODER_ERRORS
    kinds = tuple(KINDS)

    build: TileBuild

    def __init__(self, build: TileBuild, seed: int) -> None:
        super().__init__(build, seed)
        config = build.config
        self._codec, self._coder = Codec(build.model, threads=1), config.coder
        self._tile = config.tile_width, config.tile_height
        self._header = BuildHeader.of(config)
        self._tile_of = lru_cache(4096)(self._decode_tile)

    @property
    def patience(self) -> int:
        """All lanes, one pixel after the other, stalls included."""
        width, height = self._tile
        return 4 * self.build.config.decoder_lanes * (width * height + 64) + 20_000

    def good(self, width: int, highest: int) -> GoodFile:
        """Of one image or some, mostly small."""
        rng = self.rng
        most = highest if rng.random() < 0.3 else max(1, highest // 3)
        height = int(rng.integers(1, most + 1))
        return self._file(self.picture(width, height, 1 + int(rng.choice(3, p=_IMAGES))))

    def longest(self, width: int, height: int) -> GoodFile:
        """See `.stream.Files`."""
        return self._file(self.noise(width, height))

    def _file(self, images: np.ndarray) -> GoodFile:
        data = self.encode(images)
        starts, sizes = split_packets(data, Header.unpack(data))
        payloads = [(a, a + n) for a, n in zip(starts.tolist(), sizes.tolist(), strict=True)]
        lengths = [(a - len(pack_length(b - a)), a) for a, b in payloads]
        return GoodFile(
            data, images, tuple((f.offset, f.end) for f in VERSION_1.fields), tuple(lengths),
            tuple(payloads), (),
            tuple((a, b) for (a, _), (_, b) in zip(lengths, payloads, strict=True)),
        )  # fmt: skip

    def encode(self, images: np.ndarray, near: int = 0) -> bytes:
        """See `.stream.Files`."""
        return self._codec.encode(images, tile=self._tile, coder=self._coder).data

    def software(self, data: bytes) -> np.ndarray | None:
        """See `.stream.Files`."""
        try:
            return self._codec.decode(data)
        except (CorruptStreamError, ModelMismatchError):
            return None

    def resealed(self, data: bytes, good: GoodFile) -> bytes:
        """There is no checksum."""
        return data

    def read(self, data: bytes) -> Expected:
        """See `.stream.Files`."""
        found, at = Expected(), VERSION_1.size
        values = self._read_header(data, found)
        if values is None:
            return found
        if len(data) == at:
            found.errors["bad_packet"] += 1
            return found
        width, height, images = (
            values[name] for name in ("image width", "image height", "images")
        )
        grid = list(TileGrid(width, height, *self._tile))
        void = False
        for image in range(images):
            samples = np.zeros((height, width), np.uint8)
            frame = Frame(samples, np.ones_like(samples, dtype=bool))
            found.frames.append(frame)
            for number, rect in enumerate(grid):
                if not void:
                    at, void = self._tile_at(data, at, frame, rect, found)
                last = number == len(grid) - 1
                if void:
                    continue
                if last and image == images - 1:
                    if at < len(data):
                        found.errors["bad_packet"] += 1
                    return found
                if at == len(data):
                    found.errors["bad_packet"] += 1
                    void = True
            if void:
                break
        return found

    def _read_header(self, data: bytes, found: Expected) -> dict | None:
        """Its values, if it is one of this build."""
        if len(data) < VERSION_1.size:
            found.errors["bad_header"] += 1
            return None
        constants, table = dict(self._header.constants), self._header.table
        fixed = table.pack(constants | {f.name: 0 for f in table.fields if f.per_file})
        wrong = {f.name for f in table.fields if not f.per_file and f.of(data) != f.of(fixed)}
        values = table.unpack(data)
        (widest, highest), images = self.build.largest, values["images"]
        possible = (
            1 <= values["image width"] <= widest and 1 <= values["image height"] <= highest
            and images >= 1
        )  # fmt: skip
        if wrong - {"model hash"} or (not wrong and not possible):
            found.errors["bad_header"] += 1
        elif wrong:
            found.errors["bad_model"] += 1
        return None if found.errors else values

    def _tile_at(self, data, at: int, frame: Frame, rect, found: Expected) -> tuple[int, bool]:
        """Read a packet: the byte behind it, and whether it and all else of the image are void."""
        length, at, possible = self._length(data, at)
        if not possible or at + length > len(data):
            found.errors["bad_packet"] += 1
            return len(data) if possible else at, True
        rows, columns = rect
        size = columns.stop - columns.start, rows.stop - rows.start
        pixels = self._tile_of(data[at : at + length], *size)
        if pixels is None:
            found.errors["bad_tile"] += 1
            frame.known[rect] = False
        else:
            frame.samples[rect] = pixels
            found.sound += 1
        return at + length, False

    def _length(self, data: bytes, at: int) -> tuple[int, int, bool]:
        """A length, the byte behind it, and whether a payload can have it."""
        length, more, well = data[at] & 127, data[at] >= 128, True
        at += 1
        if more and at < len(data):
            length |= (data[at] & 127) << 7
            well = 0 < data[at] < 128
            at += 1
        elif more:
            well = False
        least = self._coder.min_payload_bytes
        most = self._coder.max_payload_bytes(self._tile[0] * self._tile[1])
        return length, at, well and at < len(data) and least <= length <= most

    def _decode_tile(self, payload: bytes, width: int, height: int) -> np.ndarray | None:
        """Pixels of a tile, by a file of it alone."""
        header = Header(
            bytes.fromhex(self.build.model.hash)[:8], TileGrid(width, height, *self._tile), 1, 0,
            self._coder,
        )  # fmt: skip
        found = self.software(header.pack() + pack_length(len(payload)) + payload)
        return None if found is None else found[0]
