"""What comes out of a core: files or frames, made of beats and compared with what must come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from lutgen.errors import InputError
from lutgen.sim.drive.beats import single_pixels
from lutgen.sim.drive.words import files_of, frames_of

__all__ = ["FileOutput", "Frame", "FrameOutput"]


@dataclass(frozen=True, eq=False)
class Frame:
    """A picture that must come, but for a part of which only the place is known: a rectangle, or
    the pixels that a mask names.
    """

    image: np.ndarray
    spoilt: tuple[slice, slice] | np.ndarray | None = None

    def same(self, other: np.ndarray) -> np.ndarray:
        """Pixels that are right, of a picture of its size."""
        same = self.image == other
        if self.spoilt is not None:
            same[self.spoilt] = True
        return same


class FileOutput:
    """Files on a stream of ``size`` bytes."""

    stream = "m_axis_stream"
    fields = ("data", "keep", "last")

    def __init__(self, size: int) -> None:
        self._size = size

    def ends(self, beats: Mapping[str, np.ndarray]) -> np.ndarray:
        """Beats with which an output ends: bool (beats,)."""
        return np.asarray(beats["last"]).astype(bool)

    def last(self, beats: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Beats of the last file."""
        ends = np.flatnonzero(beats["last"])
        first = ends[-2] + 1 if len(ends) > 1 else 0
        return {name: values[first:] for name, values in beats.items()}

    def collect(self, beats: Mapping[str, np.ndarray]) -> list[bytes]:
        """Files of beats."""
        full = (1 << self._size) - 1
        keep, last = np.asarray(beats["keep"]), np.asarray(beats["last"]).astype(bool)
        if (keep[~last] != full).any() or (keep & (keep + 1)).any() or not keep.all():
            raise InputError("TKEEP must be full but for the end of a file")
        data = np.asarray(beats["data"]).astype(f"<u{self._size}").view(np.uint8)
        if data[(keep.astype(np.int64)[:, None] >> np.arange(self._size) & 1 == 0).ravel()].any():
            raise InputError("bytes of TDATA behind the end of a file must be zero")
        files, rest = files_of(**beats, size=self._size)
        return [*files, rest] if rest else list(files)

    def tell(self, given, wanted, *, begun: bool = False) -> Iterator[str]:
        """What differs between files; of one that is ``begun``, only its beginning is asked."""
        if begun:
            files, rest = files_of(**given, size=self._size)
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


class FrameOutput:
    """Frames on a port of so many pixels a beat, ``cores``, of ``dtype`` and so many ``bits``,
    those of ``dtype`` unless told.
    """

    stream = "m_axis_video"

    def __init__(self, cores: int = 1, dtype=np.uint8, bits: int | None = None) -> None:
        self._cores, self._dtype, self._bits = cores, dtype, bits
        self.fields = ("data", "user", "last", *(["keep"] if cores > 1 else []))

    def last(self, beats: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Beats of the last frame."""
        starts = np.flatnonzero(beats["user"])
        first = starts[-1] if len(starts) else 0
        return {name: values[first:] for name, values in beats.items()}

    def collect(self, beats: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Frames of beats."""
        if not len(beats["data"]):
            return []
        if not np.any(beats["user"]):
            raise InputError("pixels must begin with a start of frame")
        if self._cores > 1:
            beats = single_pixels(beats, self._cores, self._dtype, self._bits)
        most = np.iinfo(self._dtype).max
        if np.max(beats["data"]) > most:
            raise InputError(f"samples must be at most {most}, not {np.max(beats['data'])}")
        return list(frames_of(beats["data"], beats["user"], beats["last"], self._dtype))

    def tell(self, given, wanted, *, begun: bool = False) -> Iterator[str]:
        """What differs between frames; of one that is ``begun``, nothing is asked."""
        if begun:
            return
        if len(given) != len(wanted):
            yield f"gave {len(given)} frames instead of {len(wanted)}"
        for number, (frame, right) in enumerate(zip(given, wanted, strict=False)):
            place = f"frame {number + 1} of {len(wanted)}"
            if frame.shape != right.image.shape:
                yield f"{place} is of {frame.shape[1]} x {frame.shape[0]} pixels"
                return
            wrong = ~right.same(frame)
            if wrong.any():
                y, x = np.argwhere(wrong)[0]
                yield (
                    f"{place}: {np.count_nonzero(wrong)} pixels differ, the first at column {x}, "
                    f"row {y}"
                )
                return
