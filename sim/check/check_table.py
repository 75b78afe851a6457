"""The result of a check as a table."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["summary", "table"]


def table(result: Mapping):
    """A rich table of a result: a row per image size."""
    from rich.box import SIMPLE
    from rich.table import Table

    parameters = result["parameters"]
    cores = [core for core in ("encoder", "decoder") if core in result["sizes"][0]]
    grid = Table("size", box=SIMPLE, title_justify="left", caption_justify="left")
    grid.title = (
        f"{parameters['top']} for {result['target']}, model {result['model'][:16]}, "
        + (f"tile {parameters['tile_width']}x{parameters['tile_height']}"
           if "tile_width" in parameters else f"samples of {parameters['depth']} bits")
    )
    for name in ("images", "pixels"):
        grid.add_column(name, justify="right")
    for core in cores:
        lanes = parameters["encoder_lanes" if core == "encoder" else "lanes"]
        grid.add_column(f"{core}\n{lanes} lanes")
        grid.add_column("clocks\nper pixel", justify="right")

    def cells(check: Mapping) -> list[str]:
        clocks = check["clocks_per_pixel"]
        verdict = "[red]DIFFERS[/red]" if check["problems"] else "[green]equal[/green]"
        return [verdict, "-" if clocks is None else f"{clocks:.3f}"]

    for size in result["sizes"]:
        row = [f"{size['width']}x{size['height']}", f"{size['images']}", f"{size['pixels']}"]
        grid.add_row(*row, *(cell for core in cores for cell in cells(size[core])))
    if result["bad_files"] is not None:
        grid.add_section()
        good = not result["bad_files"]["problems"]
        verdict = "[green]flagged[/green]" if good else "[red]NOT FLAGGED[/red]"
        grid.add_row("bad files", *[""] * (2 * len(cores)), verdict, "")
    return grid


def summary(result: Mapping) -> str:
    """What was compared and run, a line each."""
    compared = result["compared"]
    lines = [f"{compared['files']} files compared with their hashes, and the list of them"]
    for core, counts in compared["tables"].items():
        lines.append(
            f"{core}: {counts['tables']} tables of {counts['words']} words and {counts['luts']} "
            "LUTs read back and compared with the model"
        )
    for core, runs in result["runs"].items():
        done = [run for run in runs if "clocks" in run]
        names = ", ".join(run["run"] for run in done)
        phases, clocks = (sum(run[key] for run in done) for key in ("phases", "clocks"))
        lines.append(f"{core}: {phases} phases in {clocks} clocks: {names}")
    if (pairs := result.get("class_symbol_pairs")) is not None:
        lines.append(
            f"pictures of the model have {100 * pairs:.1f} % of all pairs of class and symbol"
        )
    lines.append(
        f"{result['images']} images, {result['pixels']} pixels, {result['checks']} checks, "
        f"{result['mismatches']} mismatches, {result['seconds']:.0f} s"
    )
    return "\n".join(lines)
