"""Builds for colour are checked: tables, comparisons, and images through both cores."""

import re
import shutil

import numpy as np
import pytest

from lutgen.build.codec import build, load_build
from lutgen.build.options import PredictiveOptions
from lutgen.sim.check.build_tables import compare_tables
from lutgen.sim.check.check import check_build, checked_build
from tests.models import colour_model, mosaic_model

SMALL = PredictiveOptions(max_width=48, max_height=40, strip_height=8, name="lutgen")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An encoder for RGB."""
    out = tmp_path_factory.mktemp("colour") / "build"
    options = PredictiveOptions(max_width=48, max_height=40, top="encoder", name="lutgen")
    build("zynq7045", colour_model(), options, out=out, estimate=False)
    return out


def test_tables_and_comparisons(folder, tmp_path):
    checked = checked_build(load_build(folder))
    counts, problems = compare_tables(checked.record, "encoder", checked.tables("encoder"),
                                      checked.luts)  # fmt: skip
    assert (counts["tables"], problems) == (2, [])
    planes = checked.config.planes.models
    assert counts["luts"] > len({(t, f) for p in planes for t, f in zip(
        p.scales.threshold.ravel().tolist(), p.scales.feature.ravel().tolist(), strict=True
    ) if t < 255})  # fmt: skip
    copy = shutil.copytree(folder, tmp_path / "copy")
    for path in sorted(copy.glob("*.mem")):
        text = path.read_text()
        words = text.split()
        path.write_text("\n".join([f"{int(words[0], 16) ^ 1:x}", *words[1:]]) + "\n")
        record = checked.record | {"folder": str(copy)}
        _, problems = compare_tables(record, "encoder", checked.tables("encoder"), checked.luts)
        assert problems, path.name
        path.write_text(text)
    verilog = copy / "lutgen_encoder.v"
    text = verilog.read_text()
    name = re.search(r"f\d+_above_\d+ <= (?!f)(\w+|\\\S+);", text)[1]
    changed = re.sub(rf"assign {re.escape(name)} = ", rf"assign {name} = ~", text, count=1)
    assert changed != text
    verilog.write_text(changed)
    _, problems = compare_tables(record, "encoder", checked.tables("encoder"), checked.luts)
    assert problems


def test_images_that_are_refused(folder):
    checked = checked_build(load_build(folder))
    for image, message in (
        (np.zeros((4, 4), np.uint8), r"must be RGB, uint8 of shape \(H, W, 3\), not uint8 of"),
        (np.zeros((4, 4, 3), np.uint16), r"must be RGB, uint8 of shape \(H, W, 3\), not uint16"),
        (np.zeros((4, 49, 3), np.uint8), "must be at most 48 x 40 pixels, not 49 x 4"),
    ):
        with pytest.raises(ValueError, match=message):
            checked.groups([("a", image)])
    (names, images), = checked.groups([("a", np.full((4, 5, 3), 7, np.uint8))])
    assert names == ["a"] and images.tolist() == [[[0x070707] * 5] * 4]
    with pytest.raises(ValueError, match="^phases must be left out .* use --quick"):
        checked.pictures(0)


@pytest.mark.slow
def test_quick_check(tmp_path):
    build("zynq7045", mosaic_model(), SMALL, out=tmp_path / "b", estimate=False)
    result = check_build(tmp_path / "b", count=4, quick=True, stall=0.2)
    assert result["problems"] == [] and result["ok"]
    assert result["bad_files"]["errors"] == ["bad_header", "bad_strip"]
    with pytest.raises(ValueError, match="^phases must be left out .* use --quick"):
        check_build(tmp_path / "b", count=1)
