"""Speed: clocks per pixel as simulated, pixels per second at the constrained clock, and rivals."""

from collections.abc import Mapping

from .charts import Dot, Row, dot_plot
from .conditions import conditions
from .rivals import NOTE, RIVALS

__all__ = ["DIRECTIONS", "speed"]

#: Direction in the json, and the core it is of.
DIRECTIONS = {"encode": "encoder", "decode": "decoder"}


def speed(record: Mapping, found: Mapping | None) -> dict:
    """Rows for both directions and the rivals' table; without ``found`` only the latter."""
    clock = record["target"]["clock_mhz"]
    rows = []
    for direction, core in DIRECTIONS.items() if found else ():
        if core not in record["cores"]:
            continue
        clocks = found[direction]
        steady = clocks["steady_clocks_per_pixel"]
        per_pixel = clocks["all_clocks_per_pixel"] if steady is None else steady
        counted = record["cores"][core]["resources"]
        mpx = clock / per_pixel
        rows.append({
            "core": core, "direction": direction, "steady": steady, "per_pixel": per_pixel,
            "all": clocks["all_clocks_per_pixel"], "latency": clocks["latency_clocks"],
            "first_image": clocks["first_image_clocks"], "mpx": mpx,
            "luts": counted["total"]["lut"] if counted else None,
            "mpx_per_klut": mpx / (counted["total"]["lut"] / 1000) if counted else None,
        })  # fmt: skip
    return {
        "clock": clock, "rows": rows, "rivals": RIVALS, "note": NOTE,
        "plot": _plot(rows) if any(row["mpx_per_klut"] for row in rows) else None,
        "conditions": conditions(record, found) if found else [],
        "thumbnails": list(((found or {}).get("thumbnails") or {}).items()),
        "data": found,
    }  # fmt: skip


def _plot(rows: list[dict]):
    ours = [
        Row(f"this {row['core']}", [Dot(row["mpx_per_klut"], row["core"])], 1, strong=True)
        for row in rows
    ]
    others = [
        Row(f"{rival.short or rival.name}, {rival.part}",
            [Dot(rival.mpx_per_klut, f"other {rival.direction}")], 1)
        for rival in RIVALS if rival.mpx_per_klut
    ]  # fmt: skip
    return dot_plot(
        ours + others, name="plot-rivals", title="Pixels per second and LUT, and published cores",
        axis="Mpx/s per 1,000 LUT", logarithmic=True,
    )  # fmt: skip
