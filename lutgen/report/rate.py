"""Compression: bits per pixel beside the usual codecs, from ``lutgen eval --json``."""

from collections.abc import Mapping

from .charts import Dot, Row, dot_plot
from .conditions import conditions
from .sheet import Sheet

__all__ = ["rate"]


def rate(sheet: Sheet, found: Mapping | None) -> dict | None:
    """A table of codecs by data set and a plot for each set; None if nothing was measured."""
    if not found:
        return None
    sets = list(found)
    names = list(dict.fromkeys(n for r in found.values() for n in r.get("baselines") or {}))
    rows = []
    for name in names:
        results = [(found[data].get("baselines") or {}).get(name) or {} for data in sets]
        notes = [result["settings"] for result in results if result.get("settings")]
        notes += [result["reason"] for result in results if result.get("reason")]
        rows.append({
            "name": name, "note": "; ".join(dict.fromkeys(notes)), "ours": False,
            "bpp": [result.get("bpp") for result in results],
        })  # fmt: skip
    rows.sort(key=lambda row: -(row["bpp"][0] or 0))
    for key, files in sheet.files.items():
        rows.append({
            "name": files.name, "note": files.note, "ours": files.plotted is not None,
            "bpp": [found[data]["bpp"][key] for data in sets],
        })  # fmt: skip
    return {
        "sets": [
            {"name": _short(data), "images": result["images"], "pixels": result["pixels"],
             "note": sheet.set_note(result), "speed": result["speed"],
             "saving": _saving(result), "plot": _plot(k, _short(data), result, sheet)}
            for k, (data, result) in enumerate(found.items())
        ],
        "rows": rows,
        "raw": sheet.raw_bits,
        "first": found[sets[0]]["bpp"][next(iter(sheet.files))],
        "conditions": list(
            dict.fromkeys(line for result in found.values() for line in conditions(sheet, result))
        ),
    }  # fmt: skip


def _short(name: str) -> str:
    """The last part of a path."""
    return name.rstrip("/").rpartition("/")[2] or name


def _coded(result: Mapping) -> dict[str, float]:
    """Bits per pixel of the other codecs, those that coded the images."""
    found = result.get("baselines") or {}
    return {name: r["bpp"] for name, r in found.items() if r.get("bpp") is not None}


def _saving(result: Mapping) -> dict | None:
    """The best other codec, and how much smaller our files of one image are, in percent."""
    coded = _coded(result)
    if not coded:
        return None
    best = min(coded, key=coded.__getitem__)
    return {
        "codec": best, "percent": 100 * (1 - result["bpp"]["file_each"] / coded[best]),
    }  # fmt: skip


def _plot(number: int, name: str, result: Mapping, sheet: Sheet):
    coded = sorted(_coded(result).items(), key=lambda pair: -pair[1])
    bpp, raw = result["bpp"], float(sheet.raw_bits)
    rows = [Row(codec, [Dot(value, "other")], 3) for codec, value in coded]
    # The one to know first stands last, below the others.
    rows += [
        Row(files.plotted, [Dot(bpp[key], "ours")], 3, strong=True)
        for key, files in reversed(list(sheet.files.items())) if files.plotted
    ]  # fmt: skip
    largest = max(raw, bpp["file_each"], *(value for _, value in coded))
    return dot_plot(
        rows, name=f"plot-rate-{number}", title=f"Bits per pixel on {name}", axis="bits per pixel",
        end=largest, mark=(raw, "the uncompressed image"),
    )  # fmt: skip
