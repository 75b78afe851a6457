"""Phases of the encoder: sizes, files in a row, settings, misplaced markers, impossible sizes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lutgen.codec.container import Header
from lutgen.errors import InputError
from lutgen.sim.check.judge import BLOCKED, FREE, RANDOM, Plan
from lutgen.sim.check.judge_core import CoreJudge, Run
from lutgen.sim.drive.beats import filled, raster_beats
from lutgen.sim.drive.stall import Stall
from lutgen.sim.drive.words import files_of

__all__ = ["EncoderJudge"]

#: Beats after which the first pixel is inside for certain.
_INSIDE = 8


class EncoderJudge(CoreJudge):
    """Judges an encoder; parameters as in `.judge_core.CoreJudge`."""

    core = "encoder"
    sink, source = "s_axis_video", "m_axis_stream"
    fields = ("data", "keep", "last")
    settings = ("width", "height", "images")
    pixel_file = 33
    paced = (Stall(every=pixel_file + 1), Stall())

    def runs(self):
        """All runs, quick ones first."""
        return [
            Run("errors", self._errors),
            Run("sizes and files", self._sizes),
            Run("pictures of the model", self._drawn),
            Run("buffers", self._buffers),
            Run("queues", self._queues),
            Run("resets at rest", self.resets_at_rest, upset=True),
            Run("resets at any time", self.resets, upset=True),
        ]

    # Files.

    def _file(self, plan: Plan, images: np.ndarray, *, spoil: bool = True, **settings) -> None:
        """One file; its settings change while it is inside."""
        count, height, width = images.shape
        beats = raster_beats(images, self.cores)
        plan.configure(**{"width": width, "height": height, "images": count, **settings})
        early = len(beats["data"]) > _INSIDE and spoil
        plan.send(beats, _INSIDE if early else None)
        plan.script.taken(1)
        if early:
            self._spoil(plan, width, height)
        plan.rest()
        plan.script.taken(1)
        if not early:
            plan.quiet()  # the next settings must not come too early
        plan.expect(self.file(images))

    def _spoil(self, plan: Plan, width: int, height: int) -> None:
        """Settings of which a file that has begun knows nothing."""
        w, h = self.pictures.largest
        plan.script.wait(2)
        plan.control.spoil(
            plan.script, width=w - width, height=h - height, images=0x5A5A5A5A
        )  # fmt: skip

    def _sizes(self, plan: Plan) -> None:
        self.files_in_a_row(plan, lambda images, _: self._file(plan, images))
        # One after the other without a pause, in files of one, two and three.
        w, h = (min(side + 3, most) for side, most in
                zip(self.pictures.tile, self.pictures.largest, strict=True))  # fmt: skip
        for per_file in (1, 2, 3):
            images = self.pictures.of(w, h, 6)
            plan.script.stall(FREE if per_file == 1 else RANDOM)
            plan.configure(width=w, height=h, images=per_file)
            plan.send(raster_beats(images, self.cores))
            plan.expect(*(self.file(part) for part in np.split(images, 6 // per_file)))
            plan.settle(f"files of {per_file} images without a pause")
        self.extremes(plan, lambda images: self._file(plan, images))

    def _drawn(self, plan: Plan) -> None:
        for number, image in enumerate(self.pictures.drawn):
            plan.script.stall((FREE, RANDOM)[number % 2])
            self._file(plan, image[None])
            plan.settle(f"picture {number} of the model")

    def _buffers(self, plan: Plan) -> None:
        """The output is not ready until everything inside is full."""
        c = self.config
        tile_w, tile_h = self.pictures.tile
        tiles = (c.input_buffers + c.packet_buffers + 2 * c.lanes_of_encoder) * self.cores + 8
        w, h, count = self.many_tiles(tiles)
        for images in (self.pictures.of(w, h, count), self.pictures.noise(w, h)):
            plan.configure(width=w, height=h, images=len(images))
            plan.script.stall(BLOCKED)
            plan.send(raster_beats(images, self.cores))
            plan.script.wait(2 * tiles * tile_w * tile_h + 5000)
            plan.script.stall(FREE)
            plan.expect(self.file(images))
            plan.settle("every buffer full")
        plan.script.stall(BLOCKED)
        w, h = min(3, w), 1
        images = self.pictures.of(w, h, 2 * tiles)
        plan.configure(width=w, height=h, images=1)
        plan.send(raster_beats(images, self.cores))
        plan.script.wait(40 * len(images) + 5000)
        plan.script.stall(FREE)
        plan.expect(*(self.file(image) for image in images))
        plan.settle("every buffer full of small files")

    def _queues(self, plan: Plan) -> None:
        plan.configure(width=1, height=1, images=1)
        files: dict[int, bytes] = {}

        def send(images: np.ndarray, first: int) -> None:
            plan.send(raster_beats(images, self.cores), first)
            for image in images:
                value = int(image[0, 0])
                if value not in files:
                    files[value] = self.file(image)
                plan.expect(files[value])

        self.queues(plan, send)

    # Errors.

    def _errors(self, plan: Plan) -> None:
        w, h = (min(side + 2, most) for side, most in
                zip(self.pictures.tile, self.pictures.largest, strict=True))  # fmt: skip
        for name, beats, count in self._misplaced(w, h):
            images = self.pictures.of(w, h, count)
            plan.script.stall((FREE, RANDOM)[len(name) % 2])
            beats = beats(raster_beats(images, self.cores))
            plan.configure(width=w, height=h, images=1)
            plan.send(beats)
            if not name.startswith("sof_late"):
                plan.expect(*(self.file(image) for image in images))
            plan.settle(f"marker {name}", [name.split()[0]])
            self._file(plan, self.pictures.of(w, h, 2))
            plan.settle(f"after marker {name}")
        for settings in self._impossible():
            plan.configure(**settings)
            beats = raster_beats(self.pictures.of(1, 1), self.cores)
            plan.send(beats)
            what = ", ".join(f"{name} {value}" for name, value in settings.items())
            plan.settle(f"impossible size ({what})", ["bad_size"])
            self._file(plan, self.pictures.of(3, 2))
            plan.settle(f"after an impossible size ({what})")
        # All 32 bits of the number are in the header, which leaves with the first tile.
        for images in (0x89ABCDEF, 0x76543210):
            plan.configure(width=1, height=1, images=images)
            one = self.pictures.of(1, 1)
            plan.send(raster_beats(one, self.cores))
            plan.script.taken(3000)
            file = self.file(one)
            whole = Header.unpack(file).table["images"].put(file, images)
            plan.reset(3, [whole])
            plan.quiet()
            self._file(plan, self.pictures.of(3, 2))
            plan.settle(f"a reset in a file of {images} images")
        if not plan.control.controls:
            return  # registers keep their causes, and begin anew themselves
        beats = raster_beats(self.pictures.of(w, h), self.cores)
        beats["last"][0] ^= 1
        plan.configure(width=w, height=h, images=1)
        plan.send(beats)
        plan.quiet()
        plan.reset(2)
        plan.settle("a reset clears errors")

    def _misplaced(self, w: int, h: int) -> Iterator[tuple]:
        line = len(filled(w, self.cores))
        total = line * h

        def change(name: str, at: int):
            def changed(beats):
                beats[name][at] ^= 1
                return beats

            return changed

        for at in (1, line - 1, line, total - 1) if line > 1 else (1, total - 1):
            yield f"sof_early at {at}", change("user", at), 1
        for at in (line - 1, total - 1):
            yield f"eol_late at {at}", change("last", at), 1
        for at in (0, line - 2, total - 2) if line > 1 else ():
            yield f"eol_early at {at}", change("last", at), 1
        yield "sof_late", change("user", 0), 1

    def _impossible(self) -> Iterator[dict[str, int]]:
        """Zero, and what is more than the most by any bit of a setting."""
        fine = {"width": 1, "height": 1, "images": 1}
        for name in fine:
            yield fine | {name: 0}
        for name, most in zip(("width", "height"), self.pictures.largest, strict=True):
            bits = self.setting_bits(name)
            values = {most + 1, (1 << bits) - 1, *(1 << k for k in range(bits))}
            for value in sorted(v for v in values if most < v < 1 << bits):
                yield fine | {name: value}

    # Resets.

    def begin(self, plan: Plan, images: np.ndarray):
        """Settings of a file, and its beats."""
        count, height, width = images.shape
        plan.configure(width=width, height=height, images=count)
        return raster_beats(images, self.cores)

    def wanted(self, images: np.ndarray) -> list:
        """What must come of images."""
        return [self.file(images)]

    def beginnings(self, width: int) -> list[int]:
        """Beats of a file of which no tile is whole."""
        line = len(filled(width, self.cores))
        height = min(self.pictures.tile[1], self.pictures.largest[1])
        most = max(1, (height - 1) * line - 1)
        return sorted({n for n in (1, 2, line - 1, line, line + 2, most) if 1 <= n <= most})

    def begun(self, images: np.ndarray) -> list:
        """What comes of images must begin like this."""
        return [self.file(images)]

    # What came out.

    def last(self, beats):
        """Beats of the last file."""
        ends = np.flatnonzero(beats["last"])
        first = ends[-2] + 1 if len(ends) > 1 else 0
        return {name: values[first:] for name, values in beats.items()}

    def collect(self, beats) -> list[bytes]:
        """Files of beats."""
        full = (1 << self.bytes) - 1
        keep, last = np.asarray(beats["keep"]), np.asarray(beats["last"]).astype(bool)
        if (keep[~last] != full).any() or (keep & (keep + 1)).any() or not keep.all():
            raise InputError("TKEEP must be full but for the end of a file")
        data = np.asarray(beats["data"]).astype(f"<u{self.bytes}").view(np.uint8)
        if data[(keep.astype(np.int64)[:, None] >> np.arange(self.bytes) & 1 == 0).ravel()].any():
            raise InputError("bytes of TDATA behind the end of a file must be zero")
        files, rest = files_of(**beats, size=self.bytes)
        return [*files, rest] if rest else list(files)

    def tell(self, given, wanted, *, begun: bool = False) -> Iterator[str]:
        """What differs between files."""
        if begun:
            files, rest = files_of(**given, size=self.bytes)
            given, wanted = b"".join(files) + rest, b"".join(wanted)
            if wanted and not wanted.startswith(given):
                yield "what was given before the reset is no beginning of the file"
            return
        if len(given) != len(wanted):
            yield f"gave {len(given)} files instead of {len(wanted)}"
        for number, (found, right) in enumerate(zip(given, wanted, strict=False)):
            if found != right:
                common = min(len(found), len(right))
                at = next((k for k in range(common) if found[k] != right[k]), common)
                yield (
                    f"file {number + 1} of {len(wanted)} differs from the reference's from byte "
                    f"{at} on, {len(found)} bytes instead of {len(right)}"
                )
                return
