"""Block diagrams of the cores of profile ``predictive``.

The walk visits a row of each group in turn.  What a visit finds must be back in the windows before
the row's next turn, a period later: that is the loop, and a period is as long as it is deep.
"""

from collections.abc import Mapping, Sequence

from .chain import BOTH, UP, Chain, Dimension, Feed, Inner, Loop, Row, port_row
from .text import count

__all__ = ["predictive_chain"]


def predictive_chain(record: Mapping, core: str) -> Chain:
    """What the diagram of ``encoder`` or ``decoder`` shows."""
    return {"encoder": _encoder, "decoder": _decoder}[core](record, record["cores"][core])


def _encoder(record: Mapping, made: Mapping) -> Chain:
    rows = [
        port_row(made, "s_axis_video", "port image", _pixels(record)),
        Row("pictures", "Picture memory", "groups of four rows", ("pictures",)),
        *_prediction(record["model"], made),
        Row("fold", "Fold", "residual; counted in rest"),
        _strips([Inner("symbol", more="stacks"), Inner("token", more="tables"),
                 Inner("rANS", more="states"), Inner("packet", more="CRC")]),
        port_row(made, "m_axis_stream", "port file", "file"),
    ]  # fmt: skip
    names = [row.title for row in rows]
    return Chain(
        rows, Loop("fold", ("windows",), "error, energy", ("windows", "fold")),
        f"From {names[0]} to {names[-1]} at the file side: {', '.join(names[1:-1])}. "
        f"{_turn(made)} Its error is back in the windows before the row’s next turn.",
        [Dimension(0, "windows", "fold", f"within {_period(made)}")],
        [Feed("pictures", "fold", "sample", ("pictures", "walk"))],
    )  # fmt: skip


def _decoder(record: Mapping, made: Mapping) -> Chain:
    rows = [
        port_row(made, "m_axis_video", "port image", _pixels(record), UP),
        # Samples reach it by the loop.
        Row("pictures", "Picture memory", "groups of four rows", ("pictures",), flow=None),
        *_prediction(record["model"], made),
        # It asks for a residual by the row of the token's table, and waits for it.
        Row("fold", "Unfold", "residual; counted in rest", flow=BOTH),
        _strips([Inner("packet", more="CRC"), Inner("words", more="ring"),
                 Inner("token", more="search"), Inner("rANS", more="states")], UP),
        port_row(made, "s_axis_stream", "port file", "file"),
    ]  # fmt: skip
    names = [row.title for row in rows]
    return Chain(
        rows, Loop("fold", ("pictures", "windows"), "decoded sample", ("windows", "fold")),
        f"From {names[0]} at the image side, to {names[-1]} at the file side: "
        f"{', '.join(names[1:-1])}. {_turn(made)} The decoded sample is back in the windows before "
        "the row’s next turn.",
        [Dimension(0, "windows", "strips", f"within {_period(made)}")],
    )  # fmt: skip


def _pixels(record: Mapping) -> str:
    """What the port of pixels takes; TDATA has whole bytes."""
    depth = record["parameters"]["depth"]
    return f"{depth}-bit pixels" if depth % 8 else "pixels"


def _prediction(model: Mapping, made: Mapping) -> list[Row]:
    counts = {"features": "features", "leaves": "predictors", "trees": "LUT trees"}
    return [
        Row("walk", "Walk", f"staggered, {made['lanes']} groups", ("walk",)),
        Row("windows", "Windows", "samples, errors, energies", ("loop",)),
        Row("prediction", "Prediction", "sample, scale", ("prediction",),
            [Inner(count(model[key]), more=name) for key, name in counts.items()]),
    ]  # fmt: skip


def _strips(inner: Sequence[Inner], *flow: str) -> Row:
    return Row("strips", "Strips", "a payload per group", ("strips",), inner, *flow)


def _period(made: Mapping) -> str:
    return f"a period of {made['period']} clocks"


def _turn(made: Mapping) -> str:
    rows = f"each of the four rows of {made['lanes']} groups"
    return f"The walk visits {rows} once in {_period(made)}."
