"""Block diagrams: every counted block is in the picture, with its count."""

import lxml.html
import pytest

from lutgen.report.diagram import diagram
from lutgen.report.sheets import sheet_of
from tests.report.records import LEVELS, build


def picture(record, core):
    return lxml.html.fromstring(diagram(sheet_of(record), core))


def texts(found) -> list[str]:
    return [text.text for text in found.xpath(".//text")]


@pytest.mark.parametrize("name", ["build.json", "build-gic-dlc-plus.json", LEVELS])
@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_all_luts_are_in_the_picture(name, core):
    record = build(name)
    shown = 0
    for words in texts(picture(record, core)):
        number = words.removesuffix(" LUT").removeprefix("beside them, LUT: rest ")
        if number.replace(",", "").isdigit():
            shown += int(number.replace(",", ""))
    assert shown == record["cores"][core]["resources"]["total"]["lut"]


def test_latencies_and_lanes():
    found = texts(picture(build(), "decoder"))
    assert "class, 15 clocks" in found and "symbol, 24 clocks" in found
    assert "decoded pixel: loop of 25 clocks, 32 lanes" in found
    found = texts(picture(build(), "encoder"))
    assert "class, 16 clocks" in found and "interval, 19 clocks" in found
    assert "loop of 8 clocks, 8 lanes" in found


def test_structure_follows_the_model():
    flat, levels = (texts(picture(build(name), "decoder")) for name in ("build.json", LEVELS))
    assert "Walker" in flat and "3 stages, 5,352 records" in flat
    assert "Pyramid and priors" not in flat and "Popcounts" not in flat
    assert "Pyramid and priors" in levels and "Popcounts" in levels and "Walker" not in levels
    assert "Head, constraint" in levels
    assert [word for word in levels if word in ("compare", "LUT layers", "popcount")]


def test_order_is_the_pipelines():
    found = picture(build(), "encoder").xpath(".//desc")[0].text
    assert found.startswith(
        "From s_axis_video to m_axis_stream at the file side: Tile buffers, Window, Comparators, "
        "LUT layers, Walker, Head, rANS coder, Packet buffers."
    )


def test_without_counts_and_with_unknown_blocks():
    record = build()
    cores = {name: core | {"resources": None} for name, core in record["cores"].items()}
    assert "LUT" not in " ".join(texts(picture(record | {"cores": cores}, "encoder"))).replace(
        "LUT layers", ""
    )
    blocks = record["cores"]["encoder"]["resources"]["blocks"]
    blocks["registers"] = blocks["rest"]
    luts = blocks["rest"]["lut"]
    assert f"beside them, LUT: rest {luts}, registers {luts}" in texts(picture(record, "encoder"))
