"""Pages of profile ``predictive``: what they show and take, and what nothing measures yet."""

import json
import re
import shutil

import lxml.html
import pytest
from click.testing import CliRunner

from lutgen.cli import main
from lutgen.report.conditions import conditions
from lutgen.report.diagram import diagram
from lutgen.report.measured import read_measured
from lutgen.report.page import render
from lutgen.report.sheets import sheet_of
from tests.report.records import (
    FILES,
    PREDICTIVE,
    RESULTS,
    VIVADO,
    build,
    kodak,
    load,
    none_measured,
    predictive_page,
    sim,
)
from tests.report.test_page import HOSTILE, parse, words


def built(**parameters) -> dict:
    record = build(PREDICTIVE)
    record["parameters"] |= parameters
    return record


def bare(record: dict) -> str:
    return words(render(record, none_measured(record)))


# What it shows.


def test_title_block():
    text, record = words(predictive_page()), built()
    for shown in (
        record["model"]["hash"], "profile predictive", "samples 8 bits",
        "largest image 1,920 × 1,080", "strips one of an image",
        "groups of four rows side by side encoder 8, decoder 16",
        "clocks of a period encoder 32, decoder 64",
        "columns that keep all groups busy encoder 133, decoder 269", "entropy coder rANS",
        "control plain ports", "stream 4 bytes per beat", "features 38", "predictors 64",
        "LUT trees 48", "classes 44",
    ):  # fmt: skip
        assert shown in text
    tree = lxml.html.fromstring(predictive_page())
    assert tree.xpath("//h1")[0].text == "photo"
    assert tree.xpath("//title")[0].text == "codec of photo for zynq7045: lutgen report"
    without_files = re.sub(r"\bc/src/\S+", "", words(predictive_page()))  # C has all profiles
    assert "tile" not in without_files.lower()


def test_a_model_may_have_any_name():
    record = built()
    record["model"]["name"] = HOSTILE
    page = render(record, none_measured(record))
    assert not parse(page).seen["script"] and not parse(page).seen["img"]
    assert words(page).count(HOSTILE) >= 2


def test_options_that_are_not_the_default():
    text = bare(built(depth=12, strip_height=64, registers=True))
    assert "samples 12 bits" in text and "strips 64 rows each" in text
    assert "control AXI4-Lite registers" in text
    assert "of a learned lossless image codec" in text and "greatest error" not in text
    text = bare(built(near=5))
    assert "of a learned lossless and near-lossless image codec" in text
    assert "greatest error, of each image 0 to 5" in text


def test_blocks_stand_along_the_pipeline_with_their_purpose():
    text, record = words(predictive_page()), built()
    start = text.index("Encoder, mapped by")
    names = ("picture memory", "walk", "windows", "prediction", "strips", "rest")
    places = [text.index(f" {name} ", start) for name in names]
    assert places == sorted(places)
    found = record["cores"]["encoder"]["resources"]["blocks"]["prediction"]
    shown = " ".join(f"{found[key]:,}" for key in ("lut", "ff"))
    assert f"prediction scale, features, predictor, LUT trees, class {shown} " in text
    dsps, share = (record["pair"][key]["dsp"] for key in ("total", "percent"))
    assert dsps > 0 and f"DSP {dsps}, {share:.2f} % of device estimated" in text


def test_the_rate_that_follows_from_the_structure():
    """It stands beside the rivals, and says that it is calculated."""
    record = built()
    rate, text = record["rate"], bare(record)
    clocks, mpx = rate["clocks_per_pixel"], rate["mpx_per_s"]
    assert f"1,920 columns {clocks:.4f} clk/px at least, {mpx:.1f} Mpx/s at most calculated" in text
    for core in ("encoder", "decoder"):
        luts = record["cores"][core]["resources"]["total"]["lut"]
        assert f"this build, {core} {luts:,} {mpx:.1f} {1000 * mpx / luts:.1f} xc7z045" in text
    assert text.count("constraint of 250 MHz, not routed, clocks calculated") == 2
    counted = {"resources": None}
    cores = {name: core | counted for name, core in record["cores"].items()}
    assert f"this build, encoder – {mpx:.1f} –" in bare(record | {"cores": cores, "pair": None})


def test_compression():
    text, result = words(predictive_page()), kodak()["kodak"]
    size = result["bpp"]["file_each"]
    assert "kodak. 24 images, 9,437,184 pixels, strips: one of an image." in text
    assert "The line at 8 is the raw image." in text
    assert f"File size, kodak {size:.3f} bit/pixel measured" in text
    assert f"this model, one file per image whole files, as the codecs above {size:.3f}" in text
    assert "one file of all" not in text
    assert "The reference codec gave all of 24 images back as they were." in text
    record = built(depth=12)
    page = render(record, none_measured(record) | {"eval": kodak()})
    assert "The line at 12 is the raw image." in words(page)
    mark = lxml.html.fromstring(page).xpath("//svg[@aria-labelledby]/desc")
    assert any("The line at 12 is the uncompressed image" in desc.text for desc in mark)


# Diagrams.


def picture(record, core):
    return lxml.html.fromstring(diagram(sheet_of(record), core))


@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_all_luts_are_in_the_picture(core):
    record = built()
    texts = [text.text for text in picture(record, core).xpath(".//text")]
    shown = [text.removesuffix(" LUT").removeprefix("beside them, LUT: rest ") for text in texts
             if text.endswith(" LUT") or text.startswith("beside them")]  # fmt: skip
    luts = sum(int(number.replace(",", "")) for number in shown)
    assert luts == record["cores"][core]["resources"]["total"]["lut"]


def test_cores_differ_in_what_goes_back():
    encoder, decoder = (picture(built(), core) for core in ("encoder", "decoder"))
    texts = [[text.text for text in found.xpath(".//text")] for found in (encoder, decoder)]
    assert {"error, energy", "sample", "Fold", "within a period of 32 clocks"} < set(texts[0])
    assert {"decoded sample", "Unfold", "within a period of 64 clocks"} < set(texts[1])
    told = [found.xpath(".//desc")[0].text for found in (encoder, decoder)]
    assert told[0] == (
        "From s_axis_video to m_axis_stream at the file side: Picture memory, Walk, Windows, "
        "Prediction, Fold, Strips. The walk visits each of the four rows of 8 groups once in a "
        "period of 32 clocks. Its error is back in the windows before the row’s next turn."
    )
    assert told[1].startswith("From m_axis_video at the image side, to s_axis_stream at the file")
    # Heads of the loop: the windows; of the decoder also the picture memory, of the encoder the
    # sample that goes past the prediction.
    for found in (encoder, decoder):
        assert len(found.xpath(".//path[@class='loop-head']")) == 2


def test_a_deep_port_says_how_many_bits_count():
    record = built(depth=12)
    for port in record["cores"]["encoder"]["ports"]:
        port["width"] = 16 if port["name"] == "s_axis_video_tdata" else port["width"]
    texts = [text.text for text in picture(record, "encoder").xpath(".//text")]
    assert "12-bit pixels, 16 bits" in texts


# What was measured.


def test_conditions():
    result = kodak()["kodak"]

    def of_build(found=result, **parameters):
        return conditions(sheet_of(built(**parameters)), found)

    assert of_build() == []
    assert of_build(depth=12) == ["depth: measured with 8 bits, built with 12 bits"]
    assert of_build(result | {"depths": {"8": 1, "12": 2}}, depth=12) == [
        "depth: measured with 8 and 12 bits, built with 12 bits"
    ]
    assert of_build(strip_height=64) == [
        "strips: measured with one of an image, built with 64 rows each"
    ]
    assert of_build(result | {"strip_height": 64}, strip_height=64) == []
    assert of_build(result | {"tile_width": 256}) == [
        "tile width: measured with 256, built with the image’s"
    ]
    assert of_build(result | {"colour_model": {}}) == ["models: measured with 2, built with 1"]


def test_commands():
    sheet = sheet_of(built())
    folder = "rtl_out/none"
    assert sheet.command("sim") == f"lutgen sim --build {folder} --stall 0.3 --json > sim.json"
    assert sheet.command("eval") == (
        f"lutgen eval IMAGES --model {folder}/model.lutgen --json > eval.json"
    )
    assert sheet_of(built(strip_height=64)).command("eval") == (
        f"lutgen eval IMAGES --model {folder}/model.lutgen --strip-height 64 --json > eval.json"
    )
    for name in ("throughput", "energy"):
        assert sheet.command(name) == (
            f"python -m bench.{name} --images IMAGES --model {folder}/model.lutgen --target "
            f"zynq7045 --out {name}.json"
        )


@pytest.mark.parametrize("several", [False, True])
def test_what_nothing_measures_is_said_without_a_command(several):
    record = built(cores=2) if several else build("build-photo-rgb.json")
    sheet, text = sheet_of(record), bare(record)
    assert sheet.command("throughput") is sheet.command("energy") is None
    nothing = "No command measures it of such a build yet."
    assert f"Clocks per pixel of both cores. {nothing}" in text
    assert f"Energy per pixel of both cores. {nothing}" in text
    assert text.count("This measures it:") == 3 and "bench." not in text
    missing = "Clocks per pixel at full speed are calculated, and energy is not known"
    assert missing in text and missing not in bare(built())
    for kind in ("throughput", "energy"):
        with pytest.raises(ValueError) as error:
            read_measured(record, {kind: FILES[kind]})
        assert str(error.value) == (
            f"--{kind} must be left out: no command measures that of such a build of profile "
            f"predictive yet, so {FILES[kind]} is of another"
        )


@pytest.mark.parametrize(("kind", "bits", "pattern"), [
    ("rgb", 24, ""), ("bayer", 12, " --cfa PATTERN"),
])  # fmt: skip
def test_pixels_of_colour(kind, bits, pattern):
    """RGB is three samples a pixel; a filter array one, whose pattern `lutgen eval` is told."""
    sheet = sheet_of(build(f"build-photo-{kind}.json"))
    assert sheet.raw_bits == bits
    assert f"model.lutgen{pattern} --json" in sheet.command("eval")


def test_clocks_and_energy(tmp_path):
    record = built()
    blocks = dict.fromkeys(("pictures", "walk", "loop", "prediction", "strips", "rest"), 0.25)
    run, energy = (
        load(FILES[name]) | {
            "model_hash": record["model"]["hash"], "lanes": 16, "encoder_lanes": 8,
            "depths": {"8": 2}, "strip_height": None, "near": 0, "max_width": 1920,
            "max_height": 1080,
        } for name in ("throughput", "energy")
    )  # fmt: skip
    run["images"], files = "others", {}  # so that energy stays what it is
    for core in energy["cores"].values():
        for way in core["energy"].values():
            way["blocks"] = blocks
    for name, data in (("throughput", run), ("energy", energy)):
        files[name] = tmp_path / f"{name}.json"
        files[name].write_text(json.dumps(data))
    found = read_measured(record, files)
    text = words(render(record, none_measured(record) | found))
    steady = [run[way]["steady_clocks_per_pixel"] for way in ("encode", "decode")]
    assert f"clocks per pixel, steady {steady[0]:.4f} {steady[1]:.4f} clk/px" in text
    assert "clocks calculated" not in text and "measured with" not in text
    ways = [energy["cores"][core]["energy"]["unit_delay"] for core in ("encoder", "decoder")]
    first, second = (
        f"{way['nj_per_pixel']:.2f} {core['energy']['settled']['half']:.1f} to {way['double']:.1f}"
        for way, core in zip(ways, energy["cores"].values(), strict=True)
    )  # fmt: skip
    assert f"{first} {second}" in text
    assert "prediction 0.250 0.250" in text
    other = built(max_width=512, near=2)
    text = words(render(other, none_measured(other) | found))
    assert "largest image: measured with 1,920 × 1,080, built with 512 × 1,080" in text
    assert "greatest error: measured with 0, built with 2" in text


def test_measurements_are_read(tmp_path):
    record = built()
    path = tmp_path / "eval.json"
    path.write_text(json.dumps(kodak()))
    assert read_measured(record, {"eval": path, "throughput": None}) == {
        "sim": None, "prove": None, "eval": kodak(), "throughput": None, "energy": None,
    }  # fmt: skip
    for kind in ("eval", "throughput", "energy"):
        wrong = f"{FILES[kind].name} must be of the build's model 94c2ad2c34300"
        with pytest.raises(ValueError, match=wrong):
            read_measured(record, {kind: FILES[kind]})


def test_a_simulation_must_be_of_the_build(tmp_path):
    record, path = built(), tmp_path / "sim.json"
    path.write_text(json.dumps(sim(record)))
    assert read_measured(record, {"sim": path})["sim"]["ok"]
    with pytest.raises(ValueError, match="with depth 12, not 8: simulate with `lutgen sim --build"):
        read_measured(built(depth=12), {"sim": path})


def test_a_simulation_that_stalled_no_port_in_its_images():
    record = built()

    def page(**changes) -> str:
        found = sim(record, stall={"p": None, "seed": 0}, **changes)
        return words(render(record, none_measured(record) | {"sim": found}))

    text = page(runs={"encoder": [{"run": "full"}] * 3, "decoder": [{"run": "stalls"}] * 4})
    assert "Images passed at full speed, and 7 more runs met full buffers, stalls of" in text
    assert "No port ever stalled" not in text
    text = page()
    assert "No port ever stalled in this simulation." in text and "more runs" not in text


# The command.


def run(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_the_command(tmp_path):
    shutil.copy(RESULTS / PREDICTIVE, tmp_path / "build.json")
    result = run(tmp_path)
    assert result.exit_code == 0, result.output
    page = tmp_path / "report.html"
    missing = "--sim, --prove, --eval, --throughput, --energy"
    assert result.stderr == f"{page} (not measured: {missing})\n"
    assert "photo" in page.read_text()
    shutil.copy(RESULTS / "build-photo-rgb.json", tmp_path / "build.json")
    result = run(tmp_path, "--energy", FILES["energy"])
    assert result.exit_code == 1 and result.stderr.startswith("error: --energy must be left out: ")


def test_reports_of_vivado_beside_the_estimates(tmp_path):
    shutil.copy(RESULTS / PREDICTIVE, tmp_path / "build.json")
    result = run("--vivado", VIVADO, "--build", tmp_path, "--json")
    assert result.exit_code == 0, result.output
    found, record = json.loads(result.stdout), built()
    estimates = {row["kind"]: row["estimate"] for row in found["rows"]}
    total = record["pair"]["total"]
    for kind in ("lut", "lut_logic", "ff", "bram36", "dsp", "muxf"):
        assert estimates[kind] == total[kind]
    assert estimates["lut_memory"] == total["lut_memory"] + total["lut_shift"]
    assert estimates["carry"] == total["carry4"]
    assert found["estimate"]["module"] == "lutgen_94c2ad2c_codec"
    other = "the reports are of design lutgen_codec, the estimate is of lutgen_94c2ad2c_codec alone"
    assert other in found["notes"]
    assert "timing met" in words(predictive_page())
