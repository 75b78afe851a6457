"""The page of a build: what it shows, what it says is missing, and that it is sound HTML."""

import re
from collections import Counter
from html.parser import HTMLParser

import lxml.html
import pytest

from lutgen.report.measured import read_measured
from lutgen.report.page import render
from tests.report.records import (
    FILES,
    LEVELS,
    LEVELS_FILES,
    PREDICTIVE,
    RESULTS,
    build,
    full_page,
    load,
    none_measured,
    predictive_page,
    sim,
)

VOID = {"br", "hr", "img", "input", "link", "meta"}


class Strict(HTMLParser):
    """Fails where an element is closed that is not open, or the reverse."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: Counter[str] = Counter()
        self.attributes: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute: {names}"
        self.seen[tag] += 1
        self.attributes.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


def pages() -> dict[str, str]:
    levels = build(LEVELS)
    return {
        "full": full_page(),
        "levels": render(levels, read_measured(levels, LEVELS_FILES)),
        "bare": render(build(), none_measured()),
        "uncounted": render(uncounted(build()), none_measured()),
        "encoder": render(one_core(build(), "encoder"), none_measured()),
        "decoder": render(one_core(build(LEVELS), "decoder"), none_measured()),
        "predictive": predictive_page(),
        "predictive uncounted": bare(uncounted(build(PREDICTIVE))),
        "predictive encoder": bare(one_core(build(PREDICTIVE), "encoder")),
        "predictive decoder": bare(one_core(build(PREDICTIVE), "decoder")),
    }


def bare(record: dict) -> str:
    return render(record, none_measured(record))


def uncounted(record: dict) -> dict:
    cores = {name: core | {"resources": None} for name, core in record["cores"].items()}
    return record | {"cores": cores, "pair": None}


def one_core(record: dict, core: str) -> dict:
    found = record["cores"][core]["resources"]
    pair = record["pair"] | {"total": found["total"], "levels": found["levels"]}
    return record | {
        "cores": {core: record["cores"][core]}, "pair": pair,
        "parameters": record["parameters"] | {"top": core},
    }  # fmt: skip


def words(page: str) -> str:
    """The text that a reader sees, in single spaces."""
    tree = lxml.html.fromstring(page)
    for style in tree.iter("style"):
        style.text = ""
    return " ".join(" ".join(tree.itertext()).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.fixture(scope="module", params=pages().items(), ids=lambda pair: pair[0])
def page(request) -> str:
    return request.param[1]


def test_well_formed(page):
    parser = Strict()
    parser.feed(page)
    parser.close()
    assert parser.open == [] and page.startswith("<!DOCTYPE html>")
    ids = [found["id"] for _, found in parser.attributes if "id" in found]
    assert len(ids) == len(set(ids))
    for _, found in parser.attributes:
        for name in ("aria-labelledby", "href"):
            for target in (found.get(name) or "").split():
                assert target.removeprefix("#") in ids, f"{name}={target!r} leads nowhere"


def test_needs_nothing_else(page):
    """Neither network nor other files, and no script."""
    assert "://" not in page and "url(" not in page and "@import" not in page
    tags = {tag for tag, _ in parse(page).attributes}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "image", "use"}
    for tag, found in parse(page).attributes:
        assert not {"src", "srcset", "style", "background"} & set(found), (tag, found)
        assert not any(name.startswith("on") for name in found), (tag, found)


def parse(page: str) -> Strict:
    parser = Strict()
    parser.feed(page)
    return parser


def test_told_to_those_who_do_not_see(page):
    tree = lxml.html.fromstring(page)
    tables, pictures = tree.xpath("//table"), tree.xpath("//svg[@class='figure']")
    assert pictures and all(table.xpath("caption") for table in tables)
    for picture in pictures:
        assert picture.get("role") == "img"
        assert picture.xpath("title")[0].text and picture.xpath("desc")[0].text
    assert all(bar.get("aria-hidden") == "true" for bar in tree.xpath("//svg[@class='bar']"))
    assert tree.get("lang") == "en" and len(tree.xpath("//h1")) == 1 and tree.xpath("//main")


def test_a_page_is_a_function_of_its_inputs():
    assert full_page.__wrapped__() == full_page()


# What it shows.


def test_title_block():
    text, record = words(full_page()), build()
    for shown in (
        record["model"]["hash"], "raster-table", "zynq7045", "xc7z045ffg900-2", "ZC706", "250 MHz",
        "lutgen_codec", "32 × 32 pixels", "512 × 4,096", "encoder 8, decoder 32",
        "201 nodes, 6 deep, 219 bits in", "table, 128 classes",
        f"lutgen {record['generator']['version']}, Amaranth {record['generator']['amaranth']}",
    ):  # fmt: skip
        assert shown in text
    for name, file in record["files"].items():
        assert f"{name} {file['sha256']} {file['bytes']:,}" in text


def luts(record) -> str:
    """LUTs of both cores, as the page writes them."""
    return " ".join(f"{core['resources']['total']['lut']:,}" for core in record["cores"].values())


def test_resources_and_levels():
    text, record = words(full_page()), build()
    for core in record["cores"].values():
        found = core["resources"]
        total = found["total"]
        assert f"total {total['lut']:,} {total['ff']:,} {total['bram36']:g} 0 4" in text
        walker = found["blocks"]["walker"]
        ends = walker["endpoints"]
        assert f"{walker['lut']:,} {walker['ff']:,} {walker['bram36']:g} 0 3" in text
        assert f"walker {ends['0']} · {ends['2']} {ends['3']} ·" in text
    # At a glance, by block, by depth, and in the proofs: never a number without how it is counted.
    how = "700 ps of wire per LUT in ABC, a carry chain as one, MUXF as none; logic levels: every"
    assert text.count(how) >= 4
    share = record["pair"]["percent"]
    assert f"{luts(record)} 218,600 {share['lut']:.2f} %" in text
    assert f"89.5, {share['bram36']:.2f} % of device" in text


def test_logic_levels_stand_beside_lut_levels():
    record = build()
    for found in [record["pair"], *(core["resources"] for core in record["cores"].values())]:
        found["logic_levels"] = 10
    text = words(render(record, none_measured()))
    total = record["cores"]["encoder"]["resources"]["total"]
    assert f"total {total['lut']:,} {total['ff']:,} {total['bram36']:g} 0 4 10" in text
    assert "at most 4 LUT levels, 10 logic levels (LUT levels: mapped with 700 ps" in text
    assert "Deepest: 4 LUT levels, 10 logic levels; most LUT levels in" in text


def test_measurements():
    text, rates, run = words(full_page()), load(FILES["eval"]), load(FILES["throughput"])
    result = rates["emnist_digits"]
    for name, codec in result["baselines"].items():
        assert f"{name} {codec['settings']} {codec['bpp']:.3f}" in text
    assert f"whole files, as the codecs above {result['bpp']['file_each']:.3f}" in text
    best, rate = min(((n, c["bpp"]) for n, c in result["baselines"].items()), key=lambda b: b[1])
    percent = 100 * (1 - result["bpp"]["file_each"] / rate)
    assert f"is {percent:.1f} % smaller than {best}’s" in text
    steady = [run[way]["steady_clocks_per_pixel"] for way in ("encode", "decode")]
    assert f"clocks per pixel, steady {steady[0]:.4f} {steady[1]:.4f} clk/px" in text
    assert f"constraint {250 / steady[0]:.1f} {250 / steady[1]:.1f} Mpx/s" in text
    counted = [core["resources"]["total"]["lut"] for core in build()["cores"].values()]
    per_klut = [250_000 / clocks / lut for clocks, lut in zip(steady, counted, strict=True)]
    assert f"estimated {per_klut[0]:.1f} {per_klut[1]:.1f} Mpx/s" in text
    assert "LOCO-ANS4-LS, two lanes, encoder 3,979 130.0 32.7" in text
    assert "UH-JLS, encoder – 337.5 –" in text
    assert "hpcn-uam/LOCO-ANS-HW-coder" in text


def test_energy_is_the_readmes():
    text = words(full_page())
    assert "1.30 0.6 to 2.6 1.26 0.6 to 2.5 4.00 4.01" in text
    assert "PNG level 9 one file per image, on a CPU 722.66 96.71 100.79 12.76" in text
    assert "What a clock takes is multiplied by the clocks per pixel of the long run" in text
    record = build(LEVELS)
    levels = words(render(record, read_measured(record, LEVELS_FILES)))
    assert "2.91 1.4 to 5.8 3.28 1.6 to 6.6 5.30 5.33" in levels
    alone = {"energy": LEVELS_FILES["energy"]}
    alone = words(render(record, read_measured(record, alone)))
    assert "2.20 1.1 to 4.4 3.28 1.6 to 6.6 4.00 5.33" in alone and "of the long run" not in alone


def test_levels_of_a_pyramid():
    record = build(LEVELS)
    text = words(render(record, read_measured(record, LEVELS_FILES)))
    assert "Pyramid and priors" in text and "upsampler, LUT layers" in text
    assert "picture of level 2, 7 × 7: first one, then each – 2,023 / 234.5 clk" in text
    assert "The encoder has 21 register inputs or outputs behind more than 4 LUT levels" in text


def test_vivado():
    text = words(full_page())
    assert "lutgen_codec, 7z045ffg900-2, Vivado 2019.2, routed: timing met" in text
    luts = build()["pair"]["total"]["lut"]
    assert f"LUT 5,512 2.5 % {luts:,} −{100 * (1 - 5512 / luts):.1f} %" in text
    assert "longest path allows 263.5 MHz" in text
    assert "Nothing was run in Vivado" not in text
    assert "The Vivado reports were read as they were found" in text


# What is missing.


def test_what_is_missing_is_said():
    page = render(build(folder="my builds/one"), none_measured())
    text = words(page)
    folder, model = "'my builds/one'", "'my builds/one/model.lutgen'"
    for command in (
        f"lutgen sim --build {folder} --stall 0.3 --json > sim.json",
        f"lutgen eval IMAGES --model {model} --json > eval.json",
        f"python -m bench.throughput --images IMAGES --model {model} --target zynq7045 --out "
        "throughput.json",
        f"python -m bench.energy --images IMAGES --model {model} --target zynq7045 --out "
        "energy.json",
    ):
        assert command in text
    for option in ("--sim sim.json", "--eval eval.json", "--energy energy.json"):
        assert f"Then give lutgen report the option {option}" in text
    for name in (
        "Verilog against the reference", "File size", "Clocks per pixel, encode / decode",
        "Rate at 250 MHz, encode / decode", "Energy, encode / decode",
    ):  # fmt: skip
        assert f"{name} – not measured" in text
    assert "this build, encoder" not in text and "LOCO-ANS4-LS" in text
    for line in (
        "The Verilog of this build was not compared with the reference codec.",
        "LUT, FF, BRAM and logic levels are estimates of Yosys 0.70, without placement.",
        "Nothing was run in Vivado: the scripts were tried with stubs of its commands only.",
        "Nothing was placed or routed: 250 MHz is a constraint, no clock that was reached.",
        "Nothing ran on a board (ZC706 or any other).",
    ):
        assert line in text


def test_resources_that_were_not_counted():
    text = words(render(uncounted(build()), none_measured()))
    assert "LUT, FF, memory, LUT levels – not measured" in text
    assert text.count("Build again without --no-estimate") == 3
    assert "Resources and logic levels were not counted: built with --no-estimate." in text
    assert "0 LUT" not in text and "estimates of" not in text


def test_other_devices():
    record = build()
    target = record["target"] | {"luts": 1000}
    pair = record["pair"] | {"fits": False, "percent": record["pair"]["percent"] | {"lut": 579.6}}
    assert "Does not fit zynq7045." in words(render(record | {"target": target, "pair": pair},
                                                    none_measured()))  # fmt: skip
    target = record["target"] | {"name": "ecp5-45k", "part": "LFE5U-45F-6BG381C", "tools": [],
                                 "family": "ECP5", "yosys_family": None, "board": ""}  # fmt: skip
    pair = record["pair"] | {"fits": None, "percent": {}}
    text = words(render(record | {"target": target, "pair": pair}, none_measured()))
    assert "Not compared with ecp5-45k, whose cells are others." in text
    assert "Counted as 6-input LUTs and flip-flops, memories left whole." in text
    assert f"LUT {luts(record)} – –" in text and "Vivado" not in text
    assert "Nothing ran on a board." in text
    # Its memories were not mapped: bits, and no number of blocks, least of all 0.
    assert "BRAM36" not in text and "memory, Kibit 0 0 – –" in text


def test_other_builds_of_the_same_model_are_told_apart():
    record = build()
    record["parameters"] |= {"lanes": 40, "coder": "tans", "tans_bits": 10, "cores": 4,
                             "registers": True}  # fmt: skip
    text = words(render(record, read_measured(record, FILES)))
    for line in (
        "lanes: measured with 32, built with 40",
        "coder: measured with rANS, built with tANS of 10 bits",
        "cores: measured with 1, built with 4", "registers: measured with no, built with yes",
    ):  # fmt: skip
        assert line in text
    assert "4 such pipelines stand behind one pair of ports" in text
    # What was verified of another build is not verified of this one.
    open_, done = text.index("Not verified"), text.index("Clocks were counted while 256 images")
    assert open_ < done and "pixels, but not of this build (lanes: measured with 32" in text
    assert text.index("The netlist that Yosys 0.70 mapped gave") > open_
    assert "tANS, 10 bits" in text and "tANS coder" in text and "AXI4-Lite registers" in text
    assert "Not measured on exactly this build" not in words(full_page())


# What was verified.


def test_a_simulation_that_failed_is_prominent():
    record = build()
    bad = {"problems": ["file differs from the reference's from byte 9 on"],
           "clocks_per_pixel": None}  # fmt: skip
    found = sim(
        record, ok=False, mismatches=1, problems=["encoder, 28x28: file differs"],
        changed_since_build=["lutgen_encoder.v"],
    )  # fmt: skip
    found["sizes"][0] = found["sizes"][0] | {"encoder": bad}
    text = words(render(record, none_measured() | {"sim": found}))
    assert "1 mismatches in 2,352,019 pixels" in text
    assert "The Verilog DIFFERS from the reference codec: 1 mismatches in 5 checks" in text
    assert text.count("encoder, 28x28: file differs") == 2  # on top, and where it belongs
    assert "28 × 28 3,000 images 2,352,000 DIFFERS – equal 12.500" in text
    assert "Files had been changed since the build when it was simulated: lutgen_encoder.v." in text
    assert "The Verilog equals" not in text


def test_a_simulation_that_passed():
    text = words(full_page())
    assert (
        "The Verilog equals the reference codec in Verilator, byte for byte and pixel for pixel: "
        "3,001 images, 2,352,019 pixels, 5 checks, 0 mismatches." in text
    )
    assert "Every port was stalled in 30 % of the clocks (seed 7)." in text
    assert "(error bits bad_model and bad_tile), and a good file behind them was decoded." in text
    calm = sim(stall={"p": 0.0, "seed": 0})
    text = words(render(build(), none_measured() | {"sim": calm}))
    assert "No port ever stalled in this simulation." in text and "was stalled" not in text


def test_files_are_looked_at(tmp_path):
    record = build(LEVELS, str(tmp_path))
    (tmp_path / "files.f").write_text("lutgen_encoder.v\nlutgen_decoder.v\nlutgen_codec.v\n")
    (tmp_path / "xgui.tcl").write_text("changed\n")
    text = words(render(record, none_measured()))
    assert "49 unchanged" in text and "Files are not as the build wrote them: xgui.tcl." in text
    assert re.search(r"lutgen_codec\.v [0-9a-f]{64} [0-9,]+ missing", text)


# Hostile names.

HOSTILE = "</style><script>alert(1)</script>\"'&<img src=x onerror=y>"


def test_everything_is_escaped():
    record = build(folder=HOSTILE)
    record["model"]["profile"] = record["target"]["board"] = record["target"]["part"] = HOSTILE
    record["generator"]["name"] = HOSTILE
    blocks = record["cores"]["encoder"]["resources"]["blocks"]
    blocks[HOSTILE] = blocks["rest"]
    record["cores"]["encoder"]["ports"][2]["name"] = HOSTILE
    record["files"][HOSTILE] = {"bytes": 1, "sha256": HOSTILE}
    measured = read_measured(record, FILES)
    measured["eval"] = {HOSTILE: measured["eval"]["emnist_digits"]}
    measured["eval"][HOSTILE]["baselines"][HOSTILE] = {"settings": HOSTILE, "bpp": 5.0}
    measured["throughput"]["images"] = measured["energy"]["images"] = HOSTILE
    measured["energy"]["coefficients"]["x"] = {"pj": 1.0, "per": HOSTILE, "source": HOSTILE}
    measured["sim"] = sim(record, ok=False, problems=[HOSTILE])
    page = render(record, measured)
    assert parse(page).seen["script"] == parse(page).seen["img"] == 0
    assert parse(page).seen["style"] == 1
    assert words(page).count(HOSTILE) > 20
    title = lxml.html.fromstring(page).xpath("//title")[0].text
    assert title == f"codec of {HOSTILE} for zynq7045: lutgen report"


# Colours.


def palette(dark: bool) -> dict[str, str]:
    page = full_page()
    start = page.index("prefers-color-scheme: dark") if dark else page.index(":root")
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", page[start : page.index("}", start)]))


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(dark):
    colours = palette(dark)
    texts = ("ink", "soft", "encoder", "good", "bad")
    pairs = [(text, paper, 4.5) for text in texts for paper in ("paper", "card")]
    pairs += [("ink", f"heat{k}", 4.5) for k in range(1, 6)]
    pairs += [(text, "bad-paper", 4.5) for text in ("ink", "bad")]
    shapes = ("encoder", "decoder", "logic", "memory", "shift", "ink")
    pairs += [(shape, "paper", 3) for shape in shapes]
    for one, other, least in pairs:
        found = contrast(colours[one], colours[other])
        assert found >= least, f"{one} on {other}: {found:.2f}"


def test_results_are_those_of_the_builds():
    """The samples that these tests rest on belong together."""
    for name in ("throughput-emnist.json", "energy.json"):
        assert load(RESULTS / name)["model_hash"] == build()["model"]["hash"]
