"""Energy per pixel of the mapped netlist, from ``python -m bench.energy``, and how it was found."""

from collections.abc import Mapping

from .charts import Dot, Row, dot_plot
from .conditions import conditions
from .sheet import Sheet
from .speed import DIRECTIONS

__all__ = ["energy"]


def energy(sheet: Sheet, found: Mapping | None, run: Mapping | None) -> dict | None:
    """Energy of both directions with its range, by block, and beside PNG.

    Transitions are counted over few images, when an encoder may still take pixels quicker than it
    codes them; with ``run``, a measurement of clocks on the same images, energy per clock is
    multiplied by the clocks of the long run.
    """
    if not found:
        return None
    if run and any(run[key] != found[key] for key in ("images", "width", "height")):
        run = None
    cores = {
        name: _scaled(core, found["clock_mhz"], run[direction] if run else None)
        for direction, name in DIRECTIONS.items()
        if name in sheet.record["cores"] and (core := found["cores"].get(name))
    }
    rows = [{"name": "this build", "note": "dynamic energy, estimate", "ours": True,
             **{d: cores.get(c) for d, c in DIRECTIONS.items()},
             "ns": {d: cores[c]["ns"] if c in cores else None
                    for d, c in DIRECTIONS.items()}}]  # fmt: skip
    for run in found["png"]["runs"]:
        nj = run["nj_per_pixel"] or {}
        rows.append({
            "name": f"PNG {run['level']}", "note": f"{run['files']}, on a CPU", "ours": False,
            **{d: _point(nj.get(d)) for d in DIRECTIONS}, "ns": run["ns_per_pixel"],
        })  # fmt: skip
    for name, given in found["published"].items():
        rows.append({
            "name": name, "note": "published with GIC-DLC, table 2", "ours": False,
            **{d: _point(given["nj"][d]) for d in DIRECTIONS}, "ns": given["ns"],
        })  # fmt: skip
    blocks = sheet.blocks
    of_blocks = {name: core["blocks"] for name, core in cores.items()}
    return {
        "rows": rows, "cores": list(cores), "plot": _plot(rows),
        "blocks": [
            {"name": blocks.label(block)[0], "nj": [of_blocks[core].get(block) for core in cores]}
            for block in blocks.ordered([block for found in of_blocks.values() for block in found])
        ],
        "windows": {name: found["cores"][name]["window"] for name in cores},
        "glitches": {name: core["glitches"] for name, core in cores.items()},
        "long_run": {name: core["long_run"] for name, core in cores.items() if core["long_run"]},
        "coefficients": list(found["coefficients"].values()),
        "conditions": conditions(sheet, found), "data": found,
    }  # fmt: skip


def _scaled(core: Mapping, clock_mhz: float, clocks: Mapping | None) -> dict:
    """What a core takes per pixel.

    With glitches; from half of what it is without them to double of what it is with them.
    """
    settled, glitches = core["energy"]["settled"], core["energy"]["unit_delay"]
    long_run = clocks["steady_clocks_per_pixel"] if clocks else None
    per_pixel = long_run or core["clocks_per_pixel"]
    scale = per_pixel / core["clocks_per_pixel"]
    return {
        "nj": glitches["nj_per_pixel"] * scale, "low": settled["half"] * scale,
        "high": glitches["double"] * scale, "ns": 1000 * per_pixel / clock_mhz,
        "blocks": {name: value * scale for name, value in glitches["blocks"].items()},
        "glitches": 100 * (1 - settled["nj_per_pixel"] / glitches["nj_per_pixel"]),
        "long_run": long_run,
    }  # fmt: skip


def _point(value: float | None) -> dict | None:
    return None if value is None else {"nj": value, "low": None, "high": None}


def _plot(rows: list[dict]):
    lines = []
    for row in rows:
        dots = [
            Dot(row[d]["nj"], core if row["ours"] else f"other {core}", row[d]["low"],
                row[d]["high"])
            for d, core in DIRECTIONS.items() if row[d] and row[d]["nj"] > 0
        ]  # fmt: skip
        if dots:
            name = row["name"] if row["ours"] else f"{row['name']}{_files(row['note'])}"
            lines.append(Row(name, dots, 2, strong=row["ours"]))
    return dot_plot(
        lines, name="plot-energy", title="Energy per pixel, encoder and decoder",
        axis="nJ per pixel, encode / decode", logarithmic=True,
    )  # fmt: skip


def _files(note: str) -> str:
    """Which files a row is of, as briefly as a plot's label must be."""
    if "file of all" in note:
        return ", together"
    return ", published" if "published" in note else ""
