"""Builds for colour are checked: tables, trees, images and phases; faults of many kinds are found.
"""

import re
import shutil

import numpy as np
import pytest

from lutgen.build.codec import build, load_build
from lutgen.build.options import PredictiveOptions
from lutgen.codec.predictive.container import Frame
from lutgen.sim.check.build_tables import compare_tables
from lutgen.sim.check.check import check_build, checked_build
from lutgen.sim.check.judge_predictive import PredictiveJudge
from lutgen.sim.check.picture_form import Coding
from lutgen.sim.tool.design import Design
from tests.models import colour_model, mosaic_model

pytestmark = pytest.mark.slow

#: A few lanes' worth of columns, so that simulations are short.
SMALL = {"max_width": 24, "max_height": 20, "strip_height": 8, "name": "lutgen"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Both cores for RGB."""
    out = tmp_path_factory.mktemp("colour") / "build"
    build("zynq7045", colour_model(), PredictiveOptions(**SMALL), out=out, estimate=False)
    return out


@pytest.fixture(scope="module")
def checked(folder):
    return checked_build(load_build(folder))


def compared(checked, folder):
    record = checked.record | {"folder": str(folder)}
    return compare_tables(record, "encoder", checked.tables("encoder"), checked.luts)


def edited(folder, tmp_path, core, pattern, replacement):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / f"lutgen_{core}.v"
    text, count = re.subn(pattern, replacement, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)
    return copy


def test_tables_and_trees(folder, checked):
    counts, problems = compared(checked, folder)
    assert (counts["tables"], problems) == (2, [])
    planes = checked.config.planes.models
    bits = sum(p.corrections.bits(t) for p in planes for t in range(len(p.corrections)))
    # Of three planes a register has one tree each: more LUTs than the widest plane's trees.
    assert counts["luts"] > len({(t, f) for p in planes for t, f in zip(
        p.scales.threshold.ravel().tolist(), p.scales.feature.ravel().tolist(), strict=True
    ) if t < 255}) + bits / len(planes)  # fmt: skip


def test_any_bit_of_any_table(folder, checked, tmp_path):
    tables = checked.tables("encoder")
    copy = shutil.copytree(folder, tmp_path / "copy")
    for path in sorted(copy.glob("lutgen_encoder_*.mem")):
        text = path.read_text()
        words = text.split()
        path.write_text("\n".join([f"{int(words[0], 16) ^ 1:x}", *words[1:]]) + "\n")
        # LUTs are in the Verilog, which is as it was.
        record = checked.record | {"folder": str(copy)}
        assert compare_tables(record, "encoder", tables)[1], path.name
        path.write_text(text)


@pytest.mark.parametrize(("pattern", "replacement", "message"), [
    # A bit of a LUT, one of its inputs, a comparison.
    (r"64'h([0-9a-f]{15})[0-7] >>", r"64'h\g<1>f >>", r"bit . of \w+ of plane \d must be"),
    (r"(64'h\w+ >> \{ )(\w+), (\w+),", r"\1\3, \2,", r"bit . of \w+ of plane \d must be"),
    (r"(assign \w+ = f\d+_low\[5\] )\|", r"\1&", r"f\d+_above_\d+ must compare with"),
    # Trees, and leaves, of two planes that have changed places.
    (r"(number_\d+\[0\] \? )(\{ n[\w, ]+\}) : (\{ n[\w, ]+\});", r"\1\3 : \2;",
     r"bit . of \w+ of plane 1 must be"),
    (r"(number_\d+\[0\] \? )leaf_1_below_0 : leaf_0_below_0;",
     r"\1leaf_0_below_0 : leaf_1_below_0;", r"lead to leaf \d+ of plane 0 give address"),
    # The first row of a plane's token tables.
    (r"(number_\d+\[1\] \? )7'h7b : ", r"\g<1>7'h7a : ",
     r"first_row of plane 2 must be 123, not 122"),
    (r"(leaf_2_below_\d+ <= \{ )(\w+), (\w+)", r"\1\3, \2", r"leaf \d+ of plane 2 give address"),
])  # fmt: skip
def test_changed_trees(folder, checked, tmp_path, pattern, replacement, message):
    _, problems = compared(checked, edited(folder, tmp_path, "encoder", pattern, replacement))
    assert any(re.search(message, problem) for problem in problems), problems


def test_tree_that_is_not_there(folder, checked, tmp_path):
    copy = edited(folder, tmp_path, "encoder", r"\bscales_0_of_\d+_\d+_\d+ <=", "other <=")
    assert any("trees of scales of plane 0 must be" in p for p in compared(checked, copy)[1])


def test_images_that_are_refused(checked):
    for image, message in (
        (np.zeros((4, 4), np.uint8), r"must be RGB, uint8 of shape \(H, W, 3\), not uint8 of"),
        (np.zeros((4, 4, 3), np.uint16), r"must be RGB, uint8 of shape \(H, W, 3\), not uint16"),
        (np.zeros((4, 25, 3), np.uint8), "must be at most 24 x 20 pixels, not 25 x 4"),
    ):
        with pytest.raises(ValueError, match=message):
            checked.groups([("a", image)])
    (names, images), = checked.groups([("a", np.full((4, 5, 3), 7, np.uint8))])
    assert names == ["a"] and images.tolist() == [[[0x070707] * 5] * 4]


def test_pictures_of_the_phases(checked):
    """All orders of planes come, with all nears; drawn pictures are packed and of their order."""
    codings = checked.form.codings((0, 1, 5))
    assert len({next(codings) for _ in range(18)}) == 18
    pictures = checked.pictures(0)
    assert {p.dtype for p in pictures.drawn} == {np.dtype(np.int64)}
    image = pictures.of(5, 3)[0]
    file = checked.form.file(checked.codec, image, 3, Coding(order=4))
    np.testing.assert_array_equal(checked.codec.decode(file)[0], checked.form.samples(image))
    assert pictures.visited() > 0.1
    # As AMD's UG934 has them: red, blue, green from the highest bits.
    assert checked.form.packed(np.array([1, 2, 3])) == 0x010302


def test_a_build_of_several_cores(checked):
    """Its files have slabs, and its images are packed pixels that are wide enough for them."""
    parameters = checked.record["parameters"] | {"cores": 2}
    several = checked_build(checked.record | {"parameters": parameters})
    images = several.images(None, 0)
    assert images and min(image.shape[1] for _, image in images) >= 3
    for _, image in images:
        file, = several.files([image])
        assert Frame.unpack(file).slabs == 2
        found, = several.codec.decode(file)
        np.testing.assert_array_equal(several.form.packed(found), image)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("make", "options", "run"), [
    (colour_model, {"cores": 2, "registers": True}, "errors"),
    (mosaic_model, {"cores": 4, "depth": 12, "max_width": 32}, "queues"),
])  # fmt: skip
def test_good_build_of_several_cores(make, options, run, tmp_path, some_runs):
    """With every error, in registers, of one; strips that fill all queues of the other."""
    some_runs(lambda given: given.name == run)
    wanted = PredictiveOptions(**{**SMALL, **options})
    build("zynq7045", make(), wanted, out=tmp_path / "several", estimate=False)
    found = check_build(tmp_path / "several")
    assert found["ok"], found["problems"]
    assert found["bad_files"]["errors"] == ["bad_header", "bad_strip"]
    for runs in found["runs"].values():
        assert [given["run"] for given in runs] == [run]


@pytest.fixture(scope="module")
def mosaic_folder(tmp_path_factory):
    """Both cores for colour filter arrays of 12 bits, with registers and nears."""
    out = tmp_path_factory.mktemp("mosaic") / "build"
    options = PredictiveOptions(**SMALL, depth=12, registers=True, near=2)
    build("zynq7045", mosaic_model(), options, out=out, estimate=False)
    return out


@pytest.fixture
def some_runs(monkeypatch):
    """Keeps the runs of judges that a test wants: the others are those of all builds."""
    every = PredictiveJudge.runs

    def keep(wanted):
        monkeypatch.setattr(
            PredictiveJudge, "runs", lambda self: [run for run in every(self) if wanted(run)]
        )

    return keep


@pytest.mark.exhaustive
def test_good_build(folder, some_runs):
    some_runs(lambda run: not run.upset)
    found = check_build(folder, count=3)
    assert found["ok"], found["problems"]
    assert found["bad_files"]["errors"] == ["bad_header", "bad_strip"]
    for runs in found["runs"].values():
        assert [run["run"] for run in runs] == [
            "errors", "sizes and files", "pictures of the model", "buffers"
        ]  # fmt: skip


@pytest.mark.exhaustive
def test_good_build_of_mosaics(mosaic_folder, some_runs):
    """Through its registers, near by near."""
    some_runs(lambda run: run.name in ("errors", "nears"))
    found = check_build(mosaic_folder, count=3)
    assert found["ok"], found["problems"]
    for runs in found["runs"].values():
        assert [run["run"] for run in runs] == ["errors", "nears"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("core", "pattern", "replacement"), [
    # Orders of planes that are none, at the encoder's port and in files.
    ("encoder", r"(order )< 3'h6;", r"\1< 4'h8;"),
    ("decoder", r">= \$signed\(4'h6\);", r">= $signed(4'h7);"),
])  # fmt: skip
def test_faults_that_images_do_not_show(
    folder, checked, tmp_path, some_runs, core, pattern, replacement
):
    copy = edited(folder, tmp_path, core, pattern, replacement)
    some_runs(lambda run: run.name == "errors")
    design = Design.of(copy / f"lutgen_{core}.v", f"lutgen_{core}")
    judge = checked.judge(core, checked.pictures(0), share=0.3, seed=0, design=design)
    _, problems = judge.judge(lambda name: None)
    assert problems and re.search(r"^errors, .* (order|channels)", problems[0]), problems
