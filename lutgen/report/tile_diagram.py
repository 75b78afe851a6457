"""Block diagrams of the cores of profiles with tiles."""

from collections.abc import Mapping

from .chain import BOTH, DOWN, UP, Chain, Dimension, Inner, Loop, Row, port_row
from .text import count, join

__all__ = ["tile_chain"]


def tile_chain(record: Mapping, core: str) -> Chain:
    """What the diagram of ``encoder`` or ``decoder`` shows."""
    made = record["cores"][core]
    rows = _rows(record, core)
    return Chain(rows, _loop(core, made, rows), _told(core, made, rows), _dimensions(made, rows))


def _rows(record: Mapping, core: str) -> list[Row]:
    made, model, parameters = record["cores"][core], record["model"], record["parameters"]
    blocks = made["resources"]["blocks"] if made["resources"] else {}
    encodes = core == "encoder"
    tile = f"{parameters['tile_width']} × {parameters['tile_height']}"
    buffers = made["buffers"]
    coder = "tANS" if parameters.get("coder") == "tans" else "rANS"
    # In the decoder, tile buffers and levels meet at the line of decoded pixels.
    rows = [
        port_row(made, "s_axis_video" if encodes else "m_axis_video", "port image", "pixels"),
        Row("tiles", "Tile buffers", f"{buffers['tiles']} of {tile} pixels", ("memories",),
            flow=DOWN if encodes else None),
    ]  # fmt: skip
    if made["memory_bits"].get("levels"):
        rows.append(Row(
            "levels", "Pyramid and priors", "average and upsample", ("levels",),
            [Inner("compare", "ups comparators"), Inner("LUT layers", "ups layers"),
             Inner("popcount", "ups popcounts")],
        ))  # fmt: skip
    rows += [
        Row("window", "Window", f"{model['window']} × {model['window']}, {made['lanes']} lanes",
            ("lanes",)),
        Row("comparators", "Comparators", f"{count(model['inputs'])} bits", ("comparators",)),
        Row("layers", "LUT layers", f"{count(model['nodes'])} nodes, {model['depth']} deep",
            ("layers",)),
    ]  # fmt: skip
    if model["head"] == "laplace":
        rows.append(Row("class", "Popcounts", "location and scale", ("popcounts",)))
    elif model["records"]:
        note = f"{len(model['records'])} stages, {count(sum(model['records']))} records"
        rows.append(Row("class", "Walker", note, ("walker",)))
    if "constraint" in blocks:
        head = Row("head", "Head, constraint", f"{count(model['classes'])} classes",
                   ("head", "constraint"))  # fmt: skip
    else:
        head = Row("head", "Head", f"{count(model['classes'])} classes", ("head",))
    rows += [head, Row("coder", f"{coder} coder", "one state per lane", ("coder",))]
    if encodes:
        note = f"{buffers['packets']} of them, counted above"
        rows.append(Row("payload", "Packet buffers", note))
    else:
        size = count(buffers["payload_bytes"] / 1024)
        rows.append(Row("payload", "Payload memory", f"{size} KiB, counted above"))
        head.flow = BOTH  # the slot goes to the head, the interval to the coder
        for row in (rows[0], *rows[-2:]):
            row.flow = UP
    stream = "m_axis_stream" if encodes else "s_axis_stream"
    return [*rows, port_row(made, stream, "port file", "file")]


def _loop(core: str, made: Mapping, rows: list[Row]) -> Loop:
    words = f"loop of {made['depth']} clocks, {made['lanes']} lanes"
    if core == "encoder":
        return Loop("coder", ("coder",), words, ("coder", "coder"))
    levels = [row.place for row in rows if row.place == "levels"]
    return Loop(
        "head", ("tiles", "window", *levels), f"decoded pixel: {words}", ("head", "window")
    )


def _dimensions(made: Mapping, rows: list[Row]) -> list[Dimension]:
    """Clocks from a lane's turn to class and interval or symbol."""
    latency = made["latency"]
    found = []
    if "class" in latency:
        places = [row.place for row in rows]
        last = "class" if "class" in places else "layers"
        found.append(Dimension(0, "window", last, f"class, {latency['class']} clocks"))
    for name in ("interval", "symbol"):
        if name in latency:
            found.append(Dimension(1, "window", "head", f"{name}, {latency[name]} clocks"))
    return found


def _told(core: str, made: Mapping, rows: list[Row]) -> str:
    """The picture in words."""
    names = [row.title for row in rows]
    latency = join([f"{name} after {clocks} clocks" for name, clocks in made["latency"].items()])
    order = "to" if core == "encoder" else "at the image side, to"
    return (
        f"From {names[0]} {order} {names[-1]} at the file side: {', '.join(names[1:-1])}. "
        f"From a lane's turn: {latency}. The loop is {made['depth']} clocks deep; "
        f"{made['lanes']} lanes hide it."
    )
