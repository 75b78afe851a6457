"""The programs that make the evidence, on a few drawn images."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import bench
from bench import damage, figures, gap, luts, table1
from bench.sets import images_of, name_of
from lutgen.codec.rans import CHECK_STATE, push
from lutgen.compare.baselines import BASELINES
from lutgen.training.data.datasets import DatasetError, data_hash, load_images
from tests.models import laplace_model, pyramid_laplace_model, table_model

needs_plots = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="plots need matplotlib: extra `bench`"
)


PROGRAMS = sorted(path.stem for path in Path(bench.__file__).parent.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_find_what_they_import(name):
    """Also those that no test runs, since what they measure takes long."""
    importlib.import_module(f"bench.{name}")


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


@pytest.mark.slow
def test_table1(results):
    row = measured(results)
    assert set(row["codecs"]) == set(BASELINES)
    for model in row["models"].values():
        assert model["verified"]
        assert model["bpp"]["payload"] < model["bpp"]["file"]
        # Rounding of a model that does not fit at all, and the filling of the last byte.
        assert abs(model["rate_gap"]) < 0.04
    pyramid = row["models"]["pyramid"]
    assert sum(p["bpp"] for p in pyramid["levels"]) == pytest.approx(pyramid["bpp"]["ideal"])
    assert sum(row["per_image"]) / row["pixels"] == pytest.approx(pyramid["bpp"]["ideal"], rel=1e-3)
    # The same networks, another head.
    assert list(row["models"]) == ["pyramid", "pyramid, paper", "table"]
    paper = row["models"]["pyramid, paper"]
    assert (paper["luts"], paper["profile"]) == (pyramid["luts"], pyramid["profile"])
    assert paper["hash"] != pyramid["hash"]
    images = load_images("glyphs:6", split="val")
    assert (row["source"], row["sha256"]) == ("glyphs:6", data_hash(images))


def test_sets_are_parts_under_their_own_names():
    whole = load_images("glyphs:6", split="val")
    for text, name, part in (
        ("glyphs:6", "glyphs:6", whole), ("late=glyphs:6#4:", "late", whole[4:]),
        ("glyphs:6#:2", "glyphs:6", whole[:2]), ("two sets=glyphs:6#1:3", "two sets", whole[1:3]),
    ):  # fmt: skip
        assert name_of(text) == name
        assert data_hash(images_of(text)) == data_hash(part)
    with pytest.raises(DatasetError, match="must be at least one image, not none$"):
        images_of("glyphs:6#6:")
    with pytest.raises(DatasetError, match="^data must be DATA or NAME=DATA#FIRST:LAST, not"):
        images_of("glyphs:6#x")


def test_table1_adds_sets_of_the_same_models(results):
    out = results / "table1.json"
    given = ("--model", "table=table.lutgen", "--out", out)
    run(table1.main, "glyphs:2", *given)
    run(table1.main, "late=glyphs:3#2:", "--add", *given)
    found = json.loads(out.read_text())
    assert list(found["data"]) == ["glyphs:2", "late"]
    assert (found["data"]["late"]["source"], found["data"]["late"]["images"]) == (
        "late=glyphs:3#2:", 1,
    )  # fmt: skip
    assert found["command"].count("python -m bench.table1") == 2
    other = ["glyphs:2", "--add", "--model", "other=table.lutgen", "--out", str(out)]
    result = CliRunner().invoke(table1.main, other)
    assert result.exit_code == 1
    assert result.output.endswith("table1.json must be of the same models, to add to it\n")


@pytest.mark.slow
@pytest.mark.parametrize("symbol", [0, 100, 255])
def test_rate_of_one_pixel(symbol):
    model = table_model()
    found = table1.rate(model, [np.full((1, 1), symbol, np.uint8)])
    table = model.head.cumulative[model.classify(np.zeros((12, 1), np.uint8))[0]]
    start, end = table[symbol : symbol + 2].tolist()
    emitted = push(CHECK_STATE, start, end - start)[2]
    predicted = 14 - np.log2(end - start)
    assert found["per_image"] == [pytest.approx(predicted)]
    assert (found["packets"], found["padding_bits"]) == (1, -(17 + emitted) % 8)
    assert found["rate_gap_without_padding"] == pytest.approx(emitted / predicted - 1)
    filled = emitted + found["padding_bits"]
    assert found["rate_gap"] == pytest.approx(filled / predicted - 1)


@pytest.mark.slow
def test_rate_counts_every_packet():
    images = [np.zeros((33, 65), np.uint8), np.zeros((8, 8), np.uint8)]
    found = table1.rate(table_model(), images)
    assert found["packets"] == 2 * 3 + 1
    assert 0 <= found["padding_bits"] <= 7 * 7


@pytest.mark.slow
def test_table1_of_learned_baselines(results, monkeypatch):
    fake = SimpleNamespace(
        kind="fake", parameter_count=7,
        bits=lambda images: {1: 1.0, 0: 3.0 * sum(i.size for i in images) - 1},
    )  # fmt: skip
    module = SimpleNamespace(load=lambda path: {"a.npz": fake}[path])
    monkeypatch.setitem(sys.modules, "lutgen.training.baselines.files", module)
    out = results / "table1.json"
    shown = run(
        table1.main, "glyphs:2", "--baseline", "mlp=a.npz", "--model", "table=table.lutgen",
        "--out", out,
    )  # fmt: skip
    found = json.loads(out.read_text())["data"]["glyphs:2"]["learned"]["mlp"]
    assert found.pop("levels").keys() == {"0", "1"}
    assert found == {"kind": "fake", "parameters": 7, "ideal": 3.0}
    for part in ("mlp, ideal", "table, file per image", "table, one file", "IC-MLP, published"):
        assert part in shown


def test_names_without_a_file(results):
    result = CliRunner().invoke(
        table1.main, ["glyphs:2", "--model", "table.lutgen", "--out", "x.json"]
    )
    assert result.exit_code == 2
    assert "must be NAME=FILE, not 'table.lutgen'" in result.output


def test_luts(results):
    run(luts.main, "pyramid.lutgen", "table.lutgen", "--data", "glyphs:4", "--out",
        results / "luts.json")  # fmt: skip
    points = json.loads((results / "luts.json").read_text())["points"]
    assert [p["luts"] for p in points] == sorted(p["luts"] for p in points)
    assert {p["name"] for p in points} == {"pyramid", "table"}


def test_table_bits():
    assert luts.table_bits(table_model(walker=False, bits=3).head) == 8 * 256 * 14
    head = laplace_model().head
    scale = (head.scales - 1).bit_length()
    wanted = 14 * 1024 * head.scales + 9 * len(head.mu) + scale * len(head.sigma)
    assert luts.table_bits(head) == wanted


@pytest.mark.slow
def test_gap(results):
    shown = run(gap.main, "glyphs:12", "--steps", 8, "--luts", 8, "--pixels", 64, "--out", results)
    assert "soft: soft" in shown and "hard: soft" in shown
    for name, hard in (("soft", [False]), ("hard", [False, True])):
        log = [json.loads(x) for x in (results / f"gap-{name}.jsonl").read_text().splitlines()]
        assert sorted({line["hard"] for line in log}) == hard
        for line in log:
            assert line["gap"] == pytest.approx(line["hard_bpp"] / line["soft_bpp"] - 1)


@pytest.mark.slow
@needs_plots
def test_figures(results):
    measured(results)
    shown = run(figures.main, "--results", results, "--plots", results / "plots")
    assert "the gap over training is left out" in shown
    names = {path.name for path in (results / "plots").iterdir()}
    assert names == {"figure2-glyphs:6.svg", "figure3.svg"}
    # Other images than those measured are not shown as if they were.
    table = json.loads((results / "table1.json").read_text())
    table["data"]["glyphs:6"]["source"] = "glyphs:6:1"
    (results / "table1.json").write_text(json.dumps(table))
    (results / "plots" / "figure3.svg").unlink()
    shown = run(figures.main, "--results", results, "--plots", results / "plots")
    assert "figure 3 is left out: glyphs:6 is not the images that were measured" in shown
    assert not (results / "plots" / "figure3.svg").exists()


@needs_plots
def test_no_gap_is_shown_where_none_is_measured(results):
    def line(step, soft, hard, is_hard):
        return json.dumps({"phase": "arm", "step": step, "soft_bpp": soft, "hard_bpp": hard,
                           "gap": hard / soft - 1, "hard": is_hard}) + "\n"  # fmt: skip

    other = json.dumps({"phase": "ups", "step": 5, "hard": False, "soft_rmse": 1.0}) + "\n"
    first = other + line(10, 2.0, 2.1, False)
    (results / "gap-soft.jsonl").write_text(first + line(20, 2.0, 2.02, False))
    (results / "gap-hard.jsonl").write_text(first + line(20, 2.03, 2.03, True))
    (results / "gap-start.jsonl").write_text(line(10, 2.2, 2.2, True) + line(20, 2.1, 2.1, True))
    figures.gap(results, results / "plots")
    text = (results / "plots" / "gap.svg").read_text()
    for part in (
        "soft: 2.020 bpp at the end, hard", "last measured: 1.00 % at step 20",
        "hard: 2.030 bpp at the end, hard", "last measured: 5.00 % at step 10",
        "hard from the start: nothing to measure",
    ):  # fmt: skip
        assert part in text
    assert "0.00 %" not in text


@needs_plots
def test_figure_of_luts(results):
    run(luts.main, "pyramid.lutgen", "table.lutgen", "--data", "glyphs:2", "--out",
        results / "luts.json")  # fmt: skip
    figures.luts(results, results / "plots")
    text = (results / "plots" / "luts.svg").read_text()
    assert ">pyramid<" in text and ">table<" in text and "glyphs:2, 2 images" in text


def test_damage(tmp_path):
    """Every change is found, missed or harmless; rows of a file stay, and come back the same."""
    stack = np.random.default_rng(0).integers(0, 256, (3, 9, 40), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", val=stack)
    table_model().save(tmp_path / "m.lutgen")
    out = tmp_path / "d.json"

    def run(*rows):
        arguments = [*rows, "--model", tmp_path / "m.lutgen", "--changes", 60, "--out", out]
        result = CliRunner().invoke(damage.main, [str(a) for a in arguments])
        assert result.exit_code == 0, result.output
        return json.loads(out.read_text())

    first, second = (f"{tmp_path / 'set.npz'}:{coder}" for coder in ("rans", "tans8"))
    one = run(first)
    both = run(second)
    assert both["rows"][first] == one["rows"][first]
    for row in both["rows"].values():
        assert row["found"] + row["missed"] + row["harmless"] == row["changes"] == 60
        assert row["found"] > 40 and row["images"] == 3
        low, high = row["missed_95"]
        assert 0 <= low <= row["missed"] / 60 <= high < 1
    out.unlink()
    assert run(first)["rows"][first] == one["rows"][first]
