"""Damaged files through a decoder, each followed at once by a good one.

Files are told apart by TLAST alone; a stream of a script is one damaged file and the good one
behind it.  What the damaged one becomes is known from `.stream.Files`, to the sample; and the good
one must decode to the last sample, whatever came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.sim.drive.words import file_beats, scattered_words
from lutgen.sim.fuzz.damage import RESET, damaged
from lutgen.sim.fuzz.fuzz import Fuzz, FuzzCase, Tally, listed
from lutgen.sim.fuzz.native import BEAT, Segment, beats_of
from lutgen.sim.fuzz.stream import Expected, Files, Frame, GoodFile

__all__ = ["Case", "DecoderFuzz", "differences"]

#: Clocks of a segment that ends with a reset, at most.
_CUT = 4000


@dataclass(frozen=True, eq=False)
class Case(FuzzCase):
    """A damaged file and the good one behind it.

    Members
    -------
    data : the damaged file
    expected : what must become of it
    good : the file behind it
    """

    data: bytes
    expected: Expected
    good: GoodFile


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
    pool :
        Number of good files that are damaged and follow.
    """

    def __init__(
        self, files: Files, *, seed: int, largest: tuple[int, int], pool: int = 200
    ) -> None:
        super().__init__(
            errors=files.errors, patience=files.patience, seed=seed, kinds=files.kinds
        )
        self.files, self._bytes = files, files.build.options.stream_bytes
        self.pool = [files.good(largest) for _ in range(pool)]

    def _case(self, kind: str, options: dict, start: dict) -> Case:
        rng = self.rng
        good = self.pool[int(rng.integers(len(self.pool)))]
        data = damaged(kind, rng, self.files, self.pool)
        first, second = self._beats(data), self._beats(good.data)
        if kind == RESET:
            segments = (
                Segment(np.concatenate([first, second]), limit=int(rng.integers(1, _CUT)),
                        **options, **start),
                Segment(second, reset=int(rng.integers(1, 5)), **options),
            )  # fmt: skip
        else:
            segments = (Segment(np.concatenate([first, second]), **options, **start),)
        return Case(kind, segments, data, self.files.read(data), good)

    def _beats(self, data: bytes) -> np.ndarray:
        if not data:  # a packet without bytes is one beat
            empty = np.zeros(1, BEAT)
            empty["last"] = 1
            return empty
        make = scattered_words if self.rng.random() < 0.3 else file_beats
        return beats_of(make(data, self._bytes))

    def _judge(self, case: Case, outcomes, names: list[set[str]], tally: Tally) -> list[str]:
        behind = [Frame(i, np.ones(i.shape, bool)) for i in case.good.images]
        frames, last = [*case.expected.frames, *behind], outcomes[-1]
        if len(outcomes) == 1:
            return differences(last.beats, frames) + self._classify(case, names[0], tally)
        problems = differences(outcomes[0].beats, frames, begun=True)
        problems += differences(last.beats, behind)
        if names[1]:
            problems.append(f"errors behind a reset must be none, not {listed(names[1])}")
        tally.harmless += not problems
        return problems

    def _inputs(self, case: Case) -> dict:
        return {"stream": case.data.hex(), "followed_by": case.good.data.hex()}

    def _classify(self, case: Case, names: set[str], tally: Tally) -> list[str]:
        wanted, expected = case.expected.errors, case.expected
        problems = []
        if not wanted <= names <= wanted | expected.perhaps:
            problems.append(f"errors must be {listed(wanted)}, not {listed(names)}")
        software = self.files.software(case.data)
        others = wanted == {"bad_header"} or _index_alone(wanted, expected)
        if software is not None and not others:
            if names:
                problems.append(f"errors must be none as the codec decodes it, not {listed(names)}")
            elif len(software) != len(expected.frames) or any(
                not np.array_equal(image, frame.samples)
                for image, frame in zip(software, expected.frames, strict=False)
            ):
                problems.append("what must come is not what the codec decodes")
        if software is None and not names:
            problems.append("errors must be some as the codec refuses it, not none")
        if names:
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
