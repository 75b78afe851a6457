"""Table of the resources of a build, block by block and core by core."""

from collections.abc import Mapping, Sequence

from lutgen.targets.fit import levels_basis

from .text import depth_cell, levels_of

__all__ = ["block_table"]

_KINDS = {"lut": "LUT", "ff": "FF", "bram36": "BRAM36"}


def block_table(
    record: Mapping, title: str, names: Sequence[str], kinds: Mapping[str, str] = _KINDS
):
    """A rich table with a row for each block of those names, and the total.

    ``kinds`` are resources to show, with what the head of their columns says.
    """
    from rich.box import SIMPLE
    from rich.table import Table

    cores = record["cores"]
    grid = Table(
        box=SIMPLE, padding=(0, 1, 0, 0), title_justify="left", caption_justify="left",
        caption="levels: LUT levels / logic levels. "
        + levels_basis(record["target"]["yosys_family"]),
    )  # fmt: skip
    grid.title = title
    grid.add_column("")
    for name in cores:
        for k, label in enumerate([*kinds.values(), "levels"]):
            grid.add_column(f"{'' if k else name}\n{label}", justify="right", no_wrap=True)

    def cells(part: Mapping | None) -> list[str]:
        if part is None:
            return [""] * (len(kinds) + 1)
        return [f"{part[kind]:g}" for kind in kinds] + [depth_cell(part)]

    blocks = [core["resources"]["blocks"] for core in cores.values()]
    for name in names:
        grid.add_row(
            name, *(cell for found in blocks for cell in cells(found.get(name))),
            end_section=name == names[-1],
        )  # fmt: skip
    totals = [
        core["resources"]["total"] | levels_of(core["resources"])
        for core in cores.values()
    ]
    grid.add_row("total", *(cell for total in totals for cell in cells(total)), style="bold")
    return grid
