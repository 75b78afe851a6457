"""The layout of Vivado's text reports: head, drawn tables, ruled sections, numbers.

    | Tool Version : Vivado v.2023.2 ...        the head
    | Design       : lutgen_codec

    +-----------+------+                        a drawn table
    | Site Type | Used |
    +-----------+------+
    | DSPs      |    0 |
    +-----------+------+

    | Design Timing Summary                     a section of a timing summary,
    | ---------------------
      WNS(ns)  TNS(ns)                          with a ruled table
      -------  -------
        0.123    0.000
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Header", "header", "number", "ruled_table", "section", "tables"]

#: The head, and the title after it, stand within this many characters.
_TOP = 20_000


@dataclass(frozen=True, kw_only=True)
class Header:
    """What the head of a report says; "" for what it leaves out.

    ``version`` is that of Vivado ("2023.2"), ``state`` the design's ("Routed"), ``title`` the line
    that follows the head.
    """

    version: str = ""
    design: str = ""
    device: str = ""
    state: str = ""
    command: str = ""
    title: str = ""


_FIELD = re.compile(r"^\| *([A-Z][A-Za-z ]*?) *: *(.*?) *$", re.M)
_TITLE = re.compile(r"^[A-Z][A-Za-z ]*$", re.M)


def header(text: str) -> Header:
    """The head of a report, or an empty one."""
    fields: dict[str, str] = {}
    for key, value in _FIELD.findall(text[:_TOP]):
        fields.setdefault(key, value)
    version = re.search(r"v\.?(\d{4}\.\d+\S*)", fields.get("Tool Version", ""))
    title = _TITLE.search(text[:_TOP])
    return Header(
        version=version[1] if version else "",
        design=fields.get("Design", ""),
        device=fields.get("Device", ""),
        state=fields.get("Design State", ""),
        command=fields.get("Command", ""),
        title=title[0] if title else "",
    )


def tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Tables drawn with + and |: names of columns, and rows.

    Cells have no blanks but those at the front that say how deep a row is.  In tables of more than
    two columns, a row that has nothing but a label goes on with the label of the row before.
    """
    rows: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        line = line.strip()
        if line.startswith("|") and line.endswith("|") and len(line) > 2:
            cells = [cell.removeprefix(" ").rstrip() for cell in line[1:-1].split("|")]
            if len(rows) > 1 and len(cells) > 2 and cells[0] and not any(cells[1:]):
                rows[-1][0] += " " + cells[0].strip()
            else:
                rows.append(cells)
        elif rows and not line.startswith("+"):
            columns = [cell.strip() for cell in rows[0]]
            yield columns, [row for row in rows[1:] if len(row) == len(columns)]
            rows = []


def section(text: str, title: str) -> str:
    """What stands under a title of a timing summary; "" if there is no such title."""
    match = re.search(
        rf"^\| {re.escape(title)} *\n\| -+ *\n-+ *\n(.*?)(?=^-{{40,}} *\n\| |\Z)", text, re.M | re.S
    )
    return match[1] if match else ""


def ruled_table(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """The first table whose columns are ruled by dashes: names of columns, and rows by name.

    Values end where the name of their column ends, so that cells may be empty; the first of a row
    belongs to the first column.  Without such a table, both are empty.
    """
    lines = text.splitlines()
    rule = next((k for k, line in enumerate(lines) if re.fullmatch(r" *-+( +-+)+ *", line)), 0)
    if not rule:
        return [], []
    columns = [(m.end(), m[0]) for m in re.finditer(r"\S+(?: \S+)*", lines[rule - 1])]
    rows = []
    for line in lines[rule + 1 :]:
        if not line.strip():
            break
        first, *others = re.finditer(r"\S+", line)
        row = {columns[0][1]: first[0]}
        for value in others:
            row[min(columns, key=lambda column: abs(column[0] - value.end()))[1]] = value[0]
        rows.append(row)
    return [name for _, name in columns], rows


def number(cell: str, *, thousands: bool = False) -> float | None:
    """A decimal number, or None for any other text.

    With ``thousands``, there may be commas between thousands, which counts may have.  Elsewhere
    "1,205" is more likely to be somebody's 1.205.
    """
    cell = cell.strip()
    if thousands and re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", cell):
        cell = cell.replace(",", "")
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell):
        return None
    return float(cell) if "." in cell else int(cell)
