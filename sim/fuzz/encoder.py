"""Random traffic through an encoder, each piece followed by a good file.

An encoder counts pixels and does not trust markers, so what becomes of beats follows from three
rules: a pixel without TUSER where a picture should begin is dropped, so is one with TUSER if the
size is impossible; all others are pixels of pictures in raster order, as many to a file as
the settings say.  Pixels that a file lacks come behind the wrong ones: then the next file
is good, whatever came before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lutgen.sim.check.checked import CheckedBuild
from lutgen.sim.check.wrong_inputs import impossible_values
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.drive.words import files_of
from lutgen.sim.fuzz.fuzz import Fuzz, FuzzCase, listed
from lutgen.sim.fuzz.native import BEAT, Segment, beats_of
from lutgen.sim.fuzz.stream import Files

__all__ = ["Case", "EncoderFuzz", "taken"]

_RESET, _LIMITS = "reset in a file", "sizes up to the limits, cut by a reset"
_MANY, _LONG = "many files of few pixels", "files of the greatest size, of noise"
#: Clocks of a segment that ends with a reset, at most.
_CUT = 3000
#: Images of a file, at most.
_IMAGES = 3
#: Files of few pixels, at least and at most, and the most pixels.
_FILES, _FEW = (40, 150), 2
#: Files of the greatest size in a row, at least and at most, and stalls: the output is awaited.
_LONG_FILES, _SLOW = (4, 8), ((0.0, 0.98, 50), (0.0, 0.8, 0))


@dataclass(frozen=True, eq=False)
class Case(FuzzCase):
    """Wrong beats and the good file behind them.

    Members
    -------
    files : what each segment must give
    errors : names of the error bits that each segment must set
    """

    files: tuple[list[bytes], ...]
    errors: tuple[set[str], ...]


@dataclass
class Taken:
    """What an encoder makes of beats.

    Members
    -------
    files : pictures of each whole file, (N, H, W)
    pixels : of the file that has begun
    errors : names of the error bits
    """

    files: list[np.ndarray]
    pixels: list[int]
    errors: set[str]


def taken(
    beats: np.ndarray, width: int, height: int, images: int, possible: bool
) -> Taken:  # fmt: skip
    """What an encoder makes of beats with settings, of which all files are.

    Parameters
    ----------
    beats :
        Of `.native.BEAT`.
    possible :
        Whether there may be a picture of this size.
    """
    found, area = Taken([], [], set()), width * height
    for data, user, last in beats.tolist():
        place = len(found.pixels) % area if area else 0
        if place == 0 and not user:
            found.errors.add("bad_marker")
            continue
        if not possible:
            found.errors.add("bad_size")
            continue
        if bool(user) != (place == 0) or bool(last) != (place % width == width - 1):
            found.errors.add("bad_marker")
        found.pixels.append(data)
        if len(found.pixels) == images * area:
            found.files.append(np.reshape(found.pixels, (images, height, width)))
            found.pixels = []
    return found


class EncoderFuzz(Fuzz):
    """A campaign against an encoder.

    Parameters
    ----------
    build :
        The build.
    files :
        Makes pictures.
    encode :
        Pictures (N, H, W) to the bytes of a file.
    bits :
        Bits of the ports width, height and images, as far as there are.
    seed :
        Of all that is random.
    largest :
        Width and height of pictures, at most.
    long :
        Whether there are only files that wait for the output, in two kinds: as long as can be, and
        as short.
    """

    def __init__(
        self, build: CheckedBuild, files: Files, encode: Callable[[np.ndarray, int], bytes], *,
        errors, bits: Mapping[str, int], seed: int, largest: tuple[int, int], long: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            errors=errors, patience=files.patience, seed=seed,
            kinds=(_LONG, _MANY) if long else tuple(_KINDS),
        )
        self.stalls = _SLOW if long else self.stalls
        self._build, self._files, self._encode = build, files, encode
        self._bits, self._largest = bits, largest
        self._bytes = build.options.stream_bytes

    def _case(self, most: int, options: dict, start: dict) -> Case:
        rng, kind = self.rng, self._kind()
        first, settings, possible = self._wrong(kind)
        good, other = self._pictures()
        self.meet(good)
        good_beats = beats_of(raster_beats(good))
        if kind in (_RESET, _LIMITS):
            first = first if kind == _LIMITS else np.concatenate([first, first])
            found = self._taken(first, settings, possible)
            segments = (
                Segment(first, limit=int(rng.integers(1, _CUT)), settings=settings,
                        **self._perhaps_blocked(options), **start),
                Segment(good_beats, reset=int(rng.integers(1, 5)), settings=other, **options),
            )  # fmt: skip
        else:
            found = self._taken(first, settings, possible)
            first = np.concatenate([first, self._rest(found, settings)])
            if rng.random() < 0.5:  # at once, with the same settings
                if possible:
                    images = self._files.picture(
                        settings["width"], settings["height"], settings["images"]
                    ).astype(self._build.dtype)
                    first = np.concatenate([first, beats_of(raster_beats(images))])
            errors = found.errors
            found = self._taken(first, settings, possible)
            found.errors = errors
            segments = (
                Segment(first, settings=settings, **options, **start),
                Segment(good_beats, settings=other, **options),
            )
        dtype = self._build.dtype
        return Case(
            (kind,), segments,
            ([self._encode(images.astype(dtype), settings.get("near", 0))
              for images in found.files],
             [self._encode(good, other.get("near", 0))]),
            (found.errors, set()),
        )  # fmt: skip

    def _pictures(self) -> tuple[np.ndarray, dict[str, int]]:
        """Pictures of a size, and their settings."""
        width, height = (int(self.rng.integers(1, most + 1)) for most in self._largest)
        images = int(self.rng.integers(1, _IMAGES + 1)) if "images" in self._bits else 1
        settings = {"width": width, "height": height, "images": images}
        if "near" in self._bits:
            settings["near"] = int(self.rng.integers(self._build.config.max_near + 1))
        self.met["images of a file"][images] += 1
        return self._files.picture(width, height, images).astype(self._build.dtype), settings

    def _wrong(self, kind: str) -> tuple[np.ndarray, dict[str, int], bool]:
        """Beats, their settings, and whether there may be such pictures."""
        images, settings = self._pictures()
        beats = beats_of(raster_beats(images))
        if kind == _LIMITS:
            return *self._up_to_limits(), True
        if kind == _MANY:
            return *self._many(), True
        if kind == _LONG:
            files = int(self.rng.integers(*_LONG_FILES))
            return *self._of_size(self._largest, files), True
        if kind == "size of no picture":
            names = [name for name in settings if name in self._bits]
            name = names[int(self.rng.integers(len(names)))]
            most = dict(zip(("width", "height"), self._build.largest, strict=True)).get(name, 0)
            most = self._build.config.max_near if name == "near" else most
            values = impossible_values(most, self._bits[name]) if most else [0]
            if name == "near":  # a near of 0 is possible
                values = values[1:]
            if values:
                settings[name] = values[int(self.rng.integers(len(values)))]
                return beats, settings, False
            settings["width"] = 0
            return beats, settings, False
        return _KINDS[kind](self.rng, beats, settings["width"]), settings, True

    def _up_to_limits(self) -> tuple[np.ndarray, dict[str, int]]:
        """The beginning of a file that would take too long: any size, any number of images."""
        rng = self.rng
        # Tiny ones, too: then many images go in.
        largest = self._build.largest if rng.random() < 0.5 else (2, 2)
        settings = {
            name: int(rng.integers(1, most + 1))
            for name, most in zip(("width", "height"), largest, strict=True)
        }
        bits = self._bits.get("images", 0)
        if rng.random() < 0.5:  # few of them, too
            bits = int(rng.integers(bits + 1))
        settings["images"] = int(rng.integers(1, 1 << bits)) if bits else 1
        if bits and rng.random() < 0.5:  # counting them down borrows at once from the highest bit
            settings["images"] = (1 << bits - 1) + 1
        if "near" in self._bits:
            settings["near"] = int(rng.integers(self._build.config.max_near + 1))
        return self._raster(np.arange(_CUT), settings), settings

    def _many(self) -> tuple[np.ndarray, dict[str, int]]:
        """Files one after the other that begin and end in a few clocks."""
        width = int(self.rng.integers(1, _FEW + 1))
        return self._of_size((width, 1), int(self.rng.integers(*_FILES)))

    def _of_size(self, size: tuple[int, int], files: int) -> tuple[np.ndarray, dict[str, int]]:
        """So many files of one picture each."""
        settings = {"width": size[0], "height": size[1], "images": 1}
        if "near" in self._bits:
            settings["near"] = int(self.rng.integers(self._build.config.max_near + 1))
        return self._raster(np.arange(files * size[0] * size[1]), settings), settings

    @staticmethod
    def _taken(beats: np.ndarray, settings: Mapping[str, int], possible: bool) -> Taken:
        return taken(
            beats, settings["width"], settings["height"], settings["images"], possible=possible
        )

    def _rest(self, found: Taken, settings: Mapping[str, int]) -> np.ndarray:
        """The pixels that are missing of a file, with markers in their places."""
        width, height = settings["width"], settings["height"]
        whole = settings["images"] * width * height
        count = whole - len(found.pixels) if found.pixels else 0
        return self._raster(len(found.pixels) + np.arange(count), settings)

    def _raster(self, places: np.ndarray, settings: Mapping[str, int]) -> np.ndarray:
        """Any pixels at places of a file, with markers in theirs."""
        width, height = settings["width"], settings["height"]
        beats = np.zeros(len(places), BEAT)
        beats["data"] = self.rng.integers(1 << self._build.depth, size=len(places))
        beats["side"] = places % (width * height) == 0
        beats["last"] = places % width == width - 1
        return beats

    def _judge(self, case: Case, outcomes, names: list[set[str]], tallies) -> list[str]:
        problems, (tally,) = [], tallies
        for number, (outcome, files) in enumerate(zip(outcomes, case.files, strict=True)):
            begun = number == 0 and case.kinds[0] in (_RESET, _LIMITS)
            problems += self._differences(outcome.beats, files, begun)
            wanted = case.errors[number]
            if names[number] != wanted and not (begun and names[number] <= wanted):
                problems.append(f"errors must be {listed(wanted)}, not {listed(names[number])}")
        if names[0]:
            tally.detected += 1
            tally.confined += not problems
        else:
            tally.harmless += not problems
        return problems

    def _differences(self, beats: np.ndarray, files: list[bytes], begun: bool) -> list[str]:
        keep, last = beats["side"].astype(np.int64), beats["last"]
        full = (1 << self._bytes) - 1
        if (keep & (keep + 1)).any() or (keep == 0).any() or ((keep != full) & (last == 0)).any():
            return ["TKEEP must be full but for a file's last beat, and from the lowest byte on"]
        lanes = np.arange(self._bytes)
        given = beats["data"].astype(np.int64)[:, None] >> 8 * lanes & 255
        if given[keep[:, None] >> lanes & 1 == 0].any():
            return ["bytes of TDATA behind the end of a file must be zero"]
        found, rest = files_of(beats["data"], keep, last, self._bytes)
        if begun:
            whole, begins = b"".join(files), b"".join(found) + rest
            return [] if whole.startswith(begins) or len(begins) > len(whole) else [
                "what is given before a reset must begin as the files"
            ]  # fmt: skip
        if rest or len(found) != len(files):
            return [f"gave {len(found)} files and {len(rest)} bytes instead of {len(files)} files"]
        return [
            f"file {k} of {len(files)} differs, {len(a)} bytes instead of {len(b)}"
            for k, (a, b) in enumerate(zip(found, files, strict=True)) if a != b
        ]  # fmt: skip

    def _inputs(self, case: Case) -> dict:
        return {
            "segments": [
                {"settings": segment.settings, "beats": segment.beats.tolist()}
                for segment in case.segments
            ]
        }


def _flip_markers(rng, beats: np.ndarray, width: int) -> np.ndarray:
    """Some markers more or less."""
    for _ in range(int(rng.integers(1, 5))):
        name = ("side", "last")[int(rng.integers(2))]
        beats[name][int(rng.integers(len(beats)))] ^= 1
    return beats


def _random_markers(rng, beats: np.ndarray, width: int) -> np.ndarray:
    """All of them at random."""
    share = float(rng.choice([0.05, 0.5, 0.95]))
    for name in ("side", "last"):
        beats[name] = rng.random(len(beats)) < share
    return beats


def _lose(rng, beats: np.ndarray, width: int) -> np.ndarray:
    """Some pixels, one after the other; also the first ones."""
    at = int(rng.integers(len(beats))) if rng.random() < 0.7 else 0
    count = int(rng.integers(1, 2 * width + 1))
    return np.delete(beats, slice(at, at + count))


def _insert(rng, beats: np.ndarray, width: int) -> np.ndarray:
    """Some pixels, one after the other."""
    at = int(rng.integers(len(beats) + 1))
    more = np.zeros(int(rng.integers(1, 2 * width + 1)), BEAT)
    more["data"] = rng.integers(256, size=len(more))
    more["last"] = rng.random(len(more)) < 0.2
    return np.insert(beats, at, more)


def _wider(rng, beats: np.ndarray, width: int) -> np.ndarray:
    """Lines of another length than the settings say."""
    other = max(1, width + int(rng.integers(-2, 3)))
    beats["last"] = np.arange(len(beats)) % other == other - 1
    return beats


def _random(rng, beats: np.ndarray, width: int) -> np.ndarray:
    """Beats without any order."""
    made = np.zeros(int(rng.integers(1, 120)), BEAT)
    made["data"] = rng.integers(256, size=len(made))
    made["side"] = rng.random(len(made)) < 0.3
    made["last"] = rng.random(len(made)) < 0.3
    return made


def _untouched(rng, beats: np.ndarray, width: int) -> np.ndarray:
    return beats


#: Kinds of wrong traffic by name: beats of the driver, and the width of their lines.
_KINDS: Mapping[str, Callable] = {
    "markers moved": _flip_markers, "markers at random": _random_markers, "pixels lost": _lose,
    "pixels inserted": _insert, "lines of another length": _wider, "random beats": _random,
    "size of no picture": _untouched, _RESET: _untouched, _LIMITS: _untouched,
    _MANY: _untouched, "none": _untouched,
}  # fmt: skip
