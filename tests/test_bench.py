"""The programs that make the evidence, on a few drawn images."""

import importlib.util
import json

import pytest
from click.testing import CliRunner

from bench import figures, gap, luts, table1
from tests.models import pyramid_laplace_model, table_model


def run(command, *arguments):
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pyramid_laplace_model().save("pyramid.lutgen")
    table_model().save("table.lutgen")
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


def measured(results):
    run(table1.main, "glyphs:6", "--model", "pyramid=pyramid.lutgen", "--model",
        "table=table.lutgen", "--out", results / "table1.json")  # fmt: skip
    return json.loads((results / "table1.json").read_text())["data"]["glyphs:6"]


def test_table1(results):
    row = measured(results)
    assert set(row["codecs"]) == {"QOI", "PNG", "WebP", "JPEG-LS", "JPEG XL"}
    for model in row["models"].values():
        assert model["verified"]
        assert model["bpp"]["payload"] < model["bpp"]["file"]
        # Rounding of a model that does not fit at all, and the filling of the last byte.
        assert abs(model["rate_gap"]) < 0.04
    pyramid = row["models"]["pyramid"]
    assert sum(p["bpp"] for p in pyramid["levels"]) == pytest.approx(pyramid["bpp"]["ideal"])
    assert sum(row["per_image"]) / row["pixels"] == pytest.approx(pyramid["bpp"]["ideal"], rel=1e-3)


def test_luts(results):
    run(luts.main, "pyramid.lutgen", "table.lutgen", "--data", "glyphs:4", "--out",
        results / "luts.json")  # fmt: skip
    points = json.loads((results / "luts.json").read_text())["points"]
    assert [p["luts"] for p in points] == sorted(p["luts"] for p in points)
    assert {p["name"] for p in points} == {"pyramid", "table"}


def test_gap(results):
    shown = run(gap.main, "glyphs:12", "--steps", 8, "--luts", 8, "--pixels", 64, "--out", results)
    assert "soft: soft" in shown and "hard: soft" in shown
    for name, hard in (("soft", [False]), ("hard", [False, True])):
        log = [json.loads(x) for x in (results / f"gap-{name}.jsonl").read_text().splitlines()]
        assert sorted({line["hard"] for line in log}) == hard
        for line in log:
            assert line["gap"] == pytest.approx(line["hard_bpp"] / line["soft_bpp"] - 1)


@pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="plots need matplotlib: extra `bench`"
)
def test_figures(results):
    measured(results)
    shown = run(figures.main, "--results", results, "--plots", results / "plots")
    assert "the gap over training is left out" in shown
    names = {path.name for path in (results / "plots").iterdir()}
    assert names == {"figure2-glyphs:6.svg", "figure3.svg"}
