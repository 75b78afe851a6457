"""Builds of profile predictive."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from lutgen.build.blueprints import summary, table
from lutgen.build.buildable import find_plan
from lutgen.build.codec import build, load_build
from lutgen.build.folder import new_record
from lutgen.build.options import BuildOptions, PredictiveOptions, options_of
from lutgen.build.predictive_blueprint import PredictiveBlueprint
from lutgen.build.testbench import Picture
from lutgen.cli import main
from lutgen.codec.predictive.codec import PredictiveCodec
from lutgen.codec.predictive.container import Frame
from lutgen.errors import InputError
from lutgen.files.whole import files_below
from lutgen.model.shipped import find_model, shipped
from lutgen.targets import get_target
from tests.models import colour_model, mosaic_model

SMALL = PredictiveOptions(max_width=48, max_height=42, strip_height=8)


def test_rate_is_that_of_the_slower_core():
    photo = shipped("photo")
    target = get_target("zynq7045")
    rate = find_plan(photo, None, target).rate(250)
    assert rate == {"pixels_per_beat": 1, "clocks_per_pixel": 1.001562, "mpx_per_s": 249.61}
    both = PredictiveOptions(max_width=64)
    encoder = PredictiveOptions(max_width=64, top="encoder")
    assert find_plan(photo, encoder, target).rate(250)["clocks_per_pixel"] == 2.125
    assert find_plan(photo, both, target).rate(250)["clocks_per_pixel"] == 4.25


def test_folder_of_a_build():
    plan = find_plan(shipped("photo"), PredictiveOptions(depth=12), get_target("zynq7045"))
    assert plan.folder == "codec-photo-12bit"


@pytest.mark.slow
def test_several_cores():
    """Slabs of strips that they hold; what the testbench sends is a file of slabs."""
    photo, target = shipped("photo"), get_target("zynq7045")
    for cores, clocks in ((2, 0.501563), (4, 0.251563)):
        plan = find_plan(photo, PredictiveOptions(cores=cores), target)
        rate = plan.rate(250)
        assert (rate["pixels_per_beat"], rate["clocks_per_pixel"]) == (cores, clocks)
        assert plan.folder == f"codec-photo-8bit-x{cores}" and plan.cores == cores
        assert plan.options.strip_height == 64
        frame = Frame.unpack(plan.encode(plan.picture(None)))
        assert (frame.slabs, frame.strip_height) == (cores, 8)
    text = PredictiveBlueprint.header(
        {"model": plan.model_record(), "parameters": plan.options.record(), "cores": {}}
        | new_record(target), "m",
    )  # fmt: skip
    assert "// cores          4, a slab each, and as many samples a beat\n" in text


@pytest.mark.parametrize(("options", "message"), [
    ({"cores": 3}, "cores must be 1, 2, 4 or 8, not 3"),
    ({"cores": 2, "stream_bytes": 1}, "stream width must be 2, 4 or 8 bytes for 2 cores, not 1"),
])  # fmt: skip
def test_several_cores_that_are_refused(options, message):
    with pytest.raises(InputError, match=f"^{message}"):
        find_plan(shipped("photo"), PredictiveOptions(**options), get_target("zynq7045"))


@pytest.mark.slow
@pytest.mark.parametrize(("make", "cores", "clocks", "taken", "shape"), [
    (colour_model, 2, 1.504688, "pixels", (8, 64, 3)),
    # 17 clocks for each of the decoder's lanes are more than such narrow slabs have columns.
    (mosaic_model, 4, 0.283333, "samples", (8, 64)),
    (mosaic_model, 8, 0.283333, "samples", (8, 114)),
])  # fmt: skip
def test_several_cores_of_colour(make, cores, clocks, taken, shape):
    """The testbench's picture is wide enough for as many slabs."""
    target = get_target("zynq7045")
    plan = find_plan(make(), PredictiveOptions(cores=cores), target)
    rate = plan.rate(250)
    assert (rate["pixels_per_beat"], rate["clocks_per_pixel"]) == (cores, clocks)
    picture = plan.picture(None)
    assert picture.samples.shape == shape
    frame = Frame.unpack(plan.encode(picture))
    assert frame.slabs == cores and frame.shape[1:] == shape
    text = PredictiveBlueprint.header(
        {"model": plan.model_record(), "parameters": plan.options.record(), "cores": {}}
        | new_record(target), "m",
    )  # fmt: skip
    assert f"// cores          {cores}, a slab each, and as many {taken} a beat\n" in text


def test_options_of_another_profile_are_refused():
    with pytest.raises(ValueError, match="^options must be PredictiveOptions for a model of "):
        find_plan(shipped("photo"), BuildOptions(), get_target("zynq7045"))


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict:
    out = tmp_path_factory.mktemp("predictive") / "build"
    return build("zynq7045", "photo", SMALL, out=out, estimate=False)


def test_build(built):
    record = load_build(built["folder"])
    assert options_of(record) == SMALL.settle(shipped("photo"), get_target("zynq7045"))
    folder = Path(record["folder"])
    assert find_model(folder / "model.lutgen").hash == record["model"]["hash"]
    assert {*files_below(folder)} == {*record["files"], "build.json"}
    assert {"c/src/lutgen.h", "c/src/model_photo.c"} < {*record["files"]}
    for core in ("encoder", "decoder"):
        made = record["cores"][core]
        text = (folder / f"{made['module']}.v").read_text()
        assert f"\nmodule {made['module']}" in text
        assert "// samples        8 bits\n" in text
        assert "// strips         8 rows each\n" in text
        assert {port["name"] for port in made["ports"]} >= {"clk", "rst", "idle", "error"}
    assert (folder / "files.f").read_text().split() == [
        f"lutgen_{record['model']['hash'][:8]}_{part}.v" for part in ("encoder", "decoder", "codec")
    ]
    words = record["cores"]["decoder"]["memory_bits"]
    groups = 16 * 4 * 48 * 8  # of whole groups: rows have blocks no longer than they need them
    assert groups // 2 < words["pictures"] < groups
    text = summary(record)
    assert "samples of 8 bits, images up to 48x42, strips: 8 rows each" in text
    assert "resources not counted" in text


def test_words_about_nears(built):
    """Only of builds that have them."""
    near = built | {"parameters": built["parameters"] | {"near": 5}}
    assert "near" not in PredictiveBlueprint.header(built, "m") + summary(built)
    assert "// near           errors of up to 5, lossless at 0\n" in (
        PredictiveBlueprint.header(near, "m")
    )
    assert "samples of 8 bits with errors of up to 5, images up to" in summary(near)


@pytest.mark.slow
def test_testbench_of_near_lossless_cores():
    """Its encoder is told the greatest near, and its decoder gives what that leaves."""
    options = PredictiveOptions(max_width=48, max_height=42, near=3)
    plan = find_plan(shipped("photo"), options, get_target("generic"))
    picture = plan.picture(None)
    decoded = plan.decoded(picture)
    assert plan.settings["near"] == 3 and 0 < np.abs(
        decoded.astype(int) - picture.samples
    ).max() <= 3
    np.testing.assert_array_equal(
        PredictiveCodec(plan.model, threads=1).decode(plan.encode(picture))[0], decoded
    )


@pytest.mark.slow
def test_command_counts(tmp_path):
    """The encoder for 1,920 x 1,080, as a user builds it: of the pair it has most LUTs."""
    out = tmp_path / "build"
    done = CliRunner().invoke(
        main, ["build", "--target", "zynq7045", "--top", "encoder", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    record = json.loads((out / "build.json").read_text())
    found = record["cores"]["encoder"]["resources"]
    assert set(found["blocks"]) == {"pictures", "walk", "prediction", "loop", "strips", "rest"}
    assert found["total"]["lut"] == sum(block["lut"] for block in found["blocks"].values())
    assert min(block["lut"] for block in found["blocks"].values()) > 0
    assert found["levels"] == 4
    # Bounds of what Yosys 0.70 counts: another version may come out a little otherwise.
    total = found["total"]
    assert total["lut"] <= 6900 and total["bram36"] <= 56 and total["dsp"] <= 23
    assert "network" not in found
    assert table(record).row_count == 7
    assert "samples of 8 bits" in done.output


@pytest.mark.parametrize(("make", "beats", "facts"), [
    (colour_model, 3, {"planes": 3, "mosaic": False}),
    (mosaic_model, 1, {"planes": 4, "mosaic": True}),
])  # fmt: skip
def test_plans_of_colour(make, beats, facts):
    """A pixel takes as many clocks as it has samples; a plane of a mosaic is half as wide."""
    model, target = make(), get_target("zynq7045")
    plan = find_plan(model, PredictiveOptions(max_width=1920, top="encoder"), target)
    columns = 960 if facts["mosaic"] else 1920
    assert plan.rate(250)["clocks_per_pixel"] == pytest.approx(
        beats * (columns + 3) / columns, abs=1e-6
    )
    record = plan.model_record()
    assert record | facts == record
    assert record["classes"] == sum(plane.classes for plane in model.planes)
    picture = plan.picture(None)
    assert picture.samples.shape == ((8, 64) if facts["mosaic"] else (8, 64, 3))
    assert plan.encode(picture)


def test_pictures_of_colour(tmp_path):
    """Of a mosaic an even part, of colour RGB or gray, without alpha."""
    image = np.arange(5 * 7 * 4, dtype=np.uint8).reshape(5, 7, 4)
    np.save(tmp_path / "rgba.npy", image)
    np.save(tmp_path / "rgb.npy", image[..., :3])
    np.save(tmp_path / "gray.npy", image[..., 0])
    even = Picture.of(tmp_path / "gray.npy", (64, 64), even=True)
    np.testing.assert_array_equal(even.samples, image[:4, :6, 0])
    assert even.cropped_from == (7, 5)
    rgb = Picture.of(tmp_path / "rgb.npy", (64, 64), colour=True)
    np.testing.assert_array_equal(rgb.samples, image[..., :3])
    gray = Picture.of(tmp_path / "gray.npy", (64, 64), colour=True)
    np.testing.assert_array_equal(gray.samples, np.repeat(image[..., :1], 3, axis=2))
    with pytest.raises(ValueError, match="picture of a testbench must be gray or RGB .* alpha$"):
        Picture.of(tmp_path / "rgba.npy", (64, 64), colour=True)
