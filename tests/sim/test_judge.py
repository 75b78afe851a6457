"""The phases of a build's check: a good core passes, and faults that images do not show fail."""

import re
import shutil

import numpy as np
import pytest

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions
from lutgen.codec.codec import Codec
from lutgen.codec.sample import sample, visited
from lutgen.sim.check.check import check_build
from lutgen.sim.check.check_table import summary
from lutgen.sim.check.judge_pictures import Pictures
from lutgen.sim.drive.stall import Stall
from tests.models import pyramid_table_model, table_model

SMALL = {"tile": (8, 8), "max_width": 40, "max_height": 300}
IMAGE = [("dot", np.full((4, 5), 7, np.uint8))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("judge") / "build"
    build("zynq7045", table_model(), BuildOptions(name="lutgen", **SMALL), out=out, estimate=False)
    return out


def edited(folder, tmp_path, core, pattern, replacement):
    copy = shutil.copytree(folder, tmp_path / "copy")
    path = copy / f"lutgen_{core}.v"
    text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.S)
    assert count == 1
    path.write_text(text)
    return copy


@pytest.mark.exhaustive
def test_good_build(folder):
    found = check_build(folder, IMAGE)
    assert found["ok"], found["problems"]
    for core, runs in found["runs"].items():
        assert [run["problems"] for run in runs] == [[]] * len(runs)
        assert {run["run"] for run in runs} >= {
            "errors", "sizes and files", "pictures of the model", "buffers", "resets at rest",
        }  # fmt: skip
        assert f"{core}: {sum(run['phases'] for run in runs)} phases in" in summary(found)
    assert found["class_symbol_pairs"] > 0.9


@pytest.mark.exhaustive
@pytest.mark.parametrize(("core", "pattern", "replacement", "run"), [
    # Sticky errors that cannot be cleared, and a size of which the top bit is not looked at.
    ("encoder", r"~ \{ clear_error, clear_error \}", "2'h3", "errors"),
    ("encoder", r"= y == before_y;", "= y[7:0] == before_y[7:0];", "sizes and files"),
    ("decoder", r"> 9'h12c;", "> 10'h1ff;", "errors"),
    ("decoder", r"= images == 1'h1;", "= images[7:0] == 1'h1;", "errors"),
])  # fmt: skip
def test_faults_that_images_do_not_show(folder, tmp_path, core, pattern, replacement, run):
    copy = edited(folder, tmp_path, core, pattern, replacement)
    assert check_build(copy, IMAGE, edited=True, quick=True)["ok"]
    found = check_build(copy, IMAGE, edited=True)
    assert not found["ok"]
    assert found["problems"][0].startswith(f"{core}, {run}")
    assert any("so it was not run" in problem for problem in found["problems"])


def test_sampled_pictures_visit_every_class():
    codec = Codec(table_model())
    images = [sample(codec, 40, 70, tile=(8, 8), share=share, seed=2) for share in (0.1, 1)]
    assert all(image.shape == (70, 40) and image.dtype == np.uint8 for image in images)
    seen = [visited(codec, image, (8, 8)) for image in images]
    assert (seen[0] | seen[1]).any(axis=1).mean() > 0.9
    # What the model finds likely is shorter than noise.
    sizes = [len(codec.encode(image, tile=(8, 8)).data) for image in images]
    assert sizes[0] < sizes[1]
    again = sample(codec, 40, 70, tile=(8, 8), share=0.1, seed=2)
    np.testing.assert_array_equal(again, images[0])
    assert sample(Codec(pyramid_table_model()), 9, 5, tile=(8, 8)).shape == (5, 9)


def test_sizes_at_the_limits():
    options = BuildOptions(tile=(8, 16), max_width=300, max_height=1000)
    pictures = Pictures(Codec(table_model()), options, 0)
    sizes = pictures.limits(20_000)
    assert {(300, 1), (1, 1000), (1, 256), (1, 257), (257, 1), (7, 15), (9, 17)} <= set(sizes)
    assert all(1 <= w <= 300 and 1 <= h <= 1000 for w, h in sizes)
    assert max(w * h for w, h in sizes) <= 20_000 + 257
    assert any(w > 256 and h > 64 for w, h in sizes)
    made = pictures.of(13, 300, 3)
    assert made.shape == (3, 300, 13) and not (made[0] == made[1]).all()
    # Both cores get the same pictures.
    np.testing.assert_array_equal(pictures.again().of(5, 5), pictures.again().of(5, 5))
    assert Stall(1.0).mask(3).all()
