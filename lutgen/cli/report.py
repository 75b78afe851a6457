"""The command report: a page of a build, or Vivado's reports on the terminal."""

import json
from pathlib import Path

import click

from lutgen.commands import OutputFile, check_apart, say

from .common import json_option

__all__ = ["report_"]

#: Options that name a measurement, and what writes it.
_MEASURED = {
    "sim": "lutgen sim --json",
    "prove": "lutgen prove",
    "eval": "lutgen eval --json",
    "throughput": "python -m bench.throughput",
    "energy": "python -m bench.energy",
}
_USAGE = "give BUILD_FOLDER to write a page, or --vivado DIR alone to print what Vivado reports"


def _measured_options(command):
    for name, writer in reversed(_MEASURED.items()):
        of = "" if writer.startswith("lutgen") else " of gray images and one core"
        command = click.option(
            f"--{name}", metavar="FILE",
            show_default="prove.json in BUILD_FOLDER, if any" if name == "prove" else "none",
            help=f"What `{writer}` has written{of}; for the page.",
        )(command)
    return command


@click.command("report")
@click.argument("build_folder", required=False)
@click.option(
    "-o", "--out", type=OutputFile(), show_default="report.html in BUILD_FOLDER", help="The page."
)
@_measured_options
@click.option(
    "--vivado", "reports", metavar="DIR", show_default="none",
    help="Folder of Vivado's reports, *.rpt and *.txt.",
)  # fmt: skip
@click.option(
    "--build", "folder", metavar="FOLDER", show_default="none",
    help="Without BUILD_FOLDER: what `lutgen build` has written, to compare Vivado's reports with.",
)  # fmt: skip
@json_option
def report_(build_folder, out, reports, folder, as_json, **measured) -> None:
    """Write an HTML page of a build, or print Vivado's reports.

    With BUILD_FOLDER, what `lutgen build` has written: one page that needs no other file, with
    structure, resources, logic levels and what was measured.  What no option gives is shown as not
    measured, with the command that measures it, if there is one for the model's profile.

    With --vivado alone: utilisation, timing summary and power, as report_utilization,
    report_timing_summary and report_power write them, beside the estimates of --build; a report of
    an unknown layout is an error.
    """
    if build_folder is None:
        page_only = {"out": out, **measured}
        given = next((name for name, value in page_only.items() if value is not None), None)
        if given:
            raise click.UsageError(f"--{given} must stand with BUILD_FOLDER: {_USAGE}")
        if reports is None:
            raise click.UsageError(_USAGE)
        _print_vivado(reports, folder, as_json)
        return
    for name, value in (("build", folder), ("json", as_json)):
        if value:
            raise click.UsageError(f"--{name} must stand without BUILD_FOLDER: {_USAGE}")
    _write_page(build_folder, out, reports, measured)


def _print_vivado(reports, folder, as_json) -> None:
    from lutgen.build.codec import load_build
    from lutgen.handoff.reports.vivado_compare import compare, summary, table, title
    from lutgen.handoff.reports.vivado_report import read_reports

    found = compare(read_reports(reports), load_build(folder) if folder else None)
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console

    click.echo(title(found))
    if found["rows"]:
        Console().print(table(found))
    click.echo(summary(found))


def _write_page(build_folder, out, reports, measured) -> None:
    from lutgen.build.codec import load_build
    from lutgen.files.whole import write_file
    from lutgen.handoff.reports.vivado_compare import compare
    from lutgen.handoff.reports.vivado_report import read_reports
    from lutgen.report.measured import read_measured
    from lutgen.report.page import render

    check_apart({"-o": out}, measured.values())
    record = load_build(build_folder)
    proof = Path(build_folder, "prove.json")
    if measured["prove"] is None and proof.is_file():
        measured["prove"] = str(proof)
    found = read_measured(record, measured)
    vivado = compare(read_reports(reports), record) if reports else None
    path = Path(out) if out else Path(build_folder) / "report.html"
    write_file(path, render(record, found, vivado).encode())
    missing = [f"--{name}" for name, value in found.items() if value is None]
    say(str(path) + (f" (not measured: {', '.join(missing)})" if missing else ""))
