"""Block diagrams of a build's cores, one upright picture each.

Both cores hold the same rows: image side on top, file side below, between them the pipeline that
finds a pixel's probabilities.  It flows downwards in both.  In the encoder so do the pixels; in the
decoder the symbol goes back up, to the window of the next pixels and to the tile buffers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap

from markupsafe import Markup

from .memory import amount, unit
from .svg import Element, figure, group, line, path, rect, text
from .text import count, join

__all__ = ["diagram"]

_WIDTH = 340
_BOX, _BOX_WIDTH = 62, 212
_HIGH, _GAP, _INNER = 40, 18, 34
_MARGIN = 6
#: Letters of a line below the boxes.
_LETTERS = 44


@dataclass
class _Row:
    """A box, a port (no block), or a frame around smaller boxes.

    ``counted`` names the blocks whose resources the box shows; ``place`` is where the arrows
    look for it.
    """

    place: str
    title: str
    note: str
    counted: tuple[str, ...] = ()
    inner: list[tuple[str, str]] = field(default_factory=list)
    y: float = 0.0

    @property
    def height(self) -> float:
        return 22 if self.place.startswith("port") else _HIGH + (_INNER + 8) * bool(self.inner)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def diagram(record: Mapping, core: str) -> Markup:
    """The block diagram of ``encoder`` or ``decoder`` of a build."""
    made = record["cores"][core]
    blocks = made["resources"]["blocks"] if made["resources"] else {}
    rows = _rows(record, core)
    y = float(_MARGIN)
    for row in rows:
        row.y, y = y, y + row.height + _GAP
    at = {row.place: row for row in rows}
    largest = max(
        (block["lut"] for other in record["cores"].values() if other["resources"]
         for block in other["resources"]["blocks"].values()), default=0,
    )  # fmt: skip
    parts: list[Element] = [*_flows(core, rows, at), *_loop(core, made, at)]
    parts += _dimensions(core, made, at)
    for row in rows:
        parts += _draw(record, row, blocks, largest)
    drawn = {name for row in rows for name in (*row.counted, *(n for n, _ in row.inner))}
    beside = [f"{name} {count(blocks[name]['lut'])}" for name in blocks if name not in drawn]
    if beside:
        for words in wrap(f"beside them, LUT: {', '.join(beside)}", _LETTERS):
            parts.append(text(_BOX, y, words, "small"))
            y += 13
    return figure(
        _WIDTH, y - (0 if beside else _GAP) + _MARGIN, f"Block diagram of the {core}",
        _told(core, made, rows), group(*parts, class_=core), name=f"diagram-{core}",
    )  # fmt: skip


def _rows(record: Mapping, core: str) -> list[_Row]:
    made, model, parameters = record["cores"][core], record["model"], record["parameters"]
    blocks = made["resources"]["blocks"] if made["resources"] else {}
    encodes = core == "encoder"
    tile = f"{parameters['tile_width']} × {parameters['tile_height']}"
    buffers = made["buffers"]
    coder = "tANS" if parameters.get("coder") == "tans" else "rANS"
    widths = {port["name"]: port["width"] for port in made["ports"]}

    def port(name: str, place: str, what: str) -> _Row:
        bits = widths.get(f"{name}_tdata")
        return _Row(place, name, f"{what}, {count(bits)} bits" if bits else what)

    rows = [
        port("s_axis_video" if encodes else "m_axis_video", "port image", "pixels"),
        _Row("tiles", "Tile buffers", f"{buffers['tiles']} of {tile} pixels", ("memories",)),
    ]
    if made["memory_bits"].get("levels"):
        rows.append(_Row(
            "levels", "Pyramid and priors", "average and upsample", ("levels",),
            [("ups comparators", "compare"), ("ups layers", "LUT layers"),
             ("ups popcounts", "popcount")],
        ))  # fmt: skip
    rows += [
        _Row("window", "Window", f"{model['window']} × {model['window']}, {made['lanes']} lanes",
             ("lanes",)),
        _Row("comparators", "Comparators", f"{count(model['inputs'])} bits", ("comparators",)),
        _Row("layers", "LUT layers", f"{count(model['nodes'])} nodes, {model['depth']} deep",
             ("layers",)),
    ]  # fmt: skip
    if model["head"] == "laplace":
        rows.append(_Row("class", "Popcounts", "location and scale", ("popcounts",)))
    elif model["records"]:
        note = f"{len(model['records'])} stages, {count(sum(model['records']))} records"
        rows.append(_Row("class", "Walker", note, ("walker",)))
    if "constraint" in blocks:
        head = _Row("head", "Head, constraint", f"{count(model['classes'])} classes",
                    ("head", "constraint"))  # fmt: skip
    else:
        head = _Row("head", "Head", f"{count(model['classes'])} classes", ("head",))
    rows += [head, _Row("coder", f"{coder} coder", "one state per lane", ("coder",))]
    if encodes:
        note = f"{buffers['packets']} of them, counted above"
        rows.append(_Row("payload", "Packet buffers", note))
    else:
        size = count(buffers["payload_bytes"] / 1024)
        rows.append(_Row("payload", "Payload memory", f"{size} KiB, counted above"))
    rows.append(port("m_axis_stream" if encodes else "s_axis_stream", "port file", "file"))
    return rows


def _draw(record: Mapping, row: _Row, blocks: Mapping, largest: int) -> list[Element]:
    """A row: box, words, resources, and its share of the largest block's LUTs."""
    if row.place.startswith("port"):
        middle = row.y + 15
        return [
            rect(_BOX, row.y, _BOX_WIDTH, row.height, "port", rx=11),
            text(_BOX + 12, middle, row.title, "mono"),
            text(_BOX + _BOX_WIDTH - 12, middle, row.note, "small end"),
        ]
    parts = [rect(_BOX, row.y, _BOX_WIDTH, row.height, "box")]
    found = [blocks[name] for name in row.counted if name in blocks]
    right = _BOX + _BOX_WIDTH - 8
    parts += [text(_BOX + 8, row.y + 16, row.title, "name"),
              text(_BOX + 8, row.y + 30, row.note, "small")]  # fmt: skip
    if found:
        luts = sum(block["lut"] for block in found)
        parts.append(text(right, row.y + 16, f"{count(luts)} LUT", "number end"))
        if memory := sum(amount(record, block) for block in found):
            words = f"{count(memory)} {unit(record)}"
            parts.append(text(right, row.y + 30, words, "small end"))
        share = (_BOX_WIDTH - 2) * luts / largest if largest else 0
        parts.append(rect(_BOX + 1, row.y + _HIGH - 4, share, 3, "fill"))
    step = (_BOX_WIDTH - 16 + 8) / max(1, len(row.inner))
    for k, (name, words) in enumerate(row.inner):
        x, y = _BOX + 8 + k * step, row.y + _HIGH
        parts += [
            rect(x, y, step - 8, _INNER, "box inner"),
            text(x + (step - 8) / 2, y + 13, words, "small middle"),
        ]
        if name in blocks:
            parts.append(
                text(x + (step - 8) / 2, y + 27, count(blocks[name]["lut"]), "number middle")
            )
        if k:
            parts.append(_arrow(x - 8, y + _INNER / 2, x, y + _INNER / 2))
    return parts


def _flows(core: str, rows: list[_Row], at: Mapping[str, _Row]) -> list[Element]:
    """Arrows between neighbouring boxes."""
    x = _BOX + _BOX_WIDTH / 2
    parts = []
    for upper, lower in zip(rows, rows[1:], strict=False):
        start, stop = upper.y + upper.height, lower.y
        if core == "encoder":
            parts.append(_arrow(x, start, x, stop))
        elif upper.place == "tiles":
            if lower.place == "levels":
                continue  # they meet at the line of decoded pixels
        elif upper.place == "head":  # the slot goes to the head, the interval to the coder
            parts += [_arrow(x - 14, start, x - 14, stop), _arrow(x + 14, stop, x + 14, start)]
        elif upper.place.startswith("port") or upper.place in ("coder", "payload"):
            parts.append(_arrow(x, stop, x, start))
        else:
            parts.append(_arrow(x, start, x, stop))
    return parts


def _loop(core: str, made: Mapping, at: Mapping[str, _Row]) -> list[Element]:
    """The loop that sets the number of lanes, at the right."""
    right, out = _BOX + _BOX_WIDTH, _BOX + _BOX_WIDTH + 22
    lanes, depth = made["lanes"], made["depth"]
    words = f"loop of {depth} clocks, {lanes} lanes"
    if core == "encoder":
        coder = at["coder"]
        top, bottom = coder.y + 10, coder.y + coder.height - 10
        return [
            path(f"M{right} {bottom:g}H{out}V{top:g}H{right + 5}", "loop"),
            _head(right, top, -1, 0, "loop-head"),
            _upwards(out + 16, coder.middle, words),
        ]
    head, window, tiles = at["head"], at["window"], at["tiles"]
    ends = [tiles.middle, window.middle]
    if "levels" in at:
        ends.append(at["levels"].middle)
    parts = [path(f"M{right} {head.middle:g}H{out}V{tiles.middle:g}H{right + 5}", "loop")]
    parts += [line(out, y, right + 5, y, "loop") for y in ends[1:]]
    parts += [_head(right, y, -1, 0, "loop-head") for y in ends]
    middle = (head.middle + window.middle) / 2
    return [*parts, _upwards(out + 16, middle, f"decoded pixel: {words}")]


def _dimensions(core: str, made: Mapping, at: Mapping[str, _Row]) -> list[Element]:
    """Dimension lines at the left: clocks from a lane's turn to class and interval or symbol."""
    latency = made["latency"]
    classes = at.get("class") or at["layers"]
    last = {"interval": "interval", "symbol": "symbol"}
    found = []
    if "class" in latency:
        found.append((_BOX - 14, classes, f"class, {latency['class']} clocks"))
    for key, words in last.items():
        if key in latency:
            found.append((_BOX - 40, at["head"], f"{words}, {latency[key]} clocks"))
    top = at["window"].y
    parts = []
    for x, row, words in found:
        bottom = row.y + row.height
        parts += [
            line(x, top, x, bottom, "dimension"),
            line(x - 4, top, _BOX - 3, top, "extension"),
            line(x - 4, bottom, _BOX - 3, bottom, "extension"),
            _head(x, top, 0, -1, "dimension-head"),
            _head(x, bottom, 0, 1, "dimension-head"),
            _upwards(x - 5, (top + bottom) / 2, words),
        ]
    return parts


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


def _told(core: str, made: Mapping, rows: list[_Row]) -> str:
    """The picture in words."""
    names = [row.title for row in rows]
    latency = join([f"{name} after {clocks} clocks" for name, clocks in made["latency"].items()])
    order = "to" if core == "encoder" else "at the image side, to"
    return (
        f"From {names[0]} {order} {names[-1]} at the file side: {', '.join(names[1:-1])}. "
        f"From a lane's turn: {latency}. The loop is {made['depth']} clocks deep; "
        f"{made['lanes']} lanes hide it."
    )
