"""The page: sections, template and style put together."""

from collections.abc import Mapping
from functools import cache
from importlib import resources as package_files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lutgen.names import top_module

from . import text
from .diagram import diagram
from .energy import energy
from .proof import check_files, proof
from .rate import rate
from .resources import GOAL_LEVELS, levels, resources, share
from .sheets import sheet_of
from .speed import speed
from .vivado import vivado_section

__all__ = ["render"]

_TEMPLATE = "page.html.j2"
#: How names of the codec in C begin.
_SOFTWARE = "c/"
#: Measurements that have a place in the page, whether there is a command for them or not.
_MEASURED = ("sim", "prove", "eval", "throughput", "energy")


def render(
    record: Mapping, measured: Mapping[str, Mapping | None], vivado: Mapping | None = None
) -> str:
    """The page of a build, which needs no other file and no network.

    Equal inputs give equal pages.

    Parameters
    ----------
    record
        The build, as `lutgen.build.codec.load_build` gives it.
    measured
        What was measured of it, as `lutgen.report.measured.read_measured` gives it.
    vivado
        What `lutgen.handoff.reports.vivado_compare.compare` has found, or None.

    Returns
    -------
    str
        HTML.
    """
    sheet, files, run = sheet_of(record), check_files(record), measured.get("throughput")
    rated, timed = rate(sheet, measured["eval"]), speed(sheet, run)
    used, spent = share(record), energy(sheet, measured.get("energy"), run)
    proven = proof(sheet, measured, vivado, files)
    style = package_files.files("lutgen.report").joinpath("templates/style.css").read_text()
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            style=Markup(style),
            record=record,
            sheet=sheet,
            top=top_module(record),
            cores=list(record["cores"]),
            diagrams={core: diagram(sheet, core) for core in record["cores"]},
            resources=resources(sheet),
            share=used,
            levels=levels(sheet),
            goal_levels=GOAL_LEVELS,
            rate=rated,
            speed=timed,
            energy=spent,
            vivado=vivado_section(vivado),
            proof=proven,
            files=_files(record, files),
            glance=_glance(record, used, rated, timed, spent, proven),
            measure={name: sheet.command(name) for name in _MEASURED},
            missing=text.MISSING,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("lutgen.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    for name in ("count", "decimal", "difference", "percent", "quantity"):
        environment.filters[name] = getattr(text, name)
    return environment


def _files(record: Mapping, states: Mapping[str, str]) -> dict:
    """Files by what they are: those that one opens, the tables, and the codec in C."""
    rows = [{"name": name, "state": states[name], **file} for name, file in record["files"].items()]
    software = [row for row in rows if row["name"].startswith(_SOFTWARE)]
    tables = [row for row in rows if row["name"].endswith(".mem")]
    return {
        "main": [row for row in rows if row not in software and row not in tables],
        "tables": tables,
        "software": software,
        "absent": all(row["state"] == "missing" for row in rows),
    }


def _glance(record, used, rated, timed, spent, proven) -> list[dict]:
    """The figures that one looks for first: name, value, and how it is known."""
    cores = [core for core in ("encoder", "decoder") if core in record["cores"]]
    both = " / ".join("encode" if core == "encoder" else "decode" for core in cores)
    rows = []

    def add(name: str, value: str | None, known: str) -> None:
        rows.append({"name": name, "value": value, "known": known if value else "not measured"})

    sim = proven["sim"]
    add(
        "Verilog against the reference",
        None
        if not sim
        else f"{text.count(sim['mismatches'])} mismatches in "
        f"{text.quantity(sim['pixels'], 'pixels')}",
        "simulated",
    )
    if networks := proven["networks"]:
        good = sum(row["proven"] for row in networks)
        add("Networks against the tables", f"{good} of {text.count(len(networks))}", "proven")
    else:
        add("Networks against the tables", None, "")
    if rated:
        result = rated["sets"][0]
        size = text.quantity(rated["first"], "bit/pixel", 3)
        add(f"File size, {result['name']}", size, "measured")
    else:
        add("File size", None, "")
    rates = timed["rows"]
    add(
        f"Clocks per pixel, {both}",
        " / ".join(text.decimal(row["per_pixel"], 4) for row in rates) if rates else None,
        "simulated",
    )
    speeds = " / ".join(text.decimal(row["mpx"], 1) for row in rates)
    add(
        f"Rate at {timed['clock']:g}{text.JOIN}MHz, {both}",
        f"{speeds}{text.JOIN}Mpx/s" if rates else None,
        "constraint",
    )
    if calculated := timed["calculated"]:
        add(
            f"In {calculated['of']}",
            f"{text.quantity(calculated['clocks'], 'clk/px', 4)} at least, "
            f"{text.quantity(calculated['mpx'], 'Mpx/s', 1)} at most",
            "calculated",
        )  # fmt: skip
    if used:
        *counted, dsps = used["rows"]
        for row in [*counted, dsps] if dsps["total"] else counted:
            of = f", {text.percent(row['percent'])} of device" if row["percent"] is not None else ""
            add(row["name"], f"{text.count(row['total'])}{of}", "estimated")
        add(
            "Levels between registers", f"at most {used['depths']} ({used['levels_basis']})",
            "estimated",
        )  # fmt: skip
    else:
        add("LUT, FF, memory, LUT levels", None, "")
    if spent:
        ours = spent["rows"][0]
        values = [ours[d]["nj"] for d in ("encode", "decode") if ours[d]]
        add(
            f"Energy, {both}",
            " / ".join(text.decimal(v, 2) for v in values) + f"{text.JOIN}nJ/pixel", "estimated",
        )  # fmt: skip
    else:
        add(f"Energy, {both}", None, "")
    return rows
