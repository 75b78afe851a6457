"""The command: a page, or Vivado's reports, and clear words where it is neither."""

import json
import shutil

import pytest
from click.testing import CliRunner

from lutgen.cli import main
from tests.report.records import FILES, RESULTS, VIVADO, build, proof, sim


def run(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    shutil.copy(RESULTS / "build.json", tmp_path / "build.json")
    return tmp_path


def test_a_page(folder, tmp_path):
    result = run(folder)
    assert result.exit_code == 0, result.output
    page = folder / "report.html"
    assert result.stderr == (
        f"{page} (not measured: --sim, --prove, --eval, --throughput, --energy)\n"
    )
    assert "Nothing was run in Vivado" in page.read_text()
    (folder / "sim.json").write_text(json.dumps(sim(build())))
    (folder / "prove.json").write_text(json.dumps(proof(build(folder=str(folder)))))
    measured = [text for name, path in FILES.items() for text in (f"--{name}", path)]
    result = run(folder, "-o", tmp_path / "x.html", "--sim", folder / "sim.json", *measured,
                 "--vivado", VIVADO)  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, f"{tmp_path / 'x.html'}\n")
    assert "timing met" in (tmp_path / "x.html").read_text()


USAGE = "give BUILD_FOLDER to write a page, or --vivado DIR alone to print what Vivado reports"


@pytest.mark.parametrize("arguments, message", [
    ([], USAGE),
    (["--build", "x"], USAGE),
    (["--json"], USAGE),
    (["-o", "x.html"], f"--out must stand with BUILD_FOLDER: {USAGE}"),
    (["--vivado", "x", "--sim", "y"], f"--sim must stand with BUILD_FOLDER: {USAGE}"),
    (["folder", "--build", "x"], f"--build must stand without BUILD_FOLDER: {USAGE}"),
    (["folder", "--vivado", "x", "--json"], f"--json must stand without BUILD_FOLDER: {USAGE}"),
])  # fmt: skip
def test_usage(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2 and result.stderr.splitlines()[-1] == f"Error: {message}"


def test_errors_leave_no_page(folder, tmp_path):
    for arguments, message in (
        ((tmp_path / "none",), f"build folder must hold build.json, which '{tmp_path / 'none'}'"),
        ((folder, "--sim", tmp_path / "none"), f"{tmp_path / 'none'}: No such file or directory"),
        ((folder, "--eval", FILES["energy"]), f"{FILES['energy']} must be json that `lutgen eval"),
        ((folder, "--vivado", folder), f"{folder} must hold files *.rpt or *.txt"),
        ((folder, "--throughput", RESULTS / "throughput-gic-dlc-plus.json"),
         f"{RESULTS / 'throughput-gic-dlc-plus.json'} must be of the build's model"),
    ):  # fmt: skip
        result = run(*arguments)
        assert result.exit_code == 1 and result.stderr.startswith(f"error: {message}")
    assert sorted(path.name for path in folder.iterdir()) == ["build.json"]
