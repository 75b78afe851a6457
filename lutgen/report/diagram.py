"""Block diagrams of a build's cores, one upright picture each.

Both cores hold the same rows: image side on top, file side below, between them the pipeline that
finds a pixel's probabilities.  It flows downwards in both.  In the encoder so do the pixels; in the
decoder the symbol goes back up, to the window of the next pixels and to the memory of the image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from markupsafe import Markup

from .chain import BOTH, DOWN, UP, Dimension, Feed, Loop, Row
from .memory import amount, unit
from .sheet import Sheet
from .svg import Element, figure, group, line, path, rect, text
from .text import count

__all__ = ["diagram"]

_WIDTH = 340
_BOX, _BOX_WIDTH = 62, 212
_RIGHT = _BOX + _BOX_WIDTH
_HIGH, _GAP, _INNER = 40, 18, 34
_MARGIN = 6
#: Letters of a line below the boxes.
_LETTERS = 44
#: Where dimension lines stand, and how far right of the boxes a loop and a feed turn.
_DIMENSIONS = (_BOX - 14, _BOX - 40)
_LOOP, _FEED = 22, 11


@dataclass(frozen=True)
class _Box:
    """A row and where it stands."""

    row: Row
    y: float

    @property
    def height(self) -> float:
        if self.row.place.startswith("port"):
            return 22
        return _HIGH + (_INNER + 8) * bool(self.row.inner)

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def diagram(sheet: Sheet, core: str) -> Markup:
    """The block diagram of ``encoder`` or ``decoder`` of a build."""
    record, chain = sheet.record, sheet.chain(core)
    made = record["cores"][core]
    blocks = made["resources"]["blocks"] if made["resources"] else {}
    boxes, y = [], float(_MARGIN)
    for row in chain.rows:
        boxes.append(box := _Box(row, y))
        y = box.bottom + _GAP
    at = {box.row.place: box for box in boxes}
    largest = max(
        (block["lut"] for other in record["cores"].values() if other["resources"]
         for block in other["resources"]["blocks"].values()), default=0,
    )  # fmt: skip
    parts: list[Element] = [*_flows(boxes), *_loop(chain.loop, at)]
    for feed in chain.feeds:
        parts += _feed(feed, at)
    for dimension in chain.dimensions:
        parts += _dimension(dimension, at)
    for box in boxes:
        parts += _draw(record, box, blocks, largest)
    drawn = {name for row in chain.rows for name in row.blocks}
    beside = [f"{name} {count(blocks[name]['lut'])}" for name in blocks if name not in drawn]
    if beside:
        for words in wrap(f"beside them, LUT: {', '.join(beside)}", _LETTERS):
            parts.append(text(_BOX, y, words, "small"))
            y += 13
    return figure(
        _WIDTH, y - (0 if beside else _GAP) + _MARGIN, f"Block diagram of the {core}",
        chain.told, group(*parts, class_=core), name=f"diagram-{core}",
    )  # fmt: skip


def _draw(record: Mapping, box: _Box, blocks: Mapping, largest: int) -> list[Element]:
    """A row: box, words, resources, and its share of the largest block's LUTs."""
    row, top = box.row, box.y
    if row.place.startswith("port"):
        middle = top + 15
        return [
            rect(_BOX, top, _BOX_WIDTH, box.height, "port", rx=11),
            text(_BOX + 12, middle, row.title, "mono"),
            text(_BOX + _BOX_WIDTH - 12, middle, row.note, "small end"),
        ]
    parts = [rect(_BOX, top, _BOX_WIDTH, box.height, "box")]
    found = [blocks[name] for name in row.counted if name in blocks]
    right = _BOX + _BOX_WIDTH - 8
    parts += [text(_BOX + 8, top + 16, row.title, "name"),
              text(_BOX + 8, top + 30, row.note, "small")]  # fmt: skip
    if found:
        luts = sum(block["lut"] for block in found)
        parts.append(text(right, top + 16, f"{count(luts)} LUT", "number end"))
        held = (
            (sum(amount(record, block) for block in found), unit(record)),
            (sum(block["dsp"] for block in found), "DSP"),
        )
        more = [f"{count(number)} {name}" for number, name in held if number]
        if more:
            parts.append(text(right, top + 30, ", ".join(more), "small end"))
        share = (_BOX_WIDTH - 2) * luts / largest if largest else 0
        parts.append(rect(_BOX + 1, top + _HIGH - 4, share, 3, "fill"))
    step = (_BOX_WIDTH - 16 + 8) / max(1, len(row.inner))
    for k, inner in enumerate(row.inner):
        x, y = _BOX + 8 + k * step, top + _HIGH
        parts += [
            rect(x, y, step - 8, _INNER, "box inner"),
            text(x + (step - 8) / 2, y + 13, inner.words, "small middle"),
        ]
        if inner.block in blocks:
            luts = count(blocks[inner.block]["lut"])
            parts.append(text(x + (step - 8) / 2, y + 27, luts, "number middle"))
        elif inner.more:
            parts.append(text(x + (step - 8) / 2, y + 26, inner.more, "small middle"))
        if k:
            parts.append(_arrow(x - 8, y + _INNER / 2, x, y + _INNER / 2))
    return parts


def _flows(boxes: Sequence[_Box]) -> list[Element]:
    """Arrows between neighbouring boxes."""
    x = _BOX + _BOX_WIDTH / 2
    parts = []
    for upper, lower in zip(boxes, boxes[1:], strict=False):
        start, stop, flow = upper.bottom, lower.y, upper.row.flow
        if flow == BOTH:
            parts += [_arrow(x - 14, start, x - 14, stop), _arrow(x + 14, stop, x + 14, start)]
        elif flow == DOWN:
            parts.append(_arrow(x, start, x, stop))
        elif flow == UP:
            parts.append(_arrow(x, stop, x, start))
    return parts


def _loop(loop: Loop, at: Mapping[str, _Box]) -> list[Element]:
    out, start = _RIGHT + _LOOP, at[loop.start]
    words = _upwards(out + 16, _between(loop.beside, at), loop.words)
    if loop.ends == (loop.start,):
        top, bottom = start.y + 10, start.bottom - 10
        return [
            path(f"M{_RIGHT} {bottom:g}H{out}V{top:g}H{_RIGHT + 5}", "loop"),
            _head(_RIGHT, top, -1, 0, "loop-head"),
            words,
        ]
    ends = [at[end].middle for end in loop.ends]
    parts = [path(f"M{_RIGHT} {start.middle:g}H{out}V{ends[0]:g}H{_RIGHT + 5}", "loop")]
    parts += [line(out, y, _RIGHT + 5, y, "loop") for y in ends[1:]]
    parts += [_head(_RIGHT, y, -1, 0, "loop-head") for y in ends]
    return [*parts, words]


def _feed(feed: Feed, at: Mapping[str, _Box]) -> list[Element]:
    out, stop = _RIGHT + _FEED, at[feed.end].y + 10
    return [
        path(f"M{_RIGHT} {at[feed.start].middle:g}H{out}V{stop:g}H{_RIGHT + 5}", "loop"),
        _head(_RIGHT, stop, -1, 0, "loop-head"),
        _upwards(out + 14, _between(feed.beside, at), feed.words),
    ]


def _between(places: tuple[str, str], at: Mapping[str, _Box]) -> float:
    first, last = places
    return (at[first].middle + at[last].middle) / 2


def _dimension(dimension: Dimension, at: Mapping[str, _Box]) -> list[Element]:
    x, top = _DIMENSIONS[dimension.column], at[dimension.first].y
    bottom = at[dimension.last].bottom
    return [
        line(x, top, x, bottom, "dimension"),
        line(x - 4, top, _BOX - 3, top, "extension"),
        line(x - 4, bottom, _BOX - 3, bottom, "extension"),
        _head(x, top, 0, -1, "dimension-head"),
        _head(x, bottom, 0, 1, "dimension-head"),
        _upwards(x - 5, (top + bottom) / 2, dimension.words),
    ]


def _upwards(x: float, y: float, words: str) -> Element:
    """Words that read upwards, in the middle of y."""
    return text(x, y, words, "small middle", turned=True)


def _arrow(x1: float, y1: float, x2: float, y2: float) -> Element:
    """A flow from one point to another, upright or level."""
    dx, dy = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    return group(line(x1, y1, x2 - 5 * dx, y2 - 5 * dy, "flow"), _head(x2, y2, dx, dy, "flow-head"))


def _head(x: float, y: float, dx: int, dy: int, class_: str) -> Element:
    """An arrow's head whose point is at (x, y)."""
    bx, by = x - 6 * dx, y - 6 * dy
    return path(
        f"M{x:g} {y:g}L{bx - 3 * dy:g} {by - 3 * dx:g}L{bx + 3 * dy:g} {by + 3 * dx:g}Z", class_
    )
