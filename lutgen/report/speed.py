"""Speed: clocks per pixel as simulated, pixels per second at the constrained clock, and rivals."""

from collections.abc import Mapping

from .charts import Dot, Row, dot_plot
from .conditions import conditions
from .rivals import NOTE, RIVALS
from .sheet import Sheet

__all__ = ["DIRECTIONS", "speed"]

#: Direction in the json, and the core it is of.
DIRECTIONS = {"encode": "encoder", "decode": "decoder"}


def speed(sheet: Sheet, found: Mapping | None) -> dict:
    """Rows for both directions and the rivals' table.

    Without ``found`` there are no rows, and beside the rivals stands what `Sheet.calculated` gives,
    if it does.
    """
    record = sheet.record
    clock = record["target"]["clock_mhz"]
    rows = []
    for direction, core in DIRECTIONS.items():
        if not found or core not in record["cores"]:
            continue
        clocks = found[direction]
        steady = clocks["steady_clocks_per_pixel"]
        per_pixel = clocks["all_clocks_per_pixel"] if steady is None else steady
        rows.append({
            "direction": direction, "steady": steady, "per_pixel": per_pixel,
            "all": clocks["all_clocks_per_pixel"], "latency": clocks["latency_clocks"],
            "first_image": clocks["first_image_clocks"], **_rate(record, core, clock / per_pixel),
        })  # fmt: skip
    calculated = None if found else sheet.calculated
    ours = rows or [
        _rate(record, core, calculated["mpx"]) for core in record["cores"] if calculated
    ]
    return {
        "clock": clock, "rows": rows, "ours": ours, "rivals": RIVALS, "note": NOTE,
        "calculated": calculated,
        "plot": _plot(ours) if any(row["mpx_per_klut"] for row in ours) else None,
        "conditions": conditions(sheet, found) if found else [],
        "thumbnails": list(((found or {}).get("thumbnails") or {}).items()),
        "data": found,
    }  # fmt: skip


def _rate(record: Mapping, core: str, mpx: float) -> dict:
    """A core's rate beside its LUTs, which may not have been counted."""
    counted = record["cores"][core]["resources"]
    luts = counted["total"]["lut"] if counted else None
    return {
        "core": core, "mpx": mpx, "luts": luts,
        "mpx_per_klut": None if luts is None else mpx / (luts / 1000),
    }  # fmt: skip


def _plot(ours: list[dict]):
    rows = [
        Row(f"this {row['core']}", [Dot(row["mpx_per_klut"], row["core"])], 1, strong=True)
        for row in ours
    ]
    others = [
        Row(f"{rival.short or rival.name}, {rival.part}",
            [Dot(rival.mpx_per_klut, f"other {rival.direction}")], 1)
        for rival in RIVALS if rival.mpx_per_klut
    ]  # fmt: skip
    return dot_plot(
        rows + others, name="plot-rivals", title="Pixels per second and LUT, and published cores",
        axis="Mpx/s per 1,000 LUT", logarithmic=True,
    )  # fmt: skip
