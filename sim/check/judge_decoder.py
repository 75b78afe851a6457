"""Phases of the decoder: files in a row, damage of every kind, levels, limits."""

from __future__ import annotations

import numpy as np

from lutgen.codec.container import (
    CorruptStreamError,
    CorruptTileError,
    Header,
    pack_length,
    split_packets,
)
from lutgen.gateware.files.header import BuildHeader
from lutgen.sim.check.judge import BLOCKED, BURSTS, FREE, RANDOM, Plan
from lutgen.sim.check.judge_core import Run
from lutgen.sim.check.judge_tiles import TileJudge
from lutgen.sim.check.outputs import Frame
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.words import file_beats, scattered_words

__all__ = ["DecoderJudge"]


class DecoderJudge(TileJudge):
    """Judges a decoder; parameters as in `.judge_tiles.TileJudge`."""

    core = "decoder"
    sink = "s_axis_stream"
    pixel_file = 37
    paced = (Stall(), Stall(every=pixel_file - 1))

    @property
    def settings(self) -> tuple[str, ...]:
        """Settings of the core."""
        return ("level",) if self.codec.model.levels else ()

    def runs(self):
        """All runs, quick ones first."""
        return [
            Run("errors", self._errors),
            Run("sizes and files", self._sizes),
            Run("pictures of the model", self._drawn),
            Run("buffers", self._buffers),
            Run("queues", self._queues),
            *([Run("levels", self._levels)] if self.codec.model.levels else []),
            Run("resets at rest", self.resets_at_rest, upset=True),
            Run("resets at any time", self.resets, upset=True),
        ]

    # Files.

    def _file(self, plan: Plan, images: np.ndarray, *, holes: bool = False) -> None:
        file = self.file(images)
        plan.send((scattered_words if holes else file_beats)(file, self.bytes))
        plan.expect(*map(Frame, images))

    def _sizes(self, plan: Plan) -> None:
        self.files_in_a_row(
            plan, lambda images, number: self._file(plan, images, holes=number % 2 == 1)
        )
        self.extremes(plan, lambda images: self._file(plan, images))

    def _drawn(self, plan: Plan) -> None:
        for number, image in enumerate(self.pictures.drawn):
            plan.script.stall((RANDOM, FREE)[number % 2])
            self._file(plan, image[None])
            plan.settle(f"picture {number} of the model")

    def _buffers(self, plan: Plan) -> None:
        """The output is not ready until everything inside is full."""
        c = self.config
        tile_w, tile_h = self.pictures.tile
        area = tile_w * tile_h
        tiles = (c.output_buffers + c.decoder_lanes) * self.cores + 8
        tiles = max(tiles, (1 << c.payload_address_bits) * self.cores // area + 8)
        w, h, count = self.many_tiles(tiles)
        noise = np.concatenate([self.pictures.noise(w, h) for _ in range(count)])
        for images in (self.pictures.of(w, h, count), noise):
            plan.script.stall(BLOCKED)
            plan.send(file_beats(self.file(images), self.bytes))
            plan.script.wait(2 * c.output_buffers * area + 5000)
            plan.script.stall(FREE)
            plan.expect(*map(Frame, images))
            plan.settle("every buffer full")
        plan.script.stall(BLOCKED)
        for image in self.pictures.of(min(3, w), 1, 2 * tiles):
            self._file(plan, image[None])
        plan.script.wait(80 * tiles + 5000)
        plan.script.stall(FREE)
        plan.settle("every buffer full of small files")

    def _queues(self, plan: Plan) -> None:
        files: dict[int, dict] = {}

        def send(images: np.ndarray, first: int) -> None:
            parts = []
            for image in images:
                value = int(image[0, 0])
                if value not in files:
                    files[value] = file_beats(self.file(image[None]), self.bytes)
                parts.append(files[value])
            beats = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            plan.send(beats, sum(len(part["data"]) for part in parts[:first]))
            plan.expect(*map(Frame, images))

        self.queues(plan, send)

    def _levels(self, plan: Plan) -> None:
        levels = self.codec.model.levels
        tile_w, tile_h = self.pictures.tile
        w, h = (min(2 * side + 3, most) for side, most in
                zip((tile_w, tile_h), self.pictures.largest, strict=True))  # fmt: skip
        for number, level in enumerate((*range(levels + 1), levels, 0)):
            plan.script.stall((RANDOM, BURSTS)[number % 2])
            plan.configure(level=level)
            for images in (self.pictures.of(w, h, 2), self.pictures.of(tile_w, 5)):
                file = self.file(images)
                plan.send(file_beats(file, self.bytes))
                plan.expect(*map(Frame, self.codec.decode(file, level=level)))
            plan.settle(f"level {level}")

    # Damage.

    def _bad(self, plan: Plan, what: str, file: bytes, error: str, frames=()) -> None:
        """A bad file, and a good one behind it."""
        plan.script.stall((FREE, RANDOM)[len(file) % 2])
        plan.send(file_beats(file, self.bytes))
        plan.expect(*frames)
        plan.settle(what, [error])
        self._file(plan, self.pictures.of(3, 2))
        plan.settle(f"after {what}")

    def _errors(self, plan: Plan) -> None:
        w, h = (min(side + 2, most) for side, most in
                zip(self.pictures.tile, self.pictures.largest, strict=True))  # fmt: skip
        images = self.pictures.of(w, h, 2)
        file = self.file(images)
        header = Header.unpack(file)
        starts, lengths = (a.tolist() for a in split_packets(file, header))
        self._headers(plan, self.pictures.of(2, 1))
        table = header.table
        cuts = [1, *(table[name].end for name in ("magic", "version", "model hash", "coder"))]
        for cut in (*cuts, table.size - 1):
            self._bad(plan, f"a header of {cut} bytes", file[:cut], "bad_header")
        self._bad(plan, "a header alone", file[: table.size], "bad_packet")
        for tile in sorted({0, 1, header.grid.tiles - 1, header.grid.tiles, len(starts) - 1}):
            first, length = starts[tile], lengths[tile]
            frames = self._without(images, header, tile)[: 1 + tile // header.grid.tiles]
            for cut in sorted({first, first + 1, first + length // 2, first + length - 1}):
                what = f"packet {tile} cut at byte {cut}"
                self._bad(plan, what, file[:cut], "bad_packet", frames)
            if tile:
                frames = frames[: -(-tile // header.grid.tiles)]
                end = starts[tile - 1] + lengths[tile - 1]
                self._bad(plan, f"the end before packet {tile}", file[:end], "bad_packet", frames)
        for extra in (b"\0", file):
            what = f"{len(extra)} bytes behind the last packet"
            self._bad(plan, what, file + extra, "bad_packet", [Frame(i) for i in images])
        self._lengths(plan, images, file, header, starts, lengths)
        for tile in sorted({0, 1, len(starts) - 1}):
            found = self._corrupt(file, starts[tile], lengths[tile])
            if found is not None:
                image, number = divmod(tile, header.grid.tiles)
                frames = [Frame(i) for i in images]
                frames[image] = Frame(images[image], list(header.grid)[number])
                self._bad(plan, f"a damaged payload of tile {tile}", found, "bad_tile", frames)
        if plan.control.controls:
            plan.send(file_beats(b"?" + file[1:], self.bytes))
            plan.quiet()
            plan.reset(2)
            plan.settle("a reset clears errors")

    def _headers(self, plan: Plan, image: np.ndarray) -> None:
        """Every bit of the header that alone makes a file bad."""
        file = self.file(image)
        table = Header.unpack(file).table
        for field in table.fields:
            if field.per_file:
                continue
            error = "bad_model" if field.name == "model hash" else "bad_header"
            for at in range(field.offset, field.end):
                for bit in range(8):
                    bad = bytearray(file)
                    bad[at] ^= 1 << bit
                    plan.send(file_beats(bytes(bad), self.bytes))
                    plan.settle(f"header byte {at} with bit {bit} turned", [error])
        for name, most in zip(("width", "height"), self.pictures.largest, strict=True):
            sizes = {0, most + 1, 0xFFFF, *(1 << k for k in range(16))}
            for size in sorted(s for s in sizes if not 1 <= s <= most):
                wrong = table[f"image {name}"].put(file, size)
                plan.send(file_beats(wrong, self.bytes))
                plan.settle(f"a header with {name} {size}", ["bad_header"])
        none = table["images"].put(file[: table.size], 0)
        self._bad(plan, "a file of no images", none, "bad_header")
        for bit in range(1, 32):
            wrong = table["images"].put(file, 1 | 1 << bit)
            plan.send(file_beats(wrong, self.bytes))
            plan.expect(Frame(image[0]))
            plan.settle(f"one image in place of 2^{bit} + 1", ["bad_packet"])

    def _lengths(self, plan, images, file, header, starts, lengths) -> None:
        """Lengths that no payload has."""
        coder = header.coder
        most = coder.max_payload_bytes(self.config.tile_symbols)
        bad = {
            bytes([0]), bytes([0x80, 0]), bytes([0xFF, 0xFF]), bytes([0xFF, 0x7F]),
            pack_length(most + 1), bytes([coder.min_payload_bytes - 1]),
        }  # fmt: skip
        for tile in (0, 1):
            first = starts[tile] - (1 + (lengths[tile] >= 128))
            frames = self._without(images, header, tile)[:1]
            for length in sorted(bad):
                damaged = file[:first] + length + file[starts[tile] :]
                what = f"length {length.hex()} of packet {tile}"
                self._bad(plan, what, damaged, "bad_packet", frames)
        # Of large tiles there are lengths that only the pixels show to be too short.
        for number, (rows, columns) in enumerate(list(header.grid)[:2]):
            size = columns.stop - columns.start, rows.stop - rows.start
            frames = [Frame(image) for image in images]
            frames[0] = Frame(images[0], (rows, columns))
            first = starts[number] - (1 + (lengths[number] >= 128))
            for count in range(coder.min_payload_bytes, header.least_payload_bytes(*size)):
                short = pack_length(count) + bytes([1 + number, *range(7, 6 + count)])
                damaged = file[:first] + short + file[starts[number] + lengths[number] :]
                what = f"packet {number} of {count} bytes, too few for its pixels"
                self._bad(plan, what, damaged, "bad_tile", frames)

    def _without(self, images, header: Header, first: int) -> list[Frame]:
        """The images, black from a tile on, counted through all of them."""
        left = images.copy()
        image, tile = divmod(first, header.grid.tiles)
        left[image + 1 :] = 0
        for rect in list(header.grid)[tile:]:
            left[(image, *rect)] = 0
        return [Frame(picture) for picture in left]

    def _corrupt(self, file: bytes, first: int, length: int) -> bytes | None:
        """The file with a bit of a payload turned that the reference finds, if there is one."""
        rng = np.random.default_rng(first)
        for _ in range(40):
            bad = bytearray(file)
            bad[first + int(rng.integers(length))] ^= 1 << int(rng.integers(8))
            try:
                self.codec.decode(bytes(bad))
            except CorruptTileError:
                return bytes(bad)
            except CorruptStreamError:
                continue
        return None

    # Resets.

    def begin(self, plan: Plan, images: np.ndarray):
        """Beats of a file."""
        return file_beats(self.file(images), self.bytes)

    def wanted(self, images: np.ndarray) -> list:
        """What must come of images."""
        return [Frame(image) for image in images]

    def resets_at_rest(self, plan: Plan) -> None:
        """And where tiles that a damaged file lacks wait for room."""
        super().resets_at_rest(plan)
        c = self.config
        tiles = (c.output_buffers + 3 * c.decoder_lanes) * self.cores
        w, h, _ = self.many_tiles(tiles)
        file = self.file(self.pictures.of(w, h))
        plan.script.stall(BLOCKED)
        size = Header.unpack(file).table.size
        plan.send(file_beats(file[: size + 1], self.bytes))
        area = self.pictures.tile[0] * self.pictures.tile[1]
        plan.script.wait(2 * c.output_buffers * area + 5000)
        plan.reset(2)
        plan.script.stall(FREE)
        self._file(plan, self.pictures.of(3, 2))
        plan.settle("a reset while missing tiles wait")

    def beginnings(self, width: int) -> list[int]:
        """Beats of a file of which no packet is whole."""
        size = BuildHeader.of(self.config).size
        return list(range(1, size // self.bytes + 2))

    def begun(self, images: np.ndarray) -> list:
        """Of a frame that is cut short, nothing is asked."""
        return []
