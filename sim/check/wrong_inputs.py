"""Inputs that an encoder must report: markers in wrong places, and sizes that no picture has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from lutgen.sim.check.judge import FREE, RANDOM, Plan

__all__ = ["early_beats", "impossible_values", "send_misplaced"]

Beats = Mapping[str, np.ndarray]


def _misplaced(line: int, height: int) -> Iterator[tuple[str, Callable[[Beats], Beats]]]:
    """Names, which begin with that of the error, and what changes the beats of a picture.

    Parameters
    ----------
    line, height :
        Beats of a line, and lines of the picture.
    """
    total = line * height

    def change(name: str, at: int):
        def changed(beats):
            beats[name][at] ^= 1
            return beats

        return changed

    for at in (1, line - 1, line, total - 1) if line > 1 else (1, total - 1):
        yield f"sof_early at {at}", change("user", at)
    for at in (line - 1, total - 1):
        yield f"eol_late at {at}", change("last", at)
    for at in (0, line - 2, total - 2) if line > 1 else ():
        yield f"eol_early at {at}", change("last", at)
    yield "sof_late", change("user", 0)


def send_misplaced(
    plan: Plan, line: int, height: int, send: Callable[[Callable[[Beats], Beats]], list]
) -> Iterator[str]:
    """Send pictures with a marker in each wrong place, and go on when its error was seen.

    Parameters
    ----------
    line, height :
        Beats of a line, and lines of the pictures.
    send :
        Sends the changed beats of a picture, and says what must come of it nevertheless.
    """
    for name, change in _misplaced(line, height):
        plan.script.stall((FREE, RANDOM)[len(name) % 2])
        outputs = send(change)
        if name != "sof_late":  # of which all is dropped
            plan.expect(*outputs)
        plan.settle(f"marker {name}", [name.split()[0]])
        yield f"marker {name}"


def impossible_values(most: int, bits: int) -> list[int]:
    """What is more than the most of a setting of so many bits, by any one of them; and 0."""
    values = {most + 1, (1 << bits) - 1, *(1 << k for k in range(bits))}
    return [0, *sorted(v for v in values if most < v < 1 << bits)]


def early_beats(line: int, rows: int) -> list[int]:
    """Numbers of beats with which a picture has begun, and its first ``rows`` are not whole."""
    most = max(1, (rows - 1) * line - 1)
    return sorted({n for n in (1, 2, line - 1, line, line + 2, most) if 1 <= n <= most})
