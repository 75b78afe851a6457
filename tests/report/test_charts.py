"""Plots: where dots stand, and what they say."""

import lxml.html
import pytest

from lutgen.report.charts import Dot, Row, bar, dot_plot


def drawn(rows, **options):
    return lxml.html.fromstring(dot_plot(rows, name="p", title="T", axis="unit", **options))


def texts(plot) -> list[str]:
    return [found.text for found in plot.xpath(".//text")]


def centre(dot) -> float:
    return float(dot.get("x")) + float(dot.get("width")) / 2


def test_equal_steps_on_a_linear_axis():
    plot = drawn([Row("one", [Dot(2, "other")]), Row("two", [Dot(4, "ours")], strong=True)], end=8)
    first, second = (centre(dot) for dot in plot.xpath(".//rect"))
    grid = [float(line.get("x1")) for line in plot.xpath(".//line[@class='grid']")]
    assert texts(plot)[:9] == [str(k) for k in range(9)]
    assert [first, second] == pytest.approx([grid[2], grid[4]])
    assert plot.xpath(".//desc")[0].text == "unit. one: 2.00; two: 4.00."


def test_equal_ratios_on_a_logarithmic_axis():
    rows = [Row("a", [Dot(1, "encoder")]), Row("b", [Dot(10, "encoder")]),
            Row("c", [Dot(100, "decoder", 50, 200)])]  # fmt: skip
    plot = drawn(rows, logarithmic=True)
    assert texts(plot)[:4] == ["1", "10", "100", "1,000"]
    grid = [float(line.get("x1")) for line in plot.xpath(".//line[@class='grid']")]
    steps = [b - a for a, b in zip(grid, grid[1:], strict=False)]
    assert steps == pytest.approx([steps[0]] * 3, abs=0.01)
    low, high = (float(plot.xpath(".//line[starts-with(@class, 'range')]")[0].get(x))
                 for x in ("x1", "x2"))  # fmt: skip
    assert low < grid[2] < high and (low + high) / 2 == pytest.approx(grid[2], abs=0.01)
    assert [centre(dot) for dot in plot.xpath(".//rect")] == pytest.approx(grid[:2])


def test_words_stay_inside():
    """A value at the end of the axis is written before its dot."""
    plot = drawn([Row("at the end", [Dot(7.9, "other")]), Row("at the start", [Dot(0.1, "other")])],
                 end=8)  # fmt: skip
    late, early = plot.xpath(".//text[starts-with(@class, 'value')]")
    assert late.get("class") == "value end" and early.get("class") == "value"


def test_a_mark_is_told():
    plot = drawn([Row("a", [Dot(3, "other")])], end=8, mark=(8, "the raw image"))
    assert plot.xpath(".//desc")[0].text.endswith("The line at 8 is the raw image.")
    assert len(plot.xpath(".//line[@class='mark']")) == 1


def test_numbers_have_three_figures():
    rows = [Row("a", [Dot(2637.2, "other")]), Row("b", [Dot(96.71, "other")]),
            Row("c", [Dot(1.3, "other")]), Row("d", [Dot(0.044, "other")], digits=3)]  # fmt: skip
    plot = drawn(rows)
    found = [text.text for text in plot.xpath(".//text[starts-with(@class, 'value')]")]
    assert found == ["2,637", "96.7", "1.30", "0.044"]


def test_bars_are_as_long_as_their_share():
    rects = lxml.html.fromstring(bar([(1, "logic"), (0, "memory"), (2, "shift")], 4)).xpath(
        "//rect"
    )
    assert [(r.get("class"), float(r.get("x")), float(r.get("width"))) for r in rects] == [
        ("logic", 0, 25), ("shift", 25, 50),
    ]  # fmt: skip
    assert not lxml.html.fromstring(bar([(0, "logic")], 0)).xpath("//rect")
