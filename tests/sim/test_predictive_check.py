"""Builds of profile predictive are checked: a good one passes, and faults of many kinds fail."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from lutgen.build import blueprints
from lutgen.build.buildable import find_plan
from lutgen.build.codec import build, load_build
from lutgen.build.options import PredictiveOptions
from lutgen.cli import main
from lutgen.codec.container import CorruptStreamError
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame, check_strips
from lutgen.codec.predictive.sample import sample, visited
from lutgen.formats.imageio import write_image
from lutgen.gateware.predictive.planes import Planes
from lutgen.model.samples import SampleFormat
from lutgen.model.shipped import shipped
from lutgen.sim.check.build_tables import changed_files, compare_tables
from lutgen.sim.check.check import check, check_build, checked_build
from lutgen.sim.check.check_table import summary, table
from lutgen.sim.check.judge_predictive import PredictiveJudge
from lutgen.sim.check.picture_form import PictureForm
from lutgen.sim.check.predictive_pictures import PredictivePictures, synthetic_photographs
from lutgen.targets import get_target
from tests.models import predictive_model
from tests.tiers import slow_but_first

SMALL = PredictiveOptions(max_width=48, max_height=42, name="lutgen")
CORES = ("encoder", "decoder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("predictive") / "build"
    build("zynq7045", "photo", SMALL, out=out, estimate=False)
    return out


@pytest.fixture(scope="module")
def small(folder):
    """A copy of the files that are read back, which a test may change and must restore."""
    return checked_build(load_build(folder))


def compared(checked, core, folder=None):
    record = checked.record | ({"folder": str(folder)} if folder else {})
    return compare_tables(record, core, checked.tables(core), checked.luts)


def edited(folder, tmp_path, core, pattern, replacement):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / f"lutgen_{core}.v"
    text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.S)
    assert count == 1
    path.write_text(text)
    return copy


@pytest.mark.slow
def test_tables_and_trees_of_a_build(folder, small):
    assert changed_files(load_build(folder)) == []
    stats = small.model.stats()
    for core, tables in zip(CORES, (2, 4), strict=True):
        counts, problems = compared(small, core)
        assert problems == []
        assert counts["tables"] == tables
        # A LUT for each bit of a tree, and each comparison once.
        assert stats["table_luts"] < counts["luts"] <= stats["table_luts"] + stats["comparisons"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "target", "options"), [
    ("photo-16", "ecp5-85k", {"depth": 12, "max_width": 60, "strip_height": 8}),
    ("photo-16", "generic", {"depth": 16, "stream_bytes": 8}),
    ("photo", "zynq7045", {"depth": 10, "lanes": 20, "encoder_lanes": 12}),
])  # fmt: skip
def test_tables_of_other_depths_and_devices(name, target, options, tmp_path):
    wanted = PredictiveOptions(**{"max_width": 48, "max_height": 42, **options})
    build(target, name, wanted, out=tmp_path / "b", estimate=False)
    checked = checked_build(load_build(tmp_path / "b"))
    for core, tables in zip(CORES, (2, 4), strict=True):
        counts, problems = compared(checked, core)
        assert (counts["tables"], problems) == (tables, [])


@pytest.mark.parametrize("core", slow_but_first(reversed(CORES)))
def test_any_bit_of_any_table(folder, small, tmp_path, core):
    """The first and the last word, one bit of each memory of the core."""
    tables = small.tables(core)
    copy = shutil.copytree(folder, tmp_path / "copy")
    for path in sorted(copy.glob(f"lutgen_{core}_*.mem")):
        text = path.read_text()
        words = text.split()
        for row in (0, len(words) - 1):
            changed = list(words)
            changed[row] = f"{int(words[row], 16) ^ 1:x}"
            path.write_text("\n".join(changed))
            # LUTs are in the Verilog, which is as it was.
            _, problems = compare_tables(small.record | {"folder": str(copy)}, core, tables)
            wanted = f"{path.name}: address {row} must hold {int(words[row], 16):#x}, not "
            # A file of zeros is that of several memories.
            assert problems and all(wanted in p or "more" in p for p in problems), path.name
        path.write_text(text)
    assert compared(small, core, copy)[1] == []


@pytest.mark.parametrize(("pattern", "replacement", "message"), [
    (r"(assign \w+ = f28_low\[5\] )\|", r"\1&", r"f28_above_\d+ must compare with"),
    (r"(assign \w+ = f26_beyond )\|", r"\1&", r"f26_above_\d+ must compare with"),
    (r"(assign \w+ = )~ (f9_sign_\w+;)", r"\1\2", r"f9_above_\d+ must compare with"),
    (r"(assign \w+ = )f27_(low\[4\])", r"\1f28_\2", r"f27_above_\d+: it must not look at f28_low"),
    (r"(\n    f28_above_20 <= )\w+;", r"\g<1>f28_above_20;", None),
    (r"(\n    f(\d+_above_\d+)_11 <= )f\2_10;", r"\g<1>f1_above_1_10;", "is that of f1_above_1_10"),
    (r"64'h([0-9a-f]{15})[0-7] >>", r"64'h\g<1>f >>", r"bit . of \w+_\d+ must be"),
    (r"(64'h\w+ >> \{ )(\w+), (\w+),", r"\1\3, \2,", r"bit . of \w+_\d+ must be"),
    (r"(    leaf <= \{ )(\w+), (\w+),", r"\1\3, \2,", r"lead to leaf \d+ give address"),
    (r"(leaf_below_\d+ <= \{ )(\w+), (\w+),", r"\1\3, \2,", r"lead to leaf \d+ give address"),
])  # fmt: skip
def test_changed_trees(folder, small, tmp_path, pattern, replacement, message):
    copy = edited(folder, tmp_path, "decoder", pattern, replacement)
    _, problems = compared(small, "decoder", copy)
    if message is None:  # a register of itself is that of its own question
        assert problems == []
        return
    assert any(re.search(message, problem) for problem in problems), problems
    assert all(p.startswith("decoder: lutgen_decoder.v: ") for p in problems)


def test_changed_word_stops_the_check(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / "lutgen_decoder_0.mem"
    words = path.read_text().split()
    words[3] = f"{int(words[3], 16) ^ 4:x}"
    path.write_text("\n".join(words))
    found = check_build(copy)
    assert not found["ok"] and found["checks"] == 0
    assert found["problems"][0] == f"{path.name} is not what was written"
    assert f"{path.name}: address 3 must hold" in found["problems"][1]
    assert found["problems"][-1] == "so nothing was simulated"
    assert "samples of 8 bits" in table(found).title


@pytest.mark.parametrize(("image", "message"), [
    (np.zeros((4, 49), np.uint8), r"^image 'x' must be at most 48 x 42 pixels, not 49 x 4: build"),
    (np.zeros((4, 4), np.uint16), r"^image 'x' must be 8-bit grayscale .*, not uint16 of shape"),
    (np.zeros((4, 4, 3), np.uint8), r"of shape \(H, W\), not uint8 of shape \(4, 4, 3\)$"),
])  # fmt: skip
def test_images_that_the_build_does_not_take(small, image, message):
    with pytest.raises(ValueError, match=message):
        small.groups([("x", image)])


def test_images_of_deeper_builds(small):
    deeper = small.record | {"parameters": small.record["parameters"] | {"depth": 12}}
    deeper = checked_build(deeper)
    names, images = deeper.groups([("x", np.full((4, 4), 4095, np.uint16))])[0]
    assert (names, images.dtype) == (["x"], np.uint16)
    for image, message in (
        (np.zeros((4, 4), np.uint8),
         r"^image 'x' must be 16-bit grayscale of shape \(H, W\) for samples of 12 bits, not "),
        (np.full((4, 4), 4096, np.uint16),
         r"^image 'x' must have samples of 12 bits, not 4096: build with --depth 13$"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            deeper.groups([("x", image)])


@pytest.mark.parametrize(("depth", "largest"), [(8, (1920, 1080)), (12, (48, 42)), (8, (8, 8))])
def test_synthetic_photographs(depth, largest):
    form = PictureForm(Planes.of(predictive_model()), depth)
    images = dict(synthetic_photographs(form, largest, 0))
    assert all(i.shape[1] <= largest[0] and i.shape[0] <= largest[1] for i in images.values())
    assert {i.dtype for i in images.values()} == {np.dtype(np.uint8 if depth == 8 else np.uint16)}
    assert max(int(i.max()) for i in images.values()) < 1 << depth
    if largest == (1920, 1080):
        codec = PredictiveCodec(shipped("photo"), threads=1)
        image = images["photograph 480x320"]
        bits = 8 * len(codec.encode(image, depth=8)) / image.size
        assert 1.5 < bits < 5  # as photographs have


def test_pictures_of_the_phases():
    codec = PredictiveCodec(shipped("photo-16"), threads=1)
    pictures = PredictivePictures(
        codec, PictureForm(Planes.of(codec.model), 12), (300, 1000), 0
    )  # fmt: skip

    def clocks(width, height):
        return 40 * max(width, 20) * height

    sizes = pictures.limits(clocks, 200_000)
    assert {(300, 1), (255, 1), (257, 1), (1, 65), (17, 9), (2, 5)} <= set(sizes)
    assert all(1 <= w <= 300 and 1 <= h <= 1000 for w, h in sizes)
    assert max(clocks(w, h) for w, h in sizes[-4:]) <= 200_000
    assert all(image.dtype == np.uint16 for image in pictures.drawn)
    assert max(int(image.max()) for image in pictures.drawn) == 4095
    assert pictures.visited() > 0.3
    # Both cores get the same pictures.
    np.testing.assert_array_equal(pictures.again().of(5, 5), pictures.again().of(5, 5))


def test_sampled_pictures_visit_many_rows():
    codec = PredictiveCodec(shipped("photo"), threads=1)
    images = [sample(codec, 90, 70, share=share, seed=2) for share in (0.02, 1)]
    seen = [visited(codec, image) for image in images]
    assert (seen[0] | seen[1]).any(axis=1).mean() > 0.85
    sizes = [len(codec.encode(image, tile_width=0)) for image in images]
    assert sizes[0] < sizes[1]
    np.testing.assert_array_equal(sample(codec, 90, 70, share=0.02, seed=2), images[0])


@pytest.mark.parametrize(("arguments", "message"), [
    (["--model", "photo", "--tile", "8x8"], "--tile must be left out for a model of profile"),
    (["--model", "digits", "--depth", "10"], "--depth must be left out for a model of profile"),
    (["--model", "photo", "--depth", "7"], "bit depth must be 8 to 16, not 7"),
    (["--build", "DIR", "--depth", "10"], "--build must stand without --depth"),
])  # fmt: skip
def test_options_of_the_command(folder, arguments, message):
    arguments = [str(folder) if argument == "DIR" else argument for argument in arguments]
    done = CliRunner().invoke(main, ["sim", *arguments])
    assert done.exit_code != 0
    assert message in done.stderr + str(done.exception)


def test_default_model_is_that_of_the_depth(monkeypatch):
    """As `lutgen build` has it."""
    class Built(Exception):
        pass

    def build_nothing(target, model, options, **_):
        raise Built(find_plan(model, options, get_target(target)).model.hash)

    monkeypatch.setattr("lutgen.sim.check.check.build", build_nothing)
    for depth, name in ((8, "photo"), (12, "photo-16")):
        with pytest.raises(Built, match=f"^{shipped(name).hash}$"):
            check(None, None, PredictiveOptions(depth=depth))


@pytest.mark.slow
def test_deep_images_are_read(tmp_path):
    """As files of 16 bits, and refused by name where they have too many."""
    write_image(tmp_path / "deep.png", np.full((4, 5), 1 << 12, np.uint16))
    done = CliRunner().invoke(main, [
        "sim", "--depth", "12", "--images", str(tmp_path / "deep.png"), "--max-width", "8",
        "--max-height", "8", "--quick",
    ])  # fmt: skip
    assert done.exit_code != 0
    text = done.stderr + str(done.exception)
    assert "must have samples of 12 bits, not 4096: build with --depth 13" in text


@pytest.mark.exhaustive
def test_good_build(folder):
    found = check_build(folder)
    assert found["ok"], found["problems"]
    for core, runs in found["runs"].items():
        assert [run["problems"] for run in runs] == [[]] * len(runs)
        assert [run["run"] for run in runs] == [
            "errors", "sizes and files", "pictures of the model", "buffers", "resets at rest",
            "resets at any time",
        ]  # fmt: skip
        assert f"{core}: {sum(run['phases'] for run in runs)} phases in" in summary(found)
    assert found["bad_files"]["errors"] == ["bad_header", "bad_strip"]


@pytest.fixture(scope="module")
def near_folder(tmp_path_factory):
    """A build for nears up to 5, with registers, of a small model."""
    out = tmp_path_factory.mktemp("near") / "build"
    options = replace(SMALL, near=5, registers=True)
    build("zynq7045", predictive_model(), options, out=out, estimate=False)
    return out


@pytest.fixture
def first_runs(monkeypatch):
    """Judges have two runs only; the others, which all builds have, take as long again."""
    every = PredictiveJudge.runs
    monkeypatch.setattr(PredictiveJudge, "runs", lambda self: every(self)[:2])


@pytest.mark.slow
@pytest.mark.usefixtures("first_runs")
def test_good_build_of_nears(near_folder):
    found = check_build(near_folder, [("x", np.zeros((9, 9), np.uint8))])
    assert found["ok"], found["problems"]
    for runs in found["runs"].values():
        assert [run["run"] for run in runs] == ["errors", "nears"]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("first_runs")
@pytest.mark.parametrize(("core", "pattern", "replacement"), [
    # Nears of the register that the core's port has no bits for; what indices of near 4 stand for.
    ("encoder", r"(near_\d+) > 3'h5;", r"\1 > 8'hfe;"),
    ("decoder", r"4'hb : 4'h9;", "4'hb : 4'h8;"),
])  # fmt: skip
def test_faults_that_nears_show(near_folder, tmp_path, core, pattern, replacement):
    copy = edited(near_folder, tmp_path, core, pattern, replacement)
    found = check_build(copy, [("x", np.zeros((9, 9), np.uint8))], edited=True)
    assert not found["ok"]
    assert found["problems"][0].startswith(f"{core}, errors"), found["problems"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("core", "pattern", "replacement", "run"), [
    # An error that is stuck, or cannot be cleared; a size at its limit, and above it.
    ("encoder", r"~ \{ clear_error, clear_error \}", "2'h3", "errors"),
    ("decoder", r"~ \{ clear_error, clear_error, clear_error \}", "3'h7", "errors"),
    ("encoder", r"<= 6'h30;", "<= 6'h31;", "errors"),
    ("decoder", r"height > 6'h2a;", "height > 6'h29;", "sizes and files"),
])  # fmt: skip
def test_faults_that_images_do_not_show(folder, tmp_path, core, pattern, replacement, run):
    copy = edited(folder, tmp_path, core, pattern, replacement)
    found = check_build(copy, [("x", np.zeros((9, 9), np.uint8))], edited=True)
    assert not found["ok"]
    assert found["problems"][0].startswith(f"{core}, {run}"), found["problems"]


@pytest.fixture(scope="module")
def several_folder(tmp_path_factory):
    """A build of two cores of a small model."""
    out = tmp_path_factory.mktemp("several") / "build"
    options = replace(SMALL, cores=2, strip_height=8)
    record = build("zynq7045", predictive_model(), options, out=out, estimate=False)
    assert f"  lutgen sim --build {out}\n" in blueprints.summary(record)
    return out


@pytest.mark.exhaustive
def test_good_build_of_several_cores(several_folder):
    """Phases of one core, and of what cores of several slabs wait for."""
    found = check_build(several_folder)
    assert found["ok"], found["problems"]
    for runs in found["runs"].values():
        assert [run["run"] for run in runs] == [
            "errors", "sizes and files", "pictures of the model", "buffers", "queues",
            "resets at rest", "resets at any time",
        ]  # fmt: skip
    assert found["bad_files"]["errors"] == ["bad_header", "bad_strip"]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("first_runs")
def test_good_build_of_several_cores_with_registers(tmp_path):
    """Errors of all kinds, in the registers; what counters read is compared with images."""
    options = replace(SMALL, cores=4, strip_height=12, registers=True, near=1)
    build("zynq7045", predictive_model(), options, out=tmp_path / "several", estimate=False)
    found = check_build(tmp_path / "several")
    assert found["ok"], found["problems"]
    for runs in found["runs"].values():
        assert [run["run"] for run in runs] == ["errors", "nears"]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("core", "run", "pattern", "replacement"), [
    # Images that are too narrow for two slabs; words in queues, which nobody is told of.
    ("encoder", "errors", r">= \$signed\(3'h2\)", ">= $signed(3'h1)"),
    ("decoder", "sizes and files", r"= \| some_inside;", "= 1'h0;"),
])  # fmt: skip
def test_faults_that_phases_of_several_cores_show(
    several_folder, tmp_path, monkeypatch, core, run, pattern, replacement
):
    every = PredictiveJudge.runs
    monkeypatch.setattr(
        PredictiveJudge, "runs", lambda self: [r for r in every(self) if r.name == run]
    )
    copy = edited(several_folder, tmp_path, core, pattern, replacement)
    checked = checked_build(load_build(copy))
    judge = checked.judge(core, checked.pictures(0), share=0.3, seed=0)
    _, problems = judge.judge(lambda name: None)
    assert problems and problems[0].startswith(f"{run}, "), problems


def test_a_build_of_several_cores(small):
    """Its files have slabs, and its images, also those of the phases, are wide enough for them."""
    parameters = small.record["parameters"] | {"cores": 4, "strip_height": 8}
    several = checked_build(small.record | {"parameters": parameters})
    images = several.images(None, 0)
    assert images and min(image.shape[1] for _, image in images) >= 13
    files = several.files([image for _, image in images])
    assert {Frame.unpack(file).slabs for file in files} == {4}
    damaged = several.bad_files(several.groups(images), 0).files[0]
    with pytest.raises(CorruptStreamError, match=r"^checksum of strip 3 is wrong"):
        check_strips(damaged, Frame.unpack(damaged))
    pictures = several.pictures(0)
    assert pictures.of(1, 1).shape == pictures.noise(3, 1).shape == (1, 1, 13)
    sizes = pictures.limits(lambda width, height: width * height, 1000)
    assert {13, 15, 16, 17, 47, 48} <= {width for width, _ in sizes}
    assert min(width for width, _ in sizes) == 13


@pytest.mark.parametrize(("slabs", "side", "most", "width"), [
    (1, 21, 48, 21), (2, 21, 48, 23), (4, 21, 48, 29), (8, 9, 60, 57), (4, 40, 42, 32),
])  # fmt: skip
def test_widths_whose_first_slab_is_no_narrower_than_others(slabs, side, most, width):
    form = PictureForm(Planes.of(predictive_model()), 8, slabs)
    assert form.even_width(side, most) == width
    samples = SampleFormat(8)
    frame = Frame(bytes(8), samples, width, 1, 1, slabs=slabs)
    sizes = [right - left for left, right in map(frame.columns, range(slabs))]
    assert max(sizes) == sizes[0]
