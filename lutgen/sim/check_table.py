"""The result of a check as a table."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["table"]


def table(result: Mapping):
    """A rich table of a result: a row per image size."""
    from rich.box import SIMPLE
    from rich.table import Table

    parameters = result["parameters"]
    cores = [core for core in ("encoder", "decoder") if core in result["sizes"][0]]
    grid = Table("size", box=SIMPLE, title_justify="left", caption_justify="left")
    grid.title = (
        f"{parameters['top']} for {result['target']}, model {result['model'][:16]}, tile "
        f"{parameters['tile_width']}x{parameters['tile_height']}"
    )
    for name in ("images", "pixels"):
        grid.add_column(name, justify="right")
    for core in cores:
        lanes = parameters["encoder_lanes" if core == "encoder" else "lanes"]
        grid.add_column(f"{core}\n{lanes} lanes")
        grid.add_column("clocks\nper pixel", justify="right")

    def cells(check: Mapping | None) -> list[str]:
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
