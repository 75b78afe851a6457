"""Vivado's reports as rows of the page, found by `lutgen.handoff.reports.vivado_compare`."""

from collections.abc import Mapping

from lutgen.handoff.reports.vivado_compare import KINDS, summary, title

__all__ = ["vivado_section"]


def vivado_section(found: Mapping | None) -> dict | None:
    """Title, rows and sentences; None if no reports were given."""
    if found is None:
        return None
    rows = [
        {**row, "name": KINDS[row["kind"]].strip(), "part": KINDS[row["kind"]].startswith(" "),
         "percent": 100 * row["vivado"] / row["available"]
         if row["vivado"] is not None and row["available"] else None}
        for row in found["rows"]
    ]  # fmt: skip
    return {
        "title": title(found), "rows": rows, "met": found["met"],
        "lines": [line.strip() for line in summary(found).splitlines()],
    }  # fmt: skip
