"""Phases of the decoder of profile ``predictive``: strips of any height, damage of every kind."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lutgen.codec.predictive.container import (
    GROUP,
    Frame,
    index_bytes,
    least_columns,
    pack_strip,
    split_index,
    strip_sizes,
    unit_payloads,
)
from lutgen.gateware.predictive.top import DECODER_ERRORS
from lutgen.gateware.strips.strip_files import strip_header
from lutgen.model.header import VERSION_2
from lutgen.model.samples import SampleFormat
from lutgen.sim.check import outputs
from lutgen.sim.check.judge import BLOCKED, FREE, RANDOM, Plan
from lutgen.sim.check.judge_predictive import PredictiveJudge
from lutgen.sim.check.picture_form import Coding
from lutgen.sim.check.wrong_inputs import impossible_values
from lutgen.sim.drive.stream import StreamResult
from lutgen.sim.drive.words import file_beats, scattered_words

__all__ = ["PredictiveDecoderJudge"]

#: Heights of strips in turn, in squares of pixels; None is the build's own.
_STRIPS = (None, 1, 4, 7, None, 8, 3, 12, 2)
#: Headers with a bit turned between two good files.
_BETWEEN = 8


class PredictiveDecoderJudge(PredictiveJudge):
    """Judges a decoder; parameters as in `.judge_predictive.PredictiveJudge`."""

    core = "decoder"
    sink = "s_axis_stream"
    errors = DECODER_ERRORS

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self._sent = 0

    def _output(self) -> outputs.FrameOutput:
        c = self.config
        return outputs.FrameOutput(c.cores, c.pixel_dtype, c.pixel_bits)

    @property
    def lanes(self) -> int:
        """Lanes of the core."""
        return self.config.lanes

    def send(
        self, plan: Plan, image: np.ndarray, number: int = 0, coding: Coding | None = None
    ) -> None:
        """A picture's file, with null bytes if the number is odd, in strips of some height."""
        coding = coding or self.next_coding()
        strip = _STRIPS[self._sent % len(_STRIPS)]
        self._sent += 1
        # Each strip takes as long as a group at least.
        strip = strip and self.form.square * strip
        strip = self._strip(strip) if strip and len(image) <= 8 * strip else None
        file = self.file(image, coding, strip)
        plan.send((scattered_words if number % 2 else file_beats)(file, self.bytes))
        plan.expect(outputs.Frame(self.form.decoded(image, coding.near)))

    def _strip(self, rows: int) -> int:
        """A strip's rows, or the most that the core takes: of several slabs it holds a strip each.
        """
        return min(rows, self.config.rows_of_strip) if self.form.slabs > 1 else rows

    # Damage.

    def errors_of_inputs(self, plan: Plan) -> None:
        """Headers of other builds, cut and changed packets, wrong checksums."""
        w, h = self.usual
        image = self.pictures.noise(w, h)[0]
        self._headers(plan, self.pictures.of(2, 1)[0])
        self._shifts(plan, image)
        most = self.config.max_near
        for strip, near in ((h, 0), (self.form.height_of(GROUP), most)):
            near_image = self.form.decoded(image, near)
            coding = Coding(near, self.next_coding().order)
            self._packets(plan, near_image, self.file(near_image, coding, self._strip(strip)))
        image = self.pictures.noise(self.form.even_width(w, self.pictures.largest[0]), h)[0]
        for near in dict.fromkeys((0, most)):
            self._lengths(plan, self.form.decoded(image, near), near)
            self._residuals(plan, near)
        if not plan.control.controls:
            return  # registers keep their causes
        plan.script.stall(FREE)
        plan.send(file_beats(b"?" + self.file(image, Coding())[1:], self.bytes))
        plan.quiet()
        plan.reset(2)
        plan.settle("a reset clears errors")

    def _bad(
        self, plan: Plan, what: str, file: bytes, error: str, *frames: outputs.Frame
    ) -> None:
        """A bad file, and a good one behind it."""
        plan.script.stall((FREE, RANDOM)[len(file) % 2])
        plan.send(file_beats(file, self.bytes))
        plan.expect(*frames)
        plan.settle(what, [error])
        self.send(plan, self.pictures.of(3, 2)[0])
        plan.settle(f"after {what}")

    def _headers(self, plan: Plan, image: np.ndarray) -> None:
        """Every bit of the header that alone makes a file bad, and headers that are cut short."""
        file = self.file(image, Coding())
        for number, (what, bad) in enumerate(self._wrong_headers(file)):
            plan.send(file_beats(bad, self.bytes))
            plan.settle(what, ["bad_header"])
            if number % _BETWEEN == 0:
                self.send(plan, self.pictures.of(3, 2)[0])
                plan.settle(f"after {what}")
        for cut in range(1, VERSION_2.size):
            plan.send(file_beats(file[:cut], self.bytes))
            plan.settle(f"a header of {cut} bytes", ["bad_header"])
        everything = outputs.Frame(image, np.s_[:, :])
        self._bad(plan, "a header alone", file[: VERSION_2.size], "bad_packet", everything)

    def _wrong_headers(self, file: bytes) -> Iterator[tuple[str, bytes]]:
        planes = self.form.planes
        channels = planes.channels
        header = strip_header(
            self.config.model_hash, self.config.depth, channels, self.form.slabs
        )
        for field in header.table.fields:
            if field.per_file:
                continue
            for at in range(field.offset, field.end):
                for bit in range(8):
                    bad = bytearray(file)
                    bad[at] ^= 1 << bit
                    yield f"header byte {at} with bit {bit} turned", bytes(bad)
        frame = Frame.unpack(file)
        for name, most in (
            ("image width", planes.columns(self.config.max_width)),
            ("image height", planes.lines(self.config.max_height)),
            ("strip height", frame.height), ("shift", 16 - self.config.depth),
            ("near", self.config.max_near),
        ):  # fmt: skip
            field = VERSION_2[name]
            for value in impossible_values(most, 8 * field.size):
                # Nothing may be wrong with a near of 0, a shift of 0, or the strips of a height.
                if value or name not in ("near", "shift"):
                    yield f"a header with {name} {value}", field.put(file, value)
        yield from self._slab_headers(file)
        if channels.orders > 1:
            good = {planes.count | k + channels.first_order << 4 for k in range(channels.orders)}
            near_by = {value ^ 1 << bit for value in good for bit in range(8)} - good
            for value in sorted(near_by):
                yield f"a header with channels {value:#x}", VERSION_2["channels"].put(file, value)

    def _slab_headers(self, file: bytes) -> Iterator[tuple[str, bytes]]:
        """Images that are too narrow for the slabs, and strips that are higher than a queue holds.
        """
        if self.form.slabs == 1:
            return
        for width in sorted({1, least_columns(self.form.slabs) - 1}):
            yield f"a header with image width {width}", VERSION_2["image width"].put(file, width)
        square, rows = self.form.square, self.config.rows_of_strip
        if rows + square <= self.pictures.largest[1]:
            high = self.file(self.pictures.of(2, rows + square)[0], Coding(), rows + square)
            yield "strips that are too high", high

    def _shifts(self, plan: Plan, image: np.ndarray) -> None:
        """Files of samples with zero bits below them, which are not given."""
        for shift in sorted({min(1, 16 - self.config.depth), 16 - self.config.depth}):
            plan.send(file_beats(self.file(image, Coding(), shift=shift), self.bytes))
            plan.expect(outputs.Frame(image))
            plan.settle(f"samples with {shift} zero bits below")

    def _packets(self, plan: Plan, image: np.ndarray, file: bytes) -> None:
        """A file cut at many places, followed by something, or with a bit turned."""
        frame = Frame.unpack(file)
        strips = list(self._strips(file))
        whole = outputs.Frame(image)

        for number, (starts, stops, after) in enumerate(strips):
            _, top, bottom = frame.rows(number)
            columns = slice(*frame.columns(number))

            def from_row(row: int, number: int = number) -> outputs.Frame:
                return self._ended(image, frame, number, row)

            for group, (start, stop) in enumerate(zip(starts, stops, strict=True)):
                place = f"group {group} of strip {number}"
                row, following = (top + self.form.row_of(GROUP * k) for k in (group, group + 1))
                for cut in sorted({start, start + 1, (start + stop) // 2, stop - 1}):
                    self._bad(plan, f"{place} cut at byte {cut}", file[:cut], "bad_packet",
                              from_row(row))  # fmt: skip
                self._bad(plan, f"an end behind {place}", file[:stop], "bad_packet",
                          from_row(following))  # fmt: skip
                changed = bytearray(file)
                changed[(start + stop) // 2] ^= 0x10
                self._bad(plan, f"{place} with a bit turned", bytes(changed), "bad_strip",
                          outputs.Frame(image, np.s_[row:bottom, columns]))  # fmt: skip
            for cut in range(after - 3, after):
                self._bad(plan, f"the checksum of strip {number} cut at byte {cut}", file[:cut],
                          "bad_packet", from_row(bottom))  # fmt: skip
            for at in range(after - 4, after):
                changed = bytearray(file)
                changed[at] ^= 1 << at % 8
                self._bad(plan, f"the checksum of strip {number} with a bit turned",
                          bytes(changed), "bad_strip", whole)  # fmt: skip
        end = strips[-1][2]
        for cut in range(end, len(file), 3):
            self._bad(plan, f"the index cut at byte {cut}", file[:cut], "bad_packet", whole)
        for at in range(end, len(file)):
            changed = bytearray(file)
            changed[at] ^= 1 << at % 8
            self._bad(plan, f"the index with byte {at} changed", bytes(changed), "bad_packet",
                      whole)  # fmt: skip
        for extra in (b"\0", file):
            what = f"{len(extra)} bytes behind the last one"
            self._bad(plan, what, file + extra, "bad_packet", whole)
        # The number of a strip is in its checksum.
        header, parts, numbers = frame.pack(), [], [*range(1, len(strips)), 0]
        if len(strips) > 1:
            for number, (starts, stops, _) in zip(numbers, strips, strict=True):
                payloads = [file[a:b] for a, b in zip(starts, stops, strict=True)]
                parts.append(pack_strip(header, number, payloads))
            swapped = b"".join([header, *parts, index_bytes(header, list(map(len, parts)))])
            self._bad(plan, "strips with the numbers of others", swapped, "bad_strip", whole)

    @staticmethod
    def _ended(image: np.ndarray, frame: Frame, strip: int, row: int) -> outputs.Frame:
        """What is known of an image whose file ends in a strip, before a row of it."""
        spoilt = np.zeros(image.shape, bool)
        _, top, bottom = frame.rows(strip)
        for slab in range(frame.slabs):
            # Strips of the slabs before it have come, those of the slabs behind it have not.
            at = strip % frame.slabs
            first = bottom if slab < at else row if slab == at else top
            spoilt[first:, slice(*frame.columns(slab))] = True
        return outputs.Frame(image, spoilt)

    def _strips(self, file: bytes) -> Iterator[tuple[list[int], list[int], int]]:
        """First byte of each payload of each strip, that behind it, and that behind the strip."""
        frame, data = Frame.unpack(file), memoryview(file)
        starts, end = split_index(file, frame)
        for number, at in enumerate(starts or ()):
            _, top, bottom = frame.rows(number)
            left, right = frame.columns(number)
            sizes = list(strip_sizes(frame, frame.units(bottom - top, right - left)))
            start, stop, after = unit_payloads(data, at, end, frame.pack(), number, sizes)
            yield start.tolist(), stop.tolist(), after

    def _lengths(self, plan: Plan, image: np.ndarray, near: int) -> None:
        """Lengths that no payload has; the image is one that its near leaves as it is.

        Its first slab is as wide as any, since only lengths that no slab has end a file.
        """
        strip = self._strip(len(image))
        file = self.file(image, Coding(near, self.form.orders - 1), strip)
        (starts, stops, _), *_ = self._strips(file)
        frame = Frame.unpack(file)
        left, right = frame.columns(0)
        sizes = list(strip_sizes(frame, frame.units(strip, right - left)))
        greatest = GROUP * self.config.slab_columns * self.config.depth // 8
        for group, (start, (_, most)) in enumerate(zip(starts, sizes, strict=True)):
            at = stops[group - 1] if group else VERSION_2.size
            before = stops[group - 1] - starts[group - 1] if group else 0
            # The second one is 0 if its bits beyond those of the greatest length are not seen.
            changes = [most + 1 - before, (2 << greatest.bit_length()) - before, -1 - before]
            codes = [_leb128(2 * c if c >= 0 else -2 * c - 1) for c in changes]
            row = self.form.row_of(GROUP * group)
            for code in (*codes, b"\xff" * 5 + b"\x01"):
                bad = file[:at] + code + file[start:]
                self._bad(plan, f"length {code.hex()} of group {group}", bad, "bad_packet",
                          self._ended(image, frame, 0, row))  # fmt: skip
        slabs = self.form.slabs
        columns = min(1 << 9, self.form.planes.columns(self.config.max_width) // slabs)
        if GROUP * columns >= 1 << 11:  # of so many samples a payload has a byte at least
            height = min(self.form.height_of(GROUP), self.config.max_height)
            width = self.form.square * columns * slabs
            image = np.full((height, width), self.pictures.drawn[0][0, 0])
            header = Frame.unpack(self.file(image, Coding(), height)).pack()
            bad = header + pack_strip(header, 0, [b""])
            self._bad(plan, "a payload that is too short", bad, "bad_packet",
                      outputs.Frame(image, np.s_[:, :]))  # fmt: skip

    def _residuals(self, plan: Plan, near: int) -> None:
        """Residuals that no sample of the depth has, in a strip whose checksum is right."""
        depth = self.config.depth
        levels = SampleFormat(depth, near=near).levels
        # Tokens end with residuals of 16 bits.
        values = [v for v in (levels, 1 << depth, (1 << depth + 1) - 1) if v >> 16 == 0]
        # A file of which all samples but the last one of a slab are what they must be; a slab that
        # is narrow would not have room for it in a payload that is no longer than plain bits.
        height, square = self.form.height_of(GROUP), self.form.square
        image = self.form.decoded(np.full((height, self.usual[0]), 9, self.form.dtype), near)
        frame = Frame.unpack(self.file(image, Coding(near), height))
        header, samples = frame.pack(), self.form.samples(image)
        columns = [frame.columns(strip) for strip in range(frame.strips)]
        wrong = max(range(frame.strips), key=lambda strip: columns[strip][1] - columns[strip][0])
        for value in dict.fromkeys(values):
            parts = []
            for strip, (left, right) in enumerate(columns):
                payloads, residuals = [], self.codec.residuals(frame, samples[:, left:right])
                units = len(frame.units(height, right - left))
                for unit in range(units):
                    folded, row = next(residuals)
                    if (strip, unit) == (wrong, units - 1):
                        folded[-1] = value
                    payloads.append(self.codec.payload(folded, row))
                parts.append(pack_strip(header, strip, payloads))
            bad = b"".join([header, *parts, index_bytes(header, list(map(len, parts)))])
            right = columns[wrong][1]
            last = outputs.Frame(image, np.s_[-square:, right - square : right])
            self._bad(plan, f"a residual of {value}, near {near}", bad, "bad_strip", last)

    # Resets.

    def begin(self, plan: Plan, images: np.ndarray):
        """Beats of the pictures' files."""
        coding = self.next_coding()
        return file_beats([self.file(image, coding) for image in images], self.bytes)

    def wanted(self, images: np.ndarray) -> list[outputs.Frame]:
        """The pictures."""
        near = self._coding.near
        return [outputs.Frame(self.form.decoded(image, near)) for image in images]

    def begun(self, images: np.ndarray) -> list:
        """Of a picture that is cut short, nothing is asked."""
        return []

    def beginnings(self, width: int) -> list[int]:
        """Beats of a file of which no payload is whole."""
        return list(range(1, VERSION_2.size // self.bytes + 2))

    def resets_at_rest(self, plan: Plan) -> None:
        """And where groups that a damaged file lacks wait for room."""
        super().resets_at_rest(plan)
        file = self.file(self.pictures.of(self.usual[0], self.pictures.largest[1])[0], Coding())
        plan.script.stall(BLOCKED)
        plan.send(file_beats(file[: VERSION_2.size + 1], self.bytes))
        plan.script.wait(self.filling)
        plan.reset(2)
        plan.script.stall(FREE)
        self.send(plan, self.pictures.of(3, 2)[0])
        plan.settle("a reset while missing groups wait")

    # What is inside.

    def begins_at(self, plan: Plan) -> np.ndarray:
        """Beats with which a file begins: the first of it that have a byte."""
        last, kept = plan.beats_of("last"), np.flatnonzero(plan.beats_of("keep"))
        file = np.cumsum(last) - last
        _, first = np.unique(file[kept], return_index=True)
        found = np.zeros(len(last), bool)
        found[kept[first]] = True
        return found

    def _ends(self, result: StreamResult) -> np.ndarray:
        """The beat before that of the next picture."""
        user = result.outputs[self.output.stream]["user"].astype(bool)
        return np.concatenate((user[1:], [True]))[: len(user)]


def _leb128(number: int) -> bytes:
    """A number as lengths are written."""
    code = bytearray()
    while number >= 128:
        code.append(number & 127 | 128)
        number >>= 7
    return bytes([*code, number])
