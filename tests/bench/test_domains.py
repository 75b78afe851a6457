"""Codecs on kinds of images: what is measured, and that it is what others measured."""

import importlib.util
import json

import numpy as np
import pytest
from click.testing import CliRunner

from bench import domains, figures
from bench.tables import domains as tables
from bench.tables import parts
from bench.tables.results import load
from lutgen.formats.colour import write_colour
from lutgen.formats.imageio import write_image
from tests.models import table_model

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("flat", "deep", "colour"):
        (tmp_path / name).mkdir()
    write_image("flat/a.png", RNG.integers(0, 9, (20, 31), dtype=np.uint8))
    write_image("flat/b.pgm", RNG.integers(0, 99, (9, 8), dtype=np.uint8))
    write_image("deep/a.tif", RNG.integers(0, 999, (20, 31), dtype=np.uint16))
    write_colour("colour/a.png", RNG.integers(0, 99, (12, 13, 3), dtype=np.uint8))
    table_model().save("m.lutgen")
    return tmp_path


def measured(*arguments) -> dict:
    result = CliRunner().invoke(domains.main, [*arguments, "--out", "domains.json"])
    assert result.exit_code == 0, result.output
    with open("domains.json") as file:
        return json.load(file)


def test_sets_are_added_to_earlier_ones(folder):
    found = measured("flat", "--gray", "photos=colour", "--model", "m.lutgen", "--near", "2")
    assert list(found) == ["flat", "photos"]
    assert found["flat"]["images"] == 2 and found["flat"]["depths"] == {"8": 2}
    assert found["flat"]["bpp"]["file_each"] > 0 and found["flat"]["verified"]
    assert found["photos"]["pixels"] == 12 * 13
    assert found["photos"]["near_lossless"][0]["near"] == 2
    found = measured("sixteen=deep", "--crop", "10", "--model", "m.lutgen")
    assert list(found) == ["flat", "photos", "sixteen"]
    deep = found["sixteen"]
    assert deep["pixels"] == 100 and deep["crop"] == 10 and deep["depths"] == {"10": 1}
    assert "bpp" not in deep and deep["baselines"]["QOI"]["bpp"] is None
    assert deep["baselines"]["JPEG-LS"]["bpp"] > 0


@pytest.mark.parametrize("shape, side, top, left", [
    ((20, 31), 10, 4, 10), ((21, 9), 10, 4, 0), ((1059, 1059), 512, 272, 272), ((5, 5), 9, 0, 0),
])  # fmt: skip
def test_the_middle_begins_at_even_rows_and_columns(shape, side, top, left):
    image = np.arange(np.prod(shape)).reshape(shape)
    found = domains.middle(image, side)
    assert found.shape == (min(side, shape[0]), min(side, shape[1]))
    assert found[0, 0] == image[top, left]


def test_no_sets(folder):
    result = CliRunner().invoke(domains.main, ["--out", "domains.json"])
    assert result.exit_code == 2 and "data must be at least one set, not none" in result.output


@pytest.mark.skipif(
    not importlib.util.find_spec("matplotlib"), reason="plots need the extra bench"
)
def test_plots_and_tables(folder, monkeypatch):
    measured("flat", "--model", "m.lutgen", "--near", "1")
    found = measured("deep")
    monkeypatch.setattr(tables, "load", lambda name: {"domains": found}[name])
    text = tables.domains()
    assert "| flat, 2 | 8 |" in text and "| deep, 1 | 10 |" in text and "lutgen |" in text
    figures.domains(folder, folder / "plots")
    assert [path.name for path in (folder / "plots").iterdir()] == ["domains.svg"]
    svg = (folder / "plots" / "domains.svg").read_text()
    assert all(word in svg for word in ("deep, 10 bits", "JPEG XL e7", "lutgen"))


@pytest.mark.skipif(
    not importlib.util.find_spec("matplotlib"), reason="plots need the extra bench"
)
def test_plot_and_table_of_networks(tmp_path, monkeypatch, capsys):
    figures.networks(tmp_path, tmp_path)
    assert "is left out" in capsys.readouterr().out
    row = {"corrections": 2, "scales": 4, "comparisons": 30, "table_luts": 25, "seconds": 3}
    points = [
        {**row, "corrections": 0, "scales": 0, "network": "trees", "luts": 9, "bpp": 4.3},
        {**row, "network": "trees", "luts": 85, "bpp": 4.25},
        {**row, "network": "gradient", "luts": 90, "bpp": 4.26},
    ]
    found = {"command": "python -m bench.networks", "images": 2, "points": points}
    codecs = {"baselines": {name: {"bpp": 4.2} for name in ("JPEG XL e7", "JPEG XL e9")}}
    (tmp_path / "networks.json").write_text(json.dumps(found))
    (tmp_path / "domains.json").write_text(json.dumps({"kodak": codecs}))
    figures.networks(tmp_path, tmp_path)
    svg = (tmp_path / "networks.svg").read_text()
    assert all(word in svg for word in ("boosted trees", "by gradients", "2 + 4", "JPEG XL e9"))
    monkeypatch.setattr(parts, "load", lambda name: {"networks": found}[name])
    text = parts.networks()
    assert "| 0 + 0 | - | 4.3000 |" in text
    assert "| 2 + 4 | gradient | 4.2600 | 30 | 25 | 90 | 3 |" in text


def test_table_of_further_training(monkeypatch):
    row = {"trained": 3, "measured": 2, "seconds": 9, "JPEG-LS": 3.0, "JPEG XL e7": 2.9,
           "alone": 2.8, "further": {"1000": 2.75, "30000": 2.76}}  # fmt: skip
    found = {"command": "python -m bench.further", "kinds": {"mr": row}}
    monkeypatch.setattr(tables, "load", lambda name: {"further": found}[name])
    assert "| mr, 2 | 3.000 | 2.900 | 2.800 | 2.750 | 2.760 | 3 |" in tables.further()


#: Measured before by other programs, bits per pixel: JPEG XL of efforts 3, 7 and 9, JPEG-LS.
PUBLISHED = {
    "kodak": (4.258, 4.207, 4.172, 4.339),
    "astro16": (7.650, 4.196, 3.644, 7.478),
    "depth16": (3.080, 2.222, 2.117, 3.695),
    "medical16": (4.599, 4.419, 4.393, 4.737),
    "microscopy16": (5.961, 5.840, 5.829, 6.005),
    "satellite16": (8.984, 9.014, 9.020, 9.157),
    "thermal16": (4.338, 4.272, 4.244, 4.475),
    "microscopy8": (2.643, 2.499, 2.464, 2.646),
    "piv8": (5.733, 5.259, 5.163, 6.191),
    "bayer14": (10.442, 9.057, 8.925, 11.177),
}
#: The same as means of images, of JPEG-LS and JPEG XL of efforts 7 and 9.
MEANS = {
    "natural_gray_val": (3.646, 3.475, 3.471),
    "camera_mono": (4.171, 3.966, 3.929),
    "ct": (1.785, 1.615, 1.580),
    "mr": (2.494, 2.350, 2.379),
    "xray": (3.087, 2.959, 2.954),
    "documents": (4.096, 3.863, 3.840),
    "infrared": (3.105, 2.884, 2.866),
    "satellite": (4.578, 4.361, 4.350),
    "screen": (0.847, 0.479, 0.452),
}
#: JPEG-LS of Kodak by near.
NEAR = {1: 2.865, 2: 2.267, 3: 1.906, 5: 1.479}


def test_results_are_what_others_measured():
    found = load("domains")
    assert found.keys() == PUBLISHED.keys() | MEANS.keys()
    for data, wanted in PUBLISHED.items():
        codecs = ("JPEG XL e3", "JPEG XL e7", "JPEG XL e9", "JPEG-LS")
        values = [found[data]["baselines"][name]["bpp"] for name in codecs]
        assert values == pytest.approx(wanted, abs=0.001), data
    for data, wanted in MEANS.items():
        codecs = ("JPEG-LS", "JPEG XL e7", "JPEG XL e9")
        values = [found[data]["baselines"][name]["bpp_mean"] for name in codecs]
        assert values == pytest.approx(wanted, abs=0.001), data
    near = {point["near"]: point["JPEG-LS"]["bpp"] for point in found["kodak"]["near_lossless"]}
    assert near == pytest.approx(NEAR, abs=0.001)


def test_colour_filter_arrays(folder):
    """As one plane and as four; a picture in colour is none."""
    write_image("mosaic.png", RNG.integers(0, 99, (20, 30), dtype=np.uint8))
    found = measured("mosaic.png", "--cfa", "RGGB", "--model", "photo-bayer")["mosaic"]
    assert found["verified"] and found["cfa"] == "RGGB"
    assert found["baselines"]["JPEG-LS, four planes"]["bpp"] > 0
    arguments = ["colour", "--cfa", "RGGB", "--out", "domains.json"]
    result = CliRunner().invoke(domains.main, arguments)
    assert result.exit_code == 1 and "must be gray of 8 or 16 bits, not colour" in result.output
