"""The table of `lutgen eval`: codecs by data, never a number cut."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lutgen.compare.baselines import BASELINES

__all__ = ["show", "table"]

_NEAR = "near_lossless"


def table(results: Mapping[str, Mapping]):
    """A rich table of `evaluate` results by name of the data: a row per codec, bits per pixel."""
    from rich.table import Table

    grid = Table(title="bits per pixel", title_justify="left")
    grid.add_column("codec", no_wrap=True)
    for name, result in results.items():
        label = name.rstrip("/").rpartition("/")[2]
        images = f"{result['images']} image{'s' * (result['images'] > 1)}"
        grid.add_column(f"{label}\n{images}", justify="right", no_wrap=True)

    def row(label: str, value: Callable[[Mapping], float | None], form: str = ".3f", **style):
        cells = [value(result) for result in results.values()]
        grid.add_row(label, *("-" if c is None else format(c, form) for c in cells), **style)

    measured = {name: None for r in results.values() for name in r.get("baselines", ())}
    usual = [*BASELINES, *(name for name in measured if name not in BASELINES)] if measured else []

    def rows_of(key: str) -> None:
        for name in usual:
            row(name, _at("baselines", name, key))

    def any_has(key: str) -> bool:
        return any(key in r.get("bpp", {}) for r in results.values())

    ours = any_has("file_each")

    def lutgen(value: Callable[[Mapping], float | None]) -> None:
        if ours:
            row("lutgen", value, style="bold")
        grid.add_section()

    grid.add_row("one file per image", style="italic")
    rows_of("bpp")
    lutgen(_at("bpp", "file_each"))
    for near in dict.fromkeys(n["near"] for r in results.values() for n in r.get(_NEAR, ())):
        grid.add_row(f"every sample within {near}", style="italic")
        row("JPEG-LS", partial(_of_near, near=near, name="JPEG-LS"))
        lutgen(partial(_of_near, near=near, name="lutgen"))
    paged = any(
        b.get("bpp_page") is not None for r in results.values()
        for b in r.get("baselines", {}).values()
    )  # fmt: skip
    if any_has("file"):
        grid.add_row(f"one file per size{', others one page' * paged}", style="italic")
        if paged:
            rows_of("bpp_page")
        lutgen(_at("bpp", "file"))
        row("lutgen, tiles alone", _at("bpp", "payload"))
        row("lutgen, ideal", _at("bpp", "ideal"), end_section=True)
    levels = max(len(result.get("levels", ())) for result in results.values())
    if levels > 1:
        for level in reversed(range(levels)):
            row(f"ideal, level {level}", partial(_of_level, level=level, key="bpp"))
        grid.add_section()
        for level in reversed(range(levels - 1)):
            for label, key in (("upsampled", "rmse"), ("bicubic", "bicubic_rmse")):
                row(
                    f"RMSE, level {level} {label}",
                    partial(_of_level, level=level, key=key), ".2f",
                )  # fmt: skip
        grid.add_section()
    for way in ("encode", "decode") if ours else ():
        row(f"{way}, Mpixel/s/core", _at("speed", way), ".2f")
    return grid


def show(results: Mapping[str, Mapping], console) -> None:
    """Print `table` on a rich console, columns that do not fit in further tables below.

    No number is ever cut: a table is as wide as it must be, on a terminal that is narrower, too.
    """
    from rich.console import Console
    from rich.measure import Measurement

    def width(names: list[str]) -> int:
        wide = Console(width=10**4)
        grid = table({name: results[name] for name in names})
        return Measurement.get(wide, wide.options, grid).maximum

    parts: list[list[str]] = []
    for name in results:
        if parts and (not console.is_terminal or width([*parts[-1], name]) <= console.width):
            parts[-1].append(name)
        else:
            parts.append([name])
    own = console.width
    for names in parts:
        console.width = max(own, width(names))
        console.print(table({name: results[name] for name in names}))
    console.width = own
    if any("baselines" in result for result in results.values()):
        text = "; ".join(f"{name}: {codec.settings}" for name, codec in BASELINES.items())
        console.print(text, soft_wrap=not console.is_terminal, style="dim")


def _at(*keys: str) -> Callable[[Mapping], float | None]:
    """What takes from a result the number at the end of these keys, None if there is none."""

    def value(result: Mapping) -> float | None:
        found: Any = result
        for key in keys:
            found = (found or {}).get(key)
        return found

    return value


def _of_level(result: Mapping, level: int, key: str) -> float | None:
    levels = result.get("levels", ())
    return levels[level].get(key) if level < len(levels) else None


def _of_near(result: Mapping, near: int, name: str) -> float | None:
    found: Mapping = next((n for n in result.get(_NEAR, ()) if n["near"] == near), {})
    return found.get(name, {}).get("bpp")
