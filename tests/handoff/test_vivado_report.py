"""Vivado's reports.  The samples in `reports` are written by hand after the public layout."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from lutgen.cli import main
from lutgen.handoff.reports.report_layout import header, number, ruled_table, tables
from lutgen.handoff.reports.vivado_compare import compare, summary, table, title
from lutgen.handoff.reports.vivado_report import (
    Clock,
    Count,
    ReportError,
    Watts,
    parse_power,
    parse_timing,
    parse_utilisation,
    read_reports,
    report_kind,
)

SAMPLES = Path(__file__).parent / "reports"
SERIES7, VIOLATED, ULTRASCALE = (
    SAMPLES / name for name in ("7series-2019.2", "7series-2023.1", "ultrascale-2025.1")
)
RECORD = Path(__file__).parents[2] / "bench" / "results" / "build.json"


def text(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    found = (folder / name).read_text()
    for old, new in changes:
        assert old in found
        found = found.replace(old, new)
    return found


def refused(parse, *arguments) -> str:
    with pytest.raises(ReportError) as error:
        parse(*arguments)
    return str(error.value)


# Utilisation.


def test_7_series():
    found = parse_utilisation(text(SERIES7, "utilization.rpt"), "u.rpt")
    assert found.header.version == "2019.2" and found.header.state == "Routed"
    assert (found.header.design, found.header.device) == ("lutgen_codec", "7z045ffg900-2")
    assert found.family == "7-series"
    assert found.luts == Count(5512, 218600) and found.ffs == Count(5190, 437200)
    assert found.bram36 == Count(88.5, 545) and found.dsps == Count(0, 900)
    assert found.lut_logic == Count(4310, 218600) and found.lut_memory == Count(1202, 70400)
    assert (found.carry, found.muxf, found.uram) == (298, 129, None)


def test_ultrascale_with_a_column_more_and_tables_by_region():
    found = parse_utilisation(text(ULTRASCALE, "utilization.rpt"), "u.rpt")
    assert found.family == "UltraScale" and found.header.version == "2025.1"
    assert found.luts == Count(5433, 230400) and found.ffs == Count(5177, 460800)
    assert found.bram36 == Count(89.5, 312) and found.dsps == Count(0, 1728)
    assert (found.carry, found.muxf, found.uram) == (160, 64, Count(0, 96))


def test_commas_stars_and_labels_of_two_lines():
    found = parse_utilisation(text(VIOLATED, "utilization.txt"), "u.txt")
    assert found.luts == Count(3104, 53200) and found.ffs == Count(3020, 106400)
    assert found.lut_memory == Count(670, 17400)


def test_what_is_not_reported_is_not_zero():
    found = parse_utilisation(text(VIOLATED, "utilization.txt"), "u.txt")
    assert found.carry is None and found.muxf is None and found.uram is None
    # A list of primitives without the cell says that there are none.
    listed = text(SERIES7, "utilization.rpt", ("| CARRY4   |  298 |          CarryLogic |\n", ""))
    assert parse_utilisation(listed, "u.rpt").carry == 0


@pytest.mark.parametrize("row", ["Slice Registers", "Block RAM Tile", "DSPs"])
def test_a_row_of_another_name(row):
    changed = text(SERIES7, "utilization.rpt", (row, "X" * len(row)))
    assert refused(parse_utilisation, changed, "d/u.rpt") == (
        f"d/u.rpt: a utilisation report must have a row '{row}' under the columns 'Site Type' and "
        "'Used'; this one, of Vivado 2019.2, has not"
    )


def test_a_column_of_another_name():
    changed = text(ULTRASCALE, "utilization.rpt", ("| Used |", "| Uses |"))
    assert refused(parse_utilisation, changed, "u.rpt") == (
        "u.rpt: a utilisation report must have a row 'Slice LUTs' or 'CLB LUTs' under the columns "
        "'Site Type' and 'Used'; this one, of Vivado 2025.1, has not"
    )


def test_utilisation_by_hierarchy():
    hierarchy = (
        "| Tool Version : Vivado v.2022.2 (lin64) Build 1\n"
        "| Command : report_utilization -hierarchical\n"
        "Utilization Design Information\n1. Utilization by Hierarchy\n"
        "+----------+--------+------------+-----+\n"
        "| Instance | Module | Total LUTs | FFs |\n"
        "+----------+--------+------------+-----+\n"
        "| top      |  (top) |       5512 | 519 |\n"
        "+----------+--------+------------+-----+\n"
    )
    assert refused(parse_utilisation, hierarchy, "h.rpt").endswith(
        "this one, of Vivado 2022.2, has not: write it without -hierarchical"
    )


@pytest.mark.parametrize("cell", ["    ", "  NA", "5,51", "5.5e", "<0.1"])
def test_cells_that_are_no_numbers(cell):
    changed = text(SERIES7, "utilization.rpt", ("LUTs                 | 5512", f"LUTs | {cell}"))
    assert refused(parse_utilisation, changed, "u.rpt") == (
        f"u.rpt: row 'Slice LUTs' must have a number, not {cell.strip()!r}"
    )


# Timing.


def test_timing():
    found = parse_timing(text(SERIES7, "timing.rpt"), "t.rpt")
    assert (found.wns, found.tns, found.failing, found.endpoints) == (0.205, 0, 0, 13579)
    assert (found.whs, found.ths, found.wpws, found.met) == (0.051, 0, 1.358, True)
    assert found.clocks == (Clock("clk", 4.0, 0.205),)
    assert found.clocks[0].fmax_mhz == pytest.approx(263.505, abs=0.001)
    worst = found.worst
    assert (worst.slack_ns, worst.levels, worst.cells) == (0.205, 4, "CARRY4=1 LUT5=1 LUT6=2")
    assert worst.source == "decoder/core/rans/state_reg[3]/C"
    assert worst.destination == "decoder/core/payload/shift_reg[7]/D"


def test_violated_timing_and_generated_clocks_with_empty_cells():
    found = parse_timing(text(VIOLATED, "timing.rpt"), "t.rpt")
    assert (found.wns, found.tns, found.failing, found.met) == (-0.437, -12.345, 61, False)
    assert found.clocks == (
        Clock("board", 10.0, None),
        Clock("pll_out_with_a_long_name", 6.666, -0.437),
        Clock("deep", 40.0, 30.25),
    )
    assert found.clocks[0].fmax_mhz is None
    assert found.clocks[1].fmax_mhz == pytest.approx(1000 / 7.103)
    assert (found.worst.slack_ns, found.worst.levels) == (-0.437, 5)


@pytest.mark.parametrize(("whs", "met"), [("0.051", None), ("-0.02", False)])
def test_timing_without_setup_constraints(whs, met):
    row = "\n      0.205        0.000                      0                13579        0.051"
    free = f"\n         NA           NA                      0                    0 {whs:>12}"
    found = parse_timing(text(SERIES7, "timing.rpt", (row, free)), "t.rpt")
    assert found.wns is None and found.tns is None and found.endpoints == 0 and found.met is met


@pytest.mark.parametrize(
    "change",
    [
        ("| Design Timing Summary\n", "| Summary of Timing\n"),
        ("    WNS(ns)      TNS(ns)  TNS F", "    WXS(ns)      TNS(ns)  TNS F"),
        ("      0.205        0.000    ", "                   0.000    "),
    ],
)
def test_timing_of_another_layout(change):
    assert refused(parse_timing, text(SERIES7, "timing.rpt", change), "t.rpt") == (
        "t.rpt: a timing summary must have one row of WNS(ns), TNS(ns), TNS Failing Endpoints, TNS "
        "Total Endpoints, WHS(ns), THS(ns), WPWS(ns) in the section 'Design Timing Summary'; this "
        "one, of Vivado 2019.2, has not"
    )


def test_timing_without_clocks_or_numbers():
    changed = text(SERIES7, "timing.rpt", ("| Clock Summary\n", "| Clocks\n"))
    assert "t.rpt: a timing summary must have rows of Clock, Waveform(ns)" in refused(
        parse_timing, changed, "t.rpt"
    )
    changed = text(SERIES7, "timing.rpt", ("      0.205        0.000", "      0,205        0.000"))
    assert refused(parse_timing, changed, "t.rpt") == (
        "t.rpt: column 'WNS(ns)' must have a number, not '0,205'"
    )


def test_timing_without_listed_paths():
    cut = text(SERIES7, "timing.rpt").partition("| Timing Details")[0]
    assert parse_timing(cut, "t.rpt").worst is None


# Power.


def test_power():
    found = parse_power(text(SERIES7, "power.rpt"), "p.rpt")
    assert (found.total, found.dynamic, found.static) == (Watts(0.512), Watts(0.301), Watts(0.211))
    assert found.components == {
        "Clocks": Watts(0.041), "Slice Logic": Watts(0.06), "Signals": Watts(0.09),
        "Block RAM": Watts(0.11), "I/O": Watts(0.001, below=True), "Static Power": Watts(0.211),
    }  # fmt: skip
    assert (found.confidence, found.activity, found.junction_c) == ("Low", "", 25.9)


def test_power_with_remarks_and_bounds():
    found = parse_power(text(ULTRASCALE, "power.rpt"), "p.rpt")
    assert found.total == Watts(40.125) and found.static == Watts(0.001, below=True)
    assert found.components["Static Power"] == Watts(0.001, below=True)
    assert "PS Static" not in found.components
    assert (found.confidence, found.activity, found.junction_c) == ("High", "activity.saif", 125)


@pytest.mark.parametrize("row", ["Total On-Chip Power (W)", "Dynamic (W)", "Device Static (W)"])
def test_power_of_another_layout(row):
    changed = text(SERIES7, "power.rpt", (row, row.replace("(W)", "(mW)")))
    assert refused(parse_power, changed, "p.rpt") == (
        f"p.rpt: a power report must have a row '{row}' of two columns; this one, of Vivado "
        "2019.2, has not"
    )
    changed = text(SERIES7, "power.rpt", (f"| {row}", f"| {row} | NA |\n| x"))
    assert refused(parse_power, changed, "p.rpt") == (
        f"p.rpt: row '{row}' must have a number, not 'NA'"
    )


# Layout.


def test_kinds_are_told_by_the_command():
    assert [report_kind(text(SERIES7, f"{name}.rpt")) for name in ("utilization", "timing", "power")
            ] == ["utilisation", "timing", "power"]  # fmt: skip
    assert report_kind("| Command : report_clock_utilization\nClock Utilization\n") is None
    assert report_kind("| Command : report_timing\nTiming Report\n") is None
    assert report_kind("\nPower Report\n\n1. Summary\n") == "power"  # without a head
    assert report_kind("") is None


def test_layout():
    assert header("| Tool Version : Vivado v.2020.1.1 (lin64)\n").version == "2020.1.1"
    assert header("").design == ""
    assert list(tables("| a | b |\n+---+---+\n| c | 1 |\n| d |\n\n| e | f |")) == [
        (["a", "b"], [["c", "1"]]),
        (["e", "f"], []),
    ]
    assert ruled_table("none") == ([], [])
    assert ruled_table("A    B\n-    -\nx    1\ny\n\nz    2") == (
        ["A", "B"],
        [{"A": "x", "B": "1"}, {"A": "y"}],
    )
    assert [number(cell) for cell in ("-3", "0.5", "1,234", "", "1e3", "nan", "٣")] == [
        -3, 0.5, None, None, None, None, None,
    ]  # fmt: skip
    assert [number(c, thousands=True) for c in ("1,234,567.5", "12,34", "0,205", "7")] == [
        1234567.5, None, None, 7,
    ]  # fmt: skip


# Folders.


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SERIES7, tmp_path / "reports")


def test_a_folder(folder):
    (folder / "notes.txt").write_text("report_power was run at noon\n")
    (folder / "run.log").write_bytes(b"\xff\xfe")
    found = read_reports(folder)
    assert found.files == {
        "utilisation": "utilization.rpt", "timing": "timing.rpt", "power": "power.rpt"
    }  # fmt: skip
    assert found.utilisation.luts.used == 5512 and found.timing.met
    assert found.power.total == Watts(0.512)
    assert len(found.headers) == 3


@pytest.mark.parametrize("gone", ["utilization", "timing", "power"])
def test_reports_that_are_missing(folder, gone):
    (folder / f"{gone}.rpt").unlink()
    found = read_reports(folder)
    kind = gone.replace("utilization", "utilisation")
    assert getattr(found, kind) is None and kind not in found.files
    assert f"no report of {kind} in {folder}" in summary(compare(found))


def test_a_folder_without_reports(tmp_path):
    assert refused(read_reports, tmp_path) == (
        f"{tmp_path} must hold files *.rpt or *.txt that report_utilization, "
        "report_timing_summary, report_power have written, not none"
    )
    with pytest.raises(FileNotFoundError):
        read_reports(tmp_path / "none")


def test_the_last_stage_is_read(folder):
    early = text(SERIES7, "utilization.rpt", (": Routed", ": Synthesized"), ("5512", "9999"))
    (folder / "a_synth.rpt").write_text(early)
    (folder / "z_placed.rpt").write_text(early.replace(": Synthesized", ": Fully Placed"))
    deep = text(SERIES7, "utilization.rpt", ("-file", "-hierarchical -file"), ("5512", "1"))
    (folder / "z_hierarchy.rpt").write_text(deep)
    assert read_reports(folder).files["utilisation"] == "utilization.rpt"
    (folder / "other.rpt").write_text(text(SERIES7, "utilization.rpt"))
    assert refused(read_reports, folder) == (
        f"{folder} must hold one utilisation report of the last stage, not other.rpt and "
        "utilization.rpt"
    )


def test_reports_of_two_designs(folder):
    (folder / "power.rpt").write_text(text(SERIES7, "power.rpt", ("lutgen_codec", "other")))
    assert refused(read_reports, folder) == (
        f"reports in {folder} must be of one design, not of lutgen_codec (timing.rpt) and other "
        "(power.rpt)"
    )


def test_an_unknown_layout_names_the_file(folder):
    (folder / "power.rpt").write_text("| Command : report_power\nPower Report\n")
    assert refused(read_reports, folder) == (
        f"{folder / 'power.rpt'}: a power report must have a row 'Total On-Chip Power (W)' of two "
        "columns; this one, of an unnamed version, has not"
    )


# Beside the estimates.


def build(**changes) -> dict:
    return json.loads(RECORD.read_text()) | {"folder": "rtl"} | changes


def rows(found: dict) -> dict:
    return {row["kind"]: row for row in found["rows"]}


def test_compared_with_a_build():
    record = build()
    record["pair"]["logic_levels"] = 10
    total = record["pair"]["total"]
    found = compare(read_reports(SERIES7), record)
    kinds = rows(found)
    assert kinds["lut"] == {
        "kind": "lut", "vivado": 5512, "available": 218600, "estimate": total["lut"],
        "difference_percent": round(100 * (5512 - total["lut"]) / total["lut"], 1),
    }  # fmt: skip
    assert kinds["lut_memory"]["estimate"] == total["lut_memory"] + total["lut_shift"]
    assert kinds["carry"]["estimate"] == total["carry4"]
    assert kinds["dsp"]["difference_percent"] is None
    assert (kinds["levels"]["vivado"], kinds["levels"]["estimate"]) == (4, 10)
    assert found["met"] and found["clocks"][0]["fmax_mhz"] == pytest.approx(263.505, abs=0.001)
    assert found["estimate"] == {"folder": "rtl", "module": "lutgen_codec", "clock_mhz": 250.0}
    assert [note.split()[:4] for note in found["notes"]] == [["levels", "are", "logic", "levels,"]]
    assert json.loads(json.dumps(found))["reports"]["power"]["total"]["value"] == 0.512
    assert table(found).row_count == len(kinds) == 9
    assert title(found) == "lutgen_codec, 7z045ffg900-2, Vivado 2019.2, routed"


def test_builds_of_the_first_versions_have_no_logic_levels():
    """Their LUT levels are no such number, and are not put beside it."""
    record = build()
    record["pair"].pop("logic_levels", None)
    assert rows(compare(read_reports(SERIES7), record))["levels"]["estimate"] is None


def test_one_core_is_compared_with_its_own_estimate():
    record = build()
    found = compare(read_reports(VIOLATED), record)
    kinds = rows(found)
    assert kinds["lut"]["estimate"] == record["cores"]["decoder"]["resources"]["total"]["lut"]
    assert kinds["carry"]["vivado"] is None and kinds["carry"]["difference_percent"] is None
    assert found["notes"][:3] == [
        "the reports are of several stages: Synthesized, Routed",
        "the reports are of xc7z020clg400-1, the build is for xc7z045ffg900-2",
        "no clock of the reports has the build's goal of 4.000 ns (250 MHz)",
    ]
    shown = summary(found)
    assert "timing NOT MET: setup -0.437 ns, hold +0.030 ns, pulse width +2.083 ns, 61 of 7,500 " \
        "endpoints fail" in shown  # fmt: skip
    assert "clock pll_out_with_a_long_name: 6.666 ns asked for, longest path allows 140.8" in shown


def test_other_cells_designs_and_builds_are_noted():
    kinds = rows(compare(read_reports(ULTRASCALE), build()))
    assert kinds["carry"]["vivado"] == 160 and kinds["carry"]["estimate"] is None
    target = build()["target"]
    zu7ev = target | {"family": "Zynq UltraScale+", "part": "xczu7ev-ffvc1156-2-e"}
    parameters = build()["parameters"] | {"top": "encoder"}
    notes = compare(read_reports(ULTRASCALE), build(target=zu7ev, parameters=parameters))["notes"]
    assert notes == [
        "the reports are of design lutgen_codec, the estimate is of lutgen_encoder alone",
        "the build is counted as 7-series cells, an estimate for Zynq UltraScale+",
    ]
    found = compare(read_reports(SERIES7), build(pair=None))
    assert found["notes"] == ["the build in rtl was made with --no-estimate"]
    assert all(row["estimate"] is None for row in found["rows"])


def test_without_a_build():
    found = compare(read_reports(ULTRASCALE))
    assert found["estimate"] is None and found["met"] is None and found["clocks"] == []
    assert [column.header for column in table(found).columns] == ["", "Vivado", "of device"]
    assert "static <0.001, confidence High; activity: activity.saif" in summary(found)


# The command.


def run(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_command(tmp_path):
    shutil.copy(RECORD, tmp_path / "build.json")
    result = run("--vivado", SERIES7, "--build", tmp_path)
    assert result.exit_code == 0, result.output
    luts = f"{json.loads(RECORD.read_text())['pair']['total']['lut']:,}"
    assert "5,512" in result.stdout and luts in result.stdout and "timing met" in result.stdout
    result = run("--vivado", SERIES7, "--json")
    assert json.loads(result.stdout)["reports"]["timing"]["wns"] == 0.205


def test_command_refuses(tmp_path):
    (tmp_path / "u.rpt").write_text("| Command : report_utilization\n")
    for arguments, status, message in (
        (("--vivado", tmp_path), 1, f"error: {tmp_path / 'u.rpt'}: a utilisation report must have"),
        (("--vivado", tmp_path / "no"), 1, f"error: {tmp_path / 'no'}: No such file or directory"),
        (("--vivado", SERIES7, "--build", tmp_path), 1, "error: build folder must hold build.json"),
        ((), 2, "Error: give BUILD_FOLDER to write a page, or --vivado DIR alone to print what "),
    ):
        result = run(*arguments)
        assert result.exit_code == status
        assert result.stderr.splitlines()[-1].startswith(message)
