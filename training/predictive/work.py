"""How much of a run's work is done, over all of its steps."""

from collections.abc import Callable, Mapping

__all__ = ["Progress", "Work"]

#: Called with the step that goes on, the work done and all work of the run.
Progress = Callable[[str, float, float], None]


class Work:
    """One count for all steps, whose sizes are estimates.

    No step counts for more than its estimate, however long it takes, and what is done stays below
    the whole until `finish`.

    Parameters
    ----------
    progress:
        Is told.
    plan:
        Estimated work of each step, in any unit, in the order of the steps.
    """

    def __init__(self, progress: Progress, plan: Mapping[str, float]) -> None:
        self._progress = progress
        self._plan = dict(plan)
        self._total = sum(plan.values())
        self._step = ""
        self._before = 0.0

    def part(self, name: str) -> "Work":
        """The same count for those who do not know that their steps' names begin with ``name``."""
        return _Part(self, name)

    def begin(self, step: str) -> Callable[[float], None]:
        """Go to a step; those before it are done.  Returns what takes the share of it done."""
        names = list(self._plan)
        self._step = step
        self._before = sum(self._plan[name] for name in names[: names.index(step)])
        self._share(0)
        return self._share

    def _share(self, share: float) -> None:
        most = 0.999  # the last step, too, is not done before it ends
        done = self._before + self._plan[self._step] * min(share, most)
        self._progress(self._step, done, self._total)

    def finish(self) -> None:
        """All is done."""
        self._progress(self._step, self._total, self._total)


class _Part(Work):
    def __init__(self, whole: Work, name: str) -> None:
        self._whole, self._name = whole, name

    def begin(self, step: str) -> Callable[[float], None]:
        return self._whole.begin(f"{self._name}: {step}")
