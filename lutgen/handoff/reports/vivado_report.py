"""Read Vivado's text reports: utilisation, timing summary and power.

Written after the layout that `report_utilization`, `report_timing_summary` (AMD UG906) and
`report_power` (AMD UG907) have from 2019.2 to 2025, for 7-series ("Slice LUTs", CARRY4) and
UltraScale ("CLB LUTs", CARRY8).  Values are found by the names of rows and columns and never by
position, because columns and sections come and go between versions ("Prohibited" since 2021).
What a report does not hold is an error or None, never a zero.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lutgen.errors import InputError

from .report_layout import Header, header, number, ruled_table, section, tables

__all__ = [
    "Clock",
    "Count",
    "Power",
    "ReportError",
    "Timing",
    "Utilisation",
    "VivadoReport",
    "Watts",
    "WorstPath",
    "parse_power",
    "parse_timing",
    "parse_utilisation",
    "read_reports",
    "report_kind",
]

#: Kinds of reports, with Vivado's command and the title that its text begins with.
_KINDS = {
    "utilisation": ("report_utilization", "Utilization Design Information"),
    "timing": ("report_timing_summary", "Timing Summary Report"),
    "power": ("report_power", "Power Report"),
}
_SUFFIXES = (".rpt", ".txt")


class ReportError(InputError):
    """Reports that are missing, or not of a layout that this module knows."""


@dataclass(frozen=True)
class Count:
    """A row of a utilisation table; ``available`` is None where the cell is empty."""

    used: float
    available: float | None


@dataclass(frozen=True, kw_only=True)
class Utilisation:
    """What a design takes of its device.

    Attributes
    ----------
    family
        "7-series" or "UltraScale", which the names of the rows tell.
    luts, ffs, bram36, dsps
        LUTs, flip-flops (and latches), 36-kbit block memories (halves are RAMB18), DSP slices.
    lut_logic, lut_memory
        The LUTs that are logic, and those that are memories or shift registers.
    carry
        CARRY4 (7-series) or CARRY8 (UltraScale) cells; 0 if the list of primitives has none.
    muxf
        F7, F8 and F9 multiplexers.
    uram
        Row "URAM".

    The last five are None if the report does not hold them.
    """

    header: Header
    family: str
    luts: Count
    ffs: Count
    bram36: Count
    dsps: Count
    lut_logic: Count | None
    lut_memory: Count | None
    carry: float | None
    muxf: float | None
    uram: Count | None


@dataclass(frozen=True)
class Clock:
    """A clock; ``wns_ns`` is its worst setup slack, None if it times no path."""

    name: str
    period_ns: float
    wns_ns: float | None

    @property
    def fmax_mhz(self) -> float | None:
        """Frequency that the clock's longest path would allow, or None if it times no path."""
        if self.wns_ns is None or self.wns_ns >= self.period_ns:
            return None
        return 1000 / (self.period_ns - self.wns_ns)


@dataclass(frozen=True)
class WorstPath:
    """The setup path with the least slack that the report lists.

    ``levels`` are Vivado's: each cell on the way, every CARRY and MUXF among them; ``cells`` says
    which ("CARRY4=1 LUT6=3").
    """

    slack_ns: float
    levels: int
    cells: str
    source: str
    destination: str


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Slacks of a whole design in ns; None where Vivado says NA, as without constraints.

    ``wns``, ``tns``: setup, worst and sum of the negative ones; ``failing`` of ``endpoints`` miss
    it.  ``whs``, ``ths``: hold.  ``wpws``: pulse width.
    """

    header: Header
    wns: float | None
    tns: float | None
    failing: float | None
    endpoints: float | None
    whs: float | None
    ths: float | None
    wpws: float | None
    clocks: tuple[Clock, ...]
    worst: WorstPath | None

    @property
    def met(self) -> bool | None:
        """Whether every constraint holds, or None if setup is not constrained."""
        if any(slack is not None and slack < 0 for slack in (self.wns, self.whs, self.wpws)):
            return False
        return None if self.wns is None else True


@dataclass(frozen=True)
class Watts:
    """Power in W; with ``below``, less than ``value`` ("<0.001")."""

    value: float
    below: bool = False


@dataclass(frozen=True, kw_only=True)
class Power:
    """Power on the chip, as Vivado estimates it.

    Attributes
    ----------
    total, dynamic, static
        W.
    components
        W by what takes it: outermost rows of the table "On-Chip Components"; empty if the report
        has none.
    confidence
        Vivado's own word, "Low", "Medium" or "High"; "" if it says none.
    activity
        File of simulated activity, "" if Vivado assumed toggle rates.
    junction_c
        Junction temperature in degrees Celsius, or None.
    """

    header: Header
    total: Watts
    dynamic: Watts
    static: Watts
    components: Mapping[str, Watts]
    confidence: str
    activity: str
    junction_c: float | None


@dataclass(frozen=True, kw_only=True)
class VivadoReport:
    """The reports of one folder; None for a kind that it does not hold.

    ``files`` maps "utilisation", "timing" and "power" to the names of the files that were read.
    """

    folder: str
    files: Mapping[str, str]
    utilisation: Utilisation | None
    timing: Timing | None
    power: Power | None

    @property
    def headers(self) -> tuple[Header, ...]:
        """The heads of the reports that there are."""
        found = (self.utilisation, self.timing, self.power)
        return tuple(report.header for report in found if report is not None)


def read_reports(folder: str | os.PathLike) -> VivadoReport:
    """Read the reports ``*.rpt`` and ``*.txt`` of a folder, not of folders below it.

    They are told apart by what they say, not by their names.  Of several of one kind, the one of
    the latest stage (synthesised, placed, routed) is read.

    Raises
    ------
    ReportError
        If no file is a report of a known kind, two are equally late, they are of different
        designs, or one is of an unknown layout; the message names the file.
    OSError
        If the folder or a file cannot be read.
    """
    folder = Path(folder)
    found: dict[str, list[tuple[tuple[bool, int], str, str]]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            text = path.read_text(encoding="utf-8-sig", errors="replace")
            if kind := report_kind(text):
                found.setdefault(kind, []).append((_stage(text), path.name, text))
    if not found:
        commands = ", ".join(command for command, _ in _KINDS.values())
        raise ReportError(
            f"{folder} must hold files *.rpt or *.txt that {commands} have written, not none"
        )
    read: dict[str, Any] = {}
    files: dict[str, str] = {}
    for kind, parse in _PARSERS.items():
        if kind not in found:
            continue
        last = max(stage for stage, _, _ in found[kind])
        (name, text), *others = [(n, t) for stage, n, t in found[kind] if stage == last]
        if others:
            raise ReportError(
                f"{folder} must hold one {kind} report of the last stage, not "
                f"{' and '.join([name, *(other for other, _ in others)])}"
            )
        read[kind], files[kind] = parse(text, str(folder / name)), name
    designs = {read[kind].header.design: name for kind, name in files.items()}
    designs.pop("", None)
    if len(designs) > 1:
        which = " and ".join(f"{design} ({name})" for design, name in designs.items())
        raise ReportError(f"reports in {folder} must be of one design, not of {which}")
    return VivadoReport(
        folder=str(folder), files=files, **{kind: read.get(kind) for kind in _KINDS}
    )


def report_kind(text: str) -> str | None:
    """The kind of a report, "utilisation", "timing" or "power", or None for any other text."""
    head = header(text)
    command = (head.command.split() or [""])[0]
    for kind, (name, title) in _KINDS.items():
        if command == name or (not command and head.title == title):
            return kind
    return None


def parse_utilisation(text: str, name: str) -> Utilisation:
    """Read the output of `report_utilization`; ``name`` is the file's, for messages.

    Raises ReportError if a row that every such report has is not there, or holds no number.
    """
    head = header(text)
    rows: dict[str, tuple[str, str]] = {}
    primitives: dict[str, str] | None = None
    for columns, table in tables(text):
        if columns[:2] == ["Ref Name", "Used"] and len(columns) > 2:
            primitives = {row[0]: row[1] for row in table}
        elif columns[0] == "Site Type" and "Used" in columns:
            used = columns.index("Used")
            held = columns.index("Available") if "Available" in columns else None
            for row in table:
                label = row[0].strip().rstrip("*")
                rows.setdefault(label, (row[used], "" if held is None else row[held]))

    def count(label: str) -> Count:
        used, available = rows[label]
        return Count(
            _count(used, label, name),
            _count(available, label, name) if available.strip() else None,
        )

    def needed(*labels: str) -> Count:
        for label in labels:
            if label in rows:
                return count(label)
        wanted = f"a row {' or '.join(map(repr, labels))} under the columns 'Site Type' and 'Used'"
        hierarchy = "Utilization by Hierarchy" in text
        raise _unknown(
            name, "a utilisation report", head, wanted,
            ": write it without -hierarchical" if hierarchy else "",
        )  # fmt: skip

    luts = needed("Slice LUTs", "CLB LUTs")
    family, cell = ("7-series", "CARRY4") if "Slice LUTs" in rows else ("UltraScale", "CARRY8")
    carry = None
    if cell in rows:
        carry = count(cell).used
    elif primitives is not None:
        carry = _count(primitives.get(cell, "0"), cell, name)
    muxes = [count(label).used for label in ("F7 Muxes", "F8 Muxes", "F9 Muxes") if label in rows]
    return Utilisation(
        header=head,
        family=family,
        luts=luts,
        ffs=needed("Slice Registers" if family == "7-series" else "CLB Registers"),
        bram36=needed("Block RAM Tile"),
        dsps=needed("DSPs"),
        lut_logic=count("LUT as Logic") if "LUT as Logic" in rows else None,
        lut_memory=count("LUT as Memory") if "LUT as Memory" in rows else None,
        carry=carry,
        muxf=sum(muxes) if muxes else None,
        uram=count("URAM") if "URAM" in rows else None,
    )


def parse_timing(text: str, name: str) -> Timing:
    """Read the output of `report_timing_summary`; ``name`` is the file's, for messages.

    Raises ReportError if the summary or the clocks are not there, or hold no numbers.
    """
    head = header(text)
    setup = ("WNS(ns)", "TNS(ns)", "TNS Failing Endpoints", "TNS Total Endpoints")
    others = ("WHS(ns)", "THS(ns)", "WPWS(ns)")
    columns, table = ruled_table(section(text, "Design Timing Summary"))
    if len(table) != 1 or {*columns} != {*table[0]} or not {*setup, *others} <= {*columns}:
        raise _unknown(
            name, "a timing summary", head,
            f"one row of {', '.join([*setup, *others])} in the section 'Design Timing Summary'",
        )  # fmt: skip
    wns, tns, failing, endpoints, whs, ths, wpws = (
        _slack(table[0][column], column, name) for column in (*setup, *others)
    )
    slacks = {
        row["Clock"]: _slack(row.get("WNS(ns)", "NA"), "WNS(ns)", name)
        for row in ruled_table(section(text, "Intra Clock Table"))[1]
        if "Clock" in row
    }
    clocks = tuple(
        Clock(clock, float(period), slacks.get(clock))
        for clock, period in _CLOCK.findall(section(text, "Clock Summary"))
    )
    if wns is not None and not clocks:
        raise _unknown(
            name, "a timing summary", head,
            "rows of Clock, Waveform(ns), Period(ns) and Frequency(MHz) in the section "
            "'Clock Summary'",
        )  # fmt: skip
    return Timing(
        header=head, wns=wns, tns=tns, failing=failing, endpoints=endpoints, whs=whs, ths=ths,
        wpws=wpws, clocks=clocks, worst=_worst_path(text),
    )  # fmt: skip


def parse_power(text: str, name: str) -> Power:
    """Read the output of `report_power`; ``name`` is the file's, for messages.

    Raises ReportError if total, dynamic or static power is not there, or is no number.
    """
    head = header(text)
    rows: dict[str, str] = {}
    components: dict[str, Watts] = {}
    for columns, table in tables(text):
        if columns[:2] == ["On-Chip", "Power (W)"]:
            for label, watts, *_ in table:
                if not label.startswith(" ") and label != "Total":
                    components[label] = _watts(watts, label, name)
        elif len(columns) == 2:
            # The summary has no names of columns: its first row is one of its values.
            for label, value in (columns, *table):
                rows.setdefault(label.strip(), value.strip())
    summary: list[Watts] = []
    for label in ("Total On-Chip Power (W)", "Dynamic (W)", "Device Static (W)"):
        if label not in rows:
            raise _unknown(name, "a power report", head, f"a row {label!r} of two columns")
        summary.append(_watts(rows[label], label, name))
    activity = rows.get("Simulation Activity File", "")
    return Power(
        header=head,
        total=summary[0],
        dynamic=summary[1],
        static=summary[2],
        components=components,
        confidence=rows.get("Confidence Level", ""),
        activity="" if set(activity) <= {"-"} else activity,
        junction_c=number(rows.get("Junction Temperature (C)", "").partition("(")[0]),
    )


_PARSERS = {"utilisation": parse_utilisation, "timing": parse_timing, "power": parse_power}
#: The last of these words that a design's state holds is how far it has come.
_STAGES = ("synth", "opt", "placed", "postplace", "rout", "postroute")
_CLOCK = re.compile(r"^ *(\S.*?) +\{[^}\n]*\} +(\d+\.?\d*) +\d+\.?\d* *$", re.M)
_PATH = re.compile(r"^Slack(?: \((?:MET|VIOLATED)\))? *: +(-?\d+\.?\d*)ns", re.M)


def _stage(text: str) -> tuple[bool, int]:
    """What the report to read is the greatest in: flat rather than by hierarchy, then the stage."""
    head = header(text)
    state = head.state.lower()
    stage = max((k for k, word in enumerate(_STAGES) if word in state), default=-1)
    return not re.search(r"\s-hier", head.command), stage


def _worst_path(text: str) -> WorstPath | None:
    """The listed setup path with the least slack."""
    paths = []
    starts = list(_PATH.finditer(text))
    ends = [*(start.start() for start in starts), len(text)][1:]
    for start, end in zip(starts, ends, strict=True):
        block = text[start.end() : end]
        levels = re.search(r"^ +Logic Levels: +(\d+)(?: +\((.*?)\))?", block, re.M)
        source, destination = (
            re.search(rf"^ +{word}: +(\S+)", block, re.M) for word in ("Source", "Destination")
        )
        if levels and source and destination and re.search(r"^ +Path Type: +Setup ", block, re.M):
            paths.append(
                WorstPath(
                    float(start[1]), int(levels[1]), levels[2] or "", source[1], destination[1]
                )
            )
    return min(paths, key=lambda path: path.slack_ns, default=None)


def _known(found: float | None, cell: str, where: str, name: str) -> float:
    if found is None:
        raise ReportError(f"{name}: {where} must have a number, not {cell.strip()!r}")
    return found


def _count(cell: str, label: str, name: str) -> float:
    return _known(number(cell, thousands=True), cell, f"row {label!r}", name)


def _slack(cell: str, column: str, name: str) -> float | None:
    if cell in ("NA", "inf"):
        return None
    found = number(cell, thousands=column.endswith("Endpoints"))
    return _known(found, cell, f"column {column!r}", name)


def _watts(cell: str, label: str, name: str) -> Watts:
    # A remark may follow: "31.2 (Junction temp exceeded!)".
    text = cell.partition("(")[0].strip()
    watts = _known(number(text.removeprefix("<")), cell, f"row {label!r}", name)
    return Watts(float(watts), text.startswith("<"))


def _unknown(name: str, what: str, head: Header, wanted: str, hint: str = "") -> ReportError:
    version = f"Vivado {head.version}" if head.version else "an unnamed version"
    return ReportError(f"{name}: {what} must have {wanted}; this one, of {version}, has not{hint}")
