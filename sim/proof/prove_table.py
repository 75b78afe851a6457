"""The result of a proof as a table."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["summary", "table"]

_COLOURS = {"proven": "green", "open": "yellow", "wrong": "red"}


def table(result: Mapping):
    """A rich table of a result: a row per part of a network."""
    from rich.box import SIMPLE
    from rich.table import Table

    grid = Table(box=SIMPLE, title_justify="left")
    grid.title = f"networks for {result['target']}, model {result['model'][:16]}"
    for name in ("core", "network", "part"):
        grid.add_column(name)
    grid.add_column("outputs", justify="right")
    grid.add_column("")
    grid.add_column("seconds", justify="right")
    for network in result["networks"]:
        head = (network["core"], network["network"])
        if same := network.get("same_as"):
            grid.add_row(*head, "all", "", f"same text as in the {same}", "")
            continue
        for part in network["parts"]:
            colour = _COLOURS[part["state"]]
            grid.add_row(
                *head, part["name"], str(part["outputs"]),
                f"[{colour}]{part['state']}[/{colour}]", f"{part['seconds']:.1f}",
            )  # fmt: skip
            head = ("", "")
        for line in network["problems"]:
            grid.add_row(*head, f"[red]{line}[/red]", "", "", "")
    return grid


def summary(result: Mapping) -> str:
    """What was proven and compared, a line each."""
    lines = [
        f"{network['core']}, {network['network']}: a pipeline of "
        f"{max(network['latency'].values())} clocks, read and proven in {network['seconds']:.0f} s"
        for network in result["networks"]
        if network["latency"] and not network.get("same_as")
    ]
    for core, counts in result["read_back"].items():
        lines.append(
            f"{core}: {counts['tables']} tables of {counts['words']} words and {counts['luts']} "
            "LUTs read back and compared with the model"
        )
    lines.append(
        f"{result['prover']}: {result['seconds']:.0f} s, {result['peak_mb']} MB at most"
    )
    return "\n".join(lines)
