"""Compression: bits per pixel beside the usual codecs, from ``lutgen eval --json``."""

from collections.abc import Mapping

from .charts import Dot, Row, dot_plot
from .conditions import conditions

__all__ = ["rate"]

_OURS = {
    "file": ("this model, one file of all images", "whole files; images of one size share one"),
    "file_each": ("this model, one file per image", "whole files, as the codecs above"),
    "payload": ("coded tiles alone", "without headers and lengths"),
    "ideal": ("ideal code length", "sum of −log₂ p"),
}
_RAW = 8.0


def rate(record: Mapping, found: Mapping | None) -> dict | None:
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
    for key, (name, note) in _OURS.items():
        rows.append({
            "name": name, "note": note, "ours": key in ("file", "file_each"),
            "bpp": [found[data]["bpp"][key] for data in sets],
        })  # fmt: skip
    return {
        "sets": [
            {"name": _short(data), "images": result["images"], "pixels": result["pixels"],
             "tile": result["tile"], "speed": result["speed"],
             "saving": _saving(result), "plot": _plot(k, _short(data), result)}
            for k, (data, result) in enumerate(found.items())
        ],
        "rows": rows,
        "conditions": list(
            dict.fromkeys(line for result in found.values() for line in conditions(record, result))
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
    best = min(coded, key=coded.get)
    return {
        "codec": best, "percent": 100 * (1 - result["bpp"]["file_each"] / coded[best]),
    }  # fmt: skip


def _plot(number: int, name: str, result: Mapping):
    coded = sorted(_coded(result).items(), key=lambda pair: -pair[1])
    bpp = result["bpp"]
    rows = [Row(codec, [Dot(value, "other")], 3) for codec, value in coded]
    rows += [
        Row("file per image", [Dot(bpp["file_each"], "ours")], 3, strong=True),
        Row("one file of all", [Dot(bpp["file"], "ours")], 3, strong=True),
    ]
    largest = max(_RAW, bpp["file_each"], *(value for _, value in coded))
    return dot_plot(
        rows, name=f"plot-rate-{number}", title=f"Bits per pixel on {name}", axis="bits per pixel",
        end=largest, mark=(_RAW, "the uncompressed image"),
    )  # fmt: skip
