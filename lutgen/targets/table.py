"""The devices as a table, with how many flagship pairs each would hold."""

from collections.abc import Iterable

from .fit import FLAGSHIP, fit
from .target import Target

__all__ = ["notes", "table"]


def table(targets: Iterable[Target]):
    """A rich table of devices, for a terminal of 80 columns."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    grid = Table(box=SIMPLE_HEAD, padding=0, show_edge=False, pad_edge=False)
    grid.add_column("target", no_wrap=True)
    grid.add_column("part", no_wrap=True)
    grid.add_column("board")
    for name in ("LUTs", "FFs", "BRAM36", "DSPs", "MHz"):
        grid.add_column(name, justify="right", no_wrap=name != "BRAM36")
    grid.add_column("pairs")
    for t in targets:
        found = fit(t)
        memories = t.bram36 if t.ebr18 is None else f"{t.ebr18} EBR"
        counts = ["-" if n is None else str(n) for n in (t.luts, t.ffs, memories, t.dsps)]
        if found.pairs is not None:
            pairs = f"{found.pairs}{' *' if found.basis else ''}"
        else:
            pairs = "-" if t.luts is None else "not est."
        grid.add_row(t.name, t.part or "-", t.board or "-", *counts, f"{t.clock_mhz:g}", pairs)
    return grid


def notes(targets: Iterable[Target]) -> str:
    """What the column of pairs means, and for which devices it means less."""
    found = {target.name: fit(target) for target in targets}
    limits = {f.limit for f in found.values() if f.limit}
    lines = [
        "pairs: encoder and decoder of `photo`, gray of 8 bits up to 1920 x 1080, each",
        f"{FLAGSHIP['lut']:,} LUT, {FLAGSHIP['ff']:,} FF, {FLAGSHIP['bram36']:g} BRAM36, "
        f"{FLAGSHIP['dsp']} DSP; {', '.join(sorted(limits))} run out first, at 100 %.",
        "Counts are Yosys' for 7-series; nothing was placed or routed.",
    ]
    for name, f in found.items():
        if f.basis and f.pairs is not None:
            lines.append(f"* {name}: {f.basis}")
        elif f.basis.startswith("not"):
            lines.append(f"{name} {f.basis}")
    return "\n".join(lines)
