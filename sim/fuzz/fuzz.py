"""What campaigns against decoders and encoders share: cases in batches, and what became of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lutgen.sim.fuzz.native import NativeCore, Outcome, Segment

__all__ = ["STALLS", "Fuzz", "FuzzCase", "Report", "Tally", "listed"]

#: Shares of stalled clocks of input and output, and mean clocks of a stall.
STALLS = (
    (0.0, 0.0, 0), (0.0, 0.0, 0), (0.3, 0.3, 0), (0.8, 0.0, 0), (0.0, 0.7, 0), (0.4, 0.4, 40),
    (0.0, 0.5, 200), (0.0, 0.5, 3000), (0.0, 0.9, 6),
)  # fmt: skip
#: Share of segments with a reset at their end whose output is never ready: all fills up.
_BLOCKED = 0.3


@dataclass(frozen=True, eq=False)
class FuzzCase:
    """What goes through a core between two looks at its errors.

    Members
    -------
    kinds : of what is wrong, one for each stream
    segments : of the script
    """

    kinds: tuple[str, ...]
    segments: tuple[Segment, ...]


@dataclass
class Tally:
    """What became of the streams of one kind.

    Members
    -------
    streams : how many
    detected : error bits were set
    confined : of these, that some strips or tiles were right nevertheless
    harmless : no error, and the picture is that of the file before
    unnoticed : no error, and the picture is another one: so it is for the codec, too
    hangs, wrong : what must not be
    """

    streams: int = 0
    detected: int = 0
    confined: int = 0
    harmless: int = 0
    unnoticed: int = 0
    hangs: int = 0
    wrong: int = 0


@dataclass
class Report:
    """What a campaign found.

    Members
    -------
    kinds : by kind of damage
    errors : how often each error bit was set
    clocks : simulated
    problems : the first ones, with the stream as hexadecimal digits
    """

    #: Problems that are kept.
    MOST_PROBLEMS = 20

    kinds: dict[str, Tally] = field(default_factory=dict)
    errors: Counter = field(default_factory=Counter)
    clocks: int = 0
    problems: list[dict] = field(default_factory=list)

    @property
    def streams(self) -> int:
        """How many there were."""
        return sum(tally.streams for tally in self.kinds.values())

    def note(self, problem: dict) -> None:
        """Keep a problem, if it is one of the first."""
        if len(self.problems) < self.MOST_PROBLEMS:
            self.problems.append(problem)


class Fuzz(ABC):
    """A campaign against a core.

    Parameters
    ----------
    errors :
        Names of the core's error bits.
    patience :
        Clocks without a beat after which it hangs.
    seed :
        Of all that is random.
    kinds :
        Of what is wrong, in turn.
    """

    #: Of which each case has one.
    stalls: Sequence[tuple[float, float, int]] = STALLS
    #: Cases of a core before it makes place for a new one, in any state.
    life = 4

    def __init__(
        self, *, errors: Sequence[str], patience: int, seed: int, kinds: Sequence[str]
    ) -> None:
        self._errors, self._patience, self._kinds = errors, patience, kinds
        self.rng, self.report, self._made = np.random.default_rng(seed), Report(), 0
        self._kind_number = 0
        #: How often what has been met, by what it is about: widths, stalls and the like.
        self.met: dict[str, Counter] = defaultdict(Counter)

    def run(self, core: NativeCore, streams: int, **options) -> None:
        """Run cases in one process and judge them; ``options`` are those of `NativeCore.run`."""
        cases = self.cases(streams)
        outcomes = self.outcomes(core, cases, **options)
        for case, some in zip(cases, outcomes, strict=True):
            self.judge(case, some)

    def cases(self, streams: int) -> list[FuzzCase]:
        """The next cases, of so many streams; the first of them begins with a new core."""
        made: list[FuzzCase] = []
        while streams > 0:
            made.append(self._next(len(made) % self.life == 0, streams))
            streams -= len(made[-1].kinds)
        return made

    def outcomes(
        self, core: NativeCore, cases: Sequence[FuzzCase], **options
    ) -> list[list[Outcome]]:
        """What the segments of each case gave, all of them run in one process."""
        segments = [segment for case in cases for segment in case.segments]
        outcomes = iter(core.run(segments, patience=self._patience, **options))
        return [[next(outcomes) for _ in case.segments] for case in cases]

    def _next(self, fresh: bool, most: int) -> FuzzCase:
        self._made += 1
        stall_in, stall_out, burst = self.stalls[int(self.rng.integers(len(self.stalls)))]
        self.met["stalls"][f"{stall_in} {stall_out} {burst}"] += 1
        options = {
            "seed": self._made, "stall_in": stall_in, "stall_out": stall_out, "burst": burst,
        }  # fmt: skip
        start = {"fresh": self._made, "reset": int(self.rng.integers(1, 4))} if fresh else {}
        return self._case(most, options, start)

    def _perhaps_blocked(self, options: dict) -> dict:
        """Options of a segment that a reset ends: for some the output is never ready."""
        blocked = self.rng.random() < _BLOCKED
        self.met["outputs of a segment with a reset"]["blocked" if blocked else "ready"] += 1
        return options | {"stall_out": 1.0} if blocked else options

    def meet(self, images: np.ndarray) -> None:
        """Count the size of pictures (N, H, W)."""
        _, height, width = images.shape
        self.met["widths"][width] += 1
        self.met["heights"][height] += 1

    def _coming(self) -> str:
        """The next kind, which stays the next one."""
        return self._kinds[self._kind_number % len(self._kinds)]

    def _kind(self) -> str:
        """The next kind."""
        kind = self._coming()
        self._kind_number += 1
        return kind

    @abstractmethod
    def _case(self, most: int, options: dict, start: dict) -> FuzzCase:
        """A case of at most so many streams; ``options`` are of all segments, and ``start`` are
        more of the first.
        """

    def judge(self, case: FuzzCase, outcomes: Sequence[Outcome]) -> None:
        """Count a case, and note what is wrong."""
        report = self.report
        tallies = [report.kinds.setdefault(kind, Tally()) for kind in case.kinds]
        for tally in tallies:
            tally.streams += 1
        tallies[0].hangs += any(outcome.hangs for outcome in outcomes)
        report.clocks += sum(outcome.clocks for outcome in outcomes)
        names = [
            {name for bit, name in enumerate(self._errors) if outcome.error >> bit & 1}
            for outcome in outcomes
        ]
        for some in names:
            report.errors.update(some)
        problems = [text for outcome in outcomes for text in outcome.wrong]
        problems += self._judge(case, outcomes, names, tallies)
        if problems:
            tallies[0].wrong += 1
            report.note({"kinds": case.kinds, "problems": problems[:4], **self._inputs(case)})

    @abstractmethod
    def _judge(self, case, outcomes, names: list[set[str]], tallies: list[Tally]) -> list[str]:
        """What is wrong, and counts: ``names`` are the errors of segments, ``tallies`` of streams.
        """

    @abstractmethod
    def _inputs(self, case) -> dict:
        """What a problem is told with, for json."""


def listed(names: set[str]) -> str:
    """Names in an order, or none."""
    return ", ".join(sorted(names)) or "none"
