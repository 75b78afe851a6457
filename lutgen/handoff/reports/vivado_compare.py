"""Vivado's reports beside the estimates of a build."""

from collections.abc import Mapping
from dataclasses import asdict

from lutgen.names import top_module
from lutgen.targets.fit import basis

from .vivado_report import VivadoReport

__all__ = ["KINDS", "compare", "summary", "table", "title"]

#: Words of `lutgen.synth` for what a report counts, with their names in the table.
KINDS = {
    "lut": "LUT",
    "lut_logic": "  logic",
    "lut_memory": "  memory",
    "ff": "FF",
    "bram36": "BRAM36",
    "dsp": "DSP",
    "carry": "CARRY",
    "muxf": "MUXF",
    "levels": "logic levels",
}


def compare(report: VivadoReport, build: Mapping | None = None) -> dict:
    """Put what Vivado reports beside what a build has estimated.

    Parameters
    ----------
    report
        The reports of a folder.
    build
        A ``build.json`` as `lutgen.build.codec.load_build` reads it, or None.  The core that the
        reports' design names is compared, or else the whole build.

    Returns
    -------
    dict
        Ready for json: ``reports`` (folder, files and all that was read), ``met``, ``clocks``
        (name, period, slack, frequency that the slack allows), ``estimate`` (folder, module,
        clock goal) or None, ``rows`` (kind, vivado, available, estimate, difference in percent of
        the estimate; None for what is not known) and ``notes``.
    """
    timing = report.timing
    notes: list[str] = []
    stages = {head.state.lower(): head.state for head in report.headers if head.state}
    if len(stages) > 1:
        notes.append(f"the reports are of several stages: {', '.join(stages.values())}")
    module, counts = _estimate(report, build, notes) if build else ("", {})
    rows = []
    for kind, (used, available) in _reported(report).items():
        guess = counts.get(kind)
        if kind == "carry":
            use = report.utilisation
            guess = counts.get("carry4") if use and use.family == "7-series" else None
        rows.append({
            "kind": kind,
            "vivado": used,
            "available": available,
            "estimate": guess,
            "difference_percent": round(100 * (used - guess) / guess, 1)
            if used is not None and guess and kind != "levels" else None,
        })  # fmt: skip
    return {
        "reports": asdict(report),
        "met": timing.met if timing else None,
        "clocks": [asdict(clock) | {"fmax_mhz": clock.fmax_mhz} for clock in timing.clocks]
        if timing else [],
        "estimate": {
            "folder": build["folder"], "module": module, "clock_mhz": build["target"]["clock_mhz"],
        } if build else None,
        "rows": rows,
        "notes": notes,
    }  # fmt: skip


def title(found: Mapping) -> str:
    """Design, device, version and stage of what `compare` has found, one line."""
    reports = found["reports"]
    heads = [reports[kind]["header"] for kind in ("utilisation", "timing", "power")
             if reports[kind]]  # fmt: skip
    design, device, version, state = (
        next((head[field] for head in heads if head[field]), "")
        for field in ("design", "device", "version", "state")
    )
    parts = [design, device, f"Vivado {version}" if version else "", state.lower()]
    return ", ".join(part for part in parts if part)


def table(found: Mapping):
    """A rich table of what `compare` has found."""
    from rich.box import SIMPLE
    from rich.table import Table

    grid = Table(box=SIMPLE)
    grid.add_column("")
    compared = ("estimate", "difference") if found["estimate"] else ()
    for name in ("Vivado", "of device", *compared):
        grid.add_column(name, justify="right", no_wrap=True)
    for row in found["rows"]:
        used, held, difference = row["vivado"], row["available"], row["difference_percent"]
        cells = [_show(used), f"{100 * used / held:.1f} %" if held else ""]
        if compared:
            cells += [_show(row["estimate"]), "" if difference is None else f"{difference:+.1f} %"]
        grid.add_row(KINDS[row["kind"]], *cells)
    return grid


def summary(found: Mapping) -> str:
    """Timing and power of what `compare` has found, and what to know about both; lines of text."""
    reports = found["reports"]
    timing, power = reports["timing"], reports["power"]
    lines = [f"{kind} from {name}" for kind, name in reports["files"].items()]
    missing = [kind for kind in ("utilisation", "timing", "power") if reports[kind] is None]
    if missing:
        lines.append(f"no report of {' or '.join(missing)} in {reports['folder']}")
    if timing:
        verdict = {True: "met", False: "NOT MET", None: "no setup constraint"}[found["met"]]
        slacks = (("setup", "wns"), ("hold", "whs"), ("pulse width", "wpws"))
        texts = [f"{n} {timing[k]:+.3f} ns" for n, k in slacks if timing[k] is not None]
        if timing["failing"]:
            texts.append(f"{timing['failing']:,} of {timing['endpoints']:,} endpoints fail")
        lines.append(f"timing {verdict}" + (f": {', '.join(texts)}" if texts else ""))
    for clock in found["clocks"]:
        fmax = clock["fmax_mhz"]
        allowed = f", longest path allows {fmax:.1f} MHz" if fmax else ""
        lines.append(f"clock {clock['name']}: {clock['period_ns']:.3f} ns asked for{allowed}")
    if timing and (worst := timing["worst"]):
        lines.append(
            f"longest path: {worst['source']} to {worst['destination']}, {worst['levels']} levels"
            + (f" ({worst['cells']})" if worst["cells"] else "")
        )
    if power:
        parts = [f"{name} {_watts(watts)}" for name, watts in power["components"].items()]
        confidence = f", confidence {power['confidence']}" if power["confidence"] else ""
        activity = power["activity"] or "toggle rates that Vivado assumed"
        lines.append(
            f"power {_watts(power['total'])} W: dynamic {_watts(power['dynamic'])}, static "
            f"{_watts(power['static'])}{confidence}; activity: {activity}"
        )
        if parts:
            lines.append(f"  {', '.join(parts)}")
    return "\n".join(lines + [f"note: {note}" for note in found["notes"]])


def _estimate(report: VivadoReport, build: Mapping, notes: list[str]) -> tuple[str, dict]:
    """The module of a build that the reports are of, and its counts; adds to ``notes``."""
    top = top_module(build)
    design, device = (
        next((text for head in report.headers if (text := getattr(head, field))), "")
        for field in ("design", "device")
    )
    part = build["target"]["part"]
    cores = {core["module"]: core["resources"] for core in build["cores"].values()}
    module = design if design in cores else top
    found = cores[design] if design in cores else build["pair"]
    # Builds of the first versions do not know what Vivado calls a level.
    counts = {**found["total"], "levels": found.get("logic_levels")} if found else {}
    if design and module != design:
        notes.append(f"the reports are of design {design}, the estimate is of {top} alone")
    if not counts:
        notes.append(f"the build in {build['folder']} was made with --no-estimate")
    elif "lut_memory" in counts:
        # Vivado counts shift registers among the memories.
        counts["lut_memory"] += counts.get("lut_shift", 0)
    if counts and (differs := basis(build["target"]["family"], build["target"]["yosys_family"])):
        notes.append(f"the build is {differs}")
    if device and part and not _same_device(device, part):
        notes.append(f"the reports are of {device}, the build is for {part}")
    goal = 1000 / build["target"]["clock_mhz"]
    periods = [clock.period_ns for clock in report.timing.clocks] if report.timing else []
    if periods and all(abs(period - goal) > 0.0015 for period in periods):
        notes.append(
            f"no clock of the reports has the build's goal of {goal:.3f} ns "
            f"({build['target']['clock_mhz']:g} MHz)"
        )
    if counts and report.timing and report.timing.worst:
        notes.append(
            "levels are logic levels, every LUT, CARRY and MUXF on a path; the estimate's are the "
            "most of any path, Vivado's those of the path with the least slack"
        )
    return module, counts


def _reported(report: VivadoReport) -> dict[str, tuple[float | None, float | None]]:
    """What the reports count, and how many the device has."""
    found: dict[str, tuple[float | None, float | None]] = {}
    if use := report.utilisation:
        counts = {
            "lut": use.luts, "lut_logic": use.lut_logic, "lut_memory": use.lut_memory,
            "ff": use.ffs, "bram36": use.bram36, "dsp": use.dsps,
        }  # fmt: skip
        found = {
            kind: (count.used, count.available) if count else (None, None)
            for kind, count in counts.items()
        } | {"carry": (use.carry, None), "muxf": (use.muxf, None)}
    if report.timing and report.timing.worst:
        found["levels"] = (report.timing.worst.levels, None)
    return found


def _same_device(one: str, other: str) -> bool:
    """Whether two ways to write a part mean one, e.g. "7z045ffg900-2" and "xc7z045ffg900-2".

    A report may leave out package, grade or temperature.
    """
    texts = ["".join(filter(str.isalnum, text.lower())).removeprefix("xc") for text in (one, other)]
    return texts[0].startswith(texts[1]) or texts[1].startswith(texts[0])


def _show(count: float | None) -> str:
    return "-" if count is None else f"{count:,g}" if isinstance(count, float) else f"{count:,}"


def _watts(watts: Mapping) -> str:
    return f"{'<' if watts['below'] else ''}{watts['value']:g}"
