"""Damaged files through a decoder, each followed at once by a good one.

Files are told apart by TLAST alone.  What a damaged one becomes is known from `.stream.Files`, to
the sample; and the good one must decode to the last sample, whatever came before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.sim.drive.words import file_beats, scattered_words
from lutgen.sim.fuzz.damage import CUTS, EMPTY, NONE, RESET, damaged
from lutgen.sim.fuzz.fuzz import Fuzz, FuzzCase, Tally, listed
from lutgen.sim.fuzz.native import BEAT, Segment, beats_of
from lutgen.sim.fuzz.stream import Expected, Files, Frame, GoodFile

__all__ = ["Case", "DecoderFuzz", "Stream", "differences"]

#: Clocks of a segment that ends with a reset, at most.
_CUT = 4000
#: Share of streams that are alone, so that each error bit is known to be theirs, and the most of
#: others that follow one another: then many files are under way, and error bits are of all.
_ALONE, _CHAIN = 0.4, 12
#: Share of these whose pictures are of one width, but for damage.
_ALIKE = 0.8
#: Share of cases whose errors are counted, and not looked at in the end.
_COUNTED = 0.5
#: Packets without bytes in a row, at most.
_EMPTY = 6
#: Share of undamaged files that are one of the shortest, so many times in a row: queues fill up.
_MANY, _TIMES, _SHORTEST = 0.5, (30, 120), 10
#: Files of each width where all are as long as can be, and how often one of them comes in a row.
_LONGEST, _FEW_TIMES = 4, (1, 4)
#: Their stalls: what comes out is awaited.
_SLOW = ((0.0, 0.9, 6), (0.0, 0.9, 3000))
#: Errors that are reported once for each reason, so that their number is known.
_ONCE = ("bad_header", "bad_model", "bad_packet")


@dataclass(frozen=True, eq=False)
class Stream:
    """A damaged file and the good one behind it.

    Members
    -------
    kind : of damage
    data : the damaged file
    expected : what must become of it
    good : the file behind it
    times : how often the damaged one comes
    """

    kind: str
    data: bytes
    expected: Expected
    good: GoodFile
    times: int = 1

    @property
    def behind(self) -> list[Frame]:
        """Frames of the good file."""
        return [Frame(image, np.ones(image.shape, bool)) for image in self.good.images]


@dataclass(frozen=True, eq=False)
class Case(FuzzCase):
    """Streams at once after each other, or one that a reset cuts."""

    streams: tuple[Stream, ...]


class DecoderFuzz(Fuzz):
    """A campaign against a decoder.

    Parameters
    ----------
    files :
        Of the build.
    seed :
        Of all that is random.
    largest :
        Width and height of the pictures, at most.
    widths, files_of_width :
        Number of widths of the good files that are damaged and follow, and of files of each.
    long :
        Of the greatest height and of noise, whole or cut at few places: what waits for the output
        fills all queues and memories.
    """

    def __init__(
        self, files: Files, *, seed: int, largest: tuple[int, int], widths: int = 8,
        files_of_width: int = 25, long: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(
            errors=files.errors, patience=files.patience, seed=seed,
            kinds=(NONE, *CUTS) if long else files.kinds,
        )
        self.files, self._bytes = files, files.build.options.stream_bytes
        some = np.linspace(1, largest[0], widths).round().astype(int).tolist()
        make = files.longest if long else files.good
        self._of_width = [
            [make(width, largest[1]) for _ in range(_LONGEST if long else files_of_width)]
            for width in some
        ]
        self._times = _FEW_TIMES if long else _TIMES
        self.stalls = _SLOW if long else self.stalls
        self.pool = [good for files in self._of_width for good in files]
        self._shortest = sorted(self.pool, key=lambda good: len(good.data))[:_SHORTEST]

    def _case(self, most: int, options: dict, start: dict) -> Case:
        rng, kind = self.rng, self._kind()
        if kind == RESET:
            stream = self._stream(kind, self.pool)
            good = self._beats(stream.good.data)
            both = np.concatenate([self._beats(stream.data), good])
            limit, clocks = int(rng.integers(1, _CUT)), int(rng.integers(1, 5))
            segments = (
                Segment(both, limit=limit, **self._perhaps_blocked(options), **start),
                Segment(good, reset=clocks, **options),
            )
            return Case((kind,), segments, (stream,))
        count = min(most, 1 if rng.random() < _ALONE else int(rng.integers(2, _CHAIN + 1)))
        kinds = [kind]
        while len(kinds) < count and self._coming() != RESET:
            kinds.append(self._kind())
        # Pictures of another width wait for those before them: mostly there are none.
        alike = self._of_width[int(rng.integers(len(self._of_width)))]
        pool = alike if rng.random() < _ALIKE else self.pool
        streams = tuple(self._stream(kind, pool) for kind in kinds)
        beats = np.concatenate([
            self._beats(data) for stream in streams
            for data in (*stream.times * (stream.data,), stream.good.data)
        ])  # fmt: skip
        count = rng.random() < _COUNTED
        return Case(tuple(kinds), (Segment(beats, count=count, **options, **start),), streams)

    def _stream(self, kind: str, pool: Sequence[GoodFile]) -> Stream:
        many = kind == NONE and self.rng.random() < _MANY
        pool = self._shortest if many else pool
        data = damaged(kind, self.rng, self.files, pool)
        good = pool[int(self.rng.integers(len(pool)))]
        self.meet(good.images)
        self.met["strips or tiles"][len(good.units)] += 1
        few = (1, _EMPTY + 1) if kind == EMPTY else (1, 2)
        times = int(self.rng.integers(*(self._times if many else few)))
        return Stream(kind, data, self.files.read(data), good, times)

    def _beats(self, data: bytes) -> np.ndarray:
        if not data:  # a packet without bytes is one beat
            empty = np.zeros(1, BEAT)
            empty["last"] = 1
            return empty
        make = scattered_words if self.rng.random() < 0.3 else file_beats
        return beats_of(make(data, self._bytes))

    def _judge(self, case: Case, outcomes, names: list[set[str]], tallies) -> list[str]:
        frames = [
            frame for stream in case.streams
            for frame in (*stream.times * [*stream.expected.frames], *stream.behind)
        ]  # fmt: skip
        if len(outcomes) > 1:
            (stream,), (tally,) = case.streams, tallies
            problems = differences(outcomes[0].beats, frames, begun=True)
            problems += differences(outcomes[1].beats, stream.behind)
            if names[1]:
                problems.append(f"errors behind a reset must be none, not {listed(names[1])}")
            tally.harmless += not problems
            return problems
        problems = differences(outcomes[0].beats, frames)
        wanted: Counter[str] = Counter()
        for stream in case.streams:
            for name, times in stream.expected.errors.items():
                wanted[name] += stream.times * times
        perhaps = set().union(*(stream.expected.perhaps for stream in case.streams))
        if not set(wanted) <= names[0] <= set(wanted) | perhaps:
            problems.append(f"errors must be {listed(set(wanted))}, not {listed(names[0])}")
        elif case.segments[0].count:
            pulses = dict(zip(self.files.errors, outcomes[0].pulses, strict=False))
            problems += [
                f"{name} must be reported {wanted[name]} times, not {pulses[name]}"
                for name in _ONCE if pulses.get(name, 0) != wanted[name]
            ]  # fmt: skip
        for stream, tally in zip(case.streams, tallies, strict=True):
            problems += self._classify(stream, tally)
        return problems

    def _inputs(self, case: Case) -> dict:
        return {"streams": [(s.data.hex(), s.good.data.hex()) for s in case.streams]}

    def _classify(self, stream: Stream, tally: Tally) -> list[str]:
        """Count a stream as what its expected errors say, and compare these with the codec."""
        expected, wanted = stream.expected, set(stream.expected.errors)
        software = self.files.software(stream.data)
        problems = []
        others = wanted == {"bad_header"} or _index_alone(wanted, expected)
        if software is not None and not others:
            if wanted:
                problems.append(f"the codec decodes what must have {listed(wanted)}")
            elif len(software) != len(expected.frames) or any(
                not np.array_equal(image, frame.samples)
                for image, frame in zip(software, expected.frames, strict=False)
            ):
                problems.append("what must come is not what the codec decodes")
        if software is None and not wanted:
            problems.append("the codec refuses what must have no errors")
        if wanted:
            tally.detected += 1
            tally.confined += expected.sound > 0
        elif software is not None:
            same = any(
                len(g.images) == len(software) and np.array_equal(g.images, software)
                for g in self.pool
            )  # fmt: skip
            tally.harmless += same
            tally.unnoticed += not same
        return problems


def _index_alone(wanted: set[str], expected: Expected) -> bool:
    """Whether all strips are right: then the codec does without the index."""
    return wanted == {"bad_packet"} and all(frame.known.all() for frame in expected.frames) and (
        expected.sound > 0
    )


def differences(beats: np.ndarray, frames: Sequence[Frame], begun: bool = False) -> list[str]:
    """What of a decoder's beats is not as frames must be, or their beginning."""
    wanted = [_wanted(frame) for frame in frames]
    total = sum(len(part) for part, _ in wanted)
    if len(beats) != total and not (begun and len(beats) < total):
        return [f"gave {len(beats)} pixels instead of {total}"]
    at = 0
    for number, (part, known) in enumerate(wanted):
        some = beats[at : at + len(part)]
        part, known = part[: len(some)], known[: len(some)]
        at += len(part)
        if not np.array_equal(some["side"], part["side"]) or (
            not np.array_equal(some["last"], part["last"])
        ):
            return [f"markers of frame {number} of {len(frames)} are wrong"]
        differ = (some["data"] != part["data"]) & known
        if differ.any():
            return [
                f"frame {number} of {len(frames)} differs at {int(differ.sum())} pixels, first at "
                f"{int(differ.argmax())}"
            ]
    return []


def _wanted(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    height, width = frame.samples.shape
    part = np.zeros((height, width), BEAT)
    part["data"] = frame.samples
    part["side"][0, 0] = 1
    part["last"][:, -1] = 1
    return part.reshape(-1), frame.known.reshape(-1)
