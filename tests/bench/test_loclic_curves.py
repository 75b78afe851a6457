"""Curves, tables and plots of the lossy codec, with and without one that is ours."""

import importlib.util
import json

import pytest
from click.testing import CliRunner

from bench import loclic_plots
from bench.axes import axes_of, label_points
from bench.tables.loclic import loclic_bd, loclic_coding, loclic_photographs, loclic_points
from bench.tables.loclic_curves import (
    Curve,
    ahead,
    decibel,
    difference,
    measured,
    models,
    published,
)
from lutgen.training.loclic.measure.published import KODAK, KODAK_MS_SSIM
from lutgen.training.loclic.measure.results import FIGURES, Results

needs_plots = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="plots need matplotlib: extra `bench`"
)


def save(folder, name, rates, psnr, ms_ssim, **more):
    lists = dict.fromkeys(FIGURES, [0.5] * len(rates))
    lists |= {"bpp": rates, "psnr-rgb": psnr, "ms-ssim-rgb": ms_ssim}
    Results(name, f"{name} of two images", lists | more).save(folder / f"loclic-{name}.json")


@pytest.fixture
def results(tmp_path):
    """JPEG; ours in four points and one that is beaten; one that is too short; something else."""
    save(tmp_path, "jpeg", [0.2, 0.4, 0.8, 1.6], [27, 29, 32, 35.5], [0.89, 0.94, 0.97, 0.99],
         quality=[10, 20, 50, 80])  # fmt: skip
    save(tmp_path, "small", [0.3, 0.15, 0.35, 0.6, 0.9], [29, 27, 28.5, 31, 33],
         [0.94, 0.9, 0.945, 0.96, 0.98], step=[4, 8, 3, 2, 1],
         **{"lambda": [0.01] * 5})  # fmt: skip
    save(tmp_path, "small-int", [5.0, 6.0, 7.0], [45, 46, 47], [0.998, 0.9985, 0.999])
    (tmp_path / "loclic-training.json").write_text('{"seconds": 1}')
    return tmp_path


def named(curves):
    return {curve.label: curve for curve in curves}


def test_measured_curves(results):
    curves = named(measured(results))
    assert list(curves) == [
        "jpeg, measured", "loc-lic-small-int, measured", "loc-lic-small, measured"
    ]  # fmt: skip
    ours = curves["loc-lic-small, measured"]
    assert ours.best("psnr") == ([0.15, 0.3, 0.6, 0.9], [27, 29, 31, 33])
    assert ours.best("ms-ssim")[0] == [0.15, 0.3, 0.35, 0.6, 0.9]
    assert ours.qualities["ms-ssim"][1] == pytest.approx(10)
    assert [c.total for c in models(ours.name, "macs").values()] == [pytest.approx(60.82, abs=0.01)]
    assert models("loc-lic-small-int", "macs").keys() == {"loc-lic-small"}
    assert not models("jpeg", "macs")


def test_best_of_one_rate():
    curve = Curve("a", "measured", [1.0, 1.0, 2.0], {"psnr": [30.0, 31.0, 31.0]})
    assert curve.best("psnr") == ([1.0], [31.0])
    assert decibel(0.99) == pytest.approx(20)


def test_published_curves():
    curves = named(published())
    assert len(curves) == len(KODAK)
    assert curves["loc-lic, published, read off a plot"].rates == [0.122, 0.208, 0.34, 0.6]
    for name, values in KODAK_MS_SSIM.items():
        assert len(values) == len(KODAK[name][0])
        assert list(values) == sorted(values)
    assert len(models("mlic++", "macs")) == len(models("hyperprior", "macs")) == 2
    cheng = curves["cheng2020-anchor, published"]
    found = difference(cheng, curves["hyperprior, published"])
    assert found.rate == pytest.approx(29.2, abs=0.1)
    assert found.quality == pytest.approx(-1.17, abs=0.01)
    assert found.rate_over == (28.58, 36.70)
    assert found.quality_over == (0.1313, 0.8057)


def test_rates_that_a_codec_wins_at():
    def curve(rates, psnr):
        return Curve("a", "measured", rates, {"psnr": psnr})

    anchor = curve([0.25, 1.0, 4.0], [30, 34, 38])
    # Better by 1 dB at 0.5, as good at 1 and by 1 dB worse at 2; nothing is known below and beyond.
    assert ahead(anchor, curve([0.5, 2.0], [33, 35])) == [pytest.approx((0.5, 1.0))]
    assert ahead(anchor, curve([0.1, 16.0], [40, 50])) == [pytest.approx((0.25, 4.0))]
    assert ahead(anchor, curve([0.25, 0.5, 1, 2], [31, 31.5, 33, 37])) == [
        pytest.approx((0.25, 0.25 * 2**(2 / 3))), pytest.approx((2**0.5, 2.0)),
    ]  # fmt: skip
    assert ahead(anchor, anchor) == ahead(anchor, curve([5, 6], [1, 2])) == []


def test_undefined_differences():
    low = Curve("low", "measured", [0.1, 0.2, 0.3, 0.4], {"psnr": [25, 26, 27, 28]})
    high = Curve("high", "measured", [0.2, 0.3, 0.4, 0.5], {"psnr": [35, 36, 37, 38]})
    found = difference(low, high)
    assert (found.rate, found.rate_over) == (None, "no overlap")
    assert found.quality == pytest.approx(10, abs=2)
    assert found.quality_over == (0.2, 0.4)
    short = Curve("short", "measured", [0.1, 0.2, 0.3], {"psnr": [25, 26, 27]})
    assert difference(low, short).quality_over == "fewer than 4 points"


def test_tables(results):
    points = loclic_points(results)
    assert "| loc-lic-small | lambda 0.01, step 8 | 0.1500 | 27.00 | 0.9000 | 10.00 |" in points
    assert "| jpeg | quality 10 | 0.2000 | 27.00 |" in points
    assert "`python -m bench.loclic_baselines`, `python -m bench.loclic TRAINED CODEC`" in points
    table = loclic_bd(results)
    assert table.count("\n| ") == 2 + 3 + 3
    assert "| loc-lic-small, measured | jpeg, measured | -" in table
    assert "dB (0.20 to 0.90 bit/pixel)" in table
    assert "| loc-lic-small-int, measured | hyperprior, published | fewer than 4 points |" in table
    table = loclic_photographs(results)
    assert "| jpeg | 0.200: 27.00; " in table and "| loc-lic-small-int | " in table
    assert f"--out bench/results/{results.name}`" in table
    for path in results.glob("*small*"):
        path.unlink()
    assert "bench.loclic TRAINED" not in loclic_points(results)
    (results / "loclic-jpeg.json").unlink()
    assert "published" in loclic_bd(results)


def test_table_of_coding(tmp_path):
    assert loclic_coding(tmp_path).startswith("(not measured yet: ")
    one, both = {"bpp": 0.51, "psnr-rgb": 30.0}, {"encode": 0.02, "decode": 0.03}
    record = {
        "model_hash": "0123456789abcdef01", "images": 2, "threads": 2, "trained_steps": 1300,
        "trained_seconds": 7200, "device": "cpu", "integers": one, "floats": one | {"bpp": 0.5},
        "integer_cost": 0.02, "coding_seconds": both, "coding_share": both,
        "differing_values": 0, "thread_counts": [1, 2],
    }  # fmt: skip
    (tmp_path / "loclic-small-coding.json").write_text(json.dumps(record))
    assert not measured(tmp_path)
    assert (
        "| loc-lic-small, 0123456789abcdef | 1,300 steps, 120 min, cpu | 0.5100 / 0.5000 | "
        "30.00 / 30.00 | +2.00% | 20.0 / 30.0 | 2.0% / 3.0% | 0 with 1, 2 threads |"
    ) in loclic_coding(tmp_path)


def plots(results, out):
    arguments = ["--results", str(results), "--out", str(out)]
    found = CliRunner().invoke(loclic_plots.main, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return {path.name: path.read_text() for path in out.iterdir()}, found.output


@pytest.mark.slow
@needs_plots
def test_plots(results, tmp_path):
    found, _ = plots(results, tmp_path / "plots")
    names = ("figure1", "figure3", "figure4", "figure5", "bd-rate")
    assert found.keys() == {f"loclic-{name}.svg" for name in names}
    for name in ("figure1", "figure3", "figure5", "bd-rate"):
        text = found[f"loclic-{name}.svg"]
        assert "loc-lic-small, measured" in text
        assert "cheng2020-anchor, published" in text
    for name in ("figure1", "figure4"):
        assert "convolutions + linear, true MACs" in found[f"loclic-{name}.svg"]
        assert "by torchinfo's rule" in found[f"loclic-{name}.svg"]
    assert "270.8 (published: 270)" in found["loclic-figure4.svg"]
    assert "loc-lic, published, read off a plot" in found["loclic-figure5.svg"]
    assert "too few points: loc-lic-small-int, measured" in found["loclic-figure1.svg"]


@pytest.mark.slow
@needs_plots
def test_plots_of_published_curves_alone(tmp_path):
    found, shown = plots(tmp_path, tmp_path / "plots")
    assert "BD-rate is left out" in shown
    assert len(found) == 4
    assert not any(", measured" in text for text in found.values())


@needs_plots
def test_labels_do_not_overlap():
    from matplotlib.text import Text

    points = [(1, 1, "the first"), (1.02, 1.01, "the second"), (1.04, 1, "the third")]
    figure, axis = axes_of("", "x", "y")
    axis.set_xlim(0, 2)
    axis.set_ylim(0, 2)
    label_points(axis, points, [(1.3, 1)])
    figure.canvas.draw()
    assert sorted(text.get_text() for text in axis.texts) == sorted(name for *_, name in points)
    # Letters alone, without the line to the mark.
    boxes = [Text.get_window_extent(text) for text in axis.texts]
    for i, box in enumerate(boxes):
        assert axis.get_window_extent().contains(*box.min)
        assert not any(box.overlaps(other) for other in boxes[:i])
