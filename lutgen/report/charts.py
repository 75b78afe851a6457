"""Plots of a page: dots on a common axis, and bars that stand in tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .svg import Element, figure, group, line, path, rect, strip, text
from .text import decimal

__all__ = ["Dot", "Row", "bar", "dot_plot"]

_WIDTH, _RIGHT, _STEP, _TOP = 340, 318, 22, 8
#: Widths of a letter in a label and of a digit in a value, generous ones.
_LETTER, _DIGIT = 6.2, 6.4


@dataclass(frozen=True)
class Dot:
    """A value of a row.

    ``low`` and ``high`` are the ends of its range, if it has one.  ``class_`` is "encoder",
    "decoder", "ours" or "other", and "hollow" behind it draws a ring.
    """

    value: float
    class_: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Row:
    """A label and its dots; ``strong`` rows are ours."""

    label: str
    dots: Sequence[Dot]
    digits: int = 2
    strong: bool = False


def dot_plot(
    rows: Sequence[Row],
    *,
    name: str,
    title: str,
    axis: str,
    logarithmic: bool = False,
    end: float | None = None,
    mark: tuple[float, str] | None = None,
) -> Markup:
    """Dots on one axis, a row for each label, each dot with its value beside it.

    Parameters
    ----------
    rows
        From top to bottom.
    name
        Unique in the page.
    title, axis
        What is shown, and the name of the axis with its unit.
    logarithmic
        Whether equal distances are equal ratios; all values must be positive then.
    end
        Where the axis ends, or None for a round number beyond all values.
    mark
        A value to draw a line at, and its name.
    """  # fmt: skip
    values = [
        v for row in rows for dot in row.dots for v in (dot.value, dot.low, dot.high)
        if v is not None
    ]  # fmt: skip
    ticks = _decades(values) if logarithmic else _ticks(end or max(values, default=1))
    left = 14 + _LETTER * max(len(row.label) for row in rows)
    place = _scale(ticks, logarithmic, left)
    bottom = _TOP + _STEP * len(rows) + 4
    parts: list[Element] = []
    for tick in ticks:
        parts += [
            line(place(tick), _TOP, place(tick), bottom, "grid"),
            text(place(tick), bottom + 13, f"{tick:,g}", "small middle"),
        ]
    if mark:
        x = place(mark[0])
        parts.append(line(x, _TOP - 4, x, bottom, "mark"))
    for k, row in enumerate(rows):
        y = _TOP + _STEP * k + _STEP / 2
        label_class = "label strong end" if row.strong else "label end"
        parts += [
            text(left - 10, y + 4, row.label, label_class),
            line(left, y, _RIGHT, y, "leader"),
        ]
        apart = 6 if len(row.dots) > 1 else 0
        for i, dot in enumerate(row.dots):
            parts.append(_dot(dot, place, y + apart * (i - (len(row.dots) - 1) / 2)))
        parts.append(_values(row, place, y))
    parts.append(text((left + _RIGHT) / 2, bottom + 29, axis, "small middle"))
    told = "; ".join(
        f"{row.label}: {' / '.join(_rounded(dot.value, row.digits) for dot in row.dots)}"
        for row in rows
    )
    if mark:
        told += f". The line at {mark[0]:g} is {mark[1]}"
    return figure(
        _WIDTH, bottom + 34, title, f"{axis}. {told}.", group(*parts, class_="plot"), name=name
    )


def _dot(dot: Dot, place, y: float) -> Element:
    x = place(dot.value)
    parts = []
    if dot.low is not None and dot.high is not None:
        parts.append(line(place(dot.low), y, place(dot.high), y, f"range {dot.class_}"))
    if "hollow" in dot.class_:
        parts.append(rect(x - 3.5, y - 3.5, 7, 7, f"dot {dot.class_}", rx=3.5))
    elif "decoder" in dot.class_:
        parts.append(path(f"M{x:g} {y - 5:g}L{x + 5:g} {y:g}L{x:g} {y + 5:g}L{x - 5:g} {y:g}Z",
                          f"dot {dot.class_}"))  # fmt: skip
    else:
        parts.append(rect(x - 4, y - 4, 8, 8, f"dot {dot.class_}", rx=4))
    return group(*parts)


def _values(row: Row, place, y: float) -> Element:
    """The numbers of a row, right of its dots or, where there is no room, left of them."""
    words = " / ".join(_rounded(dot.value, row.digits) for dot in row.dots)
    ends = [place(v) for dot in row.dots for v in (dot.value, dot.low, dot.high) if v is not None]
    class_ = "value strong" if row.strong else "value"
    if max(ends) + 9 + _DIGIT * len(words) <= _WIDTH:
        return text(max(ends) + 9, y + 4, words, class_)
    return text(min(ends) - 9, y + 4, words, f"{class_} end")


def _rounded(value: float, digits: int) -> str:
    """Three figures, or so many decimals of a number below ten."""
    return decimal(value, digits if value < 10 else 1 if value < 100 else 0)


def _ticks(largest: float) -> list[float]:
    """0 and round steps, four to eight of them, to the first at or beyond ``largest``."""
    step = 10.0 ** math.floor(math.log10(largest)) if largest > 0 else 1.0
    while largest / step < 4:
        step /= 2
    return [k * step for k in range(math.ceil(largest / step - 1e-9) + 1)]


def _decades(values: Sequence[float]) -> list[float]:
    """Powers of ten around all values, two at least."""
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    return [10.0**k for k in range(low, high + 1)]


def _scale(ticks: Sequence[float], logarithmic: bool, left: float):
    def linear(value: float) -> float:
        return math.log10(value) if logarithmic else value

    first, last = linear(ticks[0]), linear(ticks[-1])
    return lambda value: left + (_RIGHT - left) * (linear(value) - first) / (last - first)


def bar(parts: Sequence[tuple[float, str]], whole: float) -> Markup:
    """A bar of parts, (value, class), as long as they are of ``whole``; its cell says the numbers.

    It stretches with its cell, and is hidden from readers that hear the table.
    """
    shapes, x = [], 0.0
    for value, class_ in parts:
        width = 100 * value / whole if whole else 0.0
        if width:
            shapes.append(rect(x, 0, width, 1, class_))
        x += width
    return strip(*shapes)
